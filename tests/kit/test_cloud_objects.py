"""Objects in a cloud store: an S3 of this file's own, over real sockets, which knows what obstore asks of one."""

import hashlib
import re
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx2
import pytest

from sancho.kit.errors import NotFound
from sancho.kit.object_stores import CloudObjects, ContentDiffers, S3Access, SizeDiffers

CONTENT = b"a sandbox" * 100_000
KEY = f"sandboxes/1/{hashlib.sha256(CONTENT).hexdigest()}.tar.zst"


class S3(BaseHTTPRequestHandler):
    """PUT, GET, HEAD, and POST of a list to be deleted; no signature is looked at."""

    objects: dict[str, bytes]

    def do_PUT(self) -> None:
        self.objects[urlsplit(self.path).path] = self.rfile.read(int(self.headers["content-length"]))
        self._answer(200)

    def do_GET(self) -> None:
        found = self.objects.get(urlsplit(self.path).path)
        self._answer(404 if found is None else 200, found or b"")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        keys = re.findall("<Key>(.*?)</Key>", asked)
        for key in keys:
            self.objects.pop(f"/bucket/{key}", None)
        said = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{said}</DeleteResult>".encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", '"x"')
        self.send_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base names it
        pass


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudObjects]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x" * 16)
    handler = type("Handler", (S3,), {"objects": dict[str, bytes]()})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield CloudObjects(
            "s3://bucket/prefix",
            S3Access(endpoint=f"http://127.0.0.1:{server.server_port}"),
            base_url="http://here/v1/objects",
            secret=b"s",
        )
        server.shutdown()


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_what_was_written_is_read_back_until_it_is_deleted(store: CloudObjects) -> None:
    assert await store.size(KEY) is None
    await store.write(KEY, chunks(CONTENT[:10], CONTENT[10:]), len(CONTENT))
    assert await store.size(KEY) == len(CONTENT)
    assert b"".join([chunk async for chunk in store.read(KEY)]) == CONTENT
    async with httpx2.AsyncClient() as client:
        assert (await client.get(await store.presign("GET", KEY, lifetime=timedelta(hours=1)))).content == CONTENT
    await store.delete([KEY, "not/there"])
    with pytest.raises(NotFound):
        _ = [chunk async for chunk in store.read(KEY)]


@pytest.mark.parametrize(("content", "error"), [
    (CONTENT[1:], SizeDiffers), (CONTENT + b"x", SizeDiffers), (b"x" * len(CONTENT), ContentDiffers),
])  # fmt: skip
async def test_what_is_not_what_it_was_called_is_not_kept(
    store: CloudObjects, content: bytes, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await store.write(KEY, chunks(content), len(CONTENT))
    assert await store.size(KEY) is None


async def test_a_form_that_nobody_signs_is_sent_to_us(store: CloudObjects) -> None:
    form = await store.form(KEY, lifetime=timedelta(hours=1), size=3)
    assert form.url.startswith(f"http://here/v1/objects/{KEY}?expires=")
    assert form.fields == {}

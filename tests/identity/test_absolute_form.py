"""ARC's A-REX asks for an issuer's documents by whole URLs: `GET https://host/path HTTP/1.1`."""

import asyncio
import json
import ssl
from pathlib import Path

import pytest

from sancho.app import create_app
from sancho.kit.issuer import ensure_key
from sancho.parts import make_deployment
from sancho.settings import Settings
from tests.realparts.pki import Authority
from tests.realparts.serving import serving
from tests.storage_site import free_port


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/jwks.json"])
@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "elsewhere.test"])
async def test_whoever_sends_a_whole_url_gets_what_is_at_its_path(path: str, host: str, tmp_path: Path) -> None:
    authority, port = Authority(tmp_path / "pki"), free_port()
    settings = Settings(state_dir=tmp_path, public_url=f"https://localhost:{port}")
    ensure_key(settings.keys)
    context = ssl.create_default_context(cafile=authority.file)

    async with serving(create_app(settings, make_deployment(settings)), port, authority.host()):
        answers = [
            await raw(port, context, target) for target in (path, f"https://{host.format(port=port)}{path}?as=arc")
        ]

    short, long = answers
    assert short == long
    assert json.loads(long)


async def raw(port: int, context: ssl.SSLContext, target: str) -> bytes:
    """The body of what is answered to a request line that no library has tidied up."""
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    assert head.startswith(b"HTTP/1.1 200 "), head
    return body

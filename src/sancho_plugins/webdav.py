"""Storage over WebDAV, http or https: ours, dCache, XRootD, StoRM, or any web server that knows PUT and DELETE."""

import base64
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

import httpx2
from opentelemetry import propagate
from pydantic import BaseModel, ConfigDict, Field

from sancho_contract.storage import ObjectExists, ObjectMissing, Stat, StorageRefused, StorageUnavailable

PIECE = 1 << 20

_LATER = {408, 423, 425, 429}
_WANT_ADLER32 = {"Want-Digest": "adler32", "Want-Repr-Digest": "adler=1"}


class WebDavSettings(BaseModel):
    """How to talk to the WebDAV storages of a VO."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    connect_timeout: timedelta = timedelta(seconds=10)
    """How long to wait for a connection."""
    stall_timeout: timedelta = timedelta(seconds=60)
    """How long a stream may stand still before it counts as broken."""
    checksum_timeout: timedelta = timedelta(minutes=10)
    """How long a storage may take to say a file's size and checksum: it may have to read it all."""
    connections: Annotated[int, Field(ge=1)] = 64
    """Connections that one process keeps, to all storages together."""
    creates_folders: bool = True
    """These storages make missing folders when a file is written; when false, we make them first."""
    ca_file: Path | None = None
    """Certificates that sign the storages' own, when the system's do not."""
    signed_urls: bool = False
    """Give out URLs with a token in their query, `authz=Bearer%20…`, for clients that know no tokens, such as Rucio's.
    Such a token is for one file, to read it or to put it there, and lasts an hour at most; whoever sees the URL
    meanwhile, in a log or a history, may use it. Our storage server and XRootD take them; others may not."""


class WebDavStorage:
    """Reads and writes over HTTP; checksums by `Want-Digest` (RFC 3230) or `Want-Repr-Digest` (RFC 9530)."""

    Settings: type[BaseModel] = WebDavSettings

    def __init__(self, settings: WebDavSettings) -> None:
        """Make the pool; nothing is connected yet."""
        self._settings = settings
        self._checksum_timeout = settings.checksum_timeout.total_seconds()
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(
                settings.stall_timeout.total_seconds(), connect=settings.connect_timeout.total_seconds()
            ),
            limits=httpx2.Limits(max_connections=settings.connections),
            verify=ssl.create_default_context(cafile=settings.ca_file),
            headers={"Accept-Encoding": "identity"},
            trust_env=False,
        )

    async def stat(self, url: str, token: str) -> Stat:
        """See `Storage.stat`."""
        response = await self._ask("HEAD", url, token, _WANT_ADLER32, patience=self._checksum_timeout)
        _check(response)
        if "content-length" not in response.headers:
            raise StorageRefused(f"{_who(url)} does not tell the size of a file")
        return Stat(int(response.headers["content-length"]), _adler32(response.headers), _modified_at(response.headers))

    async def read(self, url: str, token: str, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """See `Storage.read`."""
        headers = _headers(token, {"Range": f"bytes={offset}-"} if offset else {})
        with _translated(url):
            async with self._client.stream("GET", _plain(url), headers=headers, follow_redirects=True) as response:
                if response.status_code == 416:
                    return
                if response.is_error and int(response.headers.get("content-length", PIECE)) < PIECE:
                    await response.aread()
                _check(response)
                skip = offset if response.status_code == 200 else 0
                async for piece in response.aiter_raw(PIECE):
                    if skip < len(piece):
                        yield piece[skip:]
                    skip = max(0, skip - len(piece))

    async def write(self, url: str, token: str, chunks: AsyncIterable[bytes], size: int | None) -> Stat:
        """See `Storage.write`; `If-None-Match: *` guards the file, and a look before, as some servers ignore it."""
        if (await self._ask("HEAD", url, token)).status_code == 200:
            raise ObjectExists
        if not self._settings.creates_folders:
            await self._make_parents(url, token)
        body = _Body(chunks, size)
        headers = {"If-None-Match": "*"} | ({} if size is None else {"Content-Length": str(size)})
        try:
            response = await self._client.put(_plain(url), headers=_headers(token, headers), content=body)
        except httpx2.TransportError as error:
            if body.pulling:
                raise
            raise _unavailable(url, error) from error
        if response.status_code == 412:
            raise ObjectExists
        if response.status_code == 409 and self._settings.creates_folders:
            await self._make_parents(url, token)
            raise StorageUnavailable(f"{_who(url)} had no folder for the file; it has now", retry_after=0)
        _check(response)
        return await self.stat(url, token)

    async def delete(self, url: str, token: str) -> None:
        """See `Storage.delete`; without a depth, servers delete a folder with all that is in it."""
        _check(await self._ask("DELETE", url, token, {"Depth": "0"}))

    @property
    def signs(self) -> bool:
        """See `SignsUrls.signs`."""
        return self._settings.signed_urls

    def signed(self, url: str, token: str, *, write: bool, lifetime: timedelta) -> str:  # noqa: ARG002 - the token says
        """See `SignsUrls.signed`."""
        return f"{_plain(url)}?authz={quote(f'Bearer {token}', safe='')}"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, method: str, url: str, token: str, headers: dict[str, str] | None = None, *, patience: float | None = None
    ) -> httpx2.Response:
        with _translated(url):
            return await self._client.request(
                method,
                url if method == "MKCOL" else _plain(url),
                headers=_headers(token, headers or {}),
                follow_redirects=method == "HEAD",
                timeout=httpx2.USE_CLIENT_DEFAULT if patience is None else patience,
            )

    async def _make_parents(self, url: str, token: str) -> None:
        """Make the folders above a file, from the top; many are there already, and the write itself will tell."""
        parts = urlsplit(url)
        folder = ""
        for name in parts.path.split("/")[1:-1]:
            folder += f"/{name}"
            await self._ask("MKCOL", parts._replace(path=f"{folder}/").geturl(), token)


class _Body:
    """The chunks of a write on their way out: counted, and known to be the culprit when it is they that fail."""

    def __init__(self, chunks: AsyncIterable[bytes], size: int | None) -> None:
        self.pulling = False
        self._chunks = chunks
        self._size = size

    async def __aiter__(self) -> AsyncGenerator[bytes, None]:
        came = 0
        self.pulling = True
        async for chunk in self._chunks:
            came += len(chunk)
            if self._size is not None and came > self._size:
                raise StorageRefused(f"more than the announced {self._size} B came")
            self.pulling = False
            yield chunk
            self.pulling = True
        if self._size is not None and came != self._size:
            raise StorageRefused(f"{came} B came, {self._size} B were announced")
        self.pulling = False


def _headers(token: str, more: dict[str, str]) -> dict[str, str]:
    """Authorise a request, and say which trace it belongs to."""
    headers = {"Authorization": f"Bearer {token}", **more}
    propagate.inject(headers)
    return headers


def _plain(url: str) -> str:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise StorageRefused(f"{_who(url)} is not an http or https URL")
    if urlsplit(url).path.endswith("/"):
        raise StorageRefused("the URL names a folder, not a file")
    return url


def _who(url: str) -> str:
    """Name a storage without path and query, which may hold secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")


@contextmanager
def _translated(url: str) -> Any:
    try:
        yield
    except httpx2.TransportError as error:
        raise _unavailable(url, error) from error
    except httpx2.HTTPError as error:
        raise StorageRefused(f"{_who(url)}: {type(error).__name__}") from error


def _unavailable(url: str, error: httpx2.TransportError) -> StorageUnavailable:
    return StorageUnavailable(f"{_who(url)}: {str(error) or type(error).__name__}")


def _check(response: httpx2.Response) -> None:
    """Raise the contract's error for an answer that is not a success."""
    status = response.status_code
    if status < 300:
        return
    if status in {404, 410}:
        raise ObjectMissing
    detail = f"{_who(str(response.url))} answered {status} to {response.request.method}{_reason(response)}"
    if status >= 500 or status in _LATER:
        raise StorageUnavailable(detail, retry_after=_retry_after(response.headers.get("retry-after")))
    raise StorageRefused(detail)


def _reason(response: httpx2.Response) -> str:
    """What a problem+json says; other bodies are for people with browsers, and may be long."""
    if response.is_stream_consumed and response.headers.get("content-type") == "application/problem+json":
        try:
            return f": {str(response.json()['detail'])[:200]}"
        except (JSONDecodeError, KeyError, TypeError, UnicodeDecodeError):
            return ""
    return ""


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait, from either form of the header."""
    if value is None:
        return None
    if value.isdecimal():
        return float(value)
    at = _date(value)
    return None if at is None else max(0.0, (at - datetime.now(UTC)).total_seconds())


def _modified_at(headers: httpx2.Headers) -> datetime | None:
    return _date(headers.get("last-modified", ""))


def _date(value: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _adler32(headers: httpx2.Headers) -> str | None:
    """The checksum in either form of the header; leading zeros may be missing."""
    if found := re.search(r"(?:^|,)\s*adler32=([0-9a-fA-F]{1,8})\s*(?:,|$)", headers.get("digest", ""), re.IGNORECASE):
        return found[1].lower().zfill(8)
    if found := re.search(r"(?:^|,)\s*adler=:([A-Za-z0-9+/]{6}==):", headers.get("repr-digest", "")):
        return base64.b64decode(found[1]).hex()
    return None

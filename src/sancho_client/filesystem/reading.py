"""Bytes of files from their replicas: the nearest first, the next when one fails or lies."""

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass, field

from httpx2 import Response, TransportError

from sancho_client.calls import data
from sancho_client.client import AsyncClient
from sancho_client.data import checksum
from sancho_client.data.nearness import nearest_first
from sancho_client.errors import ClientError, Damaged, NotLoggedIn, Problem, Refused
from sancho_client.models.data import Access, Source

KNOWN = 1000
"""Files whose replicas are remembered; the tokens to read them grow old anyhow."""


@contextlib.contextmanager
def os_errors(name: str) -> Iterator[None]:
    """Raise what goes wrong as programs expect it of files: `FileNotFoundError`, `PermissionError`, `OSError`."""
    try:
        yield
    except ClientError as e:
        hint = f" {e.hint}" if e.hint else ""
        raise OSError(_number(e), e.message + hint, name) from e  # Python makes it the class for the number


def _number(error: ClientError) -> int:
    if isinstance(error, Refused | NotLoggedIn):
        return errno.EACCES
    by_status = {404: errno.ENOENT, 409: errno.EEXIST}
    return by_status.get(error.status, errno.EIO) if isinstance(error, Problem) else errno.EIO


@dataclass
class Reader:
    """Reads files by DID; remembers where they are, and which replicas could not be read."""

    client: AsyncClient
    site: str | None
    known: dict[str, Access] = field(default_factory=dict[str, Access])

    async def read(self, did: str, start: int | None = None, end: int | None = None) -> bytes:
        """The bytes of a file from `start` to before `end`, negative ones counted from its end.

        The whole of a file is checked against its checksum. Raises `ClientError` when no replica can be read.
        """
        failures: dict[str, None] = {}
        remembered = did in self.known
        for _ in range(1 + remembered):  # with what is remembered, then with fresh tokens
            file = self.known.get(did) or await self._resolve(did)
            if file.archives and not file.sources:
                archive = file.archives[0].did
                raise ClientError(
                    f"{did} lies in {archive}.", hint=f"Open it there, as in zip://NAME::sancho://{archive}."
                )
            first, last, _ = slice(start, end).indices(file.size)
            for source in file.sources:
                try:
                    return await self._read_from(source, file, first, max(first, last))
                except (TransportError, Damaged, Problem) as e:
                    failures[f"{source.rse}: {e}"] = None
                    self.distrust(did, source)
            self.known.pop(did, None)
        said = "; ".join(failures) or "There is no replica that can be read now."
        raise ClientError(f"{did} cannot be read. {said}", hint=f"`sancho data info {did}` shows its replicas.")

    async def file(self, did: str) -> Access:
        """A file and where it is, as far as is remembered."""
        return self.known.get(did) or await self._resolve(did)

    def distrust(self, did: str, source: Source | None = None) -> None:
        """Read from the other replicas of a file first; without `source`, the first replica is meant."""
        if (file := self.known.get(did)) and file.sources:
            last = source or file.sources[0]
            others = tuple(one for one in file.sources if one != last)
            self.known[did] = file.model_copy(update={"sources": (*others, last)})

    async def _resolve(self, did: str) -> Access:
        async for file in self.client.pages(data.access([did])):
            if file.did == did:
                found = file.model_copy(update={"sources": nearest_first(file.sources, self.site)})
                while len(self.known) >= KNOWN:
                    self.known.pop(next(iter(self.known)))
                self.known[did] = found
                return found
            break
        raise ClientError(f"{did} is not a file.", hint="List it, and open what is in it.")

    async def _read_from(self, source: Source, file: Access, first: int, last: int) -> bytes:
        if first == last:
            return b""
        headers = {"authorization": f"Bearer {source.token}", "accept-encoding": "identity"}
        whole = (first, last) == (0, file.size)
        if not whole:
            headers["range"] = f"bytes={first}-{last - 1}"
        body = bytearray()
        async with self.client.http.stream("GET", source.url, headers=headers) as response:
            skip = await _skipped(response, first)
            async for piece in response.aiter_raw(checksum.PIECE):
                body += piece[skip:]
                skip = max(0, skip - len(piece))
                if len(body) > last - first:
                    break
        if len(body) < last - first or (whole and len(body) > file.size):
            raise Damaged(f"{len(body)} bytes came, not {last - first}")
        del body[last - first :]
        read = bytes(body)
        if whole and file.adler32 not in {None, checksum.text(checksum.add(checksum.START, read))}:
            raise Damaged("its bytes do not have the checksum of the file")
        return read


async def _skipped(response: Response, first: int) -> int:
    """Bytes that come before those that were asked for: those of a storage that knows no ranges."""
    if response.is_error:
        await response.aread()
        raise Problem.of(response)
    if response.status_code == 206 and response.headers.get("content-range", "").startswith(f"bytes {first}-"):
        return 0
    if response.status_code != 200:
        raise Damaged(f"it answered {response.status_code}, and not with what was asked for")
    return first

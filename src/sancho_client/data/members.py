"""Files that lie inside archives: read out of a zip or tar, which stays where it is, and listed.

Of an archive on a storage only the parts are read that are needed (HTTP Range): of a zip its directory and the file,
of a tar what stands before the file. A tar that is compressed is read up to there.
"""

import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from httpx2 import TransportError

from sancho_client.client import Client
from sancho_client.data import checksum
from sancho_client.errors import BadInput, Damaged, Problem, ServerAway
from sancho_client.models.data import ArchiveAccess, Source

BLOCK = 1 << 18
"""Bytes that are read of an archive at once."""
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, KeyError, RuntimeError, ValueError,
)  # fmt: skip
"""What Python says of an archive that is none, that is cut off, or that it cannot read."""


class Ranges(io.RawIOBase):
    """A file on a storage that is read where it is asked for."""

    def __init__(self, client: Client, source: Source, size: int) -> None:
        """Nothing is read yet."""
        self._client, self._source, self._size, self._at = client, source, size, 0

    def readable(self) -> bool:
        """It is read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Read from there on."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def tell(self) -> int:
        """Where it is read next."""
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Read as much as there is room for; raises `ServerAway`, `Damaged` or `Problem`."""
        end = min(self._at + len(buffer), self._size)
        if end <= self._at:
            return 0
        headers = {
            "authorization": f"Bearer {self._source.token}", "accept-encoding": "identity",
            "range": f"bytes={self._at}-{end - 1}",
        }  # fmt: skip
        try:
            answer = self._client.http.get(self._source.url, headers=headers)
        except TransportError as e:
            raise ServerAway(str(e) or type(e).__name__) from e
        if answer.is_error:
            raise Problem.of(answer)
        body = answer.content
        if answer.status_code != 206 and (answer.status_code, len(body)) != (200, end - self._at):
            raise Damaged("it gives no parts of files")
        if len(body) != end - self._at:
            raise Damaged(f"{len(body)} bytes came, not {end - self._at}")
        buffer[: len(body)] = body
        self._at = end
        return len(body)


def take(client: Client, archive: ArchiveAccess, source: Source, name: str, write: Callable[[bytes], None]) -> None:
    """Write what a file in an archive holds; raises `Damaged` when it is not in there, or the archive is none."""
    with (
        io.BufferedReader(Ranges(client, source, archive.size), BLOCK) as file,
        broken(archive.did),
        _opened(file, archive.did, name) as member,
    ):
        for piece in checksum.pieces(member):
            write(piece)


@contextmanager
def broken(archive: str) -> Iterator[None]:
    """Raise what is wrong with an archive as `Damaged`."""
    try:
        yield
    except _BROKEN as e:
        raise Damaged(f"{archive} cannot be unpacked: {e or type(e).__name__}") from e
    except OSError as e:
        if e.errno is not None:
            raise
        raise Damaged(f"{archive} cannot be unpacked: {e}") from e


@contextmanager
def _opened(file: BinaryIO, archive: str, name: str) -> Iterator[IO[bytes]]:
    if zipfile.is_zipfile(file):
        with zipfile.ZipFile(file) as opened, opened.open(name) as member:
            yield member
        return
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:*") as opened:
        found = next((one for one in opened if one.name.removeprefix("./") == name), None)
        member = None if found is None else opened.extractfile(found)
        if member is None:
            raise Damaged(f"{name} is not in {archive}")
        with member:
            yield member


def listed(path: Path) -> Iterator[tuple[str, int, str]]:
    """Names, sizes and checksums of the files in a zip or tar of this machine; raises `BadInput` for what is none."""
    try:
        with path.open("rb") as file, broken(str(path)):
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as opened:
                    for entry in opened.infolist():
                        if not entry.is_dir():
                            with opened.open(entry) as member:
                                yield entry.filename, entry.file_size, _sum(member)
                return
            file.seek(0)
            with tarfile.open(fileobj=file, mode="r:*") as opened:
                for one in opened:
                    if one.isfile() and (member := opened.extractfile(one)) is not None:
                        yield one.name.removeprefix("./"), one.size, _sum(member)
    except Damaged as e:
        raise BadInput(f"{e.message}.") from e
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror or e}.") from e


def _sum(member: IO[bytes]) -> str:
    summed = checksum.START
    for piece in checksum.pieces(member):
        summed = checksum.add(summed, piece)
    return checksum.text(summed)

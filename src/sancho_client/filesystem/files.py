# fsspec has no types:
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
"""Files that are open: read in blocks of the replicas, or written to be uploaded when they are closed."""

import errno
import sys
import tempfile
import warnings
from io import BufferedIOBase
from pathlib import Path
from typing import Any, Protocol

from fsspec.spec import AbstractBufferedFile

from sancho_client.data import checksum


class Owner(Protocol):
    """What open files need of their file system."""

    def info(self, path: str) -> dict[str, Any]:
        """What is at a name."""
        ...

    def fetch(self, name: str, did: str, start: int, end: int) -> bytes:
        """Read some bytes of a file."""
        ...

    def distrust(self, did: str) -> None:
        """Read a file from another replica next time."""
        ...

    def register(self, file: Path, name: str, **options: Any) -> None:
        """Upload a file of this machine."""
        ...


class OpenFile(AbstractBufferedFile):
    """A file that is read; fsspec's cache holds blocks of it.

    Read from its beginning to its end, it is checked: the last read raises `OSError` when the bytes that came are not
    the file's. A file of one block is checked before anything of it is handed out, and read elsewhere when it is not.
    """

    fs: Owner

    def __init__(self, fs: Owner, path: str, **options: Any) -> None:
        info = self._details = fs.info(path)
        if info["type"] != "file":
            raise IsADirectoryError(errno.EISDIR, "This is a directory, dataset or container.", path)
        self._did: str = info["did"]
        self._adler32: str | None = info["adler32"]
        self._summed, self._sum = 0, checksum.START
        super().__init__(fs, path, mode="rb", **options | {"size": info["size"]})

    def _fetch_range(self, start: int, end: int) -> bytes:
        body = self.fs.fetch(self.path, self._did, start, end)
        if start <= self._summed < start + len(body):
            self._sum = checksum.add(self._sum, body[self._summed - start :])
            self._summed = start + len(body)
            if self._summed == self.size and self._adler32 not in {None, checksum.text(self._sum)}:
                self.fs.distrust(self._did)
                raise OSError(
                    errno.EIO, "The bytes that came do not have the checksum of the file. Read it again.", self.path
                )
        return body


class NewFile(BufferedIOBase):
    """A file that is written: on this machine until it is closed, then uploaded and in the catalogue, or not at all.

    It is given up, with a warning, when it is closed because of an error.
    """

    def __init__(self, fs: Owner, path: str, *, autocommit: bool, **options: Any) -> None:
        self.fs, self.path, self._options, self._autocommit = fs, path, options, autocommit
        self._temporary = tempfile.NamedTemporaryFile(prefix="sancho-")  # noqa: SIM115 - it lives as long as this
        self._trouble = sys.exc_info()[1]

    @property
    def name(self) -> str:
        """Where it is to be."""
        return self.path

    def writable(self) -> bool:
        """It is written."""
        return True

    def readable(self) -> bool:
        """What was written can be read back, as libraries do that write headers last."""
        return True

    def seekable(self) -> bool:
        """It may be written anywhere until it is closed."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Read back what was written."""
        return self._temporary.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go somewhere."""
        return self._temporary.seek(offset, whence)

    def truncate(self, size: int | None = None, /) -> int:
        """Cut it off."""
        return self._temporary.truncate(size)

    def write(self, data: Any, /) -> int:
        """Write some bytes."""
        return self._temporary.write(data)

    def tell(self) -> int:
        """Where it is read and written next."""
        return self._temporary.tell()

    def close(self) -> None:
        """Upload what was written; raises `OSError` when it cannot be, and then nothing is left of it."""
        if self.closed:
            return
        super().close()
        trouble = sys.exc_info()[1]
        if trouble is not None and trouble is not self._trouble:
            warnings.warn(f"{self.path} was not written because of {trouble!r}.", stacklevel=2)
            self.discard()
        elif self._autocommit:
            self.commit()

    def commit(self) -> None:
        """Upload it; fsspec's transactions do so at their end."""
        try:
            self._temporary.flush()
            self.fs.register(Path(self._temporary.name), self.path, **self._options)
        finally:
            self.discard()

    def discard(self) -> None:
        """Forget what was written."""
        self._temporary.close()

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        self.close()

    def __del__(self) -> None:
        self._temporary.close()  # and no upload: nobody has said that it is complete

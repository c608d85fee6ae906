"""Logs of programs that know nothing of rotation: bytes in, a bounded number of bounded files out."""

import os
from pathlib import Path
from typing import BinaryIO

LIMIT = 10 * 2**20
KEEP = 5


class RotatingLog:
    """Appends to `path`; when that is full it becomes `path.1`, `path.1` becomes `path.2`, and so on up to `keep`."""

    def __init__(self, path: Path, *, limit: int = LIMIT, keep: int = KEEP) -> None:
        self.path = path
        self._limit = limit
        self._keep = keep
        self._file = self._open()

    def write(self, text: bytes) -> None:
        """Append, and show it to readers at once; one write is never torn between two files."""
        if self._file.tell() and self._file.tell() + len(text) > self._limit:
            self._rotate()
        self._file.write(text)
        self._file.flush()

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        self._file.close()

    def _open(self) -> BinaryIO:
        return os.fdopen(os.open(self.path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600), "ab")

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._keep - 1, 0, -1):
            older = self._numbered(number)
            if older.exists():
                older.replace(self._numbered(number + 1))
        if self._keep:
            self.path.replace(self._numbered(1))
        self._file = self._open()

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


def last_lines(path: Path, count: int = 20) -> list[str]:
    """Return the last lines of a log, none if there is no such file."""
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 200 * count))
        return file.read().decode(errors="replace").splitlines()[-count:]

"""Adler32, the checksum that storages on the grid agree on; as 8 lower-case hex digits."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PIECE = 1 << 20
START = 1


def pieces(file: IO[bytes], limit: int | None = None) -> Iterator[bytes]:
    """Read a file piece by piece, at most `limit` bytes of it."""
    left = limit
    while left is None or left > 0:
        piece = file.read(PIECE if left is None else min(PIECE, left))
        if not piece:
            return
        left = None if left is None else left - len(piece)
        yield piece


def add(checksum: int, piece: bytes) -> int:
    """Go on with a checksum."""
    return zlib.adler32(piece, checksum)


def text(checksum: int) -> str:
    """A checksum as the API writes it."""
    return f"{checksum:08x}"


def of(path: Path) -> tuple[int, str]:
    """Size and checksum of a file, as it was read."""
    checksum, size = START, 0
    with path.open("rb") as file:
        for piece in pieces(file):
            checksum = add(checksum, piece)
            size += len(piece)
    return size, text(checksum)

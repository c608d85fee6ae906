"""Passwords that were stolen elsewhere: a file of their hashes, as Have I Been Pwned publishes it.

Each line is `SHA-1:COUNT`, and lines are sorted by hash. The file has tens of gigabytes, so it is searched by halves:
some forty short reads for a password, and never more than a line in memory. It is opened anew each time, so a newer one
takes its place by a rename.
"""

import hashlib
import re
from pathlib import Path
from typing import BinaryIO

from sancho.kit.errors import SanchoError

LONGEST_LINE = 64
PROBES = 64
"""Places, all over the file, at which its form and order are looked at before it is used."""
_LINE = re.compile(rb"([0-9A-Fa-f]{40}):\d+\r?\n?")


class BreachedListUnfit(SanchoError):
    """The list of breached passwords {path} cannot be used: {why}."""

    code = "breached_list_unfit"

    def __init__(self, *, path: str, why: str) -> None:
        """Name the file and what is wrong with it."""
        hint = (
            "SANCHO_BREACHED_PASSWORDS names a file of Have I Been Pwned with SHA-1 hashes, sorted by hash: a line for "
            "each, `HASH:COUNT`."
        )
        super().__init__(path=path, why=why, hint=hint)


class BreachedPasswords:
    """A file of hashes that can be asked whether it holds a password's."""

    def __init__(self, path: Path) -> None:
        """Look at the file here and there; raises `BreachedListUnfit` when it has not that form or is not sorted."""
        self._path = path
        try:
            with self._open() as file:
                size = file.seek(0, 2)
                found = [self._hash_from(file, size * i // PROBES) for i in range(PROBES)]
        except OSError as e:
            raise self._unfit(e.strerror or str(e)) from e
        hashes = [one for one in found if one is not None]
        if not hashes:
            raise self._unfit("it is empty")
        if hashes != sorted(hashes):
            raise self._unfit("it is not sorted by hash")

    def has(self, password: str) -> bool:
        """Say whether a password is in the file. Reads from a disk, so call it beside the event loop.

        Raises `BreachedListUnfit` when the file cannot be read any more.
        """
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        try:
            with self._open() as file:
                low, high = 0, file.seek(0, 2)
                while low < high:
                    middle = (low + high) // 2
                    found = self._hash_from(file, middle)
                    if found is None or found >= wanted:
                        high = middle
                    else:
                        low = middle + 1
                return self._hash_from(file, low) == wanted
        except OSError as e:
            raise self._unfit(e.strerror or str(e)) from e

    def _open(self) -> BinaryIO:
        return self._path.open("rb", buffering=2 * LONGEST_LINE)

    def _hash_from(self, file: BinaryIO, position: int) -> bytes | None:
        """The hash in the first line that begins at a position or behind it; None when there is none."""
        if position > 0:
            file.seek(position - 1)
            file.readline(LONGEST_LINE)  # the rest of the line before
        else:
            file.seek(0)
        line = file.readline(LONGEST_LINE)
        if not line:
            return None
        found = _LINE.fullmatch(line)
        if found is None:
            raise self._unfit("a line of it is not HASH:COUNT")
        return found[1].upper()

    def _unfit(self, why: str) -> BreachedListUnfit:
        return BreachedListUnfit(path=str(self._path), why=why)

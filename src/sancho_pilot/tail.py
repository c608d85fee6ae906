"""The last part of what a payload says, on standard output and standard error, in the order in which it is seen."""

from __future__ import annotations

import os
import threading
from typing import Tuple

from sancho_pilot.wire import clean

LENGTH = 16 * 1024


class Tail:
    """Follows the two files of a payload's output; may be used by several threads at once."""

    def __init__(self, stdout: str, stderr: str) -> None:
        """The files need not be there yet."""
        self._paths = (stdout, stderr)
        self._seen = [0, 0]
        self._last = b""
        self._lock = threading.Lock()
        self.size = 0
        """Bytes seen in both files together."""

    def look(self) -> None:
        """See what has been written since the last look."""
        with self._lock:
            for i, path in enumerate(self._paths):
                self._look_at(i, path)

    def read(self) -> Tuple[str, int]:
        """Look, and return the last part as text that can be stored anywhere, and the size of everything."""
        self.look()
        with self._lock:
            return as_text(self._last), self.size

    def _look_at(self, i: int, path: str) -> None:
        try:
            size = os.stat(path).st_size
        except OSError:
            return
        size = max(size, self._seen[i])  # a payload may truncate its own output; what was seen stays seen
        if size == self._seen[i]:
            return
        start = max(self._seen[i], size - LENGTH)
        with open(path, "rb") as file:
            file.seek(start)
            self._last = (self._last + file.read(size - start))[-LENGTH:]
        self.size += size - self._seen[i]
        self._seen[i] = size


def as_text(data: bytes) -> str:
    """Return bytes as text of at most `LENGTH` bytes; a character cut in half at the beginning is left out."""
    cut = 0
    while len(data) == LENGTH and cut < 3 and cut < len(data) and data[cut] & 0xC0 == 0x80:
        cut += 1
    text = clean(data[cut:].decode("utf-8", "replace"))
    encoded = text.encode()
    return text if len(encoded) <= LENGTH else encoded[-LENGTH:].decode("utf-8", "ignore")

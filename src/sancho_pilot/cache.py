"""Inputs kept between the jobs of one slot, so that the next job that reads them need not fetch them again.

    WORKDIR/cache/NUMBER     a file, a second name of the input that a job fetched

What is kept is known in memory alone: of which VO, which DID, size and adler32
it is, and its SHA-256. A job gets a copy of what it has declared as an input
itself, with the very size and checksum that the server says, and only if the
SHA-256 is still the one of when it was fetched: a payload runs as our user, so
it may have changed the file.

One VO's files at a time are kept, and none while payloads of several VOs are
held. The longest unused go first. Where there is little room on the disk
nothing is kept.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
from dataclasses import dataclass
from typing import Dict, Iterable, List, Optional, Tuple

from sancho_pilot.files import make_private_folder, remove_file, remove_folder
from sancho_pilot.model import Input
from sancho_pilot.transfer import Cancelled

MOST_FILES = 100
"""As many as may be told to the server."""
PART = 4
"""One part in so many of what is free on the disk when the pilot begins may be kept."""
MOST_BYTES = 100 * 10**9
LEAST_FREE = 4 * 10**9
"""With less than so much free on the disk nothing is kept."""
BLOCK = 1024**2
DID = re.compile(r"[^:\s/]{1,64}:[^\x00-\x1f\x7f]{1,230}")
"""What may be told: not what other VOs share, whose grants may end."""


@dataclass(frozen=True)
class _Kept:
    """A file, and what it was when it came."""

    path: str
    size: int
    sha256: str


Key = Tuple[str, int, str]
"""DID, size and adler32."""


class Cache:
    """The kept inputs of one pilot. Threads may share it; nothing in it raises for what the disk does."""

    def __init__(self, folder: str) -> None:
        """Use this folder; what a former pilot left in it is removed, for nobody knows what it is."""
        self._folder = folder
        self._lock = threading.Lock()
        self._vo = ""
        self._kept: Dict[Key, _Kept] = {}
        """The longest unused first."""
        self._number = 0
        remove_folder(folder)
        free = _free(os.path.dirname(folder))
        self._limit = 0 if free < LEAST_FREE else min(free // PART, MOST_BYTES)

    def serve(self, vos: Iterable[str]) -> None:
        """Say of which VOs attempts are held; what is kept for another one, or beside another one, is dropped."""
        with self._lock:
            wanted = sorted(set(vos))
            only = wanted[0] if len(wanted) == 1 else ""
            if wanted and only != self._vo:
                self._drop()
                self._vo = only

    def warm(self) -> Tuple[str, Tuple[str, ...]]:
        """The VO whose files are kept, and their DIDs, the last used first."""
        with self._lock:
            return self._vo, tuple(did for did, _, _ in reversed(list(self._kept)))

    def fill(self, vo: str, wanted: Input, path: str) -> bool:
        """Copy a declared input to `path` if it is kept and still what it was; say whether it is there now."""
        key = _key(wanted)
        with self._lock:
            kept = None if key is None or not vo or vo != self._vo else self._kept.pop(key, None)
            if key is None or kept is None:
                return False
            self._kept[key] = kept
        new = f"{path}.kept"
        try:
            if _copy(kept.path, new) == kept.sha256:
                os.replace(new, path)
                return True
        except OSError:
            pass
        remove_file(new)
        with self._lock:
            self._forget(key)
        return False

    def keep(self, vo: str, wanted: Input, path: str, cancelled: threading.Event) -> None:
        """Keep an input that was just fetched and is right, unless it is too large or not ours to keep."""
        key = _key(wanted)
        if key is None or not self._may(vo, key, wanted.size):
            return
        try:
            make_private_folder(self._folder)
            with self._lock:
                self._number += 1
                name = os.path.join(self._folder, str(self._number))
            os.link(path, name)
            digest = _digest(name, cancelled)
        except OSError:
            return
        with self._lock:
            if vo != self._vo or key in self._kept:
                remove_file(name)
                return
            self._kept[key] = _Kept(name, wanted.size, digest)
            self._make_room()

    def close(self) -> None:
        """Leave nothing behind."""
        with self._lock:
            self._vo = ""
            self._kept.clear()
        remove_folder(self._folder)

    def _may(self, vo: str, key: Key, size: int) -> bool:
        with self._lock:
            return bool(vo) and vo == self._vo and key not in self._kept and 0 < size <= self._limit // 2

    def _make_room(self) -> None:
        if _free(self._folder) < LEAST_FREE:
            self._drop()
        while len(self._kept) > MOST_FILES or sum(each.size for each in self._kept.values()) > self._limit:
            self._forget(next(iter(self._kept)))

    def _forget(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            remove_file(kept.path)

    def _drop(self) -> None:
        keys: List[Key] = list(self._kept)
        for key in keys:
            self._forget(key)


def _key(wanted: Input) -> Optional[Key]:
    """What a file is known by; None for one that cannot be told or checked."""
    if wanted.adler32 is None or DID.fullmatch(wanted.did) is None:
        return None
    return wanted.did, wanted.size, wanted.adler32


def _copy(source: str, path: str) -> str:
    """Copy a file that may be no link; return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(handle, "rb") as file, open(path, "wb") as new:
        for block in iter(lambda: file.read(BLOCK), b""):
            digest.update(block)
            new.write(block)
    return digest.hexdigest()


def _digest(path: str, cancelled: threading.Event) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(BLOCK), b""):
            if cancelled.is_set():
                remove_file(path)
                raise Cancelled
            digest.update(block)
    return digest.hexdigest()


def _free(folder: str) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0

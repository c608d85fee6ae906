"""Extensions of the page, as they lie in a folder: `<folder>/<vo>/<name>/extension.json` and the files beside it.

They are read whole into memory, so that a path in a request meets a mapping and never the file system. Links are not
followed: who may write a VO's folder must not show the server's other files by it.
"""

import hashlib
import logging
import os
import re
import stat
import threading
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from sancho.web.model import Extension, Shown, Unfit
from sancho.web.service.manifest import FILE, KINDS, MANIFEST, NAME, NotFit, read

logger = logging.getLogger(__name__)

MOST = 20
MOST_FILES = 200
LARGEST = 2_000_000
MOST_VOS = 1000
REST = 1.0
"""Seconds between two looks at the folders of all VOs: strangers may ask for files that are nowhere."""

Signature = tuple[tuple[str, int, int], ...]


class Shelf:
    """The extensions of every VO of this deployment; for use by many threads.

    A change of a folder is seen by whoever asks next, and an extension that is changed has other addresses.
    """

    def __init__(self, folder: Path | None, readable: Collection[str]) -> None:
        """Look in `folder`, which may be none; an extension may ask for `readable` paths alone."""
        self._folder = folder
        self._readable = frozenset(readable)
        self._lock = threading.Lock()
        self._seen: dict[str, tuple[Signature, Shown]] = {}
        self._by_digest: dict[str, Extension] = {}
        self._all_looked = float("-inf")

    def of(self, vo: str) -> Shown:
        """The extensions of a VO, and what in its folder is none."""
        if self._folder is None:
            return Shown()
        with self._lock:
            return self._look(self._folder, vo)

    def find(self, digest: str) -> Extension | None:
        """The extension that has this digest, of whatever VO; None when there is none (any more)."""
        found = self._by_digest.get(digest)
        if found is not None or self._folder is None:
            return found
        with self._lock:
            # Another process may have listed what this one has not seen.
            if time.monotonic() - self._all_looked >= REST:
                for vo in _folders(self._folder)[:MOST_VOS]:
                    self._look(self._folder, vo)
                self._all_looked = time.monotonic()
            return self._by_digest.get(digest)

    def _look(self, root: Path, vo: str) -> Shown:
        signature, shown = self._seen.get(vo, ((), Shown()))
        now = _signature(root / vo)
        if now != signature:
            shown = self._read(root / vo)
            for one in shown.unfit:
                logger.warning("extension %s of %s is not shown: %s", one.name, vo, one.reason)
            self._seen[vo] = now, shown
            self._by_digest = {one.digest: one for _, had in self._seen.values() for one in had.extensions}
        return shown

    def _read(self, folder: Path) -> Shown:
        fit: list[Extension] = []
        unfit: list[Unfit] = []
        for n, name in enumerate(_folders(folder)):
            try:
                if n >= MOST:
                    raise NotFit(f"a VO may have {MOST} extensions")
                fit.append(self._extension(folder, name))
            except NotFit as e:
                unfit.append(Unfit(name=name[:100], reason=str(e)[:500]))
            except OSError as e:
                unfit.append(Unfit(name=name[:100], reason=e.strerror or "it cannot be read"))
        return Shown(extensions=tuple(fit), unfit=tuple(unfit))

    def _extension(self, folder: Path, name: str) -> Extension:
        if not re.fullmatch(NAME, name):
            raise NotFit("the folder's name must be of small letters, digits and hyphens, 40 at most")
        files = _files(folder / name)
        said = files.pop(MANIFEST, None)
        if said is None:
            raise NotFit(f"it has no {MANIFEST}")
        declared = read(said)
        if declared.entry not in files:
            raise NotFit(f"entry: there is no file {declared.entry}")
        unknown = sorted(set(declared.asks) - self._readable)
        if unknown:
            raise NotFit(f"asks: {unknown[0]} is no path that can be read")
        return Extension(
            name=name,
            title=declared.title,
            places=declared.places,
            entry=declared.entry,
            asks=declared.asks,
            height=declared.height,
            digest=_digest({**files, MANIFEST: said}),
            files=files,
        )


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as found:
            return sorted(one.name for one in found if one.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _walk(folder: Path) -> Iterator[tuple[str, int]]:
    """The plain files below a folder, each as its path and open; whoever takes one closes it. Raises `NotFit`."""
    for above, folders, names, at in os.fwalk(folder, follow_symlinks=False):
        folders.sort()
        for name in sorted(names):
            path = (Path(above) / name).relative_to(folder).as_posix()
            try:
                opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
            except OSError as e:
                raise NotFit(f"{path[:200]}: {e.strerror}; links are not followed") from e
            yield path, opened


def _files(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for path, opened in _walk(folder):
        with os.fdopen(opened, "rb") as file:
            if not stat.S_ISREG(os.fstat(opened).st_mode):
                raise NotFit(f"{path[:200]} is no file")
            if not re.fullmatch(FILE, path) or path.rpartition(".")[2] not in KINDS:
                raise NotFit(f"{path[:200]}: files end in {', '.join(KINDS)} and have plain names")
            files[path] = file.read(LARGEST + 1)
        size += len(files[path])
        if size > LARGEST or len(files) > MOST_FILES:
            raise NotFit(f"an extension may have {MOST_FILES} files and {LARGEST} bytes in all")
    return files


def _digest(files: dict[str, bytes]) -> str:
    total = hashlib.sha256()
    for path, content in sorted(files.items()):
        total.update(f"{path}\0{len(content)}\0".encode() + content)
    return total.hexdigest()


def _signature(folder: Path) -> Signature:
    """What changes when a file below a folder does, without reading one; of more than is ever shown, a part."""
    found: list[tuple[str, int, int]] = []
    if not folder.is_dir():
        return ()
    for above, folders, names, at in os.fwalk(folder, follow_symlinks=False):
        folders.sort()
        for name in (*folders, *names):
            try:
                about = os.stat(name, dir_fd=at, follow_symlinks=False)
            except OSError:
                continue
            found.append((f"{above}/{name}", about.st_mtime_ns, about.st_size))
        if len(found) > 2 * MOST * MOST_FILES:
            break
    return tuple(sorted(found))

"""A tree of files that is written safely: the file part of the POSIX storage and of the WebDAV server.

    bytes ──▶ .sancho/incoming/<name> ──fsync──▶ linked under its final name, or never seen

Paths are canonical: absolute below the root, no empty, `.` or `..` segment. Every step down a path is opened without
following symbolic links, so nobody who can make links inside the tree can lead a reader or writer out of it.
Everything here blocks; callers run it in threads. The file system must know hard links and, to keep checksums
over restarts, extended attributes.
"""

import errno
import fcntl
import os
import stat
import uuid
import zlib
from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

RESERVED = ".sancho"
"""Name, directly below the root, of the folder that is ours; never part of anybody's path."""
PIECE = 1 << 20
"""Bytes read or written at a time."""

_INCOMING = Path(RESERVED, "incoming")
_ATTRIBUTE = "user.sancho.adler32"
_REMEMBERED = 100_000
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True)
class Entry:
    """One file or folder as it was when looked at."""

    size: int
    modified_ns: int
    inode: int
    is_folder: bool

    @classmethod
    def of(cls, status: os.stat_result) -> "Entry":
        """Take what we need from a `stat`."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, stat.S_ISDIR(status.st_mode))


class Upload:
    """A file that is being written and that nobody can see yet; either `publish` or `abandon` ends it."""

    def __init__(self, tree: "FileTree", name: Path, descriptor: int) -> None:
        """Made by `FileTree.begin`."""
        self.size = 0
        self.adler32 = f"{1:08x}"
        self._sum = 1
        self._tree = tree
        self._name = name
        self._file = os.fdopen(descriptor, "wb")

    def write(self, pieces: Iterable[bytes]) -> None:
        """Append; a full disk is an `OSError` (ENOSPC, EDQUOT, EFBIG)."""
        for piece in pieces:
            self._file.write(piece)
            self._sum = zlib.adler32(piece, self._sum)
            self.size += len(piece)

    def publish(self, path: str, *, replace: bool = False) -> Entry:
        """Give the file its final name, durably; makes parent folders.

        Raises `FileExistsError` unless `replace`, `IsADirectoryError` when a
        folder has that name, `NotADirectoryError` when a file stands in the
        place of a parent. All or nothing, also when the machine goes down.
        """
        self._file.flush()
        os.fsync(self._file.fileno())
        self.adler32 = f"{self._sum:08x}"
        entry = Entry.of(os.fstat(self._file.fileno()))
        self._tree.remember(self._file.fileno(), entry, self.adler32)
        parents, name = _split(path)
        with self._tree.folder(parents, make=True) as folder:
            if replace:
                os.rename(self._name, name, dst_dir_fd=folder)
            else:
                os.link(self._name, name, dst_dir_fd=folder, follow_symlinks=False)
                self._name.unlink()
            os.fsync(folder)
        self._file.close()
        return entry

    def abandon(self) -> None:
        """Throw the bytes away. Does nothing after `publish`."""
        if not self._file.closed:
            self._name.unlink(missing_ok=True)
            with suppress(OSError):  # a full disk fails once more while closing
                self._file.close()


class FileTree:
    """The files below one folder."""

    def __init__(self, root: Path) -> None:
        """`root` must exist; it alone may be reached over symbolic links."""
        self.root = root.resolve(strict=True)
        self._incoming = self.root / _INCOMING
        self._adler32: OrderedDict[tuple[int, Entry], str] = OrderedDict()

    @contextmanager
    def folder(self, names: Sequence[str], *, make: bool = False) -> Generator[int, None, None]:
        """Open a folder for use as `dir_fd`; with `make`, create what is missing."""
        descriptor = os.open(self.root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for name in names:
                below = _descend(descriptor, name, make=make)
                os.close(descriptor)
                descriptor = below
            yield descriptor
        finally:
            os.close(descriptor)

    def look(self, path: str) -> Entry | None:
        """Say what is there, or None; raises `NotADirectoryError` when a file stands in the place of a parent."""
        parents, name = _split(path)
        try:
            with self.folder(parents) as folder:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return None
        return Entry.of(status) if stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode) else None

    def open(self, path: str) -> tuple[int, Entry]:
        """Open a file, for the caller to close; raises `FileNotFoundError`, also where there is no plain file."""
        parents, name = _split(path)
        try:
            with self.folder(parents) as folder:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
        except OSError as error:
            if error.errno in {errno.ENOTDIR, errno.ELOOP}:
                raise FileNotFoundError(path) from error
            raise
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(descriptor)
            raise FileNotFoundError(path)
        return descriptor, Entry.of(status)

    def begin(self) -> Upload:
        """Begin a file; its place is named when it is published."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        while True:
            name = self._incoming / uuid.uuid4().hex
            descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_nlink:
                    return Upload(self, name, descriptor)
            os.close(descriptor)  # a sweeper came between the two calls and took it for a leftover

    def sweep(self) -> int:
        """Delete what uploads of processes that died have left; return how many. Uploads of live ones are locked."""
        swept = 0
        for name in list(self._incoming.iterdir()) if self._incoming.is_dir() else []:
            with suppress(FileNotFoundError, BlockingIOError), name.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                name.unlink()
                swept += 1
        return swept

    def make_folder(self, path: str) -> None:
        """Make one folder; raises `FileExistsError`, or `FileNotFoundError` when its parent is missing."""
        parents, name = _split(path)
        with self.folder(parents) as folder:
            os.mkdir(name, dir_fd=folder)
            os.fsync(folder)

    def delete(self, path: str) -> None:
        """Delete a file or an empty folder; raises `FileNotFoundError`, or `OSError` ENOTEMPTY."""
        parents, name = _split(path)
        try:
            with self.folder(parents) as folder:
                if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                    os.rmdir(name, dir_fd=folder)
                else:
                    os.unlink(name, dir_fd=folder)
                os.fsync(folder)
        except NotADirectoryError as error:
            raise FileNotFoundError(path) from error

    def adler32(self, descriptor: int, entry: Entry, *, anew: bool = False) -> str:
        """The checksum of an open file: the one remembered for exactly this file, or (`anew`: always) of its bytes."""
        known = None if anew else self._recall(descriptor, entry)
        if known is not None:
            return known
        total, offset = 1, 0
        while piece := os.pread(descriptor, PIECE, offset):
            total = zlib.adler32(piece, total)
            offset += len(piece)
        adler32 = f"{total:08x}"
        if Entry.of(os.fstat(descriptor)) == entry:
            self.remember(descriptor, entry, adler32)
        return adler32

    def remember(self, descriptor: int, entry: Entry, adler32: str) -> None:
        """Keep a checksum with the file, where the file system lets us, else in memory."""
        try:
            os.setxattr(descriptor, _ATTRIBUTE, f"{adler32} {entry.size} {entry.modified_ns}".encode())
        except OSError:
            self._adler32[os.fstat(descriptor).st_dev, entry] = adler32
            if len(self._adler32) > _REMEMBERED:
                self._adler32.popitem(last=False)

    def _recall(self, descriptor: int, entry: Entry) -> str | None:
        try:
            adler32, about = os.getxattr(descriptor, _ATTRIBUTE).decode().split(" ", 1)
        except (OSError, ValueError):
            return self._adler32.get((os.fstat(descriptor).st_dev, entry))
        return adler32 if about == f"{entry.size} {entry.modified_ns}" else None


def _segments(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def _split(path: str) -> tuple[list[str], str]:
    *parents, name = _segments(path) or ["."]
    return parents, name


def _descend(parent: int, name: str, *, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)
    return os.open(name, _FOLDER, dir_fd=parent)

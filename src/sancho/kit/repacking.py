"""Archives of others made into tar.gz, by a process of its own that may use so much and no more.

An archive is hostile until it is read: a hundred bytes may say that they are gigabytes, and a header may want to be
held in memory whole. So the process limits its own memory and time before it looks at one.

    python -m sancho.kit.repacking NAME < archive > archive.tar.gz

What it refuses it says on stderr, with exit code 3. `NAME` stands in the new archive's header, so that what comes of
different archives differs; the same archive always gives the same bytes.
"""

import bz2
import gzip
import resource
import sys
import tarfile
from pathlib import PurePosixPath
from typing import IO, BinaryIO, cast

import zstandard

UNFIT = 3
"""Exit code for an archive that is refused."""
LARGEST_UNPACKED = 1 << 30
MOST_MEMBERS = 100_000
LARGEST_WINDOW = 1 << 27
"""How far back an archive may refer to itself: what `zstd` allows without being told to, and `create_sandbox` uses."""
MEMORY, SECONDS = 1 << 30, 120
CHUNK = 1 << 20
_LEVEL = 1
ZSTD, BZIP2, GZIP = b"\x28\xb5\x2f\xfd", b"BZh", b"\x1f\x8b"


class ArchiveUnfit(Exception):
    """The archive cannot be used; the message says why."""


class _Counted:
    """A stream that ends in an error before it has given more than is allowed."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        # Headers and padding: two kilobytes for each member that there may be, of which most have none.
        self._left = LARGEST_UNPACKED + 2048 * MOST_MEMBERS

    def read(self, size: int = CHUNK) -> bytes:
        data = self._source.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ArchiveUnfit(f"it unpacks to more than {LARGEST_UNPACKED} bytes")
        return data


def repack(source: BinaryIO, target: BinaryIO, name: str) -> None:
    """Write what a tar.zst, tar.bz2 or tar.gz holds as tar.gz; raises `ArchiveUnfit`.

    Only plain files and folders below the archive may be in it. They keep their content, whether they may be executed,
    and their times; nothing of who owned them.
    """
    seen, members = 0, 0
    stream = _Counted(_opened(source))
    try:
        with (
            tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|") as given,
            gzip.GzipFile(name, "wb", _LEVEL, target, 0) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as made,
        ):
            for member in given:
                seen, members = seen + member.size, members + 1
                if members > MOST_MEMBERS:
                    raise ArchiveUnfit(f"it has more than {MOST_MEMBERS} members")
                if seen > LARGEST_UNPACKED:
                    raise ArchiveUnfit(f"it unpacks to more than {LARGEST_UNPACKED} bytes")
                _add(made, given, member)
        while stream.read():
            pass
    except (tarfile.TarError, zstandard.ZstdError, OSError, EOFError, ValueError) as e:
        raise ArchiveUnfit(f"it cannot be read: {e}") from e


def _opened(source: BinaryIO) -> IO[bytes]:
    begin = source.read(4)
    source.seek(0)
    if begin == ZSTD:
        unpacker = zstandard.ZstdDecompressor(max_window_size=LARGEST_WINDOW)
        return cast(IO[bytes], unpacker.stream_reader(source, read_across_frames=True))
    if begin.startswith(BZIP2):
        return bz2.open(source)
    if begin.startswith(GZIP):
        return cast(IO[bytes], gzip.open(source))
    raise ArchiveUnfit("it is none of tar.zst, tar.bz2 and tar.gz")


def _add(made: tarfile.TarFile, given: tarfile.TarFile, member: tarfile.TarInfo) -> None:
    path = PurePosixPath(member.name)
    if path.is_absolute() or ".." in path.parts or "\0" in member.name:
        raise ArchiveUnfit(f"{member.name[:200]!r} leads outside")
    if not (member.isfile() or member.isdir()):
        raise ArchiveUnfit(f"{member.name[:200]!r} is neither a file nor a folder")
    if not path.parts:
        return
    info = tarfile.TarInfo(str(path))
    info.mtime = min(max(int(member.mtime), 0), 0o77777777777)
    info.mode = 0o755 if member.isdir() or member.mode & 0o111 else 0o644
    if member.isdir():
        info.type = tarfile.DIRTYPE
        made.addfile(info)
        return
    info.size = member.size
    made.addfile(info, given.extractfile(member))


def main() -> int:
    """Repack stdin to stdout within the limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        repack(cast(BinaryIO, sys.stdin.buffer), sys.stdout.buffer, sys.argv[1])
        sys.stdout.buffer.flush()
    except ArchiveUnfit as e:
        reason = str(e)
    except (MemoryError, RecursionError):
        reason = "it needs too much memory to be read"
    else:
        return 0
    sys.stderr.write(reason.encode("utf-8", "backslashreplace").decode()[:1000])
    return UNFIT


if __name__ == "__main__":
    sys.exit(main())

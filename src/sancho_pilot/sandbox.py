"""Sandboxes: small archives (tar.gz) that travel with a job, unpacked with suspicion and packed within limits."""

from __future__ import annotations

import glob
import gzip
import hashlib
import io
import os
import shutil
import tarfile
from typing import Dict, Iterator, List, Tuple

from sancho_pilot.files import inside, regular_file
from sancho_pilot.model import Packed

LARGEST_UNPACKED = 4 * 1024**3
LARGEST_PACKED = 64 * 1024**2
"""Of files named by patterns, as much as fits is taken; `LEFT_OUT` in the archive names the rest."""
LOG_HEAD, LOG_TAIL = 4 * 1024**2, 12 * 1024**2
"""Of a longer log, the first and the last part are taken."""


class SandboxBroken(Exception):
    """The archive cannot be used; the message says why."""


def unpack(archive: str, folder: str) -> None:
    """Unpack files and folders; raises `SandboxBroken` for anything that would lead outside, or grow too large."""
    total = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                path = inside(folder, member.name)
                if path is None and os.path.normpath(member.name) == ".":
                    continue
                if path is None or not (member.isfile() or member.isdir()):
                    raise SandboxBroken(f"{member.name!r} is neither a file nor a folder below the sandbox")
                total += member.size
                if total > LARGEST_UNPACKED:
                    raise SandboxBroken(f"it holds more than {LARGEST_UNPACKED} B")
                _extract(tar, member, path)
    except (tarfile.TarError, OSError, EOFError, ValueError) as problem:
        raise SandboxBroken(str(problem) or type(problem).__name__) from problem


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, path: str) -> None:
    if member.isdir():
        os.makedirs(path, mode=0o755, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    content = tar.extractfile(member)
    if content is not None:
        with content, open(path, "wb") as file:
            shutil.copyfileobj(content, file)
        os.chmod(path, 0o755 if member.mode & 0o111 else 0o644)


def pack(target: str, folder: str, logs: Dict[str, str], globs: Tuple[str, ...]) -> Packed:
    """Pack the logs (name: path) and what the patterns find below `folder`; the same files give the same archive."""
    left_out: List[str] = []
    room = LARGEST_PACKED
    with open(target, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, 0) as zipped:  # noqa: SIM117 - 3.8 has no brackets
        with tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar:
            for name, path in sorted(logs.items()):
                _add_log(tar, name, path)
            for name, path in sorted(set(_found(folder, globs))):
                status = regular_file(path)
                if status is None or name in logs:
                    continue
                if status.st_size > room:
                    left_out.append(name)
                    continue
                room -= status.st_size
                _add_file(tar, name, path, status)
            if left_out:
                _add(tar, "LEFT_OUT", "\n".join(left_out).encode("utf-8", "replace") + b"\n")
    digest, size = hashlib.sha256(), 0
    with open(target, "rb") as file:
        for block in iter(lambda: file.read(1024**2), b""):
            digest.update(block)
            size += len(block)
    return Packed(size, digest.hexdigest())


def _found(folder: str, globs: Tuple[str, ...]) -> Iterator[Tuple[str, str]]:
    for pattern in globs:
        for path in glob.iglob(os.path.join(glob.escape(folder), pattern.lstrip("/")), recursive=True):
            real = inside(folder, path)
            if real is not None:
                yield os.path.relpath(real, os.path.realpath(folder)), real


def _add_log(tar: tarfile.TarFile, name: str, path: str) -> None:
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size <= LOG_HEAD + LOG_TAIL:
            data = file.read(LOG_HEAD + LOG_TAIL)
        else:
            head = file.read(LOG_HEAD)
            file.seek(size - LOG_TAIL)
            data = b"%s\n[... %d bytes left out ...]\n%s" % (head, size - LOG_HEAD - LOG_TAIL, file.read(LOG_TAIL))
    _add(tar, name, data)


def _add_file(tar: tarfile.TarFile, name: str, path: str, status: os.stat_result) -> None:
    try:
        file = open(path, "rb")  # noqa: SIM115 - only what can be read is added
    except OSError:
        return
    with file:
        member = tarfile.TarInfo(name)
        member.size, member.mtime = status.st_size, int(status.st_mtime)
        member.mode = 0o755 if status.st_mode & 0o111 else 0o644
        tar.addfile(member, file)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(data), 0o644
    tar.addfile(member, io.BytesIO(data))

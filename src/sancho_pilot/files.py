"""Files that must be whole or not there, folders that must be gone, and paths that must not lead outside."""

from __future__ import annotations

import os
import shutil
import stat
from typing import Optional


def write_whole(path: str, data: bytes) -> None:
    """Write a private file so that after any accident there is the old one or the new one, and never a part."""
    temporary = f"{path}.new"
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    sync_folder(os.path.dirname(path))


def sync_folder(path: str) -> None:
    """Make the names in a folder safe from a power failure."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_private_folder(path: str) -> None:
    """Make a folder that only we may enter, and the missing ones above it."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    os.chmod(path, 0o700)


def remove_file(path: str) -> None:
    """Remove a file, if it is there."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def remove_folder(path: str) -> None:
    """Remove a folder with everything in it, whatever modes a payload has given to what it made."""
    for parent, folders, _files in os.walk(path):
        for name in folders:
            folder = os.path.join(parent, name)
            if not os.path.islink(folder):
                os.chmod(folder, 0o700)
    shutil.rmtree(path, ignore_errors=True)


def inside(base: str, path: str) -> Optional[str]:
    """Return the real path of `path` below `base`; None if it leads outside, through links too."""
    root = os.path.realpath(base)
    real = os.path.realpath(os.path.join(root, path))
    return real if real.startswith(root + os.sep) else None


def regular_file(path: Optional[str]) -> Optional[os.stat_result]:
    """Return the status of a regular file; None for anything else, and for nothing."""
    if path is None:
        return None
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None

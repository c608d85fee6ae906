"""Start, watch and stop the supervisor of a home, from another process."""

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from sancho.local.errors import LocalError
from sancho.local.leftovers import end_pilots, end_programs
from sancho.local.logs import last_lines
from sancho.local.processes import Process, wait_until
from sancho.local.programs import Plan, Program, ProgramState, State, child_environment, read_state, write_private

GIVEN_UP_AFTER = 4


class NotReady(LocalError):
    """{name} does not get ready: {why}."""

    code = "not_ready"

    def __init__(self, *, name: str, why: str, log: Path) -> None:
        said = "\n".join(last_lines(log)) or "nothing"
        super().__init__(name=name, why=why, hint=f"The end of {log} says:\n{said}")


class SupervisorFailed(LocalError):
    """The supervisor did not start: {why}"""

    code = "supervisor_failed"

    def __init__(self, *, why: str) -> None:
        super().__init__(why=why)


def find_supervisor(home: Path) -> Process | None:
    """Return the supervisor of a home if it runs."""
    state = read_state(home)
    return state.supervisor if state is not None and state.supervisor.alive else None


def supervise_command(home: Path) -> list[str]:
    """Return the command that supervises a home in the foreground."""
    return [sys.executable, "-m", "sancho.local.supervisor", str(home)]


def write_plan(home: Path, programs: Sequence[Program]) -> None:
    """Say what the next supervisor of a home shall run."""
    write_private(home / "run" / "programs.json", Plan(home=home, programs=list(programs)).model_dump_json(indent=1))


def start(home: Path) -> None:
    """Start the supervisor in the background, where it survives our terminal; one that runs already is left alone."""
    if find_supervisor(home) is not None:
        return
    words = home / "logs" / "supervisor.err"
    command = supervise_command(home)
    with words.open("wb") as err:
        done = subprocess.run(
            [*command[:-1], "--detach", command[-1]],
            stdin=subprocess.DEVNULL,
            stdout=err,
            stderr=err,
            cwd="/",
            env=child_environment({}),
            check=False,
        )
    if done.returncode != 0 or not wait_until(lambda: find_supervisor(home) is not None, timeout=20):
        why = "another one runs but has said nothing yet" if done.returncode == 3 else "\n".join(last_lines(words))
        raise SupervisorFailed(why=why)


def wait_ready(home: Path, *, timeout: float = 120.0) -> None:
    """Wait until every program is ready.

    Gives up when a program has died several times or nothing has changed for `timeout` seconds; but a database
    that recovers from a crash is waited for as long as it takes.
    """
    deadline = time.monotonic() + timeout
    wait_until(lambda: find_supervisor(home) is not None, timeout=20)
    restarts: dict[str, int] = {}
    while True:
        state = read_state(home)
        if state is None or not state.supervisor.alive:
            raise SupervisorFailed(why="\n".join(last_lines(home / "logs" / "supervisor.err")))
        waiting = [one for one in state.programs if one.state is not State.READY]
        if not waiting:
            return
        for one in waiting:
            died = one.restarts - restarts.setdefault(one.name, one.restarts)
            if died >= GIVEN_UP_AFTER:
                raise _not_ready(home, one, f"it ended {died} times, last with {one.last_exit}")
        if time.monotonic() > deadline and not _recovering(waiting):
            raise _not_ready(home, waiting[0], f"it is {waiting[0].state} after {timeout:.0f} s")
        time.sleep(0.05)


def stop(home: Path, *, timeout: float = 150.0) -> bool:
    """Stop the supervisor and everything it runs or left behind; return whether there was one."""
    running = find_supervisor(home)
    if running is not None:
        running.stop(grace=timeout)
    end_programs(home)
    end_pilots(home)
    return running is not None


def _not_ready(home: Path, one: ProgramState, why: str) -> NotReady:
    return NotReady(name=one.name, why=why, log=home / "logs" / f"{one.name}.log")


def _recovering(waiting: Sequence[ProgramState]) -> bool:
    return any(one.name == "postgres" and one.state is State.STARTING for one in waiting)

"""Keeps the programs of one grid running until it is told to stop: `python -m sancho.local.supervisor HOME`.

    waiting ──its `after` are ready──▶ starting ──probe──▶ ready ──dies──▶ waiting (longer each time)

A program that dies is started again: at once the first time, then after
pauses that double, and at once again when it had run for a while. Everything
is told to stop in the reverse order of start. A signal is sent only to a
process that is known to be ours: while a child has not been reaped its id
cannot be used again, so the supervisor looks first and reaps last.

If the supervisor itself is killed, the kernel ends its programs; pilots go on.
"""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from sancho.local.leftovers import end_pilots
from sancho.local.logs import RotatingLog
from sancho.local.osuser import RunAs
from sancho.local.postgres import Cluster
from sancho.local.processes import Process, end_with_parent, find_process, listens
from sancho.local.programs import (
    MARK,
    Plan,
    Program,
    ProgramState,
    State,
    SupervisorState,
    child_environment,
    write_private,
)
from sancho.local.tls import trust

ALREADY_RUNNING = 3


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait before a restart, in seconds."""

    first: float = 0.25
    longest: float = 8.0
    stable: float = 20.0
    """A program that ran this long is started again at once."""
    probe: float = 0.1
    settle: float = 1.0
    """A program that cannot be asked is ready once it has lived this long."""


class Runner:
    """One process of a program, from start to end."""

    def __init__(self, program: Program, popen: subprocess.Popen[bytes]) -> None:
        self.program = program
        self.popen = popen
        self.process = find_process(popen.pid)
        self.ended = asyncio.Event()

    def notice_end(self) -> None:
        """If the process has ended, end what is left of its group, then reap it."""
        if self.ended.is_set() or os.waitid(os.P_PID, self.popen.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
        self.ended.set()

    async def stop(self) -> None:
        """Stop the process; kill its group when its grace is over. Returns when it has ended."""
        if self.ended.is_set():
            return
        self.popen.send_signal(self.program.stop_signal)
        try:
            await asyncio.wait_for(self.ended.wait(), self.program.grace)
        except TimeoutError:
            os.killpg(self.popen.pid, signal.SIGKILL)
            await self.ended.wait()


class Supervisor:
    """Runs a plan. `state.json` says how the programs fare; their output goes to `logs`."""

    def __init__(self, plan: Plan, *, patience: Patience = Patience()) -> None:
        self._home = plan.home
        self._programs = plan.programs
        self._patience = patience
        self._state_file = plan.home / "run" / "state.json"
        logs = plan.home / "logs"
        self._logs = {one.name: RotatingLog(logs / f"{one.name}.log") for one in plan.programs}
        self._diary = RotatingLog(logs / "supervisor.log")
        myself = find_process(os.getpid())
        assert myself is not None
        now = datetime.now(UTC)
        self._state = SupervisorState(
            supervisor=myself, programs=[ProgramState(name=one.name, since=now) for one in plan.programs]
        )
        self._ready = {one.name: asyncio.Event() for one in plan.programs}
        self._runners: dict[str, Runner] = {}
        self._pipes: dict[int, RotatingLog] = {}

    async def run(self) -> None:
        """Keep everything running until SIGTERM or SIGINT, then stop it in order."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: None)
        loop.add_signal_handler(signal.SIGCHLD, self._notice_ends)
        self._save()
        self._note("supervisor", f"started, pid {os.getpid()}")
        keepers = [asyncio.create_task(self._keep(program)) for program in self._programs]
        told = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*keepers, told], return_when=asyncio.FIRST_COMPLETED)
        for task in (*keepers, told):
            task.cancel()
        await asyncio.wait([*keepers, told])
        await self._stop_all()
        for reader in list(self._pipes):
            self._pump(reader)
        self._note("supervisor", "stopped")
        for task in done:
            task.result()

    async def _keep(self, program: Program) -> None:
        failures = 0
        now = asyncio.get_running_loop().time
        while True:
            for name in program.after:
                await self._ready[name].wait()
            born = now()
            ending = await self._run_once(program)
            lived = now() - born
            failures = 0 if lived > self._patience.stable else min(failures + 1, 16)
            pause = min(self._patience.longest, self._patience.first * 2 ** (failures - 1)) if failures else 0.0
            self._note(program.name, f"ended ({ending}) after {lived:.1f} s; starts again in {pause:.2f} s")
            self._set(program.name, State.WAITING, last_exit=ending)
            await asyncio.sleep(pause)
            self._of(program.name).restarts += 1

    async def _run_once(self, program: Program) -> str:
        try:
            runner = self._start(program)
        except OSError as e:
            return str(e)
        probe = asyncio.create_task(self._probe(runner))
        await runner.ended.wait()
        probe.cancel()
        self._ready[program.name].clear()
        return _ending(runner.popen.returncode)

    def _start(self, program: Program) -> Runner:
        reader, writer = os.pipe()
        identity: RunAs = program.user.run_as() if program.user is not None else {}
        try:
            popen = subprocess.Popen(
                program.command,
                stdin=subprocess.DEVNULL,
                stdout=writer,
                stderr=writer,
                cwd="/",
                env=self._environment(program),
                start_new_session=True,
                preexec_fn=end_with_parent(program.stop_signal),  # noqa: PLW1509 (this process has one thread)
                **identity,
            )
        except BaseException:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        os.set_blocking(reader, False)
        asyncio.get_running_loop().add_reader(reader, self._pump, reader)
        self._pipes[reader] = self._logs[program.name]
        runner = Runner(program, popen)
        self._runners[program.name] = runner
        self._note(program.name, f"started, pid {popen.pid}")
        self._set(program.name, State.STARTING, process=runner.process)
        return runner

    def _environment(self, program: Program) -> dict[str, str]:
        mine = {MARK: str(self._home), **program.environment}
        return child_environment(mine) if program.inherits else program.environment

    def _pump(self, reader: int) -> None:
        with suppress(BlockingIOError):
            while text := os.read(reader, 65536):
                self._pipes[reader].write(text)
            asyncio.get_running_loop().remove_reader(reader)
            os.close(reader)
            del self._pipes[reader]

    async def _probe(self, runner: Runner) -> None:
        program = runner.program
        if program.ready_url is None and program.ready_cluster is None:
            await asyncio.sleep(self._patience.settle)
        verify = trust(program.ca_file)
        async with httpx2.AsyncClient(verify=verify, trust_env=False, timeout=5.0) as client:
            while not await _answers(runner, client):  # noqa: ASYNC110 (it asks another process)
                await asyncio.sleep(self._patience.probe)
        self._note(program.name, "ready")
        self._set(program.name, State.READY, process=runner.process)
        self._ready[program.name].set()

    def _notice_ends(self) -> None:
        for runner in self._runners.values():
            runner.notice_end()

    async def _stop_all(self) -> None:
        hosts = [one for one in self._programs if one.has_guests]
        await asyncio.gather(*(self._stop(one) for one in hosts))
        await asyncio.to_thread(self._end_guests)
        left = [one for one in self._programs if one not in hosts]
        while left:
            leaves = [one for one in left if not any(one.name in other.after for other in left)]
            await asyncio.gather(*(self._stop(one) for one in leaves))
            left = [one for one in left if one not in leaves]

    async def _stop(self, program: Program) -> None:
        if runner := self._runners.get(program.name):
            self._set(program.name, State.STOPPING, process=runner.process)
            await runner.stop()
            self._note(program.name, f"stopped ({_ending(runner.popen.returncode)})")
        self._set(program.name, State.STOPPED)

    def _end_guests(self) -> None:
        ended = end_pilots(self._home, {os.getpid(), *(runner.popen.pid for runner in self._runners.values())})
        self._note("supervisor", f"ended {len(ended)} pilots")

    def _of(self, name: str) -> ProgramState:
        return next(one for one in self._state.programs if one.name == name)

    def _set(self, name: str, state: State, *, process: Process | None = None, last_exit: str | None = None) -> None:
        one = self._of(name)
        one.state, one.since, one.process = state, datetime.now(UTC), process
        one.last_exit = last_exit or one.last_exit
        self._save()

    def _save(self) -> None:
        write_private(self._state_file, self._state.model_dump_json(indent=1))

    def _note(self, name: str, text: str) -> None:
        self._diary.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ} {name}: {text}\n".encode())


async def _answers(runner: Runner, client: httpx2.AsyncClient) -> bool:
    """Say whether a program is ready. Whoever else listens where it should answers for themselves, not for it."""
    program = runner.program
    if program.ready_cluster is not None:
        return Cluster(program.ready_cluster).ready()
    if program.ready_url is None:
        return True
    with suppress(httpx2.TransportError):
        answer = await client.get(program.ready_url)
        return answer.status_code < 500 and listens(runner.popen.pid, answer.url.port or 0)
    return False


def _ending(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def main(arguments: Iterable[str]) -> int:
    """Supervise the home that is named; with `--detach` before it, in the background. 3: somebody else does already."""
    *options, name = arguments
    run = Path(name) / "run"
    lock = os.open(run / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return ALREADY_RUNNING
    if "--detach" in options:
        if os.fork():
            return 0
        os.setsid()
    os.chdir("/")
    plan = Plan.model_validate_json((run / "programs.json").read_bytes())
    asyncio.run(Supervisor(plan).run())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The payload: a process of its own session, watched, measured, and never left behind.

Its output goes to files, not through us: a pilot that dies does not stop it
from writing, and a flood of output costs us nothing. What it leaves running
when it ends is killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, Mapping, Optional, Tuple

from sancho_pilot import procfs
from sancho_pilot.model import Usage
from sancho_pilot.tail import Tail

SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.25
MEASURE_EVERY = 0.5
LEAVINGS = 10.0
"""How long to wait for killed processes to be gone; one in the kernel's hands cannot be waited for."""


@dataclass(frozen=True)
class Command:
    """What to run, where, and within what."""

    words: Tuple[str, ...]
    program: str
    environment: Mapping[str, str]
    folder: str
    stdout: str
    stderr: str
    memory: Optional[int]
    log: int


@dataclass(frozen=True)
class Watchers:
    """Whom to tell, from the watching thread."""

    exceeded: Callable[[str, int], None]
    ended: Callable[[int, Usage], None]


class Payload:
    """One payload. There is at most one at a time, and it owns every descendant of this process."""

    def __init__(self, command: Command, watchers: Watchers) -> None:
        """Start it; raises OSError if it cannot be run. The watchers are told once of its end."""
        self._command = command
        self._watchers = watchers
        self.tail = Tail(command.stdout, command.stderr)
        self._began = time.monotonic()
        self._waited_cpu = 0.0
        self._most = 0
        self._used = (0.0, 0)
        self._told: Dict[str, bool] = {}
        self._wake = threading.Event()
        self._over = threading.Event()
        self._killing = False
        with open(command.stdout, "wb") as stdout, open(command.stderr, "wb") as stderr:
            self._process = subprocess.Popen(
                list(command.words),
                executable=command.program,
                cwd=command.folder,
                env=dict(command.environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        self._pid = self._process.pid
        threading.Thread(target=self._watch, name="payload", daemon=True).start()

    def used(self) -> Tuple[float, int]:
        """Return CPU seconds so far and memory now, as last measured."""
        return self._used

    def wait(self, timeout: float) -> None:
        """Wait until nothing of it runs any more."""
        self._over.wait(timeout)

    def stop(self, *, hard: bool) -> None:
        """Ask it to end, or end it. Returns at once; the watchers hear when it is over."""
        number = signal.SIGKILL if hard else signal.SIGTERM
        self._killing = self._killing or hard
        for pid in procfs.descendants(os.getpid()):
            procfs.send(pid, number)
        self._send_group(number)
        self._wake.set()

    def _send_group(self, number: signal.Signals) -> None:
        """Reach the payload's own group too: without /proc or where orphans are not ours, that is all there is."""
        try:
            os.killpg(self._pid, number)
        except (ProcessLookupError, PermissionError):
            return

    # -------------------------------------------------------------------------------------- watching

    def _watch(self) -> None:
        look, measured = SHORTEST_LOOK, 0.0
        while True:
            code = self._reap()
            if code is not None:
                break
            if time.monotonic() - measured >= MEASURE_EVERY:
                self._measure()
                measured = time.monotonic()
            if self._killing:
                self.stop(hard=True)  # again: it may have had children since
            self._wake.wait(look)
            self._wake.clear()
            look = min(look * 1.5, LONGEST_LOOK)
        self._measure()
        wall = time.monotonic() - self._began
        self._end_leavings()
        self.tail.look()
        usage = Usage(round(wall, 3), round(self._waited_cpu, 3), self._most)
        self._over.set()
        self._watchers.ended(code, usage)

    def _reap(self) -> Optional[int]:
        """Take notice of every child that has ended; return the payload's exit code once it is one of them."""
        ended: Optional[int] = None
        for pid in procfs.children(os.getpid()) or [self._pid]:
            try:
                done, state, used = os.wait4(pid, os.WNOHANG)
            except ChildProcessError:
                continue
            if done == 0:
                continue
            self._waited_cpu += used.ru_utime + used.ru_stime
            self._most = max(self._most, used.ru_maxrss * 1024)
            if done == self._pid:
                ended = 128 + os.WTERMSIG(state) if os.WIFSIGNALED(state) else os.WEXITSTATUS(state)
                self._process.returncode = ended
        return ended

    def _measure(self) -> None:
        """Add up what all of the payload uses, and tell if it is too much."""
        pids = procfs.descendants(os.getpid())
        found = [one for one in map(procfs.status, pids) if one is not None]
        memory = sum(one.memory for one in found)
        limit = self._command.memory
        if limit is not None and memory > limit:
            if procfs.knows_fair_memory():  # processes that were forked from one another share most of their pages
                memory = sum(map(procfs.fair_memory, pids))
            if memory > limit:
                self._tell("memory", memory)
        self._most = max(self._most, memory)
        self._used = (round(self._waited_cpu + sum(one.cpu for one in found), 3), memory)
        self.tail.look()
        if self.tail.size > self._command.log:
            self._tell("log", self.tail.size)

    def _tell(self, what: str, used: int) -> None:
        if not self._told.get(what):
            self._told[what] = True
            self._watchers.exceeded(what, used)

    def _end_leavings(self) -> None:
        """Kill what the payload has left behind; all of it is ours, since we adopt orphans."""
        deadline = time.monotonic() + LEAVINGS
        self._send_group(signal.SIGKILL)
        while time.monotonic() < deadline:
            left = procfs.descendants(os.getpid())
            if not left:
                return
            for pid in left:
                procfs.send(pid, signal.SIGKILL)
            self._reap()
            self._wake.wait(SHORTEST_LOOK)


def sweep(mark: str) -> int:
    """End whatever runs with this mark in its environment, and wait until it is gone; return how many there were."""
    gone = 0
    deadline = time.monotonic() + LEAVINGS
    while time.monotonic() < deadline:
        left = list(procfs.marked(mark))
        if not left:
            break
        gone = max(gone, len(left))
        for pid in left:
            procfs.send(pid, signal.SIGKILL)
        time.sleep(SHORTEST_LOOK)
    return gone

"""The payload: a process of its own session, watched, measured, and never left behind.

Its output goes to files, not through us: a pilot that dies does not stop it
from writing, and a flood of output costs us nothing. What it leaves running
when it ends is killed. Several may run at a time, each below a shim.
"""

from __future__ import annotations

import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable, Dict, Mapping, Optional, Set, Tuple

from sancho_pilot import procfs
from sancho_pilot.model import Usage
from sancho_pilot.tail import Tail

SHORTEST_LOOK, LONGEST_LOOK = 0.01, 0.25
MEASURE_EVERY = 0.5
MARKS = ("SANCHO_PILOT", "SANCHO_ATTEMPT_ID")
"""Variables by which processes of a payload are found when their pilot has died."""
SHIM = (pkgutil.get_data("sancho_pilot", "shim.py") or b"").decode()
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
    """One payload, with a shim below which everything of it runs, and nothing else does."""

    def __init__(self, command: Command, watchers: Watchers) -> None:
        """Start it; raises OSError if it cannot be run. The watchers are told once of its end."""
        self._command = command
        self._watchers = watchers
        for path in (command.stdout, command.stderr):
            with open(path, "wb"):
                pass
        self.tail = Tail(command.stdout, command.stderr)
        self._began = time.monotonic()
        self._cpu = 0.0
        self._most = 0
        self._used = (0.0, 0)
        self._told: Dict[str, bool] = {}
        self._over = threading.Event()
        self._killing = False
        self._shim, self._pid = _start(command)
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
        for pid in procfs.descendants(self._shim.pid):
            procfs.send(pid, number)
        self._send_group(number)

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
            said = self._hear(look)
            if said is not None:
                break
            if time.monotonic() - measured >= MEASURE_EVERY:
                self._measure()
                measured = time.monotonic()
            if self._killing:
                self.stop(hard=True)  # again: it may have had children since
            look = min(look * 1.5, LONGEST_LOOK)
        self._measure()
        wall = time.monotonic() - self._began
        self._end_leavings()
        self.tail.look()
        self._over.set()
        usage = Usage(round(wall, 3), round(self._cpu, 3), self._most)
        self._watchers.ended(int(said.get("code", 128 + signal.SIGKILL)), usage)

    def _hear(self, wait: float) -> Optional[Dict[str, Any]]:
        """What the shim says, if it says anything in so many seconds; an empty answer when it is gone."""
        assert self._shim.stdout is not None
        if not select.select([self._shim.stdout], [], [], wait)[0]:
            return None
        said: Dict[str, Any] = json.loads(self._shim.stdout.readline() or b"{}")
        self._cpu = max(self._cpu, said.get("cpu", 0.0))
        self._most = max(self._most, said.get("memory", 0))
        return said

    def _measure(self) -> None:
        """Add up what all of the payload uses, and tell if it is too much."""
        pids = procfs.descendants(self._shim.pid)
        found = [one for one in map(procfs.status, pids) if one is not None]
        memory = sum(one.memory for one in found)
        limit = self._command.memory
        if limit is not None and memory > limit:
            if procfs.knows_fair_memory():  # processes that were forked from one another share most of their pages
                memory = sum(map(procfs.fair_memory, pids))
            if memory > limit:
                self._tell("memory", memory)
        self._most = max(self._most, memory)
        self._cpu = max(self._cpu, procfs.waited_cpu(self._shim.pid) + sum(one.cpu for one in found))
        self._used = (round(self._cpu, 3), memory)
        self.tail.look()
        if self.tail.size > self._command.log:
            self._tell("log", self.tail.size)

    def _tell(self, what: str, used: int) -> None:
        if not self._told.get(what):
            self._told[what] = True
            self._watchers.exceeded(what, used)

    def _end_leavings(self) -> None:
        """Kill what the payload has left behind; the shim ends when nothing is left."""
        deadline = time.monotonic() + LEAVINGS
        self._send_group(signal.SIGKILL)
        while time.monotonic() < deadline:
            for pid in procfs.descendants(self._shim.pid):
                procfs.send(pid, signal.SIGKILL)
            if self._hear(SHORTEST_LOOK) is not None:  # its last words, or none because it is gone
                break
        self._shim.kill()
        self._shim.wait()
        if self._shim.stdout is not None:
            self._shim.stdout.close()
        with _LOCK:
            _SHIMS.discard(self._shim.pid)
            _end_orphans()


_LOCK = threading.Lock()
_SHIMS: Set[int] = set()
"""Processes of ours that keep payloads; every other child was orphaned by a shim that did not live long enough."""


def _start(command: Command) -> Tuple["subprocess.Popen[bytes]", int]:
    """Start a payload below a shim; return the shim and the payload's process id; raises OSError."""
    order = {
        "words": command.words, "program": command.program, "environment": dict(command.environment),
        "folder": command.folder, "stdout": command.stdout, "stderr": command.stderr,
    }  # fmt: skip
    marks = {name: command.environment[name] for name in MARKS if name in command.environment}
    with _LOCK:
        shim = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", SHIM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **marks},
            bufsize=0,
            start_new_session=True,
        )
        _SHIMS.add(shim.pid)
    assert shim.stdin is not None
    assert shim.stdout is not None
    with shim.stdin as stdin:
        stdin.write(json.dumps(order).encode())
    said = json.loads(shim.stdout.readline() or b"{}")
    if "pid" not in said and shim.wait() >= 0:
        _SHIMS.discard(shim.pid)
        raise OSError(said.get("text", "its shim did not start"))
    return shim, said.get("pid", shim.pid)  # one that was killed before it said so: its end is heard at once


def _end_orphans() -> None:
    """Kill children of ours that are no shims, with all below them, and take notice of their end."""
    for pid in procfs.children(os.getpid()):
        if pid not in _SHIMS:
            for each in (pid, *procfs.descendants(pid)):
                procfs.send(each, signal.SIGKILL)
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                continue


def sweep(*marks: str) -> int:
    """End whatever has all these marks in its environment, and wait until it is gone; return how many there were."""
    gone = 0
    deadline = time.monotonic() + LEAVINGS
    while time.monotonic() < deadline:
        left = list(procfs.marked(*marks))
        if not left:
            break
        gone = max(gone, len(left))
        for pid in left:
            procfs.send(pid, signal.SIGKILL)
        time.sleep(SHORTEST_LOOK)
    return gone

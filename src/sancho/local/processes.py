"""Processes of this machine, known by more than a number.

A process id is used again once its process has ended, so whoever remembers
one also remembers the moment its process started. `Process` is that pair: a
signal reaches the process it was meant for, or nobody.
"""

import os
import signal
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from ctypes import CDLL
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
BOOT_ID = PROC / "sys/kernel/random/boot_id"
PR_SET_PDEATHSIG = 1
LISTEN = "0A"
"""The state of a socket that listens, as `/proc/net/tcp` has it."""


@dataclass(frozen=True, slots=True)
class Process:
    """One process, by its id and the moment it started."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the process if it still runs."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if self.alive:  # whom the handle means cannot change any more
                signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass
        finally:
            os.close(handle)

    def send_group(self, number: signal.Signals) -> None:
        """Send a signal to the process group that the process leads, or if it leads none to the process alone."""
        if self.alive:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                self.send(number)

    def stop(self, *, gracefully: signal.Signals = signal.SIGTERM, grace: float = 10.0) -> None:
        """Ask the process to end; after `grace` seconds, kill its whole group. Returns when it is gone."""
        self.send(gracefully)
        if not wait_until(lambda: not self.alive, timeout=grace):
            self.send_group(signal.SIGKILL)
            wait_until(lambda: not self.alive, timeout=grace)


def started(pid: int) -> str | None:
    """Return a word that no other process of this id ever has, or None if there is no such running process."""
    stat = _stat(pid)
    return None if stat is None or stat.state in "ZX" else f"{BOOT_ID.read_text().strip()}:{stat.started}"


def find_process(pid: int) -> Process | None:
    """Return the process that runs under this id now."""
    moment = started(pid)
    return None if moment is None else Process(pid, moment)


def in_use(pid: int) -> bool:
    """Say whether a process id is taken, be it by a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def command_line(pid: int) -> str:
    """Return the command line of a process, its words joined by spaces; empty when it is gone."""
    try:
        return (PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def wait_until(condition: Callable[[], bool], *, timeout: float, step: float = 0.02) -> bool:
    """Wait for a condition; return whether it came true within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(step)
    return True


def end_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return a `preexec_fn` that lets the kernel end a child together with its parent, however that ends."""
    prctl = CDLL(None).prctl
    parent = os.getpid()

    def ask_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os.kill(os.getpid(), number)

    return ask_kernel


def marked(variable: str, value: str) -> list[Process]:
    """Return the processes whose environment held `variable=value` when they started, as far as we may look."""
    word = f"{variable}={value}".encode()
    found: list[Process] = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if word in (entry / "environ").read_bytes().split(b"\0") and (one := find_process(int(entry.name))):
                    found.append(one)
    return found


def top_most(processes: Collection[Process]) -> list[Process]:
    """Return those of some processes that none of the others started."""
    pids = {one.pid for one in processes}
    return [one for one in processes if (stat := _stat(one.pid)) is not None and stat.parent not in pids]


def leads_group(pid: int) -> bool:
    """Say whether a process leads its process group; false when it is gone."""
    with suppress(ProcessLookupError):
        return os.getpgid(pid) == pid
    return False


def session_of(pid: int) -> int | None:
    """Return the session that a process belongs to, None when it is gone."""
    stat = _stat(pid)
    return None if stat is None else stat.session


def listens(session: int, port: int) -> bool:
    """Say whether a process of a session listens on a TCP port of this machine."""
    links = {f"socket:[{inode}]" for inode in _listening(port)}
    return any(links & _open_files(process) for process in PROC.iterdir() if _is_of(process.name, session))


def _is_of(pid: str, session: int) -> bool:
    return pid.isdigit() and session_of(int(pid)) == session


def _listening(port: int) -> set[str]:
    """The inodes of the sockets that listen on a port."""
    found: set[str] = set()
    for name in ("tcp", "tcp6"):
        with suppress(FileNotFoundError):  # a machine without IPv6
            for line in (PROC / "net" / name).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == LISTEN and int(words[1].rpartition(":")[2], 16) == port:
                    found.add(words[9])
    return found


def _open_files(process: Path) -> set[str]:
    links: set[str] = set()
    with suppress(OSError):
        for entry in (process / "fd").iterdir():
            with suppress(OSError):
                links.add(str(entry.readlink()))
    return links


class _Stat(NamedTuple):
    state: str
    parent: int
    session: int
    started: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    words = text.rpartition(")")[2].split()  # the name before it may hold anything
    return _Stat(words[0], int(words[1]), int(words[3]), int(words[19]))

"""The keeper of one pilot on this machine; run as a script, `python -I -S local_keeper.py ORDERS.json`.

It leaves whoever started it, says on standard output which process it is now
(`PID START`), and starts the pilot with nothing of the worker's environment
but what a pilot needs. It adopts every process that the pilot or a payload
leaves behind, and ends them when the pilot has ended. A pilot that dies by a
signal nobody asked for is started again: its spool may hold a result. SIGTERM
asks the pilot to end; if it does not in time, everything is killed. When
all is over it writes `exit`, the pilot's exit code.

Nothing but the standard library: it runs on the interpreter of the pilots' CE.
"""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

KEPT = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")
KEPT_PREFIX = "SANCHO_GRID_"
PATH = "/usr/local/bin:/usr/bin:/bin"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
GRACE = 30
"""Seconds from SIGTERM until everything is killed; a pilot needs less."""
LIVES = 3
"""So many times a pilot is started before its deaths are taken for its end."""
LOOK_EVERY = 0.05
LONG = 3600.0
ASKING = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
HEARD = {*ASKING, signal.SIGCHLD}
FORGOTTEN = 60.0
"""Seconds after which an empty control group is nobody's any more."""


def launch(orders: str) -> None:
    """Leave the caller: two forks, so that nobody is our parent, and a fresh start without the caller's environment."""
    if os.fork():
        os._exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    kept = {name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_PREFIX)}
    words = [sys.executable, "-I", "-S", __file__, "keep", orders]
    os.execve(words[0], words, {"PATH": PATH, **kept})  # noqa: S606 - that is what it is for


def start_time(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when there is none, or only its remains."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if after_name[0] in "ZX" else int(after_name[19])


def children() -> list[int]:
    """Every child of this process, adopted ones too."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    return []


def reaped() -> Iterator[tuple[int, int]]:
    """Every child that has died since, with its status."""
    while True:
        try:
            done, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if done == 0:
            return
        yield done, status


class Keeper:
    """Keeps one pilot. Signals are blocked and waited for (`sigtimedwait`), so that none can be lost in between."""

    def __init__(self, orders: dict[str, Any]) -> None:
        """`orders`: `command`, `nice`, `user` (uid and gid, or null), `memory` of the slot; the folder is ours."""
        self.orders = orders
        self.prctl = ctypes.CDLL(None).prctl
        self.ends_by: float | None = None
        """When everything is killed, once it was asked to end."""
        self.cgroup = Cgroup(Path.cwd().name, orders["memory"])

    def keep(self) -> int:
        """Keep the pilot until it has ended; return its exit code."""
        self.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        code = 0
        for _ in range(LIVES):
            code = self.live()
            self.end_leavings()
            if code >= 0 or self.ends_by is not None:
                break
        return code if code >= 0 else 128 - code

    def live(self) -> int:
        """Let the pilot live once; return its exit code, negative for a signal."""
        pilot = os.fork()
        if pilot == 0:
            self.become_pilot()
        while True:
            for done, status in reaped():
                if done == pilot:
                    return os.waitstatus_to_exitcode(status)
            self.listen(pilot)

    def listen(self, pilot: int) -> None:
        """Wait until a child has died, we are asked to end (which is passed on, once), or patience is over."""
        patience = LONG if self.ends_by is None else max(0.0, self.ends_by - time.monotonic())
        heard = signal.sigtimedwait(HEARD, patience)
        if heard is None and self.ends_by is not None:
            self.kill_all()
            self.ends_by += 1
        elif heard is not None and heard.si_signo in ASKING and self.ends_by is None:
            self.ends_by = time.monotonic() + GRACE
            os.kill(pilot, signal.SIGTERM)

    def become_pilot(self) -> None:
        """In the child: put on what a pilot wears, and go."""
        try:
            self.cgroup.enter()
            with suppress(OSError):
                os.nice(self.orders["nice"])
            if self.orders["user"] is not None:
                uid, gid = self.orders["user"]
                os.setgroups([])
                os.setgid(gid)
                os.setuid(uid)
            command = self.orders["command"]
            self.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())  # one that was asked to end meanwhile ends here
            os.execv(command[0], command)  # noqa: S606 - that is what it is for
        except OSError as problem:
            os.write(2, f"the pilot cannot be started: {problem}\n".encode())
        finally:
            os._exit(127)

    def kill_all(self) -> None:
        """Kill every process of the pilot's: our children, and those that become ours when they die."""
        self.cgroup.kill()
        for pid in children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def end_leavings(self) -> None:
        """End what was left behind; each death may make us the parent of more."""
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            self.kill_all()
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(LOOK_EVERY)
            except ChildProcessError:
                return


class Cgroup:
    """A control group (version 2) for one pilot, where this process may make one; otherwise nothing at all.

    It bounds the memory of everything in the slot, and lets nothing escape a kill.
    """

    PREFIX = "sancho-pilot-"
    ROOM = 256 * 1024**2
    """What the pilot itself may need beside its payload."""

    def __init__(self, name: str, memory: int) -> None:
        """Make it, below our own."""
        self.folder: Path | None = None
        with suppress(OSError, IndexError, StopIteration):
            mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
            root = next(words[1] for words in mounts if words[2] == "cgroup2")
            own = next(
                line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")
            )
            folder = Path(root + own) / f"{self.PREFIX}{name}"
            self._remove_forgotten(folder.parent)
            folder.mkdir()
            self.folder = folder
            self._write("memory.max", str(memory + self.ROOM))
            self._write("memory.swap.max", "0")

    def enter(self) -> None:
        """Put this process into it."""
        self._write("cgroup.procs", str(os.getpid()))

    def kill(self) -> None:
        """Kill everything in it."""
        self._write("cgroup.kill", "1")

    def remove(self) -> None:
        """Remove it; it is empty, but the kernel may need a moment to see that."""
        deadline = time.monotonic() + GRACE
        while self.folder is not None and time.monotonic() < deadline:
            try:
                self.folder.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(LOOK_EVERY)

    def _remove_forgotten(self, parent: Path) -> None:
        """Remove what keepers that were killed have left; the kernel removes none that is in use."""
        for folder in parent.glob(f"{self.PREFIX}*"):
            with suppress(OSError):
                if time.time() - folder.stat().st_mtime > FORGOTTEN:
                    folder.rmdir()

    def _write(self, name: str, value: str) -> None:
        if self.folder is not None:
            with suppress(OSError):  # a controller that is not handed down to us
                (self.folder / name).write_text(value)


def main() -> None:
    """Launch a keeper, or be one."""
    *verb, path = sys.argv[1:]
    if verb != ["keep"]:
        launch(path)
    signal.pthread_sigmask(signal.SIG_BLOCK, HEARD)
    folder = Path(path).parent
    os.chdir(folder)
    os.write(1, f"{os.getpid()} {start_time(os.getpid())}".encode())
    log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    keeper = Keeper(json.loads(Path(path).read_text()))
    code = keeper.keep()
    Path("exit.new").write_text(str(code))
    Path("exit.new").rename("exit")
    keeper.cgroup.remove()


if __name__ == "__main__":
    main()

"""What /proc says about processes: who descends from whom, what they use, whose they are."""

from __future__ import annotations

import ctypes
import os
import signal
from dataclasses import dataclass
from typing import Iterator, List, Optional, Set

PR_SET_CHILD_SUBREAPER = 36
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Status:
    """What one process uses now: memory in bytes, CPU seconds of its own and of the children it has waited for."""

    memory: int
    cpu: float


def adopt_orphans() -> bool:
    """Become the parent of all descendants whose own parents end; return whether the kernel can."""
    try:
        return ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    except (OSError, AttributeError):
        return False


def children(pid: int) -> List[int]:
    """Return the children of a process, its zombies included."""
    found: List[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for task in tasks:
        words = _read(f"/proc/{pid}/task/{task}/children")
        if words is not None:
            found += [int(word) for word in words.split()]
    return found


def descendants(pid: int) -> List[int]:
    """Return everything below a process; what is born meanwhile may be missing."""
    found: List[int] = []
    seen: Set[int] = {pid}
    todo = [pid]
    while todo:
        for child in children(todo.pop()):
            if child not in seen:
                seen.add(child)
                found.append(child)
                todo.append(child)
    return found


def is_zombie(pid: int) -> bool:
    """Whether a process has ended and only waits to be noticed; one that is gone is no zombie."""
    fields = _stat(pid)
    return fields is not None and fields[0] == "Z"


def status(pid: int) -> Optional[Status]:
    """Return what a process uses; None when it has ended."""
    fields = _stat(pid)
    pages = _read(f"/proc/{pid}/statm")
    if fields is None or pages is None or fields[0] in "ZX":
        return None
    ticks = sum(int(fields[i]) for i in (11, 12, 13, 14))
    return Status(int(pages.split()[1]) * PAGE, ticks / TICKS)


def waited_cpu(pid: int) -> float:
    """Return the CPU seconds of the children that a process has waited for; 0 when it has ended."""
    fields = _stat(pid)
    return 0.0 if fields is None else sum(int(fields[i]) for i in (13, 14)) / TICKS


def knows_fair_memory() -> bool:
    """Say whether `fair_memory` works here."""
    return os.path.exists("/proc/self/smaps_rollup")


def fair_memory(pid: int) -> int:
    """Return the memory of a process where pages shared by n processes count for 1/n; 0 when it has ended."""
    for line in (_read(f"/proc/{pid}/smaps_rollup") or "").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def marked(*marks: str) -> Iterator[int]:
    """Yield the processes of our user that were given all marks, NAME=VALUE, in their environment; never this one."""
    wanted = {mark.encode() for mark in marks}
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    variables = file.read().split(b"\0")
            except OSError:
                continue
            if wanted.issubset(variables) and not is_zombie(int(name)):
                yield int(name)


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process, if it is still there and ours."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _stat(pid: int) -> Optional[List[str]]:
    text = _read(f"/proc/{pid}/stat")
    return None if not text else text.rpartition(")")[2].split()


def _read(path: str) -> Optional[str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return None

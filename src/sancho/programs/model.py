"""The words of programs. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Program:
    """A process that is alive, or was when it was last heard of."""

    name: str
    """What it is: `api`, `worker`, or what a VO calls its own."""
    host: str
    pid: int
    thread: str = ""
    """Which of several in one process."""
    started_at: datetime
    """When it was started, or first heard of."""
    seen_at: datetime
    """When it was last heard of."""
    detail: str | None = None


@dataclass(frozen=True, kw_only=True)
class Beat:
    """A service of a VO says that it is alive."""

    name: str
    host: str
    pid: int
    thread: str = ""
    detail: str | None = None

"""What is reported of jobs beside their states, signs of life, and commands."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sancho.jobs.model.life import JobState

LONGEST_STATUS = 255
"""Characters of a minor or application status."""
LONGEST_SOURCE = 100
"""Characters of who says it."""
MOST_AHEAD = timedelta(minutes=1)
"""How far a reporter's clock may be ahead of ours; what is said of a later time is taken to be of this one."""


RUNNERS = ("JobWrapper", "JobAgent", "Watchdog", "Heartbeat")
"""What the names of those begin with, in DIRAC, that run jobs, when they report."""


class StatusKind(Enum):
    """Which of the two texts beside a state it is."""

    MINOR = "M"
    APPLICATION = "A"


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What somebody says of a job at a time; `asked` is a state, in the word of whoever asks for it, `state` ours."""

    job_id: int
    at: datetime
    source: str
    minor: str | None = None
    application: str | None = None
    asked: str | None = None
    state: JobState | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """One of the two texts of a job."""

    job_id: int
    kind: StatusKind
    at: datetime
    said: str
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Logged:
    """One line of a job's history; with a `source` it is what was reported, and the state that the job had then."""

    job_id: int
    state: JobState
    at: datetime
    detail: str | None
    source: str | None
    minor: str | None
    application: str | None
    asked: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """A job as reports find it: `open` while an attempt has not ended, `promises` when it lacks outputs it promised."""

    job_id: int
    state: JobState
    changed_at: datetime
    open: bool
    promises: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Heartbeat:
    """A sign of life of a job: bytes, seconds; None is not said."""

    job_id: int
    load: float | None = None
    memory: int | None = None
    virtual: int | None = None
    disk: int | None = None
    cpu: float | None = None
    wall: float | None = None
    tail: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """What a pilot says of a payload that runs: the last part of what it printed, bytes of all of it, what it uses."""

    attempt_id: int
    tail: str
    log_size: int
    cpu: timedelta
    memory: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What a job, or its pilot, is told to do: to end itself is the only thing so far.

    Number 0 is not acknowledged: it is for whoever was given up, and is told whenever they give a sign of life.
    """

    command_id: int
    job_id: int
    attempt_id: int | None = None

"""The words of pilots."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sancho.jobs.model import Reason

BEAT_EVERY = timedelta(seconds=4)
"""How often a pilot gives a sign of life: what a payload prints is to be seen within 5 s."""
WATCHED_EVERY = timedelta(seconds=1)
"""The same, while somebody reads along what its payload prints."""
LEASE = timedelta(seconds=60)
"""A pilot that gave no sign of life for so long is lost, and its payloads are given to others."""
START_LEASE = timedelta(hours=1)
"""How long a submitted pilot may stay in a batch system's queue unseen by the CE."""
TOKEN_LIFETIME = timedelta(minutes=30)
"""How long a pilot's token lives before it logs in again."""
IDLE = timedelta(seconds=20)
"""How long a pilot waits for work before it ends."""


class PilotState(Enum):
    """Where a pilot is in its life."""

    NEW = "N"
    SUBMITTED = "S"
    RUNNING = "R"
    DONE = "D"
    FAILED = "F"
    LOST = "L"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


TRANSITIONS: Mapping[PilotState, frozenset[PilotState]] = {
    PilotState.NEW: frozenset({PilotState.SUBMITTED, PilotState.RUNNING, PilotState.FAILED}),
    PilotState.SUBMITTED: frozenset({PilotState.RUNNING, PilotState.DONE, PilotState.FAILED, PilotState.LOST}),
    PilotState.RUNNING: frozenset({PilotState.DONE, PilotState.FAILED, PilotState.LOST}),
    PilotState.DONE: frozenset(),
    PilotState.FAILED: frozenset(),
    PilotState.LOST: frozenset({PilotState.RUNNING}),
}
"""From each state, those a pilot may go to; a lost one that comes back runs again, without its old payloads."""


@dataclass(frozen=True, kw_only=True)
class Pilot:
    """A pilot as the database has it."""

    vo: int
    pilot_id: int
    state: PilotState
    ce_id: int
    site_id: int
    stamp: str
    reference: str | None
    created_at: datetime
    ended_at: datetime | None
    secret_hash: bytes
    next_hash: bytes | None
    spent_hashes: tuple[bytes, ...] = ()
    """Secrets that were used, and whose successor has arrived: whoever shows one now is a thief, or was robbed."""
    detail: str | None


LAST = 3
"""How many attempts in a row must have failed before a pilot gets no more jobs."""
QUICKLY = timedelta(minutes=1)
"""A payload that fails so soon may not be to blame for it."""
REMEMBERED = timedelta(hours=1)
"""For so long unfit pilots count against their CE."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How an attempt of a pilot ended: `reason` of one that failed, whose job it was, and how long it took."""

    reason: Reason | None
    account_id: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Waiting jobs of a task queue that fit a CE; so many of them fit into one of its slots at a time.

    `rank` is what one costs there, in points of its VO, less is better; None when the VO weighs nothing.
    """

    vo: int
    task_queue_id: int
    jobs: int
    at_once: int = 1
    rank: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        """The task queue."""
        return self.vo, self.task_queue_id


@dataclass(frozen=True, kw_only=True)
class CeLoad:
    """A CE with the demand that fits it and the pilots it has: the snapshot that provisioning plans from.

    `busy` pilots have a payload, `idle` ones do not yet; `unfit` are those of late whose jobs all failed.
    """

    ce_id: int
    max_pilots: int
    busy: int
    idle: int
    queues: tuple[Fit, ...]
    unfit: int = 0

    @property
    def health(self) -> float:
        """From 1, nothing bad is known, towards 0: pilots are unfit there, and none runs well."""
        return (self.busy + 1) / (self.busy + self.unfit + 1)


@dataclass(frozen=True, kw_only=True)
class Login:
    """A pilot's answer to its login."""

    token: str
    expires_in: int
    next_secret: str
    beat_every: float


@dataclass(frozen=True, kw_only=True)
class PilotRow:
    """A pilot as lists show it."""

    pilot_id: int
    stamp: str
    state: PilotState
    ce: str
    site: str
    reference: str | None
    created_at: datetime
    ended_at: datetime | None
    last_beat: datetime | None
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class CePilots:
    """The pilots of one CE: how many are in each state, of those that ended only the latest.

    Of `unfit` ones all jobs failed where they were.
    """

    ce: str
    site: str
    new: int
    submitted: int
    running: int
    done: int
    failed: int
    lost: int
    unfit: int
    max_pilots: int


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A pilot that somebody else's factory manages, as it was registered; the words are the factory's own."""

    stamp: str
    reference: str
    status: str
    destination_site: str
    grid_site: str
    grid_type: str


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A pilot that somebody else's factory manages, with what has been said of it since."""

    pilot_id: int
    stamp: str
    reference: str
    status: str
    status_reason: str | None
    destination_site: str
    grid_site: str
    grid_type: str
    queue: str | None
    benchmark: float | None
    current_job: int | None
    accounting_sent: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, kw_only=True)
class CeSettings:
    """What provisioning needs of a CE."""

    ce_id: int
    vo: int
    vo_name: str
    site_id: int
    name: str
    site: str
    plugin: str
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])

"""The words of transfers: requests and their states, attempts, sources. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from sancho.replicas.model import ReplicaKey
from sancho.rses.model import Rse


class RequestState(Enum):
    """Where a request is in its life; the value is its letter in the database.

    DONE and FAILED are news that rules have not acted upon yet: settling the
    locks removes a request that is done, and marks one that failed as stuck.
    """

    WAITING = "W"
    ACTIVE = "A"
    DONE = "D"
    FAILED = "F"
    STUCK = "S"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


TRANSITIONS: Mapping[RequestState, frozenset[RequestState]] = {
    RequestState.WAITING: frozenset({RequestState.ACTIVE, RequestState.FAILED}),
    RequestState.ACTIVE: frozenset({RequestState.WAITING, RequestState.DONE, RequestState.FAILED}),
    RequestState.DONE: frozenset(),
    RequestState.FAILED: frozenset({RequestState.STUCK}),
    RequestState.STUCK: frozenset({RequestState.WAITING}),
}
"""From each state, those a request may go to; any request may also be cancelled or forgotten, which removes it."""


class TransferState(Enum):
    """Where an attempt is in its life."""

    ACTIVE = "A"
    DONE = "D"
    FAILED = "F"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as its owner sees it; times are aware."""

    request_id: int
    vo: int
    did: str
    size: int
    rse: str
    source: str | None
    """RSE of the newest attempt."""
    state: RequestState
    tries: int
    activity: str
    created_at: datetime
    not_before: datetime | None
    """When a waiting request is tried next."""
    error: str | None


class RequestsAsked(NamedTuple):
    """Which requests to list: in these states, to an RSE, whose newest attempt is from an RSE; None: whatever."""

    states: Sequence[RequestState] | None = None
    rse: str | None = None
    source: str | None = None
    did_id: int | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A request that this worker has taken from the queue, and what it needs to know of the file."""

    request_id: int
    vo: int
    vo_name: str
    did_id: int
    scope: str
    name: str
    size: int
    adler32: str | None
    account_id: int
    """Owner of the file: who the ledger books the transfer on."""
    rse_id: int
    tries: int
    priority: int
    traceparent: str | None
    failed_rse_ids: tuple[int, ...]
    """Sources of failed attempts, the newest first."""
    path: str | None = None
    """Where the replica is to lie, when that does not follow from the file's id."""

    @property
    def key(self) -> ReplicaKey:
        """The replica that is to be made."""
        return ReplicaKey(self.did_id, self.rse_id)


@dataclass(frozen=True, slots=True)
class Started:
    """A claimed request, the attempt that has begun, and between which RSEs."""

    transfer_id: int
    request: Claimed
    source: Rse
    destination: Rse
    source_path: str | None = None
    """Where the file lies there, when that does not follow from its id."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed; `source_bad`: the source has not got the file, or got it wrong."""

    reason: str
    source_bad: bool = False
    retry_after: timedelta | None = None
    """How long a storage itself asked us to wait."""


class Tried(NamedTuple):
    """What became of a request so far: how often it was tried, from where last, and when that ended."""

    tries: int
    source: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkNow:
    """What goes on between two RSEs: attempts under way, those that failed of late, and why the last one did."""

    source: str
    rse: str
    active: int
    failed: int
    error: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """Where a file could be fetched from."""

    rse_id: int
    distance: int


class Foreseen(NamedTuple):
    """What would come of a transfer now: the nearest source, if the destination takes it and any gives it."""

    takes: bool
    """The destination can be written."""
    source: str | None
    away: tuple[str, ...]
    """RSEs that have the file and would be a source if they could be read."""
    unlinked: tuple[str, ...]
    """RSEs that have the file, and no link to the destination."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A request that was removed because its replica is available; `stuck` if it was counted as stuck."""

    did_id: int
    rse_id: int
    stuck: bool

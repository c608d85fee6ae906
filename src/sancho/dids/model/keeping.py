"""The words of lifetime exceptions. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sancho.dids.model.catalogue import DidKind


class LifetimeExceptionState(Enum):
    """Where a lifetime exception is in its life; the value is its letter in the database."""

    WAITING = "W"
    """For somebody who manages DIDs: it keeps nothing yet."""
    APPROVED = "A"
    REJECTED = "R"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


KEEPING_TRANSITIONS: Mapping[LifetimeExceptionState, frozenset[LifetimeExceptionState]] = {
    LifetimeExceptionState.WAITING: frozenset({LifetimeExceptionState.APPROVED, LifetimeExceptionState.REJECTED}),
    LifetimeExceptionState.APPROVED: frozenset(),
    LifetimeExceptionState.REJECTED: frozenset(),
}
"""From each state, those a lifetime exception may go to: it is decided once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifetimeException:
    """A wish that DIDs be kept until a time, and what was decided about it."""

    exception_id: int
    account: str
    """Who asks."""
    state: LifetimeExceptionState
    until: datetime
    reason: str | None
    """None when the person who wrote it was erased."""
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None
    """What was said to it."""
    dids: int
    """How many it is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A DID that a lifetime exception is about, as it is now."""

    did_id: int
    did: str
    kind: DidKind
    ends_at: datetime | None
    begun: bool
    """It is being erased."""
    erased: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEntry:
    """One DID of one lifetime exception, in a list of many."""

    exception_id: int
    account: str
    state: LifetimeExceptionState
    until: datetime
    reason: str | None
    created_at: datetime
    scope: str
    name: str
    kind: DidKind

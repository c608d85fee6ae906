"""The words of decisions: stored policy, audit row, batch, verdict, explanation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sancho.kit.policy import Effect

MOST_ROWS = 10_000
"""Rows of one batch."""
LONGEST = 500
"""Characters of a text in the log; what is longer is cut."""


@dataclass(frozen=True, kw_only=True)
class StoredPolicy:
    """A policy as its document says."""

    vo: int
    name: str
    effect: Effect
    permissions: tuple[str, ...]
    groups: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    things: tuple[str, ...] = ()
    """Patterns, spelled out."""
    reason: str
    plugin: str | None = None
    settings: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)


@dataclass(frozen=True, kw_only=True)
class StoredRights:
    """The groups of an account with their permissions, and the policies that may concern it."""

    roles: dict[str, tuple[str, ...]]
    policies: tuple[StoredPolicy, ...]


@dataclass(frozen=True, kw_only=True)
class AuditRow:
    """One decision, as it was written down."""

    audit_id: int
    vo: int
    at: datetime
    account: str
    pilot_id: int | None
    permission: str
    thing: str | None
    """What it was about; the first of `items`."""
    items: int
    allowed: bool
    why: str
    route: str | None
    trace_id: str | None
    client: str | None


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Sealed rows of a VO: those after the batch before, up to `last_id`."""

    number: int
    rows: int
    last_id: int
    sealed_at: datetime
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Where a chain begins whose older part the owner of the database has dropped: the last batch that is gone."""

    number: int
    last_id: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Head:
    """A batch that somebody remembers: its number, and its hash as hex digits."""

    number: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.number}:{self.sha256}"


@dataclass(frozen=True, kw_only=True)
class Dropped:
    """What was dropped of a VO's log: everything up to `head`."""

    vo: str
    batches: int
    rows: int
    head: Head


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """A batch that is about to be written."""

    vo: int
    number: int
    rows: int
    last_id: int
    sha256: bytes


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What came of checking a chain from its beginning, or from where it was dropped to."""

    intact: bool
    batches: int
    """How many were found right."""
    rows: int
    dropped: int
    """How many there were before, which the owner of the database has dropped."""
    head: str | None
    """Number and hash of the last batch that is right: to be kept elsewhere and checked against later."""
    broken: int | None = None
    """The number of the first batch that is not right."""
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """A decision that was asked about."""

    account: str
    permission: str
    on: str | None
    allowed: bool
    because: tuple[str, ...]
    needed: tuple[str, ...]
    """What would have to change; empty when it is allowed."""

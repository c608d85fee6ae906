"""Rules and locks, their states, and what is planned for them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple, NotRequired, TypedDict

from sancho.dids.model import DidKind

LARGE = 20_000
"""Files above which a rule is placed, and locks above which it is removed, in the background."""
BATCH = 10_000
"""Files placed, or locks removed, in one transaction of the background."""
FIRST_RETRY = timedelta(minutes=5)
"""When a rule with stuck locks is tried again; each further time it is twice as long."""
LONGEST_RETRY = timedelta(hours=6)
RETRIES = 10
"""How often that is done by itself."""
SHORT_OF_ROOM = timedelta(minutes=1)
"""When a rule whose files do not all have locks is tried again, for want of quota or RSEs."""
BEING_DELETED = timedelta(seconds=15)
"""The same, when a replica that it wants is just being deleted."""


class RuleState(Enum):
    """Where a rule is in its life; the value is its letter in the database."""

    WAITING = "W"
    """For somebody's approval: it holds nothing yet."""
    INJECTING = "I"
    REPLICATING = "R"
    OK = "O"
    STUCK = "S"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


TRANSITIONS: Mapping[RuleState, frozenset[RuleState]] = {
    RuleState.WAITING: frozenset({RuleState.INJECTING}),
    RuleState.INJECTING: frozenset({RuleState.REPLICATING, RuleState.OK, RuleState.STUCK}),
    RuleState.REPLICATING: frozenset({RuleState.OK, RuleState.STUCK}),
    RuleState.OK: frozenset({RuleState.REPLICATING, RuleState.STUCK}),
    RuleState.STUCK: frozenset({RuleState.REPLICATING, RuleState.OK}),
}
"""From each state, those a rule may go to; a rule of any state may be deleted."""


class LockState(Enum):
    """How a lock fares, as read from its replica and its transfer request."""

    OK = "ok"
    REPLICATING = "replicating"
    STUCK = "stuck"


class RuleTerms(TypedDict):
    """What a rule asks for, whatever the DID."""

    copies: int
    rse_expression: str
    lifetime: NotRequired[timedelta | None]
    """None, or absent: for ever."""
    activity: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class RuleRequest:
    """What somebody asks for: copies of `did` (`scope:name`) on RSEs that match, for so long; None: for ever."""

    did: str
    copies: int = 1
    rse_expression: str
    lifetime: timedelta | None = None
    activity: str = "default"
    comment: str | None = None
    ask_approval: bool = False
    """It waits until somebody who may has approved it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule and how far it is carried out: locks that are ok, replicating and stuck."""

    rule_id: int
    vo: int
    account_id: int
    account: str
    did_id: int
    did: str
    state: RuleState
    complete: bool
    copies: int
    rse_expression: str
    rses: tuple[str, ...]
    """RSEs that were chosen; none while there was nothing to place."""
    activity: str
    ok: int
    replicating: int
    stuck: int
    created_at: datetime
    expires_at: datetime | None
    comment: str | None
    error: str | None
    kind: DidKind
    """Of the DID."""
    locked: bool
    """It is neither withdrawn, moved, nor removed at its end, until it is unlocked."""
    replaces: int | None
    """The rule that goes once this one is ok."""
    replaced_by: int | None
    """The rule that this one goes for, once that is ok."""

    @property
    def locks(self) -> int:
        """How many locks the rule has."""
        return self.ok + self.replicating + self.stuck


@dataclass(frozen=True, slots=True)
class Lock:
    """One rule's hold on one replica, with what its transfer last ran into."""

    did_id: int
    rse_id: int
    did: str
    rse: str
    size: int
    state: LockState
    error: str | None


class Asked(NamedTuple):
    """Which rules to list; None: whatever. The expression exactly so, `kind` of the DID, made at or after `since`."""

    account: str | None = None
    scope: str | None = None
    name: str | None = None
    state: RuleState | None = None
    rse_expression: str | None = None
    activity: str | None = None
    kind: DidKind | None = None
    since: datetime | None = None
    before: datetime | None = None
    copies: int | None = None
    locked: bool | None = None
    comment: str | None = None


class Change(NamedTuple):
    """What to change of a rule: those of its terms that are named in `fields`; `copies` when it moves alone."""

    fields: frozenset[str]
    lifetime: timedelta | None = None
    """From now on; None: for ever."""
    comment: str | None = None
    activity: str = "default"
    """Of the transfers that are asked for from now on."""
    locked: bool = False
    account: str | None = None
    """Whose rule it is, and who is charged for it."""
    copies: int = 1


class EventKind(Enum):
    """What was done to a rule; the value is its letter in the database."""

    MADE = "M"
    CHANGED = "C"
    APPROVED = "A"
    DENIED = "D"
    MOVED = "V"
    REDUCED = "R"
    WITHDRAWN = "W"
    REPLACED = "P"
    ENDED = "E"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class RuleEvent:
    """What was done to a rule, by whom (None: it happened by itself), and what the rule was then."""

    event_id: int
    kind: EventKind
    at: datetime
    by: str | None
    rule_id: int
    did: str
    account: str
    state: RuleState
    copies: int
    rse_expression: str
    ok: int
    replicating: int
    stuck: int
    made_at: datetime
    detail: str | None


class DatasetLock(NamedTuple):
    """What a rule holds of a dataset on an RSE: how many files, their bytes, and how many are not there yet."""

    did_id: int
    scope: str
    name: str
    rule_id: int
    account: str
    rse_id: int
    rse: str
    files: int
    size: int
    replicating: int
    stuck: int

    @property
    def state(self) -> LockState:
        """Stuck when any file is, ok when all are."""
        return LockState.STUCK if self.stuck else LockState.REPLICATING if self.replicating else LockState.OK


class Target(NamedTuple):
    """A rule that wants locks, as placement sees it."""

    rule_id: int
    account_id: int
    did_id: int
    copies: int
    rse_expression: str
    rse_ids: tuple[int, ...]
    activity: str
    in_turn: tuple[int, ...] = ()
    """Files whose transfers are asked for in this order; empty: in any."""


class Arrival(NamedTuple):
    """A new file, the RSE where it lies, whose it is, and what is wished for it alone."""

    did_id: int
    rse_id: int
    account_id: int
    size: int
    terms: RuleTerms | None


class RuleOn(NamedTuple):
    """A rule that is to go; `injecting`: it is still being placed."""

    rule_id: int
    did_id: int
    account_id: int
    locks: int
    injecting: bool


class Holding(NamedTuple):
    """What a rule holds on one RSE: how many files, their bytes, and how many of them are there."""

    rse_id: int
    files: int
    size: int
    ok: int


class Holder(NamedTuple):
    """A rule that holds something, whose it is, and the DID it is on."""

    rule_id: int
    account: str
    did: str


class Withdrawal(NamedTuple):
    """Rules that are gone, and the first of those that still hold what they were on.

    `looked_at`: so many files of a dataset were looked at for these, for one has more; None: all.
    """

    withdrawn: list[int]
    held_by: list[Holder]
    looked_at: int | None


class Want(NamedTuple):
    """A lock that a rule should have. Wants are placed in the order of their fields."""

    did_id: int
    rse_id: int
    rule_id: int
    size: int


class Counted(NamedTuple):
    """How some locks of a rule count."""

    rule_id: int
    ok: int
    replicating: int
    stuck: int


class Charge(NamedTuple):
    """Bytes to take from, or when negative to give back to, what an account may use on an RSE.

    `files` and `size` are locked, `held` is set aside for an upload under way.
    """

    account_id: int
    rse_id: int
    files: int
    size: int
    held: int = 0


class Hold(NamedTuple):
    """Bytes set aside for an account on an RSE by `hold_quota`."""

    account_id: int
    rse_id: int
    size: int


class Candidate(NamedTuple):
    """An RSE that a rule could use: what it has of the files, and in all."""

    rse_id: int
    name: str
    writable: bool
    files: int
    """How many of the files are there, or on their way."""
    size: int
    """Bytes of those."""
    used: int
    """Bytes of the whole VO there."""

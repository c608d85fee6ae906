"""Quotas, what is charged to them, and what would come of a rule that they, or something else, stand in the way of."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Quota:
    """What accounts may lock on a set of RSEs, and what room is left; `account` None: all of the VO together."""

    quota_id: int
    name: str
    account_id: int | None
    account: str | None
    rse_expression: str
    rse_ids: tuple[int, ...]
    limit: int
    room: int
    over: int
    """Bytes charged beyond a limit that was lowered."""

    @property
    def charged(self) -> int:
        """Bytes locked, or held for uploads."""
        return self.limit - self.room + self.over

    def covers(self, account_id: int, rse_id: int) -> bool:
        """Say whether bytes of this account on this RSE count."""
        return self.account_id in (None, account_id) and rse_id in self.rse_ids


@dataclass(frozen=True, slots=True)
class Prospect:
    """What would come of placing what a rule lacks now: why it could not be, if it could not, and what would help."""

    files: int
    """That have not all their locks, as far as was looked."""
    size: int
    reason: str | None = None
    lacking: tuple[tuple[Quota, int], ...] = ()
    """Quotas, and how many bytes more each would have to have."""
    unwritable: tuple[str, ...] = ()
    """RSEs any of which would do if it could be written."""
    copies: int | None = None
    """So many copies could be placed."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What an account locks on an RSE, and what is held for its uploads."""

    account_id: int
    account: str
    rse_id: int
    rse: str
    files: int
    size: int
    held: int


class UsageOn(NamedTuple):
    """What an account locked on an RSE at the end of a day."""

    day: date
    files: int
    size: int


SLOTS = 16
"""Slots of a counter or quota: one for each connection, modulo this."""


class Slot(NamedTuple):
    """A part of the room of a quota."""

    quota_id: int
    slot: int
    room: int


class Bill(NamedTuple):
    """What one quota is to be charged; negative: given back. `over`: it may be charged beyond its limit already."""

    quota_id: int
    size: int
    over: bool

"""Whose data may be copied, to where, and what a copy is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sancho.jobs.model import Slot
from sancho.matching.model import Inputs, Queue

FULL_AFTER = timedelta(hours=1)
"""Jobs that will not have begun after so long find the sites with their data full, unless their VO says otherwise."""
LIFETIME = timedelta(days=7)
"""How long a copy stays at most, unless the VO says otherwise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """What a VO allows: bytes that copies may hold together, where they may be, and when there is need of one."""

    most: int
    full_after: timedelta
    lifetime: timedelta
    rse_expression: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A queue of jobs with inputs, the DIDs that they are named by, and what of it began of late.

    `first` is when the first of the `begun` jobs began.
    """

    queue: Queue
    did_ids: tuple[int, ...]
    inputs: Inputs
    begun: int = 0
    first: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteSeen:
    """The slots of a site's compute elements that take jobs of the VO, and how many pilots more they could have."""

    slots: tuple[Slot, ...]
    free: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Disk:
    """An RSE that a copy may go to, and how far it is from the nearest RSE of each site that it can be sent from."""

    rse_id: int
    name: str
    site_id: int
    distances: Mapping[int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Copy:
    """The inputs of a queue are to be copied to an RSE."""

    did_ids: tuple[int, ...]
    rse_id: int
    rse: str
    size: int

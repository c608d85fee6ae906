"""The words of demand: what jobs that wait or run want of data, and what is held for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sancho.dids.model import DidKind

DEMAND_ACCOUNT = "sancho.demand"
"""The service account whose rules pin what jobs want; quotas of the VO, and its own if it has any, bound it."""
GRACE = timedelta(hours=1)
"""So long after the last job that wanted it data stays pinned, for those who submit again."""
RECALL = "recall"
"""The activity of transfers that bring files from tape for jobs."""
RECALLS = 100
"""Recalls that one VO has under way from one RSE, unless the RSE's attribute `recalls` says otherwise."""
SPARED = timedelta(hours=1)
"""So long a replica stays that jobs want when the last rule lets go of it: longer than it takes to pin it."""


class Demand(NamedTuple):
    """How many jobs want a DID that wait (for it, or for a pilot) and that run, and what it is: files and bytes."""

    did_id: int
    waiting: int
    running: int
    files: int = 0
    size: int = 0


class Wanted(NamedTuple):
    """How many jobs want a DID, since when any does, and the rule that pins its files, if that is needed."""

    waiting: int
    running: int
    since: datetime
    rule_id: int | None


class Copy(NamedTuple):
    """A replica, which jobs can read, of a file that they want by the name of a DID, `root`.

    `free`: nothing holds it, and it may be deleted. `pinned`: it is held for them.
    """

    root: int
    did_id: int
    rse_id: int
    size: int
    free: bool
    pinned: bool


class Pin(NamedTuple):
    """A replica to be held for those who want a DID, `root`."""

    did_id: int
    rse_id: int
    root: int
    size: int


class OnTape(NamedTuple):
    """A file that jobs want by the name of a DID, `root`, and that is on a tape and on no disk, nor on its way to one.

    Of files on an RSE the order of `tape`, `position` and then `n` is that in which they are recalled; a file of which
    nobody said where it is has no tape, and comes after others by its dataset and name.
    """

    root: int
    did_id: int
    rse_id: int
    size: int
    tape: str | None
    position: int | None
    n: int


class TapeRse(NamedTuple):
    """An RSE whose replicas are on tapes: disks that recalls may go to, the best first, and how many may begin now."""

    rse_id: int
    disk_ids: tuple[int, ...]
    free: int


class At(NamedTuple):
    """How much of a DID an RSE has."""

    rse: str
    tape: bool
    files: int
    size: int


class Doing(StrEnum):
    """What is done about what jobs want."""

    PIN = "pin"
    """What is there is kept for them by a rule."""
    RECALL = "recall"
    COPY = "copy"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """The files of a DID, `root`, that are on no disk.

    On tape, on their way to a disk, of those the ones that are recalled from a tape, and those that are nowhere.
    """

    root: int
    files: int = 0
    size: int = 0
    on_tape: int = 0
    coming: int = 0
    recalled: int = 0
    nowhere: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Demanded:
    """A DID that jobs want, and since when any does; the rule that pins its files, if that is needed.

    `lacking` is None where nobody has looked, for it has too many files.
    """

    did_id: int
    did: str
    kind: DidKind
    open: bool
    waiting: int
    running: int
    files: int
    size: int
    since: datetime
    rule_id: int | None
    at: tuple[At, ...] = ()
    lacking: Lacking | None = None

    @property
    def there(self) -> bool:
        """Whether nothing of it is known to be missing: it is complete, and all of it on disks."""
        return not self.open and self.lacking is not None and not self.lacking.files

    @property
    def doing(self) -> tuple[Doing, ...]:
        """What is done about it."""
        missing = self.lacking or Lacking(root=self.did_id)
        done = {
            Doing.PIN: self.rule_id is not None, Doing.RECALL: missing.recalled > 0,
            Doing.COPY: missing.coming > missing.recalled,
        }  # fmt: skip
        return tuple(one for one, so in done.items() if so) or (Doing.NOTHING,)

"""Queues, owners, limits and offers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sancho.jobs.model import Requirement, Slot
from sancho.matching.model.ranking import FREE, Bytes, Rank, Rates

PATIENCE = timedelta(minutes=10)
"""How long a job waits for the site that has most of its bytes, before any site will do."""
HALF_LIFE = timedelta(hours=24)
"""After so long, what an owner has used counts half."""

LimitKey = tuple[int, str]
"""A limit: its VO and its name."""
QueueKey = tuple[int, int]
"""A task queue: its VO and its id."""
SetKey = tuple[int, int]
"""An input set: its VO and its id."""


def each_takes(span: timedelta, begun: int) -> timedelta:
    """How long it is from one beginning to the next, when in the span since the first of them so many jobs began."""
    return span / (begun - 0.5)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Whom a job counts for: its account, in a group, in a VO."""

    vo: int
    group_id: int
    account_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What limits tell jobs apart by, beside where they run."""

    vo: int
    type: str | None
    group_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Limit:
    """At most so many jobs of a type and of a group may run at a site; None: of all of them together."""

    key: LimitKey
    most: int
    site_id: int | None = None
    type: str | None = None
    group_id: int | None = None

    def counts(self, label: Label, site_id: int) -> bool:
        """Whether a job with this label at this site counts."""
        return self.site_id in (None, site_id) and self.covers(label)

    def covers(self, label: Label) -> bool:
        """Whether a job with this label counts somewhere."""
        return self.key[0] == label.vo and self.type in (None, label.type) and self.group_id in (None, label.group_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue:
    """A task queue as the matcher knows it: what its jobs want, whose they are, how many wait."""

    key: QueueKey
    owner: Owner
    type: str | None
    priority: int
    ways: tuple[Requirement, ...]
    input_set_id: int | None
    waiting: int

    @property
    def input_set(self) -> SetKey | None:
        """What its jobs read."""
        return None if self.input_set_id is None else (self.key[0], self.input_set_id)

    @property
    def label(self) -> Label:
        """What limits see of its jobs."""
        return Label(vo=self.key[0], type=self.type, group_id=self.owner.group_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Where the files of an input set are: bytes by site. `since`: when the first of its jobs began to wait."""

    site_sizes: dict[int, int]
    since: datetime | None = None
    size: int = 0
    """All its bytes; 0 where that is not known."""

    def at(self, site_id: int, warm: int = 0) -> Bytes:
        """How far they are from a site, at which `warm` bytes lie in a cache besides."""
        near = self.site_sizes.get(site_id, 0)
        return Bytes(far=max(0, self.size - near - warm), near=near)

    def sites(self, now: datetime | None) -> frozenset[int] | None:
        """The sites that have the most of it: jobs run there alone, until they have waited for long. None: anywhere."""
        if not self.site_sizes or (self.since and now and now - self.since >= PATIENCE):
            return None
        most = max(self.site_sizes.values())
        return frozenset(site_id for site_id, size in self.site_sizes.items() if size == most)


@dataclass(frozen=True, kw_only=True, slots=True)
class Looked:
    """A task queue as the matcher knows it, at a moment, and what it knows of where its jobs could run."""

    queue: Queue
    inputs: Inputs | None
    complete: bool
    """Whether all its inputs are available, so that a match may have its next job."""
    slots: dict[int, tuple[int, Slot]]
    """The site and the slot of each CE, by its id; both name sites by their ids."""
    ranks: Mapping[int, Rank] = field(default_factory=dict[int, Rank])
    """What one of its jobs costs at the CEs that fit it, by id; none when its VO weighs nothing."""

    def near(self, site_id: int, now: datetime) -> bool:
        """Say whether its jobs may run at a site now, as far as their inputs go."""
        sites = None if self.inputs is None else self.inputs.sites(now)
        return sites is None or site_id in sites


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """What a pilot says it can run, and for whom. The slot's `walltime` is what is left of it."""

    pilot_id: int
    site_id: int
    vos: tuple[int, ...]
    slot: Slot
    rates: Rates = FREE
    warm: Mapping[SetKey, int] = field(default_factory=dict[SetKey, int])
    """Bytes of input sets that the pilot says it has at hand: a preference, and nothing else."""
    whole: Slot | None = None
    """All of the pilot's slot, of which it offers what is free; None for a pilot that does not say it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Warm:
    """What a pilot says it has at hand, of one VO: DIDs as (scope, name), of files or of datasets."""

    vo: str
    dids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A task queue whose next job a pilot may have: in which of its ways, with how many cores."""

    queue: Queue
    way: int
    cores: int

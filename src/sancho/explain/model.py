"""The words of explanations. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

MOST_TOLD = 8
"""Things of a kind that an answer names."""


class Cause(StrEnum):
    """What kind of thing keeps something from going on."""

    STATE = "state"
    ATTEMPTS = "attempts"
    ACCOUNT = "account"
    JOBS = "jobs"
    INPUTS = "inputs"
    REQUIREMENT = "requirement"
    OFF = "off"
    DISTANCE = "distance"
    LIMIT = "limit"
    SLOTS = "slots"
    SHARE = "share"
    ORDER = "order"
    APPROVAL = "approval"
    QUOTA = "quota"
    PLACEMENT = "placement"
    DESTINATION = "destination"
    SOURCE = "source"
    TRANSFER = "transfer"
    REPLICA = "replica"
    SIGN_OF_LIFE = "sign_of_life"
    HEALTH = "health"


@dataclass(frozen=True, kw_only=True, slots=True)
class Blocker:
    """Something that keeps a thing from going on; `things` are those that it is about, a few of them."""

    cause: Cause
    says: str
    hint: str | None = None
    things: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What would have to be otherwise: which part, and how, such as "it asked for at most 2 GB of memory"."""

    part: str
    says: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Would:
    """What would happen if all these changes were made; by a CE and its site, where it is about one."""

    says: str
    changes: tuple[Change, ...] = ()
    ce: str | None = None
    site: str | None = None


Fact = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """When a job may start, and how that was reckoned: never a promise. None where nobody can know, as `says` says."""

    says: str
    earliest: datetime | None = None
    latest: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """What is known of a thing, in words: `says` in one sentence, `facts` by their titles."""

    kind: str
    name: str
    state: str
    says: str
    blockers: tuple[Blocker, ...] = ()
    would: tuple[Would, ...] = ()
    start: Start | None = None
    """Of a job that waits."""
    facts: Mapping[str, Fact] = field(default_factory=dict[str, Fact])


def would(what: str, changes: tuple[Change, ...], *, ce: str | None = None, site: str | None = None) -> Would:
    """Say what would happen, and under which changes; without any it simply will."""
    says = what if not changes else f"{what} if {' and '.join(change.says for change in changes)}"
    return Would(says=says, changes=changes, ce=ce, site=site)


def few(names: tuple[str, ...] | list[str]) -> tuple[str, ...]:
    """The first of some names, and how many more there are."""
    rest = len(names) - MOST_TOLD
    return (*names[:MOST_TOLD], f"and {rest} more") if rest > 0 else tuple(names)


def in_bytes(size: int) -> str:
    """Bytes for people, in powers of ten as storages count; exact where that is as short."""
    for power, unit in ((15, "PB"), (12, "TB"), (9, "GB"), (6, "MB"), (3, "kB")):
        if abs(size) >= 10**power:
            return f"{size / 10**power:.15g} {unit}" if size % 10 ** (power - 3) == 0 else f"{size} B"
    return f"{size} B"

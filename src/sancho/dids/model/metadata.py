"""The words of metadata and searches. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from sancho.dids.model.catalogue import Did, DidKind
from sancho.kit.query import Query


class MetadataKind(StrEnum):
    """What the values of a key are; the value is its letter in the database."""

    TEXT = "T"
    INTEGER = "I"
    NUMBER = "N"
    BOOLEAN = "B"
    TIME = "W"
    TEXTS = "A"
    NUMBERS = "M"

    @property
    def word(self) -> str:
        """The kind as people and the API say it."""
        return self.name.lower()

    @property
    def is_array(self) -> bool:
        """Say whether a DID may have many values of it."""
        return self in (MetadataKind.TEXTS, MetadataKind.NUMBERS)


Value: TypeAlias = str | int | float | bool | list[str] | list[float]
"""What a key may say of a DID."""


@dataclass(frozen=True, slots=True)
class MetadataTerms:
    """What the values of a key must be like, and what they mean."""

    dids: Sequence[str] = ("file", "dataset", "container")
    """Kinds of DIDs that may carry it."""
    unit: str | None = None
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    vocabulary: Sequence[str] | None = None
    pattern: str | None = None
    indexed: bool = True
    """Wants a slot, and so to be searched without saying where."""


@dataclass(frozen=True, slots=True)
class MetadataKey:
    """A key that DIDs of a VO may carry. `slot`: the place where searches look for it; None, they do not."""

    key_id: int
    name: str
    kind: MetadataKind
    slot: int | None
    terms: MetadataTerms

    @property
    def is_searched(self) -> bool:
        """Say whether it can be searched for everywhere."""
        return self.kind.is_array or self.slot is not None


class Described(NamedTuple):
    """A DID and its metadata."""

    did: Did
    document: dict[str, Value]


class Search(NamedTuple):
    """What to look for: DIDs of these kinds that meet the query, if there is one.

    `scope` and `within`, a collection, say where; None, everywhere in the VO. With `inherit`, what collections say
    counts for what is below them.
    """

    wanted: Query | None = None
    scope: str | None = None
    within: str | None = None
    kinds: Sequence[DidKind] = tuple(DidKind)
    inherit: bool = False
    prefix: str = ""


class Found(NamedTuple):
    """A page of what a search finds, and the id after which the next one begins; None: there is none."""

    dids: list[Did]
    following: int | None


class SmartDataset(NamedTuple):
    """A dataset that follows a search; `fault` says why it does not at the moment."""

    did_id: int
    query: str
    scope: str | None
    refreshed_at: datetime | None
    fault: str | None


class Refreshed(NamedTuple):
    """How many files came into a smart dataset, and how many went out of it."""

    attached: int
    detached: int
    more: int
    """The id above which more of them are still to do so; 0: that was all."""


def item_of(value: str | float) -> str:
    """A value of an array, in the spelling by which it is searched for: one for each number."""
    return value if isinstance(value, str) else repr(float(value))

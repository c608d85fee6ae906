"""The words of sharing."""

from dataclasses import dataclass

from sancho.dids.model import Did
from sancho.kit.access import Principal
from sancho.kit.db import Connection

KIND = "DatasetGrant"
"""The kind of documents that let other VOs read a dataset; each has the dataset's name."""


def owner_of(name: str) -> tuple[str | None, str]:
    """Take `VO/scope:name` apart, the name of another VO's dataset; None for `scope:name`, which is one's own."""
    owner, slash, did = name.partition("/")
    return (owner, did) if slash and ":" not in owner else (None, name)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A dataset of another VO, open for reading: a transaction of its owner, and the reader as a guest there."""

    conn: Connection
    did: Did
    guest: Principal


@dataclass(frozen=True, kw_only=True)
class Lent:
    """Datasets of another VO that a part of a transaction may read, and the VO whose they are."""

    vo: int
    dids: list[Did]


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A dataset that somebody's VO may read, and whose it is."""

    vo: str
    did: str

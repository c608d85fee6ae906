"""The words of sharing."""

from dataclasses import dataclass

from sancho.dids.model import Did
from sancho.kit.access import Principal
from sancho.kit.db import Connection

KIND = "DatasetGrant"
"""The kind of documents that let other VOs read a dataset; each has the dataset's name."""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A dataset of another VO, open for reading: a transaction of its owner, and the reader as a guest there."""

    conn: Connection
    did: Did
    guest: Principal


@dataclass(frozen=True, kw_only=True)
class Offered:
    """A dataset that somebody's VO may read, and whose it is."""

    vo: str
    did: str

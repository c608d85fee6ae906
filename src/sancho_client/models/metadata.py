"""Metadata: keys, what DIDs say by them, and datasets that follow a search."""

from datetime import datetime
from typing import Any

from sancho_client.models.base import Answer


class MetadataKey(Answer):
    """A key that DIDs may carry; `searched`: it can be searched for everywhere, not only in a scope or collection."""

    name: str
    kind: str
    searched: bool
    dids: tuple[str, ...]
    unit: str | None = None
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    vocabulary: tuple[str, ...] | None = None
    pattern: str | None = None


class Metadata(Answer):
    """A DID and what it says."""

    did: str
    metadata: dict[str, Any]


class SmartDataset(Answer):
    """The search that a dataset follows, when it last did, and why it does not at the moment, if it does not."""

    did: str
    where: str
    scope: str | None = None
    refreshed_at: datetime | None = None
    fault: str | None = None


class Refreshed(Answer):
    """Files that came into a dataset, and that went out; `more`: the server goes on with the rest."""

    attached: int
    detached: int
    more: bool

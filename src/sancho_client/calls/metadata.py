"""Metadata, searches, and datasets that follow a search."""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any

from sancho_client.call import Call, Pages, body, did_path
from sancho_client.models.data import Did
from sancho_client.models.metadata import Metadata, MetadataKey, Refreshed, SmartDataset


def keys() -> Pages[MetadataKey]:
    """The keys that DIDs of the VO may carry."""
    return Pages(path="/v1/metadata/keys", item=MetadataKey)


def describe(said: Mapping[str, Mapping[str, Any]]) -> Call[None]:
    """Let DIDs, by name, say something: all, or none. What they say by other keys stays; None removes."""
    sent = {"dids": [{"did": did, "metadata": dict(metadata)} for did, metadata in said.items()]}
    return Call(method="POST", path="/v1/metadata", answer=NoneType, json=sent, repeatable=True)


def of(did: str, *, inherit: bool = False) -> Call[Metadata]:
    """What a DID says; with `inherit`, also what the collections above it say, the nearest first."""
    query = {"inherit": True if inherit else None}
    return Call(method="GET", path=f"/v1/metadata/of/{did_path(did)}", answer=Metadata, query=query)


def of_many(dids: Sequence[str], *, inherit: bool = False) -> Call[list[Metadata]]:
    """What DIDs say, in the order given."""
    sent = body(dids=list(dids), inherit=inherit)
    return Call(method="POST", path="/v1/metadata/list", answer=list[Metadata], json=sent, repeatable=True)


def find(
    where: str, *, scope: str | None = None, within: str | None = None, kind: str | None = None, inherit: bool = False,
    limit: int | None = None,
) -> Pages[Did]:  # fmt: skip
    """What a search such as `run > 1200 & detector in (ecl, top)` finds, oldest first.

    `scope` and `within`, a collection, say where to look; with `inherit`, what collections say counts below them.
    """
    query = {"where": where, "scope": scope, "within": within, "kind": kind, "inherit": True if inherit else None}
    return Pages(path="/v1/dids", item=Did, query=query, page_size=1000, limit=limit)


def follow(did: str, where: str, *, scope: str | None = None) -> Call[SmartDataset]:
    """Let a dataset, made if there is none, hold the files that a search finds, from now on."""
    sent = body(did=did, where=where, scope=scope)
    return Call(method="POST", path="/v1/smart", answer=SmartDataset, json=sent, repeatable=True)


def followed(did: str) -> Call[SmartDataset]:
    """The search that a dataset follows."""
    return Call(method="GET", path=f"/v1/smart/{did_path(did)}", answer=SmartDataset)


def refresh(did: str) -> Call[Refreshed]:
    """Bring a dataset up to date with its search now."""
    return Call(method="POST", path="/v1/smart/refresh", answer=Refreshed, json={"did": did}, repeatable=True)


def freeze(did: str) -> Call[Did]:
    """Let a dataset follow its search no longer, and close it as it is."""
    return Call(method="POST", path="/v1/smart/freeze", answer=Did, json={"did": did})


def newest(*, kind: str | None = None, limit: int = 100) -> Pages[Did]:
    """The DIDs of the VO that were made last, at most 1000, the newest first."""
    query = {"newest": True, "kind": kind}
    return Pages(path="/v1/dids", item=Did, query=query, page_size=1000, limit=limit)

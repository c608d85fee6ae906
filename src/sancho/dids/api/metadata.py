"""Native routes of metadata and smart datasets."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.api.catalogue import LISTED_AT_ONCE, DidOut, DidText, KindWord
from sancho.dids.errors import (
    CollectionClosed,
    DidMalformed,
    DidNotFound,
    MetadataKeyNotIndexed,
    MetadataKeyUnknown,
    MetadataUnfit,
    NotADataset,
    NotSmart,
    ScopeNotFound,
    ScopeNotYours,
)
from sancho.dids.model import MetadataKey, SmartDataset
from sancho.kit.access import NotYours
from sancho.kit.problem import problems
from sancho.kit.query import LONGEST, QueryMalformed
from sancho.kit.search import SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["metadata"])

MOST_KEYS = 100


class SaidIn(BaseModel, extra="forbid"):
    """What a DID is to say, by key; null: no more. A number, boolean or time may come as text, an array with commas."""

    did: DidText
    metadata: Annotated[dict[str, Any], Field(max_length=MOST_KEYS)]


class MetadataIn(BaseModel, extra="forbid"):
    """What DIDs are to say; a DID that stands here twice says the later."""

    dids: Annotated[list[SaidIn], Field(min_length=1, max_length=LISTED_AT_ONCE)]


class MetadataWish(BaseModel, extra="forbid"):
    """Of which DIDs to show metadata; with `inherit`, also what the collections above them say."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=LISTED_AT_ONCE)]
    inherit: bool = False


class MetadataOut(BaseModel):
    """A DID and what it says."""

    did: str
    metadata: dict[str, Any]


class MetadataKeyOut(BaseModel):
    """A key that DIDs may carry; `searched`: it can be searched for everywhere, not only in a scope or collection."""

    name: str
    kind: str
    searched: bool
    dids: list[KindWord]
    unit: str | None
    description: str
    minimum: float | None
    maximum: float | None
    vocabulary: list[str] | None
    pattern: str | None

    @classmethod
    def of(cls, key: MetadataKey) -> Self:
        """The same as the API says it."""
        terms = {name: value for name, value in asdict(key.terms).items() if name != "indexed"}
        return cls(name=key.name, kind=key.kind.word, searched=key.is_searched, **terms)


@router.get("/metadata/keys")
async def list_keys(caller: Caller, conn: Transaction) -> list[MetadataKeyOut]:
    """List the keys of metadata that DIDs of the VO may carry, by name."""
    return [MetadataKeyOut.of(key) for key in await service.list_keys(conn, caller.vo)]


@router.post(
    "/metadata",
    status_code=204,
    responses=problems(DidMalformed, DidNotFound, NotYours, MetadataKeyUnknown, MetadataUnfit),
)
async def describe(body: MetadataIn, caller: Caller, conn: Transaction) -> None:
    """Let DIDs say something: all of them, or none. What they say by other keys stays."""
    await service.describe(conn, caller, [(one.did, one.metadata) for one in body.dids])


@router.post("/metadata/list", responses=problems(DidMalformed, DidNotFound))
async def list_metadata(body: MetadataWish, caller: Caller, conn: Transaction) -> list[MetadataOut]:
    """Show what DIDs say, in the order given."""
    found = await service.descriptions(conn, caller.vo, body.dids, inherit=body.inherit)
    return [MetadataOut(did=one.did.did, metadata=one.document) for one in found]


@router.get("/metadata/of/{did:path}", responses=problems(DidMalformed, DidNotFound))
async def metadata_of(did: str, caller: Caller, conn: Transaction, inherit: bool = False) -> MetadataOut:
    """Show what a DID says; with `inherit`, also what the collections above it say, the nearest first."""
    (found,) = await service.descriptions(conn, caller.vo, [did], inherit=inherit, field="did")
    return MetadataOut(did=found.did.did, metadata=found.document)


# ---- smart datasets


class SmartIn(BaseModel, extra="forbid"):
    """A dataset, made if there is none, and the search for files that it is to follow."""

    did: DidText
    where: Annotated[str, Field(max_length=LONGEST)]
    scope: Annotated[str | None, Field(max_length=100)] = None


class SmartWish(BaseModel, extra="forbid"):
    """Which smart dataset it is about."""

    did: DidText


class SmartOut(BaseModel):
    """The search that a dataset follows, when it last did, and why it does not at the moment, if it does not."""

    did: str
    where: str
    scope: str | None
    refreshed_at: datetime | None
    fault: str | None

    @classmethod
    def of(cls, did: str, smart: SmartDataset) -> Self:
        """The same as the API says it."""
        return cls(
            did=did, where=smart.query, scope=smart.scope, refreshed_at=smart.refreshed_at, fault=smart.fault
        )  # fmt: skip


class RefreshOut(BaseModel):
    """Files that came into a dataset, and that went out; `more`: a task goes on with the rest."""

    attached: int
    detached: int
    more: bool


@router.post(
    "/smart",
    responses=problems(
        DidMalformed, ScopeNotFound, ScopeNotYours, NotADataset, CollectionClosed, NotYours, QueryMalformed,
        SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit, MetadataKeyNotIndexed,
    ),
)  # fmt: skip
async def follow(body: SmartIn, caller: Caller, conn: Transaction, deployment: Deployed) -> SmartOut:
    """Let a dataset hold the files that a search finds, from now on; a task sees to it within a minute."""
    found = await service.follow(conn, caller, body.did, body.where, deployment.search_fields, scope=body.scope)
    return SmartOut.of(body.did, found)


@router.get("/smart/{did:path}", responses=problems(DidMalformed, DidNotFound, NotSmart))
async def followed(did: str, caller: Caller, conn: Transaction) -> SmartOut:
    """Show the search that a dataset follows."""
    found = await service.get(conn, caller.vo, did)
    return SmartOut.of(did, await service.followed(conn, found))


@router.post("/smart/refresh", responses=problems(DidNotFound, NotSmart, CollectionClosed, NotYours))
async def refresh(body: SmartWish, caller: Caller, conn: Transaction, deployment: Deployed) -> RefreshOut:
    """Bring a smart dataset up to date now."""
    done = await service.refresh_now(conn, caller, body.did, deployment.search_fields)
    return RefreshOut(attached=done.attached, detached=done.detached, more=done.more > 0)


@router.post("/smart/freeze", responses=problems(DidNotFound, NotSmart, NotYours))
async def freeze(body: SmartWish, caller: Caller, conn: Transaction) -> DidOut:
    """Let a dataset follow its search no longer, and close it as it is."""
    return DidOut.of(await service.freeze(conn, caller, body.did))

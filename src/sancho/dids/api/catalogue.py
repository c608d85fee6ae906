"""DIDs, collections and scopes: made, shown, filled, closed."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, model_validator

from sancho.dids import service
from sancho.dids.errors import (
    CollectionClosed,
    CollectionMonotonic,
    Cycle,
    DidExists,
    DidMalformed,
    DidNotFound,
    ErasureBegun,
    IsPublic,
    KindsMismatch,
    MetadataKeyNotIndexed,
    NotACollection,
    ScopeExists,
    ScopeMalformed,
    ScopeNotFound,
    ScopeNotYours,
    WhereMissing,
)
from sancho.dids.model import Did, DidKind, Found, NewCollection, Scope, Search
from sancho.identity.errors import AccountNotFound
from sancho.kit.access import NotYours
from sancho.kit.db import TooSlow
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.query import LONGEST, QueryMalformed, parse
from sancho.kit.search import SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit, read_integer
from sancho.kit.units import Amount, Duration, Time
from sancho.kit.web import Caller, Deployed, Snapshot, Transaction, deployment_of, native

router = native(tags=["dids"])

ATTACHED_AT_ONCE = 10_000
LISTED_AT_ONCE = 1000
DidText = Annotated[str, Field(max_length=300, examples=["mc:run7"])]
PRINTABLE = r"^[^\x00-\x1f]*$"
KindWord = Literal["file", "dataset", "container"]


class CollectionIn(BaseModel, extra="forbid"):
    """A dataset or container to make."""

    did: DidText
    kind: Literal["dataset", "container"]
    monotonic: bool = False
    """Let it only grow: nothing can be taken out of it, ever."""
    lifetime: Duration | None = None
    """Erase it so long after now; see `POST /dids/erase`."""

    @property
    def new(self) -> NewCollection:
        """The same as the service takes it."""
        return NewCollection(self.did, DidKind[self.kind.upper()], self.monotonic, self.lifetime)


class ChangeIn(BaseModel, extra="forbid"):
    """What to change; what is not said stays."""

    open: bool | None = None
    """Close a collection (false), or open it again."""
    monotonic: Literal[True] | None = None
    """Let a collection only grow."""
    lifetime: Duration | None = None
    """Erase it so long after now; null: never."""


class AttachmentsIn(BaseModel, extra="forbid"):
    """DIDs that go into a collection, or out of it."""

    parent: DidText
    children: Annotated[list[DidText], Field(min_length=1, max_length=ATTACHED_AT_ONCE)]


class ScopeIn(BaseModel, extra="forbid"):
    """A scope to make; in a shared one, every account of the VO may make DIDs."""

    name: Annotated[str, Field(max_length=100, examples=["user.alice"])]
    shared: bool = False


class ScopeChangeIn(BaseModel, extra="forbid"):
    """What to change of a scope; what is not said stays."""

    account: Annotated[str | None, Field(max_length=63)] = None
    """Whose it shall be."""
    shared: bool | None = None


class DidQuery(BaseModel, extra="forbid"):
    """Which DIDs to list: those of a scope by name; with `where` or `within`, those that a search finds, by age.

    `where` is a query such as `run > 1200 & detector in (ecl, top)`, `within` a collection. With `inherit`, what
    collections say counts for what is below them. With `newest`, those of the whole VO that were made last, the newest
    first: one page, of a kind if that is said.
    """

    scope: Annotated[str | None, Field(max_length=100)] = None
    where: Annotated[str | None, Field(max_length=LONGEST)] = None
    within: DidText | None = None
    inherit: bool = False
    prefix: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] = ""
    kind: KindWord | None = None
    newest: bool = False
    cursor: Annotated[str, Field(max_length=300, pattern=PRINTABLE)] = ""
    limit: Annotated[int, Field(ge=1, le=LISTED_AT_ONCE)] = 100

    @model_validator(mode="after")
    def _newest_alone(self) -> Self:
        if self.newest and (self.scope, self.where, self.within, self.prefix, self.cursor) != (
            None,
            None,
            None,
            "",
            "",
        ):
            raise ValueError("newest goes with kind and limit alone")
        return self


class DidOut(BaseModel):
    """A file, dataset or container. `size`, `adler32`, `md5` and `guid` are those of a file, if it has them."""

    did: str
    scope: str
    name: str
    kind: KindWord
    open: bool
    size: int | None
    adler32: str | None
    account: str
    created_at: datetime
    monotonic: bool
    ends_at: datetime | None
    """When it is to be erased."""
    held: str | None
    """Why it is still there though its time has come."""
    guid: UUID | None = None
    md5: str | None = None

    @classmethod
    def of(cls, did: Did) -> Self:
        """The same as the API says it."""
        return cls.model_validate(cls.fields_of(did))

    @staticmethod
    def fields_of(did: Did) -> dict[str, object]:
        """Its fields by name."""
        return {
            "did": did.did, "scope": did.scope, "name": did.name, "kind": did.kind.word, "open": did.open,
            "size": did.size, "adler32": did.adler32, "account": did.account, "created_at": did.created_at,
            "monotonic": did.monotonic, "ends_at": did.ends_at, "held": did.held, "guid": did.guid, "md5": did.md5,
        }  # fmt: skip


class DidInfo(DidOut):
    """A DID with the files and bytes below it; a file that lies in two datasets of a container counts twice."""

    files: int
    total_size: int


class DidPage(BaseModel):
    """A page of DIDs; `next` is the cursor of the following page, null at the end.

    A search below a collection, or by what collections say, may give a short page, or an empty one, before its end.
    """

    items: list[DidOut]
    next: str | None


class ScopeOut(BaseModel):
    """A scope and whose it is; `shared`: every account of the VO may make DIDs in it."""

    name: str
    account: str
    shared: bool

    @classmethod
    def of(cls, scope: Scope) -> Self:
        """The same as the API says it."""
        return cls(name=scope.name, account=scope.account, shared=scope.shared)


@router.get(
    "/dids",
    responses=problems(
        ScopeNotFound, WhereMissing, DidNotFound, NotACollection, QueryMalformed, SearchFieldUnknown,
        SearchOperatorUnfit, SearchValueUnfit, MetadataKeyNotIndexed, TooSlow,
    ),
)  # fmt: skip
async def list_dids(
    query: Annotated[DidQuery, Query()], caller: Caller, conn: Transaction, deployment: Deployed
) -> DidPage:
    """List the DIDs of a scope whose names begin with `prefix`, by name; what a search finds, by age; or the newest."""
    kinds = [DidKind[query.kind.upper()]] if query.kind else list(DidKind)
    if query.newest:
        found = await service.newest(conn, caller.vo, kinds, limit=query.limit)
        return DidPage(items=[DidOut.of(did) for did in found], next=None)
    if query.where is not None or query.within is not None:
        found = await _search(query, kinds, caller, conn, deployment)
        return DidPage(
            items=[DidOut.of(did) for did in found.dids],
            next=None if found.following is None else str(found.following),
        )
    if query.scope is None:
        raise WhereMissing
    page = (query.cursor, query.limit)
    found = await service.list_dids(conn, caller.vo, query.scope, prefix=query.prefix, kinds=kinds, page=page)
    return DidPage(items=[DidOut.of(did) for did in found], next=found[-1].name if len(found) == query.limit else None)


async def _search(
    query: DidQuery, kinds: list[DidKind], caller: Caller, conn: Transaction, deployment: Deployed
) -> Found:
    asked = Search(
        wanted=parse(query.where) if query.where is not None else None, scope=query.scope, within=query.within,
        kinds=kinds, inherit=query.inherit, prefix=query.prefix,
    )  # fmt: skip
    after = read_integer(query.cursor) or 0
    fields = deployment.search_fields
    return await service.search_page(conn, caller.vo, asked, fields, after=after, limit=query.limit)


@router.post(
    "/dids",
    status_code=201,
    responses=problems(DidMalformed, DidExists, ScopeNotFound, ScopeNotYours, PermissionMissing),
)
async def create(body: CollectionIn, caller: Caller, conn: Transaction) -> DidOut:
    """Make an empty, open dataset or container."""
    await service.create_all(conn, caller, [body.new], field=lambda _: "did")
    return DidOut.of(await service.get(conn, caller.vo, body.did))


@router.get("/dids/{did:path}", responses=problems(DidMalformed, DidNotFound))
async def show(did: str, caller: Caller, request: Request) -> DidInfo:
    """Show a DID, with the files and bytes below it."""
    found, below = await service.show(deployment_of(request).database, caller, did)
    return DidInfo.model_validate({**DidOut.fields_of(found), "files": below.files, "total_size": below.size})


@router.patch("/dids/{did:path}", responses=problems(DidNotFound, NotACollection, NotYours, ErasureBegun, IsPublic))
async def change(did: str, body: ChangeIn, caller: Caller, conn: Transaction) -> DidOut:
    """Close a dataset or container, so that what it holds cannot change; or, for its owner, open it again.

    Let it only grow, or say how long it lives.
    """
    if body.open is not None:
        await service.set_open(conn, caller, did, is_open=body.open)
    if body.monotonic:
        await service.set_monotonic(conn, caller, did)
    if "lifetime" in body.model_fields_set:
        await service.set_lifetime(conn, caller, did, body.lifetime)
    return DidOut.of(await service.get(conn, caller.vo, did))


@router.post(
    "/attachments",
    status_code=204,
    responses=problems(DidNotFound, NotACollection, CollectionClosed, KindsMismatch, Cycle, NotYours),
)
async def attach(body: AttachmentsIn, caller: Caller, conn: Transaction) -> None:
    """Put DIDs into a dataset or container; those that are in it already stay."""
    await service.change_contents(conn, caller, body.parent, body.children)


@router.post(
    "/attachments/remove",
    status_code=204,
    responses=problems(DidNotFound, NotACollection, CollectionClosed, CollectionMonotonic, NotYours),
)
async def detach(body: AttachmentsIn, caller: Caller, conn: Transaction) -> None:
    """Take DIDs out of a dataset or container; those that are not in it do not matter."""
    await service.change_contents(conn, caller, body.parent, body.children, remove=True)


@router.get("/contents/{did:path}", response_class=StreamingResponse, responses=problems(DidNotFound, NotACollection))
async def contents(
    did: str,
    caller: Caller,
    conn: Snapshot,
    cursor: Amount = 0,
    limit: Annotated[int | None, Query(ge=1, lt=2**31)] = None,
    as_of: Time | None = None,
) -> StreamingResponse:
    """Stream what is directly in a dataset or container: `{"items": […], "next": cursor or null}`.

    Without `limit` everything comes in one document, however long. With `as_of`, what was in it at that time.
    """
    found = await service.get_collection(conn, caller.vo, did)
    stream = service.stream_contents(conn, found, after=cursor, limit=limit, at=as_of)
    return StreamingResponse(stream, media_type="application/json")


@router.get("/scopes")
async def list_scopes(caller: Caller, conn: Transaction) -> list[ScopeOut]:
    """List the scopes of the VO."""
    return [ScopeOut.of(scope) for scope in await service.list_scopes(conn, caller.vo)]


@router.post("/scopes", status_code=201, responses=problems(ScopeExists, ScopeMalformed, PermissionMissing))
async def create_scope(body: ScopeIn, caller: Caller, conn: Transaction) -> ScopeOut:
    """Make a scope that belongs to the caller."""
    return ScopeOut.of(await service.create_scope(conn, caller, body.name, shared=body.shared))


@router.patch("/scopes/{name}", responses=problems(ScopeNotFound, AccountNotFound, PermissionMissing))
async def change_scope(name: str, body: ScopeChangeIn, caller: Caller, conn: Transaction) -> ScopeOut:
    """Give a scope to another account, or share it or no more."""
    return ScopeOut.of(await service.change_scope(conn, caller, name, account=body.account, shared=body.shared))

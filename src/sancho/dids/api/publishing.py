"""Native routes of publications: for the VO, and without a token what everybody may read."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from sancho.dids import service
from sancho.dids.api.catalogue import DidText, KindWord
from sancho.dids.errors import (
    AboutUnfit,
    DidMalformed,
    DidNotFound,
    DoiMalformed,
    DoiTaken,
    IsPublic,
    PublicationExists,
    PublicationNotFound,
    PublicationOpen,
    PublicationStateUnfit,
    RecordTaken,
)
from sancho.dids.model import Publication, PublicationState
from sancho.kit.access import INSTANCE
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Amount
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound

router = native("/publications", tags=["dids"])
public = native("/public/{vo}", tags=["dids"])

AT_ONCE = 1000
StateWord = Literal["draft", "public", "suspended"]
Doi = Annotated[str, StringConstraints(max_length=300), Field(examples=["10.1234/foo.bar"])]


class PublicationIn(BaseModel, extra="forbid"):
    """A DID to publish."""

    did: DidText


class PublicationChangeIn(BaseModel, extra="forbid"):
    """What to change of a publication; what is not said stays, and null takes it away."""

    state: StateWord = "draft"
    doi: Doi | None = None
    record_id: Amount | None = None
    """Its number in a catalogue elsewhere."""
    about: Annotated[dict[str, Any], Field(max_length=1000)] = {}
    """Whatever is to be said of it beside its metadata."""

    @property
    def changes(self) -> dict[str, Any]:
        """Those that are said, as the service takes them."""
        said: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        return {**said, **({"state": PublicationState[said["state"].upper()]} if "state" in said else {})}


class PublicationQuery(BaseModel, extra="forbid"):
    """Which publications to list."""

    state: StateWord | None = None
    cursor: Amount = 0
    limit: Annotated[int, Field(ge=1, le=AT_ONCE)] = 100


class PageQuery(BaseModel, extra="forbid"):
    """Which part of a list."""

    cursor: Amount = 0
    limit: Annotated[int, Field(ge=1, le=AT_ONCE)] = 100


class PublicationOut(BaseModel):
    """A DID that is published; `size` and `adler32` are those of a file."""

    did: str
    kind: KindWord
    size: int | None
    adler32: str | None
    state: StateWord
    doi: str | None
    record_id: int | None
    about: dict[str, Any]
    created_at: datetime
    changed_at: datetime

    @classmethod
    def of(cls, one: Publication, **more: Any) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "did": one.did, "kind": one.kind.word, "size": one.size, "adler32": one.adler32,
                "state": one.state.word, "doi": one.doi, "record_id": one.record_id, "about": one.about,
                "created_at": one.created_at, "changed_at": one.changed_at, **more,
            }
        )  # fmt: skip


class PublicationPage(BaseModel):
    """A page of publications; `next` is the cursor of the following page."""

    items: list[PublicationOut]
    next: int | None

    @classmethod
    def of(cls, found: list[Publication], limit: int) -> Self:
        """The same as the API says it."""
        full = len(found) == limit
        return cls(items=[PublicationOut.of(one) for one in found], next=found[-1].did_id if full else None)


class PublishedOut(PublicationOut):
    """What everybody may read of a DID: its metadata too, and the files and bytes below it.

    Datasets below a container that are open are left out.
    """

    metadata: dict[str, Any]
    files: int
    total_size: int


class PublishedFileOut(BaseModel):
    """A file below a DID that everybody may read."""

    did: str
    size: int
    adler32: str | None


class PublishedFilePage(BaseModel):
    """A page of files; `next` is the cursor of the following page."""

    items: list[PublishedFileOut]
    next: int | None


@router.post("", status_code=201, responses=problems(DidMalformed, DidNotFound, PublicationExists, PermissionMissing))
async def draft(body: PublicationIn, caller: Caller, conn: Transaction) -> PublicationOut:
    """Begin to publish a DID, for who has `dids:publish`: a draft, which the VO sees."""
    return PublicationOut.of(await service.draft(conn, caller, body.did))


@router.get("")
async def list_publications(
    query: Annotated[PublicationQuery, Query()], caller: Caller, conn: Transaction
) -> PublicationPage:
    """List the VO's publications, or those in a state."""
    state = PublicationState[query.state.upper()] if query.state else None
    found = await service.list_publications(conn, caller.vo, state, page=(query.cursor, query.limit))
    return PublicationPage.of(found, query.limit)


@router.get("/{did:path}", responses=problems(DidMalformed, PublicationNotFound))
async def show(did: str, caller: Caller, conn: Transaction) -> PublicationOut:
    """Show the publication of a DID."""
    return PublicationOut.of(await service.get_publication(conn, caller.vo, did))


@router.patch(
    "/{did:path}",
    responses=problems(
        DidMalformed, PublicationNotFound, PublicationStateUnfit, PublicationOpen, DoiMalformed, DoiTaken, RecordTaken,
        AboutUnfit, PermissionMissing,
    ),
)  # fmt: skip
async def change(did: str, body: PublicationChangeIn, caller: Caller, conn: Transaction) -> PublicationOut:
    """Make a publication public, suspend it, give it a DOI, say more about it; for who has `dids:publish`.

    Then everybody may read what the DID says of itself, and which files are below it: what they are called, how large
    they are, their checksums. It has to be closed, and stays so until it is suspended.
    """
    return PublicationOut.of(await service.change_publication(conn, caller, did, body.changes))


@router.delete(
    "/{did:path}", status_code=204, responses=problems(DidMalformed, PublicationNotFound, IsPublic, PermissionMissing)
)
async def withdraw(did: str, caller: Caller, conn: Transaction) -> None:
    """Publish a DID no more, for who has `dids:publish`; what is public is suspended first."""
    await service.withdraw_publication(conn, caller, did)


# ---- what everybody may read


@dataclass(frozen=True)
class Window:
    """A transaction in which somebody who may be anybody reads what a VO has published."""

    conn: Connection
    vo: int


async def _window(vo: Annotated[str, Path(max_length=200)], deployment: Deployed) -> AsyncIterator[Window]:
    async with deployment.database.transaction([INSTANCE]) as conn:
        known = await vos.get(conn, vo)
    async with deployment.database.transaction([known.vo]) as conn:
        yield Window(conn, known.vo)


Public = Annotated[Window, Depends(_window, scope="function")]
"""Routes with it give what is public and nothing else. Pages, not streams: no stranger holds a connection."""


@public.get("/dids", responses=problems(VoNotFound))
async def list_public(window: Public, query: Annotated[PageQuery, Query()]) -> PublicationPage:
    """List the DIDs of a VO that everybody may read. Needs no token."""
    page = (query.cursor, query.limit)
    found = await service.list_publications(window.conn, window.vo, readable=True, page=page)
    return PublicationPage.of(found, query.limit)


@public.get("/dids/{did:path}", responses=problems(VoNotFound, DidMalformed, PublicationNotFound))
async def show_public(did: str, window: Public) -> PublishedOut:
    """Show a DID that everybody may read. Needs no token."""
    one = await service.get_publication(window.conn, window.vo, did, readable=True)
    (said,) = await service.descriptions(window.conn, window.vo, [did])
    below = await service.published_tally(window.conn, one)
    return PublishedOut.of(one, metadata=said.document, files=below.files, total_size=below.size)


@public.get("/files/{did:path}", responses=problems(VoNotFound, DidMalformed, PublicationNotFound))
async def list_public_files(did: str, window: Public, query: Annotated[PageQuery, Query()]) -> PublishedFilePage:
    """List the files below a DID that everybody may read, at any depth: each once. Needs no token."""
    one = await service.get_publication(window.conn, window.vo, did, readable=True)
    found = await service.published_files(window.conn, one, after=query.cursor, limit=query.limit)
    items = [PublishedFileOut(did=file.did, size=file.size, adler32=file.adler32) for file in found]
    return PublishedFilePage(items=items, next=found[-1].did_id if len(found) == query.limit else None)

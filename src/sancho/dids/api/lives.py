"""The lives of DIDs, and long lists of them: erased and restored, what they hold and held, what holds them."""

import json
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from typing import Annotated, Any

from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, model_validator

from sancho.dids import service
from sancho.dids.api.catalogue import ATTACHED_AT_ONCE, CollectionIn, DidOut, DidText
from sancho.dids.errors import (
    AttachedAlready,
    CollectionClosed,
    Cycle,
    DidExists,
    DidMalformed,
    DidNotFound,
    ErasureBegun,
    KindsMismatch,
    NotACollection,
    ScopeNotFound,
    ScopeNotYours,
)
from sancho.dids.model import GRACE, Attachment, Branch, Child, Detached, DidKind, Listed
from sancho.kit import web
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Duration, Time
from sancho.kit.web import Caller, Snapshot, Transaction

router = web.native(tags=["dids"])

AT_ONCE = 1000
"""DIDs that one request may erase, make or ask about."""
LINES = "application/x-ndjson"
DidTexts = Annotated[list[DidText], Field(min_length=1, max_length=AT_ONCE)]


class DidsIn(BaseModel, extra="forbid"):
    """DIDs that a request is about."""

    dids: DidTexts


class ErasureIn(DidsIn):
    """DIDs to erase, and how long they can be restored."""

    after: Duration = timedelta(days=GRACE.days)


class FilledIn(CollectionIn):
    """A dataset or container to make, and what is to be in it at once."""

    children: Annotated[list[DidText], Field(max_length=ATTACHED_AT_ONCE, default_factory=list)]


class FilledCollectionsIn(BaseModel, extra="forbid"):
    """Datasets and containers to make, and what is to be in them at once; one may hold others of them."""

    collections: Annotated[list[FilledIn], Field(min_length=1, max_length=AT_ONCE)]

    @model_validator(mode="after")
    def _few_enough(self) -> "FilledCollectionsIn":
        return _few_enough(self, (len(one.children) for one in self.collections))


class ParentIn(BaseModel, extra="forbid"):
    """DIDs that go into a collection."""

    parent: DidText
    children: Annotated[list[DidText], Field(min_length=1, max_length=ATTACHED_AT_ONCE)]


class ManyAttachmentsIn(BaseModel, extra="forbid"):
    """DIDs that go into collections; unless `again`, one that is there already is refused."""

    attachments: Annotated[list[ParentIn], Field(min_length=1, max_length=AT_ONCE)]
    again: bool = True

    @model_validator(mode="after")
    def _few_enough(self) -> "ManyAttachmentsIn":
        return _few_enough(self, (len(one.children) for one in self.attachments))


def _few_enough(body: Any, counts: Iterable[int]) -> Any:
    if sum(counts) > ATTACHED_AT_ONCE:
        raise ValueError(f"more than {ATTACHED_AT_ONCE} children in all")
    return body


class Attached(BaseModel):
    """How many DIDs were put into something that they were not in."""

    attached: int


class TallyOut(BaseModel):
    """Files and bytes below a DID; a file that lies in two datasets of a container counts twice."""

    did: str
    files: int
    total_size: int


@router.post("/dids/erase", responses=problems(DidNotFound, NotYours, ErasureBegun))
async def erase(body: ErasureIn, caller: Caller, conn: Transaction) -> list[DidOut]:
    """Have DIDs erased after some time, in which `POST /dids/restore` undoes it: all of them or none.

    A dataset takes those of its files along that are in nothing else and belong to the same account; a container takes
    nothing along. The account's own rules on them go. What a rule of another account is on or above, or a closed or
    monotonic collection holds, stays until that ends; `held` says so. A name is never used again.
    """
    return [DidOut.of(did) for did in await service.erase(conn, caller, body.dids, after=body.after)]


@router.post("/dids/restore", responses=problems(DidNotFound, NotYours, ErasureBegun))
async def restore(body: DidsIn, caller: Caller, conn: Transaction) -> list[DidOut]:
    """Let DIDs live on that were to be erased, whether or not they were: all of them or none."""
    return [DidOut.of(did) for did in await service.restore(conn, caller, body.dids)]


@router.post(
    "/collections",
    status_code=201,
    responses=problems(
        DidMalformed, DidNotFound, DidExists, KindsMismatch, Cycle, ScopeNotFound, ScopeNotYours, PermissionMissing
    ),
)
async def create_many(body: FilledCollectionsIn, caller: Caller, conn: Transaction) -> list[DidOut]:
    """Make datasets and containers, and put into them what is to be in them: all of it or nothing."""
    wanted = body.collections
    await service.create_all(conn, caller, [one.new for one in wanted], field="collections.{}.did".format)
    filled = [Attachment(one.did, [Child(did) for did in one.children]) for one in wanted if one.children]
    if filled:
        await service.attach_all(conn, caller, filled)
    return [DidOut.of(did) for did in await service.resolve(conn, caller.vo, [one.did for one in wanted])]


@router.post(
    "/attachments/many",
    responses=problems(
        DidNotFound, NotACollection, CollectionClosed, KindsMismatch, Cycle, AttachedAlready, NotYours
    ),
)  # fmt: skip
async def attach_many(body: ManyAttachmentsIn, caller: Caller, conn: Transaction) -> Attached:
    """Put DIDs into datasets and containers: all of them or none."""
    wanted = [Attachment(one.parent, [Child(did) for did in one.children]) for one in body.attachments]
    return Attached(attached=await service.attach_all(conn, caller, wanted, again=body.again))


@router.post("/tallies", responses=problems(DidNotFound))
async def tallies(body: DidsIn, caller: Caller, conn: Transaction) -> list[TallyOut]:
    """Count the files and bytes below DIDs: from the tallies of their datasets, so at no cost of their files."""
    found = await service.resolve(conn, caller.vo, body.dids)
    below = await service.tallies(conn, caller.vo, [did.did_id for did in found if did.kind is not DidKind.FILE])
    return [
        TallyOut(did=did.did, files=below[did.did_id].files, total_size=below[did.did_id].size)
        if did.did_id in below
        else TallyOut(did=did.did, files=1, total_size=did.size or 0)
        for did in found
    ]


@router.get("/files/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def files(did: str, caller: Caller, conn: Snapshot, as_of: Time | None = None) -> StreamingResponse:
    """Stream each file that is a DID or below it, at any depth, once: `{"did", "size", "adler32", "md5"}` a line.

    The first come at once; an MD5 that is not known is not said. With `as_of` those of that time, whatever has been
    taken out or erased since.
    """
    found = await service.get(conn, caller.vo, did)
    return _lines(service.stream_file_lines(conn, found, at=as_of))


@router.get("/below/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def below(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream everything below a dataset or container, level by level, each with the collection that it is in.

    Of each collection what was made first comes first.
    """
    found = await service.get(conn, caller.vo, did)
    return _lines(_said(part, _branch) async for part in service.stream_below(conn, found, deep=True))


@router.get("/parents/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def parents(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream the datasets or containers that a DID is directly in."""
    found = await service.get(conn, caller.vo, did)
    return _lines(_said(part, _listed) async for part in service.stream_parents(conn, found))


@router.get("/history/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def history(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream what has been taken out of a dataset or container, and when; `attached_at` null: nobody knows."""
    found = await service.get(conn, caller.vo, did)
    return _lines(_said(part, _detached) async for part in service.stream_detached(conn, found))


def _lines(parts: AsyncIterator[list[str]]) -> StreamingResponse:
    return StreamingResponse(("".join(part) async for part in parts), media_type=LINES)


def _said(part: Iterable[Any], say: Any) -> list[str]:
    return [json.dumps(say(one), ensure_ascii=False) + "\n" for one in part]


def say_listed(did: Listed) -> str:
    """A DID in a list, as a line of JSON."""
    return json.dumps(_listed(did), ensure_ascii=False) + "\n"


def _listed(did: Listed) -> dict[str, Any]:
    return {
        "did": f"{did.scope}:{did.name}", "kind": did.kind.word, "open": did.open, "size": did.size,
        "adler32": did.adler32,
    }  # fmt: skip


def _branch(branch: Branch) -> dict[str, Any]:
    return {**_listed(branch.child), "parent": branch.parent and ":".join(branch.parent), "level": branch.level}


def _detached(one: Detached) -> dict[str, Any]:
    return {
        "did": one.did, "kind": one.kind.word, "size": one.size, "adler32": one.adler32,
        "attached_at": one.attached_at and one.attached_at.isoformat(), "detached_at": one.detached_at.isoformat(),
    }  # fmt: skip

"""Native routes of replicas."""

from typing import Annotated

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.dids.errors import (
    ChecksumMalformed,
    CollectionClosed,
    DidExists,
    DidMalformed,
    DidNotFound,
    NotADataset,
    ScopeNotFound,
    ScopeNotYours,
)
from sancho.dids.model import FileText
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Amount, FileSize
from sancho.kit.web import Branch, Caller, Deployed, Snapshot, Transaction
from sancho.replicas import service
from sancho.replicas.errors import PathTaken
from sancho.replicas.model import ACCESSED_AT_ONCE, REGISTERED_AT_ONCE
from sancho.rses import service as rses
from sancho.rses.errors import PathUnfit, RseNotFound
from sancho.rses.model import Report
from sancho.sites.errors import SiteNotFound

router = Branch(prefix="/replicas", tags=["replicas"])
of_rses = APIRouter(tags=["rses"])

DidText = Annotated[str, Field(max_length=300, examples=["mc:run7/a.root"])]


class FileIn(BaseModel, extra="forbid"):
    """A file that is on the storage. `size` is in bytes, `adler32` 8 hex digits."""

    did: DidText
    size: FileSize
    adler32: Annotated[str | None, Field(max_length=40, examples=["0a1b2c3d"])] = None
    path: Annotated[str | None, Field(min_length=1, max_length=2000, examples=["/belle/old/a.root"])] = None
    """Where it lies: a URL, or a path below the prefix of the RSE, in the area of the VO; absent, it follows from
    the file's id."""


class FilesIn(BaseModel, extra="forbid"):
    """Files that are on an RSE already, and the dataset they go into."""

    rse: Annotated[str, Field(max_length=128, examples=["A-DISK"])]
    files: Annotated[list[FileIn], Field(min_length=1, max_length=REGISTERED_AT_ONCE)]
    dataset: DidText | None = None


class Registered(BaseModel):
    """How many files were entered, and their bytes."""

    files: int
    size: int


class AccessIn(BaseModel, extra="forbid"):
    """DIDs to read; a page of the files below them is answered at a time."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=1000)]
    cursor: Amount = 0
    limit: Annotated[int, Field(ge=1, le=ACCESSED_AT_ONCE)] = ACCESSED_AT_ONCE
    near: Annotated[str | None, Field(max_length=128, examples=["SITE-A"])] = None
    """The site of the reader: the nearest places come first."""


class SourceOut(BaseModel):
    """A place to read a file from; the token opens its URL for a quarter of an hour."""

    rse: str
    site: str
    url: str
    token: str


class ReadableOut(BaseModel):
    """A file and where it can be read now."""

    did: str
    name: str
    size: int
    adler32: str | None
    sources: list[SourceOut]


class AccessOut(BaseModel):
    """A page of files; `next` is the cursor of the following page."""

    files: list[ReadableOut]
    next: int | None


@router.post(
    "",
    status_code=201,
    responses=problems(
        PermissionMissing, DidMalformed, ChecksumMalformed, ScopeNotFound, ScopeNotYours, DidExists, NotADataset,
        CollectionClosed, NotYours, PathUnfit, PathTaken,
    ),
)  # fmt: skip
async def register(body: FilesIn, caller: Caller, conn: Transaction) -> Registered:
    """Enter files that are on a storage already, all or none, and optionally put them into a dataset."""
    files = [FileText(file.did, file.size, file.adler32, file.path) for file in body.files]
    ids = await service.register(conn, caller, body.rse, files, dataset=body.dataset)
    return Registered(files=len(ids), size=sum(file.size for file in files))


@router.post("/access", responses=problems(DidMalformed, DidNotFound, SiteNotFound))
async def access(body: AccessIn, caller: Caller, conn: Transaction, deployment: Deployed) -> AccessOut:
    """Say where the files below some DIDs can be read, with a token for each place."""
    roots = [did.did_id for did in await dids.resolve(conn, caller.vo, body.dids)]
    page = (body.cursor, body.limit)
    files = await service.access(conn, caller, deployment.signer, roots, page=page, near=body.near)
    return AccessOut(
        files=[
            ReadableOut(
                did=file.did, name=file.did.partition(":")[2], size=file.size, adler32=file.adler32,
                sources=[SourceOut(rse=s.rse, site=s.site, url=s.url, token=s.token) for s in file.sources],
            )
            for file in files
        ],
        next=files[-1].did_id if len(files) == body.limit else None,
    )  # fmt: skip


@router.get("/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def list_replicas(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream the files that are or lie below a DID, each with its replicas: one JSON document a line.

    The URL of a replica is its RSE's prefix followed by its own `path`, or else by the file's.
    """
    found = await dids.get(conn, caller.vo, did)
    return StreamingResponse(service.stream(conn, caller, found), media_type="application/x-ndjson")


class RseUsage(BaseModel):
    """What the VO has on an RSE, in files and bytes, and the last report of each source about all that is there."""

    rse: str
    files: int
    size: int
    reports: list[Report]


@of_rses.get("/rses/{name}/usage", responses=problems(RseNotFound))
async def rse_usage(name: str, caller: Caller, conn: Transaction) -> RseUsage:
    """Show what the VO has on an RSE, what is still being copied included, and what the storage reports."""
    rse = await rses.get(conn, name, field="name")
    mine = next((used for used in await service.usage(conn, caller.vo) if used.rse_id == rse.rse_id), None)
    said = await rses.newest_reports(conn, rse)
    return RseUsage(rse=rse.name, files=mine.files if mine else 0, size=mine.size if mine else 0, reports=said)

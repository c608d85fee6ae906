"""Native routes of replicas."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.dids.errors import (
    ChecksumMalformed,
    CollectionClosed,
    DidExists,
    DidMalformed,
    DidNotFound,
    GuidTaken,
    NotADataset,
    ScopeNotFound,
    ScopeNotYours,
)
from sancho.dids.model import FileText
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Amount, Duration, FileSize, Id, Time
from sancho.kit.web import Caller, Deployed, Snapshot, Transaction, native
from sancho.replicas import service
from sancho.replicas.errors import (
    FileKnown,
    PathNotInArea,
    PathTaken,
    ReplicaExists,
    ReplicaNotFound,
    TimeNotForThis,
    UrlNotSigned,
)
from sancho.replicas.model import (
    ACCESSED_AT_ONCE,
    LISTED_AT_ONCE,
    REGISTERED_AT_ONCE,
    SIGNED_AT_ONCE,
    Declaration,
    DeclarationKind,
    DeclarationState,
    Readable,
    Saying,
    Troubles,
)
from sancho.rses import service as rses
from sancho.rses.errors import PathUnfit, RseNotFound
from sancho.sites.errors import SiteNotFound

router = native("/replicas", tags=["replicas"])

LINES = "application/x-ndjson"
KindWord = Literal["bad", "suspicious", "unavailable"]
DeclarationWord = Literal["standing", "recovered", "lost", "deleted", "available", "replaced"]
ReplicaText = Annotated[str, Field(min_length=1, max_length=2000, examples=["mc:run7/a.root@A-DISK"])]
DidText = Annotated[str, Field(max_length=300, examples=["mc:run7/a.root"])]


class FileIn(BaseModel, extra="forbid"):
    """A file that is on the storage. `size` is in bytes, `adler32` 8 hex digits, `guid` its name elsewhere.

    `md5`, 32 hex digits, is kept and compared where somebody says it again; what is read or copied is verified by
    `adler32`.
    """

    did: DidText
    size: FileSize
    adler32: Annotated[str | None, Field(max_length=40, examples=["0a1b2c3d"])] = None
    path: Annotated[str | None, Field(min_length=1, max_length=2000, examples=["/belle/old/a.root"])] = None
    """Where it lies: a URL, or a path below the prefix of the RSE, in the area of the VO; absent, it follows from
    the file's id."""
    guid: UUID | None = None
    tape: Annotated[str | None, Field(min_length=1, max_length=100, examples=["L40231"])] = None
    """On which tape of the RSE it is, and where: jobs that want many files have them recalled in that order."""
    position: Annotated[int, Field(ge=0, lt=2**63)] = 0
    md5: Annotated[str | None, Field(max_length=64, examples=["d41d8cd98f00b204e9800998ecf8427e"])] = None


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


class ListIn(BaseModel, extra="forbid"):
    """DIDs whose replicas are wanted."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=LISTED_AT_ONCE)]


class SignIn(BaseModel, extra="forbid"):
    """URLs of files on an RSE that are to need no token: to be read, or each to be put there, for so long."""

    rse: Annotated[str, Field(max_length=128, examples=["A-DISK"])]
    urls: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(min_length=1, max_length=SIGNED_AT_ONCE)]
    write: bool = False
    lifetime: Annotated[Duration, Field(gt=timedelta(0), le=rses.SIGNED_FOR_MOST)] = timedelta(minutes=15)


class SignOut(BaseModel):
    """The same URLs, in order, each with a right in its query: whoever sees one may use it until then."""

    urls: list[str]
    expires_at: datetime


class SourceOut(BaseModel):
    """A place to read a file from; the token opens its URL for a quarter of an hour."""

    rse: str
    site: str
    url: str
    token: str


class ArchiveOut(BaseModel):
    """An archive that a file lies in, called there by its `name`, and where the archive can be read now."""

    did: str
    size: int
    sources: list[SourceOut]


class ReadableOut(BaseModel):
    """A file and where it can be read now: by itself, or out of an archive."""

    did: str
    name: str
    size: int
    adler32: str | None
    sources: list[SourceOut]
    archives: list[ArchiveOut] = []


class AccessOut(BaseModel):
    """A page of files; `next` is the cursor of the following page."""

    files: list[ReadableOut]
    next: int | None


class SayingIn(BaseModel, extra="forbid"):
    """What is said of replicas, each a URL or `SCOPE:NAME@RSE`; `until` is for those that are unavailable."""

    kind: Literal["bad", "suspicious", "unavailable", "available"]
    replicas: Annotated[list[ReplicaText], Field(min_length=1, max_length=REGISTERED_AT_ONCE)]
    reason: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None
    until: Time | None = None


class DarkIn(BaseModel, extra="forbid"):
    """Files that nobody knows, as URLs or as paths below the prefix of the RSE."""

    rse: Annotated[str, Field(max_length=128)]
    files: Annotated[list[ReplicaText], Field(min_length=1, max_length=REGISTERED_AT_ONCE)]
    reason: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


class DarkOut(BaseModel):
    """How many files were noted that had not been before."""

    noted: int


class LeftOut(BaseModel):
    """A replica of which nothing was noted, because it is in this state."""

    replica: str
    state: str


class SaidOut(BaseModel):
    """Of how many replicas it was noted, and of which not."""

    noted: int
    left: list[LeftOut]


class DeclarationQuery(BaseModel, extra="forbid"):
    """Which declarations to list."""

    kind: KindWord | None = None
    state: DeclarationWord | None = None
    did: DidText | None = None
    rse: Annotated[str | None, Field(max_length=128)] = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class DeclarationOut(BaseModel):
    """What was said of a replica. `account` is null when a transfer found it so; `state` is what came of it."""

    declaration_id: int
    kind: KindWord
    state: DeclarationWord
    did: str
    rse: str
    account: str | None
    reason: str | None
    declared_at: datetime
    until: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, one: Declaration) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "declaration_id": one.declaration_id, "kind": one.kind.word, "state": one.state.word, "did": one.did,
                "rse": one.rse, "account": one.account, "reason": one.reason, "declared_at": one.declared_at,
                "until": one.until, "ended_at": one.ended_at,
            }
        )  # fmt: skip


class DeclarationPage(BaseModel):
    """A page of declarations; `next` is the cursor of the following page."""

    items: list[DeclarationOut]
    next: int | None


@router.post(
    "",
    status_code=201,
    responses=problems(
        PermissionMissing, DidMalformed, ChecksumMalformed, ScopeNotFound, ScopeNotYours, DidExists, NotADataset,
        CollectionClosed, NotYours, PathUnfit, PathTaken, GuidTaken,
    ),
)  # fmt: skip
async def register(body: FilesIn, caller: Caller, conn: Transaction) -> Registered:
    """Enter files that are on a storage already, all or none, and optionally put them into a dataset."""
    files = [
        FileText(
            file.did,
            file.size,
            file.adler32,
            file.path,
            guid=file.guid and str(file.guid),
            on_tape=None if file.tape is None else (file.tape, file.position),
            md5=file.md5,
        )
        for file in body.files
    ]
    ids = await service.register(conn, caller, body.rse, files, dataset=body.dataset)
    return Registered(files=len(ids), size=sum(file.size for file in files))


def _sources(file: Readable) -> list[SourceOut]:
    return [SourceOut(rse=s.rse, site=s.site, url=s.url, token=s.token) for s in file.sources]


@router.post("/access", responses=problems(DidMalformed, DidNotFound, SiteNotFound))
async def access(body: AccessIn, caller: Caller, conn: Transaction, deployment: Deployed) -> AccessOut:
    """Say where the files below some DIDs can be read, with a token for each place."""
    roots = [did.did_id for did in await dids.resolve(conn, caller.vo, body.dids)]
    page = (body.cursor, body.limit)
    files = await service.access(conn, caller, deployment.signer, roots, page=page, near=body.near)
    ids = [file.did_id for file in files]
    inside = await service.archives(conn, caller, deployment.signer, ids, near=body.near)
    return AccessOut(
        files=[
            ReadableOut(
                did=file.did, name=file.did.partition(":")[2], size=file.size, adler32=file.adler32,
                sources=_sources(file),
                archives=[
                    ArchiveOut(did=one.did, size=one.size, sources=_sources(one))
                    for one in inside.get(file.did_id, ())
                ],
            )
            for file in files
        ],
        next=files[-1].did_id if len(files) == body.limit else None,
    )  # fmt: skip


@router.post(
    "/signed-urls",
    responses=problems(
        PermissionMissing, RseNotFound, UrlNotSigned, PathNotInArea, PathUnfit, ReplicaExists
    ),
)  # fmt: skip
async def sign_urls(body: SignIn, caller: Caller, conn: Transaction, deployment: Deployed) -> SignOut:
    """Sign URLs for clients that know no tokens: each to read one file, or to put it where there is none."""
    sign = service.sign_writing if body.write else service.sign_reading
    signed = await sign(conn, caller, deployment, body.rse, body.urls, body.lifetime)
    return SignOut(urls=signed, expires_at=deployment.clock.now() + body.lifetime)


@router.post(
    "/dark",
    status_code=201,
    responses=problems(PermissionMissing, RseNotFound, PathNotInArea, FileKnown),
)
async def quarantine(body: DarkIn, caller: Caller, conn: Transaction) -> DarkOut:
    """Note files on an RSE that the catalogue does not know; they are deleted from the storage after a day."""
    return DarkOut(noted=await service.quarantine(conn, caller, body.rse, body.files, reason=body.reason))


@router.post(
    "/declarations",
    status_code=201,
    responses=problems(PermissionMissing, DidMalformed, DidNotFound, RseNotFound, ReplicaNotFound, TimeNotForThis),
)
async def declare(body: SayingIn, caller: Caller, conn: Transaction) -> SaidOut:
    """Say of replicas that they are bad, suspicious, unavailable for a time, or available again.

    A bad one is brought anew while something holds it, and is deleted otherwise.
    """
    meant = await service.mean(conn, caller, body.replicas)
    kind = None if body.kind == "available" else DeclarationKind[body.kind.upper()]
    saying = Saying(kind, body.reason, body.until)
    left = await service.declare(conn, caller, {at.key: at.did for at in meant.values()}, saying)
    for at in meant.values():
        if at.key in left and left[at.key] is None:
            raise ReplicaNotFound(did=at.did, rse=at.rse)
    said = [LeftOut(replica=text, state=state.word) for text in body.replicas if (state := left.get(meant[text].key))]
    return SaidOut(noted=len({at.key for at in meant.values()}) - len(left), left=said)


@router.get("/declarations", responses=problems(DidMalformed, DidNotFound, RseNotFound))
async def list_declarations(
    query: Annotated[DeclarationQuery, Query()], caller: Caller, conn: Transaction
) -> DeclarationPage:
    """List what was said of replicas, newest first, and what came of it."""
    asked = Troubles(
        kinds=[DeclarationKind[query.kind.upper()]] if query.kind else tuple(DeclarationKind),
        states=[DeclarationState[query.state.upper()]] if query.state else tuple(DeclarationState),
        rse_ids=[(await rses.get(conn, query.rse)).rse_id] if query.rse else None,
        did_id=(await dids.get(conn, caller.vo, query.did)).did_id if query.did else None,
    )
    found = await service.list_troubles(conn, caller.vo, asked, page=(query.cursor, query.limit))
    full = len(found) == query.limit
    return DeclarationPage(
        items=[DeclarationOut.of(one) for one in found], next=found[-1].declaration_id if full else None
    )


@router.post("/list", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def list_many(body: ListIn, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream the files that are or lie below some DIDs, each once with its replicas, as `GET /replicas/{did}` does."""
    found = await dids.identify(conn, caller.vo, body.dids)
    return StreamingResponse(service.stream(conn, caller, found, archives=True), media_type=LINES)


@router.get("/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def list_replicas(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream the files that are or lie below a DID, each with its replicas: one JSON document a line.

    The URL of a replica is its RSE's prefix followed by its own `path`, or else by the file's. `archives` are those
    that a file lies in, with their replicas; without any, it is missing.
    """
    found = await dids.get(conn, caller.vo, did)
    return StreamingResponse(service.stream(conn, caller, [found], archives=True), media_type=LINES)

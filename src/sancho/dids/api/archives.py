"""Native routes of archives and what lies in them, of GUIDs, and of samples."""

from typing import Annotated
from uuid import UUID

from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field, model_validator

from sancho.dids import service
from sancho.dids.api.catalogue import ATTACHED_AT_ONCE, DidOut, DidText
from sancho.dids.api.lives import AT_ONCE, LINES, say_listed
from sancho.dids.errors import (
    ArchiveNested,
    ChecksumMalformed,
    DidExists,
    DidMalformed,
    DidNotFound,
    FileDiffers,
    GuidMalformed,
    GuidTaken,
    GuidUnknown,
    NotAnArchive,
    ScopeNotFound,
    ScopeNotYours,
    SizeMissing,
)
from sancho.dids.model import Member, Packed
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import FileSize
from sancho.kit.web import Caller, Snapshot, Transaction, native

router = native(tags=["dids"])


class MemberIn(BaseModel, extra="forbid"):
    """A file that lies in an archive, called there as its DID is named; one that is not known yet needs a size."""

    did: DidText
    size: FileSize | None = None
    adler32: Annotated[str | None, Field(max_length=40, examples=["0a1b2c3d"])] = None
    guid: UUID | None = None
    md5: Annotated[str | None, Field(max_length=64, examples=["d41d8cd98f00b204e9800998ecf8427e"])] = None


class ArchiveIn(BaseModel, extra="forbid"):
    """An archive, and files that lie in it."""

    archive: DidText
    files: Annotated[list[MemberIn], Field(min_length=1, max_length=ATTACHED_AT_ONCE)]


class ArchivesIn(BaseModel, extra="forbid"):
    """Archives, and files that lie in them."""

    archives: Annotated[list[ArchiveIn], Field(min_length=1, max_length=AT_ONCE)]

    @model_validator(mode="after")
    def _few_enough(self) -> "ArchivesIn":
        if sum(len(one.files) for one in self.archives) > ATTACHED_AT_ONCE:
            raise ValueError(f"more than {ATTACHED_AT_ONCE} files in all")
        return self


class UnpackIn(BaseModel, extra="forbid"):
    """An archive, and files that do not lie in it."""

    archive: DidText
    files: Annotated[list[DidText], Field(min_length=1, max_length=ATTACHED_AT_ONCE)]


class Packings(BaseModel):
    """Of how many files it was noted that they lie in an archive, or no more."""

    files: int


class SampleIn(BaseModel, extra="forbid"):
    """A dataset to make of some of the files below a DID, chosen at random."""

    source: DidText
    dataset: DidText
    files: Annotated[int, Field(ge=1, le=ATTACHED_AT_ONCE)]


@router.post(
    "/archives",
    responses=problems(
        DidMalformed, DidNotFound, NotAnArchive, ArchiveNested, SizeMissing, FileDiffers, ChecksumMalformed, DidExists,
        ScopeNotFound, ScopeNotYours, GuidMalformed, GuidTaken, NotYours, PermissionMissing,
    ),
)  # fmt: skip
async def pack(body: ArchivesIn, caller: Caller, conn: Transaction) -> Packings:
    """Note that files lie in archives: all of them or none. Those that are not known yet are registered.

    A file that lies in an archive needs no replica of its own. An archive is a file with a name such as `run7.zip` or
    `run7.tar.gz`; what lies in one holds nothing itself.
    """
    wanted = [
        Packed(one.archive, [Member(f.did, f.size, f.adler32, f.guid and str(f.guid), f.md5) for f in one.files])
        for one in body.archives
    ]
    return Packings(files=await service.pack(conn, caller, wanted, field="archives.{}.files.{}".format))


@router.post("/archives/remove", responses=problems(DidMalformed, DidNotFound, NotAnArchive, NotYours))
async def unpack(body: UnpackIn, caller: Caller, conn: Transaction) -> Packings:
    """Note that files do not lie in an archive: what was noted was wrong. The archive stays as it is."""
    return Packings(files=await service.unpack(conn, caller, body.archive, body.files))


@router.get("/archives/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def members(did: str, caller: Caller, conn: Snapshot) -> StreamingResponse:
    """Stream the files that lie in an archive: `{"did", "kind", "open", "size", "adler32"}` a line."""
    found = await service.get(conn, caller.vo, did)
    lines = ("".join(map(say_listed, part)) async for part in service.stream_members(conn, found))
    return StreamingResponse(lines, media_type=LINES)


@router.get("/archives-of/{did:path}", response_class=StreamingResponse, responses=problems(DidMalformed, DidNotFound))
async def archives(did: str, caller: Caller, conn: Transaction) -> StreamingResponse:
    """Tell the archives that a file lies in, one a line as `GET /archives/{did}` does."""
    found = await service.get(conn, caller.vo, did)
    known = await service.archives_of(conn, caller.vo, [found.did_id])
    return StreamingResponse(iter(map(say_listed, known.get(found.did_id, ()))), media_type=LINES)


@router.get("/guids/{guid}", responses=problems(GuidUnknown))
async def of_guid(guid: UUID, caller: Caller, conn: Transaction) -> DidOut:
    """Show the file with a GUID."""
    return DidOut.of(await service.of_guid(conn, caller.vo, str(guid)))


@router.post(
    "/samples",
    status_code=201,
    responses=problems(DidMalformed, DidNotFound, DidExists, ScopeNotFound, ScopeNotYours, PermissionMissing),
)
async def sample(body: SampleIn, caller: Caller, conn: Transaction) -> DidOut:
    """Make a dataset of some of the files below a DID, chosen at random: of all when they are fewer."""
    made = await service.sample(conn, caller, body.source, body.dataset, number=body.files)
    return DidOut.of(await service.get(conn, caller.vo, made.did))

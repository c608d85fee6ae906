"""Native routes to what other VOs share."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from sancho.dids import service as dids
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.kit.problem import problems
from sancho.kit.units import Amount
from sancho.kit.web import Caller, Deployed, native
from sancho.replicas import service as replicas
from sancho.replicas.model import Readable
from sancho.sharing import service
from sancho.sharing.model import Offered, Shared

router = native("/shared", tags=["data"])
FILES_AT_ONCE = 1000


async def _shared(vo: str, did: str, caller: Caller, deployment: Deployed) -> AsyncIterator[Shared]:
    async with service.opened(deployment, caller, vo, did) as shared:
        yield shared


Open = Annotated[Shared, Depends(_shared, scope="request")]


class SharedSource(BaseModel):
    """A place to read a file from; the token opens its URL for a quarter of an hour."""

    rse: str
    site: str
    url: str
    token: str


class SharedFile(BaseModel):
    """A file and where it can be read now."""

    did: str
    name: str
    size: int
    adler32: str | None
    sources: list[SharedSource]

    @classmethod
    def of(cls, file: Readable) -> "SharedFile":
        """Render a file."""
        sources = [SharedSource(rse=s.rse, site=s.site, url=s.url, token=s.token) for s in file.sources]
        name = file.did.partition(":")[2]
        return cls(did=file.did, name=name, size=file.size, adler32=file.adler32, sources=sources)


class SharedFiles(BaseModel):
    """A page of files; `next` is the cursor of the following page."""

    files: list[SharedFile]
    next: int | None


@router.get("")
async def offered(caller: Caller, deployment: Deployed) -> list[Offered]:
    """List the datasets that other VOs let one's own read."""
    return await service.offered(deployment, caller)


@router.get(
    "/contents/{vo}/{did:path}", response_class=StreamingResponse, responses=problems(DidNotFound, DidMalformed)
)
async def contents(
    shared: Open, cursor: Amount = 0, limit: Annotated[int | None, Query(ge=1, lt=2**31)] = None
) -> StreamingResponse:
    """Stream what is directly in a shared dataset or container: `{"items": […], "next": cursor or null}`."""
    stream = dids.stream_contents(shared.conn, shared.did, after=cursor, limit=limit)
    return StreamingResponse(stream, media_type="application/json")


@router.get(
    "/replicas/{vo}/{did:path}", response_class=StreamingResponse, responses=problems(DidNotFound, DidMalformed)
)
async def list_replicas(shared: Open) -> StreamingResponse:
    """Stream the files below a shared dataset or container, each with its replicas: one JSON document a line."""
    stream = replicas.stream(shared.conn, shared.guest, [shared.did])
    return StreamingResponse(stream, media_type="application/x-ndjson")


@router.get("/access/{vo}/{did:path}", responses=problems(DidNotFound, DidMalformed))
async def access(
    shared: Open, deployment: Deployed, cursor: Amount = 0,
    limit: Annotated[int, Query(ge=1, le=FILES_AT_ONCE)] = FILES_AT_ONCE,
) -> SharedFiles:  # fmt: skip
    """Say where the files below a shared dataset or container can be read, with a token for each place."""
    page = (cursor, limit)
    files = await replicas.access(shared.conn, shared.guest, deployment.signer, [shared.did.did_id], page=page)
    page_of = [SharedFile.of(file) for file in files]
    return SharedFiles(files=page_of, next=files[-1].did_id if len(files) == limit else None)

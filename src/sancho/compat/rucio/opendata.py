"""Rucio's open data: publications, and without a token those that are public."""

import json
from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from sancho.compat.rucio import opendata_translate as say
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import (
    Meant,
    RucioCaller,
    RucioSnapshot,
    RucioTransaction,
    gives,
    no_blanks,
    refuse_blanks,
)
from sancho.compat.rucio.dids_wire import NamePath, ScopePath
from sancho.compat.rucio.errors import PartNotServed
from sancho.compat.rucio.opendata_wire import ListQuery, Nothing, PublicationChangeIn, ShowQuery
from sancho.dids import service
from sancho.kit.db import Database
from sancho.kit.web import Deployed

JSON = Depends(gives("application/json"))
router = APIRouter(prefix="/rucio/opendata/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])
public = APIRouter(prefix="/rucio/opendata/public/dids", include_in_schema=False, dependencies=[Depends(refuse_blanks)])

PAGE = 1000
"""Publications or files that are read at once."""


@router.get("", dependencies=[JSON])
@router.get("/", dependencies=[JSON])
async def list_publications(
    query: Annotated[ListQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> StreamingResponse:
    """List the VO's publications, or those in a state."""
    found = service.stream_publications(conn, caller.vo, [] if query.wanted is None else [query.wanted])
    return _document({}, "dids", ([say.publication_of(one) for one in some] async for some in found))


@router.post("/{scope}/{name:path}", status_code=201)
async def draft(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Begin to publish a DID."""
    await service.draft(conn, caller, f"{scope}:{name}")
    return Response("Created", 201)


@router.put("/{scope}/{name:path}")
async def change(
    scope: ScopePath, name: NamePath, body: Annotated[PublicationChangeIn, Depends(body_as(PublicationChangeIn))],
    caller: RucioCaller, conn: RucioTransaction,
) -> dict[str, Any]:  # fmt: skip
    """Change a publication: what is said of it, and who may read it."""
    one = await service.change_publication(conn, caller, f"{scope}:{name}", body.changes)
    return say.publication_of(one, ShowQuery(meta=True))


@router.delete("/{scope}/{name:path}", status_code=204)
async def withdraw(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction) -> None:
    """Publish a DID no more; what is public is suspended first."""
    await service.withdraw_publication(conn, caller, f"{scope}:{name}")


@router.get("/{scope}/{name:path}", dependencies=[JSON])
async def show(
    scope: ScopePath, name: NamePath, query: Annotated[ShowQuery, Query()], caller: RucioCaller, deployment: Deployed
) -> StreamingResponse:
    """Show a publication, with the files below it if that is asked for."""
    return await _shown(deployment.database, caller.vo, f"{scope}:{name}", query, readable=False)


@public.get("", dependencies=[JSON])
@public.get("/", dependencies=[JSON])
async def list_public(_query: Annotated[Nothing, Query()], vo: Meant, deployment: Deployed) -> StreamingResponse:
    """List the DIDs that everybody may read. Needs no token."""

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        after: int | None = 0
        while after is not None:  # each page by itself: no stranger holds a connection
            async with deployment.database.transaction([vo.vo]) as conn:
                some = await service.list_publications(conn, vo.vo, readable=True, page=(after, PAGE))
            yield [say.publication_of(one) for one in some]
            after = some[-1].did_id if len(some) == PAGE else None

    return _document({}, "dids", said())


@public.get("/{scope}/{name:path}", dependencies=[JSON])
async def show_public(
    scope: ScopePath, name: NamePath, query: Annotated[ShowQuery, Query()], vo: Meant, deployment: Deployed
) -> StreamingResponse:
    """Show a DID that everybody may read. Needs no token."""
    return await _shown(deployment.database, vo.vo, f"{scope}:{name}", query, readable=True)


async def _shown(database: Database, vo: int, did: str, query: ShowQuery, *, readable: bool) -> StreamingResponse:
    if query.download_urls:
        raise PartNotServed(part="download_urls", what="open data")
    async with database.transaction([vo]) as conn:
        one = await service.get_publication(conn, vo, did, readable=readable)

    async def files() -> AsyncIterator[list[dict[str, Any]]]:
        after: int | None = 0
        while after is not None:  # likewise
            async with database.transaction([vo]) as conn:
                some = await service.published_files(conn, one, after=after, limit=PAGE)
            yield [say.file_of(file) for file in some]
            after = some[-1].did_id if len(some) == PAGE else None

    return _document(say.publication_of(one, query), "files", files() if query.files else None)


def _document(
    head: dict[str, Any], name: str, parts: AsyncIterator[Iterable[dict[str, Any]]] | None
) -> StreamingResponse:
    """One JSON document: `head`, and under `name` a list that is made as it is read."""

    async def text() -> AsyncIterator[bytes]:
        if parts is None:
            yield json.dumps(head).encode()
            return
        yield (json.dumps(head)[:-1] + (", " if head else "") + f'"{name}": [').encode()
        first = True
        async for some in parts:
            if said := ", ".join(map(json.dumps, some)):
                yield f"{'' if first else ', '}{said}".encode()
                first = False
        yield b"]}"

    return StreamingResponse(text(), media_type="application/json")

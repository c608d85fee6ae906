"""Rucio's lists of DIDs, line by line: contents, parents, files, whole scopes, searches, metadata of many."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, gives, no_blanks
from sancho.compat.rucio.dids_wire import NEWEST, DidsIn, NamePath, NameText, NewQuery, ScopePath, SearchQuery
from sancho.compat.rucio.filters_translate import TYPES, filters_of, query_of
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.dids.model import Did, DidKind, Listed, Search
from sancho.kit.db import Connection

router = APIRouter(
    prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(gives(JSON_STREAM)), Depends(no_blanks)]
)
Lines = StreamingResponse


async def _known(conn: Connection, vo: int, named: DidsIn) -> list[Did]:
    """Those of these DIDs that exist: the others are passed over in lists, as with Rucio."""
    return await dids.find_all(conn, vo, list({one.did: None for one in named.dids}))


@router.post("/bulkfiles", response_class=Lines)
async def files_of_many(
    body: Annotated[DidsIn, Depends(body_as(DidsIn))], caller: RucioCaller, conn: RucioSnapshot
) -> Lines:
    """List the files below many DIDs."""
    roots = {did.did_id: did for did in await _known(conn, caller.vo, body)}

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_files(conn, caller.vo, list(roots.values())):
            yield [
                {"parent_scope": roots[n].scope, "parent_name": roots[n].name, **translate.file_of(file)}
                for n, file in part
            ]

    return await stream_of(said())


@router.get("/new", response_class=Lines)
async def list_newest(caller: RucioCaller, conn: RucioSnapshot, query: Annotated[NewQuery, Query()]) -> Lines:
    """List the DIDs that were made last, the newest first."""
    kinds = list(DidKind) if query.type is None else [DidKind[query.type.upper()]]
    found = await dids.newest(conn, caller.vo, kinds, limit=NEWEST)

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        yield [translate.new_of(did) for did in found]

    return await stream_of(said())


@router.get("/{guid:uuid}/guid", response_class=Lines)
async def datasets_of_guid(guid: UUID, caller: RucioCaller, conn: RucioSnapshot) -> Lines:
    """List the datasets that the file with a GUID is in."""
    found = await dids.of_guid(conn, caller.vo, guid.hex)

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_parents(conn, found):
            yield [{"scope": did.scope, "name": did.name} for did in part if did.kind is DidKind.DATASET]

    return await stream_of(said())


@router.get("/{scope}/", response_class=Lines)
async def list_scope(
    scope: ScopePath, caller: RucioCaller, conn: RucioSnapshot, name: NameText | None = None, recursive: bool = False
) -> Lines:
    """List the DIDs of a scope that nothing of it holds, or what is in a collection; if `recursive`, all below."""
    if name is None:
        parts = dids.stream_scope(conn, caller.vo, scope, deep=recursive)
    else:
        parts = dids.stream_below(conn, await dids.get(conn, caller.vo, f"{scope}:{name}"), deep=recursive)

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in parts:
            yield [translate.branch_of(branch) for branch in part]

    return await stream_of(said())


@router.get("/{scope}/dids/search", response_class=Lines)
async def search(
    scope: ScopePath, query: Annotated[SearchQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> Lines:
    """Search the DIDs of a scope."""
    keys = {key.name: key for key in await dids.list_keys(conn, caller.vo)}
    if query.filters is None:
        asked = Search(query_of(query.model_extra, keys), scope, kinds=TYPES[query.type])
    else:
        asked = Search(filters_of(query.filters, keys, query.type), scope)
    found = dids.search(conn, caller.vo, asked, limit=query.limit, deep=query.recursive)

    async def said() -> AsyncIterator[list[Any]]:
        async for part in found:
            yield await _long(conn, caller.vo, part) if query.long else [did.name for did in part]

    return await stream_of(said())


async def _long(conn: Connection, vo: int, part: list[Listed]) -> list[dict[str, Any]]:
    closed = [did.did_id for did in part if did.kind is not DidKind.FILE and not did.open]
    tallies = await dids.tallies(conn, vo, closed)
    return [translate.found_of(did, tallies.get(did.did_id)) for did in part]


@router.get("/{scope}/{name:path}/dids", response_class=Lines)
async def list_content(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioSnapshot) -> Lines:
    """List what is directly in a collection."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_children(conn, found):
            yield [translate.content_of(did) for did in part]

    return await stream_of(said())


@router.get("/{scope}/{name:path}/files", response_class=Lines)
async def list_files(
    scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioSnapshot, long: bool = False
) -> Lines:
    """List the files below a DID, at any depth: each once."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_files(conn, caller.vo, [found]):
            yield [translate.file_of(file, long=long) for _, file in part]

    return await stream_of(said())


@router.get("/{scope}/{name:path}/parents", response_class=Lines)
async def list_parents(scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioSnapshot) -> Lines:
    """List the collections that a DID is directly in."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        async for part in dids.stream_parents(conn, found):
            yield [translate.parent_of(did) for did in part]

    return await stream_of(said())

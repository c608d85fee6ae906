"""Rucio's metadata: what DIDs say by the VO's keys. Names may hold slashes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, no_blanks
from sancho.compat.rucio.dids_wire import MetaIn, MetaOfManyIn, MetaOfOneIn, NamePath, ScopePath, ValueIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.dids.model import Described, DidKind, Tally
from sancho.kit.db import Connection

router = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])


async def _describe(
    conn: Connection, caller: RucioCaller, said: list[tuple[str, dict[str, Any]]], *, recursive: bool
) -> Response:
    await dids.describe(conn, caller, said)
    if recursive:
        await dids.describe_below(conn, caller, said)
    return Response("Created", 201)


async def _below(conn: Connection, vo: int, found: list[Described]) -> dict[int, Tally]:
    """What is below those that are collections and closed."""
    closed = [one.did.did_id for one in found if one.did.kind is not DidKind.FILE and not one.did.open]
    return await dids.tallies(conn, vo, closed)


@router.post("/bulkdidsmeta")
async def set_of_many(
    body: Annotated[MetaOfManyIn, Depends(body_as(MetaOfManyIn))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Let many DIDs say something, all or none."""
    return await _describe(conn, caller, [(one.did, one.meta) for one in body.dids], recursive=body.recursive)


@router.post("/bulkmeta", dependencies=[Depends(gives(JSON_STREAM))])
async def get_of_many(
    body: Annotated[MetaIn, Depends(body_as(MetaIn))], caller: RucioCaller, conn: RucioSnapshot
) -> Response:
    """Show what is known of many DIDs; those that do not exist are passed over."""
    plugin = translate.plugin_of(body.plugin)
    names = list({one.did: None for one in body.dids})
    found = await dids.known_descriptions(conn, caller.vo, names, inherit=body.inherit)
    tallies = await _below(conn, caller.vo, found)

    async def said() -> AsyncIterator[list[dict[str, Any]]]:
        yield [
            {"scope": one.did.scope, "name": one.did.name}
            | translate.described(one, tallies.get(one.did.did_id), plugin)
            for one in found
        ]

    return await stream_of(said())


@router.get("/{scope}/{name:path}/meta", dependencies=[Depends(gives("application/json"))])
async def get_of_one(
    scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction, plugin: str = "DID_COLUMN"
) -> dict[str, Any]:
    """Show what is known of a DID."""
    wanted = translate.plugin_of(plugin)
    (found,) = await dids.descriptions(conn, caller.vo, [f"{scope}:{name}"])
    tallies = await _below(conn, caller.vo, [found])
    return translate.described(found, tallies.get(found.did.did_id), wanted)


@router.post("/{scope}/{name:path}/meta")
async def set_of_one(
    scope: ScopePath, name: NamePath, body: Annotated[MetaOfOneIn, Depends(body_as(MetaOfOneIn))],
    caller: RucioCaller, conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Let a DID say something."""
    return await _describe(conn, caller, [(f"{scope}:{name}", body.meta)], recursive=body.recursive)


@router.post("/{scope}/{name:path}/meta/{key}")
async def set_key(
    scope: ScopePath, name: NamePath, key: str, body: Annotated[ValueIn, Depends(body_as(ValueIn))],
    caller: RucioCaller, conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Let a DID say something by one key."""
    return await _describe(conn, caller, [(f"{scope}:{name}", {key: body.value})], recursive=body.recursive)


@router.delete("/{scope}/{name:path}/meta")
async def forget_key(
    scope: ScopePath, name: NamePath, key: Annotated[str, Query(max_length=200)], caller: RucioCaller,
    conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Let a DID say nothing by a key any more."""
    await dids.forget(conn, caller, f"{scope}:{name}", key)
    return Response(None, 200)

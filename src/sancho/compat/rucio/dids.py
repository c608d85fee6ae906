"""Rucio's DIDs one by one: shown, emptied, closed. Names may hold slashes."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Response

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives, no_blanks
from sancho.compat.rucio.dids_wire import (
    GoneIn,
    NamePath,
    ScopePath,
)
from sancho.dids import service as dids
from sancho.dids.model import Did, DidKind, Tally
from sancho.kit.db import Connection

router = APIRouter(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])

JSON = [Depends(gives("application/json"))]


async def below(conn: Connection, vo: int, found: list[Did], *, still_open: bool = False) -> dict[int, Tally]:
    """What is below those of these DIDs that are collections and closed; of others only if `still_open`."""
    told = [did.did_id for did in found if did.kind is not DidKind.FILE and (still_open or not did.open)]
    return await dids.tallies(conn, vo, told)


@router.delete("/{scope}/{name:path}/dids")
async def detach(
    scope: ScopePath, name: NamePath, body: Annotated[GoneIn, Depends(body_as(GoneIn))], caller: RucioCaller,
    conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Detach DIDs from a collection."""
    await dids.detach_all(conn, caller, f"{scope}:{name}", [one.did for one in body.dids])
    return Response(None, 200)


@router.put("/{scope}/{name:path}/status")
async def set_status(
    scope: ScopePath, name: NamePath, body: Annotated[dict[str, Any], Depends(body_as(dict[str, Any]))],
    caller: RucioCaller, conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Close a collection, or open it again; let it only grow, or say how long a DID lives."""
    said, did = translate.statuses_of(body), f"{scope}:{name}"
    if said.open is not None:
        await dids.set_open(conn, caller, did, is_open=said.open)
    if said.monotonic:
        await dids.set_monotonic(conn, caller, did)
    if "lifetime" in body:
        lifetime = None if said.lifetime is None else timedelta(seconds=said.lifetime)
        await dids.set_lifetime(conn, caller, did, lifetime)
    return Response(None, 200)


# The lower one is tried first: the upper one takes every name.
@router.get("/{scope}/{name:path}", dependencies=JSON)
@router.get("/{scope}/{name:path}/status", dependencies=JSON)
async def show(
    scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction,
    dynamic_depth: Annotated[Literal["FILE", "DATASET", "file", "dataset"] | None, Query()] = None,
) -> dict[str, Any]:  # fmt: skip
    """Show a DID. What is below an open collection is counted on demand, always from its datasets' tallies."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")
    tallies = await below(conn, caller.vo, [found], still_open=dynamic_depth is not None)
    return translate.did_of(found, tallies.get(found.did_id))

"""Rucio's DIDs one by one: made, shown, filled, closed. Names may hold slashes."""

from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Response

from sancho.compat.rucio import dids_translate as translate
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives, no_blanks, refuse_unserved
from sancho.compat.rucio.dids_wire import (
    AT_ONCE,
    AttachmentIn,
    AttachmentsIn,
    ChildrenIn,
    CollectionIn,
    GoneIn,
    NamePath,
    NewDidIn,
    ScopePath,
)
from sancho.compat.rucio.endpoints import ENDPOINTS
from sancho.compat.rucio.errors import PartNotServed, StatusUnknown
from sancho.dids import service as dids
from sancho.dids.model import Did, DidKind, Tally
from sancho.kit.db import Connection
from sancho.kit.web import Branch

router = Branch(prefix="/rucio/dids", include_in_schema=False, dependencies=[Depends(no_blanks)])

JSON = [Depends(gives("application/json"))]
REFUSED = [endpoint for endpoint in ENDPOINTS if endpoint.resource == "dids" and endpoint.state == "refused"]


async def below(conn: Connection, vo: int, found: list[Did], *, still_open: bool = False) -> dict[int, Tally]:
    """What is below those of these DIDs that are collections and closed; of others only if `still_open`."""
    told = [did.did_id for did in found if did.kind is not DidKind.FILE and (still_open or not did.open)]
    return await dids.tallies(conn, vo, told)


@router.post("")
async def add_many(
    body: Annotated[list[NewDidIn], Depends(body_as(list[NewDidIn]))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Make many datasets and containers, all or none."""
    if len(body) > AT_ONCE:
        raise PartNotServed(part=f"more than {AT_ONCE} DIDs", what="one request")
    await _create(conn, caller, [(one.did, one) for one in body])
    return Response("Created", 201)


async def _create(conn: Connection, caller: RucioCaller, wanted: list[tuple[str, CollectionIn]]) -> None:
    collections, filled = translate.collections_of(wanted, caller.account)
    await dids.create_all(conn, caller, collections)
    if filled:
        await dids.attach_all(conn, caller, filled, again=False)
    said = [(did, one.meta) for did, one in wanted if one.meta]
    if said:
        await dids.describe(conn, caller, said, field="dids.{}.meta".format)


@router.post("/attachments")
async def attach_many(
    body: Annotated[AttachmentsIn, Depends(body_as(AttachmentsIn))], caller: RucioCaller, conn: RucioTransaction
) -> Response:
    """Attach DIDs to many collections, all or none."""
    attachments = translate.attachments_of(body.attachments)
    await dids.attach_all(conn, caller, attachments, again=body.ignore_duplicate)
    return Response("Created", 201)


@router.post("/{scope}/{name:path}/dids")
async def attach(
    scope: ScopePath, name: NamePath, body: Annotated[ChildrenIn, Depends(body_as(ChildrenIn))], caller: RucioCaller,
    conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Attach DIDs to a collection."""
    wanted = AttachmentIn(scope=scope, name=name, dids=body.dids, rse=body.rse)
    await dids.attach_all(conn, caller, translate.attachments_of([wanted]), again=False)
    return Response("Created", 201)


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
    """Close a collection, or open it again."""
    if "lifetime" in body:
        raise PartNotServed(part="lifetime", what=f"{scope}:{name}")
    unknown = next((key for key in body if key != "open" or not isinstance(body[key], bool)), None)
    if unknown is not None or not body:
        raise StatusUnknown(status=str(unknown)[:100])
    await dids.set_open(conn, caller, f"{scope}:{name}", is_open=body["open"])
    return Response(None, 200)


# The lower one is tried first: the upper one takes every name.
@router.get("/{scope}/{name:path}", dependencies=[*JSON, Depends(refuse_unserved)])
@router.get("/{scope}/{name:path}/status", dependencies=JSON)
async def show(
    scope: ScopePath, name: NamePath, caller: RucioCaller, conn: RucioTransaction,
    dynamic_depth: Annotated[Literal["FILE", "DATASET", "file", "dataset"] | None, Query()] = None,
) -> dict[str, Any]:  # fmt: skip
    """Show a DID. What is below an open collection is counted on demand, always from its datasets' tallies."""
    found = await dids.get(conn, caller.vo, f"{scope}:{name}")
    tallies = await below(conn, caller.vo, [found], still_open=dynamic_depth is not None)
    return translate.did_of(found, tallies.get(found.did_id))


@router.post("/{scope}/{name:path}", dependencies=[Depends(refuse_unserved)])
async def add(
    scope: ScopePath, name: NamePath, body: Annotated[CollectionIn, Depends(body_as(CollectionIn))],
    caller: RucioCaller, conn: RucioTransaction,
) -> Response:  # fmt: skip
    """Make a dataset or container, with what is to be in it."""
    await _create(conn, caller, [(f"{scope}:{name}", body)])
    return Response("Created", 201)

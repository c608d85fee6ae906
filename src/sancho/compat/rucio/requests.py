"""Rucio's requests: those of transfers that are not done yet."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from sancho.compat.rucio import requests_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives, refuse_unserved
from sancho.compat.rucio.errors import NothingRequested
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids import service as dids
from sancho.rses import service as rses
from sancho.transfers import service
from sancho.transfers.model import RequestsAsked

router = APIRouter(prefix="/rucio/requests", include_in_schema=False, dependencies=[Depends(refuse_unserved)])
RseName = Annotated[str, Field(max_length=128)]


class RequestsQuery(BaseModel, extra="forbid"):
    """Which requests to list."""

    src_rse: RseName
    dst_rse: RseName
    request_states: Annotated[str, Field(max_length=200)]


@router.get("/list", dependencies=[Depends(gives(JSON_STREAM))])
async def list_requests(query: Annotated[RequestsQuery, Query()], caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the requests to bring files to an RSE that were last tried from another, in some states."""
    source, destination = await rses.get(conn, query.src_rse), await rses.get(conn, query.dst_rse)
    ids = {source.name: source.rse_id, destination.name: destination.rse_id}
    asked = RequestsAsked(say.states_of(query.request_states), destination.name, source.name)
    found = service.stream(conn, caller.vo, asked)
    return await stream_of([say.request_of(one, ids) for one in some] async for some in found)


@router.get("/{scope}/{name:path}/{rse}")
async def request_of(scope: str, name: str, rse: str, caller: RucioCaller, conn: RucioTransaction) -> dict[str, Any]:
    """Say how the wish to bring a file to an RSE fares; raises `NothingRequested`."""
    destination = await rses.get(conn, rse)
    did = await dids.get(conn, caller.vo, f"{scope}:{name}")
    asked = RequestsAsked(rse=destination.name, did_id=did.did_id)
    found = [one async for some in service.stream(conn, caller.vo, asked) for one in some]
    if not found:
        raise NothingRequested(did=did.did, rse=rse)
    known = {one.name: one.rse_id for one in await rses.rses(conn)}
    return say.request_of(found[0], known)

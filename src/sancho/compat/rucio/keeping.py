"""Rucio's lifetime exceptions. One's id is our number in 32 hex digits; of a DID there is one end, its `eol_at`."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from sancho.compat.rucio import keeping_translate as say
from sancho.compat.rucio.body import body_as
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives
from sancho.compat.rucio.errors import NotForOthers, PartNotServed
from sancho.compat.rucio.keeping_wire import DecisionIn, LifetimeExceptionIn, LifetimeExceptionsQuery
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.translate import id_of, number_of
from sancho.dids import service
from sancho.dids.errors import LifetimeExceptionNotFound, UntilPast
from sancho.dids.model import LifetimeExceptionState
from sancho.kit.db import Connection
from sancho.kit.web import Deployed

STREAMS = [Depends(gives(JSON_STREAM))]
router = APIRouter(prefix="/rucio/lifetime_exceptions", include_in_schema=False)


def _number(exception_id: str, caller: RucioCaller) -> int:  # noqa: ARG001 - it needs a token first
    return _read(exception_id)


def _read(exception_id: str) -> int:
    number = number_of(exception_id)
    if not number:
        raise LifetimeExceptionNotFound(exception_id=exception_id[:100])
    return number


Number = Annotated[int, Depends(_number)]
"""The number of the exception in a path; raises `LifetimeExceptionNotFound`."""


@router.post("", status_code=201)
@router.post("/", status_code=201)
async def ask(
    caller: RucioCaller, body: Annotated[LifetimeExceptionIn, Depends(body_as(LifetimeExceptionIn))],
    conn: RucioTransaction, deployment: Deployed,
) -> dict[str, Any]:  # fmt: skip
    """Ask that those DIDs that there are and that end earlier be kept, in one exception; say which are others."""
    if body.account not in (None, caller.account):
        raise NotForOthers(what="A lifetime exception", account=body.account or "")
    if body.pattern:
        raise PartNotServed(part="pattern", what="a lifetime exception")
    if body.expires_at <= deployment.clock.now():  # whether or not anything would be affected
        raise UntilPast(until=body.expires_at)
    found = {did.did: did for did in await service.find_all(conn, caller.vo, [did.did for did in body.dids])}
    asked = say.sorted_out(body.dids, found, body.expires_at)
    made: dict[str, Any] = {}
    if asked.affected:
        one = await service.ask_exception(
            conn, caller, [did.did for did in asked.affected], until=body.expires_at, reason=body.comments,
            now=deployment.clock.now(),
        )  # fmt: skip
        made[id_of(one.exception_id)] = [say.did_of(did) for did in asked.affected]
    return {"exceptions": made, "unknown": asked.unknown, "not_affected": [say.did_of(did) for did in asked.others]}


@router.get("", dependencies=STREAMS)
@router.get("/", dependencies=STREAMS)
async def list_exceptions(
    query: Annotated[LifetimeExceptionsQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> Response:
    """Stream every DID of every exception of the VO, or of one, newest first."""
    number = None if query.exception_id is None else _read(query.exception_id)
    return await _entries(conn, caller.vo, number, say.states_of(query.states))


@router.get("/{exception_id}", dependencies=STREAMS)
async def show(exception_id: Number, caller: RucioCaller, conn: RucioSnapshot) -> Response:
    """Stream the DIDs of an exception."""
    return await _entries(conn, caller.vo, exception_id, ())


async def _entries(
    conn: Connection, vo: int, exception_id: int | None, states: tuple[LifetimeExceptionState, ...]
) -> Response:
    if exception_id is not None:
        await service.get_exception(conn, vo, exception_id)
    found = service.stream_exceptions(conn, vo, exception_id=exception_id, states=states)
    return await stream_of([say.entry_of(one) for one in some] async for some in found)


@router.put("/{exception_id}")
async def decide(
    exception_id: Number, body: Annotated[DecisionIn, Depends(body_as(DecisionIn))], caller: RucioCaller,
    conn: RucioTransaction, deployment: Deployed,
) -> Response:  # fmt: skip
    """Approve or reject an exception, once."""
    if body.approves:
        await service.approve_exception(conn, caller, exception_id, answer=None, now=deployment.clock.now())
    else:
        await service.reject_exception(conn, caller, exception_id, answer=None)
    return Response("Created", 201)

"""Rucio's suspicious replicas, and lists and sums of all that was said of replicas."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from sancho.compat.rucio import troubles_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives
from sancho.compat.rucio.replicas_wire import UNKNOWN, DarkIn, StatesQuery, SummaryQuery, SuspiciousIn, SuspiciousQuery
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.compat.rucio.translate import id_of
from sancho.kit.db import Connection
from sancho.replicas import service
from sancho.replicas.model import Declaration, DeclarationKind, DeclarationState, Saying, Troubles
from sancho.rses import service as rses

LOOKED_BACK = timedelta(days=10)
"""How far suspicions are counted when nothing is said: as Rucio does."""
STREAMS = [Depends(gives(JSON_STREAM))]
router = APIRouter(prefix="/rucio/replicas", include_in_schema=False, strict_content_type=False)


@router.post("/suspicious", status_code=201)
@router.post("/suspicious/", status_code=201)
async def declare(body: SuspiciousIn, caller: RucioCaller, conn: RucioTransaction) -> dict[str, list[str]]:
    """Count that replicas could not be used; say by RSE of which it could not be noted."""
    found = await service.located(conn, caller, body.pfns)
    saying = Saying(DeclarationKind.SUSPICIOUS, body.reason)
    left = await service.declare(conn, caller, {at.key: at.did for at in found.values()}, saying)
    refused: dict[str, list[str]] = {}
    for url in body.pfns:
        at = found.get(url)
        if at is None or at.key in left:
            refused.setdefault(at.rse if at else UNKNOWN, []).append(url)
    return refused


@router.get("/suspicious", dependencies=STREAMS)
@router.get("/suspicious/", dependencies=STREAMS)
async def list_suspicious(
    query: Annotated[SuspiciousQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> StreamingResponse:
    """Stream the replicas that were called suspicious, and are not called bad, often enough of late."""
    asked = Troubles(
        kinds=[DeclarationKind.SUSPICIOUS], states=[DeclarationState.STANDING],
        rse_ids=await _rse_ids(conn, query.rse_expression), since=query.younger_than or datetime.now(UTC) - LOOKED_BACK,
    )  # fmt: skip
    found = service.suspicions(conn, caller.vo, asked, at_least=max(query.nattempts, 1))
    return await stream_of([say.suspicion_of(one) for one in some] async for some in found)


@router.get("/bad/states", dependencies=STREAMS)
@router.get("/bad/states/", dependencies=STREAMS)
async def list_states(
    query: Annotated[StatesQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> StreamingResponse:
    """Stream what was said of replicas, newest first, and what came of it; or the URLs of those replicas."""
    kinds, states = say.meant(query.state)
    rse_ids = [(await rses.get(conn, query.rse)).rse_id] if query.rse else None
    asked = Troubles(kinds, states, rse_ids, since=query.younger_than, before=query.older_than)
    found = _first(service.stream_troubles(conn, caller.vo, asked), query.limit)
    if query.list_pfns:
        known = {rse.rse_id: rse for rse in await rses.rses(conn)}
        return await stream_of(
            [say.url_of(one, known[one.rse_id], caller.vo_name) for one in some if one.rse_id in known]
            async for some in found
        )
    return await stream_of([say.declaration_of(one) for one in some] async for some in found)


@router.get("/bad/summary", dependencies=STREAMS)
@router.get("/bad/summary/", dependencies=STREAMS)
async def summary(
    query: Annotated[SummaryQuery, Query()], caller: RucioCaller, conn: RucioSnapshot
) -> StreamingResponse:
    """Stream how many replicas were called something together, and what came of it."""
    asked = Troubles(
        states=say.TOLD, rse_ids=await _rse_ids(conn, query.rse_expression), since=query.from_date, before=query.to_date
    )
    found = service.trouble_sums(conn, caller.vo, asked)
    return await stream_of([say.summary_of(one) for one in some] async for some in found)


@router.post("/quarantine")
@router.post("/quarantine/")
async def quarantine(body: DarkIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Note files that nobody knows; they are deleted after a day."""
    name = body.rse or next((rse.name for rse in await rses.rses(conn) if id_of(rse.rse_id) == body.rse_id), "")
    if not body.replicas:
        await rses.get(conn, name)
        return Response(None, 200)
    await service.quarantine(conn, caller, name, [one.path for one in body.replicas])
    return Response(None, 200)


async def _rse_ids(conn: Connection, expression: str | None) -> list[int] | None:
    return None if not expression else [rse.rse_id for rse in await rses.resolve(conn, expression)]


async def _first(found: AsyncIterator[list[Declaration]], limit: int | None) -> AsyncIterator[list[Declaration]]:
    left = limit
    async for some in found:
        yield some[:left]
        if left is not None:
            left -= len(some)
            if left <= 0:
                return

"""Rucio's RSEs: which there are, how they are reached, how far they are from each other, what is on them."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from sancho.compat.rucio import rses_translate as say
from sancho.compat.rucio import translate
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives
from sancho.compat.rucio.rses_errors import ProtocolNotThere
from sancho.compat.rucio.rses_wire import LfnsAsked, UsageIn
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids.model import parse_did
from sancho.kit.web import Deployed
from sancho.replicas import service as replicas
from sancho.rses import service
from sancho.rses.model import Domain, Operation, Report

router = APIRouter(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)
Json = Depends(gives("application/json"))
Streams = Depends(gives(JSON_STREAM))
LONGEST_EXPRESSION = 4000
REPORTS = 10_000


@router.get("", dependencies=[Streams])
@router.get("/", dependencies=[Streams])
async def list_rses(
    _caller: RucioCaller,
    conn: RucioSnapshot,
    expression: Annotated[str | None, Query(max_length=LONGEST_EXPRESSION)] = None,
) -> StreamingResponse:
    """Stream the RSEs that the VO may use; by an expression, their names alone."""
    if expression is None:
        return await stream_of(_once(say.rse_of(rse) for rse in await service.rses(conn)))
    found = await service.resolve(conn, expression, field="expression")
    return await stream_of(_once({"rse": rse.name} for rse in found))


async def _once(documents: Iterable[Any]) -> AsyncIterator[Iterable[Any]]:
    yield documents


@router.get("/{rse}", dependencies=[Json])
async def rse(rse: str, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed) -> JSONResponse:
    """Show an RSE with all that uploads and downloads need to know of it."""
    there = await service.get(conn, rse)
    signing = service.signing(deployment.extensions, there)
    return JSONResponse(say.settings_of(there, caller.vo_name, signing=signing))


@router.get("/{rse}/attr", dependencies=[Json])
@router.get("/{rse}/attr/", dependencies=[Json])
async def attributes(rse: str, _caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Show what expressions may ask of an RSE."""
    return JSONResponse(say.attributes_of(await service.get(conn, rse)))


@router.get("/{rse}/protocols", dependencies=[Json])
async def protocols(rse: str, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed) -> JSONResponse:
    """List how an RSE is reached."""
    there = await service.get(conn, rse)
    signing = service.signing(deployment.extensions, there)
    return JSONResponse(say.protocols_of(there, caller.vo_name, signing=signing))


@router.get("/{rse}/protocols/{scheme}", dependencies=[Json])
async def protocol(
    rse: str, scheme: str, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed
) -> JSONResponse:
    """Show an RSE with its protocols of a scheme."""
    there = await service.get(conn, rse)
    signing = service.signing(deployment.extensions, there)
    said = say.settings_of(there, caller.vo_name, scheme, signing=signing)
    if not said["protocols"]:
        raise ProtocolNotThere(rse=rse, scheme=scheme[:100])
    return JSONResponse(said)


@router.get("/{rse}/qos_policy", dependencies=[Json])
async def qos_policies(rse: str, _caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Name the QoS that an RSE is of, if any."""
    qos = (await service.get(conn, rse)).attributes.get("qos")
    return JSONResponse([] if qos is None else [str(qos)])


@router.get("/{rse}/lfns2pfns", dependencies=[Json])
async def lfns2pfns(
    rse: str,
    caller: RucioCaller,
    conn: RucioTransaction,
    deployment: Deployed,
    asked: Annotated[LfnsAsked, Query()],
) -> JSONResponse:
    """Say where files lie on an RSE by its best protocol, or where a client would put those that do not."""
    schemes = None if asked.scheme is None else asked.scheme.split(",")
    known = await service.get(conn, rse)
    reached = service.reached([known], Operation(asked.operation), Domain(asked.domain), schemes=schemes)
    if not reached:
        raise ProtocolNotThere(rse=rse, scheme=(asked.scheme or asked.operation)[:100])
    there = reached[known.rse_id]
    names = [parse_did(one, field="lfn") for one in asked.lfn]
    known = await replicas.lying_on(conn, caller, there, names)
    paths = [known.get(one) or service.named_path(deployment.extensions, there, caller.vo_name, *one) for one in names]
    return JSONResponse({one: service.pfn(there, path) for one, path in zip(asked.lfn, paths, strict=True)})


@router.get("/{rse}/usage", dependencies=[Streams])
async def usage(
    rse: str,
    caller: RucioCaller,
    conn: RucioSnapshot,
    deployment: Deployed,
    source: Annotated[str | None, Query(max_length=100)] = None,
) -> StreamingResponse:
    """Say what the VO has on an RSE, as the catalogue counts it, and what its storage reports: last, by each source."""
    there = await service.get(conn, rse)
    counts = {count.rse_id: count for count in await replicas.usage(conn, caller.vo)}
    now = translate.date_of(deployment.clock.now())
    said = [say.usage_of(there, counts.get(there.rse_id), now)]
    said += [say.report_of(there, report) for report in await service.newest_reports(conn, there)]
    return await stream_of(_once([one for one in said if source in (None, one["source"])]))


@router.get("/{rse}/usage/history", dependencies=[Streams])
async def history(
    rse: str, _caller: RucioCaller, conn: RucioSnapshot, source: Annotated[str | None, Query(max_length=100)] = None
) -> StreamingResponse:
    """Stream what sources have reported of an RSE, the newest first."""
    there = await service.get(conn, rse)
    found = await service.reports(conn, there, source=source, limit=REPORTS)
    return await stream_of(_once([say.report_of(there, report) for report in found]))


@router.put("/{rse}/usage")
async def report(
    rse: str, body: UsageIn, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed
) -> Response:
    """Note what a source says is on a storage."""
    there = await service.get(conn, rse)
    said = Report(reported_at=deployment.clock.now(), **body.model_dump())
    await service.report(conn, caller, there, said)
    return Response(None, 200)


@router.get("/{source}/distances/{destination}", dependencies=[Json])
async def distance(source: str, destination: str, _caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Say what a transfer from one RSE to another costs; nothing where no link leads there."""
    one, other = await service.get(conn, source, field="source"), await service.get(conn, destination)
    cost = (await service.distances(conn)).get((one.rse_id, other.rse_id))
    return JSONResponse([] if cost is None else [say.distance_of(one, other, cost)])

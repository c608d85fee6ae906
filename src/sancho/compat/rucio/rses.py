"""Rucio's RSEs: which there are, how they are reached, how far they are from each other, what is on them."""

from collections.abc import AsyncIterator, Iterable
from typing import Annotated, Any

from fastapi import Depends, Query
from fastapi.responses import JSONResponse, StreamingResponse

from sancho.compat.rucio import rses_translate as say
from sancho.compat.rucio import translate
from sancho.compat.rucio.caller import RucioCaller, RucioSnapshot, RucioTransaction, gives
from sancho.compat.rucio.errors import ProtocolNotThere
from sancho.compat.rucio.streams import JSON_STREAM, stream_of
from sancho.dids.model import parse_did
from sancho.kit.web import Branch, Deployed
from sancho.replicas import service as replicas
from sancho.rses import service
from sancho.rses.model import Rse
from sancho.rules import service as rules

router = Branch(prefix="/rucio/rses", include_in_schema=False, strict_content_type=False)
Json = Depends(gives("application/json"))
Streams = Depends(gives(JSON_STREAM))
LOCATED_AT_ONCE = 1000
LONGEST_EXPRESSION = 4000
QUOTAS_READ = 10_000


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
async def rse(rse: str, caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Show an RSE with all that uploads and downloads need to know of it."""
    return JSONResponse(say.settings_of(await service.get(conn, rse), caller.vo_name))


@router.get("/{rse}/attr", dependencies=[Json])
@router.get("/{rse}/attr/", dependencies=[Json])
async def attributes(rse: str, _caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Show what expressions may ask of an RSE."""
    return JSONResponse(say.attributes_of(await service.get(conn, rse)))


@router.get("/{rse}/protocols", dependencies=[Json])
async def protocols(rse: str, caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """List how an RSE is reached."""
    return JSONResponse([say.protocol_of(await service.get(conn, rse), caller.vo_name)])


@router.get("/{rse}/protocols/{scheme}", dependencies=[Json])
async def protocol(rse: str, scheme: str, caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Show an RSE that is reached by a scheme."""
    return JSONResponse(say.settings_of(_by_scheme(await service.get(conn, rse), scheme), caller.vo_name))


def _by_scheme(rse: Rse, scheme: str) -> Rse:
    if translate.scheme_of(rse) != scheme:
        raise ProtocolNotThere(rse=rse.name, scheme=scheme[:100])
    return rse


@router.get("/{rse}/lfns2pfns", dependencies=[Json])
async def lfns2pfns(
    rse: str,
    caller: RucioCaller,
    conn: RucioTransaction,
    deployment: Deployed,
    lfn: Annotated[list[Annotated[str, Query(max_length=700)]], Query(max_length=LOCATED_AT_ONCE)],
    scheme: Annotated[str | None, Query(max_length=1000)] = None,
) -> JSONResponse:
    """Say where files lie on an RSE, or where a client would put those that do not."""
    there = await service.get(conn, rse)
    if scheme is not None and translate.scheme_of(there) not in scheme.split(","):
        raise ProtocolNotThere(rse=rse, scheme=scheme[:100])
    names = [parse_did(one, field="lfn") for one in lfn]
    known = await replicas.lying_on(conn, caller, there, names)
    paths = [known.get(one) or service.named_path(deployment.extensions, there, caller.vo_name, *one) for one in names]
    return JSONResponse({one: service.pfn(there, path) for one, path in zip(lfn, paths, strict=True)})


@router.get("/{rse}/usage", dependencies=[Streams])
async def usage(
    rse: str,
    caller: RucioCaller,
    conn: RucioSnapshot,
    deployment: Deployed,
    source: Annotated[str | None, Query(max_length=100)] = None,
) -> StreamingResponse:
    """Say what the VO has on an RSE, as the catalogue counts it."""
    there = await service.get(conn, rse)
    counts = {count.rse_id: count for count in await replicas.usage(conn, caller.vo)}
    now = translate.date_of(deployment.clock.now())
    said = say.usage_of(there, counts.get(there.rse_id), now)
    return await stream_of(_once([said] if source in (None, say.USAGE_SOURCE) else []))


@router.get("/{rse}/limits", dependencies=[Json])
async def limits(rse: str, caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Say how many bytes the VO may have on an RSE, where a quota for all of it together says so."""
    there = await service.get(conn, rse)
    quotas = await rules.list_quotas(conn, caller.vo, page=("", QUOTAS_READ))
    sizes = [q.limit for q in quotas if q.account is None and say.names_only(q.rse_expression, there.name)]
    return JSONResponse({say.SPACE: min(sizes)} if sizes else {})


@router.get("/{source}/distances/{destination}", dependencies=[Json])
async def distance(source: str, destination: str, _caller: RucioCaller, conn: RucioTransaction) -> JSONResponse:
    """Say what a transfer from one RSE to another costs; nothing where no link leads there."""
    one, other = await service.get(conn, source, field="source"), await service.get(conn, destination)
    cost = (await service.distances(conn)).get((one.rse_id, other.rse_id))
    return JSONResponse([] if cost is None else [say.distance_of(one, other, cost)])

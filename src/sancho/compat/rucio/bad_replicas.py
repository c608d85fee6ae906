"""Rucio's bad replicas, and those that are not needed any more."""

from collections.abc import Iterable, Sequence

from fastapi import APIRouter, Response

from sancho.compat.rucio import troubles_translate as say
from sancho.compat.rucio.caller import RucioCaller, RucioTransaction
from sancho.compat.rucio.errors import PfnUnknown
from sancho.compat.rucio.replicas_wire import UNKNOWN, BadDidsIn, BadIn, BadPfnsIn, KeysIn, ReplicaIn, TombstonesIn
from sancho.compat.rucio.wire import DidIn
from sancho.dids import service as dids
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.replicas import service
from sancho.replicas.model import DeclarationKind, ReplicaKey, Saying
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound

router = APIRouter(prefix="/rucio/replicas", include_in_schema=False, strict_content_type=False)


@router.delete("")
@router.delete("/")
async def delete(body: KeysIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Let replicas on an RSE be deleted soon, on the storage too: all of them or none."""
    await service.give_up(conn, caller, await _keys(conn, caller, _on(body.rse, body.files)))
    return Response(None, 200)


@router.post("/tombstone", status_code=201)
@router.post("/tombstone/", status_code=201)
async def set_tombstones(body: TombstonesIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Let replicas be deleted soon: all of them or none."""
    await service.give_up(conn, caller, await _keys(conn, caller, body.replicas))
    return Response("Created", 201)


@router.post("/bad", status_code=201)
@router.post("/bad/", status_code=201)
async def declare(body: BadIn, caller: RucioCaller, conn: RucioTransaction) -> dict[str, list[str]]:
    """Note that replicas are lost or wrong; say by RSE of which it could not be noted."""
    urls = [one for one in body.replicas if isinstance(one, str)]
    if urls:
        found = await service.located(conn, caller, urls)
        bad = Saying(DeclarationKind.BAD, body.reason)
        left = await service.declare(conn, caller, {at.key: at.did for at in found.values()}, bad)
        refused = [(found[url].rse if url in found else UNKNOWN, url) for url in urls]
        return _by_rse((rse, url) for rse, url in refused if url not in found or found[url].key in left)
    return await _declare(conn, caller, [one for one in body.replicas if not isinstance(one, str)], body.reason)


@router.post("/bad/dids", status_code=201)
@router.post("/bad/dids/", status_code=201)
async def declare_dids(body: BadDidsIn, caller: RucioCaller, conn: RucioTransaction) -> dict[str, list[str]]:
    """Note that the replicas of files on an RSE are lost or wrong; say of which it could not be noted."""
    return await _declare(conn, caller, _on(body.rse, body.dids), body.reason)


@router.post("/bad/pfns", status_code=201)
@router.post("/bad/pfns/", status_code=201)
async def declare_pfns(body: BadPfnsIn, caller: RucioCaller, conn: RucioTransaction) -> Response:
    """Note what is said of the replicas at URLs; raises `PfnUnknown` for the first where nothing can lie."""
    found = await service.located(conn, caller, body.pfns)
    for url in body.pfns:
        if url not in found:
            raise PfnUnknown(pfn=url[:500])
    saying = Saying(say.KINDS[body.state], body.reason, body.expires_at)
    await service.declare(conn, caller, {at.key: at.did for at in found.values()}, saying)
    return Response("Created", 201)


async def _declare(
    conn: Connection, caller: Principal, replicas: Sequence[ReplicaIn], reason: str | None
) -> dict[str, list[str]]:
    keys = await _keys(conn, caller, replicas)
    left = await service.declare(conn, caller, keys, Saying(DeclarationKind.BAD, reason))
    names = {rse.rse_id: rse.name for rse in await rses.rses(conn)}
    return _by_rse((names[key.rse_id], keys[key]) for key in left)


async def _keys(conn: Connection, caller: Principal, replicas: Sequence[ReplicaIn]) -> dict[ReplicaKey, str]:
    known = {rse.name: rse.rse_id for rse in await rses.rses(conn)}
    for one in replicas:
        if one.rse not in known:
            raise RseNotFound(rse=one.rse)
    found = await dids.resolve(conn, caller.vo, [one.did for one in replicas])
    return {ReplicaKey(did.did_id, known[one.rse]): did.did for one, did in zip(replicas, found, strict=True)}


def _on(rse: str, files: Sequence[DidIn]) -> list[ReplicaIn]:
    return [ReplicaIn(scope=file.scope, name=file.name, rse=rse) for file in files]


def _by_rse(refused: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for rse, what in refused:
        said.setdefault(rse, []).append(what)
    return said

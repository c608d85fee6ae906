"""DiracX's resource status: which sites, CEs and RSEs the caller's VO may use now."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sancho.compat.diracx import rss_translate as translate
from sancho.compat.diracx.config_translate import edition, own_first
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Caller, Transaction
from sancho.rses import service as topology
from sancho.sites import service as places
from sancho.vos import service as vos

router = APIRouter(prefix="/api/rss", include_in_schema=False)


async def _told(
    request: Request, caller: Principal, conn: Connection, known: Mapping[str, BaseModel]
) -> Response:  # fmt: skip
    """Tell statuses, or 304 to whom knows them: documents alone switch resources on and off."""
    said = {name: status.model_dump(mode="json") for name, status in sorted(known.items())}
    made = edition(await vos.newest_version(conn, caller.vo), said, suffix=f"-{caller.vo_name}")
    if made.is_known(request.headers):
        return Response(status_code=304, headers=made.headers)
    return JSONResponse(said, headers=made.headers)


@router.get("/site")
async def sites(request: Request, caller: Caller, conn: Transaction) -> Response:
    """Say which sites may be used."""
    found = own_first(await places.sites(conn), caller.vo)
    return await _told(request, caller, conn, translate.sites(found))


@router.get("/compute")
async def compute(request: Request, caller: Caller, conn: Transaction) -> Response:
    """Say which CEs may be used."""
    found = own_first(await places.ces(conn), caller.vo)
    return await _told(request, caller, conn, translate.ces(found))


@router.get("/storage")
async def storage(request: Request, caller: Caller, conn: Transaction) -> Response:
    """Say what RSEs may be used for."""
    return await _told(request, caller, conn, translate.rses(await topology.rses(conn, vo=caller.vo)))


@router.get("/fts")
async def fts(request: Request, caller: Caller, conn: Transaction) -> Response:
    """Say which services for transfers may be used: our own carry them, so there are none to name."""
    return await _told(request, caller, conn, {})

"""DiracX's resource status: which sites, CEs and RSEs the caller's VO may use now."""

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from sancho.compat.diracx import answers
from sancho.compat.diracx import rss_translate as translate
from sancho.compat.diracx.config_translate import edition, own_first
from sancho.identity.model import Roll
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Caller, Deployed
from sancho.rses import service as topology
from sancho.sites import service as places

router = APIRouter(prefix="/api/rss", include_in_schema=False)


def _made(caller: Principal, roll: Roll, known: Mapping[str, BaseModel]) -> answers.Made:
    """Statuses: documents alone switch resources on and off."""
    said = {name: status.model_dump(mode="json") for name, status in sorted(known.items())}
    return edition(roll.applied_at, said, suffix=f"-{caller.vo_name}"), said


@router.get("/site")
async def sites(request: Request, caller: Caller, deployment: Deployed) -> Response:
    """Say which sites may be used."""

    async def made(conn: Connection, roll: Roll) -> answers.Made:
        return _made(caller, roll, translate.sites(own_first(await places.sites(conn), caller.vo)))

    return await answers.told(request, caller, deployment, made)


@router.get("/compute")
async def compute(request: Request, caller: Caller, deployment: Deployed) -> Response:
    """Say which CEs may be used."""

    async def made(conn: Connection, roll: Roll) -> answers.Made:
        return _made(caller, roll, translate.ces(own_first(await places.ces(conn), caller.vo)))

    return await answers.told(request, caller, deployment, made)


@router.get("/storage")
async def storage(request: Request, caller: Caller, deployment: Deployed) -> Response:
    """Say what RSEs may be used for."""

    async def made(conn: Connection, roll: Roll) -> answers.Made:
        return _made(caller, roll, translate.rses(await topology.rses(conn, vo=caller.vo)))

    return await answers.told(request, caller, deployment, made)


@router.get("/fts")
async def fts(request: Request, caller: Caller, deployment: Deployed) -> Response:
    """Say which services for transfers may be used: our own carry them, so there are none to name."""

    async def made(_conn: Connection, roll: Roll) -> answers.Made:
        return _made(caller, roll, {})

    return await answers.told(request, caller, deployment, made)

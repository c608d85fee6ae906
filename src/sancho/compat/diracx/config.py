"""DiracX's configuration: what a VO may know of itself and of what it may use, told as one document."""

from importlib.metadata import version
from typing import Any, cast

from fastapi import APIRouter, Request, Response

from sancho.compat.diracx import answers
from sancho.compat.diracx import config_translate as translate
from sancho.identity import service as identity
from sancho.identity.model import Roll
from sancho.identity.service import providers
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection, serving
from sancho.kit.deployment import Deployment
from sancho.kit.web import Caller, Deployed
from sancho.rses import service as rses
from sancho.settings import Settings
from sancho.sites import service as sites
from sancho.vos import service as vos
from sancho.vos.model import CLIENT_SETTINGS

router = APIRouter(prefix="/api/config", include_in_schema=False)

MOST_ACCOUNTS = 100_000
RELEASE = version("sancho-grid")
"""What is told depends on it, too."""


@router.get("/")
async def config(request: Request, caller: Caller, deployment: Deployed) -> Response:
    """Tell the configuration of the caller's VO; 304 to whom knows it.

    All of it follows from documents, whose version therefore says whether anything has changed, but for accounts that
    were made or suspended without one.
    """
    client = cast(Settings, request.app.state.settings).diracx.client_id

    def named(roll: Roll) -> translate.Edition:
        return translate.edition(
            roll.applied_at, RELEASE, deployment.public_url, client, caller.vo_name, roll.version, roll.suspended,
            roll.newest,
        )  # fmt: skip

    async def made(conn: Connection, roll: Roll) -> answers.Made:
        return named(roll), await _config(conn, caller, deployment, client)

    return await answers.told(request, caller, deployment, made, named)


async def _config(conn: Connection, caller: Principal, deployment: Deployment, client: str) -> dict[str, Any]:
    async with serving(conn, [INSTANCE]):  # what a VO is called for, the installation says
        described = await vos.find_spec(conn, INSTANCE, vos.KIND.name, caller.vo_name) or {}
    return translate.config(
        translate.Known(
            vo=caller.vo_name,
            public_url=deployment.public_url,
            client_id=client,
            email=described.get("email"),
            max_reschedules=described.get("max_reschedules", 3),
            accounts=await identity.list_accounts(conn, caller.vo, limit=MOST_ACCOUNTS),
            groups=await identity.groups(conn, caller.vo),
            providers=await providers.list_providers(conn, caller.vo),
            settings=await vos.documents(conn, [caller.vo], kind=CLIENT_SETTINGS),
            sites=translate.own_first(await sites.sites(conn), caller.vo),
            ces=translate.own_first(await sites.ces(conn), caller.vo),
            rses=await rses.rses(conn, vo=caller.vo),
        )
    )

"""DiracX's submission of JDL."""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request

from sancho.compat.diracx import jdl_translate, translate, wire
from sancho.compat.diracx.errors import JdlRefused
from sancho.compat.diracx.jdl_translate import Surroundings, Wanted
from sancho.identity.service.tokens import unproven
from sancho.jobs import service as jobs
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import BadRequest, Conflict, Invalid, NotFound, TooLarge
from sancho.kit.web import Caller, Deployed
from sancho.settings import Settings
from sancho.vos import service as vos

router = APIRouter(prefix="/api/jobs", include_in_schema=False)

Held = Annotated[str | None, Query(pattern="^[0-9a-f]{64}$")]

ACCEPTED, PARAMETRIC = ("Received", "Job accepted"), ("Submitting", "Bulk transaction confirmation")
"""What DiracX says of jobs that it has just got; ours wait for a match already, parametric ones too."""


@router.post("/jdl", status_code=201)
async def submit(
    jdls: Annotated[list[str], Body()], request: Request, caller: Caller, deployment: Deployed, sandbox: Held = None,
    *, anyway: bool = False,
) -> list[wire.InsertedJob]:  # fmt: skip
    """Submit the jobs of one parametric JDL, or of plain ones: all of them or none.

    Our own client sends the `sandbox` in which it has put the files that lie beside a JDL, and whether jobs are to wait
    `anyway` that no site could ever run.
    """
    around = replace(await _surroundings(request, caller, deployment), sandbox=sandbox)
    wanted, parametric = await asyncio.to_thread(jdl_translate.read, jdls, around)
    wanted = await _readied(caller, deployment, wanted)
    ids: dict[int, int] = {}
    async with deployment.database.transaction(caller.vos) as conn:
        for one, made in zip(wanted, await _submitted(conn, caller, deployment, wanted, anyway=anyway), strict=True):
            ids |= zip(one.places, made, strict=True)
    status, minor = PARAMETRIC if parametric else ACCEPTED
    now = deployment.clock.now()
    return [
        wire.InsertedJob(job_id=ids[place], status=status, minor_status=minor, time_stamp=now) for place in sorted(ids)
    ]


async def _readied(caller: Principal, deployment: Deployment, wanted: list[Wanted]) -> list[Wanted]:
    """The same with sandboxes that pilots can unpack: those of DiracX's clients are repacked once."""
    named = sorted({one.description.sandbox for one in wanted if one.description.sandbox is not None})
    try:
        ready = {one: (await jobs.ready_sandbox(deployment, caller, bytes.fromhex(one))).hex() for one in named}
    except (BadRequest, Invalid) as e:
        raise JdlRefused(reason=str(e), field="InputSandbox", hint=e.hint) from e
    return [
        replace(one, description=replace(one.description, sandbox=ready[one.description.sandbox]))
        if one.description.sandbox is not None
        else one
        for one in wanted
    ]


async def _surroundings(request: Request, caller: Principal, deployment: Deployment) -> Surroundings:
    settings: Settings = request.app.state.settings
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.get(conn, caller.vo_name)
    said = str(unproven(request.headers["authorization"].split()[1]).get("scope", ""))
    return Surroundings(
        vo_names=(vo.name,) if vo.alias is None else (vo.name, vo.alias),
        account=caller.account,
        group=translate.group_of(said),
        groups=translate.groups_of(caller),
        benchmark=settings.diracx.core_benchmark,
        folder=f"jobs/{deployment.clock.now():%Y_%m}/{secrets.token_hex(6)}",
    )


async def _submitted(
    conn: Connection, caller: Principal, deployment: Deployment, wanted: Sequence[Wanted], *, anyway: bool
) -> list[list[int]]:
    """The ids of the jobs of each description, in the order of their places; what is wrong is DiracX's 400."""
    try:
        for sandbox in sorted({one.description.sandbox for one in wanted} - {None}, key=str):
            await jobs.check_sandbox(deployment, conn, caller.vo, str(sandbox))
        return await jobs.submit_many(conn, caller, [(one.description, one.rows) for one in wanted], anyway=anyway)
    except (BadRequest, Conflict, Invalid, NotFound, TooLarge) as e:
        raise JdlRefused(reason=str(e), field=e.field, hint=e.hint) from e

"""The routes by which people look at pilots."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.kit.db import TooSlow
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.query import LONGEST, QueryMalformed, parse
from sancho.kit.search import SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.pilots import service
from sancho.pilots.model import CePilots, Registered

router = native(tags=["pilot"])

SEARCHED = (QueryMalformed, SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit, TooSlow)
Where = Annotated[str, Field(max_length=LONGEST, examples=["status = Running & grid_site like LCG.*"])]


class PilotOut(BaseModel):
    """A pilot as lists show it."""

    pilot_id: int
    stamp: str
    state: str
    ce: str
    site: str
    reference: str | None
    created_at: datetime
    ended_at: datetime | None
    last_beat: datetime | None
    detail: str | None


class PilotsOut(BaseModel):
    """A page of pilots; `next` is the cursor of the following page."""

    items: list[PilotOut]
    next: int | None


@router.get("/pilots")
async def list_pilots(
    caller: Caller,
    deployment: Deployed,
    alive: bool = False,
    cursor: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> PilotsOut:
    """Pilots on the CEs of your VO, newest first."""
    rows = await service.list_pilots(deployment, caller, alive=alive, before=cursor, limit=limit)
    items = [
        PilotOut(
            pilot_id=p.pilot_id, stamp=p.stamp, state=p.state.word, ce=p.ce, site=p.site, reference=p.reference,
            created_at=p.created_at, ended_at=p.ended_at, last_beat=p.last_beat, detail=p.detail,
        )
        for p in rows
    ]  # fmt: skip
    return PilotsOut(items=items, next=rows[-1].pilot_id if len(rows) == limit else None)


@router.get("/pilots/summary", responses=problems(PermissionMissing))
async def summarise_pilots(
    caller: Caller, deployment: Deployed,
    hours: Annotated[int, Query(ge=1, le=168, description="How far back those that ended are counted.")] = 24,
) -> list[CePilots]:  # fmt: skip
    """Count the pilots on the CEs of your VO by state; of `unfit` ones all jobs failed where they were."""
    return await service.count_by_ce(deployment, caller, deployment.clock.now() - timedelta(hours=hours))


class RegisteredPilotsOut(BaseModel):
    """A page of registered pilots; `next` is the cursor of the following page."""

    items: list[Registered]
    next: int | None


@router.get("/pilots/registered", responses=problems(*SEARCHED))
async def list_registered_pilots(
    caller: Caller,
    conn: Transaction,
    where: Annotated[Where | None, Query()] = None,
    cursor: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RegisteredPilotsOut:
    """Pilots that your VO has registered and other factories manage, newest first: those that a query finds.

    A query is about the fields that are shown, with `id` for `pilot_id`; `job` finds the pilot that says it has a job.
    """
    query = None if where is None else parse(where)
    items = await service.list_registered(conn, caller, query, before=cursor, limit=limit)
    return RegisteredPilotsOut(items=items, next=items[-1].pilot_id if len(items) == limit else None)

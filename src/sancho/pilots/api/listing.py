"""The route by which people look at pilots."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, native
from sancho.pilots import service

router = native(tags=["pilot"])


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

"""Routes of accounting."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel

from sancho.accounting import service
from sancho.accounting.model import By
from sancho.kit.db import TooSlow
from sancho.kit.problem import problems
from sancho.kit.units import Time
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native("/accounting", tags=["accounting"])


class SumOut(BaseModel):
    """What was used by all that have the named things in common; times are in seconds, sizes in bytes."""

    vo: str | None
    group: str | None
    account: str | None
    site: str | None
    rse: str | None
    kind: str | None
    day: datetime | None
    source: str | None
    entries: int
    files: int
    size: int
    wall: float
    cpu: float


@router.get("", responses=problems(TooSlow))
async def summarise(
    caller: Caller,
    conn: Transaction,
    deployment: Deployed,
    by: Annotated[list[By], Query(max_length=10)] = [By.ACCOUNT],  # noqa: B006 - FastAPI copies defaults
    since: Time | None = None,
    until: Time | None = None,
) -> list[SumOut]:
    """Sum what the caller's VO used, of the last 30 days unless said otherwise.

    By `vo` an administrator of the installation is told of all VOs. A `group` is the one in whose name an account acts
    unless it says another.
    """
    until = until or deployment.clock.now()
    since = since or until - timedelta(days=30)
    return [
        SumOut(
            vo=one.vo,
            group=one.group,
            account=one.account,
            site=one.site,
            rse=one.rse,
            kind=None if one.kind is None else one.kind.word,
            day=one.day,
            source=one.source,
            entries=one.entries,
            files=one.files,
            size=one.size,
            wall=one.wall.total_seconds(),
            cpu=one.cpu.total_seconds(),
        )
        for one in await service.summary(conn, service.seen_by(caller, by), by, since=since, until=until)
    ]

"""Native routes of what is on storages: of the VO, and of everybody as far as it was reported."""

from typing import Self

from pydantic import BaseModel

from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native
from sancho.replicas import service
from sancho.replicas.model import Usage
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.rses.model import Report, Rse

router = native(tags=["rses"])


class RseUsage(BaseModel):
    """What the VO has on an RSE, in files and bytes, and the last report of each source about all that is there."""

    rse: str
    files: int
    size: int
    reports: list[Report]

    @classmethod
    def of(cls, rse: Rse, used: dict[int, Usage], reports: list[Report]) -> Self:
        """Put together what is known of an RSE."""
        mine = used.get(rse.rse_id)
        return cls(rse=rse.name, files=mine.files if mine else 0, size=mine.size if mine else 0, reports=reports)


@router.get("/rses:usage")
async def usage(caller: Caller, conn: Transaction) -> list[RseUsage]:
    """Show the same as `GET /rses/{name}/usage` of every RSE that the VO may use, as far as reported this month."""
    used = {one.rse_id: one for one in await service.usage(conn, caller.vo)}
    said = await rses.reports_by_rse(conn)
    return [RseUsage.of(rse, used, said.get(rse.rse_id, [])) for rse in await rses.rses(conn)]


@router.get("/rses/{name}/usage", responses=problems(RseNotFound))
async def rse_usage(name: str, caller: Caller, conn: Transaction) -> RseUsage:
    """Show what the VO has on an RSE, what is still being copied included, and what the storage reports."""
    rse = await rses.get(conn, name, field="name")
    used = {one.rse_id: one for one in await service.usage(conn, caller.vo)}
    return RseUsage.of(rse, used, await rses.newest_reports(conn, rse))

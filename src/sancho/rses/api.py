"""Native routes of RSEs. They are changed by documents alone: `POST /v1/configuration/apply`."""

from typing import Annotated

from fastapi import Query
from pydantic import AwareDatetime, BaseModel, Field

from sancho.kit.access import Principal
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.rses import service
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid, RseNotFound, RseOfOthers
from sancho.rses.expression import LONGEST
from sancho.rses.model import Domains, Report, Rse
from sancho.sites.model import Value

router = native(tags=["rses"])
Source = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", examples=["srm"])]
Count = Annotated[int, Field(ge=0, lt=2**62)]


class ProtocolOut(BaseModel):
    """A way to reach an RSE, without the settings of its plugin."""

    plugin: str
    prefix: str
    domains: Domains
    """Its rank for each operation, by where one is: at the site or elsewhere; what is not there, it is not for."""


class RseOut(BaseModel):
    """An RSE, without the settings of its plugins; its plugin and prefix are those of its first protocol."""

    name: str
    site: str
    plugin: str
    prefix: str
    protocols: list[ProtocolOut]
    audience: str
    attributes: dict[str, Value]
    readable: bool
    writable: bool
    deletable: bool
    own: bool
    """Of the VO that asks, which may change it."""

    @classmethod
    def of(cls, rse: Rse, caller: Principal) -> "RseOut":
        """Render an RSE for somebody."""
        said = [ProtocolOut(plugin=p.plugin, prefix=p.prefix, domains=p.domains) for p in rse.protocols]
        plain = {name: getattr(rse, name) for name in RseOut.model_fields if name not in {"protocols", "own"}}
        return cls(**plain, protocols=said, own=rse.vo == caller.vo)


class RseWithDistances(RseOut):
    """An RSE, and what transfers from it to others cost."""

    distances: dict[str, int]


class ReportIn(BaseModel, extra="forbid"):
    """What is on a storage, of all VOs together, in bytes."""

    source: Source
    """Who says so, or how it was found."""
    used: Count
    free: Count | None = None
    files: Count | None = None


@router.get("/rses")
async def rses(caller: Caller, conn: Transaction) -> list[RseOut]:
    """List the RSEs that the VO may use."""
    return [RseOut.of(rse, caller) for rse in await service.rses(conn)]


@router.get("/rses:resolve", responses=problems(RseExpressionInvalid, RseExpressionEmpty))
async def resolve(
    caller: Caller,
    conn: Transaction,
    expression: Annotated[str, Query(max_length=LONGEST, examples=["tier=1&country=UK"])],
) -> list[RseOut]:
    """List the RSEs that an expression means."""
    return [RseOut.of(rse, caller) for rse in await service.resolve(conn, expression, field="expression")]


@router.get("/rses/{name}", responses=problems(RseNotFound))
async def rse(name: str, caller: Caller, conn: Transaction) -> RseWithDistances:
    """Show an RSE and its distances to others."""
    found = await service.get(conn, name, field="name")
    names = {each.rse_id: each.name for each in await service.rses(conn)}
    away = {
        names[to]: n for (source, to), n in (await service.distances(conn)).items()
        if source == found.rse_id and to in names
    }  # fmt: skip
    return RseWithDistances(**RseOut.of(found, caller).model_dump(), distances=away)


@router.post("/rses/{name}/reports", status_code=204, responses=problems(RseNotFound, RseOfOthers, PermissionMissing))
async def report(name: str, body: ReportIn, caller: Caller, conn: Transaction, deployment: Deployed) -> None:
    """Report what is on a storage; for whoever may in the VO that owns the RSE."""
    found = await service.get(conn, name, field="name")
    said = Report(reported_at=deployment.clock.now(), **body.model_dump())
    await service.report(conn, caller, found, said)


@router.get("/rses/{name}/reports", responses=problems(RseNotFound))
async def reports(
    name: str, _caller: Caller, conn: Transaction,
    source: Annotated[Source | None, Query()] = None,
    before: AwareDatetime | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[Report]:  # fmt: skip
    """List what was reported, newest first; `before` the time of the last one seen gives the next page."""
    found = await service.get(conn, name, field="name")
    return await service.reports(conn, found, source=source, before=before, limit=limit)

"""Native routes of the topology, which documents make (`POST /v1/configuration/apply`), and of its downtimes."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.kit.access import Principal
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Time
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.sites import service
from sancho.sites.errors import (
    ComputeElementNotFound,
    DowntimeNotFound,
    DowntimeOver,
    ResourceNotFound,
    ResourceOfOthers,
    SiteNotFound,
)
from sancho.sites.model import ComputeElement, Downtime, ResourceKind, Site
from sancho.sites.service import ResourceName

router = native(tags=["sites"])


class ComputeElementOut(BaseModel):
    """A CE, without the settings of its plugin."""

    name: str
    site: str
    plugin: str
    cores: int
    memory: int
    walltime: timedelta
    max_pilots: int
    tags: tuple[str, ...]
    machine: dict[str, Any]
    price: float | None
    """Of a core-hour, in the unit that operators and VOs agree on."""
    carbon: float | None
    """Grams of CO2 for a core-hour."""
    enabled: bool
    own: bool
    """Of the VO that asks, which may change it."""

    @classmethod
    def of(cls, ce: ComputeElement, caller: Principal) -> "ComputeElementOut":
        """Render a CE for somebody."""
        return cls(**{name: getattr(ce, name) for name in cls.model_fields if name != "own"}, own=ce.vo == caller.vo)


class SiteOut(BaseModel):
    """A site."""

    name: str
    enabled: bool
    attributes: dict[str, Any]
    own: bool
    """Of the VO that asks, which may change it."""

    @classmethod
    def of(cls, site: Site, caller: Principal) -> "SiteOut":
        """Render a site for somebody."""
        own = site.vo == caller.vo
        return cls(name=site.name, enabled=site.enabled, attributes=site.attributes, own=own)


@router.get("/sites")
async def sites(caller: Caller, conn: Transaction) -> list[SiteOut]:
    """List the sites that the VO may use."""
    return [SiteOut.of(site, caller) for site in await service.sites(conn)]


@router.get("/sites/{name}", responses=problems(SiteNotFound))
async def site(name: str, caller: Caller, conn: Transaction) -> SiteOut:
    """Show a site."""
    return SiteOut.of(await service.get_site(conn, name, field="name"), caller)


@router.get("/ces")
async def ces(caller: Caller, conn: Transaction) -> list[ComputeElementOut]:
    """List the CEs that the VO may use."""
    return [ComputeElementOut.of(ce, caller) for ce in await service.ces(conn)]


@router.get("/ces/{name}", responses=problems(ComputeElementNotFound))
async def ce(name: str, caller: Caller, conn: Transaction) -> ComputeElementOut:
    """Show a CE."""
    return ComputeElementOut.of(await service.get_ce(conn, name, field="name"), caller)


DowntimeId = Annotated[int, Field(ge=1, lt=2**31)]


class DowntimeIn(BaseModel, extra="forbid"):
    """What is not to be used, from when until when, and why."""

    kind: ResourceKind
    name: ResourceName
    begins_at: Time | None = None
    """Left out: now."""
    ends_at: Time | None = None
    """Left out: until somebody ends it."""
    reason: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$", examples=["new cooling"])]


class DowntimeOut(BaseModel):
    """A downtime of a site, or of a CE or RSE at it."""

    downtime_id: int
    kind: ResourceKind
    name: str
    site: str
    begins_at: datetime
    ends_at: datetime | None
    reason: str
    own: bool
    """Of the VO that asks, which may end it."""
    begun: bool
    """Whether it has begun, by the server's clock."""

    @classmethod
    def of(cls, one: Downtime, caller: Principal, now: datetime) -> "DowntimeOut":
        """Render a downtime for somebody, now."""
        plain = {name: getattr(one, name) for name in cls.model_fields if name not in {"own", "begun"}}
        return cls(**plain, own=one.vo == caller.vo, begun=one.begins_at <= now)


class DowntimePage(BaseModel):
    """A page of downtimes; `next` is the cursor of the following page."""

    items: list[DowntimeOut]
    next: int | None


@router.get("/downtimes")
async def downtimes(
    caller: Caller, conn: Transaction, deployment: Deployed,
    since: Time | None = None,
    cursor: Annotated[DowntimeId | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> DowntimePage:  # fmt: skip
    """List downtimes of what the VO may use, the newest first: those not over now, or not over at an earlier time."""
    now = deployment.clock.now()
    found = await service.downtimes(conn, since=since or now, before=cursor, limit=limit)
    following = found[-1].downtime_id if len(found) == limit else None
    return DowntimePage(items=[DowntimeOut.of(one, caller, now) for one in found], next=following)


@router.post(
    "/downtimes", status_code=201,
    responses=problems(ResourceNotFound, ResourceOfOthers, PermissionMissing, DowntimeOver),
)  # fmt: skip
async def announce(body: DowntimeIn, caller: Caller, conn: Transaction, deployment: Deployed) -> DowntimeOut:
    """Announce that a site, CE or RSE is not to be used for a while; from its beginning on, nothing uses it."""
    now = deployment.clock.now()
    said = Downtime(begins_at=body.begins_at or now, ends_at=body.ends_at, reason=body.reason)
    return DowntimeOut.of(await service.announce(conn, caller, (body.kind, body.name), said, now), caller, now)


@router.post(
    "/downtimes/{downtime_id}/end", status_code=204,
    responses=problems(DowntimeNotFound, ResourceOfOthers, PermissionMissing),
)  # fmt: skip
async def end(downtime_id: DowntimeId, caller: Caller, conn: Transaction, deployment: Deployed) -> None:
    """End a downtime now; one that has not begun is taken back."""
    await service.end(conn, caller, downtime_id, deployment.clock.now())

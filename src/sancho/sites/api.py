"""Native routes of the topology. It is changed by documents alone: `POST /v1/configuration/apply`."""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native
from sancho.sites import service
from sancho.sites.errors import ComputeElementNotFound, SiteNotFound
from sancho.sites.model import ComputeElement, Site

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

    @classmethod
    def of(cls, ce: ComputeElement) -> "ComputeElementOut":
        """Render a CE."""
        return cls(**{name: getattr(ce, name) for name in cls.model_fields})


class SiteOut(BaseModel):
    """A site."""

    name: str
    enabled: bool
    attributes: dict[str, Any]

    @classmethod
    def of(cls, site: Site) -> "SiteOut":
        """Render a site."""
        return cls(name=site.name, enabled=site.enabled, attributes=site.attributes)


@router.get("/sites")
async def sites(_caller: Caller, conn: Transaction) -> list[SiteOut]:
    """List the sites that the VO may use."""
    return [SiteOut.of(site) for site in await service.sites(conn)]


@router.get("/sites/{name}", responses=problems(SiteNotFound))
async def site(name: str, _caller: Caller, conn: Transaction) -> SiteOut:
    """Show a site."""
    return SiteOut.of(await service.get_site(conn, name, field="name"))


@router.get("/ces")
async def ces(_caller: Caller, conn: Transaction) -> list[ComputeElementOut]:
    """List the CEs that the VO may use."""
    return [ComputeElementOut.of(ce) for ce in await service.ces(conn)]


@router.get("/ces/{name}", responses=problems(ComputeElementNotFound))
async def ce(name: str, _caller: Caller, conn: Transaction) -> ComputeElementOut:
    """Show a CE."""
    return ComputeElementOut.of(await service.get_ce(conn, name, field="name"))

"""VOs, sites, CEs, RSEs, pilots, programs."""

from types import NoneType

from sancho_client.call import Call, Pages, segment
from sancho_client.models.topology import (
    Beat,
    ComputeElement,
    Pilot,
    Program,
    RegisteredPilot,
    Rse,
    RseUsage,
    RseWithDistances,
    Site,
    Vo,
)


def vos() -> Pages[Vo]:
    """The VOs that the caller may see."""
    return Pages(path="/v1/vos", item=Vo)


def sites() -> Pages[Site]:
    """The sites that the VO may use."""
    return Pages(path="/v1/sites", item=Site)


def site(name: str) -> Call[Site]:
    """One site."""
    return Call(method="GET", path=f"/v1/sites/{segment(name)}", answer=Site)


def ces() -> Pages[ComputeElement]:
    """The CEs that the VO may use."""
    return Pages(path="/v1/ces", item=ComputeElement)


def ce(name: str) -> Call[ComputeElement]:
    """One CE."""
    return Call(method="GET", path=f"/v1/ces/{segment(name)}", answer=ComputeElement)


def rses() -> Pages[Rse]:
    """The RSEs that the VO may use."""
    return Pages(path="/v1/rses", item=Rse)


def rse(name: str) -> Call[RseWithDistances]:
    """One RSE and its distances."""
    return Call(method="GET", path=f"/v1/rses/{segment(name)}", answer=RseWithDistances)


def rse_usage(name: str) -> Call[RseUsage]:
    """What the VO has on an RSE, and what its storage reports."""
    return Call(method="GET", path=f"/v1/rses/{segment(name)}/usage", answer=RseUsage)


def resolve(expression: str) -> Pages[Rse]:
    """The RSEs that an expression means."""
    return Pages(path="/v1/rses:resolve", item=Rse, query={"expression": expression})


def programs() -> Pages[Program]:
    """The VO's services that reported in the last day; for administrators of the installation also its own programs."""
    return Pages(path="/v1/programs", item=Program)


def report(beat: Beat) -> Call[None]:
    """Report that a service of the VO is alive."""
    return Call(method="POST", path="/v1/programs", answer=NoneType, json=beat.model_dump(), repeatable=True)


def pilots(*, limit: int | None = None) -> Pages[Pilot]:
    """The pilots, newest first."""
    return Pages(path="/v1/pilots", item=Pilot, page_size=200, limit=limit)


def registered_pilots(where: str | None = None, *, limit: int | None = None) -> Pages[RegisteredPilot]:
    """The pilots that the VO has registered and other factories manage, newest first: those that a query finds."""
    return Pages(path="/v1/pilots/registered", item=RegisteredPilot, query={"where": where}, page_size=200, limit=limit)

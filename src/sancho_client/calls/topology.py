"""VOs, sites, CEs, RSEs, their downtimes and links, pilots, programs, and what was used of them."""

from collections.abc import Sequence
from datetime import datetime
from types import NoneType

from sancho_client.call import Call, Pages, body, segment
from sancho_client.models.topology import (
    Beat,
    CePilots,
    ComputeElement,
    Downtime,
    Link,
    Pilot,
    Program,
    RegisteredPilot,
    Rse,
    RseUsage,
    RseWithDistances,
    Site,
    Used,
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


def pilot_summary(hours: int = 24) -> Pages[CePilots]:
    """How many pilots there are on each CE, by state; those that ended count for so many hours."""
    return Pages(path="/v1/pilots/summary", item=CePilots, query={"hours": hours})


def rse_usages() -> Pages[RseUsage]:
    """What the VO has on every RSE, and what storages reported in the last month."""
    return Pages(path="/v1/rses:usage", item=RseUsage)


def links(hours: int = 24) -> Pages[Link]:
    """What is under way between RSEs, and what failed in so many hours of that which is still wanted."""
    return Pages(path="/v1/transfers/links", item=Link, query={"hours": hours})


def accounting(by: Sequence[str], *, since: datetime | None = None, until: datetime | None = None) -> Pages[Used]:
    """What the VO used, of the last 30 days unless said otherwise, split by `account`, `site`, `rse`, `day`, …"""
    query = {
        "by": list(by),
        "since": None if since is None else since.isoformat(),
        "until": None if until is None else until.isoformat(),
    }
    return Pages(path="/v1/accounting", item=Used, query=query)


def downtimes(*, since: datetime | None = None, limit: int | None = None) -> Pages[Downtime]:
    """Downtimes of what the VO may use that are not over now, or were not at an earlier time; the newest first."""
    query = {"since": None if since is None else since.isoformat()}
    return Pages(path="/v1/downtimes", item=Downtime, query=query, page_size=200, limit=limit)


def announce_downtime(
    kind: str, name: str, reason: str, *, begins_at: datetime | None = None, ends_at: datetime | None = None
) -> Call[Downtime]:
    """Announce that a `Site`, `ComputeElement` or `RSE` is not to be used, from now or a time on."""
    sent = body(
        kind=kind, name=name, reason=reason,
        begins_at=None if begins_at is None else begins_at.isoformat(),
        ends_at=None if ends_at is None else ends_at.isoformat(),
    )  # fmt: skip
    return Call(method="POST", path="/v1/downtimes", answer=Downtime, json=sent)


def end_downtime(downtime_id: int) -> Call[None]:
    """End a downtime now; one that has not begun is taken back."""
    return Call(method="POST", path=f"/v1/downtimes/{downtime_id}/end", answer=NoneType, repeatable=True)

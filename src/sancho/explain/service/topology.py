"""The slots of CEs as the matcher knows them, with what an operator has switched off."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sancho.jobs.model import Slot, why_off
from sancho.kit.db import Connection
from sancho.sites import service as sites
from sancho.sites.model import ComputeElement


@dataclass(frozen=True, kw_only=True, slots=True)
class Topology:
    """CEs and sites that a VO may use; `names` are those of sites, by their ids as slots have them."""

    ces: Mapping[int, ComputeElement]
    names: Mapping[str, str]
    enabled: Mapping[int, bool]
    """Of sites, by id."""

    def slot(self, ce_id: int, slot: Slot) -> Slot:
        """The slot of a CE, switched off if the CE or its site is."""
        ce = self.ces[ce_id]
        site_enabled = self.enabled.get(ce.site_id, True)
        off = why_off(slot.site, (ce.enabled or not site_enabled, site_enabled), ce.max_pilots)
        return replace(slot, off=off)


async def read_topology(conn: Connection) -> Topology:
    """Read what the transaction sees."""
    found = await sites.sites(conn)
    return Topology(
        ces={ce.ce_id: ce for ce in await sites.ces(conn)},
        names={str(site.site_id): site.name for site in found},
        enabled={site.site_id: site.enabled for site in found},
    )

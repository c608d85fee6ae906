"""The switches of our sites, CEs and RSEs as DiracX's statuses."""

from collections.abc import Sequence

from sancho.compat.diracx.rss_wire import Allowed, Banned, Status, Storage, Whole
from sancho.rses.model import Rse
from sancho.sites.model import ComputeElement, Site

SITE_OFF = "The site is switched off."
CE_OFF = "The CE is switched off, or its site is."
RSE_OFF = "The RSE, its site or this use of it is switched off, or it has no protocol."


def _status(allowed: bool, reason: str) -> Status:
    return Allowed() if allowed else Banned(reason=reason)


def sites(known: Sequence[Site]) -> dict[str, Whole]:
    """Whether sites may be used, by name; of two of one name, the first counts."""
    return {site.name: Whole(all=_status(site.enabled, SITE_OFF)) for site in reversed(known)}


def ces(known: Sequence[ComputeElement]) -> dict[str, Whole]:
    """Whether CEs may be used, by name; of two of one name, the first counts."""
    return {ce.name: Whole(all=_status(ce.enabled, CE_OFF)) for ce in reversed(known)}


def rses(known: Sequence[Rse]) -> dict[str, Storage]:
    """What RSEs may be used for, by name; to check what is there is to read. The first of two of one name counts."""
    return {
        rse.name: Storage(
            read=_status(rse.readable, RSE_OFF), write=_status(rse.writable, RSE_OFF),
            check=_status(rse.readable, RSE_OFF), remove=_status(rse.deletable, RSE_OFF),
        )
        for rse in reversed(known)
    }  # fmt: skip

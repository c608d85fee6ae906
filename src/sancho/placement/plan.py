"""Pure decision: whose inputs are copied, and to where.

Data is copied when no site that has most of it can run the jobs, or when those sites are full for long; to the site
with the most free slots for them, the nearest of such. Equal arguments give equal answers, whatever their order.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sancho.jobs.model import lacks
from sancho.matching.model import each_takes
from sancho.placement.model import Copy, Disk, SiteSeen, Wanted
from sancho.rules.model import Quota


class _Purse:
    """What is left of the VO's limit for copies, and of the quotas that bound them."""

    def __init__(self, left: int, quotas: Iterable[Quota], account_id: int) -> None:
        self._left = left
        self._quotas = list(quotas)
        self._rooms = {quota.quota_id: quota.room - quota.over for quota in self._quotas}
        self._account_id = account_id

    def pays(self, rse_id: int, size: int) -> bool:
        return size <= self._left and all(size <= self._rooms[quota_id] for quota_id in self._over(rse_id))

    def take(self, rse_id: int, size: int) -> None:
        self._left -= size
        for quota_id in self._over(rse_id):
            self._rooms[quota_id] -= size

    def _over(self, rse_id: int) -> list[int]:
        return [quota.quota_id for quota in self._quotas if quota.covers(self._account_id, rse_id)]


def place(
    wants: Iterable[Wanted], sites: Mapping[int, SiteSeen], disks: Sequence[Disk], *,
    room: tuple[int, Sequence[Quota], int], now: datetime, full_after: timedelta,
) -> list[Copy]:  # fmt: skip
    """Which inputs to copy now, and to which RSE, those first whose jobs have waited longest.

    `room` is what may be copied yet, the quotas that bound it, and the account that pays. What does not fit is left
    for later, and keeps nothing from others. No DID is copied twice.
    """
    purse = _Purse(*room)
    taken: set[int] = set()
    found: list[Copy] = []
    for want in sorted(wants, key=lambda one: (one.inputs.since or now, one.queue.key)):
        if taken.isdisjoint(want.did_ids) and want.inputs.size > 0:
            disk = _best(want, sites, disks, purse, full=_waits(want, now, full_after))
            if disk is not None:
                purse.take(disk.rse_id, want.inputs.size)
                taken.update(want.did_ids)
                found.append(Copy(did_ids=want.did_ids, rse_id=disk.rse_id, rse=disk.name, size=want.inputs.size))
    return found


def _best(
    want: Wanted, sites: Mapping[int, SiteSeen], disks: Sequence[Disk], purse: _Purse, *, full: bool
) -> Disk | None:  # fmt: skip
    """Where a copy would do most; None when none is needed, or there is nowhere to put it."""
    near = want.inputs.sites(None) or frozenset[int]()
    able = {site_id for site_id, seen in sites.items() if _can_run(want, seen)}
    if not near or (near & able and not full):
        return None
    # Where data is at sites that are full, only a site that is not helps.
    good = {site_id for site_id in able - near if sites[site_id].free > 0 or not near & able}
    fit: list[tuple[tuple[int, int, int, str], Disk]] = []
    for disk in disks:
        far = min((disk.distances[site_id] for site_id in near if site_id in disk.distances), default=None)
        if disk.site_id in good and far is not None and purse.pays(disk.rse_id, want.inputs.size):
            free = min(sites[disk.site_id].free, want.queue.waiting)
            fit.append(((-free, far, want.inputs.at(disk.site_id).far, disk.name), disk))
    return min(fit, key=lambda each: each[0])[1] if fit else None


def _can_run(want: Wanted, seen: SiteSeen) -> bool:
    return any(not lacks(way, slot) for slot in seen.slots for way in want.queue.ways)


def _waits(want: Wanted, now: datetime, full_after: timedelta) -> bool:
    """Whether the jobs have waited for long, or the last of them will, as they begin of late."""
    if want.inputs.since is not None and now - want.inputs.since >= full_after:
        return True
    if not want.begun or want.first is None:
        return False
    each = each_takes(now - want.first, want.begun)
    return each > full_after / want.queue.waiting if want.queue.waiting else False

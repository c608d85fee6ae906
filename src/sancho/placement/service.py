"""Use cases of placement: copy inputs to where jobs can run, and let the copies go when nobody wants them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sancho.jobs.model import Slot
from sancho.kit import telemetry
from sancho.kit.access import INSTANCE
from sancho.kit.db import Connection, serving
from sancho.matching import service as matching
from sancho.placement import plan, store
from sancho.placement.model import Copy, Disk, SiteSeen, Terms, Wanted
from sancho.rses import service as rses
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rses.model import Rse
from sancho.rules import service as rules
from sancho.rules.errors import QuotaExceeded, TooFewRses
from sancho.sites import service as sites

LOOKED_AT = 200
"""Queues that one look decides about."""
AT_ONCE = 10
"""Copies that one look decides about; the others come with the next."""
LOOKED = timedelta(hours=2)
"""How far back it is looked for what began."""
_log = telemetry.log(__name__)


async def keep(conn: Connection, vo: int) -> None:
    """Let copies go that nobody wants any more, and keep the others; the transaction serves the VO. Safe to run twice.

    It locks rules, so nothing is placed in the same transaction: whoever does both has collections locked first.
    """
    terms = await store.terms(conn, vo)
    if terms is not None:
        await rules.alone(conn, vo)
        await rules.keep_copies(conn, vo, terms.lifetime)


async def place(conn: Connection, vo: int, *, now: datetime) -> Copy | None:
    """Ask for the copy that jobs of a VO need most, as far as it allows one; the transaction serves it.

    None: there is nothing to ask for. Safe to run twice. A transaction has one copy: its locks are taken in one order,
    and with those of the next behind them they would not be.
    """
    terms = await store.terms(conn, vo)
    if terms is None:
        return None
    await rules.alone(conn, vo)
    wants, slots = await _wants(conn, vo)
    disks = await _disks(conn, vo, terms) if wants else []
    if not disks:
        return None
    held, quotas, account_id = await rules.room_for_copies(conn, vo, [disk.rse_id for disk in disks])
    chosen = plan.place(
        wants, await _sites(conn, vo, slots), disks,
        room=(terms.most - held, quotas, account_id), now=now, full_after=terms.full_after,
    )[:AT_ONCE]  # fmt: skip
    for copy in chosen:
        try:
            async with conn.transaction():  # all of its DIDs, or none; then its locks are gone too
                made = await rules.copy_for_jobs(conn, vo, copy.did_ids, copy.rse, terms.lifetime)
        except (QuotaExceeded, TooFewRses, RseExpressionEmpty) as e:  # the room or the RSE went since it was read
            _log.warning("inputs cannot be copied now", vo=vo, rse=copy.rse, size=copy.size, reason=str(e))
            continue
        _log.info("inputs are copied to where jobs can run", vo=vo, rse=copy.rse, size=copy.size, rules=made)
        return copy
    return None


async def _wants(conn: Connection, vo: int) -> tuple[list[Wanted], Mapping[int, tuple[int, Slot]]]:
    """Queues whose inputs may be copied, with the slots of all CEs by id."""
    found = {one.task_queue_id: tuple(one.did_ids) for one in await store.candidates(conn, vo, LOOKED_AT)}
    if not found:
        return [], {}
    looked = await matching.look_at(conn, [(vo, queue_id) for queue_id in sorted(found)])
    began = await store.began(conn, vo, list(found), LOOKED)
    wants: list[Wanted] = []
    for one in looked:
        queue_id = one.queue.key[1]
        if one.inputs is not None:
            begun, first = began.get(queue_id, (0, None))
            wants.append(Wanted(queue=one.queue, did_ids=found[queue_id], inputs=one.inputs, begun=begun, first=first))
    return wants, looked[0].slots if looked else {}


async def _sites(conn: Connection, vo: int, slots: Mapping[int, tuple[int, Slot]]) -> dict[int, SiteSeen]:
    """Sites with CEs that take jobs of the VO, by id. Pilots of shared CEs are the VO `instance`'s, and counted too."""
    open_ = {ce.ce_id: ce for ce in await sites.ces(conn) if ce.enabled and ce.max_pilots > 0 and vo in ce.vos}
    async with serving(conn, [vo, INSTANCE]):
        busy = await store.pilots(conn, sorted(open_))
    found: dict[int, SiteSeen] = {}
    for ce_id, ce in sorted(open_.items()):
        if ce_id in slots:
            site_id, slot = slots[ce_id]
            seen = found.setdefault(site_id, SiteSeen(slots=(), free=0))
            free = max(0, ce.max_pilots - busy.get(ce_id, 0))
            found[site_id] = replace(seen, slots=(*seen.slots, slot), free=seen.free + free)
    return found


async def _disks(conn: Connection, vo: int, terms: Terms) -> list[Disk]:
    """The RSEs that copies may go to."""
    try:
        allowed = await rses.resolve(conn, terms.rse_expression, vo=vo)
    except (RseExpressionEmpty, RseExpressionInvalid) as e:
        _log.warning("inputs cannot be copied anywhere", vo=vo, reason=str(e))
        return []
    usable = [rse for rse in allowed if rse.writable and rse.attributes.get("istape") is not True]
    return _near(usable, await rses.rses(conn, vo=vo), await rses.distances(conn))


def _near(usable: Sequence[Rse], known: Sequence[Rse], distances: Mapping[tuple[int, int], int]) -> list[Disk]:
    """These RSEs with how far they are from sites: from the nearest RSE there that can be read."""
    site_of = {rse.rse_id: rse.site_id for rse in known if rse.readable}
    far: dict[int, dict[int, int]] = {rse.rse_id: {} for rse in usable}
    for (source, to), distance in sorted(distances.items(), key=lambda each: -each[1]):
        if to in far and source in site_of:
            far[to][site_of[source]] = distance
    return [Disk(rse_id=rse.rse_id, name=rse.name, site_id=rse.site_id, distances=far[rse.rse_id]) for rse in usable]

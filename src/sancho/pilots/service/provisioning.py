"""Making pilots where jobs wait, watching those that have not spoken yet, ending those that fell silent."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, cast

from sancho.jobs.model import cores_for, lacks, memory_for
from sancho.kit import faults, telemetry
from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection, all_vos, serving
from sancho.kit.deployment import Deployment
from sancho.matching import service as matching
from sancho.matching.model import Offer, Queue, QueueKey
from sancho.matching.service import Matcher
from sancho.pilots import plan, store
from sancho.pilots.model import BEAT_EVERY, IDLE, LEASE, CeLoad, CePilots, CeSettings, Fit, Pilot, PilotRow, PilotState
from sancho.pilots.service.credentials import digest, give_up
from sancho.pilots.store import counting
from sancho.sites import service as sites
from sancho.sites.model import ComputeElement
from sancho_contract.compute import CEUnavailable, PilotSpec
from sancho_contract.compute import ComputeElement as Plugin
from sancho_contract.compute import PilotState as CeState

_log = telemetry.log(__name__)
_noted = faults.point("pilots.noted")
_submitted = faults.point("pilots.submitted")
SILENCE = 3 * BEAT_EVERY
"""A pilot whose CE says that it has ended, and that said nothing for so long, is no more."""


def plugin(deployment: Deployment, ce: CeSettings) -> Plugin:
    """The CE plugin of a CE, with its settings; it reads secrets of the VO that owns the CE, and of no other."""
    secret = deployment.secrets.of(ce.vo_name)
    return cast(Plugin, deployment.extensions.get("sancho.compute", ce.plugin, ce.settings, secret=secret))


async def provision(deployment: Deployment) -> int:
    """Start the pilots that the waiting jobs call for; say how many. Several workers may do it at once.

    Pilots are noted before they are submitted: whatever happens in between, none runs that we do not know.
    """
    everyone = await all_vos(deployment.database)
    async with deployment.database.transaction(everyone) as conn:
        if not await store.take_turn(conn):
            return 0
        slots = {ce.ce_id: ce for ce in await sites.ces(conn)}
        wanted = plan.provision(await _loads(conn, slots))
        known = {ce.ce_id: ce for ce in await store.list_ces(conn)}
        made: list[tuple[CeSettings, list[PilotSpec]]] = []
        for ce_id, number in wanted.items():
            specs = [_spec(deployment, slots[ce_id], known[ce_id]) for _ in range(number)]
            await store.insert_pilots(conn, known[ce_id], [s.stamp for s in specs], [digest(s.secret) for s in specs])
            made.append((known[ce_id], specs))
    _noted()
    for ce, specs in made:
        await _submit(deployment, ce, specs)
    return sum(len(specs) for _, specs in made)


async def _loads(conn: Connection, ces: Mapping[int, ComputeElement]) -> list[CeLoad]:
    """For each enabled CE: its pilots, and the waiting jobs of its VOs that its slots could run now, and at what rank.

    How long a batch system has kept a pilot waiting counts as the time that another would wait there.
    """
    matcher = await matching.read(conn)
    loads: list[CeLoad] = []
    for ce_id, most, busy, idle, unfit, hours in await store.pilots_of_ces(conn):
        offer = matcher.offer(ce_id, 0, ces[ce_id].vos, matcher.slots[ce_id][1])
        found = () if offer is None else matcher.board.demand(offer)
        queues = tuple(
            Fit(
                vo=vo,
                task_queue_id=queue_id,
                jobs=waiting,
                rank=_rank(matcher, (vo, queue_id), ce_id, hours),
                at_once=_at_once(matcher.board.queues[vo, queue_id], offer),
            )
            for (vo, queue_id), waiting in found
        )
        loads.append(CeLoad(ce_id=ce_id, max_pilots=most, busy=busy, idle=idle, queues=queues, unfit=unfit))
    return loads


def _rank(matcher: Matcher, key: QueueKey, ce_id: int, waiting: float) -> float | None:
    place = matcher.places.get(ce_id)
    found = None if place is None else matcher.board.rank(key, place, waiting=waiting)
    return None if found is None else found.points


def _at_once(queue: Queue, offer: Offer | None) -> int:
    """How many jobs of a queue a slot takes at a time."""
    if offer is None:
        return 1
    slot = offer.slot
    numbers = [
        min(slot.cores // cores, slot.memory // max(memory_for(way, cores), 1))
        for way in queue.ways
        if not lacks(way, slot)
        for cores in [cores_for(way, slot)]
    ]
    return max([1, *numbers])


def _spec(deployment: Deployment, slot: ComputeElement, ce: CeSettings) -> PilotSpec:
    return PilotSpec(
        stamp=secrets.token_hex(8), secret=secrets.token_urlsafe(32), url=deployment.public_url,
        ca_file=deployment.ca_file, cores=slot.cores, memory=slot.memory, walltime=slot.walltime,
        tags=tuple(slot.tags), idle=IDLE, site=ce.site,
    )  # fmt: skip


async def _submit(deployment: Deployment, ce: CeSettings, specs: Sequence[PilotSpec]) -> None:
    try:
        references = dict(await plugin(deployment, ce).submit(specs))
    except CEUnavailable as e:
        _log.warning("a CE does not take pilots", ce=ce.name, why=str(e))
        references = {}
    _submitted()
    refused = [s.stamp for s in specs if s.stamp not in references]
    async with deployment.database.transaction([ce.vo]) as conn:
        await store.mark_submitted(conn, ce.vo, references)
        await store.fail_stamps(conn, ce.vo, refused, "the CE did not take it")


async def watch(deployment: Deployment) -> int:
    """Ask the CEs about the pilots we think alive and give up those that the CE says have ended; say how many.

    A pilot that ends properly says so itself, so one that has ended in silence was killed or never started.
    """
    everyone = await all_vos(deployment.database)
    async with deployment.database.transaction(everyone) as conn:
        alive = [(ce, await store.list_alive(conn, ce.ce_id)) for ce in await store.list_ces(conn)]
    lost = 0
    for ce, pilots in alive:
        try:
            ended = await _ended(deployment, ce, pilots)
        except CEUnavailable as e:
            _log.warning("a CE does not answer", ce=ce.name, why=str(e))
            continue
        async with deployment.database.transaction(everyone) as conn:
            silent = await store.lock_silent(conn, ce.vo, ended, SILENCE)
            lost += await give_up(conn, ce.vo, silent, PilotState.FAILED, "the CE says that it has ended")
    return lost


async def _ended(deployment: Deployment, ce: CeSettings, pilots: Sequence[Pilot]) -> list[int]:
    """Ids of the pilots that are no more, by what the CE says; one that was never submitted is given a lease."""
    references = {p.reference: p.pilot_id for p in pilots if p.reference is not None}
    states = await plugin(deployment, ce).states(list(references))
    gone = [references[r] for r, state in states.items() if state in (CeState.DONE, CeState.FAILED, CeState.UNKNOWN)]
    return gone + [p.pilot_id for p in pilots if p.reference is None and _old(deployment, p)]


def _old(deployment: Deployment, pilot: Pilot) -> bool:
    return deployment.clock.now() - pilot.created_at > LEASE


async def retire_lost(deployment: Deployment) -> int:
    """Give up pilots that gave no sign of life for a lease; their payloads go to others. Says how many."""
    everyone = await all_vos(deployment.database)
    async with deployment.database.transaction(everyone) as conn:
        silent = await store.list_silent(conn, LEASE)
    lost = 0
    for vo, group in groupby(sorted(silent, key=lambda p: (p.vo, p.pilot_id)), lambda p: p.vo):
        async with deployment.database.transaction(everyone) as conn:
            ids = await store.lock_silent(conn, vo, [p.pilot_id for p in group], LEASE)
            lost += await give_up(conn, vo, ids, PilotState.LOST, "no sign of life")
    return lost


async def list_pilots(deployment: Deployment, caller: Principal, **wanted: Any) -> list[PilotRow]:
    """A page of the pilots on the CEs that the caller's VO owns or was granted, newest first.

    Pilots of shared CEs belong to the VO `instance`, which this transaction serves beside the caller's own.
    """
    require(caller, "pilots:read")
    async with deployment.database.transaction(sorted({INSTANCE, *caller.vos})) as conn:
        return await store.list_pilots(conn, caller.vos, **wanted)


async def count_by_ce(deployment: Deployment, caller: Principal, since: datetime) -> list[CePilots]:
    """How many pilots there are on each CE that the caller's VO owns or was granted, and ended since a time."""
    require(caller, "pilots:read")
    async with deployment.database.transaction(sorted({INSTANCE, *caller.vos})) as conn:
        return await counting.count_by_ce(conn, caller.vos, since)


async def ids_by_stamp(conn: Connection, vo: int, stamps: Sequence[str]) -> dict[str, list[int]]:
    """Ids by stamp of the pilots that may have run jobs of a VO, for a search among those jobs alone.

    Pilots of shared CEs are the VO `instance`'s, which is served for this look at stamps that the caller knows.
    """
    async with serving(conn, [vo, INSTANCE]):
        return await store.ids_by_stamp(conn, [vo, INSTANCE], stamps)

"""Why a pilot gets no job of the VO that asks: what is known of it is gathered here."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

from sancho.explain.model import Explanation
from sancho.explain.plan import pilots as plan
from sancho.explain.plan.pilots import PilotSeen
from sancho.explain.plan.relaxing import Case, Help, helps
from sancho.explain.service.topology import read_topology
from sancho.explain.store import jobs as store
from sancho.jobs.model import Slot
from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection, serving
from sancho.matching import service as matching
from sancho.matching.model import Queue
from sancho.matching.service import Matcher
from sancho.pilots.errors import PilotNotFound
from sancho.pilots.model import PilotState

COMPARED = 10_000
"""Queues, those in which most jobs wait, that are compared with a pilot."""


async def explain_pilot(conn: Connection, caller: Principal, matcher: Matcher, pilot_id: int) -> Explanation:
    """Say what a pilot offers, and why it gets no job of the caller's VO, for who may `pilots:read`.

    Pilots of shared CEs belong to the VO `instance`, which is served for this look beside the caller's own: the
    statement shows those on CEs that the caller's VO owns or was granted. Raises `PilotNotFound`.
    """
    require(caller, "pilots:read")
    async with serving(conn, sorted({INSTANCE, *caller.vos})):
        facts = await store.pilot_facts(conn, caller.vos, pilot_id)
    if facts is None:
        raise PilotNotFound(pilot_id=pilot_id)
    state, vo = PilotState(facts.state), caller.vo
    known = await read_topology(conn)
    slot, queues, fitting, nearest = None, list[Queue](), 0, list[Help]()
    if state is PilotState.RUNNING:
        used = matcher if matcher.followed else await matching.read(conn)
        queues = [queue for queue in used.board.queues.values() if queue.key[0] == vo and queue.waiting > 0]
        if facts.ce_id in used.slots:
            slot = used.slots[facts.ce_id][1]
            offer = used.offer(facts.ce_id, pilot_id, (vo,), slot)
            fitting = 0 if offer is None else sum(waiting for _, waiting in used.board.demand(offer))
            nearest = [] if fitting else await _nearest(used, queues, slot)
    return plan.explain(
        PilotSeen(
            pilot_id=pilot_id, stamp=facts.stamp, state=state, ce=facts.ce, site=facts.site,
            created_at=facts.created_at, last_beat=facts.last_beat, detail=facts.detail, slot=slot,
            sites=known.names, runs=await store.open_attempts(conn, vo, pilot_id), waiting=len(queues),
            fitting=fitting, nearest=nearest,
            heads=await store.queue_heads(conn, vo, [each.case.queue for each in nearest]) if nearest else None,
            now=datetime.now(UTC),
        )
    )  # fmt: skip


async def _nearest(matcher: Matcher, queues: Sequence[Queue], slot: Slot) -> list[Help]:
    most = sorted(queues, key=lambda queue: -queue.waiting)[:COMPARED]
    cases = [
        Case(need=way, slot=slot, near=matcher.board.near(queue.key, int(slot.site)), queue=queue.key[1])
        for queue in most for way in queue.ways
    ]  # fmt: skip
    return await asyncio.to_thread(helps, cases)

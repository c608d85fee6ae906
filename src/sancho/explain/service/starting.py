"""When a waiting job may start: what that is reckoned from is gathered here, when somebody asks."""

from datetime import datetime, timedelta

from sancho.explain.model import Blocker, Cause, Start
from sancho.explain.plan.jobs import JobSeen
from sancho.explain.plan.starting import Arrival, Outlook, Pace, expect
from sancho.explain.store import jobs as store
from sancho.kit.db import Connection
from sancho.matching.model import Looked

LOOKED = timedelta(hours=2)
"""How far back it is looked."""
STOPS = frozenset({Cause.ACCOUNT, Cause.INPUTS, Cause.REQUIREMENT, Cause.OFF})
"""What does not pass by itself."""


async def expected(
    conn: Connection, looked: Looked, seen: JobSeen, blockers: tuple[Blocker, ...], now: datetime
) -> Start:
    """When a waiting job may start; two statements at most, of rows whose number is bounded."""
    vo = looked.queue.key[0]
    turn = seen.turn
    ahead = 0 if turn is None else turn.jobs + turn.own_jobs
    came: Arrival | None = None
    if looked.queue.input_set_id is not None and seen.inputs is not None and seen.inputs.missing:
        found = await store.arriving(conn, vo, looked.queue.input_set_id, LOOKED)
        came = Arrival(size=found.size, unasked=found.unasked, moved=found.moved, first=found.first)
    causes = STOPS - {Cause.INPUTS} if came is not None else STOPS
    apart = any(blocker.cause is Cause.DISTANCE for blocker in blockers)
    return expect(
        Outlook(
            now=now, pace=await _pace(conn, looked, now, of_owner=turn is not None and turn.own_jobs > 0),
            ahead=ahead, more=turn is not None and turn.more, walltime=max(way.walltime for way in seen.ways),
            stopped=next((blocker.says for blocker in blockers if blocker.cause in causes), None),
            arrival=came,
            coming=sum(pilots.coming for pilots in seen.pilots.values()),
            not_before=seen.anywhere_from if apart else None,
        )
    )  # fmt: skip


async def _pace(conn: Connection, looked: Looked, now: datetime, *, of_owner: bool) -> Pace:
    """What began of the queue; of its owner, where other queues of his go first."""
    found = await store.began(conn, *looked.queue.key, LOOKED)
    span = LOOKED if found.since is None else now - found.since
    if of_owner:
        return Pace(looked=span, begun=found.owner, first=found.owner_first, ended=found.owner_ended)
    return Pace(looked=span, begun=found.queue, first=found.queue_first, ended=found.queue_ended)

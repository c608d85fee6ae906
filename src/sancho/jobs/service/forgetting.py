"""Jobs that ended long ago are forgotten, where an installation does not keep them for ever.

A job that made a file which is in the catalogue is kept as long as the file is: who looks at a file finds how it was
made. What is accounted stays in any case, and so does the audit log.
"""

from datetime import UTC, datetime, timedelta

from sancho.jobs.store import forgetting as store
from sancho.kit import faults
from sancho.kit.db import Connection, again
from sancho.kit.deployment import Deployment

BATCH = 1000
_forgotten = faults.point("jobs.forgotten")
START = (datetime(1970, 1, 1, tzinfo=UTC), 0)


async def forget_old_jobs(deployment: Deployment, vo: int, keep: timedelta) -> int:
    """Forget the jobs of a VO that ended longer than `keep` ago, a thousand in a transaction; return how many."""
    before = deployment.clock.now() - keep
    after, forgotten = START, 0

    async def some() -> tuple[tuple[datetime, int] | None, int]:
        async with deployment.database.transaction([vo]) as conn:
            return await _forget_some(conn, vo, before, after)

    async with deployment.database.transaction([vo]) as conn:
        forgotten += await store.forget_ranges(conn, vo, before)
    while True:
        last, number = await again(some)
        _forgotten()
        forgotten += number
        if last is None:
            return forgotten
        after = last


async def drop_old_history(deployment: Deployment, keep: timedelta) -> int:
    """Drop the weeks of jobs' history that ended longer than `keep` ago, of all VOs; return how many weeks."""

    async def drop() -> int:
        async with deployment.database.transaction([0]) as conn:
            return await store.drop_history(conn, deployment.clock.now() - keep)

    return await again(drop)  # who reads history just now makes it wait, for two seconds at most


async def _forget_some(
    conn: Connection, vo: int, before: datetime, after: tuple[datetime, int]
) -> tuple[tuple[datetime, int] | None, int]:
    found = await store.ended_before(conn, vo, before, after=after, limit=BATCH)
    old = [job for _, job, kept in found if not kept]
    if old:
        await store.forget(conn, vo, old)
    last = found[-1] if len(found) == BATCH else None
    return None if last is None else last[:2], len(old)

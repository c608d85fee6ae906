"""Usage over time: what accounts lock is exact at any moment, and written down day by day."""

from collections.abc import Sequence
from datetime import date, timedelta

from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.rules.model import UsageOn
from sancho.rules.store import recording

KEPT = timedelta(days=730)
"""How long what accounts locked is kept."""


async def record_usage(deployment: Deployment) -> None:
    """Write down for today what accounts of every VO lock now, and forget what is older than two years.

    Safe to run twice: what is written last in a day counts.
    """
    today = deployment.clock.now().date()
    for vo in await all_vos(deployment.database):
        async with deployment.database.transaction([vo]) as conn:
            await record(conn, vo, today)


async def record(conn: Connection, vo: int, today: date) -> None:
    """The same for one VO, in the caller's transaction."""
    await recording.record(conn, vo, today)
    await recording.forget(conn, vo, today - KEPT)


async def usage_history(
    conn: Connection, vo: int, account_id: int, rse_id: int, *, before: date | None = None, limit: int = 1000
) -> Sequence[UsageOn]:
    """What an account locked on an RSE at the end of the days on which that changed, newest first, from `before` on."""
    return await recording.list_history(conn, vo, account_id, rse_id, (before, limit))

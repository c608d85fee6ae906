"""What jobs want of data is told to `rules`, which keep it for them."""

from sancho.jobs.store import demand
from sancho.kit.db import Connection
from sancho.rules import service as rules


async def want_inputs(conn: Connection, vo: int) -> None:
    """Count anew how many jobs of a VO want which DIDs, and tell; the work grows with queues, not with waiting jobs.

    Jobs that are held want nothing until they are released. What other VOs share is not among it: its owners keep it.
    """
    await rules.alone(conn, vo)
    await rules.want(conn, vo, await demand.count(conn, vo))

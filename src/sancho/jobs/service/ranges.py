"""Jobs that have no rows yet: what is done to one by itself writes its row first, what is done to all needs none."""

from collections.abc import Sequence

from sancho.jobs.store import ranges
from sancho.kit.db import Connection


async def write_members(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Write rows of those of these jobs that have none yet: something of their own is about to happen.

    Whoever changes jobs looks for their rows first, and calls this for those that it does not find.
    """
    found = await ranges.of_jobs(conn, vo, job_ids)
    if found:
        await ranges.lock_submissions(conn, vo, found.values())
        await ranges.lock(conn, vo, await ranges.of_jobs(conn, vo, job_ids))
        await ranges.write(conn, vo, job_ids)

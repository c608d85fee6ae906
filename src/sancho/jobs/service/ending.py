"""Jobs that end: those that wait for them hear of it in time, whatever becomes of us."""

from collections.abc import Sequence

from sancho.jobs.model import JobState
from sancho.jobs.store import life
from sancho.kit.db import Connection
from sancho.kit.tasks import defer


async def end(
    conn: Connection, vo: int, job_ids: Sequence[int], state: JobState, *, detail: str | None = None
) -> None:  # fmt: skip
    """Put locked jobs into a final state; the jobs that wait for them are seen to by a task, and by `wake_all`."""
    if await life.move(conn, vo, job_ids, state, detail=detail):
        await follow_soon(conn, vo)


async def follow_soon(conn: Connection, vo: int) -> None:
    """See to the jobs that wait for those that are noted to have ended, once we have committed."""
    await defer(conn, "jobs:follow", vo=vo)

"""What has changed of jobs of late."""

from dataclasses import dataclass
from datetime import datetime

from sancho.kit.db import Connection, fetch


@dataclass(frozen=True, kw_only=True)
class ChangedJob:
    """A job that changed; None: many of one submission at once, which have no rows of their own yet."""

    vo: int
    account_id: int
    job_id: int | None
    changed_at: datetime


async def changed(conn: Connection, vos: list[int], *, seconds: float, limit: int) -> list[ChangedJob]:
    """What changed in the last seconds: of each VO the `limit` newest jobs, and submissions without rows."""
    return await fetch(
        conn,
        ChangedJob,
        """
        SELECT newest.vo, newest.account_id, newest.job_id, newest.changed_at
          FROM unnest(%(vos)s::smallint[]) AS listening (vo)
         CROSS JOIN LATERAL (
               SELECT job.vo, job.account_id, job.job_id, job.changed_at
                 FROM job
                WHERE job.vo = listening.vo AND job.changed_at > now() - make_interval(secs => %(seconds)s)
                ORDER BY job.changed_at DESC
                LIMIT %(limit)s) AS newest
         UNION ALL
        SELECT job_range.vo, job_range.account_id, NULL, max(job_range.changed_at)
          FROM job_range
         WHERE job_range.vo = ANY(%(vos)s::smallint[])
           AND job_range.changed_at > now() - make_interval(secs => %(seconds)s)
         GROUP BY job_range.vo, job_range.account_id
        """,
        {"vos": vos, "seconds": seconds, "limit": limit},
    )

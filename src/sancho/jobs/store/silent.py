"""SQL of jobs that somebody else than a pilot of ours runs, and that are silent."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.kit.db import Connection, execute, fetch_values

OTHERS = """
    SELECT j.job_id, j.vo FROM job j
     WHERE j.vo = %(vo)s AND j.state IN ('M', 'R', 'C') AND j.changed_at < now() - %(lease)s::interval
       AND NOT EXISTS (SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL)
"""
"""What runs without an open attempt of ours: found first, for there may be few among very many jobs that run."""
SILENT = """
    (SELECT true FROM job_heartbeat b
      WHERE b.job_id = o.job_id AND b.vo = o.vo AND b.at >= now() - %(lease)s::interval LIMIT 1) IS NULL
    AND (SELECT true FROM job_history h
          WHERE h.job_id = o.job_id AND h.vo = o.vo AND h.at >= now() - %(lease)s::interval LIMIT 1) IS NULL
"""
"""Neither a heartbeat nor a report has come for so long."""


async def list_silent(conn: Connection, vo: int, lease: timedelta, limit: int) -> list[int]:
    """Some of the jobs of a VO that others run, and that gave no sign of life for so long; not locked."""
    return await fetch_values(
        conn,
        f"""
        WITH others AS MATERIALIZED ({OTHERS})
        SELECT o.job_id FROM others o WHERE {SILENT} ORDER BY o.job_id LIMIT %(limit)s
        """,  # noqa: S608 - literals
        {"vo": vo, "lease": lease, "limit": limit},
    )


async def still_silent(conn: Connection, vo: int, lease: timedelta, job_ids: Sequence[int]) -> list[int]:
    """Those of these locked jobs that are silent still, in order."""
    return await fetch_values(
        conn,
        f"""
        WITH others AS MATERIALIZED ({OTHERS} AND j.job_id = ANY(%(ids)s))
        SELECT o.job_id FROM others o WHERE {SILENT} ORDER BY o.job_id
        """,  # noqa: S608 - literals
        {"vo": vo, "lease": lease, "ids": list(job_ids)},
    )


async def note(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Note that what ran these jobs was given up now."""
    await execute(
        conn,
        "INSERT INTO job_silence (vo, job_id) SELECT %(vo)s, job_id FROM unnest(%(ids)s::bigint[]) AS n (job_id)",
        {"vo": vo, "ids": list(job_ids)},
    )

"""SQL of tries after the first: what failed before, queues that avoid sites, and jobs put into queues."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from sancho.jobs.model import AVOIDED, Failure, Requirement
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_values
from sancho.kit.documents import write


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """The queue that a job waits in, or came from if it avoids sites; `requirements` are its ways, as documents."""

    job_id: int
    task_queue_id: int
    input_set_id: int | None
    avoids: bool
    requirements: Sequence[Mapping[str, Any]]


async def failures(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, list[Failure]]:
    """The failed attempts that each of these jobs had since it was put back to its start, in order.

    Among them are those of others than our pilots that fell silent.
    """
    rows = await fetch(
        conn,
        Failure,
        """
        SELECT a.job_id, a.reason, r.name AS site, a.site_id, a.ended_at > now() - %(avoided)s::interval AS recent,
               a.ended_at AS at, a.number, d.exit_code
          FROM attempt a
          JOIN resource r ON r.resource_id = a.site_id
          LEFT JOIN attempt_detail d ON d.attempt_id = a.attempt_id AND d.vo = a.vo
          LEFT JOIN reschedule z ON z.job_id = a.job_id AND z.vo = a.vo
         WHERE a.job_id = ANY(%(ids)s) AND a.vo = %(vo)s AND a.state IN ('F', 'L')
           AND a.number > coalesce(z.attempts, 0)
         UNION ALL
        SELECT s.job_id, 'pilot_lost', NULL, NULL, s.at > now() - %(avoided)s::interval, s.at, NULL, NULL
          FROM job_silence s
          LEFT JOIN reschedule z ON z.job_id = s.job_id AND z.vo = s.vo
         WHERE s.job_id = ANY(%(ids)s) AND s.vo = %(vo)s AND s.at > coalesce(z.at, '-infinity')
         ORDER BY job_id, at, number
        """,
        {"vo": vo, "ids": list(job_ids), "avoided": AVOIDED},
    )
    found: dict[int, list[Failure]] = {}
    for one in rows:
        found.setdefault(one.job_id, []).append(one)
    return found


async def attempts_before(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, int]:
    """How many attempts each of these jobs had before it was last put back to its start; others are not named."""
    rows = await fetch_rows(
        conn,
        "SELECT job_id, attempts FROM reschedule WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s",
        {"vo": vo, "ids": list(job_ids)},
    )
    return dict(rows)


async def homes(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, Home]:
    """The queue that each of these jobs belongs to, whatever sites it avoids now."""
    rows = await fetch(
        conn,
        Home,
        """
        SELECT j.job_id, h.task_queue_id, h.input_set_id, q.instead_of IS NOT NULL AS avoids, h.requirements
          FROM job j
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
          JOIN task_queue h ON h.task_queue_id = coalesce(q.instead_of, q.task_queue_id) AND h.vo = j.vo
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return {one.job_id: one for one in rows}


async def make_queues(
    conn: Connection, vo: int, queues: Mapping[bytes, tuple[int, Sequence[Requirement]]]
) -> dict[bytes, int]:
    """Find or make queues by their digests, each in place of another and with ways of its own; their ids."""
    digests = sorted(queues)
    params = {
        "vo": vo, "digests": digests, "homes": [queues[d][0] for d in digests],
        "requirements": [Jsonb([write(way) for way in queues[d][1]]) for d in digests],
    }  # fmt: skip
    await execute(
        conn,
        """
        INSERT INTO task_queue (vo, priority, group_id, account_id, type, input_set_id, requirements, digest,
                                instead_of)
        SELECT h.vo, h.priority, h.group_id, h.account_id, h.type, h.input_set_id, n.requirements, n.digest,
               h.task_queue_id
          FROM unnest(%(digests)s::bytea[], %(homes)s::int[], %(requirements)s::jsonb[])
               AS n (digest, task_queue_id, requirements)
          JOIN task_queue h ON h.task_queue_id = n.task_queue_id AND h.vo = %(vo)s
         WHERE h.task_queue_id = ANY(%(homes)s::int[])
         ORDER BY n.digest
        ON CONFLICT (digest, vo) DO NOTHING
        """,
        params,
    )
    rows = await fetch_rows(
        conn,
        "SELECT digest, task_queue_id FROM task_queue WHERE digest = ANY(%(digests)s::bytea[]) AND vo = %(vo)s",
        params,
    )
    return dict(rows)


async def put_into(conn: Connection, vo: int, queues: Mapping[int, int]) -> None:
    """Let each of these locked jobs belong to a queue."""
    await execute(
        conn,
        """
        UPDATE job SET task_queue_id = n.task_queue_id
          FROM unnest(%(ids)s::bigint[], %(queues)s::int[]) AS n (job_id, task_queue_id)
         WHERE job.job_id = ANY(%(ids)s::bigint[]) AND job.vo = %(vo)s AND job.job_id = n.job_id
           AND job.task_queue_id <> n.task_queue_id
        """,
        {"vo": vo, "ids": list(queues.keys()), "queues": list(queues.values())},
    )


async def list_avoiding(conn: Connection, vo: int, longer: timedelta, limit: int) -> list[int]:
    """Some of the jobs that have waited for longer than this while they avoid a site."""
    return await fetch_values(
        conn,
        """
        SELECT w.job_id
          FROM task_queue q
          JOIN waiting_job w ON w.task_queue_id = q.task_queue_id AND w.vo = q.vo
          JOIN job j ON j.job_id = w.job_id AND j.vo = w.vo
         WHERE q.vo = %(vo)s AND q.instead_of IS NOT NULL AND q.active AND j.changed_at < now() - %(longer)s::interval
         LIMIT %(limit)s
        """,
        {"vo": vo, "longer": longer, "limit": limit},
    )


async def being_taken(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[int]:
    """Those of these locked jobs that are in a queue: after they have left it, those that a match takes right now."""
    return await fetch_values(
        conn,
        """
        SELECT j.job_id
          FROM job j JOIN waiting_job w ON w.task_queue_id = j.task_queue_id AND w.vo = j.vo AND w.job_id = j.job_id
         WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(job_ids)},
    )

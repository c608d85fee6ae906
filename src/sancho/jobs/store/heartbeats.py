"""Signs of life of jobs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sancho.jobs.model import Heartbeat
from sancho.kit.db import Connection, execute, fetch_value, find


@dataclass(frozen=True, kw_only=True, slots=True)
class LastBeat:
    """The last sign of life of a job, of those that it gave itself and of those that its pilot gives for it."""

    at: datetime
    load: float | None
    memory: int | None
    virtual: int | None
    disk: int | None
    cpu: float | None
    wall: float | None


async def put(conn: Connection, vo: int, beats: Sequence[Heartbeat]) -> None:
    """Keep signs of life, at most one a job, of jobs that have not ended; what one does not say stays as it was."""
    rows = sorted(beats, key=lambda one: one.job_id)
    await execute(
        conn,
        """
        INSERT INTO job_heartbeat AS h (vo, job_id, memory, virtual, disk, load, cpu, wall, tail)
        SELECT j.vo, j.job_id, n.memory, n.virtual, n.disk, n.load, n.cpu, n.wall, n.tail
          FROM unnest(%(jobs)s::bigint[], %(memories)s::bigint[], %(virtuals)s::bigint[], %(disks)s::bigint[],
                      %(loads)s::float8[], %(cpus)s::float8[], %(walls)s::float8[], %(tails)s::text[])
            AS n (job_id, memory, virtual, disk, load, cpu, wall, tail)
         CROSS JOIN LATERAL (
               SELECT * FROM job WHERE job.job_id = n.job_id AND job.vo = %(vo)s LIMIT 1) j
         WHERE j.state NOT IN ('D', 'F', 'K')
         ORDER BY j.job_id
        ON CONFLICT (job_id, vo) DO UPDATE
           SET at = now(), memory = coalesce(excluded.memory, h.memory),
               virtual = coalesce(excluded.virtual, h.virtual), disk = coalesce(excluded.disk, h.disk),
               load = coalesce(excluded.load, h.load),
               cpu = coalesce(excluded.cpu, h.cpu), wall = coalesce(excluded.wall, h.wall),
               tail = coalesce(excluded.tail, h.tail)
        """,
        {
            "vo": vo, "jobs": [one.job_id for one in rows], "memories": [one.memory for one in rows],
            "virtuals": [one.virtual for one in rows], "disks": [one.disk for one in rows],
            "loads": [one.load for one in rows], "cpus": [one.cpu for one in rows],
            "walls": [one.wall for one in rows], "tails": [one.tail for one in rows],
        },
    )  # fmt: skip


async def run_matched(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Let those of these jobs run that somebody else than a pilot of ours was given, and that is heard of now."""
    await execute(
        conn,
        """
        WITH locked AS MATERIALIZED (
            SELECT j.job_id FROM job j
             WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s AND j.state = 'M' AND NOT EXISTS (
                   SELECT FROM attempt a WHERE a.job_id = j.job_id AND a.vo = j.vo AND a.ended_at IS NULL)
             ORDER BY j.job_id FOR NO KEY UPDATE),
        moved AS (
            UPDATE job j SET state = 'R', changed_at = now()
              FROM locked l WHERE j.job_id = l.job_id AND j.vo = %(vo)s AND j.state = 'M'
            RETURNING j.job_id, j.attempts, j.site_id)
        INSERT INTO job_history (vo, state, attempt, site_id, job_id)
        SELECT %(vo)s, 'R', attempts, site_id, job_id FROM moved
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def last(conn: Connection, vo: int, job_id: int) -> LastBeat | None:
    """The last sign of life of a job; None when it gave none."""
    return await find(
        conn,
        LastBeat,
        """
        SELECT greatest(h.at, d.beat_at) AS at, h.load, coalesce(h.memory, d.max_memory) AS memory, h.virtual, h.disk,
               coalesce(h.cpu, extract(epoch FROM d.cpu)::float8) AS cpu, h.wall
          FROM job j
          LEFT JOIN job_heartbeat h ON h.job_id = j.job_id AND h.vo = j.vo
          LEFT JOIN attempt a ON a.job_id = j.job_id AND a.vo = j.vo AND a.number = j.attempts
          LEFT JOIN attempt_detail d ON d.attempt_id = a.attempt_id AND d.vo = a.vo
         WHERE j.job_id = %(job_id)s AND j.vo = %(vo)s AND (h.at IS NOT NULL OR d.beat_at IS NOT NULL)
        """,
        {"vo": vo, "job_id": job_id},
    )


async def tail(conn: Connection, vo: int, job_id: int) -> str | None:
    """The last part of what a job says that it prints; None when it never said."""
    return await fetch_value(
        conn,
        "SELECT tail FROM job_heartbeat WHERE job_id = %(job_id)s AND vo = %(vo)s",
        {"vo": vo, "job_id": job_id},
    )


async def watch(conn: Connection, vo: int, job_id: int, seconds: int) -> None:
    """Note that somebody reads along what the open attempt of a job prints, unless that is known for a while yet."""
    await execute(
        conn,
        """
        INSERT INTO attempt_detail AS d (vo, attempt_id, watched_until)
        SELECT a.vo, a.attempt_id, now() + make_interval(secs => %(seconds)s)
          FROM attempt a WHERE a.job_id = %(job_id)s AND a.vo = %(vo)s AND a.ended_at IS NULL
        ON CONFLICT (attempt_id, vo) DO UPDATE SET watched_until = excluded.watched_until
         WHERE d.watched_until IS NULL OR d.watched_until < now() + make_interval(secs => %(seconds)s / 2.0)
        """,
        {"vo": vo, "job_id": job_id, "seconds": seconds},
    )

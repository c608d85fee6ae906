"""SQL of jobs that wait for other jobs. Lock order: job_ended, job_edge, input_set, job."""

from collections.abc import Mapping, Sequence

from sancho.jobs.model import Edge, Ending, JobState, When
from sancho.kit.db import Connection, execute, fetch_rows, fetch_value, fetch_values

Note = tuple[int, int, int]
"""Its id, the job that has ended, and up to which id those that wait for it have heard of it."""


async def lock_before(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, JobState]:
    """Keep jobs in their states until we commit; those that there are, with their states.

    Whoever ends one of them waits for us, and sees what waits for it then.
    """
    rows = await fetch_rows(
        conn,
        "SELECT job_id, state FROM job WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY job_id FOR SHARE",
        {"vo": vo, "ids": sorted(set(job_ids))},
    )
    return {job_id: JobState(letter) for job_id, letter in rows}


async def insert(conn: Connection, vo: int, edges: Sequence[Edge]) -> None:
    """Let jobs wait for others, which are locked or new; what has come true already is met."""
    await execute(
        conn,
        """
        INSERT INTO job_edge (vo, wants, met, before_id, job_id)
        SELECT %(vo)s, n.wants, b.state = 'D' OR (n.wants = 'E' AND b.state IN ('F', 'K')), n.before_id, n.job_id
          FROM unnest(%(wants)s::"char"[], %(befores)s::bigint[], %(jobs)s::bigint[]) AS n (wants, before_id, job_id)
         CROSS JOIN LATERAL (
               SELECT state FROM job WHERE job.job_id = n.before_id AND job.vo = %(vo)s LIMIT 1) b
        """,
        {
            "vo": vo, "wants": [one.when.value for one in edges], "befores": [one.before_id for one in edges],
            "jobs": [one.job_id for one in edges],
        },
    )  # fmt: skip


async def copy(conn: Connection, vo: int, clones: Mapping[int, int]) -> None:
    """Let clones wait for what their jobs wait for, or for the clones of it; those jobs are locked."""
    await execute(
        conn,
        """
        WITH clone AS MATERIALIZED (
            SELECT * FROM unnest(%(jobs)s::bigint[], %(clones)s::bigint[]) AS c (job_id, clone_id))
        INSERT INTO job_edge (vo, wants, met, before_id, job_id)
        SELECT %(vo)s, e.wants, coalesce(e.met AND b.clone_id IS NULL, false), coalesce(b.clone_id, e.before_id),
               c.clone_id
          FROM clone c
         CROSS JOIN LATERAL (SELECT * FROM job_edge e WHERE e.job_id = c.job_id AND e.vo = %(vo)s OFFSET 0) e
          LEFT JOIN clone b ON b.job_id = e.before_id
         ORDER BY c.clone_id
        """,
        {"vo": vo, "jobs": list(clones.keys()), "clones": list(clones.values())},
    )


async def awaiting(conn: Connection, vo: int, job_ids: Sequence[int]) -> tuple[set[int], set[int]]:
    """Those of these jobs that wait for others, or have waited, and the jobs that they still wait for."""
    rows = await fetch_rows(
        conn,
        """
        SELECT job_id, array_agg(before_id) FILTER (WHERE NOT met) FROM job_edge
         WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s GROUP BY 1
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return {row[0] for row in rows}, {before_id for row in rows for before_id in row[1] or ()}


# ---- what follows when a job has ended


async def claim_notes(conn: Connection, vo: int, limit: int) -> list[Note]:
    """Lock notes of jobs that have ended, the oldest first; those that somebody works on are passed over."""
    rows = await fetch_rows(
        conn,
        """
        SELECT note_id, job_id, reached FROM job_ended WHERE vo = %(vo)s
         ORDER BY note_id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        """,
        {"vo": vo, "limit": limit},
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def lock_endings(conn: Connection, vo: int, reached: Mapping[int, int], limit: int) -> list[Ending]:
    """Lock, in order of their ids, pairs of a job that has ended and one that waits for it.

    Of each job so many at most, those with the lowest ids above the one that is `reached`.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT e.before_id, e.job_id, e.wants, b.state
          FROM (SELECT * FROM unnest(%(befores)s::bigint[], %(reached)s::bigint[]) AS n (before_id, reached)
                 ORDER BY 1) AS n
         CROSS JOIN LATERAL (
               SELECT state FROM job WHERE job.job_id = n.before_id AND job.vo = %(vo)s LIMIT 1) b
         CROSS JOIN LATERAL (
               SELECT e.before_id, e.job_id, e.wants FROM job_edge e
                WHERE e.before_id = n.before_id AND e.vo = %(vo)s AND NOT e.met AND e.job_id > n.reached
                ORDER BY e.job_id LIMIT %(limit)s FOR NO KEY UPDATE) e
        """,
        {"vo": vo, "befores": list(reached.keys()), "reached": list(reached.values()), "limit": limit},
    )
    return [Ending(before_id=r[0], job_id=r[1], when=When(r[2]), state=JobState(r[3])) for r in rows]


async def meet(conn: Connection, vo: int, endings: Sequence[Ending]) -> None:
    """Note for good that what was wanted of these jobs has come true; the pairs are locked."""
    await execute(
        conn,
        """
        UPDATE job_edge e SET met = true
          FROM unnest(%(befores)s::bigint[], %(jobs)s::bigint[]) AS n (before_id, job_id)
         WHERE e.job_id = ANY(%(jobs)s) AND e.job_id = n.job_id AND e.vo = %(vo)s AND e.before_id = n.before_id
        """,
        {"vo": vo, "befores": [one.before_id for one in endings], "jobs": [one.job_id for one in endings]},
    )


async def list_free(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[int]:
    """Those of these locked jobs that no other has to come before any more."""
    return await fetch_values(
        conn,
        """
        SELECT n.job_id FROM unnest(%(ids)s::bigint[]) AS n (job_id)
          LEFT JOIN LATERAL (
               SELECT true AS open FROM job_edge e
                WHERE e.job_id = n.job_id AND e.vo = %(vo)s AND NOT e.met LIMIT 1) e ON true
         WHERE e.open IS NULL ORDER BY 1
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def list_below(conn: Connection, vo: int, job_ids: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Pairs of jobs, of which the second waits for the first to be done, at and below these; so many at most."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (job_id) AS (
            SELECT unnest(%(ids)s::bigint[])
             UNION
            SELECT e.job_id FROM below CROSS JOIN LATERAL (
                   SELECT job_id FROM job_edge
                    WHERE before_id = below.job_id AND vo = %(vo)s AND NOT met AND wants = 'D' OFFSET 0) e)
        SELECT b.job_id, e.job_id FROM (SELECT job_id FROM below LIMIT %(limit)s) AS b CROSS JOIN LATERAL (
               SELECT job_id FROM job_edge
                WHERE before_id = b.job_id AND vo = %(vo)s AND NOT met AND wants = 'D' OFFSET 0) e
         LIMIT %(limit)s
        """,
        {"vo": vo, "ids": list(job_ids), "limit": limit},
    )
    return [(row[0], row[1]) for row in rows]


async def fail(conn: Connection, vo: int, vain: Mapping[int, int]) -> None:
    """Let locked jobs fail that wait in vain, each for the job that is named; those that wait for them are noted."""
    rows = sorted(vain.items())
    await execute(
        conn,
        """
        WITH moved AS (
            UPDATE job SET state = 'F', changed_at = now() WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s
            RETURNING job_id, attempts, site_id),
        noted AS (
            INSERT INTO job_ended (vo, job_id)
            SELECT %(vo)s, moved.job_id FROM moved CROSS JOIN LATERAL (
                   SELECT FROM job_edge e WHERE e.before_id = moved.job_id AND e.vo = %(vo)s AND NOT e.met LIMIT 1) e)
        INSERT INTO job_history (vo, state, attempt, site_id, job_id, detail)
        SELECT %(vo)s, 'F', moved.attempts, moved.site_id, moved.job_id,
               'job ' || n.before_id || ', which has to be done first, '
               || CASE b.state WHEN 'K' THEN 'was killed' ELSE 'has failed' END
          FROM unnest(%(ids)s::bigint[], %(befores)s::bigint[]) AS n (job_id, before_id)
          JOIN moved ON moved.job_id = n.job_id
          JOIN job b ON b.job_id = n.before_id AND b.vo = %(vo)s
        """,
        {"vo": vo, "ids": [job_id for job_id, _ in rows], "befores": [before_id for _, before_id in rows]},
    )


async def tear_off(conn: Connection, vo: int, note_ids: Sequence[int]) -> None:
    """Forget notes of which all have heard."""
    await execute(
        conn,
        "DELETE FROM job_ended WHERE vo = %(vo)s AND note_id = ANY(%(ids)s)",
        {"vo": vo, "ids": list(note_ids)},
    )


async def reach(conn: Connection, vo: int, reached: Mapping[int, int]) -> None:
    """Keep in notes, which are locked, up to which id those that wait for a job have heard of its end."""
    await execute(
        conn,
        """
        UPDATE job_ended n SET reached = r.job_id
          FROM unnest(%(notes)s::bigint[], %(jobs)s::bigint[]) AS r (note_id, job_id)
         WHERE n.note_id = ANY(%(notes)s) AND n.note_id = r.note_id AND n.vo = %(vo)s
        """,
        {"vo": vo, "notes": list(reached.keys()), "jobs": list(reached.values())},
    )


async def note_forgotten(conn: Connection, vo: int, limit: int) -> int:
    """Note jobs that have ended and of which nobody that waits for them has heard, though no note is left of it.

    Servers of before there were such jobs write no notes; while they are replaced they may end some.
    """
    return await execute(
        conn,
        """
        INSERT INTO job_ended (vo, job_id)
        SELECT DISTINCT e.vo, e.before_id
          FROM job_edge e
          JOIN job j ON j.job_id = e.job_id AND j.vo = e.vo AND j.state = 'P'
          JOIN job b ON b.job_id = e.before_id AND b.vo = e.vo AND b.state IN ('D', 'F', 'K')
         WHERE e.vo = %(vo)s AND NOT e.met
           AND NOT EXISTS (SELECT FROM job_ended n WHERE n.job_id = e.before_id AND n.vo = e.vo)
         LIMIT %(limit)s
        """,
        {"vo": vo, "limit": limit},
    )


# ---- shown


async def count(conn: Connection, vo: int, job_id: int) -> tuple[int, int]:
    """How many jobs a job waits for or has waited for, and for how many it still does."""
    rows = await fetch_rows(
        conn,
        """
        SELECT count(*), count(*) FILTER (WHERE NOT met) FROM job_edge WHERE job_id = %(id)s AND vo = %(vo)s
        """,
        {"vo": vo, "id": job_id},
    )
    return rows[0][0], rows[0][1]


async def list_open(conn: Connection, vo: int, job_id: int, limit: int) -> list[tuple[int, JobState, When]]:
    """Some of the jobs that a job still waits for, those that have ended in vain first, then by id."""
    rows = await fetch_rows(
        conn,
        """
        SELECT b.job_id, b.state, e.wants
          FROM job_edge e JOIN job b ON b.job_id = e.before_id AND b.vo = e.vo
         WHERE e.job_id = %(id)s AND e.vo = %(vo)s AND NOT e.met
         ORDER BY b.state IN ('F', 'K') DESC, b.job_id LIMIT %(limit)s
        """,
        {"vo": vo, "id": job_id, "limit": limit},
    )
    return [(row[0], JobState(row[1]), When(row[2])) for row in rows]


async def count_waiting_for(conn: Connection, vo: int, job_id: int, most: int) -> int:
    """How many jobs still wait for a job, counted as far as `most`."""
    return await fetch_value(
        conn,
        """
        SELECT count(*) FROM (
            SELECT FROM job_edge WHERE before_id = %(id)s AND vo = %(vo)s AND NOT met LIMIT %(most)s) AS waiting
        """,
        {"vo": vo, "id": job_id, "most": most},
    )

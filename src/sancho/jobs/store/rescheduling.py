"""SQL of jobs that are put back to their start: how often they were, and whether they still may be."""

from collections.abc import Sequence

from sancho.kit.db import Connection, execute, fetch_rows, fetch_value, fetch_values


async def keep_inputs(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """Keep input sets of these jobs as ready as they are until we commit. Call it before the jobs are locked."""
    await fetch_values(
        conn,
        """
        SELECT input_set_id FROM input_set
         WHERE vo = %(vo)s AND input_set_id IN (
               SELECT q.input_set_id
                 FROM job j JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
                WHERE j.job_id = ANY(%(ids)s) AND j.vo = %(vo)s AND q.input_set_id IS NOT NULL)
         ORDER BY 1 FOR KEY SHARE
        """,
        {"vo": vo, "ids": list(job_ids)},
    )


async def most(conn: Connection, vo: int) -> int:
    """How often a job of a VO may be put back to its start."""
    return await fetch_value(conn, "SELECT max_reschedules FROM vo WHERE vo = %(vo)s", {"vo": vo})


async def numbers(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, int]:
    """How often each of these jobs was put back to its start; those that never were are not named."""
    rows = await fetch_rows(
        conn,
        "SELECT job_id, number FROM reschedule WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s",
        {"vo": vo, "ids": list(job_ids)},
    )
    return dict(rows)


async def note(conn: Connection, vo: int, job_ids: Sequence[int], *, anew: bool) -> None:
    """Count that locked jobs are put back to their start, or begin to count anew."""
    await execute(
        conn,
        """
        INSERT INTO reschedule AS z (vo, number, attempts, job_id)
        SELECT vo, %(first)s, attempts, job_id FROM job WHERE job_id = ANY(%(ids)s) AND vo = %(vo)s ORDER BY job_id
        ON CONFLICT (job_id, vo) DO UPDATE
           SET number = CASE WHEN %(first)s = 0 THEN 0 ELSE z.number + 1 END, attempts = excluded.attempts, at = now()
        """,
        {"vo": vo, "ids": list(job_ids), "first": 0 if anew else 1},
    )


async def list_taken(conn: Connection, vo: int, promises: Sequence[tuple[int, int, str]]) -> dict[int, str]:
    """Of jobs that are to promise files (job, scope id, name): those that cannot, each with such a name.

    The name is that of a DID, or is promised by another job, one of these that has a lower id among them.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH wish AS MATERIALIZED (
            SELECT *
              FROM unnest(%(jobs)s::bigint[], %(scopes)s::int[], %(names)s::text[]) AS w (job_id, scope_id, name))
        SELECT w.job_id, min(s.name || ':' || w.name)
          FROM wish w JOIN scope s ON s.scope_id = w.scope_id AND s.vo = %(vo)s
         WHERE EXISTS (SELECT FROM did d WHERE d.scope_id = w.scope_id AND d.vo = %(vo)s AND d.name = w.name)
            OR EXISTS (SELECT FROM job_output o
                        WHERE o.scope_id = w.scope_id AND o.vo = %(vo)s AND o.name = w.name)
            OR EXISTS (SELECT FROM wish t
                        WHERE t.scope_id = w.scope_id AND t.name = w.name AND t.job_id < w.job_id)
         GROUP BY 1
        """,
        {
            "vo": vo, "jobs": [p[0] for p in promises], "scopes": [p[1] for p in promises],
            "names": [p[2] for p in promises],
        },
    )  # fmt: skip
    return dict(rows)

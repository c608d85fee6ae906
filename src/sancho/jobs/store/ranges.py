"""SQL of jobs that have no rows yet: they stand in ranges until something of their own happens.

Whoever takes members out of the middle of a range holds the row of its submission, so that pieces of it do not move
while others look for them. A match takes from the front, and holds the range alone. Lock order: submission, job_range,
waiting_job, job, attempt.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from sancho.jobs.model import JobState
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values


@dataclass(frozen=True, kw_only=True, slots=True)
class Moved:
    """A range that has another state now."""

    task_queue_id: int
    before: JobState
    first_id: int
    last_id: int


MEMBERS: LiteralString = """
    SELECT g.range_id, g.vo, g.state, 0::smallint AS attempts, g.task_queue_id, g.account_id,
           NULL::integer AS site_id, m.job_id, g.changed_at, g.submission_id, g.base_id,
           (m.job_id - g.base_id)::integer AS number,
           jsonb_build_object('number', m.job_id - g.base_id + 1) AS parameters, g.history, m.place
      FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS m (job_id, place)
     CROSS JOIN LATERAL (
           SELECT * FROM job_range r
            WHERE r.vo = %(vo)s AND r.first_id <= m.job_id ORDER BY r.first_id DESC LIMIT 1) g
     WHERE g.last_id >= m.job_id
"""
"""Of the jobs `ids`, in their `place`, those that have no row yet."""
JOBS: LiteralString = f"""
    SELECT NULL::bigint AS range_id, w.vo, w.state, w.attempts, w.task_queue_id, w.account_id, w.site_id, w.job_id,
           w.changed_at, p.submission_id, NULL::bigint AS base_id, p.number, p.parameters,
           NULL::jsonb AS history, m.place
      FROM unnest(%(ids)s::bigint[]) WITH ORDINALITY AS m (job_id, place)
      JOIN job w ON w.job_id = m.job_id AND w.vo = %(vo)s
      JOIN job_spec p ON p.job_id = w.job_id AND p.vo = w.vo
     UNION ALL
    {MEMBERS}
"""  # noqa: S608 - literals
"""Of the jobs `ids`, in their `place`, those that there are, whether they have rows or not."""
WRITTEN: LiteralString = """
    specs AS (
        INSERT INTO job_spec (vo, number, job_id, submission_id, parameters)
        SELECT vo, number, job_id, submission_id, jsonb_build_object('number', number + 1) FROM made),
    history AS (
        INSERT INTO job_history (vo, state, attempt, job_id, at, detail)
        SELECT m.vo, h.state::"char", 0, m.job_id, h.at, h.detail
          FROM made m
         CROSS JOIN LATERAL jsonb_to_recordset(m.history) AS h (state text, at timestamptz, detail text)),
"""
"""What is written of the jobs that were `made` of a range, beside `job` and the queue."""


async def insert(conn: Connection, vo: int, number: int, *, said: Mapping[str, Any]) -> int | None:
    """Reserve ids for so many jobs, which wait in one range; return the first, None while that cannot be.

    `said`: account_id, submission_id, task_queue_id.
    """
    first_id = await fetch_value(conn, "SELECT reserve_jobs(%(number)s::int)", {"number": number})
    if first_id is not None:
        await execute(
            conn,
            """
            WITH reserved AS (
                UPDATE submission SET first_id = %(first)s WHERE submission_id = %(submission_id)s AND vo = %(vo)s)
            INSERT INTO job_range (vo, state, task_queue_id, account_id, submission_id, base_id, first_id, last_id,
                                   history)
            SELECT %(vo)s, 'W', %(task_queue_id)s, %(account_id)s, %(submission_id)s, %(first)s, %(first)s,
                   %(first)s + %(number)s - 1,
                   jsonb_build_array(jsonb_build_object('state', 'W', 'at', clock_timestamp()))
            """,
            {"vo": vo, "first": first_id, "number": number, **said},
        )
    return first_id


async def lock_submissions(conn: Connection, vo: int, submission_ids: Iterable[int]) -> None:
    """Let nobody take pieces out of ranges of these submissions before us; then look for the ranges anew."""
    await fetch_values(
        conn,
        """
        SELECT submission_id FROM submission
         WHERE submission_id = ANY(%(ids)s::bigint[]) AND vo = %(vo)s ORDER BY 1 FOR NO KEY UPDATE
        """,
        {"vo": vo, "ids": sorted(set(submission_ids))},
    )


async def lock(conn: Connection, vo: int, range_ids: Iterable[int]) -> None:
    """Lock ranges, of submissions that are locked: no match takes members of them before us."""
    await fetch_values(
        conn,
        """
        SELECT range_id FROM job_range WHERE range_id = ANY(%(ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY 1 FOR NO KEY UPDATE
        """,
        {"vo": vo, "ids": sorted(set(range_ids))},
    )


async def of_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> dict[int, int]:
    """The ranges that these jobs are in, and the submission of each."""
    rows = await fetch_rows(
        conn,
        """
        SELECT DISTINCT g.range_id, g.submission_id
          FROM unnest(%(ids)s::bigint[]) AS m (job_id)
         CROSS JOIN LATERAL (
               SELECT * FROM job_range r
                WHERE r.vo = %(vo)s AND r.first_id <= m.job_id ORDER BY r.first_id DESC LIMIT 1) g
         WHERE g.last_id >= m.job_id
        """,
        {"vo": vo, "ids": list(job_ids)},
    )
    return dict(rows)


WRITE: LiteralString = f"""
    WITH made AS MATERIALIZED ({MEMBERS}),
    gone AS MATERIALIZED (
        SELECT range_id, range_agg(int8range(job_id, job_id + 1)) AS ids FROM made GROUP BY range_id),
    piece AS MATERIALIZED (
        SELECT g.*, lower(p) AS lowest, upper(p) - 1 AS highest, row_number() OVER (PARTITION BY g.range_id) AS n
          FROM gone JOIN job_range g ON g.range_id = gone.range_id AND g.vo = %(vo)s
         CROSS JOIN LATERAL unnest(int8multirange(int8range(g.first_id, g.last_id + 1)) - gone.ids) AS p),
    shorter AS (
        UPDATE job_range g SET first_id = p.lowest, last_id = p.highest
          FROM piece p WHERE g.range_id = p.range_id AND g.vo = %(vo)s AND p.n = 1),
    more AS (
        INSERT INTO job_range (vo, state, task_queue_id, account_id, submission_id, base_id, first_id, last_id,
                               changed_at, history)
        SELECT vo, state, task_queue_id, account_id, submission_id, base_id, lowest, highest, changed_at, history
          FROM piece WHERE n > 1),
    empty AS (
        DELETE FROM job_range
         WHERE range_id IN (SELECT range_id FROM gone EXCEPT SELECT range_id FROM piece) AND vo = %(vo)s),
    jobs AS (
        INSERT INTO job (vo, state, task_queue_id, account_id, job_id, changed_at) OVERRIDING SYSTEM VALUE
        SELECT vo, state, task_queue_id, account_id, job_id, changed_at FROM made),
    {WRITTEN}
    waiting AS (
        INSERT INTO waiting_job (vo, priority, task_queue_id, job_id)
        SELECT m.vo, -q.priority, m.task_queue_id, m.job_id
          FROM made m JOIN task_queue q ON q.task_queue_id = m.task_queue_id AND q.vo = m.vo
         WHERE m.state = 'W')
    SELECT count(*) FROM made
    """  # noqa: S608 - literals


async def write(conn: Connection, vo: int, job_ids: Sequence[int]) -> int:
    """Write rows of these jobs, as far as they have none, as if they had been written at submission; say how many.

    Lock their ranges before.
    """
    return await fetch_value(conn, WRITE, {"vo": vo, "ids": sorted(set(job_ids))})


async def move(
    conn: Connection, vo: int, range_ids: Iterable[int], before: Collection[JobState], state: JobState, *, detail: str
) -> list[Moved]:
    """Put those of these locked ranges that are in one of some states into another; return them in order."""
    moved = await fetch(
        conn,
        Moved,
        """
        UPDATE job_range g
           SET state = %(state)s::"char", changed_at = now(),
               history = g.history || jsonb_build_object(
                   'state', %(state)s::"char"::text, 'at', clock_timestamp(), 'detail', %(detail)s::text)
          FROM job_range o
         WHERE g.range_id = ANY(%(ids)s::bigint[]) AND g.vo = %(vo)s AND g.state::text = ANY(%(before)s::text[])
           AND o.range_id = g.range_id AND o.vo = g.vo
        RETURNING g.task_queue_id, o.state AS before, g.first_id, g.last_id
        """,
        {
            "vo": vo, "ids": sorted(set(range_ids)), "state": state.value, "detail": detail,
            "before": [one.value for one in before],
        },
    )  # fmt: skip
    return sorted(moved, key=lambda one: one.first_id)


async def owners(conn: Connection, vo: int, range_ids: Iterable[int]) -> dict[int, tuple[int, str]]:
    """The account of each of these ranges, and its name."""
    rows = await fetch_rows(
        conn,
        """
        SELECT g.range_id, g.account_id, a.name
          FROM job_range g JOIN account a ON a.account_id = g.account_id AND a.vo = g.vo
         WHERE g.range_id = ANY(%(ids)s::bigint[]) AND g.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(range_ids)},
    )
    return {row[0]: (row[1], row[2]) for row in rows}


async def there_are(conn: Connection, vo: int) -> bool:
    """Whether a VO has any jobs that have no rows."""
    return await fetch_value(conn, "SELECT EXISTS (SELECT FROM job_range WHERE vo = %(vo)s)", {"vo": vo})

"""SQL that shows jobs to people, to pilots and to `service`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sancho.jobs.model import AttemptState, JobState
from sancho.jobs.store.ranges import JOBS, MEMBERS
from sancho.kit.db import Connection, fetch, fetch_rows, fetch_value, find


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """A job as lists show it."""

    job_id: int
    name: str
    state: JobState
    account: str
    account_id: int
    site: str | None
    attempts: int
    submission_id: int
    number: int
    submitted_at: datetime
    changed_at: datetime
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class AttemptRow:
    """An attempt as `job show` shows it; `wall` and `cpu` are what the payload used."""

    attempt_id: int
    number: int
    state: AttemptState
    site: str
    pilot_id: int
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    wall: timedelta | None
    cpu: timedelta | None
    max_memory: int | None
    detail: str | None


@dataclass(frozen=True, kw_only=True)
class Transition:
    """One line of a job's history; with a `source` it is what was reported, and the state that the job had then."""

    state: JobState
    at: datetime
    attempt: int
    site: str | None
    detail: str | None
    source: str | None = None
    minor: str | None = None
    application: str | None = None
    asked: str | None = None


@dataclass(frozen=True, kw_only=True)
class LogTail:
    """The last part of what an attempt printed; `log_size` is how much it printed in all."""

    attempt: int
    state: AttemptState
    tail: str
    log_size: int
    sandbox: bytes | None


@dataclass(frozen=True, kw_only=True)
class SpecRow:
    """What a job is to compute, as it was submitted."""

    job_id: int
    account_id: int
    account: str
    number: int
    submission_id: int
    description: Mapping[str, Any]
    parameters: Mapping[str, Any]
    traceparent: str | None
    state: JobState
    attempts: int
    input_set_id: int | None


async def list_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[JobRow]:
    """Jobs, in the order of their ids as they are given; an id of no job is left out."""
    return await fetch(
        conn,
        JobRow,
        f"""
        SELECT j.job_id, s.name, j.state, a.name AS account, j.account_id, r.name AS site,
               j.attempts, s.submission_id, j.number, s.submitted_at, j.changed_at,
               CASE WHEN j.history IS NOT NULL THEN j.history -> -1 ->> 'detail' ELSE (
                   SELECT h.detail FROM job_history h WHERE h.job_id = j.job_id AND h.vo = j.vo
                      AND h.at >= s.submitted_at AND h.source IS NULL ORDER BY h.at DESC LIMIT 1) END AS detail
          FROM ({JOBS}) AS j
          JOIN submission s ON s.submission_id = j.submission_id AND s.vo = j.vo
          JOIN account a ON a.account_id = j.account_id AND a.vo = j.vo
          LEFT JOIN resource r ON r.resource_id = j.site_id
         ORDER BY j.place
        """,  # noqa: S608 - literals
        {"vo": vo, "ids": list(job_ids)},
    )


async def find_spec(conn: Connection, vo: int, job_id: int) -> SpecRow | None:
    """What a job is to compute."""
    specs = await list_specs(conn, vo, [job_id])
    return specs[0] if specs else None


async def list_specs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[SpecRow]:
    """What these jobs are to compute, in order of their ids."""
    return await fetch(
        conn,
        SpecRow,
        f"""
        SELECT j.job_id, j.account_id, a.name AS account, j.number, j.submission_id, s.description,
               coalesce(j.parameters, '{{}}') AS parameters, s.traceparent, j.state, j.attempts, q.input_set_id
          FROM ({JOBS}) AS j
          JOIN account a ON a.account_id = j.account_id AND a.vo = j.vo
          JOIN submission s ON s.submission_id = j.submission_id AND s.vo = j.vo
          JOIN task_queue q ON q.task_queue_id = j.task_queue_id AND q.vo = j.vo
         ORDER BY j.job_id
        """,  # noqa: S608 - literals
        {"vo": vo, "ids": sorted(set(job_ids))},
    )


async def traceparent(conn: Connection, vo: int, attempt_id: int) -> str | None:
    """The trace of the request that submitted an attempt's job."""
    return await fetch_value(
        conn,
        """
        SELECT s.traceparent
          FROM attempt a
          JOIN job_spec p ON p.job_id = a.job_id AND p.vo = a.vo
          JOIN submission s ON s.submission_id = p.submission_id AND s.vo = p.vo
         WHERE a.attempt_id = %(id)s AND a.vo = %(vo)s
        """,
        {"vo": vo, "id": attempt_id},
    )


async def history(conn: Connection, vo: int, job_id: int) -> list[Transition]:
    """Every state a job has been in, and all that was reported of it, in order of their times."""
    return await fetch(
        conn,
        Transition,
        f"""
        SELECT h.state, h.at, h.attempt, r.name AS site, h.detail, h.source, h.minor, h.application, h.asked
          FROM job_history h LEFT JOIN resource r ON r.resource_id = h.site_id
         WHERE h.job_id = %(job_id)s AND h.vo = %(vo)s
         UNION ALL
        SELECT h.state::"char", h.at, 0, NULL, h.detail, NULL, NULL, NULL, NULL
          FROM ({MEMBERS}) AS j
         CROSS JOIN LATERAL jsonb_to_recordset(j.history) AS h (state text, at timestamptz, detail text)
         ORDER BY at
        """,  # noqa: S608 - literals
        {"vo": vo, "job_id": job_id, "ids": [job_id]},
    )


async def attempts(conn: Connection, vo: int, job_id: int) -> list[AttemptRow]:
    """A job's attempts, in order."""
    return await fetch(
        conn,
        AttemptRow,
        """
        SELECT a.attempt_id, a.number, a.state, r.name AS site, a.pilot_id, a.started_at, a.ended_at,
               d.exit_code, d.wall, d.cpu, d.max_memory, d.detail
          FROM attempt a JOIN resource r ON r.resource_id = a.site_id
          LEFT JOIN attempt_detail d ON d.attempt_id = a.attempt_id AND d.vo = a.vo
         WHERE a.job_id = %(job_id)s AND a.vo = %(vo)s ORDER BY a.number
        """,
        {"vo": vo, "job_id": job_id},
    )


async def outputs(conn: Connection, vo: int, job_id: int) -> list[tuple[Any, ...]]:
    """A job's promised outputs: (number, did, dataset, did_id or None)."""
    return await fetch_rows(
        conn,
        """
        SELECT o.number, s.name || ':' || o.name, ds.name || ':' || d.name, o.did_id, o.scope_id, o.name, o.dataset_id
          FROM job_output o
          JOIN scope s ON s.scope_id = o.scope_id AND s.vo = o.vo
          LEFT JOIN did d ON d.did_id = o.dataset_id AND d.vo = o.vo
          LEFT JOIN scope ds ON ds.scope_id = d.scope_id AND ds.vo = d.vo
         WHERE o.job_id = %(job_id)s AND o.vo = %(vo)s ORDER BY o.number
        """,
        {"vo": vo, "job_id": job_id},
    )


async def log_tail(conn: Connection, vo: int, job_id: int, number: int | None) -> LogTail | None:
    """What an attempt (the latest unless said) printed last; None before the first attempt."""
    return await find(
        conn,
        LogTail,
        """
        SELECT a.number AS attempt, a.state, coalesce(d.tail, '') AS tail, coalesce(d.log_size, 0) AS log_size,
               d.sandbox
          FROM attempt a LEFT JOIN attempt_detail d ON d.attempt_id = a.attempt_id AND d.vo = a.vo
         WHERE a.job_id = %(job_id)s AND a.vo = %(vo)s AND (%(number)s::smallint IS NULL OR a.number = %(number)s)
         ORDER BY a.number DESC LIMIT 1
        """,
        {"vo": vo, "job_id": job_id, "number": number},
    )


async def obstacle(conn: Connection, vo: int, input_set_id: int) -> str | None:
    """What was last found to keep a set of inputs from being ready, in words; None before it was looked at."""
    return await fetch_value(
        conn,
        "SELECT detail FROM input_set WHERE input_set_id = %(id)s AND vo = %(vo)s",
        {"vo": vo, "id": input_set_id},
    )


async def unavailable(
    conn: Connection, vo: int, input_set_id: int, attempt_id: int | None = None
) -> tuple[int, int, int]:
    """How many files of a set that was ready have no available replica, how many it has, and how many are enough.

    Of an attempt that was given a part of them, that part is looked at.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT count(*) FILTER (WHERE NOT EXISTS (
                   SELECT FROM replica r WHERE r.did_id = i.did_id AND r.vo = i.vo AND r.state = 'A'
                      AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape)))), count(*),
               coalesce((SELECT s.least FROM input_set s WHERE s.input_set_id = %(id)s AND s.vo = %(vo)s), count(*))
          FROM input_set_did i
         WHERE i.input_set_id = %(id)s AND i.vo = %(vo)s
           AND (NOT EXISTS (SELECT FROM attempt_input g WHERE g.attempt_id = %(attempt_id)s AND g.vo = %(vo)s)
                OR EXISTS (SELECT FROM attempt_input g
                            WHERE g.attempt_id = %(attempt_id)s AND g.vo = %(vo)s AND g.did_id = i.did_id))
        """,
        {"vo": vo, "id": input_set_id, "attempt_id": attempt_id},
    )
    return rows[0][0], rows[0][1], rows[0][2]


async def producers(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, int]:
    """The job that made each of these files, where one did."""
    rows = await fetch_rows(
        conn,
        """
        SELECT p.did_id, a.job_id FROM provenance p JOIN attempt a ON a.attempt_id = p.attempt_id AND a.vo = p.vo
         WHERE p.did_id = ANY(%(ids)s) AND p.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(did_ids)},
    )
    return {row[0]: row[1] for row in rows}

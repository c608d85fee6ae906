"""SQL that gives a waiting job to a pilot. Lock order: job_range, waiting_job, job, attempt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, LiteralString

from sancho.jobs.model import Started
from sancho.jobs.store.ranges import WRITTEN
from sancho.kit.db import Connection, Database, fetch_rows, find

AHEAD = 16
"""Members of a range that are written when one is matched: so matches of one queue seldom wait for each other."""
CLAIM: LiteralString = """
    WITH picked AS MATERIALIZED (
        SELECT w.vo, w.task_queue_id, w.priority, w.job_id, w.range_id, q.has_inputs, q.way, q.cores
          FROM (CHOICE) AS q
         CROSS JOIN LATERAL (
               SELECT o.*, NULL::bigint AS range_id
                 FROM (SELECT w.* FROM waiting_job w
                        WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo
                        ORDER BY w.priority, w.job_id LIMIT 1 FOR UPDATE SKIP LOCKED) o
                UNION ALL
               (SELECT g.vo, NULL, g.task_queue_id, g.first_id, g.range_id FROM job_range g
                 WHERE g.task_queue_id = q.task_queue_id AND g.vo = q.vo AND g.state = 'W'
                 ORDER BY g.first_id LIMIT 1)
                ORDER BY job_id LIMIT 1) w
         LIMIT 1),
    claimed AS (
        DELETE FROM waiting_job w USING picked p
         WHERE w.task_queue_id = p.task_queue_id AND w.vo = p.vo AND w.priority = p.priority AND w.job_id = p.job_id
        RETURNING w.vo, w.task_queue_id, w.job_id),
    matched AS (
        UPDATE job SET state = 'M', attempts = attempts + 1, site_id = %(site_id)s::int, changed_at = now()
          FROM claimed c WHERE job.job_id = c.job_id AND job.vo = c.vo AND job.state = 'W'
        RETURNING job.vo, job.job_id, job.attempts, c.task_queue_id),
    attempted AS (
        INSERT INTO attempt (vo, state, number, way, site_id, cores, job_id, pilot_id)
        SELECT m.vo, 'M', m.attempts, p.way, %(site_id)s::int, p.cores, m.job_id, %(pilot_id)s::bigint
          FROM matched m CROSS JOIN picked p
        RETURNING vo, job_id, attempt_id, number),
    noted AS (
        INSERT INTO job_history (vo, state, attempt, site_id, job_id)
        SELECT vo, 'M', attempts, %(site_id)s::int, job_id FROM matched),
    counted AS (
        INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting)
        SELECT vo, pg_backend_pid() %% 16, task_queue_id, -1 FROM claimed
        ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting - 1)
    SELECT a.vo, vo.name AS vo_name, k.task_queue_id, a.job_id, a.attempt_id, a.number, k.way, k.cores, s.description,
           coalesce(p.parameters, '{}') AS parameters, s.traceparent, k.has_inputs, k.vo AS at, k.range_id
      FROM picked k
      JOINED attempted a ON true
      LEFT JOIN vo ON vo.vo = a.vo
      LEFT JOIN job_spec p ON p.job_id = a.job_id AND p.vo = a.vo
      LEFT JOIN submission s ON s.submission_id = p.submission_id AND s.vo = p.vo
"""
CLAIM_OF_RANGE: LiteralString = f"""
    WITH held AS MATERIALIZED (
        SELECT * FROM job_range
         WHERE range_id = %(range_id)s AND vo = %(vo)s AND state = 'W' FOR NO KEY UPDATE),
    made AS MATERIALIZED (
        SELECT h.*, n AS job_id, (n - base_id)::integer AS number, n = first_id AS taken
          FROM held h CROSS JOIN LATERAL generate_series(first_id, least(first_id + %(ahead)s - 1, last_id)) AS n),
    shorter AS (
        UPDATE job_range g SET first_id = h.first_id + %(ahead)s FROM held h
         WHERE g.range_id = h.range_id AND g.vo = h.vo AND h.first_id + %(ahead)s <= h.last_id),
    empty AS (
        DELETE FROM job_range g USING held h
         WHERE g.range_id = h.range_id AND g.vo = h.vo AND h.first_id + %(ahead)s > h.last_id),
    jobs AS (
        INSERT INTO job (vo, state, attempts, task_queue_id, account_id, site_id, job_id, changed_at)
               OVERRIDING SYSTEM VALUE
        SELECT vo, CASE WHEN taken THEN 'M'::"char" ELSE 'W' END, taken::int, task_queue_id, account_id,
               CASE WHEN taken THEN %(site_id)s::int END, job_id, CASE WHEN taken THEN now() ELSE changed_at END
          FROM made),
    {WRITTEN}
    waiting AS (
        INSERT INTO waiting_job (vo, priority, task_queue_id, job_id)
        SELECT m.vo, -q.priority, m.task_queue_id, m.job_id
          FROM made m JOIN task_queue q ON q.task_queue_id = m.task_queue_id AND q.vo = m.vo
         WHERE NOT m.taken),
    attempted AS (
        INSERT INTO attempt (vo, state, number, way, site_id, cores, job_id, pilot_id)
        SELECT vo, 'M', 1, %(way)s, %(site_id)s, %(cores)s, job_id, %(pilot_id)s FROM made WHERE taken
        RETURNING vo, job_id, attempt_id, number),
    noted AS (
        INSERT INTO job_history (vo, state, attempt, site_id, job_id)
        SELECT vo, 'M', 1, %(site_id)s, job_id FROM made WHERE taken),
    counted AS (
        INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting)
        SELECT vo, pg_backend_pid() %% 16, task_queue_id, -1 FROM made WHERE taken
        ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting - 1)
    SELECT a.vo, vo.name AS vo_name, m.task_queue_id, a.job_id, a.attempt_id, a.number, %(way)s::smallint AS way,
           %(cores)s::int AS cores, s.description, jsonb_build_object('number', m.number + 1) AS parameters,
           s.traceparent, %(has_inputs)s::boolean AS has_inputs
      FROM attempted a
      JOIN made m ON m.taken
      JOIN vo ON vo.vo = a.vo
      JOIN submission s ON s.submission_id = m.submission_id AND s.vo = m.vo
    """  # noqa: S608 - literals


@cache
def _claim_of(choice: LiteralString, joined: LiteralString) -> LiteralString:
    """The claim of what a query chooses, made short: psycopg remembers how it read a text of up to 4 kB."""
    return " ".join(CLAIM.replace("CHOICE", choice).replace("JOINED", joined).split())


async def claim_at_once(
    database: Database, vos: Iterable[int], choice: LiteralString, params: Mapping[str, Any], *, first: LiteralString
) -> Started | None:
    """As `claim`, in a transaction of its own that others may share, behind a `first` query (`Database.glance`).

    `params` have `pilot_id` and `site_id`, too. None, and nothing is done, also when a job could be had that has no
    row yet.
    """
    return await database.glance(vos, Started, _claim_of(choice, "JOIN"), params, first=first)


async def claim(
    conn: Connection, choice: LiteralString, params: Mapping[str, Any], *, pilot_id: int, site_id: int
) -> "Started | Ranged | None":
    """Give a pilot the first waiting job of the first queue that has one; None when all are empty.

    `choice` is a query, with its parameters, for the queues (vo, task_queue_id, has_inputs, way, cores) in order; it is
    read as far as needed.
    One statement: the queue row goes, the job and its new attempt are matched, history and counters follow, and what
    the job is to compute is read. A job that was killed while we waited for it is passed over. When the job has no row
    yet, nothing is done: `claim_of_range` gives one of its range.
    """
    given = {**params, "pilot_id": pilot_id, "site_id": site_id}
    rows = await fetch_rows(conn, _claim_of(choice, "LEFT JOIN"), given)
    if not rows:
        return None
    row = rows[0]
    if row[4] is not None:
        return Started(
            vo=row[0], vo_name=row[1], task_queue_id=row[2], job_id=row[3], attempt_id=row[4], number=row[5],
            way=row[6], cores=row[7], description=row[8], parameters=row[9], traceparent=row[10], has_inputs=row[11],
        )  # fmt: skip
    if row[13] is None:
        return None
    return Ranged(vo=row[12], range_id=row[13], way=row[6], cores=row[7], has_inputs=row[11])


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranged:
    """A range whose first member is next, and how it is to run."""

    vo: int
    range_id: int
    way: int
    cores: int
    has_inputs: bool


async def claim_of_range(conn: Connection, found: Ranged, *, pilot_id: int, site_id: int) -> Started | None:
    """Give a pilot the first member of a range; None when there is none any more.

    Its row is written as matched, and rows of the few that follow it as waiting. Whoever claims of the same range
    meanwhile waits.
    """
    return await find(
        conn,
        Started,
        CLAIM_OF_RANGE,
        {
            "vo": found.vo, "range_id": found.range_id, "way": found.way, "cores": found.cores,
            "has_inputs": found.has_inputs, "pilot_id": pilot_id, "site_id": site_id, "ahead": AHEAD,
        },
    )  # fmt: skip

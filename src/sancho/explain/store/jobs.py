"""What explanations of jobs and pilots ask of the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString, NamedTuple

from sancho.kit.db import Connection, fetch_rows, find

COUNTED = 10_000
"""Jobs before one that are counted."""
SAMPLED = 2000
"""Things that happened of late that are looked at, the newest ones."""
TOLD = 8
"""Missing files that are told."""

FILES: LiteralString = """
    WITH RECURSIVE wanted AS (
        SELECT ready, roots FROM input_set WHERE input_set_id = %(id)s AND vo = %(vo)s),
    below (did_id) AS (
        SELECT unnest(roots) FROM wanted WHERE NOT ready
         UNION
        SELECT a.child_id FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s),
    file (did_id) AS (
        SELECT i.did_id FROM input_set_did i JOIN wanted ON wanted.ready
         WHERE i.input_set_id = %(id)s AND i.vo = %(vo)s
         UNION ALL
        SELECT d.did_id FROM below JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s AND d.kind = 'F'),
    missing (did_id) AS MATERIALIZED (
        SELECT f.did_id FROM file f
         WHERE NOT EXISTS (SELECT FROM replica r WHERE r.did_id = f.did_id AND r.vo = %(vo)s AND r.state = 'A'
                              AND r.rse_id <> ALL (ARRAY(SELECT t.rse_id FROM rse t WHERE t.tape))))
"""
"""The files of an input set, and those that are nowhere available."""


class JobFacts(NamedTuple):
    """Where a job stands."""

    task_queue_id: int
    suspended: bool
    site: str | None
    detail: str | None


class InputFacts(NamedTuple):
    """How an input set is."""

    detail: str | None
    files: int
    size: int
    missing: int
    on_tape: int
    """Those of them that a tape has."""
    least: int | None
    """How many files are enough; None: all."""


class PilotFacts(NamedTuple):
    """A pilot, and whose its CE is."""

    pilot_id: int
    stamp: str
    state: str
    ce_id: int
    ce: str
    site: str
    created_at: datetime
    ended_at: datetime | None
    last_beat: datetime | None
    detail: str | None


async def job_facts(conn: Connection, vo: int, job_id: int) -> JobFacts | None:
    """Where a job stands."""
    return await find(
        conn,
        JobFacts,
        """
        SELECT j.task_queue_id, a.state <> 'A' AS suspended, r.name AS site,
               (SELECT h.detail FROM job_history h
                 WHERE h.job_id = j.job_id AND h.vo = j.vo AND h.detail IS NOT NULL
                 ORDER BY h.at DESC LIMIT 1) AS detail
          FROM job j
          JOIN account a ON a.account_id = j.account_id AND a.vo = j.vo
          LEFT JOIN resource r ON r.resource_id = j.site_id
         WHERE j.job_id = %(job_id)s AND j.vo = %(vo)s
         UNION ALL
        SELECT g.task_queue_id, a.state <> 'A', NULL, g.history -> -1 ->> 'detail'
          FROM job_range g
          JOIN account a ON a.account_id = g.account_id AND a.vo = g.vo
         WHERE g.first_id <= %(job_id)s AND g.last_id >= %(job_id)s AND g.vo = %(vo)s
        """,
        {"vo": vo, "job_id": job_id},
    )


async def jobs_before(conn: Connection, vo: int, task_queue_id: int, job_id: int) -> int:
    """How many jobs of a queue go before one of its jobs, counted as far as `COUNTED` and one more."""
    rows = await fetch_rows(
        conn,
        """
        SELECT least(%(most)s, count(*) + (
                   SELECT coalesce(sum(least(g.last_id + 1, %(job_id)s) - g.first_id), 0) FROM job_range g
                    WHERE g.task_queue_id = %(queue)s AND g.vo = %(vo)s AND g.state = 'W'
                      AND g.first_id < %(job_id)s))::bigint
          FROM (
            SELECT FROM waiting_job w
              JOIN task_queue q ON q.task_queue_id = w.task_queue_id AND q.vo = w.vo AND w.priority = -q.priority
             WHERE w.task_queue_id = %(queue)s AND w.vo = %(vo)s AND w.job_id < %(job_id)s
             LIMIT %(most)s) AS before
        """,
        {"vo": vo, "queue": task_queue_id, "job_id": job_id, "most": COUNTED + 1},
    )
    return rows[0][0]


async def input_facts(conn: Connection, vo: int, input_set_id: int) -> InputFacts | None:
    """How an input set is, and how many of its files are nowhere available."""
    return await find(
        conn,
        InputFacts,
        FILES  # noqa: S608 - literals
        + """
        SELECT s.detail, (SELECT count(*) FROM file)::int AS files,
               (SELECT coalesce(sum(d.size), 0)::bigint
                  FROM file f JOIN did d ON d.did_id = f.did_id AND d.vo = %(vo)s) AS size,
               (SELECT count(*) FROM missing)::int AS missing,
               (SELECT count(*) FROM missing m WHERE EXISTS (
                       SELECT FROM replica r JOIN rse t ON t.rse_id = r.rse_id AND t.tape
                        WHERE r.did_id = m.did_id AND r.vo = %(vo)s AND r.state = 'A'))::int AS on_tape, s.least
          FROM input_set s WHERE s.input_set_id = %(id)s AND s.vo = %(vo)s
        """,
        {"vo": vo, "id": input_set_id},
    )


async def input_names(conn: Connection, vo: int, input_set_id: int, limit: int) -> dict[int, str]:
    """The first DIDs by whose names a job wants its inputs."""
    return dict(
        await fetch_rows(
            conn,
            """
            SELECT d.did_id, s.name || ':' || d.name
              FROM input_set i CROSS JOIN unnest(i.roots) AS root
              JOIN did d ON d.did_id = root AND d.vo = i.vo
              JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
             WHERE i.input_set_id = %(id)s AND i.vo = %(vo)s ORDER BY 1 LIMIT %(limit)s
            """,
            {"vo": vo, "id": input_set_id, "limit": limit},
        )
    )


class Arriving(NamedTuple):
    """What is still to come of an input set: bytes, files that nothing brings, bytes that came there of late."""

    size: int
    unasked: int
    moved: int
    first: datetime | None


async def arriving(conn: Connection, vo: int, input_set_id: int, looked: timedelta) -> Arriving:
    """What is still to come of an input set, and how much of late came to where it goes."""
    rows = await fetch_rows(
        conn,
        FILES  # noqa: S608 - literals
        + """
        , asked AS MATERIALIZED (
            SELECT m.did_id, r.rse_id FROM missing m
             CROSS JOIN LATERAL (
                   SELECT q.rse_id FROM transfer_request q
                    WHERE q.did_id = m.did_id AND q.vo = %(vo)s AND q.state IN ('W', 'A') LIMIT 1) r),
        came AS MATERIALIZED (
            SELECT l.size, l.at FROM ledger l
             WHERE l.vo = %(vo)s AND l.kind = 'T' AND l.at > now() - %(looked)s::interval
               AND l.rse_id = ANY(ARRAY(SELECT DISTINCT rse_id FROM asked))
             ORDER BY l.at DESC LIMIT %(most)s)
        SELECT (SELECT coalesce(sum(d.size), 0)::bigint FROM missing m
                  JOIN did d ON d.did_id = m.did_id AND d.vo = %(vo)s) AS size,
               (SELECT count(*) FROM missing)::int - (SELECT count(*) FROM asked)::int AS unasked,
               (SELECT coalesce(sum(size), 0)::bigint FROM came) AS moved, (SELECT min(at) FROM came) AS first
        """,
        {"vo": vo, "id": input_set_id, "looked": looked, "most": SAMPLED},
    )
    return Arriving._make(rows[0])


class Began(NamedTuple):
    """What began of late in a VO, as far as it was looked at: of a queue, and of its owner."""

    since: datetime | None
    """When the first of what was looked at began, where that was not all."""
    queue: int
    queue_first: datetime | None
    queue_ended: int
    owner: int
    owner_first: datetime | None
    owner_ended: int


async def began(conn: Connection, vo: int, task_queue_id: int, looked: timedelta) -> Began:
    """What of a queue and of its owner began of late, among the newest attempts of the VO."""
    rows = await fetch_rows(
        conn,
        """
        SELECT CASE WHEN count(*) = %(most)s THEN min(a.started_at) END,
               count(*) FILTER (WHERE o.task_queue_id = q.task_queue_id),
               min(a.started_at) FILTER (WHERE o.task_queue_id = q.task_queue_id),
               count(a.ended_at) FILTER (WHERE o.task_queue_id = q.task_queue_id),
               count(o.vo), min(a.started_at) FILTER (WHERE o.vo IS NOT NULL),
               count(a.ended_at) FILTER (WHERE o.vo IS NOT NULL)
          FROM (SELECT a.job_id, a.started_at, a.ended_at FROM attempt a
                 WHERE a.vo = %(vo)s AND a.started_at > now() - %(looked)s::interval
                 ORDER BY a.started_at DESC LIMIT %(most)s) a
          JOIN job j ON j.job_id = a.job_id AND j.vo = %(vo)s
          JOIN task_queue q ON q.task_queue_id = %(queue)s AND q.vo = %(vo)s
          LEFT JOIN task_queue o ON o.task_queue_id = j.task_queue_id AND o.vo = j.vo
                                AND o.account_id = q.account_id AND o.group_id = q.group_id
        """,
        {"vo": vo, "queue": task_queue_id, "looked": looked, "most": SAMPLED},
    )
    return Began._make(rows[0])


async def missing_files(
    conn: Connection, vo: int, input_set_id: int
) -> list[tuple[str, list[tuple[str, str]], list[str]]]:
    """The first files that are nowhere available: (DID, replicas as (RSE, letter of the state), transfers in words)."""
    rows = await fetch_rows(
        conn,
        FILES  # noqa: S608 - literals
        + """
        SELECT s.name || ':' || d.name,
               (SELECT array_agg(e.name || CASE WHEN e.tape THEN ' (tape)' ELSE '' END ORDER BY e.name)
                  FROM replica r JOIN rse e ON e.rse_id = r.rse_id
                 WHERE r.did_id = d.did_id AND r.vo = %(vo)s),
               (SELECT array_agg(r.state::text ORDER BY e.name) FROM replica r JOIN rse e ON e.rse_id = r.rse_id
                 WHERE r.did_id = d.did_id AND r.vo = %(vo)s),
               (SELECT array_agg(CASE WHEN q.activity = 'recall' THEN 'being recalled ' ELSE '' END || 'to ' || e.name
                                  || CASE WHEN q.activity = 'recall' AND q.state = 'W'
                                          THEN format(', number %%s of those that wait', (
                                               SELECT count(*) FROM transfer_request b
                                                WHERE b.vo = %(vo)s AND b.activity = 'recall' AND b.state = 'W'
                                                  AND b.request_id <= q.request_id)) ELSE '' END
                                  || coalesce(': ' || q.error, '') ORDER BY e.name)
                  FROM transfer_request q JOIN rse e ON e.rse_id = q.rse_id
                 WHERE q.did_id = d.did_id AND q.vo = %(vo)s)
          FROM (SELECT did_id FROM missing ORDER BY did_id LIMIT %(told)s) AS m
          JOIN did d ON d.did_id = m.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         ORDER BY d.did_id
        """,
        {"vo": vo, "id": input_set_id, "told": TOLD},
    )
    return [
        (did, list(zip(rses or (), states or (), strict=True)), list(transfers or ()))
        for did, rses, states, transfers in rows
    ]


async def rses_with_all_missing(conn: Connection, vo: int, input_set_id: int) -> list[str]:
    """RSEs that have a replica, for a time not available, of each file that is nowhere available."""
    rows = await fetch_rows(
        conn,
        FILES  # noqa: S608 - literals
        + """
        SELECT e.name
          FROM missing m
          JOIN replica r ON r.did_id = m.did_id AND r.vo = %(vo)s AND r.state = 'T'
          JOIN rse e ON e.rse_id = r.rse_id
         GROUP BY e.name HAVING count(*) = (SELECT count(*) FROM missing)
         ORDER BY e.name
        """,
        {"vo": vo, "id": input_set_id},
    )
    return [name for (name,) in rows]


async def pilots_of_ces(conn: Connection, vo: int, ce_ids: Sequence[int]) -> dict[int, tuple[int, int, int, int]]:
    """How many pilots CEs have, those with an open attempt of a VO among them, how many they may have, and to come."""
    rows = await fetch_rows(
        conn,
        """
        SELECT ce.ce_id, count(p.pilot_id), count(p.pilot_id) FILTER (WHERE EXISTS (
                   SELECT FROM attempt a WHERE a.pilot_id = p.pilot_id AND a.vo = %(vo)s AND a.ended_at IS NULL)),
               ce.max_pilots, count(p.pilot_id) FILTER (WHERE p.state IN ('N', 'S'))
          FROM compute_element ce
          LEFT JOIN pilot p ON p.ce_id = ce.ce_id AND p.ended_at IS NULL
         WHERE ce.ce_id = ANY(%(ce_ids)s::int[])
         GROUP BY ce.ce_id
        """,
        {"vo": vo, "ce_ids": list(ce_ids)},
    )
    return {ce_id: (alive, own, most, coming) for ce_id, alive, own, most, coming in rows}


async def pilot_facts(conn: Connection, vos: Sequence[int], pilot_id: int) -> PilotFacts | None:
    """A pilot on a CE that these VOs own or were granted."""
    return await find(
        conn,
        PilotFacts,
        """
        SELECT p.pilot_id, p.stamp, p.state, p.ce_id, r.name AS ce, s.name AS site, p.created_at, p.ended_at,
               b.at AS last_beat, p.detail
          FROM pilot p
          JOIN resource r ON r.resource_id = p.ce_id
          JOIN resource s ON s.resource_id = p.site_id
          LEFT JOIN pilot_beat b ON b.pilot_id = p.pilot_id AND b.vo = p.vo
         WHERE p.pilot_id = %(pilot_id)s
           AND (p.vo = ANY (%(vos)s::smallint[]) OR EXISTS (
               SELECT FROM resource_grant g
                WHERE g.resource_id = p.ce_id AND g.to_vo = ANY (%(vos)s::smallint[])))
        """,
        {"vos": list(vos), "pilot_id": pilot_id},
    )


async def queue_heads(conn: Connection, vo: int, queue_ids: Sequence[int]) -> dict[int, tuple[str, int | None]]:
    """Whose jobs wait in each of these queues, and the first of them."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.task_queue_id, a.name, (
               SELECT w.job_id FROM waiting_job w
                WHERE w.task_queue_id = q.task_queue_id AND w.vo = q.vo ORDER BY w.priority, w.job_id LIMIT 1)
          FROM task_queue q JOIN account a ON a.account_id = q.account_id AND a.vo = q.vo
         WHERE q.task_queue_id = ANY(%(ids)s::int[]) AND q.vo = %(vo)s
        """,
        {"vo": vo, "ids": list(queue_ids)},
    )
    return {queue_id: (account, job_id) for queue_id, account, job_id in rows}


async def open_attempts(conn: Connection, vo: int, pilot_id: int) -> list[tuple[int, int]]:
    """What of a VO runs in a pilot: (job, cores)."""
    rows = await fetch_rows(
        conn,
        """
        SELECT job_id, cores FROM attempt
         WHERE pilot_id = %(pilot_id)s AND vo = %(vo)s AND ended_at IS NULL ORDER BY job_id LIMIT 100
        """,
        {"vo": vo, "pilot_id": pilot_id},
    )
    return [(job_id, cores) for job_id, cores in rows]

"""What explanations of rules and files ask of the database."""

from datetime import datetime
from typing import NamedTuple

from sancho.kit.db import Connection, fetch, fetch_rows, fetch_value

LOOKED_AT = 10_000
"""Locks of a rule, not ok yet, that are looked at."""
TOLD = 8
"""Jobs that are told."""


class Unsettled(NamedTuple):
    """Locks of a rule on one RSE whose transfers are in one state; of them one file, and what one ran into."""

    rse_id: int
    rse: str
    state: str
    files: int
    size: int
    tries: int
    not_before: datetime | None
    error: str | None
    did_id: int
    did: str


async def unsettled(conn: Connection, vo: int, rule_id: int) -> list[Unsettled]:
    """The locks of a rule that are not ok yet, up to `LOOKED_AT` of them, by RSE and state."""
    return await fetch(
        conn,
        Unsettled,
        """
        WITH waits AS MATERIALIZED (
            SELECT l.rse_id, l.did_id, l.size, q.state, q.tries, q.error, q.priority, q.request_id
              FROM lock l
              JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
             WHERE l.rule_id = %(rule_id)s AND l.vo = %(vo)s
             LIMIT %(most)s),
        g AS (
            SELECT w.rse_id, w.state, count(*) AS files, sum(w.size)::bigint AS size, max(w.tries) AS tries,
                   min(r.not_before) AS not_before, max(w.error) AS error, min(w.did_id) AS did_id
              FROM waits w
              LEFT JOIN transfer_ready r ON r.vo = %(vo)s AND r.priority = w.priority AND r.request_id = w.request_id
             GROUP BY w.rse_id, w.state)
        SELECT g.rse_id, e.name AS rse, g.state, g.files, g.size, g.tries, g.not_before, g.error,
               g.did_id, s.name || ':' || d.name AS did
          FROM g
          JOIN rse e ON e.rse_id = g.rse_id
          JOIN did d ON d.did_id = g.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         ORDER BY g.state = 'S' DESC, e.name, g.state
        """,
        {"vo": vo, "rule_id": rule_id, "most": LOOKED_AT},
    )


async def retry_at(conn: Connection, vo: int, rule_id: int) -> datetime | None:
    """When a rule is tried again by itself."""
    return await fetch_value(
        conn,
        "SELECT retry_at FROM rule_detail WHERE rule_id = %(rule_id)s AND vo = %(vo)s",
        {"vo": vo, "rule_id": rule_id},
    )


async def jobs_wanting(conn: Connection, vo: int, did_id: int) -> tuple[int, list[int]]:
    """How many jobs wait that read a file or a collection it was in, and the first of them in each queue."""
    rows = await fetch_rows(
        conn,
        """
        WITH queue AS MATERIALIZED (
            SELECT q.task_queue_id
              FROM input_set_did i
              JOIN task_queue q ON q.input_set_id = i.input_set_id AND q.vo = i.vo AND q.active
             WHERE i.did_id = %(did_id)s AND i.vo = %(vo)s)
        SELECT (SELECT coalesce(sum(s.waiting), 0)::bigint
                  FROM queue JOIN task_queue_slot s ON s.task_queue_id = queue.task_queue_id AND s.vo = %(vo)s),
               ARRAY(SELECT w.job_id
                       FROM queue
                      CROSS JOIN LATERAL (
                            SELECT job_id FROM waiting_job w
                             WHERE w.task_queue_id = queue.task_queue_id AND w.vo = %(vo)s
                             ORDER BY w.priority, w.job_id LIMIT 1) AS w
                      ORDER BY 1 LIMIT %(told)s)
        """,
        {"vo": vo, "did_id": did_id, "told": TOLD},
    )
    return rows[0][0], rows[0][1]

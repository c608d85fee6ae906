"""Requests as rules see them: made, cancelled, forgotten, stuck, revived, listed. Writes them and their queue.

Whoever changes a request for a replica's sake holds the replica's row; ready rows are locked before requests.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, LiteralString

from sancho.kit.db import Connection, execute, fetch, fetch_rows, stream_as
from sancho.replicas.model import ReplicaKey
from sancho.transfers.model import Forgotten, LinkNow, Request, RequestsAsked, Tried


def _columns(keys: Sequence[ReplicaKey]) -> dict[str, list[int]]:
    return {"did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]}


async def insert_requests(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], activity: str, priority: int, traceparent: str | None
) -> int:
    """Insert requests for what nobody asked for yet, ready to be claimed in this order; say how many."""
    return await execute(
        conn,
        """
        WITH made AS (
            INSERT INTO transfer_request (vo, did_id, rse_id, activity, priority, traceparent)
            SELECT %(vo)s, k.did_id, k.rse_id, %(activity)s, %(priority)s, %(traceparent)s
              FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) WITH ORDINALITY AS k (did_id, rse_id, n)
             ORDER BY k.n
                ON CONFLICT (did_id, vo, rse_id) DO NOTHING
            RETURNING vo, priority, rse_id, request_id)
        INSERT INTO transfer_ready (vo, priority, rse_id, request_id)
        SELECT vo, priority, rse_id, request_id FROM made
        """,
        {"vo": vo, "activity": activity, "priority": priority, "traceparent": traceparent, **_columns(keys)},
    )


async def delete_ready(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Take requests for these replicas out of the queue, waiting for whoever is claiming them."""
    await execute(
        conn,
        """
        DELETE FROM transfer_ready r
         USING unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
          JOIN transfer_request q ON q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id
         WHERE r.vo = %(vo)s AND r.priority = q.priority AND r.request_id = q.request_id
        """,
        {"vo": vo, **_columns(keys)},
    )


async def delete_requests(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[tuple[ReplicaKey, bool]]:
    """Remove requests that no worker has; return the replicas, and whether nothing was ever tried for them."""
    rows = await fetch_rows(
        conn,
        """
        DELETE FROM transfer_request q
         USING unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id AND q.state <> 'A'
        RETURNING q.did_id, q.rse_id, q.state = 'W' AND q.tries = 0
        """,
        {"vo": vo, **_columns(keys)},
    )
    return [(ReplicaKey(row[0], row[1]), row[2]) for row in rows]


async def forget_requests(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[Forgotten]:
    """Remove the requests for replicas that are available, whoever has them."""
    rows = await fetch_rows(
        conn,
        """
        DELETE FROM transfer_request q
         USING unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id
        RETURNING q.did_id, q.rse_id, q.state = 'S'
        """,
        {"vo": vo, **_columns(keys)},
    )
    return [Forgotten(*row) for row in rows]


async def mark_stuck(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Let failed requests be stuck; return those that were not yet."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE transfer_request q SET state = 'S'
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id AND q.state = 'F'
        RETURNING q.did_id, q.rse_id
        """,
        {"vo": vo, **_columns(keys)},
    )
    return [ReplicaKey(*row) for row in rows]


async def revive(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> list[ReplicaKey]:
    """Let stuck requests wait again, as if new; return those that were stuck."""
    rows = await fetch_rows(
        conn,
        """
        WITH revived AS (
            UPDATE transfer_request q SET state = 'W', tries = 0
              FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
             WHERE q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id AND q.state = 'S'
            RETURNING q.vo, q.priority, q.did_id, q.rse_id, q.request_id),
        queued AS (
            INSERT INTO transfer_ready (vo, priority, rse_id, request_id)
            SELECT vo, priority, rse_id, request_id FROM revived)
        SELECT did_id, rse_id FROM revived
        """,
        {"vo": vo, **_columns(keys)},
    )
    return [ReplicaKey(*row) for row in rows]


_REQUEST: LiteralString = """
    SELECT q.request_id, q.vo, s.name || ':' || d.name AS did, d.size, e.name AS rse, last.name AS source, q.state,
           q.tries, q.activity, q.created_at, r.not_before, q.error
      FROM transfer_request q
      JOIN did d ON d.did_id = q.did_id AND d.vo = q.vo
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
      JOIN rse e ON e.rse_id = q.rse_id
      LEFT JOIN LATERAL (
           SELECT source.name FROM transfer t JOIN rse source ON source.rse_id = t.source_rse_id
            WHERE t.request_id = q.request_id AND t.vo = q.vo
            ORDER BY t.transfer_id DESC LIMIT 1) AS last ON true
      LEFT JOIN transfer_ready r ON r.vo = q.vo AND r.priority = q.priority AND r.request_id = q.request_id
     WHERE q.vo = %(vo)s
       AND (%(states)s::"char"[] IS NULL OR q.state = ANY(%(states)s::"char"[]))
       AND (%(rse)s::text IS NULL OR e.name = %(rse)s)
       AND (%(source)s::text IS NULL OR last.name = %(source)s)
       AND (%(did_id)s::bigint IS NULL OR q.did_id = %(did_id)s)
"""


def _asked(vo: int, asked: RequestsAsked) -> dict[str, Any]:
    states = None if asked.states is None else [state.value for state in asked.states]
    return {"vo": vo, "states": states, "rse": asked.rse, "source": asked.source, "did_id": asked.did_id}


async def list_requests(conn: Connection, vo: int, asked: RequestsAsked, page: tuple[int, int]) -> list[Request]:
    """Requests that are asked for, by id: so many after an id."""
    after, limit = page
    return await fetch(
        conn,
        Request,
        _REQUEST + "AND q.request_id > %(after)s ORDER BY q.request_id LIMIT %(limit)s",
        {**_asked(vo, asked), "after": after, "limit": limit},
    )


async def stream_requests(conn: Connection, vo: int, asked: RequestsAsked) -> AsyncIterator[list[Request]]:
    """All requests that are asked for, by id."""
    async for some in stream_as(conn, Request, _REQUEST + "ORDER BY q.request_id", _asked(vo, asked)):
        yield some


async def tried(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> dict[ReplicaKey, Tried]:
    """How the requests for these replicas have fared, of those that have one."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.did_id, q.rse_id, q.tries, last.name, last.ended_at
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
          JOIN transfer_request q ON q.did_id = k.did_id AND q.vo = %(vo)s AND q.rse_id = k.rse_id
          LEFT JOIN LATERAL (
               SELECT e.name, t.ended_at
                 FROM transfer t LEFT JOIN rse e ON e.rse_id = t.source_rse_id
                WHERE t.request_id = q.request_id AND t.vo = q.vo
                ORDER BY t.transfer_id DESC LIMIT 1) AS last ON true
        """,
        {"vo": vo, **_columns(keys)},
    )
    return {ReplicaKey(did_id, rse_id): Tried(*rest) for did_id, rse_id, *rest in rows}


async def links(conn: Connection, vo: int, since: datetime) -> list[LinkNow]:
    """What is under way between RSEs, and what failed since a time of that which is still wanted."""
    return await fetch(
        conn,
        LinkNow,
        """
        SELECT s.name AS source, e.name AS rse, l.active, l.failed, last.detail AS error
          FROM (SELECT t.source_rse_id, q.rse_id, count(*) FILTER (WHERE t.state = 'A') AS active,
                       count(*) FILTER (WHERE t.state = 'F') AS failed,
                       max(t.transfer_id) FILTER (WHERE t.state = 'F') AS last_id
                  FROM transfer t
                  JOIN transfer_request q ON q.request_id = t.request_id AND q.vo = t.vo
                 WHERE t.vo = %(vo)s AND (t.state = 'A' OR t.state = 'F' AND t.ended_at >= %(since)s)
                 GROUP BY t.source_rse_id, q.rse_id) AS l
          JOIN rse s ON s.rse_id = l.source_rse_id
          JOIN rse e ON e.rse_id = l.rse_id
          LEFT JOIN transfer last ON last.transfer_id = l.last_id AND last.vo = %(vo)s
         ORDER BY s.name, e.name
        """,
        {"vo": vo, "since": since},
    )

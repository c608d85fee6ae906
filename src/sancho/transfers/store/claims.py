"""Requests as workers see them: claimed from the queue, carried in attempts with a lease, done, or put back.

Writes `transfer_request`, `transfer_ready` and `transfer`. A claim skips what others hold. Lock order: ready rows,
replicas, requests, attempts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value
from sancho.replicas.model import ReplicaKey
from sancho.transfers.model import Claimed, RequestState, TransferState


class Ready(NamedTuple):
    """A request's place in the queue."""

    vo: int
    priority: int
    rse_id: int
    request_id: int
    not_before: datetime


class Attempt(NamedTuple):
    """An attempt to begin."""

    vo: int
    request_id: int
    source_rse_id: int


async def claim_ready(conn: Connection, vos: Sequence[int], now: datetime, limit: int) -> list[Ready]:
    """Take requests out of the queue: the VOs in turn, each by priority and age; what others claim is skipped."""
    rows = await fetch_rows(
        conn,
        """
        WITH taken AS (
            SELECT c.vo, c.priority, c.request_id
              FROM unnest(%(vos)s::smallint[]) AS v (vo)
             CROSS JOIN LATERAL (
                   SELECT r.vo, r.priority, r.request_id
                     FROM transfer_ready r
                    WHERE r.vo = v.vo AND r.not_before <= %(now)s
                    ORDER BY r.priority, r.request_id
                    LIMIT %(limit)s
                      FOR UPDATE SKIP LOCKED) AS c),
        fair AS (
            SELECT vo, priority, request_id,
                   row_number() OVER (PARTITION BY vo ORDER BY priority, request_id) AS n
              FROM taken
             ORDER BY n, vo
             LIMIT %(limit)s)
        DELETE FROM transfer_ready r
         USING fair
         WHERE r.vo = fair.vo AND r.priority = fair.priority AND r.request_id = fair.request_id
        RETURNING r.vo, r.priority, r.rse_id, r.request_id, r.not_before
        """,
        {"vos": list(vos), "now": now, "limit": limit},
    )
    return sorted(Ready(*row) for row in rows)


async def activate(conn: Connection, ready: Sequence[Ready]) -> list[Claimed]:
    """Mark claimed requests as active; return what carrying them needs, in the order given."""
    found = await fetch(
        conn,
        Claimed,
        """
        WITH claimed AS (
            UPDATE transfer_request q SET state = 'A'
              FROM unnest(%(vos)s::smallint[], %(request_ids)s::bigint[]) AS r (vo, request_id)
             WHERE q.request_id = r.request_id AND q.vo = r.vo AND q.state = 'W'
            RETURNING q.*)
        SELECT q.request_id, q.vo, vo.name AS vo_name, q.did_id, s.name AS scope, d.name, d.size,
               lpad(to_hex(d.adler32), 8, '0') AS adler32, d.account_id, q.rse_id, q.tries, q.priority, q.traceparent,
               p.path,
               ARRAY(SELECT t.source_rse_id FROM transfer t
                      WHERE t.request_id = q.request_id AND t.vo = q.vo AND t.state = 'F'
                        AND t.source_rse_id IS NOT NULL
                      ORDER BY t.transfer_id DESC LIMIT 8) AS failed_rse_ids
          FROM claimed q
          JOIN vo ON vo.vo = q.vo
          JOIN did d ON d.did_id = q.did_id AND d.vo = q.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          LEFT JOIN replica_path p ON p.did_id = q.did_id AND p.vo = q.vo AND p.rse_id = q.rse_id
        """,
        {"vos": [r.vo for r in ready], "request_ids": [r.request_id for r in ready]},
    )
    rank = {(r.vo, r.request_id): n for n, r in enumerate(ready)}
    return sorted(found, key=lambda c: rank[c.vo, c.request_id])


async def sources(conn: Connection, files: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, str | None]]:
    """Where files, (vo, file), are available: (vo, file, RSE), and the path where it does not follow from the id."""
    rows = await fetch_rows(
        conn,
        """
        SELECT r.vo, r.did_id, r.rse_id, p.path
          FROM (SELECT DISTINCT vo, did_id FROM unnest(%(vos)s::smallint[], %(did_ids)s::bigint[]) AS w (vo, did_id)) w
          JOIN replica r ON r.did_id = w.did_id AND r.vo = w.vo
          LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
         WHERE r.state = 'A'
         ORDER BY r.vo, r.did_id, r.rse_id
        """,
        {"vos": [vo for vo, _ in files], "did_ids": [did_id for _, did_id in files]},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def insert_attempts(conn: Connection, attempts: Sequence[Attempt], lease_until: datetime) -> dict[int, int]:
    """Begin attempts with a lease; return the id of each by its request."""
    rows = await fetch_rows(
        conn,
        """
        INSERT INTO transfer (vo, state, source_rse_id, request_id, lease_until)
        SELECT a.vo, 'A', a.source_rse_id, a.request_id, %(lease_until)s
          FROM unnest(%(vos)s::smallint[], %(request_ids)s::bigint[], %(rse_ids)s::int[])
               AS a (vo, request_id, source_rse_id)
        RETURNING request_id, transfer_id
        """,
        {
            "vos": [a.vo for a in attempts], "request_ids": [a.request_id for a in attempts],
            "rse_ids": [a.source_rse_id for a in attempts], "lease_until": lease_until,
        },
    )  # fmt: skip
    return dict(rows)


async def renew(conn: Connection, transfer_ids: Sequence[int], lease_until: datetime) -> set[int]:
    """Keep attempts for longer; return those that still count and whose replica something holds."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE transfer t SET lease_until = %(until)s
          FROM transfer_request q
          JOIN replica r ON r.did_id = q.did_id AND r.vo = q.vo AND r.rse_id = q.rse_id
         WHERE t.transfer_id = ANY(%(ids)s::bigint[]) AND t.state = 'A' AND q.request_id = t.request_id
           AND q.vo = t.vo AND q.state = 'A' AND r.lock_count > 0
        RETURNING t.transfer_id
        """,
        {"ids": list(transfer_ids), "until": lease_until},
    )
    return {row[0] for row in rows}


async def lock_replica(conn: Connection, vo: int, key: ReplicaKey) -> int | None:
    """Lock the row of a replica; say how many hold it, None when there is no such replica."""
    return await fetch_value(
        conn,
        """
        SELECT lock_count FROM replica WHERE did_id = %(did_id)s AND vo = %(vo)s AND rse_id = %(rse_id)s
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_id": key.did_id, "rse_id": key.rse_id},
    )


async def end_attempt(conn: Connection, vo: int, transfer_id: int, state: TransferState, detail: str | None) -> None:
    """Note how an attempt ended."""
    await execute(
        conn,
        """
        UPDATE transfer SET state = %(state)s, detail = %(detail)s, ended_at = now(), lease_until = NULL
         WHERE transfer_id = %(id)s AND vo = %(vo)s AND state = 'A'
        """,
        {"vo": vo, "id": transfer_id, "state": state.value, "detail": detail},
    )


async def mark_done(conn: Connection, vo: int, request_id: int) -> bool:
    """Let an active request be done; False when it is not there, or not active, any more."""
    done = await execute(
        conn,
        """
        UPDATE transfer_request SET state = 'D', error = NULL
         WHERE request_id = %(request_id)s AND vo = %(vo)s AND state = 'A'
        """,
        {"vo": vo, "request_id": request_id},
    )
    return done > 0


async def lock_request(conn: Connection, vo: int, request_id: int, transfer_id: int) -> bool:
    """Lock an active request and say whether this attempt is still the one that counts."""
    found = await fetch_rows(
        conn,
        """
        SELECT EXISTS (SELECT FROM transfer t
                        WHERE t.transfer_id = %(transfer_id)s AND t.vo = q.vo AND t.request_id = q.request_id
                          AND t.state = 'A')
          FROM transfer_request q
         WHERE q.request_id = %(request_id)s AND q.vo = %(vo)s AND q.state = 'A'
           FOR NO KEY UPDATE OF q
        """,
        {"vo": vo, "request_id": request_id, "transfer_id": transfer_id},
    )
    return bool(found) and bool(found[0][0])


async def put_back(conn: Connection, vo: int, request_id: int, state: RequestState, tries: int, error: str) -> None:
    """Let a locked request wait again, or have failed, and note why."""
    await execute(
        conn,
        """
        UPDATE transfer_request SET state = %(state)s, tries = %(tries)s, error = %(error)s
         WHERE request_id = %(request_id)s AND vo = %(vo)s
        """,
        {"vo": vo, "request_id": request_id, "state": state.value, "tries": tries, "error": error},
    )


async def insert_ready(conn: Connection, ready: Sequence[Ready]) -> None:
    """Put requests into the queue."""
    await execute(
        conn,
        """
        INSERT INTO transfer_ready (vo, priority, rse_id, request_id, not_before)
        SELECT * FROM unnest(%(vos)s::smallint[], %(priorities)s::smallint[], %(rse_ids)s::int[],
                             %(request_ids)s::bigint[], %(not_before)s::timestamptz[])
            ON CONFLICT DO NOTHING
        """,
        {
            "vos": [r.vo for r in ready], "priorities": [r.priority for r in ready],
            "rse_ids": [r.rse_id for r in ready], "request_ids": [r.request_id for r in ready],
            "not_before": [r.not_before for r in ready],
        },
    )  # fmt: skip


async def unclaim(conn: Connection, requests: Sequence[tuple[int, int, RequestState]], reason: str) -> None:
    """Let claimed requests, (vo, request, state), wait again or have failed, although nothing could be tried."""
    await execute(
        conn,
        """
        UPDATE transfer_request q SET state = w.state, error = %(reason)s, tries = q.tries + 1
          FROM unnest(%(vos)s::smallint[], %(request_ids)s::bigint[], %(states)s::"char"[])
               AS w (vo, request_id, state)
         WHERE q.request_id = w.request_id AND q.vo = w.vo
        """,
        {
            "vos": [r[0] for r in requests], "request_ids": [r[1] for r in requests],
            "states": [r[2].value for r in requests], "reason": reason,
        },
    )  # fmt: skip


async def remove_request(conn: Connection, vo: int, request_id: int) -> None:
    """Remove a locked request with its attempts."""
    await execute(
        conn,
        "DELETE FROM transfer_request WHERE request_id = %(request_id)s AND vo = %(vo)s",
        {"vo": vo, "request_id": request_id},
    )


async def expired(conn: Connection, vos: Sequence[int], now: datetime, limit: int) -> list[tuple[int, int, int]]:
    """Attempts whose lease has ended: (vo, request, attempt)."""
    rows = await fetch_rows(
        conn,
        """
        SELECT vo, request_id, transfer_id FROM transfer
         WHERE state = 'A' AND lease_until < %(now)s AND vo = ANY(%(vos)s::smallint[])
         ORDER BY lease_until
         LIMIT %(limit)s
        """,
        {"vos": list(vos), "now": now, "limit": limit},
    )
    return [(row[0], row[1], row[2]) for row in rows]


async def find_claimed(conn: Connection, vo: int, request_id: int) -> tuple[ReplicaKey, int, int] | None:
    """The replica, the tries and the priority of an active request."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, rse_id, tries, priority FROM transfer_request
         WHERE request_id = %(request_id)s AND vo = %(vo)s AND state = 'A'
        """,
        {"vo": vo, "request_id": request_id},
    )
    return (ReplicaKey(rows[0][0], rows[0][1]), rows[0][2], rows[0][3]) if rows else None


async def lease_ended(conn: Connection, vo: int, transfer_id: int, now: datetime) -> bool:
    """Say whether an attempt is still active and its lease over; its request is locked."""
    return bool(
        await fetch_value(
            conn,
            "SELECT lease_until < %(now)s FROM transfer WHERE transfer_id = %(id)s AND vo = %(vo)s AND state = 'A'",
            {"vo": vo, "id": transfer_id, "now": now},
        )
    )

"""The SQL of uploads: intents, in sets."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from psycopg.types.json import Jsonb

from sancho.kit.db import Connection, execute, fetch, fetch_rows, stream
from sancho.kit.personal import Line, Person
from sancho.uploads.model import Intent, Wish

INTENT: LiteralString = """
    SELECT i.vo, i.intent_id, i.state, i.did_id, i.scope_id, s.name AS scope, i.name, i.rse_id, i.account_id, i.size,
           i.adler32, i.attempt_id, i.dataset_id, i.expires_at, i.held, i.rule
      FROM intent i JOIN scope s ON s.scope_id = i.scope_id AND s.vo = i.vo
"""


async def insert_intents(
    conn: Connection, vo: int, account_id: int, wishes: Sequence[tuple[Wish, int | None]], *, attempt_id: int | None,
    expires_at: datetime,
) -> list[Intent]:  # fmt: skip
    """Insert open intents for wishes, each with its checksum as a signed number; in the order of the wishes."""
    return await fetch(
        conn,
        Intent,
        """
        WITH made AS (
            INSERT INTO intent (vo, state, scope_id, rse_id, account_id, adler32, did_id, size, attempt_id, dataset_id,
                                expires_at, held, name, rule)
            SELECT %(vo)s, 'O', w.scope_id, w.rse_id, %(account_id)s, w.adler32, nextval('did_id'), w.size,
                   %(attempt_id)s, w.dataset_id, %(expires_at)s, true, w.name, w.rule
              FROM unnest(%(scopes)s::int[], %(rses)s::int[], %(adlers)s::int[], %(sizes)s::bigint[],
                          %(datasets)s::bigint[], %(names)s::text[], %(rules)s::jsonb[]) WITH ORDINALITY
                   AS w (scope_id, rse_id, adler32, size, dataset_id, name, rule, n)
             ORDER BY w.n
            RETURNING *)
        SELECT i.vo, i.intent_id, i.state, i.did_id, i.scope_id, s.name AS scope, i.name, i.rse_id, i.account_id,
               i.size, i.adler32, i.attempt_id, i.dataset_id, i.expires_at, i.held, i.rule
          FROM made i JOIN scope s ON s.scope_id = i.scope_id AND s.vo = i.vo
         ORDER BY i.intent_id
        """,
        {
            "vo": vo, "account_id": account_id, "attempt_id": attempt_id, "expires_at": expires_at,
            "scopes": [w.scope_id for w, _ in wishes], "rses": [w.rse_id for w, _ in wishes],
            "adlers": [a for _, a in wishes], "sizes": [w.size for w, _ in wishes],
            "datasets": [w.dataset_id for w, _ in wishes], "names": [w.name for w, _ in wishes],
            "rules": [Jsonb(dict(w.rule)) if w.rule else None for w, _ in wishes],
        },
    )  # fmt: skip


async def list_of_attempt(conn: Connection, vo: int, attempt_id: int) -> list[Intent]:
    """Open intents of an attempt."""
    return await fetch(
        conn,
        Intent,
        INTENT + " WHERE i.attempt_id = %(id)s AND i.vo = %(vo)s AND i.state = 'O' ORDER BY i.intent_id",
        {"vo": vo, "id": attempt_id},
    )


async def list_intents(conn: Connection, vo: int, intent_ids: Sequence[int]) -> list[Intent]:
    """These intents, as they are now."""
    return await fetch(
        conn,
        Intent,
        INTENT + " WHERE i.intent_id = ANY(%(ids)s) AND i.vo = %(vo)s ORDER BY i.intent_id",
        {"vo": vo, "ids": list(intent_ids)},
    )


async def list_open(conn: Connection, vo: int, account_id: int, limit: int) -> list[Intent]:
    """An account's open intents, oldest first."""
    return await fetch(
        conn,
        Intent,
        INTENT
        + """
         WHERE i.account_id = %(account_id)s AND i.vo = %(vo)s AND i.state = 'O' ORDER BY i.intent_id LIMIT %(limit)s
        """,
        {"vo": vo, "account_id": account_id, "limit": limit},
    )


async def lock_intents(conn: Connection, vo: int, intent_ids: Sequence[int]) -> list[Intent]:
    """Lock these intents in id order, as seen under the lock."""
    return await fetch(
        conn,
        Intent,
        INTENT + " WHERE i.intent_id = ANY(%(ids)s) AND i.vo = %(vo)s ORDER BY i.intent_id FOR NO KEY UPDATE OF i",
        {"vo": vo, "ids": list(intent_ids)},
    )


async def mark_committed(conn: Connection, vo: int, intent_ids: Sequence[int]) -> None:
    """Close locked intents as committed, without a hold on quota."""
    await execute(
        conn,
        "UPDATE intent SET state = 'C', held = false WHERE intent_id = ANY(%(ids)s) AND vo = %(vo)s",
        {"vo": vo, "ids": list(intent_ids)},
    )


async def mark_given_up(conn: Connection, vo: int, intent_ids: Sequence[int]) -> None:
    """Give up locked intents: they cannot be committed any more, and hold no quota."""
    await execute(
        conn,
        "UPDATE intent SET state = 'X', held = false WHERE intent_id = ANY(%(ids)s) AND vo = %(vo)s AND state = 'O'",
        {"vo": vo, "ids": list(intent_ids)},
    )


async def prolong(conn: Connection, vo: int, intent_ids: Sequence[int], expires_at: datetime) -> None:
    """Let open intents live longer, because fresh tokens were made for them."""
    await execute(
        conn,
        """
        UPDATE intent SET expires_at = %(expires_at)s WHERE intent_id = ANY(%(ids)s) AND vo = %(vo)s AND state = 'O'
        """,
        {"vo": vo, "ids": list(intent_ids), "expires_at": expires_at},
    )


async def lock_expired(conn: Connection, limit: int) -> list[Intent]:
    """Lock intents of any served VO that are past their time and were never committed, a few of each VO."""
    return await fetch(
        conn,
        Intent,
        INTENT
        + """
         WHERE i.state <> 'C' AND i.expires_at < now()
         ORDER BY i.expires_at LIMIT %(limit)s FOR NO KEY UPDATE OF i SKIP LOCKED
        """,
        {"limit": limit},
    )


async def postpone(conn: Connection, vo: int, intent_ids: Sequence[int], delay: timedelta) -> None:
    """Look at given-up intents again after a while: somebody is at them, or their storage is away."""
    await execute(
        conn,
        "UPDATE intent SET expires_at = now() + %(delay)s WHERE intent_id = ANY(%(ids)s) AND vo = %(vo)s",
        {"vo": vo, "ids": list(intent_ids), "delay": delay},
    )


async def delete_intents(conn: Connection, vo: int, intent_ids: Sequence[int]) -> None:
    """Forget intents whose paths are empty."""
    await execute(
        conn,
        "DELETE FROM intent WHERE intent_id = ANY(%(ids)s) AND vo = %(vo)s AND state = 'X'",
        {"vo": vo, "ids": list(intent_ids)},
    )


async def vo_names(conn: Connection) -> dict[int, str]:
    """Names of all VOs by id: part of every path."""
    return {row[0]: row[1] for row in await fetch_rows(conn, "SELECT vo, name FROM vo")}


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """The files that an account was or is about to add."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'upload', 'did', s.name || ':' || i.name, 'size', i.size, 'state',
                                  CASE i.state WHEN 'O' THEN 'open' WHEN 'C' THEN 'committed' ELSE 'cancelled' END,
                                  'expires_at', i.expires_at)
          FROM intent AS i
          JOIN scope AS s ON s.scope_id = i.scope_id AND s.vo = i.vo
         WHERE i.account_id = %(account_id)s AND i.vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line

"""The SQL of lifetime exceptions."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import LiteralString

from sancho.dids.model import Kept, KeptEntry, LifetimeException, LifetimeExceptionState
from sancho.kit.db import Connection, execute, fetch, fetch_value, fetch_values, find, stream_as

_EXCEPTION: LiteralString = """
    SELECT x.exception_id, a.name AS account, x.state, x.until, x.reason, x.created_at, x.decided_at,
           b.name AS decided_by, x.answer,
           (SELECT count(*) FROM lifetime_exception_did k
             WHERE k.exception_id = x.exception_id AND k.vo = x.vo) AS dids
      FROM lifetime_exception x
      JOIN account a ON a.account_id = x.account_id AND a.vo = x.vo
      LEFT JOIN account b ON b.account_id = x.decided_by_id AND b.vo = x.vo
     WHERE x.vo = %(vo)s
       AND (%(did_id)s::bigint IS NULL OR x.exception_id IN (
               SELECT k.exception_id FROM lifetime_exception_did k WHERE k.did_id = %(did_id)s AND k.vo = %(vo)s))
"""


async def begun(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Those of these DIDs that are being erased."""
    return await fetch_values(
        conn,
        "SELECT did_id FROM ending WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND begun",
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def insert(
    conn: Connection, vo: int, account_id: int, did_ids: Sequence[int], *, until: datetime, reason: str
) -> int:
    """Make an exception about these DIDs, each named once, which waits; return its id."""
    return await fetch_value(
        conn,
        """
        WITH made AS (
            INSERT INTO lifetime_exception (vo, account_id, until, reason)
            VALUES (%(vo)s, %(account_id)s, %(until)s, %(reason)s)
            RETURNING exception_id),
        about AS (
            INSERT INTO lifetime_exception_did (vo, exception_id, did_id)
            SELECT %(vo)s, made.exception_id, wanted.did_id
              FROM made CROSS JOIN unnest(%(did_ids)s::bigint[]) AS wanted (did_id)
             ORDER BY wanted.did_id)
        SELECT exception_id FROM made
        """,
        {"vo": vo, "account_id": account_id, "until": until, "reason": reason, "did_ids": sorted(did_ids)},
    )


async def find_exception(conn: Connection, vo: int, exception_id: int) -> LifetimeException | None:
    """One exception."""
    return await find(
        conn,
        LifetimeException,
        _EXCEPTION + "AND x.exception_id = %(exception_id)s",
        {"vo": vo, "exception_id": exception_id, "did_id": None},
    )


async def list_exceptions(
    conn: Connection, vo: int, *, account_id: int | None, did_id: int | None, state: LifetimeExceptionState | None,
    page: tuple[int | None, int],
) -> list[LifetimeException]:  # fmt: skip
    """Exceptions of an account, about a DID, in a state, newest first: as many as `page` says, before an id."""
    before, limit = page
    return await fetch(
        conn,
        LifetimeException,
        _EXCEPTION
        + """
       AND (%(account_id)s::int IS NULL OR x.account_id = %(account_id)s)
       AND (%(state)s::"char" IS NULL OR x.state = %(state)s)
       AND (%(before)s::bigint IS NULL OR x.exception_id < %(before)s)
     ORDER BY x.exception_id DESC
     LIMIT %(limit)s
        """,
        {
            "vo": vo, "account_id": account_id, "did_id": did_id, "state": None if state is None else state.value,
            "before": before, "limit": limit,
        },
    )  # fmt: skip


async def stream_entries(
    conn: Connection, vo: int, *, exception_id: int | None, states: Sequence[LifetimeExceptionState]
) -> AsyncIterator[list[KeptEntry]]:
    """The DIDs of one exception, or of all in these states, newest first, from a server-side cursor."""
    query = """
        SELECT x.exception_id, a.name AS account, x.state, x.until, x.reason, x.created_at,
               s.name AS scope, d.name, d.kind
          FROM lifetime_exception x
          JOIN account a ON a.account_id = x.account_id AND a.vo = x.vo
          JOIN lifetime_exception_did k ON k.exception_id = x.exception_id AND k.vo = x.vo
          JOIN did d ON d.did_id = k.did_id AND d.vo = k.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         WHERE x.vo = %(vo)s AND x.state = ANY(%(states)s::"char"[])
           AND (%(exception_id)s::bigint IS NULL OR x.exception_id = %(exception_id)s)
         ORDER BY x.exception_id DESC, k.did_id
        """
    said = {"vo": vo, "exception_id": exception_id, "states": [state.value for state in states]}
    async for some in stream_as(conn, KeptEntry, query, said):
        yield some


async def kept(conn: Connection, vo: int, exception_id: int) -> list[Kept]:
    """The DIDs that an exception is about, as they are now, by id; those too that have been erased."""
    return await fetch(
        conn,
        Kept,
        """
        SELECT d.did_id, s.name || ':' || d.name AS did, d.kind, e.ends_at, coalesce(e.begun, false) AS begun, d.erased
          FROM lifetime_exception_did k
          JOIN did d ON d.did_id = k.did_id AND d.vo = k.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          LEFT JOIN ending e ON e.did_id = k.did_id AND e.vo = k.vo
         WHERE k.exception_id = %(exception_id)s AND k.vo = %(vo)s
         ORDER BY d.did_id
        """,
        {"vo": vo, "exception_id": exception_id},
    )


async def lock(conn: Connection, vo: int, exception_id: int) -> None:
    """Be the only one who decides about an exception."""
    await execute(
        conn,
        """
        SELECT FROM lifetime_exception
         WHERE exception_id = %(exception_id)s AND vo = %(vo)s FOR NO KEY UPDATE
        """,
        {"vo": vo, "exception_id": exception_id},
    )


async def lock_endings(conn: Connection, vo: int, exception_id: int) -> None:
    """Lock the ends of the DIDs that an exception is about, in order: the erasure of none begins meanwhile."""
    await execute(
        conn,
        """
        SELECT FROM ending e
         WHERE e.vo = %(vo)s AND e.did_id IN (
               SELECT k.did_id FROM lifetime_exception_did k
                WHERE k.exception_id = %(exception_id)s AND k.vo = %(vo)s)
         ORDER BY e.did_id FOR UPDATE
        """,
        {"vo": vo, "exception_id": exception_id},
    )


async def keep(conn: Connection, vo: int, exception_id: int) -> None:
    """Let the DIDs of an exception that end earlier end when it says; their ends are locked, and none has begun."""
    await execute(
        conn,
        """
        UPDATE ending e SET ends_at = x.until, look_at = x.until, held = NULL, follows = false
          FROM lifetime_exception x
          JOIN lifetime_exception_did k ON k.exception_id = x.exception_id AND k.vo = x.vo
         WHERE x.exception_id = %(exception_id)s AND x.vo = %(vo)s
           AND e.did_id = k.did_id AND e.vo = k.vo AND e.ends_at < x.until
        """,
        {"vo": vo, "exception_id": exception_id},
    )


async def decide(
    conn: Connection, vo: int, exception_id: int, state: LifetimeExceptionState, *, by_id: int, answer: str | None
) -> None:
    """Note what was decided about a locked exception, by whom, and what was said to it."""
    await execute(
        conn,
        """
        UPDATE lifetime_exception
           SET state = %(state)s, decided_at = now(), decided_by_id = %(by_id)s, answer = %(answer)s
         WHERE exception_id = %(exception_id)s AND vo = %(vo)s
        """,
        {"vo": vo, "exception_id": exception_id, "state": state.value, "by_id": by_id, "answer": answer},
    )

"""The SQL of what the namespace holds of a person."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, execute, stream
from sancho.kit.personal import Line, Person


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """An account's scopes, its DIDs, those it follows, and the lifetime exceptions it asked for or decided about."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'scope', 'name', name, 'shared', shared)
          FROM scope
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'did', 'did', s.name || ':' || d.name, 'size', d.size,
                                  'kind', CASE d.kind WHEN 'F' THEN 'file' WHEN 'D' THEN 'dataset' ELSE 'container' END,
                                  'created_at', d.created_at)
          FROM did AS d
          JOIN scope AS s ON s.scope_id = d.scope_id AND s.vo = d.vo
         WHERE d.account_id = %(account_id)s AND d.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'followed did', 'did', s.name || ':' || d.name, 'since', f.created_at)
          FROM follower AS f
          JOIN did AS d ON d.did_id = f.did_id AND d.vo = f.vo
          JOIN scope AS s ON s.scope_id = d.scope_id AND s.vo = d.vo
         WHERE f.account_id = %(account_id)s AND f.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'lifetime exception', 'exception_id', exception_id, 'until', until,
                                  'reason', reason, 'created_at', created_at)
          FROM lifetime_exception
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'decision about a lifetime exception', 'exception_id', exception_id,
                                  'answer', answer, 'decided_at', decided_at)
          FROM lifetime_exception
         WHERE decided_by_id = %(account_id)s AND vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def drop_empty_scope(conn: Connection, person: Person, name: str) -> int:
    """Delete an account's own scope of this name unless there is a DID in it."""
    return await execute(
        conn,
        """
        DELETE FROM scope AS s
         WHERE s.name = %(name)s AND s.vo = %(vo)s AND s.account_id = %(account_id)s
           AND NOT EXISTS (SELECT FROM did WHERE did.scope_id = s.scope_id AND did.vo = s.vo)
        """,
        {"vo": person.vo, "account_id": person.account_id, "name": name},
    )


async def stop_following(conn: Connection, person: Person) -> int:
    """Let an account follow nothing any more."""
    return await execute(
        conn,
        "DELETE FROM follower WHERE account_id = %(account_id)s AND vo = %(vo)s",
        {"vo": person.vo, "account_id": person.account_id},
    )


async def clear_words(conn: Connection, person: Person) -> int:
    """Clear what an account wrote when it asked for lifetime exceptions, or decided about some; they stay."""
    return await execute(
        conn,
        """
        UPDATE lifetime_exception
           SET reason = CASE WHEN account_id = %(account_id)s THEN NULL ELSE reason END,
               answer = CASE WHEN decided_by_id = %(account_id)s THEN NULL ELSE answer END
         WHERE vo = %(vo)s AND (account_id = %(account_id)s AND reason IS NOT NULL
                                OR decided_by_id = %(account_id)s AND answer IS NOT NULL)
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )

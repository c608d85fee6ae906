"""The SQL of what replicas hold of a person. Writes `declaration` and `dark_file`."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, execute, stream
from sancho.kit.personal import Line, Person


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """What an account has said of replicas."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'declaration', 'kind', CASE x.kind WHEN 'B' THEN 'bad'
                                      WHEN 'S' THEN 'suspicious' ELSE 'unavailable' END,
                                  'did', s.name || ':' || d.name, 'rse', e.name, 'declared_at', x.declared_at,
                                  'until', x.until, 'reason', x.reason)
          FROM declaration AS x
          JOIN did AS d ON d.did_id = x.did_id AND d.vo = x.vo
          JOIN scope AS s ON s.scope_id = d.scope_id AND s.vo = d.vo
          JOIN rse AS e ON e.rse_id = x.rse_id
         WHERE x.account_id = %(account_id)s AND x.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'dark file', 'path', path, 'declared_at', declared_at, 'reason', reason)
          FROM dark_file
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def erase_person(conn: Connection, person: Person) -> int:
    """Clear the reasons that an account gave; what became of the replicas stays known."""
    return await execute(
        conn,
        """
        WITH said AS (
            UPDATE declaration SET reason = NULL
             WHERE account_id = %(account_id)s AND vo = %(vo)s AND reason IS NOT NULL
            RETURNING 1),
        found AS (
            UPDATE dark_file SET reason = NULL
             WHERE account_id = %(account_id)s AND vo = %(vo)s AND reason IS NOT NULL
            RETURNING 1)
        SELECT FROM said UNION ALL SELECT FROM found
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )

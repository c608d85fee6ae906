"""The SQL of what rules hold of a person."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, execute, stream
from sancho.kit.personal import Line, Person


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """An account's rules, quotas, and what it keeps on RSEs."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'rule', 'rule_id', r.rule_id, 'did', s.name || ':' || d.name,
                                  'copies', r.copies, 'rse_expression', t.rse_expression, 'comment', t.comment,
                                  'created_at', t.created_at, 'expires_at', r.expires_at)
          FROM rule AS r
          JOIN rule_detail AS t ON t.rule_id = r.rule_id AND t.vo = r.vo
          JOIN did AS d ON d.did_id = r.did_id AND d.vo = r.vo
          JOIN scope AS s ON s.scope_id = d.scope_id AND s.vo = d.vo
         WHERE r.account_id = %(account_id)s AND r.vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'rule event', 'rule_id', rule_id, 'at', at, 'rse_expression', rse_expression,
                                  'detail', detail)
          FROM rule_event
         WHERE (account_id = %(account_id)s OR by_id = %(account_id)s) AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'quota', 'name', name, 'rse_expression', rse_expression, 'size', size)
          FROM quota
         WHERE account_id = %(account_id)s AND vo = %(vo)s
        UNION ALL
        SELECT jsonb_build_object('what', 'usage', 'rse', rse.name, 'files', u.files, 'size', u.size, 'held', u.held)
          FROM (SELECT rse_id, sum(files) AS files, sum(size) AS size, sum(held) AS held
                  FROM usage_slot
                 WHERE account_id = %(account_id)s AND vo = %(vo)s
                 GROUP BY rse_id) AS u
          JOIN rse ON rse.rse_id = u.rse_id
        UNION ALL
        SELECT jsonb_build_object('what', 'usage on', 'rse', rse.name, 'day', h.recorded_on, 'files', h.files,
                                  'size', h.size)
          FROM usage_history AS h
          JOIN rse ON rse.rse_id = h.rse_id
         WHERE h.account_id = %(account_id)s AND h.vo = %(vo)s
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def erase_person(conn: Connection, person: Person) -> int:
    """Clear what an account wrote to its rules, and to others' when it decided about them; the rules stay.

    They hold data that others may need.
    """
    return await execute(
        conn,
        """
        WITH decided AS (
            UPDATE rule_event SET detail = NULL
             WHERE by_id = %(account_id)s AND vo = %(vo)s AND detail IS NOT NULL
            RETURNING 1),
        written AS (
            UPDATE rule_detail AS t SET comment = NULL
              FROM rule AS r
             WHERE r.account_id = %(account_id)s AND r.vo = %(vo)s
               AND t.rule_id = r.rule_id AND t.vo = r.vo AND t.comment IS NOT NULL
            RETURNING 1)
        SELECT FROM decided UNION ALL SELECT FROM written
        """,
        {"vo": person.vo, "account_id": person.account_id},
    )

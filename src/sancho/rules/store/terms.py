"""The SQL of changing what a rule asks for, approving it, and letting one take another's place.

Writes `rule` and `rule_detail`; the rules are locked, unless it says otherwise.
"""

from collections.abc import Sequence

from sancho.kit.db import Connection, execute, fetch_rows
from sancho.rules.model import Change, Holding


async def change(conn: Connection, vo: int, rule_id: int, change: Change) -> None:
    """Change the terms of a rule that are named, but for its account. The rule need not be locked."""
    await execute(
        conn,
        """
        WITH timed AS (
            UPDATE rule SET expires_at = now() + %(lifetime)s
             WHERE rule_id = %(rule_id)s AND vo = %(vo)s AND 'lifetime' = ANY(%(fields)s::text[]))
        UPDATE rule_detail
           SET comment = CASE WHEN 'comment' = ANY(%(fields)s::text[]) THEN %(comment)s ELSE comment END,
               activity = CASE WHEN 'activity' = ANY(%(fields)s::text[]) THEN %(activity)s ELSE activity END,
               locked = CASE WHEN 'locked' = ANY(%(fields)s::text[]) THEN %(locked)s ELSE locked END
         WHERE rule_id = %(rule_id)s AND vo = %(vo)s
        """,
        {
            "vo": vo, "rule_id": rule_id, "fields": sorted(change.fields), "lifetime": change.lifetime,
            "comment": change.comment, "activity": change.activity, "locked": change.locked,
        },
    )  # fmt: skip


async def give(conn: Connection, vo: int, rule_id: int, account_id: int) -> None:
    """Let a rule be another account's; the caller sees to who is charged."""
    await execute(
        conn,
        "UPDATE rule SET account_id = %(account_id)s WHERE rule_id = %(rule_id)s AND vo = %(vo)s",
        {"vo": vo, "rule_id": rule_id, "account_id": account_id},
    )


async def approve(conn: Connection, vo: int, rule_id: int) -> None:
    """Let a rule that waits be placed in the background; it lives as long as was asked for, from now on."""
    await execute(
        conn,
        """
        UPDATE rule SET waiting = false, injecting = true, expires_at = rule.expires_at + (now() - x.created_at)
          FROM rule_detail x
         WHERE rule.rule_id = %(rule_id)s AND rule.vo = %(vo)s AND rule.waiting
           AND x.rule_id = rule.rule_id AND x.vo = rule.vo
        """,
        {"vo": vo, "rule_id": rule_id},
    )


async def reduce(
    conn: Connection, vo: int, rule_id: int, *, copies: int, rse_expression: str, rse_ids: Sequence[int]
) -> None:
    """Let a rule ask for fewer copies, on these of its RSEs."""
    await execute(
        conn,
        """
        WITH fewer AS (UPDATE rule SET copies = %(copies)s WHERE rule_id = %(rule_id)s AND vo = %(vo)s)
        UPDATE rule_detail SET rse_expression = %(rse_expression)s, rse_ids = %(rse_ids)s::int[]
         WHERE rule_id = %(rule_id)s AND vo = %(vo)s
        """,
        {
            "vo": vo, "rule_id": rule_id, "copies": copies, "rse_expression": rse_expression, "rse_ids": list(rse_ids)
        },
    )  # fmt: skip


async def holdings(conn: Connection, vo: int, rule_id: int) -> list[Holding]:
    """What a rule holds on each RSE, by RSE. Writes nothing."""
    rows = await fetch_rows(
        conn,
        """
        SELECT l.rse_id, count(*), sum(l.size)::bigint, count(*) FILTER (WHERE q.state IS NULL)
          FROM lock l
          LEFT JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
         WHERE l.rule_id = %(rule_id)s AND l.vo = %(vo)s
         GROUP BY l.rse_id
         ORDER BY l.rse_id
        """,
        {"vo": vo, "rule_id": rule_id},
    )
    return [Holding(*row) for row in rows]


async def settled_moves(conn: Connection, vos: Sequence[int], each: int) -> list[tuple[int, int, int]]:
    """Rules that are ok and take the place of another, (vo, rule, the other), a few of each VO. None is locked yet."""
    rows = await fetch_rows(
        conn,
        """
        SELECT v.vo, x.rule_id, x.replaces
          FROM unnest(%(vos)s::smallint[]) AS v (vo)
         CROSS JOIN LATERAL (
               SELECT y.rule_id, y.replaces
                 FROM rule_detail y JOIN rule r ON r.rule_id = y.rule_id AND r.vo = y.vo
                WHERE y.vo = v.vo AND y.replaces IS NOT NULL AND r.state = 'O'
                  AND NOT EXISTS (SELECT FROM rule_detail o
                                   WHERE o.rule_id = y.replaces AND o.vo = y.vo AND o.locked)
                ORDER BY y.rule_id LIMIT %(each)s) AS x
         ORDER BY v.vo, x.rule_id
        """,
        {"vos": list(vos), "each": each},
    )
    return [(vo, rule_id, replaces) for vo, rule_id, replaces in rows]


async def replaceable(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those of these pairs, (rule, the other), of which, under the lock, the one is still ok and the other not locked.

    The other may be gone.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT x.rule_id, x.replaces
          FROM unnest(%(rule_ids)s::bigint[], %(others)s::bigint[]) AS p (rule_id, other)
          JOIN rule_detail x ON x.rule_id = p.rule_id AND x.vo = %(vo)s AND x.replaces = p.other
          JOIN rule r ON r.rule_id = x.rule_id AND r.vo = x.vo AND r.state = 'O'
          LEFT JOIN rule_detail o ON o.rule_id = p.other AND o.vo = %(vo)s
         WHERE NOT coalesce(o.locked, false)
         ORDER BY x.rule_id
        """,
        {"vo": vo, "rule_ids": [p[0] for p in pairs], "others": [p[1] for p in pairs]},
    )
    return [(rule_id, other) for rule_id, other in rows]


async def forget_moves(conn: Connection, vo: int, rule_ids: Sequence[int]) -> None:
    """These rules take nobody's place any more."""
    await execute(
        conn,
        "UPDATE rule_detail SET replaces = NULL WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "rule_ids": list(rule_ids)},
    )

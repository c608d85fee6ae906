"""The SQL of copies that are made for jobs: the rules of one service account. Writes `rule` and `demand`."""

from collections.abc import Sequence
from datetime import timedelta

from sancho.kit.db import Connection, execute, fetch, fetch_value, fetch_values
from sancho.rules.model import PLACEMENT_ACCOUNT, Copying


async def of_dids(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[Copying]:
    """The rules that copy these DIDs for jobs, and how much of each is there."""
    return await fetch(
        conn,
        Copying,
        """
        SELECT r.rule_id, r.did_id, x.rse_expression AS rse, s.there,
               greatest(s.size, coalesce(d.size, 0)) AS size
          FROM rule r
          JOIN account a ON a.account_id = r.account_id AND a.vo = r.vo AND a.name = %(account)s
          JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
          LEFT JOIN demand d ON d.did_id = r.did_id AND d.vo = r.vo
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(l.size), 0)::bigint AS size,
                      coalesce(sum(l.size) FILTER (WHERE p.state = 'A'), 0)::bigint AS there
                 FROM lock l
                 JOIN replica p ON p.did_id = l.did_id AND p.rse_id = l.rse_id AND p.vo = l.vo
                WHERE l.rule_id = r.rule_id AND l.vo = r.vo) s
         WHERE r.did_id = ANY(%(dids)s::bigint[]) AND r.vo = %(vo)s
           AND (r.expires_at IS NULL OR r.expires_at > now())
         ORDER BY r.did_id, r.rule_id
        """,
        {"vo": vo, "dids": list(did_ids), "account": PLACEMENT_ACCOUNT},
    )


async def held(conn: Connection, vo: int) -> int:
    """Bytes that copies hold together, or will when they are complete."""
    return await fetch_value(
        conn,
        """
        SELECT coalesce(sum(greatest(s.size, d.size, 0)), 0)::bigint
          FROM account a
          JOIN rule r ON r.account_id = a.account_id AND r.vo = a.vo
          LEFT JOIN demand d ON d.did_id = r.did_id AND d.vo = r.vo
         CROSS JOIN LATERAL (
               SELECT sum(l.size)::bigint AS size FROM lock l WHERE l.rule_id = r.rule_id AND l.vo = r.vo) s
         WHERE a.vo = %(vo)s AND a.name = %(account)s
        """,
        {"vo": vo, "account": PLACEMENT_ACCOUNT},
    )


async def note_placed(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Say of DIDs that jobs want that they were copied for them."""
    await execute(
        conn,
        "UPDATE demand SET placed_at = now() WHERE did_id = ANY(%(dids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "dids": list(did_ids)},
    )


async def lock_changing(conn: Connection, vo: int, lifetime: timedelta, grace: timedelta) -> list[int]:
    """Lock, in order, the rules of copies that last for longer than they should, or not as long.

    That is a grace where nobody wants them any more, and else their lifetime.
    """
    return await fetch_values(
        conn,
        """
        SELECT r.rule_id
          FROM account a
          JOIN rule r ON r.account_id = a.account_id AND r.vo = a.vo
          JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE a.vo = %(vo)s AND a.name = %(account)s AND r.expires_at > now()
           AND CASE WHEN EXISTS (SELECT FROM demand d WHERE d.did_id = r.did_id AND d.vo = r.vo)
                    THEN r.expires_at < x.created_at + %(lifetime)s::interval
                    ELSE r.expires_at > now() + %(grace)s::interval END
         ORDER BY r.rule_id FOR NO KEY UPDATE OF r
        """,
        {"vo": vo, "account": PLACEMENT_ACCOUNT, "lifetime": lifetime, "grace": grace},
    )


async def end_or_keep(
    conn: Connection, vo: int, rule_ids: Sequence[int], lifetime: timedelta, grace: timedelta
) -> None:  # fmt: skip
    """Let those of these locked rules that nobody wants any more end after a grace, and others after their lifetime."""
    await execute(
        conn,
        """
        UPDATE rule r
           SET expires_at = CASE
                   WHEN EXISTS (SELECT FROM demand d WHERE d.did_id = r.did_id AND d.vo = r.vo)
                   THEN x.created_at + %(lifetime)s::interval
                   ELSE least(r.expires_at, now() + %(grace)s::interval) END
          FROM rule_detail x
         WHERE r.rule_id = ANY(%(ids)s::bigint[]) AND r.vo = %(vo)s AND x.rule_id = r.rule_id AND x.vo = r.vo
        """,
        {"vo": vo, "ids": list(rule_ids), "lifetime": lifetime, "grace": grace},
    )

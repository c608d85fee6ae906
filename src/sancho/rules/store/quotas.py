"""The SQL of quotas and usage. Writes `quota`, `quota_rse`, `quota_slot` and `usage_slot`.

Whoever charges holds an advisory lock of the VO, shared; whoever changes what quotas mean holds it alone, and may
then work out every room anew from usage. Slots are locked by quota, then slot: some at once or all, never some and
then more.
"""

from collections.abc import Sequence
from typing import LiteralString, NamedTuple

from sancho.kit.db import Connection, execute, fetch, fetch_rows
from sancho.rules.model import SLOTS, Bill, Charge, Quota, Slot, Usage

QUOTA: LiteralString = """
    SELECT q.quota_id, q.name, q.account_id, a.name AS account, q.rse_expression,
           ARRAY(SELECT e.rse_id FROM quota_rse e
                  WHERE e.quota_id = q.quota_id AND e.vo = q.vo ORDER BY e.rse_id) AS rse_ids,
           q.size AS "limit",
           (SELECT coalesce(sum(t.room), 0)::bigint FROM quota_slot t
             WHERE t.quota_id = q.quota_id AND t.vo = q.vo) AS room,
           q.over
      FROM quota q
      LEFT JOIN account a ON a.account_id = q.account_id AND a.vo = q.vo
"""


class QuotaSpec(NamedTuple):
    """A quota as configured."""

    name: str
    account: str | None
    rse_expression: str
    size: int


async def share(conn: Connection, vo: int) -> None:
    """Keep what the VO's quotas mean from changing until the transaction ends."""
    await execute(conn, "SELECT pg_advisory_xact_lock_shared(hashtext('rules.quotas'), %(vo)s::int)", {"vo": vo})


async def alone(conn: Connection, vo: int) -> None:
    """Wait for all who charge the VO's quotas, and keep others from it until the transaction ends."""
    await execute(conn, "SELECT pg_advisory_xact_lock(hashtext('rules.quotas'), %(vo)s::int)", {"vo": vo})


async def quotas_over(conn: Connection, vo: int, account_ids: Sequence[int], rse_ids: Sequence[int]) -> list[Quota]:
    """Quotas that apply to any of these accounts on any of these RSEs, with the room they have; by id."""
    return await fetch(
        conn,
        Quota,
        QUOTA
        + """
         WHERE q.vo = %(vo)s AND (q.account_id IS NULL OR q.account_id = ANY(%(account_ids)s::int[]))
           AND EXISTS (SELECT FROM quota_rse e
                        WHERE e.quota_id = q.quota_id AND e.vo = q.vo AND e.rse_id = ANY(%(rse_ids)s::int[]))
         ORDER BY q.quota_id
        """,
        {"vo": vo, "account_ids": list(account_ids), "rse_ids": list(rse_ids)},
    )


async def all_quotas(conn: Connection, vo: int) -> list[Quota]:
    """All quotas of a VO."""
    return await fetch(conn, Quota, QUOTA + " WHERE q.vo = %(vo)s ORDER BY q.quota_id", {"vo": vo})


async def list_quotas(conn: Connection, vo: int, account_id: int | None, page: tuple[str, int]) -> list[Quota]:
    """Quotas of a VO, or those that apply to an account, by name: so many after a name."""
    return await fetch(
        conn,
        Quota,
        QUOTA
        + """
         WHERE q.vo = %(vo)s AND q.name > %(after)s
           AND (%(account_id)s::int IS NULL OR q.account_id IS NULL OR q.account_id = %(account_id)s)
         ORDER BY q.name
         LIMIT %(limit)s
        """,
        {"vo": vo, "account_id": account_id, "after": page[0], "limit": page[1]},
    )


async def bills(conn: Connection, vo: int, charges: Sequence[Charge]) -> list[Bill]:
    """What the quotas that apply are to be charged, by id; nothing where none applies."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.quota_id, sum(c.size)::bigint, q.over > 0
          FROM unnest(%(account_ids)s::int[], %(rse_ids)s::int[], %(sizes)s::bigint[]) AS c (account_id, rse_id, size)
          JOIN quota_rse e ON e.rse_id = c.rse_id AND e.vo = %(vo)s
          JOIN quota q ON q.quota_id = e.quota_id AND q.vo = %(vo)s
                      AND (q.account_id IS NULL OR q.account_id = c.account_id)
         GROUP BY q.quota_id, q.over
        HAVING sum(c.size) <> 0
         ORDER BY q.quota_id
        """,
        {
            "vo": vo, "account_ids": [c.account_id for c in charges], "rse_ids": [c.rse_id for c in charges],
            "sizes": [c.size + c.held for c in charges],
        },
    )  # fmt: skip
    return [Bill(*row) for row in rows]


async def lock_own_slots(conn: Connection, vo: int, quota_ids: Sequence[int]) -> list[Slot]:
    """Lock this connection's slot of each of these quotas, in order."""
    rows = await fetch_rows(
        conn,
        """
        SELECT quota_id, slot, room FROM quota_slot
         WHERE quota_id = ANY(%(quota_ids)s::int[]) AND vo = %(vo)s AND slot = pg_backend_pid() %% %(slots)s
         ORDER BY quota_id
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "quota_ids": list(quota_ids), "slots": SLOTS},
    )
    return [Slot(*row) for row in rows]


async def lock_all_slots(conn: Connection, vo: int, quota_ids: Sequence[int]) -> list[Slot]:
    """Lock every slot of these quotas, in order."""
    rows = await fetch_rows(
        conn,
        """
        SELECT quota_id, slot, room FROM quota_slot
         WHERE quota_id = ANY(%(quota_ids)s::int[]) AND vo = %(vo)s
         ORDER BY quota_id, slot
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "quota_ids": list(quota_ids)},
    )
    return [Slot(*row) for row in rows]


async def overs(conn: Connection, vo: int, quota_ids: Sequence[int]) -> dict[int, int]:
    """Bytes charged beyond the limits of these quotas, whose slots are all locked."""
    rows = await fetch_rows(
        conn,
        "SELECT quota_id, over FROM quota WHERE quota_id = ANY(%(quota_ids)s::int[]) AND vo = %(vo)s",
        {"vo": vo, "quota_ids": list(quota_ids)},
    )
    return dict(rows)


async def set_rooms(conn: Connection, vo: int, slots: Sequence[Slot]) -> None:
    """Write the rooms of slots, made when they are missing."""
    await execute(
        conn,
        """
        INSERT INTO quota_slot (vo, quota_id, slot, room)
        SELECT %(vo)s, s.quota_id, s.slot, s.room
          FROM unnest(%(quota_ids)s::int[], %(slots)s::smallint[], %(rooms)s::bigint[]) AS s (quota_id, slot, room)
         ORDER BY s.quota_id, s.slot
            ON CONFLICT (quota_id, vo, slot) DO UPDATE SET room = excluded.room
        """,
        {
            "vo": vo, "quota_ids": [s.quota_id for s in slots], "slots": [s.slot for s in slots],
            "rooms": [s.room for s in slots],
        },
    )  # fmt: skip


async def set_overs(conn: Connection, vo: int, overs: Sequence[tuple[int, int]]) -> None:
    """Write how far quotas are charged beyond their limits."""
    await execute(
        conn,
        """
        UPDATE quota SET over = o.over
          FROM unnest(%(quota_ids)s::int[], %(overs)s::bigint[]) AS o (quota_id, over)
         WHERE quota.quota_id = o.quota_id AND quota.vo = %(vo)s AND quota.over <> o.over
        """,
        {"vo": vo, "quota_ids": [q for q, _ in overs], "overs": [o for _, o in overs]},
    )


async def add_usage(conn: Connection, vo: int, charges: Sequence[Charge]) -> None:
    """Count bytes on accounts and RSEs, in this connection's slot."""
    await execute(
        conn,
        """
        INSERT INTO usage_slot (vo, slot, account_id, rse_id, files, size, held)
        SELECT %(vo)s, pg_backend_pid() %% %(slots)s, c.account_id, c.rse_id, sum(c.files), sum(c.size), sum(c.held)
          FROM unnest(%(account_ids)s::int[], %(rse_ids)s::int[], %(files)s::bigint[], %(sizes)s::bigint[],
                      %(held)s::bigint[]) AS c (account_id, rse_id, files, size, held)
         GROUP BY c.account_id, c.rse_id
         ORDER BY c.account_id, c.rse_id
            ON CONFLICT (account_id, rse_id, vo, slot) DO UPDATE
               SET files = usage_slot.files + excluded.files, size = usage_slot.size + excluded.size,
                   held = usage_slot.held + excluded.held
        """,
        {
            "vo": vo, "slots": SLOTS, "account_ids": [c.account_id for c in charges],
            "rse_ids": [c.rse_id for c in charges], "files": [c.files for c in charges],
            "sizes": [c.size for c in charges], "held": [c.held for c in charges],
        },
    )  # fmt: skip


async def list_usage(
    conn: Connection, vo: int, account_id: int | None, rse_id: int | None, page: tuple[int, int, int]
) -> list[Usage]:
    """What accounts lock on RSEs, one or all of each, by account and RSE: so many after a pair of ids."""
    after_account, after_rse, limit = page
    return await fetch(
        conn,
        Usage,
        """
        SELECT u.account_id, a.name AS account, u.rse_id, e.name AS rse, sum(u.files)::bigint AS files,
               sum(u.size)::bigint AS size, sum(u.held)::bigint AS held
          FROM usage_slot u
          JOIN account a ON a.account_id = u.account_id AND a.vo = u.vo
          JOIN rse e ON e.rse_id = u.rse_id
         WHERE u.vo = %(vo)s AND (%(account_id)s::int IS NULL OR u.account_id = %(account_id)s)
           AND (%(rse_id)s::int IS NULL OR u.rse_id = %(rse_id)s)
           AND (u.account_id, u.rse_id) > (%(after_account)s, %(after_rse)s)
         GROUP BY u.account_id, a.name, u.rse_id, e.name
        HAVING sum(u.files) <> 0 OR sum(u.size) <> 0 OR sum(u.held) <> 0
         ORDER BY u.account_id, u.rse_id
         LIMIT %(limit)s
        """,
        {
            "vo": vo,
            "account_id": account_id,
            "rse_id": rse_id,
            "after_account": after_account,
            "after_rse": after_rse,
            "limit": limit,
        },
    )


async def put_quotas(conn: Connection, vo: int, quotas: Sequence[QuotaSpec]) -> list[str]:
    """Make or change quotas by name; return the names of those made. An account that does not exist makes none."""
    rows = await fetch_rows(
        conn,
        """
        INSERT INTO quota (vo, name, account_id, rse_expression, size)
        SELECT %(vo)s, w.name, a.account_id, w.rse_expression, w.size
          FROM unnest(%(names)s::text[], %(accounts)s::text[], %(expressions)s::text[], %(sizes)s::bigint[])
               AS w (name, account, rse_expression, size)
          LEFT JOIN account a ON a.name = w.account AND a.vo = %(vo)s
         WHERE w.account IS NULL OR a.account_id IS NOT NULL
         ORDER BY w.name
            ON CONFLICT (name, vo) DO UPDATE
               SET account_id = excluded.account_id, rse_expression = excluded.rse_expression, size = excluded.size
        RETURNING name
        """,
        {
            "vo": vo, "names": [q.name for q in quotas], "accounts": [q.account for q in quotas],
            "expressions": [q.rse_expression for q in quotas], "sizes": [q.size for q in quotas],
        },
    )  # fmt: skip
    return [row[0] for row in rows]


async def delete_quotas(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove quotas by name, with what they charged."""
    await execute(
        conn,
        "DELETE FROM quota WHERE name = ANY(%(names)s::text[]) AND vo = %(vo)s",
        {"vo": vo, "names": list(names)},
    )


async def vos_with_quotas(conn: Connection) -> list[int]:
    """VOs that this transaction serves and that have quotas, in order."""
    rows = await fetch_rows(conn, "SELECT DISTINCT vo FROM quota ORDER BY vo")
    return [row[0] for row in rows]


async def put_quota_rses(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> None:
    """Say anew to which RSEs all quotas of a VO apply: (quota, RSE) pairs."""
    await execute(
        conn,
        """
        WITH gone AS (
            DELETE FROM quota_rse e
             WHERE e.vo = %(vo)s
               AND NOT EXISTS (SELECT FROM unnest(%(quota_ids)s::int[], %(rse_ids)s::int[]) AS w (quota_id, rse_id)
                                WHERE w.quota_id = e.quota_id AND w.rse_id = e.rse_id))
        INSERT INTO quota_rse (vo, quota_id, rse_id)
        SELECT %(vo)s, w.quota_id, w.rse_id
          FROM unnest(%(quota_ids)s::int[], %(rse_ids)s::int[]) AS w (quota_id, rse_id)
         ORDER BY w.quota_id, w.rse_id
            ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "quota_ids": [q for q, _ in pairs], "rse_ids": [r for _, r in pairs]},
    )


async def charged(conn: Connection, vo: int) -> dict[int, int]:
    """What each quota of a VO should have been charged, worked out from usage; call it under `alone`."""
    rows = await fetch_rows(
        conn,
        """
        SELECT q.quota_id, coalesce(sum(u.size + u.held), 0)::bigint
          FROM quota q
          LEFT JOIN quota_rse e ON e.quota_id = q.quota_id AND e.vo = q.vo
          LEFT JOIN usage_slot u ON u.rse_id = e.rse_id AND u.vo = e.vo
                                AND (q.account_id IS NULL OR u.account_id = q.account_id)
         WHERE q.vo = %(vo)s
         GROUP BY q.quota_id
        """,
        {"vo": vo},
    )
    return dict(rows)

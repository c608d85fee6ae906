"""The SQL of many rules at once: for files that arrive, and when all that an account has on a DID is given up."""

from collections.abc import Sequence
from datetime import datetime

from sancho.kit.db import Connection, execute, fetch_rows, fetch_values
from sancho.rules.model import Holder, RuleOn, Want
from sancho.rules.store.rows import NewRule


async def files_under_rules(conn: Connection, vo: int, file_ids: Sequence[int]) -> set[int]:
    """Those of these files that a rule in force is over: on the file itself, or on a collection above it."""
    return set(
        await fetch_values(
            conn,
            """
            WITH RECURSIVE above (file_id, did_id) AS (
                SELECT f, f FROM unnest(%(file_ids)s::bigint[]) AS f
                 UNION
                SELECT above.file_id, holder.parent_id
                  FROM above
                 CROSS JOIN LATERAL (
                       SELECT a.parent_id FROM attachment a
                        WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
            SELECT DISTINCT above.file_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT FROM rule r
                    WHERE r.did_id = above.did_id AND r.vo = %(vo)s
                      AND NOT r.waiting AND NOT r.pin AND (r.expires_at IS NULL OR r.expires_at > now())
                    LIMIT 1) AS over
            """,
            {"vo": vo, "file_ids": list(file_ids)},
        )
    )


async def insert_rules(conn: Connection, vo: int, rules: Sequence[NewRule], *, implicit: Sequence[bool]) -> list[int]:
    """Insert rules without locks, at most one for each DID, and return their ids; `implicit`: nobody asked for it."""
    return await fetch_values(
        conn,
        """
        WITH wanted AS (
            SELECT w.*, string_to_array(w.rses, ',')::int[] AS rse_ids
              FROM unnest(%(accounts)s::int[], %(dids)s::bigint[], %(copies)s::smallint[], %(lifetimes)s::interval[],
                          %(rses)s::text[], %(expressions)s::text[], %(activities)s::text[], %(implicit)s::boolean[])
                   AS w (account_id, did_id, copies, lifetime, rses, rse_expression, activity, implicit)),
        made AS (
            INSERT INTO rule (vo, account_id, did_id, copies, expires_at)
            SELECT %(vo)s, account_id, did_id, copies, now() + lifetime FROM wanted ORDER BY did_id
            RETURNING rule_id, did_id)
        INSERT INTO rule_detail (vo, implicit, rule_id, version, rse_ids, rse_expression, activity, traceparent)
        SELECT %(vo)s, wanted.implicit, made.rule_id, %(version)s, wanted.rse_ids, wanted.rse_expression,
               wanted.activity, %(traceparent)s
          FROM made JOIN wanted ON wanted.did_id = made.did_id
        RETURNING rule_id
        """,
        {
            "vo": vo, "accounts": [r.account_id for r in rules], "dids": [r.did_id for r in rules],
            "copies": [r.copies for r in rules], "lifetimes": [r.lifetime for r in rules],
            "rses": [",".join(map(str, r.rse_ids)) for r in rules],
            "expressions": [r.rse_expression for r in rules], "activities": [r.activity for r in rules],
            "implicit": list(implicit), "version": rules[0].version, "traceparent": rules[0].traceparent,
        },
    )  # fmt: skip


async def dids_given_up(
    conn: Connection, vo: int, account_id: int, root: int, *, after: int = 0, limit: int
) -> list[int]:  # fmt: skip
    """The first of a DID and the files below it whose ids are above `after` and on which an account has rules."""
    return await fetch_values(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did WHERE did_id = %(root)s AND vo = %(vo)s
             UNION
            SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C')
        SELECT %(root)s::bigint
         WHERE %(root)s > %(after)s
           AND EXISTS (SELECT FROM rule r
                        WHERE r.did_id = %(root)s AND r.vo = %(vo)s AND r.account_id = %(account_id)s)
         UNION
        SELECT first.child_id
          FROM below
         CROSS JOIN LATERAL (
               SELECT a.child_id FROM attachment a
                WHERE a.parent_id = below.did_id AND a.vo = %(vo)s AND a.child_id > %(after)s
                  AND EXISTS (SELECT FROM rule r
                               WHERE r.did_id = a.child_id AND r.vo = %(vo)s AND r.account_id = %(account_id)s)
                ORDER BY a.child_id LIMIT %(limit)s) AS first
         WHERE below.kind = 'D'
         ORDER BY 1 LIMIT %(limit)s
        """,
        {"vo": vo, "account_id": account_id, "root": root, "after": after, "limit": limit},
    )


async def rules_given_up(
    conn: Connection, vo: int, account_id: int, root: int, did_ids: Sequence[int], *, until: datetime | None = None
) -> list[RuleOn]:
    """The rules that an account has on a DID, and those on these files that came with its uploads; by id.

    Those in force; with `until` those that were made no later, be they at their end or not.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT r.rule_id, r.did_id, r.account_id, r.ok + r.replicating + r.stuck, r.injecting
          FROM rule r JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE r.did_id = ANY(%(did_ids)s::bigint[]) AND r.vo = %(vo)s AND r.account_id = %(account_id)s
           AND (r.did_id = %(root)s OR x.implicit) AND NOT x.locked
           AND CASE WHEN %(until)s::timestamptz IS NULL THEN r.expires_at IS NULL OR r.expires_at > now()
                    ELSE x.created_at <= %(until)s::timestamptz END
         ORDER BY r.rule_id
        """,
        {"vo": vo, "account_id": account_id, "root": root, "did_ids": list(did_ids), "until": until},
    )
    return [RuleOn(*row) for row in rows]


async def holders(conn: Connection, vo: int, root: int, account_id: int, limit: int, *, among: int) -> list[Holder]:
    """The first rules in force that are on a DID, or hold files that are or lie below it.

    Those are left out that came with uploads of an account and are not locked: it gives them up. Of each dataset no
    more files are looked at than `among`; what holds only others of them, one by one, is not found.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did WHERE did_id = %(root)s AND vo = %(vo)s
             UNION
            SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C'),
        file (did_id) AS (
            SELECT did_id FROM below WHERE kind = 'F'
             UNION
            SELECT first.child_id
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s
                    ORDER BY a.child_id LIMIT %(among)s) AS first
             WHERE below.kind = 'D')
        SELECT r.rule_id, a.name, s.name || ':' || d.name
          FROM (SELECT l.rule_id FROM file JOIN lock l ON l.did_id = file.did_id AND l.vo = %(vo)s
                 UNION
                SELECT rule.rule_id
                  FROM below JOIN rule ON rule.did_id = below.did_id AND rule.vo = %(vo)s
                 WHERE rule.did_id = %(root)s OR rule.ok + rule.replicating + rule.stuck > 0) AS held
          JOIN rule r ON r.rule_id = held.rule_id AND r.vo = %(vo)s AND (r.expires_at IS NULL OR r.expires_at > now())
          JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = %(vo)s
                            AND (x.locked OR NOT x.implicit OR r.account_id <> %(account_id)s)
          JOIN account a ON a.account_id = r.account_id AND a.vo = %(vo)s
          JOIN did d ON d.did_id = r.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY r.rule_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "root": root, "account_id": account_id, "limit": limit, "among": among},
    )
    return [Holder(*row) for row in rows]


async def locks_of_rules(conn: Connection, vo: int, rule_ids: Sequence[int]) -> list[Want]:
    """All locks of these rules, in the order of their replicas."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, rse_id, rule_id, size FROM lock
         WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY did_id, rse_id, rule_id
        """,
        {"vo": vo, "rule_ids": list(rule_ids)},
    )
    return [Want(*row) for row in rows]


async def delete_rules(conn: Connection, vo: int, rule_ids: Sequence[int]) -> None:
    """Remove rules that have no locks any more."""
    await execute(
        conn,
        "DELETE FROM rule WHERE rule_id = ANY(%(rule_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "rule_ids": list(rule_ids)},
    )

"""The SQL of rules on single files: which files no rule is over, and rules for many of them at once."""

from collections.abc import Sequence

from sancho.kit.db import Connection, execute, fetch_values
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
                SELECT above.file_id, a.parent_id
                  FROM above JOIN attachment a ON a.child_id = above.did_id AND a.vo = %(vo)s)
            SELECT DISTINCT above.file_id
              FROM above JOIN rule r ON r.did_id = above.did_id AND r.vo = %(vo)s
             WHERE r.expires_at IS NULL OR r.expires_at > now()
            """,
            {"vo": vo, "file_ids": list(file_ids)},
        )
    )


async def insert_rules(conn: Connection, vo: int, rules: Sequence[NewRule], *, implicit: Sequence[bool]) -> None:
    """Insert rules without locks, at most one for each DID; `implicit` those that nobody asked for."""
    await execute(
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
        """,
        {
            "vo": vo, "accounts": [r.account_id for r in rules], "dids": [r.did_id for r in rules],
            "copies": [r.copies for r in rules], "lifetimes": [r.lifetime for r in rules],
            "rses": [",".join(map(str, r.rse_ids)) for r in rules],
            "expressions": [r.rse_expression for r in rules], "activities": [r.activity for r in rules],
            "implicit": list(implicit), "version": rules[0].version, "traceparent": rules[0].traceparent,
        },
    )  # fmt: skip

"""The SQL of rules on what is to be erased."""

from collections.abc import Sequence

from sancho.kit.db import Connection, fetch_rows
from sancho.rules.model import Holder, RuleOn


async def that_hold(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Holder]:
    """For each of these DIDs the first rule in force, on it or above it, that is locked or of somebody else.

    Somebody else is an account that the DID does not belong to.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (root_id, did_id) AS (
            SELECT root, root FROM unnest(%(did_ids)s::bigint[]) AS root
             UNION
            SELECT above.root_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT DISTINCT ON (above.root_id) above.root_id, r.rule_id, a.name, s.name || ':' || d.name
          FROM above
          JOIN did root ON root.did_id = above.root_id AND root.vo = %(vo)s
          JOIN rule r ON r.did_id = above.did_id AND r.vo = %(vo)s AND (r.expires_at IS NULL OR r.expires_at > now())
          JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = %(vo)s
                            AND (x.locked OR r.account_id <> root.account_id)
          JOIN account a ON a.account_id = r.account_id AND a.vo = %(vo)s
          JOIN did d ON d.did_id = r.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY above.root_id, r.rule_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return {root_id: Holder(*rest) for root_id, *rest in rows}


async def on(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[RuleOn]:
    """All rules that are on these DIDs, past their time or not, by id."""
    rows = await fetch_rows(
        conn,
        """
        SELECT rule_id, did_id, account_id, ok + replicating + stuck, injecting
          FROM rule
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY rule_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return [RuleOn(*row) for row in rows]

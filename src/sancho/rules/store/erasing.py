"""The SQL of rules on what is to be erased."""

from collections.abc import Sequence
from datetime import datetime

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
         CROSS JOIN LATERAL (
               SELECT rule.rule_id, rule.account_id, rule.did_id
                 FROM rule
                 JOIN did root ON root.did_id = above.root_id AND root.vo = %(vo)s
                 JOIN rule_detail x ON x.rule_id = rule.rule_id AND x.vo = %(vo)s
                                   AND (x.locked OR rule.account_id <> root.account_id)
                WHERE rule.did_id = above.did_id AND rule.vo = %(vo)s
                  AND (rule.expires_at IS NULL OR rule.expires_at > now()) OFFSET 0) AS r
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


async def lying_only_in(
    conn: Connection, vo: int, archive_ids: Sequence[int], *, now: datetime, among: Sequence[int] | None = None
) -> list[tuple[int, int, str, bool]]:
    """The files that lie in these archives and nowhere else: archive, file, its name, and whether it is wanted.

    It is if it belongs to another account than the archive, is in a collection or under a rule. Those that end by
    themselves by now are left out. With `among`, of these files alone.
    """
    return await fetch_rows(
        conn,
        """
        SELECT found.archive_id, d.did_id, s.name || ':' || d.name,
               d.account_id <> archive.account_id
               OR EXISTS (SELECT FROM attachment a WHERE a.child_id = d.did_id AND a.vo = %(vo)s)
               OR EXISTS (SELECT FROM rule r WHERE r.did_id = d.did_id AND r.vo = %(vo)s)
          FROM constituent found
          JOIN did archive ON archive.did_id = found.archive_id AND archive.vo = %(vo)s
          JOIN did d ON d.did_id = found.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE found.archive_id = ANY(%(archive_ids)s::bigint[]) AND found.vo = %(vo)s
        """  # noqa: S608 - literals
        + ("" if among is None else " AND found.did_id = ANY(%(among)s::bigint[])")
        + """
           AND NOT EXISTS (
               SELECT FROM ending e WHERE e.did_id = d.did_id AND e.vo = %(vo)s AND e.ends_at <= %(now)s)
           AND NOT EXISTS (SELECT FROM replica r WHERE r.did_id = d.did_id AND r.vo = %(vo)s AND r.state IN ('A', 'T'))
           AND NOT EXISTS (
               SELECT FROM constituent other
                WHERE other.did_id = d.did_id AND other.vo = %(vo)s
                  AND other.archive_id <> ALL(%(archive_ids)s::bigint[]))
         ORDER BY found.archive_id, d.did_id
        """,
        {"vo": vo, "archive_ids": list(archive_ids), "now": now, "among": list(among or ())},
    )

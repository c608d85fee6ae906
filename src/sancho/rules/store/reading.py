"""The SQL of reading many rules and locks: from server-side cursors, or of many DIDs at once."""

from collections.abc import AsyncIterator, Sequence
from typing import LiteralString

from sancho.kit.db import Connection, fetch, stream_as
from sancho.rules.model import Asked, DatasetLock, Lock, Rule
from sancho.rules.store.rows import RULE

_OVER: LiteralString = """
         WHERE r.vo = %(vo)s
           AND r.did_id = ANY(ARRAY(
               WITH RECURSIVE above (did_id) AS (
                   SELECT %(did_id)s::bigint
                    UNION
                   SELECT holder.parent_id
                     FROM above
                    CROSS JOIN LATERAL (
                          SELECT a.parent_id FROM attachment a
                           WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
               SELECT did_id FROM above))
         ORDER BY r.rule_id
        """


async def rules_by_id(conn: Connection, vo: int, rule_ids: Sequence[int]) -> list[Rule]:
    """Those of these rules that exist, by id."""
    return await fetch(
        conn,
        Rule,
        RULE + "WHERE r.rule_id = ANY(%(rule_ids)s::bigint[]) AND r.vo = %(vo)s ORDER BY r.rule_id",
        {"vo": vo, "rule_ids": list(rule_ids)},
    )


async def stream_rules(conn: Connection, vo: int, asked: Asked) -> AsyncIterator[list[Rule]]:
    """The rules that are asked for, newest first."""
    query = (
        RULE
        + """
         WHERE r.vo = %(vo)s
           AND (%(account)s::text IS NULL OR a.name = %(account)s)
           AND (%(scope)s::text IS NULL OR s.name = %(scope)s)
           AND (%(name)s::text IS NULL OR d.name = %(name)s)
           AND (%(state)s::"char" IS NULL OR r.state = %(state)s::"char")
           AND (%(rse_expression)s::text IS NULL OR x.rse_expression = %(rse_expression)s)
           AND (%(activity)s::text IS NULL OR x.activity = %(activity)s)
           AND (%(kind)s::"char" IS NULL OR d.kind = %(kind)s::"char")
           AND (%(since)s::timestamptz IS NULL OR x.created_at >= %(since)s)
           AND (%(before)s::timestamptz IS NULL OR x.created_at < %(before)s)
           AND (%(copies)s::smallint IS NULL OR r.copies = %(copies)s)
           AND (%(locked)s::bool IS NULL OR x.locked = %(locked)s)
           AND (%(comment)s::text IS NULL OR x.comment = %(comment)s)
         ORDER BY r.rule_id DESC
        """
    )
    params = {
        "vo": vo, **asked._asdict(), "state": asked.state.value if asked.state else None,
        "kind": asked.kind.value if asked.kind else None,
    }  # fmt: skip
    async for some in stream_as(conn, Rule, query, params):
        yield some


async def rules_over(conn: Connection, vo: int, did_id: int) -> list[Rule]:
    """Rules on a DID, or on anything that it is in, by id."""
    return await fetch(
        conn,
        Rule,
        RULE + _OVER,
        {"vo": vo, "did_id": did_id},
    )


async def stream_locks(conn: Connection, vo: int, rule_id: int) -> AsyncIterator[list[Lock]]:
    """All locks of a rule by RSE and file, each with the state that its replica gives it.

    Each is looked up in turn, in the order of their index: the first come at once.
    """
    query = """
        SELECT l.did_id, l.rse_id, d.scope || ':' || d.name AS did, e.name AS rse, l.size,
               CASE WHEN q.state IS NULL THEN 'ok' WHEN q.state = 'S' THEN 'stuck' ELSE 'replicating' END AS state,
               q.error
          FROM (SELECT did_id, rse_id, size FROM lock
                 WHERE rule_id = %(rule_id)s AND vo = %(vo)s ORDER BY rse_id, did_id OFFSET 0) AS l
         CROSS JOIN LATERAL (
               SELECT s.name AS scope, d.name
                 FROM did d JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
                WHERE d.did_id = l.did_id AND d.vo = %(vo)s OFFSET 0) AS d
         CROSS JOIN LATERAL (SELECT name FROM rse WHERE rse_id = l.rse_id OFFSET 0) AS e
          LEFT JOIN LATERAL (
               SELECT state, error FROM transfer_request
                WHERE did_id = l.did_id AND vo = %(vo)s AND rse_id = l.rse_id OFFSET 0) AS q ON true
        """
    async for some in stream_as(conn, Lock, query, {"vo": vo, "rule_id": rule_id}):
        yield some


async def stream_dataset_locks(
    conn: Connection, vo: int, dataset_ids: Sequence[int]
) -> AsyncIterator[list[DatasetLock]]:
    """What rules on these datasets, or on anything that they are in, hold of them on each RSE."""
    query = """
        WITH RECURSIVE above (dataset_id, did_id) AS (
            SELECT dataset_id, dataset_id FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (dataset_id)
             UNION
            SELECT above.dataset_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT above.dataset_id AS did_id, s.name AS scope, d.name, r.rule_id, c.name AS account, held.rse_id,
               e.name AS rse, held.files, held.size, held.replicating, held.stuck
          FROM above
          JOIN rule r ON r.did_id = above.did_id AND r.vo = %(vo)s
          JOIN account c ON c.account_id = r.account_id AND c.vo = r.vo
          JOIN did d ON d.did_id = above.dataset_id AND d.vo = %(vo)s AND d.kind = 'D'
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         CROSS JOIN LATERAL (
               SELECT l.rse_id, count(*) AS files, sum(l.size)::bigint AS size,
                      count(*) FILTER (WHERE q.state <> 'S') AS replicating,
                      count(*) FILTER (WHERE q.state = 'S') AS stuck
                 FROM attachment a
                 JOIN lock l ON l.did_id = a.child_id AND l.vo = %(vo)s AND l.rule_id = r.rule_id
                 LEFT JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
                WHERE a.parent_id = above.dataset_id AND a.vo = %(vo)s
                GROUP BY l.rse_id) AS held
          JOIN rse e ON e.rse_id = held.rse_id
         ORDER BY above.dataset_id, r.rule_id, held.rse_id
        """
    async for some in stream_as(conn, DatasetLock, query, {"vo": vo, "dataset_ids": list(dataset_ids)}):
        yield some


async def stream_dataset_locks_on(conn: Connection, vo: int, rse_id: int) -> AsyncIterator[list[DatasetLock]]:
    """What rules hold of datasets on an RSE: rule by rule, and for each the datasets that are or lie below its DID."""
    query = """
        SELECT below.did_id, s.name AS scope, d.name, r.rule_id, c.name AS account, held.rse_id, e.name AS rse,
               held.files, held.size, held.replicating, held.stuck
          FROM rule_detail x
          JOIN rule r ON r.rule_id = x.rule_id AND r.vo = x.vo
          JOIN account c ON c.account_id = r.account_id AND c.vo = r.vo
          JOIN rse e ON e.rse_id = %(rse_id)s
         CROSS JOIN LATERAL (
               WITH RECURSIVE under (did_id, kind) AS (
                   SELECT did_id, kind FROM did WHERE did.did_id = r.did_id AND did.vo = %(vo)s AND did.kind <> 'F'
                    UNION
                   SELECT inside.child_id, (SELECT n.kind FROM did n WHERE n.did_id = inside.child_id AND n.vo = %(vo)s)
                     FROM under
                    CROSS JOIN LATERAL (
                          SELECT a.child_id FROM attachment a
                           WHERE a.parent_id = under.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
                    WHERE under.kind = 'C')
               SELECT did_id FROM under WHERE kind = 'D') AS below
          JOIN did d ON d.did_id = below.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         CROSS JOIN LATERAL (
               SELECT l.rse_id, count(*) AS files, sum(l.size)::bigint AS size,
                      count(*) FILTER (WHERE q.state <> 'S') AS replicating,
                      count(*) FILTER (WHERE q.state = 'S') AS stuck
                 FROM attachment a
                 JOIN lock l ON l.did_id = a.child_id AND l.vo = %(vo)s AND l.rule_id = r.rule_id
                            AND l.rse_id = %(rse_id)s
                 LEFT JOIN transfer_request q ON q.did_id = l.did_id AND q.vo = l.vo AND q.rse_id = l.rse_id
                WHERE a.parent_id = below.did_id AND a.vo = %(vo)s
                GROUP BY l.rse_id) AS held
         WHERE x.vo = %(vo)s AND %(rse_id)s = ANY (x.rse_ids)
         ORDER BY x.rule_id, x.vo
        """
    async for some in stream_as(conn, DatasetLock, query, {"vo": vo, "rse_id": rse_id}):
        yield some

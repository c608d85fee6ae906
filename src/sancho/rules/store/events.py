"""The SQL of what was done to rules. Writes `rule_event`, where rows are added and none is changed."""

from collections.abc import AsyncIterator, Sequence
from typing import LiteralString

from sancho.kit.db import Connection, execute, fetch, stream_as
from sancho.rules.model import EventKind, RuleEvent

_EVENT: LiteralString = """
    SELECT v.event_id, v.kind, v.at, b.name AS by, v.rule_id, s.name || ':' || d.name AS did, a.name AS account,
           v.state, v.copies, v.rse_expression, v.ok, v.replicating, v.stuck, v.made_at, v.detail
      FROM rule_event v
      JOIN account a ON a.account_id = v.account_id AND a.vo = v.vo
      LEFT JOIN account b ON b.account_id = v.by_id AND b.vo = v.vo
      JOIN did d ON d.did_id = v.did_id AND d.vo = v.vo
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
     WHERE v.vo = %(vo)s AND (%(rule_id)s::bigint IS NULL OR v.rule_id = %(rule_id)s)
       AND (%(did_id)s::bigint IS NULL OR v.did_id = %(did_id)s)
"""


async def record(
    conn: Connection, vo: int, rule_ids: Sequence[int], kind: EventKind, *, by_id: int | None, detail: str | None = None
) -> None:
    """Note what was done to rules, as they are now; of those that nobody asked for nothing is noted."""
    await execute(
        conn,
        """
        INSERT INTO rule_event (vo, kind, state, copies, account_id, by_id, ok, replicating, stuck, rule_id, did_id,
                                made_at, rse_expression, detail)
        SELECT r.vo, %(kind)s, r.state, r.copies, r.account_id, %(by_id)s, r.ok, r.replicating, r.stuck, r.rule_id,
               r.did_id, x.created_at, x.rse_expression, %(detail)s
          FROM rule r JOIN rule_detail x ON x.rule_id = r.rule_id AND x.vo = r.vo
         WHERE r.rule_id = ANY(%(rule_ids)s::bigint[]) AND r.vo = %(vo)s AND NOT x.implicit
         ORDER BY r.rule_id
        """,
        {"vo": vo, "rule_ids": list(rule_ids), "kind": kind.value, "by_id": by_id, "detail": detail},
    )


async def list_events(
    conn: Connection, vo: int, *, rule_id: int | None, did_id: int | None, page: tuple[int, int]
) -> list[RuleEvent]:
    """What was done to a rule, or to all rules on a DID, oldest first: so many after an id."""
    after, limit = page
    return await fetch(
        conn,
        RuleEvent,
        _EVENT + "AND v.event_id > %(after)s ORDER BY v.event_id LIMIT %(limit)s",
        {"vo": vo, "rule_id": rule_id, "did_id": did_id, "after": after, "limit": limit},
    )


async def stream_events(
    conn: Connection, vo: int, *, rule_id: int | None, did_id: int | None
) -> AsyncIterator[list[RuleEvent]]:
    """The same, all of it, newest first."""
    query = _EVENT + "ORDER BY v.event_id DESC"
    async for some in stream_as(conn, RuleEvent, query, {"vo": vo, "rule_id": rule_id, "did_id": did_id}):
        yield some

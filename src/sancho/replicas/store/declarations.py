"""What was said of replicas. Writes `declaration`; whoever changes it holds the rows of the replicas."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from sancho.kit.db import Connection, execute, fetch, fetch_rows, stream, stream_as
from sancho.replicas.model import (
    Declaration,
    DeclarationKind,
    DeclarationState,
    ReplicaKey,
    Saying,
    Suspicion,
    Troubles,
    TroubleSum,
)

_DECLARATION: LiteralString = """
    SELECT x.declaration_id, x.kind, x.state, x.did_id, s.name AS scope, d.name, x.rse_id, e.name AS rse,
           a.name AS account, x.reason, x.declared_at, x.until, x.ended_at, p.path
      FROM declaration x
      JOIN did d ON d.did_id = x.did_id AND d.vo = x.vo
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
      JOIN rse e ON e.rse_id = x.rse_id
      LEFT JOIN account a ON a.account_id = x.account_id AND a.vo = x.vo
      LEFT JOIN replica_path p ON p.did_id = x.did_id AND p.vo = x.vo AND p.rse_id = x.rse_id
"""
_ASKED: LiteralString = """
     WHERE x.vo = %(vo)s AND x.kind = ANY(%(kinds)s::"char"[]) AND x.state = ANY(%(states)s::"char"[])
       AND (%(rse_ids)s::int[] IS NULL OR x.rse_id = ANY(%(rse_ids)s::int[]))
       AND (%(did_id)s::bigint IS NULL OR x.did_id = %(did_id)s)
       AND (%(since)s::timestamptz IS NULL OR x.declared_at >= %(since)s)
       AND (%(before)s::timestamptz IS NULL OR x.declared_at < %(before)s)
"""


def _asked(vo: int, asked: Troubles) -> dict[str, Any]:
    return {
        "vo": vo, "kinds": [kind.value for kind in asked.kinds], "states": [state.value for state in asked.states],
        "rse_ids": None if asked.rse_ids is None else list(asked.rse_ids), "did_id": asked.did_id,
        "since": asked.since, "before": asked.before,
    }  # fmt: skip


def _columns(keys: Sequence[ReplicaKey]) -> dict[str, list[int]]:
    return {"did_ids": [k.did_id for k in keys], "rse_ids": [k.rse_id for k in keys]}


async def insert(conn: Connection, vo: int, keys: Sequence[ReplicaKey], said: Saying, account_id: int | None) -> None:
    """Note what was said of locked replicas."""
    await execute(
        conn,
        """
        INSERT INTO declaration (vo, kind, account_id, rse_id, did_id, until, reason)
        SELECT %(vo)s, %(kind)s, %(account_id)s, k.rse_id, k.did_id, %(until)s, %(reason)s
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
        """,
        {
            "vo": vo, "kind": said.kind.value if said.kind else None, "account_id": account_id, "until": said.until,
            "reason": said.reason, **_columns(keys),
        },
    )  # fmt: skip


async def end(
    conn: Connection, vo: int, keys: Sequence[ReplicaKey], kinds: Sequence[DeclarationKind], state: DeclarationState
) -> int:
    """Let what stands of these locked replicas, or said that they are lost, have come to this; say how many."""
    return await execute(
        conn,
        """
        UPDATE declaration x SET state = %(state)s, ended_at = now()
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE x.did_id = k.did_id AND x.vo = %(vo)s AND x.rse_id = k.rse_id AND x.kind = ANY(%(kinds)s::"char"[])
           AND (x.state = 'S' OR x.state = 'L' AND %(state)s::"char" IN ('R', 'D'))
        """,
        {"vo": vo, "kinds": [kind.value for kind in kinds], "state": state.value, **_columns(keys)},
    )


async def end_gone(conn: Connection, gone: Sequence[tuple[int, int, int]]) -> None:
    """Let what stands of replicas that have just gone, (VO, file, RSE), be deleted, or lost with no other left."""
    await execute(
        conn,
        """
        UPDATE declaration x
           SET state = CASE WHEN x.kind = 'B' AND NOT EXISTS (SELECT FROM replica r
                                                               WHERE r.did_id = x.did_id AND r.vo = x.vo
                                                                 AND r.state IN ('A', 'T') OFFSET 0)
                            THEN 'L'::"char" ELSE 'D'::"char" END, ended_at = now()
          FROM unnest(%(vos)s::smallint[], %(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (vo, did_id, rse_id)
         WHERE x.did_id = k.did_id AND x.vo = k.vo AND x.rse_id = k.rse_id AND x.state = 'S'
        """,
        {"vos": [g[0] for g in gone], "did_ids": [g[1] for g in gone], "rse_ids": [g[2] for g in gone]},
    )


async def end_lost(conn: Connection, vo: int, keys: Sequence[ReplicaKey]) -> None:
    """Let what says that these locked replicas are bad say that they are lost, where no copy is left to bring."""
    await execute(
        conn,
        """
        UPDATE declaration x SET state = 'L', ended_at = now()
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
         WHERE x.did_id = k.did_id AND x.vo = %(vo)s AND x.rse_id = k.rse_id AND x.kind = 'B' AND x.state = 'S'
           AND NOT EXISTS (SELECT FROM replica r
                            WHERE r.did_id = x.did_id AND r.vo = x.vo AND r.state IN ('A', 'T') OFFSET 0)
        """,
        {"vo": vo, **_columns(keys)},
    )


async def due(conn: Connection, vos: Sequence[int], now: datetime, each: int) -> list[tuple[int, ReplicaKey]]:
    """Replicas whose time of being unavailable has passed, with their VO, a few of each."""
    rows = await fetch_rows(
        conn,
        """
        SELECT v.vo, x.did_id, x.rse_id
          FROM unnest(%(vos)s::smallint[]) AS v (vo)
         CROSS JOIN LATERAL (
               SELECT did_id, rse_id FROM declaration
                WHERE declaration.vo = v.vo AND state = 'S' AND until <= %(now)s
                ORDER BY until LIMIT %(each)s) AS x
         ORDER BY v.vo, x.did_id, x.rse_id
        """,
        {"vos": list(vos), "now": now, "each": each},
    )
    return [(vo, ReplicaKey(did_id, rse_id)) for vo, did_id, rse_id in rows]


async def still_due(conn: Connection, vo: int, keys: Sequence[ReplicaKey], now: datetime) -> list[ReplicaKey]:
    """Those of these locked replicas whose time has passed, as it is under the lock; in order."""
    rows = await fetch_rows(
        conn,
        """
        SELECT DISTINCT x.did_id, x.rse_id
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[]) AS k (did_id, rse_id)
          JOIN declaration x ON x.did_id = k.did_id AND x.vo = %(vo)s AND x.rse_id = k.rse_id
         WHERE x.state = 'S' AND x.until <= %(now)s
         ORDER BY x.did_id, x.rse_id
        """,
        {"vo": vo, "now": now, **_columns(keys)},
    )
    return [ReplicaKey(*row) for row in rows]


async def list_declarations(
    conn: Connection, vo: int, asked: Troubles, page: tuple[int | None, int]
) -> list[Declaration]:
    """Declarations, newest first: so many before an id."""
    before, limit = page
    return await fetch(
        conn,
        Declaration,
        _DECLARATION
        + _ASKED
        + """
           AND x.declaration_id < coalesce(%(cursor)s, 9223372036854775807)
         ORDER BY x.declaration_id DESC
         LIMIT %(limit)s
        """,
        {**_asked(vo, asked), "cursor": before, "limit": limit},
    )


async def stream_declarations(conn: Connection, vo: int, asked: Troubles) -> AsyncIterator[list[Declaration]]:
    """All declarations that are asked for, newest first."""
    query = _DECLARATION + _ASKED + "ORDER BY x.declaration_id DESC"
    async for some in stream_as(conn, Declaration, query, _asked(vo, asked)):
        yield some


async def stream_suspicions(
    conn: Connection, vo: int, asked: Troubles, at_least: int
) -> AsyncIterator[list[Suspicion]]:
    """Replicas and how often the declarations that are asked for name them: those that are named often enough."""
    query: LiteralString = """
        SELECT s.name, d.name, said.rse_id, e.name, said.times, said.first_at
          FROM (SELECT x.did_id, x.rse_id, count(*) AS times, min(x.declared_at) AS first_at
                  FROM declaration x {asked}
                 GROUP BY x.did_id, x.rse_id HAVING count(*) >= %(at_least)s) AS said
          JOIN did d ON d.did_id = said.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          JOIN rse e ON e.rse_id = said.rse_id
         ORDER BY said.did_id, said.rse_id
        """
    params: Mapping[str, Any] = {**_asked(vo, asked), "at_least": at_least}
    async for rows in stream(conn, query.replace("{asked}", _ASKED), params):
        yield [Suspicion(*row) for row in rows]


async def stream_sums(conn: Connection, vo: int, asked: Troubles) -> AsyncIterator[list[TroubleSum]]:
    """How many declarations came together, for what reason, where, and what came of them: oldest first."""
    query: LiteralString = """
        SELECT said.rse_id, e.name, said.declared_at, said.reason,
               array_agg(said.kind::text ORDER BY said.kind, said.state),
               array_agg(said.state::text ORDER BY said.kind, said.state),
               array_agg(said.n ORDER BY said.kind, said.state)
          FROM (SELECT x.rse_id, x.declared_at, x.reason, x.kind, x.state, count(*) AS n
                  FROM declaration x {asked}
                 GROUP BY x.rse_id, x.declared_at, x.reason, x.kind, x.state) AS said
          JOIN rse e ON e.rse_id = said.rse_id
         GROUP BY said.rse_id, e.name, said.declared_at, said.reason
         ORDER BY said.declared_at, e.name, said.reason
        """
    async for rows in stream(conn, query.replace("{asked}", _ASKED), _asked(vo, asked)):
        yield [
            TroubleSum(
                rse_id,
                rse,
                at,
                reason,
                tuple((DeclarationKind(k), DeclarationState(s), n) for k, s, n in zip(kinds, states, ns, strict=True)),
            )
            for rse_id, rse, at, reason, kinds, states, ns in rows
        ]

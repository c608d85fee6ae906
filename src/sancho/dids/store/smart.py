"""Datasets that follow searches."""

from collections.abc import Sequence

from sancho.dids.model import SmartDataset
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values


async def put(conn: Connection, vo: int, did_id: int, query: str, scope: str | None) -> None:
    """Let a dataset follow a search, from now on."""
    await execute(
        conn,
        """
        INSERT INTO smart_dataset (vo, did_id, query, scope) VALUES (%(vo)s, %(did_id)s, %(query)s, %(scope)s)
            ON CONFLICT (did_id, vo) DO UPDATE
           SET query = EXCLUDED.query, scope = EXCLUDED.scope, refreshed_at = NULL, fault = NULL
        """,
        {"vo": vo, "did_id": did_id, "query": query, "scope": scope},
    )


async def find(conn: Connection, vo: int, did_id: int) -> SmartDataset | None:
    """The search that a dataset follows; None when it follows none."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, query, scope, refreshed_at, fault FROM smart_dataset WHERE did_id = %(did_id)s AND vo = %(vo)s
        """,
        {"vo": vo, "did_id": did_id},
    )
    return SmartDataset._make(rows[0]) if rows else None


async def lock(conn: Connection, vo: int, did_id: int) -> SmartDataset | None:
    """Be the only one who makes a dataset follow its search, and read that; None when it follows none any more."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, query, scope, refreshed_at, fault
          FROM smart_dataset q
         WHERE did_id = %(did_id)s AND vo = %(vo)s
           AND NOT EXISTS (SELECT FROM ending e WHERE e.did_id = q.did_id AND e.vo = %(vo)s AND e.ends_at <= now())
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_id": did_id},
    )
    return SmartDataset._make(rows[0]) if rows else None


async def note(conn: Connection, vo: int, did_id: int, *, fault: str | None) -> None:
    """Say that a dataset has followed its search just now, or why it could not."""
    await execute(
        conn,
        """
        UPDATE smart_dataset SET refreshed_at = clock_timestamp(), fault = %(fault)s
         WHERE did_id = %(did_id)s AND vo = %(vo)s
        """,
        {"vo": vo, "did_id": did_id, "fault": fault},
    )


async def delete(conn: Connection, vo: int, did_id: int) -> bool:
    """Let a dataset follow no search any more; False when it followed none."""
    gone = await execute(
        conn, "DELETE FROM smart_dataset WHERE did_id = %(did_id)s AND vo = %(vo)s", {"vo": vo, "did_id": did_id}
    )
    return gone == 1


async def list_ids(conn: Connection, vo: int) -> Sequence[int]:
    """Ids of open datasets that follow searches and whose time has not come, the longest not looked at first."""
    return await fetch_values(
        conn,
        """
        SELECT q.did_id
          FROM smart_dataset q JOIN did d ON d.did_id = q.did_id AND d.vo = %(vo)s AND d.open
         WHERE q.vo = %(vo)s
           AND NOT EXISTS (SELECT FROM ending e WHERE e.did_id = q.did_id AND e.vo = %(vo)s AND e.ends_at <= now())
         ORDER BY q.refreshed_at NULLS FIRST, q.did_id
        """,
        {"vo": vo},
    )

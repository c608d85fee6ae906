"""The SQL of who follows DIDs."""

from collections.abc import Sequence
from datetime import datetime

from sancho.dids.model import FollowedDid
from sancho.kit.db import Connection, execute, fetch, fetch_values


async def insert(conn: Connection, vo: int, account_id: int, did_ids: Sequence[int]) -> None:
    """Let an account follow DIDs; those that it follows already do not matter."""
    await execute(
        conn,
        """
        INSERT INTO follower (vo, account_id, did_id)
        SELECT %(vo)s, %(account_id)s, did_id FROM unnest(%(did_ids)s::bigint[]) AS wanted (did_id)
         ORDER BY did_id
            ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "account_id": account_id, "did_ids": sorted(set(did_ids))},
    )


async def delete(conn: Connection, vo: int, account_id: int, dids: Sequence[str]) -> None:
    """Let an account follow DIDs no more, given by name, erased ones too; looks at what it follows alone."""
    await execute(
        conn,
        """
        DELETE FROM follower f
         USING did d, scope s
         WHERE f.account_id = %(account_id)s AND f.vo = %(vo)s AND d.did_id = f.did_id AND d.vo = f.vo
           AND s.scope_id = d.scope_id AND s.vo = d.vo AND s.name || ':' || d.name = ANY(%(dids)s::text[])
        """,
        {"vo": vo, "account_id": account_id, "dids": list(dids)},
    )


async def followed(
    conn: Connection, vo: int, account_id: int, *, since: datetime | None, page: tuple[int, int]
) -> list[FollowedDid]:
    """What an account follows, by id: as many as `page` says, after the id it says.

    With `since`, what has changed since then or is erased. A tally has few slots, however much is in a collection.
    """
    after, limit = page
    return await fetch(
        conn,
        FollowedDid,
        """
        SELECT d.did_id, s.name || ':' || d.name AS did, d.kind, d.open, f.created_at AS followed_at,
               changed.changed_at, e.ends_at, d.erased
          FROM follower f
          JOIN did d ON d.did_id = f.did_id AND d.vo = f.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          LEFT JOIN ending e ON e.did_id = f.did_id AND e.vo = f.vo
         CROSS JOIN LATERAL (
               SELECT greatest(d.created_at, max(t.changed_at)) AS changed_at
                 FROM collection_tally t WHERE t.did_id = f.did_id AND t.vo = f.vo) AS changed
         WHERE f.account_id = %(account_id)s AND f.vo = %(vo)s AND f.did_id > %(after)s
           AND (%(since)s::timestamptz IS NULL OR changed.changed_at >= %(since)s OR d.erased)
         ORDER BY f.did_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "account_id": account_id, "since": since, "after": after, "limit": limit},
    )


async def followers(conn: Connection, vo: int, did_id: int) -> list[str]:
    """The accounts that follow a DID, by name."""
    return await fetch_values(
        conn,
        """
        SELECT a.name
          FROM follower f JOIN account a ON a.account_id = f.account_id AND a.vo = f.vo
         WHERE f.did_id = %(did_id)s AND f.vo = %(vo)s
         ORDER BY a.name
        """,
        {"vo": vo, "did_id": did_id},
    )

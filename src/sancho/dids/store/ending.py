"""DIDs that are to be erased, and their end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import LiteralString

from sancho.dids.model import DidKind, Ended, Tally
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values

_INSIDE: LiteralString = """
               SELECT did_id FROM constituent WHERE archive_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
"""


async def put(conn: Connection, vo: int, lifetimes: Mapping[int, timedelta]) -> list[int]:
    """Let DIDs be erased after these times from now on; return those of which that has begun, which stay as they are.

    They are locked in order, so that none is being erased meanwhile.
    """
    ids = sorted(lifetimes)
    begun = await fetch_values(
        conn,
        """
        SELECT did_id FROM ending
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND begun
         ORDER BY did_id FOR UPDATE
        """,
        {"vo": vo, "did_ids": ids},
    )
    await execute(
        conn,
        """
        INSERT INTO ending AS known (vo, did_id, ends_at, look_at)
        SELECT %(vo)s, did_id, now() + after, now() + after
          FROM unnest(%(did_ids)s::bigint[], %(lifetimes)s::interval[]) AS wanted (did_id, after)
         ORDER BY did_id
            ON CONFLICT (did_id, vo)
            DO UPDATE SET ends_at = EXCLUDED.ends_at, look_at = EXCLUDED.look_at, held = NULL, follows = false
             WHERE NOT known.begun
        """,
        {"vo": vo, "did_ids": ids, "lifetimes": [lifetimes[did_id] for did_id in ids]},
    )
    return begun


async def restore(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Let DIDs live on; return those of which the erasure has begun, which it goes on."""
    await execute(
        conn,
        "DELETE FROM ending WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND NOT begun",
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return await fetch_values(
        conn,
        "SELECT did_id FROM ending WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def claim(
    conn: Connection, vos: Sequence[int], *, now: datetime, until: datetime, each: int
) -> list[tuple[int, int]]:
    """Take DIDs whose time has come, (vo, DID), as many of each VO; nobody else looks at them before `until`."""
    return await fetch_rows(
        conn,
        """
        WITH due AS MATERIALIZED (
            SELECT e.vo, e.did_id
              FROM unnest(%(vos)s::smallint[]) AS v (vo)
             CROSS JOIN LATERAL (
                   SELECT vo, did_id FROM ending
                    WHERE ending.vo = v.vo AND look_at <= %(now)s AND ends_at <= %(now)s
                    ORDER BY look_at LIMIT %(each)s FOR UPDATE SKIP LOCKED) AS e)
        UPDATE ending e SET look_at = %(until)s
          FROM due WHERE e.did_id = due.did_id AND e.vo = due.vo
        RETURNING e.vo, e.did_id
        """,
        {"vos": list(vos), "now": now, "until": until, "each": each},
    )


async def lock(conn: Connection, vo: int, did_ids: Sequence[int], inside: Sequence[int] | None = None) -> list[int]:
    """Lock the rows of DIDs, of the collections that they are in and of what lies in them as archives, in order.

    Nothing is attached, packed or put under rules then. Of what lies in them only these files, if they are said.
    Return the ids of all of them.
    """
    query: LiteralString = (
        """
        SELECT did_id
          FROM did
         WHERE vo = %(vo)s
           AND did_id IN (
               SELECT unnest(%(did_ids)s::bigint[])
                UNION
               SELECT parent_id FROM attachment WHERE child_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
                UNION
        """  # noqa: S608 - literals
        + (_INSIDE if inside is None else "SELECT unnest(%(inside)s::bigint[])")
        + """)
         ORDER BY did_id
           FOR UPDATE
        """
    )
    return await fetch_values(conn, query, {"vo": vo, "did_ids": list(did_ids), "inside": list(inside or ())})


async def still_due(conn: Connection, vo: int, did_ids: Sequence[int], *, now: datetime) -> list[Ended]:
    """Those of these locked DIDs whose time has come, as they are now; their place in the queue is locked too."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.did_id, d.kind, d.account_id, e.follows
          FROM ending e JOIN did d ON d.did_id = e.did_id AND d.vo = e.vo
         WHERE e.did_id = ANY(%(did_ids)s::bigint[]) AND e.vo = %(vo)s AND e.ends_at <= %(now)s
         ORDER BY e.did_id FOR UPDATE OF e
        """,
        {"vo": vo, "did_ids": list(did_ids), "now": now},
    )
    return [Ended(did_id, DidKind(kind), account_id, follows) for did_id, kind, account_id, follows in rows]


async def attached(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Those of these DIDs that are in a collection, or lie in an archive."""
    return await fetch_values(
        conn,
        """
        SELECT child_id FROM attachment WHERE child_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
         UNION
        SELECT did_id FROM constituent WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def firm_parents(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, tuple[str, bool]]:
    """The first collection that each of these DIDs is in and cannot be taken out of; and whether that one only grows.

    One that is being erased itself is none.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT DISTINCT ON (a.child_id) a.child_id, s.name || ':' || p.name, p.monotonic
          FROM attachment a
          JOIN did p ON p.did_id = a.parent_id AND p.vo = %(vo)s AND (p.monotonic OR NOT p.open)
          JOIN scope s ON s.scope_id = p.scope_id AND s.vo = %(vo)s
         WHERE a.child_id = ANY(%(did_ids)s::bigint[]) AND a.vo = %(vo)s
           AND NOT EXISTS (SELECT FROM ending e WHERE e.did_id = p.did_id AND e.vo = %(vo)s AND e.begun)
         ORDER BY a.child_id, a.parent_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return {child_id: (name, monotonic) for child_id, name, monotonic in rows}


async def put_off(
    conn: Connection, vo: int, reasons: Mapping[int, str | None], *, until: datetime, begun: bool = False
) -> None:
    """Look at DIDs again later, and say why they are still there; with `begun`, they cannot be restored any more."""
    ids = sorted(reasons)
    await execute(
        conn,
        """
        UPDATE ending e SET look_at = %(until)s, held = put.reason, begun = e.begun OR %(begun)s
          FROM unnest(%(did_ids)s::bigint[], %(reasons)s::text[]) AS put (did_id, reason)
         WHERE e.did_id = put.did_id AND e.vo = %(vo)s
        """,
        {"vo": vo, "did_ids": ids, "reasons": [reasons[n] for n in ids], "until": until, "begun": begun},
    )


async def detach(
    conn: Connection, vo: int, *, parent_ids: Sequence[int] = (), child_ids: Sequence[int] = (), limit: int
) -> list[tuple[int, int]]:
    """Take DIDs out of these collections, and these DIDs out of all, at most `limit`: note it and return both ids."""
    return await fetch_rows(
        conn,
        """
        WITH chosen AS MATERIALIZED (
            (SELECT parent_id, child_id FROM attachment
              WHERE parent_id = ANY(%(parent_ids)s::bigint[]) AND vo = %(vo)s
              LIMIT %(limit)s)
             UNION
            (SELECT parent_id, child_id FROM attachment
              WHERE child_id = ANY(%(child_ids)s::bigint[]) AND vo = %(vo)s
              LIMIT %(limit)s)
             LIMIT %(limit)s),
        gone AS (
            DELETE FROM attachment a USING chosen
             WHERE a.parent_id = chosen.parent_id AND a.vo = %(vo)s AND a.child_id = chosen.child_id
            RETURNING a.parent_id, a.child_id, a.attached_at),
        noted AS (
            INSERT INTO attachment_history (vo, parent_id, child_id, attached_at)
            SELECT %(vo)s, parent_id, child_id, attached_at FROM gone ORDER BY parent_id, child_id)
        SELECT parent_id, child_id FROM gone ORDER BY parent_id, child_id
        """,
        {"vo": vo, "parent_ids": list(parent_ids), "child_ids": list(child_ids), "limit": limit},
    )


async def counted(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> dict[int, Tally]:
    """What is to be counted off datasets when these files are taken out of them, given as (parent, child)."""
    rows = await fetch_rows(
        conn,
        """
        SELECT gone.parent_id, -count(*), -sum(d.size)::bigint
          FROM unnest(%(parent_ids)s::bigint[], %(child_ids)s::bigint[]) AS gone (parent_id, child_id)
          JOIN did d ON d.did_id = gone.child_id AND d.vo = %(vo)s AND d.kind = 'F'
         GROUP BY gone.parent_id
        """,
        {"vo": vo, "parent_ids": [parent for parent, _ in pairs], "child_ids": [child for _, child in pairs]},
    )
    return {parent_id: Tally(files, size) for parent_id, files, size in rows}


async def follow(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> None:
    """Let files follow the datasets that they were taken out of, given as (dataset, file), and end now.

    Those that are in nothing else, lie in no archive and belong to the account of the dataset; what was to end later
    ends now. What a smart dataset has found is not its own, and stays.
    """
    await execute(
        conn,
        """
        INSERT INTO ending AS known (vo, follows, did_id, ends_at, look_at)
        SELECT DISTINCT %(vo)s::smallint, true, f.did_id, now(), now()
          FROM unnest(%(parent_ids)s::bigint[], %(child_ids)s::bigint[]) AS gone (parent_id, child_id)
          JOIN did p ON p.did_id = gone.parent_id AND p.vo = %(vo)s
          JOIN did f ON f.did_id = gone.child_id AND f.vo = %(vo)s AND f.kind = 'F' AND f.account_id = p.account_id
         WHERE NOT f.erased
           AND NOT EXISTS (SELECT FROM attachment a WHERE a.child_id = f.did_id AND a.vo = %(vo)s)
           AND NOT EXISTS (SELECT FROM constituent c WHERE c.did_id = f.did_id AND c.vo = %(vo)s)
           AND NOT EXISTS (SELECT FROM smart_dataset q WHERE q.did_id = p.did_id AND q.vo = %(vo)s)
         ORDER BY f.did_id
            ON CONFLICT (did_id, vo)
            DO UPDATE SET ends_at = EXCLUDED.ends_at, look_at = EXCLUDED.look_at, follows = true
             WHERE known.ends_at > now()
        """,
        {"vo": vo, "parent_ids": [parent for parent, _ in pairs], "child_ids": [child for _, child in pairs]},
    )


async def end_next(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Let files follow what they lay in, and end now; what was to end later ends now."""
    await execute(
        conn,
        """
        INSERT INTO ending AS known (vo, follows, did_id, ends_at, look_at)
        SELECT %(vo)s, true, did_id, now(), now() FROM unnest(%(did_ids)s::bigint[]) AS orphan (did_id) ORDER BY did_id
            ON CONFLICT (did_id, vo)
            DO UPDATE SET ends_at = EXCLUDED.ends_at, look_at = EXCLUDED.look_at, follows = true
             WHERE known.ends_at > now()
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def end(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Let locked DIDs be no more: nobody finds them by name, nothing lies in them.

    Tallies and metadata go, and their place in the queue.
    """
    await execute(
        conn,
        """
        WITH gone AS (DELETE FROM ending WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unpacked AS (DELETE FROM constituent WHERE archive_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        taken_out AS (DELETE FROM constituent WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        uncounted AS (DELETE FROM collection_tally WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unsaid AS (DELETE FROM metadata WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unsearched AS (DELETE FROM metadata_search WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unlisted AS (DELETE FROM metadata_item WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unpublished AS (DELETE FROM publication WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s),
        unfollowed AS (DELETE FROM smart_dataset WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s)
        UPDATE did SET erased = true, open = false WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )

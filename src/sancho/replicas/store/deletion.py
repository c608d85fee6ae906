"""Deletion: find what may go, claim it, remember failures, remove what is gone.

A claim crosses VOs, so these functions take the VO of each row; the transaction serves them all. `OFFSET 0` keeps a
look-up for each row a look-up: how many rows of a queue there are is never what the statistics say.
"""

from collections.abc import Sequence
from datetime import datetime

from sancho.kit.db import Connection, execute, fetch_rows
from sancho.replicas.model import Doomed


async def doomed_places(conn: Connection) -> list[tuple[int, int]]:
    """Each (RSE, VO) with a tombstone on any replica: hops along the index, one look for each."""
    return await fetch_rows(
        conn,
        """
        WITH RECURSIVE place (rse_id, vo) AS (
            (SELECT rse_id, vo FROM replica WHERE tombstone_at IS NOT NULL ORDER BY rse_id, vo LIMIT 1)
             UNION ALL
            SELECT next.rse_id, next.vo
              FROM place
             CROSS JOIN LATERAL (
                   SELECT r.rse_id, r.vo FROM replica r
                    WHERE r.tombstone_at IS NOT NULL AND (r.rse_id, r.vo) > (place.rse_id, place.vo)
                    ORDER BY r.rse_id, r.vo LIMIT 1) AS next)
        SELECT rse_id, vo FROM place
        """,
    )


async def lock_doomed(
    conn: Connection, places: Sequence[tuple[int, int]], *, now: datetime, each: int
) -> list[tuple[int, int, int]]:
    """Lock, without waiting, replicas that may be deleted: (file, RSE, VO), at most `each` for each (RSE, VO).

    Nothing holds them, their tombstone has passed, nobody else is deleting them, and no other copy of their file is
    being made. What is said of other rows is as old as this statement: `mark_deleting` looks again.
    """
    return await fetch_rows(
        conn,
        """
        SELECT doomed.did_id, doomed.rse_id, doomed.vo
          FROM unnest(%(rse_ids)s::int[], %(vos)s::smallint[]) AS place (rse_id, vo)
         CROSS JOIN LATERAL (
               SELECT r.did_id, r.rse_id, r.vo
                 FROM replica r
                WHERE r.rse_id = place.rse_id AND r.vo = place.vo AND r.tombstone_at <= %(now)s AND r.lock_count = 0
                  AND NOT EXISTS (SELECT FROM deletion x
                                   WHERE x.did_id = r.did_id AND x.vo = r.vo AND x.rse_id = r.rse_id
                                     AND x.lease_until > %(now)s OFFSET 0)
                  AND NOT EXISTS (SELECT FROM replica c
                                   WHERE c.did_id = r.did_id AND c.vo = r.vo AND c.rse_id <> r.rse_id
                                     AND c.state = 'C' OFFSET 0)
                ORDER BY r.tombstone_at
                LIMIT %(each)s
                  FOR NO KEY UPDATE OF r SKIP LOCKED) AS doomed
        """,
        {"rse_ids": [rse_id for rse_id, _ in places], "vos": [vo for _, vo in places], "now": now, "each": each},
    )


async def mark_deleting(conn: Connection, keys: Sequence[tuple[int, int, int]]) -> list[Doomed]:
    """Mark locked replicas (file, RSE, VO) as being deleted, unless a copy of their file has just been asked for."""
    rows = await fetch_rows(
        conn,
        """
        UPDATE replica r SET state = 'D'
          FROM unnest(%(did_ids)s::bigint[], %(rse_ids)s::int[], %(vos)s::smallint[]) AS doomed (did_id, rse_id, vo)
          JOIN did d ON d.did_id = doomed.did_id AND d.vo = doomed.vo
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
          JOIN vo ON vo.vo = doomed.vo
          LEFT JOIN replica_path p ON p.did_id = doomed.did_id AND p.vo = doomed.vo AND p.rse_id = doomed.rse_id
         WHERE r.did_id = doomed.did_id AND r.vo = doomed.vo AND r.rse_id = doomed.rse_id
           AND NOT EXISTS (SELECT FROM replica c
                            WHERE c.did_id = r.did_id AND c.vo = r.vo AND c.rse_id <> r.rse_id
                              AND c.state = 'C' OFFSET 0)
        RETURNING r.vo, r.rse_id, r.did_id, vo.name, s.name, d.name, p.path
        """,
        {
            "did_ids": [did_id for did_id, _, _ in keys],
            "rse_ids": [rse_id for _, rse_id, _ in keys],
            "vos": [vo for _, _, vo in keys],
        },
    )
    return [Doomed(*row) for row in rows]


async def claim(conn: Connection, doomed: Sequence[Doomed], *, until: datetime) -> list[int]:
    """Take these deletions until a time; say for each how often it has been tried before."""
    rows = await fetch_rows(
        conn,
        """
        WITH claimed AS (
            INSERT INTO deletion AS d (vo, rse_id, did_id, lease_until)
            SELECT c.vo, c.rse_id, c.did_id, %(until)s
              FROM unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[]) AS c (vo, rse_id, did_id)
             ORDER BY c.did_id, c.vo, c.rse_id
                ON CONFLICT (did_id, vo, rse_id) DO UPDATE SET lease_until = EXCLUDED.lease_until
            RETURNING d.vo, d.rse_id, d.did_id, d.tries)
        SELECT claimed.tries
          FROM unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[]) WITH ORDINALITY
               AS c (vo, rse_id, did_id, n)
          JOIN claimed ON claimed.did_id = c.did_id AND claimed.vo = c.vo AND claimed.rse_id = c.rse_id
         ORDER BY c.n
        """,
        {**_columns(doomed), "until": until},
    )
    return [tries for (tries,) in rows]


async def postpone(conn: Connection, doomed: Sequence[Doomed], until: Sequence[datetime], *, lease: datetime) -> None:
    """Count a failed try of each deletion still claimed with this lease, and let nobody try again before its time."""
    await execute(
        conn,
        """
        UPDATE deletion d SET tries = d.tries + 1, lease_until = late.until
          FROM unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[], %(untils)s::timestamptz[])
               AS late (vo, rse_id, did_id, until)
         WHERE d.did_id = late.did_id AND d.vo = late.vo AND d.rse_id = late.rse_id AND d.lease_until = %(lease)s
        """,
        {**_columns(doomed), "untils": list(until), "lease": lease},
    )


async def lock_deleting(conn: Connection, doomed: Sequence[Doomed], *, lease: datetime) -> list[Doomed]:
    """Lock, in order, those of these replicas that are still claimed with this lease."""
    rows = await fetch_rows(
        conn,
        """
        SELECT r.vo, r.rse_id, r.did_id
          FROM unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[]) AS gone (vo, rse_id, did_id)
          JOIN deletion x ON x.did_id = gone.did_id AND x.vo = gone.vo AND x.rse_id = gone.rse_id
                         AND x.lease_until = %(lease)s
          JOIN replica r ON r.did_id = gone.did_id AND r.vo = gone.vo AND r.rse_id = gone.rse_id AND r.state = 'D'
         ORDER BY r.did_id, r.vo, r.rse_id
           FOR UPDATE OF r
        """,
        {**_columns(doomed), "lease": lease},
    )
    left = {tuple(row) for row in rows}
    return [one for one in doomed if (one.vo, one.rse_id, one.did_id) in left]


async def remove(conn: Connection, doomed: Sequence[Doomed]) -> list[tuple[int, int, int]]:
    """Remove locked replicas; return (VO, RSE, size) of each."""
    return await fetch_rows(
        conn,
        """
        DELETE FROM replica r
         USING unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[]) AS gone (vo, rse_id, did_id)
         WHERE r.did_id = gone.did_id AND r.vo = gone.vo AND r.rse_id = gone.rse_id AND r.state = 'D'
        RETURNING r.vo, r.rse_id, r.size
        """,
        _columns(doomed),
    )


async def forget(conn: Connection, doomed: Sequence[Doomed]) -> None:
    """Remove the claims of deletions that are done."""
    await execute(
        conn,
        """
        DELETE FROM deletion d
         USING unnest(%(vos)s::smallint[], %(rse_ids)s::int[], %(did_ids)s::bigint[]) AS gone (vo, rse_id, did_id)
         WHERE d.did_id = gone.did_id AND d.vo = gone.vo AND d.rse_id = gone.rse_id
        """,
        _columns(doomed),
    )


def _columns(doomed: Sequence[Doomed]) -> dict[str, list[int]]:
    return {
        "vos": [one.vo for one in doomed],
        "rse_ids": [one.rse_id for one in doomed],
        "did_ids": [one.did_id for one in doomed],
    }

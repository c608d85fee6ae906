"""Archives and the files that lie inside them."""

from collections.abc import AsyncIterator, Sequence

from sancho.dids.model import Listed
from sancho.dids.store.reading import LISTED, listed
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values, stream


async def lock(conn: Connection, vo: int, did_ids: Sequence[int]) -> set[int]:
    """Be the only one who packs, unpacks or erases these DIDs, in order; say which of them are there."""
    rows = await fetch_values(
        conn,
        """
        SELECT did_id FROM did
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND NOT erased
         ORDER BY did_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_ids": sorted(set(did_ids))},
    )
    return set(rows)


async def packed(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Those of these files that lie inside an archive."""
    return await fetch_values(
        conn,
        "SELECT DISTINCT did_id FROM constituent WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def holding(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[int]:
    """Those of these files in which others lie."""
    return await fetch_values(
        conn,
        "SELECT DISTINCT archive_id FROM constituent WHERE archive_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def insert(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Let files lie in archives, given as (archive, file); return the pairs that are new."""
    made = await fetch_rows(
        conn,
        """
        INSERT INTO constituent (vo, archive_id, did_id)
        SELECT %(vo)s, archive_id, did_id
          FROM unnest(%(archive_ids)s::bigint[], %(did_ids)s::bigint[]) AS wanted (archive_id, did_id)
         ORDER BY archive_id, did_id
            ON CONFLICT DO NOTHING
        RETURNING archive_id, did_id
        """,
        {"vo": vo, "archive_ids": [pair[0] for pair in pairs], "did_ids": [pair[1] for pair in pairs]},
    )
    return {(archive_id, did_id) for archive_id, did_id in made}


async def delete(conn: Connection, vo: int, archive_id: int, did_ids: Sequence[int]) -> int:
    """Let files lie in an archive no more; say how many did."""
    return await execute(
        conn,
        """
        DELETE FROM constituent
         WHERE archive_id = %(archive_id)s AND vo = %(vo)s AND did_id = ANY(%(did_ids)s::bigint[])
        """,
        {"vo": vo, "archive_id": archive_id, "did_ids": list(did_ids)},
    )


async def count_inside(conn: Connection, vo: int, did_ids: Sequence[int], most: int) -> dict[int, int]:
    """How many files lie in each of these DIDs in which any do, up to `most`: of more no more are counted."""
    rows = await fetch_rows(
        conn,
        """
        SELECT archive.did_id, inside.files
          FROM unnest(%(did_ids)s::bigint[]) AS archive (did_id)
         CROSS JOIN LATERAL (
               SELECT count(*) AS files
                 FROM (SELECT FROM constituent c
                        WHERE c.archive_id = archive.did_id AND c.vo = %(vo)s LIMIT %(most)s) AS counted) AS inside
         WHERE inside.files > 0
        """,
        {"vo": vo, "did_ids": list(did_ids), "most": most},
    )
    return dict(rows)


async def inside(conn: Connection, vo: int, archive_id: int, after: int, limit: int) -> list[int]:
    """Ids of the first files in an archive that are above `after`."""
    return await fetch_values(
        conn,
        """
        SELECT did_id FROM constituent
         WHERE archive_id = %(archive_id)s AND vo = %(vo)s AND did_id > %(after)s
         ORDER BY did_id LIMIT %(limit)s
        """,
        {"vo": vo, "archive_id": archive_id, "after": after, "limit": limit},
    )


async def members(conn: Connection, vo: int, archive_id: int) -> AsyncIterator[list[Listed]]:
    """What lies in an archive, by id."""
    query = (
        LISTED
        + """
          FROM constituent AS found
          JOIN did d ON d.did_id = found.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE found.archive_id = %(archive_id)s AND found.vo = %(vo)s
         ORDER BY d.did_id
        """
    )
    async for rows in stream(conn, query, {"vo": vo, "archive_id": archive_id}):
        yield [listed(*row) for row in rows]


async def archives(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[tuple[int, Listed]]:
    """The archives in which these files lie, each with the id of the file, by both ids."""
    rows = await fetch_rows(
        conn,
        """
        SELECT found.did_id, d.did_id, s.name, d.name, d.kind, d.open, d.size, lpad(to_hex(d.adler32), 8, '0'),
               replace(d.md5::text, '-', '')
          FROM constituent found
          JOIN did d ON d.did_id = found.archive_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE found.did_id = ANY(%(did_ids)s::bigint[]) AND found.vo = %(vo)s
         ORDER BY found.did_id, d.did_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return [(row[0], listed(*row[1:])) for row in rows]

"""What collections hold: locks, attachments, tallies, and the files below."""

from collections.abc import AsyncIterator, Sequence
from typing import LiteralString

from sancho.dids.model import DidKind, File, NamedFile, Tally
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values, stream

SLOTS = 16
"""Slots of a tally: one for each connection, modulo this."""


async def lock_to_attach(conn: Connection, vo: int, did_id: int) -> tuple[DidKind, bool, bool] | None:
    """Keep a collection from being closed or erased until the end of the transaction; say its kind and two more.

    Whether it is open, and whether it only grows. Many may hold this lock at once: those who attach do not wait for
    each other, closing waits for them.
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT kind, open, monotonic FROM did
         WHERE did_id = %(did_id)s AND vo = %(vo)s AND NOT erased FOR SHARE
        """,
        {"vo": vo, "did_id": did_id},
    )
    return (DidKind(rows[0][0]), rows[0][1], rows[0][2]) if rows else None


async def lock_containers(conn: Connection, vo: int) -> None:
    """Be the only one who attaches to containers of this VO; circles can only be made there."""
    await execute(conn, "SELECT pg_advisory_xact_lock(hashtext('dids.containers'), %(vo)s::int)", {"vo": vo})


async def holders(conn: Connection, vo: int, did_id: int) -> list[int]:
    """Ids of a collection and of everything that holds it, at any depth."""
    return await fetch_values(
        conn,
        """
        WITH RECURSIVE above (did_id) AS (
            SELECT %(did_id)s::bigint
             UNION
            SELECT holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT did_id FROM above
        """,
        {"vo": vo, "did_id": did_id},
    )


async def insert_attachments(
    conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int], kinds: Sequence[DidKind]
) -> tuple[int, list[int], int]:
    """Attach those children that exist with one of these kinds; none of them is erased meanwhile.

    Returns how many those are, the ids of the newly attached in order, and the bytes of these. What is new is asked
    with `IN`, which is hashed; a join would be planned for ten children, and compare each with each.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH child AS MATERIALIZED (
            SELECT did_id, size FROM did
             WHERE did_id = ANY(%(child_ids)s::bigint[]) AND vo = %(vo)s
               AND kind = ANY(%(kinds)s::"char"[]) AND NOT erased
             ORDER BY did_id FOR KEY SHARE),
        made AS (
            INSERT INTO attachment (vo, parent_id, child_id)
            SELECT %(vo)s, %(parent_id)s, did_id FROM child ORDER BY did_id
                ON CONFLICT DO NOTHING
            RETURNING child_id)
        SELECT count(*), coalesce(array_agg(did_id ORDER BY did_id) FILTER (WHERE is_new), '{}'),
               coalesce(sum(size) FILTER (WHERE is_new), 0)::bigint
          FROM (SELECT did_id, size, did_id IN (SELECT child_id FROM made) AS is_new FROM child) c
        """,
        {"vo": vo, "parent_id": parent_id, "child_ids": list(child_ids), "kinds": [*kinds]},
    )
    return rows[0]


async def delete_attachments(
    conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int]
) -> tuple[list[int], int]:
    """Detach children, and note that they were there; return the ids of those, in order, and their bytes."""
    rows = await fetch_rows(
        conn,
        """
        WITH gone AS (
            DELETE FROM attachment
             WHERE parent_id = %(parent_id)s AND vo = %(vo)s AND child_id = ANY(%(child_ids)s::bigint[])
            RETURNING child_id, attached_at),
        noted AS (
            INSERT INTO attachment_history (vo, parent_id, child_id, attached_at)
            SELECT %(vo)s, %(parent_id)s, child_id, attached_at FROM gone ORDER BY child_id)
        SELECT coalesce(array_agg(child_id ORDER BY child_id), '{}'), coalesce(sum(d.size), 0)::bigint
          FROM gone JOIN did d ON d.did_id = gone.child_id AND d.vo = %(vo)s
        """,
        {"vo": vo, "parent_id": parent_id, "child_ids": list(child_ids)},
    )
    return rows[0]


async def add_to_tally(conn: Connection, vo: int, did_id: int, files: int, size: int) -> None:
    """Count files and bytes (negative to take away) in this connection's slot, and note that something has changed."""
    await execute(
        conn,
        """
        INSERT INTO collection_tally AS tally (vo, slot, did_id, files, size, changed_at)
        VALUES (%(vo)s, pg_backend_pid() %% %(slots)s, %(did_id)s, %(files)s, %(size)s, now())
            ON CONFLICT (did_id, vo, slot)
            DO UPDATE SET files = tally.files + EXCLUDED.files, size = tally.size + EXCLUDED.size,
                          changed_at = EXCLUDED.changed_at
        """,
        {"vo": vo, "did_id": did_id, "files": files, "size": size, "slots": SLOTS},
    )


async def set_open(conn: Connection, vo: int, did_id: int, *, is_open: bool) -> bool:
    """Open or close a collection; False when it is so already. Waits for those who are attaching."""
    changed = await execute(
        conn,
        """
        UPDATE did SET open = %(open)s
         WHERE did_id = %(did_id)s AND vo = %(vo)s AND kind <> 'F' AND open <> %(open)s
        """,
        {"vo": vo, "did_id": did_id, "open": is_open},
    )
    return changed == 1


async def set_monotonic(conn: Connection, vo: int, did_id: int) -> None:
    """Let a collection only grow. Waits for those who are detaching."""
    await execute(
        conn,
        "UPDATE did SET monotonic = true WHERE did_id = %(did_id)s AND vo = %(vo)s AND kind <> 'F' AND NOT monotonic",
        {"vo": vo, "did_id": did_id},
    )


async def fold_tally(conn: Connection, vo: int, did_id: int) -> None:
    """Make one slot of all, changed now; only while nobody can attach: when the collection has just been closed."""
    await execute(
        conn,
        """
        WITH gone AS (
            DELETE FROM collection_tally WHERE did_id = %(did_id)s AND vo = %(vo)s RETURNING slot, files, size)
        INSERT INTO collection_tally (vo, slot, did_id, files, size, changed_at)
        SELECT %(vo)s, %(slots)s, %(did_id)s, coalesce(sum(files), 0)::bigint, coalesce(sum(size), 0)::bigint, now()
          FROM gone
        """,
        {"vo": vo, "did_id": did_id, "slots": SLOTS},
    )


async def leaves(conn: Connection, vo: int, did_ids: Sequence[int]) -> tuple[list[int], list[int]]:
    """Ids of the datasets among or below these DIDs, at any depth, and of the files among them.

    Looks up row by row on purpose: nobody can estimate how deep a tree is, and a plan that tries reads whole tables.
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT wanted.did_id, (SELECT d.kind FROM did d WHERE d.did_id = wanted.did_id AND d.vo = %(vo)s)
              FROM unnest(%(did_ids)s::bigint[]) AS wanted (did_id)
             UNION
            SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C')
        SELECT coalesce(array_agg(did_id ORDER BY did_id) FILTER (WHERE kind = 'D'), '{}'),
               coalesce(array_agg(did_id ORDER BY did_id) FILTER (WHERE kind = 'F'), '{}')
          FROM below
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return rows[0]


async def tally(conn: Connection, vo: int, dataset_ids: Sequence[int]) -> Tally:
    """Files and bytes in these datasets together."""
    rows = await fetch_rows(
        conn,
        """
        SELECT coalesce(sum(files), 0)::bigint, coalesce(sum(size), 0)::bigint
          FROM collection_tally WHERE did_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
        """,
        {"vo": vo, "dataset_ids": list(dataset_ids)},
    )
    return Tally(*rows[0])


async def files(conn: Connection, vo: int, dataset_ids: Sequence[int], file_ids: Sequence[int]) -> list[File]:
    """Every file in these datasets and these files themselves, once, by id."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, size FROM did
         WHERE vo = %(vo)s
           AND did_id = ANY(ARRAY(
               SELECT child_id FROM attachment WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
                UNION
               SELECT unnest(%(file_ids)s::bigint[])))
         ORDER BY did_id
        """,
        {"vo": vo, "dataset_ids": list(dataset_ids), "file_ids": list(file_ids)},
    )
    return [File(*row) for row in rows]


async def file_ids(
    conn: Connection, vo: int, leaves: tuple[Sequence[int], Sequence[int]], *, after: int, limit: int
) -> list[int]:
    """Ids of the first files in these datasets, and of these files, that are above `after`: once each, in order."""
    return await fetch_values(
        conn,
        """
        SELECT first.child_id
          FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
         CROSS JOIN LATERAL (
               SELECT a.child_id FROM attachment a
                WHERE a.parent_id = dataset.did_id AND a.vo = %(vo)s AND a.child_id > %(after)s
                ORDER BY a.child_id LIMIT %(limit)s) AS first
         UNION
        SELECT did_id FROM unnest(%(file_ids)s::bigint[]) AS file (did_id) WHERE did_id > %(after)s
         ORDER BY 1 LIMIT %(limit)s
        """,
        {"vo": vo, "dataset_ids": list(leaves[0]), "file_ids": list(leaves[1]), "after": after, "limit": limit},
    )


async def sample(conn: Connection, vo: int, leaves: tuple[Sequence[int], Sequence[int]], number: int) -> list[int]:
    """Ids of so many of the files in these datasets, and of these files, chosen at random."""
    return await fetch_values(
        conn,
        """
        SELECT did_id
          FROM (SELECT child_id FROM attachment WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
                 UNION
                SELECT unnest(%(file_ids)s::bigint[])) AS found (did_id)
         ORDER BY random()
         LIMIT %(number)s
        """,
        {"vo": vo, "dataset_ids": list(leaves[0]), "file_ids": list(leaves[1]), "number": number},
    )


async def file_page(
    conn: Connection, vo: int, leaves: tuple[Sequence[int], Sequence[int]], *, after: int, limit: int
) -> list[NamedFile]:
    """The first files in these datasets, and of these files, whose ids are above `after`: once each, by id."""
    rows = await fetch_rows(
        conn,
        """
        WITH page (did_id) AS (
            SELECT first.child_id
              FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = dataset.did_id AND a.vo = %(vo)s AND a.child_id > %(after)s
                    ORDER BY a.child_id LIMIT %(limit)s) AS first
             UNION
            SELECT did_id FROM unnest(%(file_ids)s::bigint[]) AS file (did_id) WHERE did_id > %(after)s
             ORDER BY 1 LIMIT %(limit)s)
        SELECT d.did_id, s.name, d.name, d.size, lpad(to_hex(d.adler32), 8, '0')
          FROM page
          JOIN did d ON d.did_id = page.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY d.did_id
        """,
        {"vo": vo, "dataset_ids": list(leaves[0]), "file_ids": list(leaves[1]), "after": after, "limit": limit},
    )
    return [NamedFile(*row) for row in rows]


_ALL_DIDS: LiteralString = "JOIN did d ON d.did_id = a.child_id AND d.vo = %(vo)s"
"""Of a whole collection, DIDs are read as they lie."""
_EACH_DID: LiteralString = """
         CROSS JOIN LATERAL (
               SELECT did.name, did.kind, did.open, did.size, did.adler32, did.scope_id FROM did
                WHERE did.did_id = a.child_id AND did.vo = %(vo)s OFFSET 0) AS d
"""
"""One look for each of a page: a page far down would else begin with a walk through all DIDs of lower ids."""


async def stream_contents(
    conn: Connection, vo: int, did_id: int, *, after: int, limit: int | None, chunk: int = 1000
) -> AsyncIterator[tuple[list[str], int]]:
    """What is directly in a collection, by id: JSON made by the database, many at a time, and the id of the last."""
    query = (
        """
        SELECT '{"did":' || to_json(s.name || ':' || d.name)::text
               || ',"kind":"' || CASE d.kind WHEN 'F' THEN 'file' WHEN 'D' THEN 'dataset' ELSE 'container' END
               || '","open":' || d.open::text || ',"size":' || coalesce(d.size::text, 'null')
               || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null') || '}',
               a.child_id
          FROM attachment a
        """  # noqa: S608 - literals
        + (_ALL_DIDS if limit is None else _EACH_DID)
        + """
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE a.parent_id = %(did_id)s AND a.vo = %(vo)s AND a.child_id > %(after)s
         ORDER BY a.child_id
         LIMIT %(limit)s
        """
    )
    params = {"vo": vo, "did_id": did_id, "after": after, "limit": limit}
    async for rows in stream(conn, query, params, chunk=chunk):
        yield [text for text, _ in rows], rows[-1][1]

"""Attaching to many collections at once."""

from collections.abc import Mapping, Sequence

from sancho.dids.model import DidKind, Tally
from sancho.dids.store.contents import SLOTS
from sancho.kit.db import Connection, execute, fetch_rows, fetch_values


async def lock_to_attach(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, bool]:
    """Keep collections from being closed or erased until the end of the transaction; say of each if it is open."""
    rows = await fetch_rows(
        conn,
        """
        SELECT did_id, open FROM did
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND NOT erased
         ORDER BY did_id FOR SHARE
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return dict(rows)


async def lock_children(conn: Connection, vo: int, did_ids: Sequence[int]) -> set[int]:
    """Keep DIDs from being erased until the end of the transaction; say which of them are there."""
    rows = await fetch_values(
        conn,
        """
        SELECT did_id FROM did
         WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s AND NOT erased
         ORDER BY did_id FOR KEY SHARE
        """,
        {"vo": vo, "did_ids": sorted(set(did_ids))},
    )
    return set(rows)


async def children(
    conn: Connection, vo: int, wanted: Sequence[tuple[str, str]]
) -> list[tuple[int, tuple[int, DidKind, int | None, int | None, str | None]]]:
    """Those of these DIDs that exist, kept from being erased until the end of the transaction, in any order.

    DIDs are given as (scope, name); each is returned with its place among them, as (id, kind, size, adler32 as
    in the row, md5).
    """
    rows = await fetch_rows(
        conn,
        """
        SELECT wanted.place, d.did_id, d.kind, d.size, d.adler32, replace(d.md5::text, '-', '')
          FROM unnest(%(scopes)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted (scope, name, place)
          JOIN scope s ON s.vo = %(vo)s AND s.name = wanted.scope
          JOIN did d ON d.scope_id = s.scope_id AND d.vo = %(vo)s AND d.name = wanted.name AND NOT d.erased
         ORDER BY d.did_id FOR KEY SHARE OF d
        """,
        {"vo": vo, "scopes": [scope for scope, _ in wanted], "names": [name for _, name in wanted]},
    )
    kinds = {kind.value: kind for kind in DidKind}
    return [(place - 1, (did_id, kinds[kind], *known)) for place, did_id, kind, *known in rows]


async def insert(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> set[tuple[int, int]]:
    """Attach children, given as (parent, child); return the pairs that are new."""
    made = await fetch_rows(
        conn,
        """
        WITH made AS (
            INSERT INTO attachment (vo, parent_id, child_id)
            SELECT %(vo)s, parent_id, child_id
              FROM unnest(%(parent_ids)s::bigint[], %(child_ids)s::bigint[]) AS wanted (parent_id, child_id)
             ORDER BY child_id, parent_id
                ON CONFLICT DO NOTHING
            RETURNING parent_id, child_id)
        SELECT parent_id, array_agg(child_id) FROM made GROUP BY parent_id
        """,
        {"vo": vo, "parent_ids": [parent for parent, _ in pairs], "child_ids": [child for _, child in pairs]},
    )
    return {(parent_id, child_id) for parent_id, child_ids in made for child_id in child_ids}


async def circles(conn: Connection, vo: int, parent_ids: Sequence[int]) -> set[tuple[int, int]]:
    """Everything that holds these collections, at any depth, as (collection, holder); in a circle, it holds itself."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (start_id, did_id) AS (
            SELECT a.child_id, a.parent_id
              FROM attachment a WHERE a.child_id = ANY(%(parent_ids)s::bigint[]) AND a.vo = %(vo)s
             UNION
            SELECT above.start_id, holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder)
        SELECT start_id, did_id FROM above
         WHERE start_id IN (SELECT start_id FROM above WHERE start_id = did_id)
        """,
        {"vo": vo, "parent_ids": list(parent_ids)},
    )
    return {(start_id, did_id) for start_id, did_id in rows}


async def add_to_tallies(conn: Connection, vo: int, changes: Mapping[int, Tally]) -> None:
    """Count files and bytes of several collections in this connection's slot, and note that they have changed."""
    ids = sorted(changes)
    await execute(
        conn,
        """
        INSERT INTO collection_tally AS tally (vo, slot, did_id, files, size, changed_at)
        SELECT %(vo)s, pg_backend_pid() %% %(slots)s, did_id, files, size, now()
          FROM unnest(%(did_ids)s::bigint[], %(files)s::bigint[], %(sizes)s::bigint[]) AS more (did_id, files, size)
         ORDER BY did_id
            ON CONFLICT (did_id, vo, slot)
            DO UPDATE SET files = tally.files + EXCLUDED.files, size = tally.size + EXCLUDED.size,
                          changed_at = EXCLUDED.changed_at
        """,
        {
            "vo": vo, "slots": SLOTS, "did_ids": ids, "files": [changes[n].files for n in ids],
            "sizes": [changes[n].size for n in ids],
        },
    )  # fmt: skip

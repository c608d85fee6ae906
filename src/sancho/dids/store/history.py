"""What collections hold, held at a time, and held once: long lists from server-side cursors."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import LiteralString

from sancho.dids.model import Detached, DidKind
from sancho.dids.store.reading import IN_NONE_BEFORE
from sancho.kit.db import Connection, fetch_values, stream

_LINE: LiteralString = """
        SELECT '{"did":' || to_json(s.name || ':' || d.name)::text || ',"size":' || d.size::text
               || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null')
               || coalesce(',"md5":"' || replace(d.md5::text, '-', '') || '"', '') || E'}\\n'
"""


async def contents(
    conn: Connection, vo: int, did_id: int, *, at: datetime, page: tuple[int, int | None]
) -> AsyncIterator[tuple[list[str], int]]:
    """What was directly in a collection at a time, as `contents.stream_contents`: after an id, and so many."""
    query = """
        SELECT '{"did":' || to_json(s.name || ':' || d.name)::text
               || ',"kind":"' || CASE d.kind WHEN 'F' THEN 'file' WHEN 'D' THEN 'dataset' ELSE 'container' END
               || '","open":' || d.open::text || ',"size":' || coalesce(d.size::text, 'null')
               || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null') || '}',
               a.child_id
          FROM (SELECT child_id FROM attachment
                 WHERE parent_id = %(did_id)s AND vo = %(vo)s AND child_id > %(after)s AND attached_at <= %(at)s
                 UNION ALL
                SELECT child_id FROM attachment_history
                 WHERE parent_id = %(did_id)s AND vo = %(vo)s AND child_id > %(after)s AND attached_at <= %(at)s
                   AND detached_at > %(at)s) AS a
          JOIN did d ON d.did_id = a.child_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY a.child_id
         LIMIT %(limit)s
        """
    params = {"vo": vo, "did_id": did_id, "at": at, "after": page[0], "limit": page[1]}
    async for rows in stream(conn, query, params):
        yield [text for text, _ in rows], rows[-1][1]


async def datasets(conn: Connection, vo: int, did_id: int, *, at: datetime | None) -> list[int]:
    """Ids of the datasets that are, or at a time were, below a container at any depth; no files are read."""
    return await fetch_values(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT d.did_id, d.kind FROM did d WHERE d.did_id = %(did_id)s AND d.vo = %(vo)s
             UNION
            SELECT inside.child_id, inside.kind
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id, d.kind
                     FROM (SELECT child_id FROM attachment
                            WHERE parent_id = below.did_id AND vo = %(vo)s
                              AND attached_at <= coalesce(%(at)s::timestamptz, 'infinity')
                            UNION ALL
                           SELECT child_id FROM attachment_history
                            WHERE parent_id = below.did_id AND vo = %(vo)s AND attached_at <= %(at)s::timestamptz
                              AND detached_at > %(at)s::timestamptz) AS a
                     JOIN did d ON d.did_id = a.child_id AND d.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C')
        SELECT did_id FROM below WHERE kind = 'D' ORDER BY did_id
        """,
        {"vo": vo, "did_id": did_id, "at": at},
    )


_NOW: LiteralString = """
          FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
         CROSS JOIN LATERAL (
               SELECT child_id FROM attachment
                WHERE parent_id = dataset.did_id AND vo = %(vo)s ORDER BY child_id OFFSET 0) AS inside
         CROSS JOIN LATERAL (
               SELECT * FROM did
                WHERE did.did_id = inside.child_id AND did.vo = %(vo)s OFFSET 0) AS d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
"""
_ONCE: LiteralString = """
          FROM (SELECT child_id FROM attachment
                 WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s AND attached_at <= %(at)s
                 UNION
                SELECT child_id FROM attachment_history
                 WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s AND attached_at <= %(at)s
                   AND detached_at > %(at)s) AS inside
          JOIN did d ON d.did_id = inside.child_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY d.did_id
"""


async def files(
    conn: Connection, vo: int, datasets: Sequence[int], *, at: datetime | None
) -> AsyncIterator[list[str]]:  # fmt: skip
    """The files that are in these datasets, in the order of their ids, or were at a time: once each, as JSON.

    They are as their index has them, the first at once; those of a time are looked up before the first.
    """
    now = _NOW if len(datasets) == 1 else _NOW + IN_NONE_BEFORE
    query = _LINE + (now if at is None else _ONCE)
    params = {"vo": vo, "dataset_ids": sorted(datasets), "at": at}
    async for rows in stream(conn, query, params):
        yield [text for (text,) in rows]


async def lines(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[str]:
    """These files, by id, as JSON."""
    return await fetch_values(
        conn,
        _LINE
        + """
          FROM did d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE d.did_id = ANY(%(did_ids)s::bigint[]) AND d.vo = %(vo)s
         ORDER BY d.did_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def detached(conn: Connection, vo: int, did_id: int) -> AsyncIterator[list[Detached]]:
    """What was taken out of a collection, by id and time; what came back and went again, each time."""
    query = """
        SELECT s.name, d.name, d.kind, d.size, lpad(to_hex(d.adler32), 8, '0'),
               nullif(h.attached_at, '-infinity'), h.detached_at,
               replace(d.md5::text, '-', '')
          FROM attachment_history h
          JOIN did d ON d.did_id = h.child_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE h.parent_id = %(did_id)s AND h.vo = %(vo)s
         ORDER BY h.child_id, h.detached_at
        """
    async for rows in stream(conn, query, {"vo": vo, "did_id": did_id}):
        yield [Detached(row[0], row[1], DidKind(row[2]), *row[3:]) for row in rows]

"""Long lists of DIDs, from server-side cursors: what is in, above and below collections."""

from array import array
from collections.abc import AsyncIterator, Sequence
from itertools import groupby
from typing import LiteralString

from sancho.dids.model import Branch, DidKind, Listed, NamedFile, Tally
from sancho.kit.db import Connection, fetch_rows, stream

LISTED: LiteralString = """
        SELECT d.did_id, s.name, d.name, d.kind, d.open, d.size, lpad(to_hex(d.adler32), 8, '0'),
               replace(d.md5::text, '-', '')
"""

IN_NONE_BEFORE: LiteralString = """
         WHERE (SELECT true FROM attachment other
                 WHERE other.child_id = inside.child_id AND other.vo = %(vo)s AND other.parent_id < dataset.did_id
                   AND other.parent_id + 0 = ANY(%(dataset_ids)s::bigint[]) LIMIT 1) IS NULL
"""
"""Of what is `inside` a `dataset`, what is in none of the others of lower ids: each file is asked for the few
collections that it is in. To make all files distinct first would keep the first waiting, to look into each dataset
cost the more the more there are."""

STEP = 5_000
"""Names of a scope, or collections, that one statement begins from."""


def listed(did_id: int, scope: str, name: str, kind: str, *rest: object) -> Listed:
    """A row of `LISTED`."""
    return Listed._make((did_id, scope, name, DidKind(kind), *rest))


async def children(conn: Connection, vo: int, did_id: int) -> AsyncIterator[list[Listed]]:
    """What is directly in a collection, by id."""
    query = (
        LISTED
        + """
          FROM attachment AS found
          JOIN did d ON d.did_id = found.child_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE found.parent_id = %(did_id)s AND found.vo = %(vo)s
         ORDER BY d.did_id
        """
    )
    async for rows in stream(conn, query, {"vo": vo, "did_id": did_id}):
        yield [listed(*row) for row in rows]


async def parents(conn: Connection, vo: int, did_id: int) -> AsyncIterator[list[Listed]]:
    """The collections that a DID is directly in, by id."""
    query = (
        LISTED
        + """
          FROM attachment AS found
          JOIN did d ON d.did_id = found.parent_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE found.child_id = %(did_id)s AND found.vo = %(vo)s
         ORDER BY d.did_id
        """
    )
    async for rows in stream(conn, query, {"vo": vo, "did_id": did_id}):
        yield [listed(*row) for row in rows]


async def files_in(
    conn: Connection, vo: int, dataset_ids: Sequence[int], *, once: bool = False
) -> AsyncIterator[list[tuple[int, NamedFile]]]:
    """The files of each of these datasets, with its id, as their index has them: nothing is sorted.

    With `once` a file that is in several comes with the first of them alone.
    """
    query: LiteralString = """
        SELECT dataset.did_id, file.*
          FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
         CROSS JOIN LATERAL (
               SELECT a.child_id FROM attachment a
                WHERE a.parent_id = dataset.did_id AND a.vo = %(vo)s ORDER BY a.child_id OFFSET 0) AS inside
         CROSS JOIN LATERAL (
               SELECT d.did_id, s.name, d.name, d.size, lpad(to_hex(d.adler32), 8, '0'), d.guid
                 FROM did d JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
                WHERE d.did_id = inside.child_id AND d.vo = %(vo)s OFFSET 0) AS file
        """
    query += IN_NONE_BEFORE if once else ""
    async for rows in stream(conn, query, {"vo": vo, "dataset_ids": sorted(dataset_ids)}):
        yield [(row[0], NamedFile._make(row[1:])) for row in rows]


async def named_files(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[NamedFile]:
    """Those of these files that exist, by id."""
    query = """
        SELECT d.did_id, s.name, d.name, d.size, lpad(to_hex(d.adler32), 8, '0'), d.guid
          FROM did d JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         WHERE d.did_id = ANY(%(did_ids)s::bigint[]) AND d.vo = %(vo)s AND d.kind = 'F'
         ORDER BY d.did_id
        """
    return [NamedFile._make(row) for row in await fetch_rows(conn, query, {"vo": vo, "did_ids": list(did_ids)})]


async def tops(conn: Connection, vo: int, scope_id: int) -> AsyncIterator[list[Listed]]:
    """The DIDs of a scope that are in no collection of the same scope, by name.

    So many names are looked at in a step, and what is found among them comes at once, be it little: a scope whose
    files all lie in datasets is not read to its end before something comes. Read it in a snapshot.
    """
    query = """
        WITH page AS MATERIALIZED (
            SELECT did_id, name FROM did
             WHERE scope_id = %(scope_id)s AND vo = %(vo)s AND name > %(after)s
             ORDER BY name LIMIT %(limit)s),
        top AS MATERIALIZED (
            SELECT did_id FROM page
             WHERE NOT EXISTS (
                   SELECT FROM attachment a
                    WHERE a.child_id = page.did_id AND a.vo = %(vo)s
                      AND %(scope_id)s = (
                          SELECT p.scope_id FROM did p WHERE p.did_id = a.parent_id AND p.vo = %(vo)s) OFFSET 0))
        SELECT (SELECT max(name) FROM page),
               d.did_id, s.name, d.name, d.kind, d.open, d.size, lpad(to_hex(d.adler32), 8, '0'),
               replace(d.md5::text, '-', '')
          FROM (VALUES (1)) AS one
          LEFT JOIN top ON true
          LEFT JOIN did d ON d.did_id = top.did_id AND d.vo = %(vo)s AND NOT d.erased
          LEFT JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY d.name
        """
    after: str | None = ""
    while after is not None:
        rows = await fetch_rows(conn, query, {"vo": vo, "scope_id": scope_id, "after": after, "limit": STEP})
        if found := [listed(*row[1:]) for row in rows if row[1] is not None]:
            yield found
        after = rows[0][0]


async def branches(
    conn: Connection, vo: int, did_ids: Sequence[int], *, deepest: int | None
) -> AsyncIterator[list[Branch]]:
    """What is below these DIDs, level by level to the `deepest`, by parent and by id: an attachment once a level.

    Nothing is sorted: attachments come as their index has them, so the first come at once however many follow. Of a
    level the ids of its collections are kept, 8 bytes each, to go on below them.
    """
    query = """
        SELECT p.scope, p.name, %(level)s::int,
               d.did_id, d.scope, d.name, d.kind, d.open, d.size, lpad(to_hex(d.adler32), 8, '0'),
               replace(d.md5::text, '-', '')
          FROM unnest(%(parents)s::bigint[]) AS parent (did_id)
         CROSS JOIN LATERAL (
               SELECT ps.name AS scope, p.name
                 FROM did p JOIN scope ps ON ps.scope_id = p.scope_id AND ps.vo = %(vo)s
                WHERE p.did_id = parent.did_id AND p.vo = %(vo)s OFFSET 0) AS p
         CROSS JOIN LATERAL (
               SELECT a.child_id FROM attachment a
                WHERE a.parent_id = parent.did_id AND a.vo = %(vo)s ORDER BY a.child_id OFFSET 0) AS inside
         CROSS JOIN LATERAL (
               SELECT d.*, s.name AS scope
                 FROM did d JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
                WHERE d.did_id = inside.child_id AND d.vo = %(vo)s OFFSET 0) AS d
        """
    level, parents = 0, array("q", sorted(set(did_ids)))
    while parents and (deepest is None or level < deepest):
        level += 1
        within = array("q")
        for few in range(0, len(parents), STEP):
            params = {"vo": vo, "parents": list(parents[few : few + STEP]), "level": level}
            async for rows in stream(conn, query, params):
                within.extend(row[3] for row in rows if row[6] != DidKind.FILE.value)
                yield [Branch((row[0], row[1]), row[2], listed(*row[3:])) for row in rows]
        parents = array("q", (did_id for did_id, _ in groupby(sorted(within))))


async def tallies(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, Tally]:
    """Files and bytes below each of these collections, from the tallies of the datasets at any depth."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (root_id, did_id) AS (
            SELECT did_id, did_id FROM unnest(%(did_ids)s::bigint[]) AS root (did_id)
             UNION
            SELECT below.root_id, inside.child_id
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE (SELECT d.kind FROM did d WHERE d.did_id = below.did_id AND d.vo = %(vo)s) = 'C')
        SELECT below.root_id, coalesce(sum(tally.files), 0)::bigint, coalesce(sum(tally.size), 0)::bigint
          FROM below
          LEFT JOIN collection_tally tally ON tally.did_id = below.did_id AND tally.vo = %(vo)s
         GROUP BY below.root_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return {root_id: Tally(files, size) for root_id, files, size in rows}

"""Where a page of a search looks: what is below collections, and what says something itself, so many ids at a time.

Nothing here depends on how many files a collection has, but for what was asked to be given.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from psycopg import sql

from sancho.dids.model import DidKind, MetadataKey
from sancho.dids.store.searching import KINDS, field_of
from sancho.kit.db import Connection, fetch_rows, fetch_values
from sancho.kit.search import Composable, Condition, SearchField

NEAR = 200
"""Datasets that are read from at once, those whose next file is nearest."""
COLLECTIONS: LiteralString = """
        SELECT d.did_id FROM did d
         WHERE d.vo = %(vo)s AND d.kind IN ('D', 'C') AND d.did_id IN ({}) LIMIT %(limit)s
"""


async def collections(
    conn: Connection, vo: int, root_ids: Sequence[int], *, limit: int | None
) -> list[tuple[int, DidKind]]:
    """So many of the collections that are among or below these DIDs, at any depth; files are not read."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did
             WHERE did_id = ANY(%(root_ids)s::bigint[]) AND vo = %(vo)s AND kind IN ('D', 'C')
             UNION
            SELECT inside.child_id, (SELECT d.kind FROM did d WHERE d.did_id = inside.child_id AND d.vo = %(vo)s)
              FROM below
             CROSS JOIN LATERAL (
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = below.did_id AND a.vo = %(vo)s OFFSET 0) AS inside
             WHERE below.kind = 'C')
        SELECT did_id, kind FROM below LIMIT %(limit)s
        """,
        {"vo": vo, "root_ids": list(root_ids), "limit": limit},
    )
    return [(did_id, DidKind(kind)) for did_id, kind in rows]


def _inside(limit: LiteralString, *, past: bool) -> LiteralString:
    """The next files in a `dataset`, as its index has them; each index for itself, for what merges both sorts first."""
    now: LiteralString = """
                   SELECT a.child_id FROM attachment a
                    WHERE a.parent_id = dataset.did_id AND a.vo = %(vo)s AND a.child_id > %(after)s
    """
    last: LiteralString = " ORDER BY child_id LIMIT " + limit
    if not past:
        return now + last
    still: LiteralString = "(" + now + " AND a.attached_at <= %(at)s" + last + ")"
    once: LiteralString = """
                  (SELECT h.child_id FROM attachment_history h
                    WHERE h.parent_id = dataset.did_id AND h.vo = %(vo)s AND h.child_id > %(after)s
                      AND h.attached_at <= %(at)s AND h.detached_at > %(at)s
    """
    return still + " UNION ALL " + once + last + ")" + last


async def files(
    conn: Connection, vo: int, dataset_ids: Sequence[int], *, after: int, limit: int, at: datetime | None = None
) -> tuple[list[int], bool]:
    """Ids of the next files in these datasets, above `after`, at most so many; and whether these are the last.

    With `at`, of those that were in them at that time. Of each dataset the next file is looked up. Those whose next is
    nearest are read, up to the next of the farthest of them: below that, no other can have a file.
    """
    past = at is not None
    query: LiteralString = (
        """
        WITH next AS MATERIALIZED (
            SELECT dataset.did_id, first.child_id
              FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
             CROSS JOIN LATERAL (
        """  # noqa: S608 - literals
        + _inside("1", past=past)
        + """) AS first
             ORDER BY first.child_id LIMIT %(near)s),
        sight (farthest) AS (
            SELECT CASE count(*) WHEN %(near)s THEN max(child_id) ELSE %(end)s END FROM next)
        SELECT ARRAY(
               SELECT DISTINCT inside.child_id
                 FROM sight, next AS dataset
                CROSS JOIN LATERAL (
        """
        + _inside("%(limit)s", past=past)
        + """) AS inside
                WHERE inside.child_id <= sight.farthest
                ORDER BY 1 LIMIT %(limit)s),
               farthest
          FROM sight
        """
    )
    params = {
        "vo": vo, "dataset_ids": list(dataset_ids), "after": after, "limit": limit, "near": NEAR, "end": 2**63 - 1,
        "at": at,
    }  # fmt: skip
    found, farthest = (await fetch_rows(conn, query, params))[0]
    return found, farthest == 2**63 - 1 and len(found) < limit


# ---- what says something itself


def said_by(key: MetadataKey) -> SearchField:
    """A key that is searched, as a field whose condition is a query of the ids of DIDs that say it themselves."""
    if key.kind.is_array:
        asked = field_of(key)
        return SearchField(
            name=key.name, kind=asked.kind, value=asked.value, cast=asked.cast, array=True, read=asked.read,
            check=asked.finder,
        )  # fmt: skip
    one = field_of(key)
    return SearchField(
        name=key.name, kind=KINDS[key.kind], value=one.value, cast=one.cast, read=one.read, check=_saying
    )


def _saying(test: Composable) -> Composable:
    return sql.SQL("SELECT ms.did_id FROM metadata_search ms WHERE ms.vo = %(vo)s AND {}").format(test)


async def saying(conn: Connection, vo: int, said: Condition, *, after: int = 0, limit: int) -> list[int]:
    """Ids of the first DIDs above `after` that say something themselves, by a condition of `said_by`: each once."""
    query = sql.SQL("SELECT DISTINCT did_id FROM ({}) AS said WHERE did_id > %(after)s ORDER BY did_id LIMIT %(limit)s")
    return await fetch_values(
        conn, query.format(said.sql), {"vo": vo, "after": after, "limit": limit, **said.params}
    )  # fmt: skip


async def collections_saying(conn: Connection, vo: int, said: Condition, *, limit: int) -> list[int]:
    """Ids of so many of the collections that say something themselves."""
    return await fetch_values(
        conn, sql.SQL(COLLECTIONS).format(said.sql), {"vo": vo, "limit": limit, **said.params}
    )  # fmt: skip


# ---- conditions


def among(did_ids: Sequence[int]) -> Condition:
    """One of these."""
    return Condition(sql.SQL("d.did_id = ANY(%(among_ids)s::bigint[])"), {"among_ids": list(did_ids)})


def inside(did_id: int) -> Condition:
    """Below a collection, at any depth, for a DID that is looked at: what is above it is read, not what is below."""
    return Condition(
        sql.SQL(
            """EXISTS (
        WITH RECURSIVE above (did_id) AS (
            SELECT t.parent_id FROM attachment t WHERE t.child_id = d.did_id AND t.vo = %(vo)s
             UNION
            SELECT holder.parent_id
              FROM above
             CROSS JOIN LATERAL (
                   SELECT t.parent_id FROM attachment t
                    WHERE t.child_id = above.did_id AND t.vo = %(vo)s OFFSET 0) AS holder)
        SELECT FROM above WHERE did_id = %(within_id)s)"""
        ),
        {"within_id": did_id},
    )

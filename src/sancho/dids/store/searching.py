"""What DIDs are searched by, and the searches.

A condition may use `d`, the DID, `s`, its scope, `a`, its account, `ms`, its row of `metadata_search`, `m`, its
document, and the parameter `vo`. What is erased, or whose time has come, is not found.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import LiteralString

from psycopg import sql

from sancho.dids.model import (
    Did,
    DidKind,
    Listed,
    MetadataKey,
    MetadataKind,
    item_of,
)
from sancho.dids.store.metadata import column_of
from sancho.dids.store.reading import LISTED, listed
from sancho.dids.store.rows import DID
from sancho.kit.db import Connection, fetch, fetch_rows, stream
from sancho.kit.search import (
    Composable,
    Condition,
    FieldKind,
    Finder,
    SearchField,
    read_boolean,
    read_number,
    read_time,
)

ID: LiteralString = "SELECT d.did_id"
FROM: LiteralString = """
          FROM did d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
          JOIN account a ON a.account_id = d.account_id AND a.vo = %(vo)s
          LEFT JOIN metadata_search ms ON ms.did_id = d.did_id AND ms.vo = %(vo)s
          LEFT JOIN metadata m ON m.did_id = d.did_id AND m.vo = %(vo)s
"""
WHERE: LiteralString = """
         WHERE d.vo = %(vo)s AND d.kind = ANY(%(kinds)s::"char"[]) AND NOT d.erased AND {}
           AND NOT EXISTS (
               SELECT FROM ending WHERE ending.did_id = d.did_id AND ending.vo = %(vo)s AND ending.ends_at <= now())
"""
FOUND: LiteralString = DID + FROM + "LEFT JOIN ending e ON e.did_id = d.did_id AND e.vo = %(vo)s" + WHERE
NEWEST_LOOKED_AT = 1000
"""What is looked at beyond those that are wanted: some are erased, and files come by id."""
LAST_MADE: LiteralString = """
           AND d.did_id IN (
               (SELECT did_id FROM did
                 WHERE did.vo = %(vo)s AND did.kind IN ('D', 'C') AND did.kind = ANY(%(kinds)s::"char"[])
                 ORDER BY created_at DESC LIMIT %(looked_at)s)
                UNION ALL
               (SELECT did_id FROM did
                 WHERE did.vo = %(vo)s AND did.kind = 'F' AND 'F' = ANY(%(kinds)s::"char"[])
                 ORDER BY did_id DESC LIMIT %(looked_at)s))
         ORDER BY d.created_at DESC, d.did_id DESC
         LIMIT %(limit)s
        """
BELOW = sql.SQL("""
            SELECT inside.child_id
              FROM below
             CROSS JOIN LATERAL (
                   SELECT t.child_id FROM attachment t
                    WHERE t.parent_id = below.did_id AND t.vo = %(vo)s OFFSET 0) AS inside
""")
ABOVE = sql.SQL("""
        above (root_id, did_id, level) AS (
            SELECT did_id, did_id, 0 FROM below
             UNION
            SELECT above.root_id, holder.parent_id, above.level + 1
              FROM above
             CROSS JOIN LATERAL (
                   SELECT t.parent_id FROM attachment t
                    WHERE t.child_id = above.did_id AND t.vo = %(vo)s OFFSET 0) AS holder)
""")
OWN = sql.SQL("""
        above (did_id, level) AS (
            SELECT d.did_id, 0
             UNION
            SELECT holder.parent_id, above.level + 1
              FROM above
             CROSS JOIN LATERAL (
                   SELECT t.parent_id FROM attachment t
                    WHERE t.child_id = above.did_id AND t.vo = %(vo)s OFFSET 0) AS holder)
""")


def _seconds(text: str) -> float | None:
    at = read_time(text)
    return None if at is None else at.timestamp()


def _truth(text: str) -> float | None:
    found = read_boolean(text)
    return None if found is None else float(found)


def _item(text: str) -> str | None:
    found = read_number(text)
    return None if found is None else item_of(found)


KINDS: Mapping[MetadataKind, FieldKind] = {
    MetadataKind.TEXT: FieldKind.TEXT, MetadataKind.INTEGER: FieldKind.NUMBER, MetadataKind.NUMBER: FieldKind.NUMBER,
    MetadataKind.BOOLEAN: FieldKind.BOOLEAN, MetadataKind.TIME: FieldKind.TIME, MetadataKind.TEXTS: FieldKind.TEXT,
    MetadataKind.NUMBERS: FieldKind.NUMBER,
}  # fmt: skip


def field_of(key: MetadataKey, *, inherit: bool = False) -> SearchField:
    """How DIDs are searched by a key; with `inherit`, by what collections above them say too."""
    kind = KINDS[key.kind]
    if key.kind.is_array:
        read = _item if key.kind is MetadataKind.NUMBERS else None
        return SearchField(
            name=key.name, kind=kind, value=sql.SQL("i.value"), cast="text", array=True, read=read,
            finder=_inherited_item(key) if inherit else _item_of(key), check=_inherits_item(key) if inherit else None,
        )  # fmt: skip
    if key.slot is not None:
        value: Composable = sql.SQL("{}").format(sql.Identifier("ms", column_of(key)))
    elif key.kind is MetadataKind.TEXT:
        value = sql.SQL('((m.document ->> {}) COLLATE "C")').format(sql.Literal(key.name))
    else:
        value = sql.SQL("metadata_number(m.document, {})").format(sql.Literal(key.name))
    read_as = {MetadataKind.BOOLEAN: _truth, MetadataKind.TIME: _seconds}.get(key.kind)
    if inherit and key.slot is not None:
        return SearchField(
            name=key.name,
            kind=kind,
            value=value,
            cast=_cast(key),
            read=read_as,
            check=_inherits_value(value),
            finder=_inherited_value(value),
        )
    return SearchField(name=key.name, kind=kind, value=value, cast=_cast(key), read=read_as)


def _cast(key: MetadataKey) -> LiteralString:
    return "text" if key.kind is MetadataKind.TEXT else "float8"


def _item_of(key: MetadataKey) -> Finder:
    return lambda test: sql.SQL(
        "SELECT i.did_id FROM metadata_item i WHERE i.key_id = {} AND i.vo = %(vo)s AND {}"
    ).format(sql.Literal(key.key_id), test)


# What a DID inherits is decided by the nearest above it that says anything, so those below one that meets the test
# are looked up from, and only those stay whose nearest meets it.


def _inherited_value(value: Composable) -> Finder:
    return lambda test: sql.SQL(
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT ms.did_id FROM metadata_search ms WHERE ms.vo = %(vo)s AND {test}
             UNION
            {below}),
        {above}
        SELECT ms.root_id
          FROM (SELECT DISTINCT ON (above.root_id) above.root_id, said.*
                  FROM above
                 CROSS JOIN LATERAL (
                       SELECT ms.* FROM metadata_search ms
                        WHERE ms.did_id = above.did_id AND ms.vo = %(vo)s AND {value} IS NOT NULL OFFSET 0) AS said
                 ORDER BY above.root_id, above.level, above.did_id) AS ms
         WHERE {test}
        """
    ).format(test=test, value=value, below=BELOW, above=ABOVE)


def _inherited_item(key: MetadataKey) -> Finder:
    return lambda test: sql.SQL(
        """
        WITH RECURSIVE below (did_id) AS (
            SELECT i.did_id FROM metadata_item i WHERE i.key_id = {key} AND i.vo = %(vo)s AND {test}
             UNION
            {below}),
        {above}
        SELECT nearest.root_id
          FROM (SELECT DISTINCT ON (above.root_id) above.root_id, above.did_id
                  FROM above
                 CROSS JOIN LATERAL (
                       SELECT FROM metadata_item i
                        WHERE i.did_id = above.did_id AND i.vo = %(vo)s AND i.key_id = {key} LIMIT 1) AS said
                 ORDER BY above.root_id, above.level, above.did_id) AS nearest
         CROSS JOIN LATERAL (
               SELECT FROM metadata_item i
                WHERE i.did_id = nearest.did_id AND i.vo = %(vo)s AND i.key_id = {key} AND {test} LIMIT 1) AS met
        """
    ).format(test=test, key=sql.Literal(key.key_id), below=BELOW, above=ABOVE)


def _inherits_value(value: Composable) -> Finder:
    return lambda test: sql.SQL(
        """EXISTS (
        WITH RECURSIVE {own}
        SELECT FROM (
               SELECT said.*
                 FROM above
                CROSS JOIN LATERAL (
                      SELECT ms.* FROM metadata_search ms
                       WHERE ms.did_id = above.did_id AND ms.vo = %(vo)s AND {value} IS NOT NULL OFFSET 0) AS said
                ORDER BY above.level, above.did_id LIMIT 1) AS ms
         WHERE {test})"""
    ).format(test=test, value=value, own=OWN)


def _inherits_item(key: MetadataKey) -> Finder:
    return lambda test: sql.SQL(
        """EXISTS (
        WITH RECURSIVE {own}
        SELECT FROM (
               SELECT above.did_id
                 FROM above
                CROSS JOIN LATERAL (
                      SELECT FROM metadata_item i
                       WHERE i.did_id = above.did_id AND i.vo = %(vo)s AND i.key_id = {key} LIMIT 1) AS said
                ORDER BY above.level, above.did_id LIMIT 1) AS nearest
          JOIN metadata_item i ON i.did_id = nearest.did_id AND i.vo = %(vo)s AND i.key_id = {key}
         WHERE {test})"""
    ).format(test=test, key=sql.Literal(key.key_id), own=OWN)


# ---- where to look


THING = sql.SQL("d.did_id")
"""What is found by other rows than its own."""


def in_scope(scope_id: int) -> Condition:
    """In a scope."""
    return Condition(sql.SQL("d.scope_id = %(scope_id)s"), {"scope_id": scope_id})


def below(did_id: int) -> Condition:
    """Below a collection, at any depth."""
    return Condition(
        sql.SQL(
            """d.did_id = ANY(ARRAY(
        WITH RECURSIVE below (did_id) AS (
            SELECT t.child_id FROM attachment t WHERE t.parent_id = %(within_id)s AND t.vo = %(vo)s
             UNION
            {})
        SELECT did_id FROM below))"""
        ).format(BELOW),
        {"within_id": did_id},
    )


def named(prefix: str) -> Condition:
    """With a name that begins so."""
    return Condition(sql.SQL("d.name ^@ %(prefix)s::text"), {"prefix": prefix})


def both(conditions: Sequence[Condition]) -> Condition:
    """What meets all of some conditions."""
    params = {name: value for one in conditions for name, value in one.params.items()}
    return Condition(sql.SQL(" AND ").join(one.sql for one in conditions) if conditions else sql.SQL("true"), params)


# ---- searches


async def page(
    conn: Connection, vo: int, condition: Condition, kinds: Sequence[DidKind], *, after: int, limit: int
) -> list[Did]:
    """The first DIDs that meet a condition whose ids are above `after`, by id."""
    query = sql.SQL(FOUND + " AND d.did_id > %(after)s ORDER BY d.did_id LIMIT %(limit)s")
    params = {"vo": vo, "kinds": list(kinds), "after": after, "limit": limit, **condition.params}
    return await fetch(conn, Did, query.format(condition.sql), params)


async def newest(conn: Connection, vo: int, kinds: Sequence[DidKind], *, limit: int) -> list[Did]:
    """The DIDs of these kinds that were made last, the newest first; files only from those with the highest ids.

    Ids alone do not tell: each connection is given some hundred at once.
    """
    query = sql.SQL(FOUND + LAST_MADE)
    params = {"vo": vo, "kinds": list(kinds), "limit": limit, "looked_at": limit + NEWEST_LOOKED_AT}
    return await fetch(conn, Did, query.format(sql.SQL("true")), params)


async def by_name(
    conn: Connection, vo: int, condition: Condition, kinds: Sequence[DidKind], *, limit: int | None
) -> AsyncIterator[list[Listed]]:
    """DIDs that meet a condition, by name."""
    query = sql.SQL(LISTED + FROM + WHERE + " ORDER BY d.name LIMIT %(limit)s")
    params = {"vo": vo, "kinds": list(kinds), "limit": limit, **condition.params}
    async for rows in stream(conn, query.format(condition.sql), params):
        yield [listed(*row) for row in rows]


async def missing(
    conn: Connection, vo: int, dataset_id: int, condition: Condition, *, page: tuple[int, int]
) -> list[int]:  # fmt: skip
    """Ids of files that meet a condition and are not in a dataset, the lowest first: above one, and so many."""
    query = sql.SQL(
        ID
        + FROM
        + WHERE
        + """
           AND d.did_id > %(after)s
           AND NOT EXISTS (
               SELECT FROM attachment t WHERE t.parent_id = %(dataset_id)s AND t.vo = %(vo)s AND t.child_id = d.did_id)
         ORDER BY d.did_id
         LIMIT %(limit)s
        """
    )
    named = {"vo": vo, "dataset_id": dataset_id, "after": page[0], "limit": page[1]}
    params = {**named, "kinds": [DidKind.FILE], **condition.params}
    return [row[0] for row in await fetch_rows(conn, query.format(condition.sql), params)]


async def superfluous(
    conn: Connection, vo: int, dataset_id: int, condition: Condition, *, page: tuple[int, int]
) -> list[int]:  # fmt: skip
    """Ids of files in a dataset that do not meet a condition, as `missing`; none of one that only grows."""
    query = sql.SQL(
        ID
        + FROM
        + """
          JOIN attachment here ON here.child_id = d.did_id AND here.parent_id = %(dataset_id)s AND here.vo = %(vo)s
          JOIN did parent ON parent.did_id = here.parent_id AND parent.vo = %(vo)s AND NOT parent.monotonic
         WHERE d.vo = %(vo)s AND d.did_id > %(after)s AND ({}) IS NOT TRUE
         ORDER BY d.did_id
         LIMIT %(limit)s
        """
    )
    params = {"vo": vo, "dataset_id": dataset_id, "after": page[0], "limit": page[1], **condition.params}
    return [row[0] for row in await fetch_rows(conn, query.format(condition.sql), params)]

"""Keys of metadata, documents, and what searches look at.

Whoever writes a document holds the keys of its VO as they are until the end of the transaction, whoever changes keys
waits for that: so no document is written by keys that are no more, and none is overlooked when a key gets a slot.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from psycopg import sql
from psycopg.types.json import Jsonb

from sancho.dids.model import MetadataKey
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values

SLOTS = range(1, 9)
"""Places for keys of texts, and as many for others."""


async def hold_keys(conn: Connection, vo: int) -> None:
    """Keep the keys of a VO as they are until the end of the transaction."""
    await execute(conn, "SELECT pg_advisory_xact_lock_shared(hashtext('dids.metadata'), %(vo)s::int)", {"vo": vo})


async def lock_keys(conn: Connection, vo: int) -> None:
    """Be the only one who changes keys, while nobody writes a document."""
    await execute(conn, "SELECT pg_advisory_xact_lock(hashtext('dids.metadata'), %(vo)s::int)", {"vo": vo})


async def list_keys(conn: Connection, vo: int) -> list[MetadataKey]:
    """All keys of a VO, by name."""
    return await fetch(
        conn,
        MetadataKey,
        "SELECT key_id, name, kind, slot, terms FROM metadata_key WHERE vo = %(vo)s ORDER BY name",
        {"vo": vo},
    )


async def put_keys(conn: Connection, vo: int, keys: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Make or change keys, given as (name, kind, terms). A kind that changes loses its slot."""
    await execute(
        conn,
        """
        INSERT INTO metadata_key AS known (vo, kind, name, terms)
        SELECT %(vo)s, wanted.kind, wanted.name, wanted.terms
          FROM unnest(%(names)s::text[], %(kinds)s::"char"[], %(terms)s::jsonb[]) AS wanted (name, kind, terms)
         ORDER BY wanted.name COLLATE "C"
            ON CONFLICT (name, vo) DO UPDATE
           SET kind = EXCLUDED.kind, terms = EXCLUDED.terms,
               slot = CASE WHEN known.kind = EXCLUDED.kind THEN known.slot END
        """,
        {
            "vo": vo, "names": [name for name, _, _ in keys], "kinds": [kind for _, kind, _ in keys],
            "terms": [Jsonb(terms) for _, _, terms in keys],
        },
    )  # fmt: skip


async def put_slots(conn: Connection, vo: int, slots: Mapping[int, int | None]) -> None:
    """Give keys these slots, or None."""
    await execute(
        conn,
        """
        UPDATE metadata_key AS k SET slot = wanted.slot
          FROM unnest(%(key_ids)s::int[], %(slots)s::smallint[]) AS wanted (key_id, slot)
         WHERE k.key_id = wanted.key_id AND k.vo = %(vo)s
        """,
        {"vo": vo, "key_ids": list(slots), "slots": list(slots.values())},
    )


async def delete_keys(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove keys."""
    await execute(
        conn,
        "DELETE FROM metadata_key WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])",
        {"vo": vo, "names": list(names)},
    )


async def find_used(conn: Connection, vo: int, keys: Sequence[MetadataKey]) -> str | None:
    """One of these keys that a DID carries. Of one that is not searched every document is read, until one has it."""
    tests = sql.SQL(" UNION ALL ").join(
        sql.SQL("SELECT {} WHERE EXISTS ({})").format(sql.Literal(key.name), _carried(key)) for key in keys
    )
    return await fetch_value(conn, tests + sql.SQL(" LIMIT 1"), {"vo": vo})


def _carried(key: MetadataKey) -> sql.Composed:
    if key.kind.is_array:
        return sql.SQL("SELECT FROM metadata_item WHERE key_id = {} AND vo = %(vo)s").format(sql.Literal(key.key_id))
    if key.slot is not None:
        column = sql.Identifier(column_of(key))
        return sql.SQL("SELECT FROM metadata_search WHERE vo = %(vo)s AND {} IS NOT NULL").format(column)
    return sql.SQL("SELECT FROM metadata WHERE vo = %(vo)s AND document ? {}").format(sql.Literal(key.name))


# ---- documents


async def make_documents(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Make an empty document for each of these DIDs that has none."""
    await execute(
        conn,
        """
        INSERT INTO metadata (vo, did_id, document)
        SELECT %(vo)s, did_id, '{}' FROM unnest(%(did_ids)s::bigint[]) AS wanted (did_id) ORDER BY did_id
            ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def lock_documents(conn: Connection, vo: int, did_ids: Sequence[int]) -> None:
    """Be the only one who changes these documents."""
    await execute(
        conn,
        """
        SELECT FROM metadata WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s
         ORDER BY did_id FOR NO KEY UPDATE
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def merge(conn: Connection, vo: int, changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Lay these over the documents of DIDs, which are locked; what is null in them goes."""
    await execute(
        conn,
        """
        UPDATE metadata AS m SET document = jsonb_strip_nulls(m.document || said.document)
          FROM unnest(%(did_ids)s::bigint[], %(documents)s::jsonb[]) AS said (did_id, document)
         WHERE m.did_id = said.did_id AND m.vo = %(vo)s
        """,
        {"vo": vo, "did_ids": list(changes), "documents": [Jsonb(document) for document in changes.values()]},
    )


INDEX: LiteralString = """
        INSERT INTO metadata_search (vo, did_id, t1, t2, t3, t4, t5, t6, t7, t8, n1, n2, n3, n4, n5, n6, n7, n8)
        SELECT m.vo, m.did_id,
               m.document ->> %(t1)s::text, m.document ->> %(t2)s::text, m.document ->> %(t3)s::text,
               m.document ->> %(t4)s::text, m.document ->> %(t5)s::text, m.document ->> %(t6)s::text,
               m.document ->> %(t7)s::text, m.document ->> %(t8)s::text,
               metadata_number(m.document, %(n1)s::text), metadata_number(m.document, %(n2)s::text),
               metadata_number(m.document, %(n3)s::text), metadata_number(m.document, %(n4)s::text),
               metadata_number(m.document, %(n5)s::text), metadata_number(m.document, %(n6)s::text),
               metadata_number(m.document, %(n7)s::text), metadata_number(m.document, %(n8)s::text)
"""
AGAIN: LiteralString = """
         ORDER BY m.did_id
            ON CONFLICT (did_id, vo) DO UPDATE
           SET t1 = EXCLUDED.t1, t2 = EXCLUDED.t2, t3 = EXCLUDED.t3, t4 = EXCLUDED.t4,
               t5 = EXCLUDED.t5, t6 = EXCLUDED.t6, t7 = EXCLUDED.t7, t8 = EXCLUDED.t8,
               n1 = EXCLUDED.n1, n2 = EXCLUDED.n2, n3 = EXCLUDED.n3, n4 = EXCLUDED.n4,
               n5 = EXCLUDED.n5, n6 = EXCLUDED.n6, n7 = EXCLUDED.n7, n8 = EXCLUDED.n8
"""


def _slots(keys: Sequence[MetadataKey]) -> dict[str, object]:
    named: dict[str, object] = {f"{letter}{n}": None for letter in "tn" for n in SLOTS}
    return named | {column_of(key): key.name for key in keys if key.slot is not None}


def column_of(key: MetadataKey) -> str:
    """The column of `metadata_search` that a key with a slot has."""
    return f"{'t' if key.kind == 'T' else 'n'}{key.slot}"


async def index(conn: Connection, vo: int, keys: Sequence[MetadataKey], did_ids: Sequence[int]) -> None:
    """Let searches see what the documents of these DIDs say by the keys that have a slot."""
    await execute(
        conn,
        INDEX
        + """
          FROM unnest(%(did_ids)s::bigint[]) AS changed (did_id)
          JOIN metadata m ON m.did_id = changed.did_id AND m.vo = %(vo)s
        """
        + AGAIN,
        {"vo": vo, "did_ids": list(did_ids), **_slots(keys)},
    )


async def index_all(conn: Connection, vo: int, keys: Sequence[MetadataKey]) -> None:
    """Do the same for every document of a VO, after slots have changed."""
    await execute(conn, INDEX + " FROM metadata m WHERE m.vo = %(vo)s" + AGAIN, {"vo": vo, **_slots(keys)})


async def drop_items(conn: Connection, vo: int, arrays: Sequence[tuple[int, int]]) -> None:
    """Forget the values of arrays, given as (DID, key)."""
    await execute(
        conn,
        """
        DELETE FROM metadata_item AS item
         USING unnest(%(did_ids)s::bigint[], %(key_ids)s::int[]) AS changed (did_id, key_id)
         WHERE item.did_id = changed.did_id AND item.vo = %(vo)s AND item.key_id = changed.key_id
        """,
        {"vo": vo, "did_ids": [did_id for did_id, _ in arrays], "key_ids": [key_id for _, key_id in arrays]},
    )


async def insert_items(conn: Connection, vo: int, items: Sequence[tuple[int, int, str]]) -> None:
    """Let searches see the values of arrays, given as (DID, key, value): each once."""
    await execute(
        conn,
        """
        INSERT INTO metadata_item (vo, key_id, did_id, value)
        SELECT %(vo)s, key_id, did_id, value
          FROM unnest(%(key_ids)s::int[], %(did_ids)s::bigint[], %(values)s::text[]) AS item (key_id, did_id, value)
        """,
        {
            "vo": vo, "key_ids": [key_id for _, key_id, _ in items], "did_ids": [did_id for did_id, _, _ in items],
            "values": [value for _, _, value in items],
        },
    )  # fmt: skip


async def owners_inside(conn: Connection, vo: int, dataset_ids: Sequence[int]) -> list[int]:
    """Ids of files in these datasets: of each account and scope that has any, one."""
    return await fetch_values(
        conn,
        """
        SELECT min(d.did_id)
          FROM attachment a JOIN did d ON d.did_id = a.child_id AND d.vo = %(vo)s
         WHERE a.parent_id = ANY(%(dataset_ids)s::bigint[]) AND a.vo = %(vo)s
         GROUP BY d.account_id, d.scope_id
        """,
        {"vo": vo, "dataset_ids": list(dataset_ids)},
    )


async def documents(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What these DIDs say themselves; those that say nothing are missing."""
    rows = await fetch_rows(
        conn,
        "SELECT did_id, document FROM metadata WHERE did_id = ANY(%(did_ids)s::bigint[]) AND vo = %(vo)s",
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return dict(rows)


async def inherited(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What these DIDs and the collections above them say: of each key the nearest, of equally near ones the oldest."""
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE above (root_id, did_id, level) AS (
            SELECT did_id, did_id, 0 FROM unnest(%(did_ids)s::bigint[]) AS root (did_id)
             UNION
            SELECT above.root_id, holder.parent_id, above.level + 1
              FROM above
             CROSS JOIN LATERAL (
                   SELECT a.parent_id FROM attachment a
                    WHERE a.child_id = above.did_id AND a.vo = %(vo)s OFFSET 0) AS holder),
        nearest AS (
            SELECT DISTINCT ON (above.root_id, said.key) above.root_id, said.key, said.value
              FROM above
              JOIN metadata m ON m.did_id = above.did_id AND m.vo = %(vo)s
             CROSS JOIN LATERAL jsonb_each(m.document) AS said
             ORDER BY above.root_id, said.key, above.level, above.did_id)
        SELECT root_id, jsonb_object_agg(key, value) FROM nearest GROUP BY root_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )
    return dict(rows)

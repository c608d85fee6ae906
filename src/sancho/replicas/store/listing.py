"""Files with their replicas, as lines of JSON that the database makes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import LiteralString

from sancho.dids.model import Did, DidKind
from sancho.kit.db import Connection, fetch_rows, fetch_values, stream
from sancho.replicas.model import DatasetCopy, FileCopies, ReplicaState, Wanted

_LINES: LiteralString = """
    SELECT '{"did":' || to_json(s.name || ':' || d.name)::text || ',"size":' || d.size
           || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null')
           || (',"path":"/' || %(vo_name)s || '/') || s.name || '/' || lpad(to_hex(d.did_id & 4095), 3, '0')
           || '/' || to_hex(d.did_id) || '/'
           || CASE WHEN d.name ~ '^[A-Za-z0-9_.~/-]*$' THEN d.name
                   ELSE (SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_.~/-]' THEN c
                                                ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')),
                                                                    '(..)', '%%\\1', 'g') END, '' ORDER BY n)
                           FROM regexp_split_to_table(d.name, '') WITH ORDINALITY AS letter (c, n)) END
           || '","replicas":['
           || coalesce((SELECT string_agg((%(rses)s::text[])[array_position(%(rse_ids)s::int[], r.rse_id)]
                                          || CASE r.state WHEN 'A' THEN ',"state":"available"}'
                                                          WHEN 'C' THEN ',"state":"copying"}'
                                                          WHEN 'T' THEN ',"state":"unavailable"}'
                                                          WHEN 'B' THEN ',"state":"bad"}'
                                                          ELSE ',"state":"deleting"}' END, ',' ORDER BY r.rse_id)
                          FROM replica r WHERE r.did_id = d.did_id AND r.vo = %(vo)s), '')
           || ']}'
"""
_JOINS: LiteralString = """
      JOIN did d ON d.did_id = file.did_id AND d.vo = %(vo)s
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
     ORDER BY d.did_id
"""
_FILES: Mapping[DidKind, LiteralString] = {
    DidKind.FILE: "FROM (SELECT %(did_id)s::bigint) AS file (did_id)",
    DidKind.DATASET: """
      FROM (SELECT child_id FROM attachment WHERE parent_id = %(did_id)s AND vo = %(vo)s) AS file (did_id)
    """,
    DidKind.CONTAINER: """
      FROM (SELECT DISTINCT child_id FROM attachment
             WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s) AS file (did_id)
    """,
}


async def stream_replicas(
    conn: Connection, did: Did, vo_name: str, dataset_ids: Sequence[int], rses: Mapping[int, str], *, chunk: int = 1000
) -> AsyncIterator[bytes]:
    """Every file that is this DID or lies in these datasets below it, once, by id, each with its replicas.

    `rses` are the names of those that may be shown. `path` is what `rses.service.place` gives; it is put together
    here because asking for each of a million files would take longer than reading them.
    """
    params = {
        "vo": did.vo,
        "vo_name": vo_name,
        "did_id": did.did_id,
        "dataset_ids": list(dataset_ids),
        "rse_ids": list(rses),
        "rses": [f'{{"rse":"{name}"' for name in rses.values()],
    }
    async for rows in stream(conn, _LINES + _FILES[did.kind] + _JOINS, params, chunk=chunk):
        yield ("\n".join(row[0] for row in rows) + "\n").encode()


async def stream_copies(
    conn: Connection, vo: int, dataset_ids: Sequence[int], file_ids: Sequence[int], wanted: Wanted
) -> AsyncIterator[list[FileCopies]]:
    """These files and those in these datasets, once, by id, with the replicas that are wanted."""
    query = """
        SELECT d.did_id, s.name, d.name, d.size, lpad(to_hex(d.adler32), 8, '0'), copy.rse_ids, copy.states,
               CASE WHEN %(parents)s THEN
                   ARRAY(SELECT ps.name || ':' || p.name
                           FROM attachment a
                           JOIN did p ON p.did_id = a.parent_id AND p.vo = %(vo)s
                           JOIN scope ps ON ps.scope_id = p.scope_id AND ps.vo = %(vo)s
                          WHERE a.child_id = d.did_id AND a.vo = %(vo)s
                          ORDER BY a.parent_id) ELSE '{}' END
          FROM (SELECT child_id FROM attachment WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
                 UNION
                SELECT unnest(%(file_ids)s::bigint[])) AS file (did_id)
          JOIN did d ON d.did_id = file.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         CROSS JOIN LATERAL (
               SELECT array_agg(r.rse_id ORDER BY r.rse_id) AS rse_ids,
                      array_agg(r.state::text ORDER BY r.rse_id) AS states
                 FROM replica r
                WHERE r.did_id = d.did_id AND r.vo = %(vo)s AND r.rse_id = ANY(%(rse_ids)s::int[])
                  AND r.state = ANY(%(states)s::"char"[])) AS copy
         WHERE %(bare)s OR copy.rse_ids IS NOT NULL
         ORDER BY d.did_id
        """
    params = {
        "vo": vo, "dataset_ids": list(dataset_ids), "file_ids": list(file_ids), "rse_ids": list(wanted.rse_ids),
        "states": list(wanted.states), "bare": wanted.bare, "parents": wanted.parents,
    }  # fmt: skip
    async for rows in stream(conn, query, params):
        yield [
            FileCopies(
                did_id, scope, name, size, adler32, tuple(zip(at or (), map(ReplicaState, states or ()), strict=True)),
                tuple(parents),
            )
            for did_id, scope, name, size, adler32, at, states, parents in rows
        ]  # fmt: skip


async def dataset_ids(conn: Connection, vo: int, after: int, limit: int) -> list[int]:
    """The first datasets of a VO whose ids are above `after`."""
    return await fetch_values(
        conn,
        """
        SELECT did_id FROM did
         WHERE did.vo = %(vo)s AND did.kind = 'D' AND did_id > %(after)s
         ORDER BY did_id
         LIMIT %(limit)s
        """,
        {"vo": vo, "after": after, "limit": limit},
    )


async def dataset_copies(
    conn: Connection, vo: int, dataset_ids: Sequence[int], rse_ids: Sequence[int]
) -> list[DatasetCopy]:
    """What these RSEs have of these datasets, by dataset and RSE; who has nothing is left out."""
    rows = await fetch_rows(
        conn,
        """
        SELECT d.did_id, s.name, d.name, copy.rse_id, copy.files, copy.size, whole.files, whole.size
          FROM unnest(%(dataset_ids)s::bigint[]) AS dataset (did_id)
          JOIN did d ON d.did_id = dataset.did_id AND d.vo = %(vo)s AND d.kind = 'D'
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
         CROSS JOIN LATERAL (
               SELECT r.rse_id, count(*) AS files, sum(r.size)::bigint AS size
                 FROM attachment a
                 JOIN replica r ON r.did_id = a.child_id AND r.vo = %(vo)s AND r.state = 'A'
                                AND r.rse_id = ANY(%(rse_ids)s::int[])
                WHERE a.parent_id = d.did_id AND a.vo = %(vo)s
                GROUP BY r.rse_id) AS copy
         CROSS JOIN LATERAL (
               SELECT coalesce(sum(t.files), 0)::bigint AS files, coalesce(sum(t.size), 0)::bigint AS size
                 FROM collection_tally t WHERE t.did_id = d.did_id AND t.vo = %(vo)s) AS whole
         ORDER BY d.did_id, copy.rse_id
        """,
        {"vo": vo, "dataset_ids": list(dataset_ids), "rse_ids": list(rse_ids)},
    )
    return [DatasetCopy(*row) for row in rows]


async def known_files(
    conn: Connection, vo: int, scope_ids: Sequence[int], names: Sequence[str]
) -> list[tuple[int, str, int, str, int | None, str | None]]:
    """Those of these DIDs, in pairs of scope and name, that exist: both, id, kind, size and checksum."""
    return await fetch_rows(
        conn,
        """
        SELECT d.scope_id, d.name, d.did_id, d.kind, d.size, lpad(to_hex(d.adler32), 8, '0')
          FROM unnest(%(scope_ids)s::int[], %(names)s::text[]) AS wanted (scope_id, name)
          JOIN did d ON d.scope_id = wanted.scope_id AND d.vo = %(vo)s AND d.name = wanted.name
        """,
        {"vo": vo, "scope_ids": list(scope_ids), "names": list(names)},
    )

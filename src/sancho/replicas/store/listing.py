"""Files with their replicas, as lines of JSON that the database makes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import repeat
from typing import Any, LiteralString

from sancho.kit.access import Principal
from sancho.kit.db import Connection, fetch_rows, fetch_values, stream
from sancho.replicas.model import ArchiveCopies, DatasetCopy, FileCopies, ReplicaState, Wanted

STATES: Mapping[str, ReplicaState] = {state.value: state for state in ReplicaState}
_PATH: LiteralString = """
           || (',"path":"/' || %(vo_name)s || '/') || s.name || '/' || lpad(to_hex(d.did_id & 4095), 3, '0')
           || '/' || to_hex(d.did_id) || '/'
           || CASE WHEN d.name ~ '^[A-Za-z0-9_.~/-]*$' THEN d.name
                   ELSE (SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_.~/-]' THEN c
                                                ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')),
                                                                    '(..)', '%%\\1', 'g') END, '' ORDER BY n)
                           FROM regexp_split_to_table(d.name, '') WITH ORDINALITY AS letter (c, n)) END
           || '","replicas":['
           || coalesce((SELECT string_agg((%(rses)s::text[])[array_position(%(rse_ids)s::int[], r.rse_id)]
                                          || CASE r.state WHEN 'A' THEN ',"state":"available"'
                                                          WHEN 'C' THEN ',"state":"copying"'
                                                          WHEN 'T' THEN ',"state":"unavailable"'
                                                          WHEN 'B' THEN ',"state":"bad"'
                                                          ELSE ',"state":"deleting"' END
                                          || coalesce(',"path":' || to_json(p.path)::text, '') || '}',
                                          ',' ORDER BY r.rse_id)
                          FROM replica r
                          LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
                         WHERE r.did_id = d.did_id AND r.vo = %(vo)s), '')
           || ']'
"""
"""Where a file lies that follows from its id, and its replicas."""
_LINE: LiteralString = (
    """
    SELECT '{"did":' || to_json(s.name || ':' || d.name)::text || ',"size":' || d.size
           || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null')
           || coalesce(',"md5":"' || replace(d.md5::text, '-', '') || '"', '')
    """
    + _PATH
)
_ARCHIVES: LiteralString = (
    """
           || CASE WHEN EXISTS (SELECT FROM constituent c WHERE c.did_id = file.did_id AND c.vo = %(vo)s)
                   THEN (SELECT ',"archives":[' || string_agg('{"did":' || to_json(s.name || ':' || d.name)::text
    """  # noqa: S608 - literals
    + _PATH
    + """
                                          || '}', ',' ORDER BY d.did_id) || ']'
                          FROM constituent inside
                          JOIN did d ON d.did_id = inside.archive_id AND d.vo = %(vo)s
                          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
                         WHERE inside.did_id = file.did_id AND inside.vo = %(vo)s) ELSE '' END
    """
)
_DID: LiteralString = """
     CROSS JOIN LATERAL (
           SELECT did.did_id, did.scope_id, did.name, did.size, did.adler32, did.md5 FROM did
            WHERE did.did_id = file.did_id AND did.vo = %(vo)s OFFSET 0) AS d
"""
"""One look for each file: for a cursor the planner would else walk through all DIDs there are, which lie in order."""
_JOINS: LiteralString = (
    _DID
    + """
      JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
     ORDER BY file.did_id
"""
)
_FILES: LiteralString = "FROM unnest(%(file_ids)s::bigint[]) AS file (did_id)"
_DATASET: LiteralString = """
      FROM (SELECT child_id FROM attachment
             WHERE parent_id = (%(dataset_ids)s::bigint[])[1] AND vo = %(vo)s) AS file (did_id)
"""
_ALL: LiteralString = """
      FROM (SELECT child_id FROM attachment WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
             UNION
            SELECT unnest(%(file_ids)s::bigint[])) AS file (did_id)
"""


async def stream_replicas(
    conn: Connection, caller: Principal, leaves: tuple[Sequence[int], Sequence[int]], rses: Mapping[int, str],
    *, archives: bool = False,
) -> AsyncIterator[bytes]:  # fmt: skip
    """Every file in these datasets or among these files, once, by id, each with its replicas.

    `rses` are the names of those that may be shown. `path` is what `rses.service.place` gives; it is put together
    here because asking for each of a million files would take longer than reading them. A replica that lies elsewhere
    has a `path` of its own. With `archives`, those that a file lies in are told in the same way.
    """
    dataset_ids, file_ids = leaves
    params = {
        "vo": caller.vo, "vo_name": caller.vo_name, "dataset_ids": list(dataset_ids), "file_ids": sorted(set(file_ids)),
        "rse_ids": list(rses), "rses": [f'{{"rse":"{name}"' for name in rses.values()],
    }  # fmt: skip
    among = _FILES if not dataset_ids else _DATASET if len(dataset_ids) == 1 and not file_ids else _ALL
    line = _LINE + (_ARCHIVES if archives else "") + " || '}'"
    async for rows in stream(conn, line + among + _JOINS, params):
        yield ("\n".join(row[0] for row in rows) + "\n").encode()


async def stream_copies(
    conn: Connection, vo: int, dataset_ids: Sequence[int], file_ids: Sequence[int], wanted: Wanted
) -> AsyncIterator[list[FileCopies]]:
    """These files and those in these datasets, once, by id, with the replicas that are wanted."""
    query: LiteralString = (
        """
        SELECT d.did_id, s.name, d.name, d.size, lpad(to_hex(d.adler32), 8, '0'), copy.rse_ids, copy.states, copy.paths,
               CASE WHEN %(parents)s THEN
                   ARRAY(SELECT ps.name || ':' || p.name
                           FROM attachment a
                           JOIN did p ON p.did_id = a.parent_id AND p.vo = %(vo)s
                           JOIN scope ps ON ps.scope_id = p.scope_id AND ps.vo = %(vo)s
                          WHERE a.child_id = d.did_id AND a.vo = %(vo)s
                          ORDER BY a.parent_id) END,
               inside.archives, replace(d.md5::text, '-', '')
          FROM (SELECT child_id FROM attachment WHERE parent_id = ANY(%(dataset_ids)s::bigint[]) AND vo = %(vo)s
                 UNION
                SELECT unnest(%(file_ids)s::bigint[])) AS file (did_id)
        """  # noqa: S608 - literals
        + _DID
        + """
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         CROSS JOIN LATERAL (
               SELECT array_agg(r.rse_id ORDER BY r.rse_id) AS rse_ids,
                      string_agg(r.state::text, '' ORDER BY r.rse_id) AS states,
                      CASE WHEN count(p.path) > 0 THEN array_agg(p.path ORDER BY r.rse_id) END AS paths
                 FROM replica r
                 LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
                WHERE r.did_id = d.did_id AND r.vo = %(vo)s AND r.rse_id = ANY(%(rse_ids)s::int[])
                  AND r.state = ANY(%(states)s::"char"[])) AS copy
         CROSS JOIN LATERAL (
               SELECT jsonb_agg(jsonb_build_array(c.archive_id, ps.name, p.name, there.copies) ORDER BY c.archive_id)
                      AS archives
                 FROM constituent c
                 JOIN did p ON p.did_id = c.archive_id AND p.vo = %(vo)s
                 JOIN scope ps ON ps.scope_id = p.scope_id AND ps.vo = %(vo)s
                CROSS JOIN LATERAL (
                      SELECT jsonb_agg(jsonb_build_array(r.rse_id, r.state, path.path) ORDER BY r.rse_id) AS copies
                        FROM replica r
                        LEFT JOIN replica_path path ON path.did_id = r.did_id AND path.vo = r.vo
                                                   AND path.rse_id = r.rse_id
                       WHERE r.did_id = c.archive_id AND r.vo = %(vo)s AND r.rse_id = ANY(%(rse_ids)s::int[])
                         AND r.state = ANY(%(states)s::"char"[])) AS there
                WHERE %(archives)s AND c.did_id = d.did_id AND c.vo = %(vo)s AND there.copies IS NOT NULL) AS inside
         WHERE %(bare)s OR copy.rse_ids IS NOT NULL OR inside.archives IS NOT NULL
         ORDER BY file.did_id
        """
    )
    params = {
        "vo": vo, "dataset_ids": list(dataset_ids), "file_ids": list(file_ids), "rse_ids": list(wanted.rse_ids),
        "states": list(wanted.states), "bare": wanted.bare, "parents": wanted.parents,
        "archives": wanted.archives,
    }  # fmt: skip
    async for rows in stream(conn, query, params):
        yield [
            FileCopies(
                did_id, scope, name, size, adler32, _copies(at, states, paths) if at else (), tuple(parents or ()),
                tuple(_archive(*one) for one in archives or ()), md5,
            )
            for did_id, scope, name, size, adler32, at, states, paths, parents, archives, md5 in rows
        ]  # fmt: skip


def _copies(
    rse_ids: Sequence[int], states: str, paths: Sequence[str | None] | None
) -> tuple[tuple[int, ReplicaState, str | None], ...]:
    return tuple(zip(rse_ids, (STATES[state] for state in states), paths or repeat(None), strict=False))


def _archive(did_id: int, scope: str, name: str, copies: list[list[Any]]) -> ArchiveCopies:
    return ArchiveCopies(did_id, scope, name, tuple((at, ReplicaState(state), path) for at, state, path in copies))


async def dataset_ids(conn: Connection, vo: int, after: int, limit: int) -> list[int]:
    """The first datasets of a VO whose ids are above `after`."""
    return await fetch_values(
        conn,
        """
        SELECT did_id FROM did
         WHERE did.vo = %(vo)s AND did.kind = 'D' AND NOT did.erased AND did_id > %(after)s
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
) -> list[tuple[int, str, int, str, int | None, str | None, str | None]]:
    """Those of these DIDs, in pairs of scope and name, that exist: both, id, kind, size, adler32 and md5."""
    return await fetch_rows(
        conn,
        """
        SELECT d.scope_id, d.name, d.did_id, d.kind, d.size, lpad(to_hex(d.adler32), 8, '0'),
               replace(d.md5::text, '-', '')
          FROM unnest(%(scope_ids)s::int[], %(names)s::text[]) AS wanted (scope_id, name)
          JOIN did d ON d.scope_id = wanted.scope_id AND d.vo = %(vo)s AND d.name = wanted.name
         WHERE NOT d.erased
        """,
        {"vo": vo, "scope_ids": list(scope_ids), "names": list(names)},
    )


async def lying_at(
    conn: Connection, vo: int, said: Sequence[tuple[int, str]], implied: Sequence[tuple[int, int]]
) -> list[tuple[int, int, str | None, str, str]]:
    """Files by where they lie: (file, RSE, path, scope, name).

    Of `said` (RSE, path) the replicas that are said to lie there, with that path; of `implied` (RSE, file) the files
    that exist and of which no replica there is said to lie elsewhere, without one.
    """
    return await fetch_rows(
        conn,
        """
        WITH found (did_id, rse_id, path) AS (
            SELECT p.did_id, p.rse_id, p.path
              FROM unnest(%(said_rses)s::int[], %(paths)s::text[]) AS said (rse_id, path)
              JOIN replica_path p ON p.rse_id = said.rse_id AND p.vo = %(vo)s AND p.path = said.path
             UNION ALL
            SELECT implied.did_id, implied.rse_id, NULL
              FROM unnest(%(implied_rses)s::int[], %(did_ids)s::bigint[]) AS implied (rse_id, did_id)
             WHERE NOT EXISTS (SELECT FROM replica_path p
                                WHERE p.did_id = implied.did_id AND p.vo = %(vo)s AND p.rse_id = implied.rse_id))
        SELECT d.did_id, found.rse_id, found.path, s.name, d.name
          FROM found
          JOIN did d ON d.did_id = found.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
        """,
        {
            "vo": vo, "said_rses": [rse_id for rse_id, _ in said], "paths": [path for _, path in said],
            "implied_rses": [rse_id for rse_id, _ in implied], "did_ids": [did_id for _, did_id in implied],
        },
    )  # fmt: skip


async def lying_on(
    conn: Connection, vo: int, rse_id: int, names: Sequence[tuple[str, str]]
) -> list[tuple[str, str, int, str | None]]:
    """Those of these files, (scope, name), with a replica on an RSE: both, id, and path where one is said."""
    return await fetch_rows(
        conn,
        """
        SELECT s.name, d.name, d.did_id, p.path
          FROM unnest(%(scopes)s::text[], %(names)s::text[]) AS wanted (scope, name)
          JOIN scope s ON s.vo = %(vo)s AND s.name = wanted.scope
          JOIN did d ON d.scope_id = s.scope_id AND d.vo = s.vo AND d.name = wanted.name
          JOIN replica r ON r.did_id = d.did_id AND r.vo = d.vo AND r.rse_id = %(rse_id)s
          LEFT JOIN replica_path p ON p.did_id = r.did_id AND p.vo = r.vo AND p.rse_id = r.rse_id
        """,
        {
            "vo": vo, "rse_id": rse_id, "scopes": [scope for scope, _ in names], "names": [name for _, name in names],
        },
    )  # fmt: skip

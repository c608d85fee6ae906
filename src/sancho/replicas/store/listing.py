"""Files with their replicas, as lines of JSON that the database makes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import LiteralString

from sancho.dids.model import Did, DidKind
from sancho.kit.db import Connection, stream

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

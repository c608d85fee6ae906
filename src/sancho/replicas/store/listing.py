"""Files with their replicas, as lines of JSON that the database makes."""

from collections.abc import AsyncIterator

from sancho.kit.db import Connection, stream


async def stream_replicas(
    conn: Connection, vo: int, vo_name: str, did_id: int, *, chunk: int = 1000
) -> AsyncIterator[bytes]:
    """Every file that is this DID or lies below it, once, by id, each with its replicas; many lines at a time.

    `path` is what `rses.service.place` gives; it is put together here because asking for each of a million files
    would take longer than reading them.
    """
    query = """
        WITH RECURSIVE below (did_id, kind) AS (
            SELECT did_id, kind FROM did WHERE did_id = %(did_id)s AND vo = %(vo)s
             UNION
            SELECT d.did_id, d.kind
              FROM below
              JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s
              JOIN did d ON d.did_id = a.child_id AND d.vo = %(vo)s
             WHERE below.kind = 'C')
        SELECT '{"did":' || to_json(s.name || ':' || d.name)::text || ',"size":' || d.size
               || ',"adler32":' || coalesce('"' || lpad(to_hex(d.adler32), 8, '0') || '"', 'null')
               || ',"path":"/' || %(vo_name)s || '/' || s.name || '/' || lpad(to_hex(d.did_id & 4095), 3, '0')
               || '/' || to_hex(d.did_id) || '/'
               || CASE WHEN d.name ~ '^[A-Za-z0-9_.~/-]*$' THEN d.name
                       ELSE (SELECT string_agg(CASE WHEN c ~ '[A-Za-z0-9_.~/-]' THEN c
                                                    ELSE regexp_replace(upper(encode(convert_to(c, 'UTF8'), 'hex')),
                                                                        '(..)', '%%\\1', 'g') END, '' ORDER BY n)
                               FROM regexp_split_to_table(d.name, '') WITH ORDINALITY AS letter (c, n)) END
               || '","replicas":['
               || coalesce((SELECT string_agg('{"rse":"' || rse.name || '","state":"'
                                   || CASE r.state WHEN 'A' THEN 'available' WHEN 'C' THEN 'copying'
                                                   WHEN 'B' THEN 'bad' ELSE 'deleting' END
                                   || '"}', ',' ORDER BY r.rse_id)
                              FROM replica r JOIN rse ON rse.rse_id = r.rse_id
                             WHERE r.did_id = d.did_id AND r.vo = %(vo)s), '')
               || ']}'
          FROM (SELECT a.child_id
                  FROM below JOIN attachment a ON a.parent_id = below.did_id AND a.vo = %(vo)s
                 WHERE below.kind = 'D'
                 UNION
                SELECT did_id FROM below WHERE kind = 'F') AS file (did_id)
          JOIN did d ON d.did_id = file.did_id AND d.vo = %(vo)s
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
         ORDER BY file.did_id
        """
    async for rows in stream(conn, query, {"vo": vo, "vo_name": vo_name, "did_id": did_id}, chunk=chunk):
        yield ("\n".join(row[0] for row in rows) + "\n").encode()

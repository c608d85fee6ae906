"""Scopes as trees: what lies directly in a directory, and the files and bytes below it.

Triggers keep `path_tally` when files are made, erased or deleted.
"""

from collections.abc import Sequence

from sancho.dids.model import DidKind, Entry, Tally
from sancho.kit.db import Connection, fetch_rows, fetch_value

_LAST = "\U0010ffff"


async def scopes(conn: Connection, vo: int, *, after: str, limit: int) -> list[Entry]:
    """The scopes of a VO as directories, by name, behind the name `after`."""
    rows = await fetch_rows(
        conn,
        """
        SELECT s.name, coalesce(below.files, 0)::bigint, coalesce(below.size, 0)::bigint
          FROM (SELECT scope_id, name FROM scope
                 WHERE vo = %(vo)s AND name > %(after)s ORDER BY name LIMIT %(limit)s) AS s
         CROSS JOIN LATERAL (
               SELECT sum(t.files) AS files, sum(t.size) AS size FROM path_tally t
                WHERE t.scope_id = s.scope_id AND t.vo = %(vo)s AND t.path = '') AS below
         ORDER BY s.name
        """,
        {"vo": vo, "after": after, "limit": limit},
    )
    return [Entry(scope=name, name="", kind=None, files=files, size=size) for name, files, size in rows]


async def entries(conn: Connection, vo: int, scope_id: int, folder: str, *, after: str, limit: int) -> list[Entry]:
    """DIDs and directories directly in a directory, behind `after`, by name; a directory's has `/` at its end.

    `folder` is "" or ends with `/`; `after` is "", a DID's name, or a directory's with `/`. Each step looks once into
    the index, however much lies below a directory: from one of its names to the first behind all of them ('0' comes
    after '/').
    """
    rows = await fetch_rows(
        conn,
        """
        WITH RECURSIVE seen (name, slash) AS (
            (SELECT d.name, strpos(substr(d.name, %(rest)s::int), '/')
               FROM did d
              WHERE d.scope_id = %(scope_id)s AND d.vo = %(vo)s AND d.name >= %(first)s AND d.name < %(end)s
                AND NOT d.erased
              ORDER BY d.name LIMIT 1)
             UNION ALL
            SELECT next.name, strpos(substr(next.name, %(rest)s::int), '/')
              FROM seen
             CROSS JOIN LATERAL (
                   SELECT d.name FROM did d
                    WHERE d.scope_id = %(scope_id)s AND d.vo = %(vo)s AND d.name < %(end)s AND NOT d.erased
                      AND d.name >= CASE seen.slash WHEN 0 THEN seen.name || chr(1)
                                    ELSE left(seen.name, %(rest)s::int + seen.slash - 2) || '0' END
                    ORDER BY d.name LIMIT 1) AS next),
        page AS MATERIALIZED (
            SELECT CASE slash WHEN 0 THEN name ELSE left(name, %(rest)s::int + slash - 2) END AS name,
                   slash > 0 AS folder
              FROM seen LIMIT %(limit)s)
        SELECT page.name, d.did_id, d.kind, d.open, d.adler32, a.name, d.created_at,
               below.files::bigint, coalesce(d.size, below.size::bigint)
          FROM page
          LEFT JOIN LATERAL (
               SELECT d.did_id, d.kind, d.open, d.size, d.account_id, d.created_at,
                      lpad(to_hex(d.adler32), 8, '0') AS adler32
                 FROM did d
                WHERE d.scope_id = %(scope_id)s AND d.vo = %(vo)s AND d.name = page.name AND NOT d.erased
                  AND NOT page.folder
               OFFSET 0) AS d ON true
          LEFT JOIN account a ON a.account_id = d.account_id AND a.vo = %(vo)s
          LEFT JOIN LATERAL (
               SELECT coalesce(sum(t.files), 0) AS files, coalesce(sum(t.size), 0) AS size FROM path_tally t
                WHERE t.scope_id = %(scope_id)s AND t.vo = %(vo)s AND t.path = page.name
                  AND page.folder
               OFFSET 0) AS below ON page.folder
         ORDER BY CASE WHEN page.folder THEN page.name || '/' ELSE page.name END COLLATE "C"
        """,
        {
            "vo": vo, "scope_id": scope_id, "limit": limit, "rest": len(folder) + 1,
            "first": _behind(after) if after else folder, "end": f"{folder[:-1]}0" if folder else _LAST,
        },
    )  # fmt: skip
    return [
        Entry(
            scope="", name=name, kind=None if kind is None else DidKind(kind), files=files, size=size, did_id=did_id,
            open=is_open, adler32=adler32, account=account, created_at=created_at,
        )
        for name, did_id, kind, is_open, adler32, account, created_at, files, size in rows
    ]  # fmt: skip


def _behind(entry: str) -> str:
    """The first name that can come behind an entry and all that is below it."""
    return f"{entry[:-1]}0" if entry.endswith("/") else f"{entry}\x01"


async def is_directory(conn: Connection, vo: int, scope_id: int, path: str) -> bool:
    """Say whether some DID lies below a directory; looks at one."""
    found = await fetch_value(
        conn,
        """
        SELECT did_id FROM did
         WHERE scope_id = %(scope_id)s AND vo = %(vo)s AND name >= %(first)s AND name < %(end)s AND NOT erased
         ORDER BY name LIMIT 1
        """,
        {"vo": vo, "scope_id": scope_id, "first": f"{path}/", "end": f"{path}0"},
    )
    return found is not None


async def tally(conn: Connection, vo: int, scope_ids: Sequence[int], path: str) -> Tally:
    """Files and bytes below a directory, in these scopes together."""
    rows = await fetch_rows(
        conn,
        """
        SELECT coalesce(sum(files), 0)::bigint, coalesce(sum(size), 0)::bigint
          FROM path_tally WHERE scope_id = ANY(%(scope_ids)s::int[]) AND vo = %(vo)s AND path = %(path)s
        """,
        {"vo": vo, "scope_ids": list(scope_ids), "path": path},
    )
    return Tally(*rows[0])

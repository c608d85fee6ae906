"""Scopes, and the rows of files and collections."""

from collections.abc import Sequence
from typing import LiteralString
from uuid import UUID

from sancho.dids.model import Did, DidKind, KnownDid, NewFile, Scope, pack_adler32
from sancho.kit.db import Connection, Database, execute, fetch, fetch_rows, fetch_values

DID: LiteralString = """
        SELECT d.did_id, d.vo, s.name AS scope, d.name, d.kind, d.open, d.size,
               lpad(to_hex(d.adler32), 8, '0') AS adler32, d.account_id, d.created_at, a.name AS account,
               s.account_id AS scope_account_id, d.monotonic, e.ends_at, e.held, d.guid,
               replace(d.md5::text, '-', '') AS md5
"""
WHOLE: LiteralString = (
    DID
    + """
          FROM did d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
          JOIN account a ON a.account_id = d.account_id AND a.vo = %(vo)s
          LEFT JOIN ending e ON e.did_id = d.did_id AND e.vo = %(vo)s
"""
)
"""DIDs with their scopes and accounts; a condition has to follow."""


async def scope_ids(conn: Connection, vo: int, names: Sequence[str]) -> dict[str, int]:
    """Ids of those of these scopes that exist."""
    rows = await fetch_rows(
        conn,
        "SELECT name, scope_id FROM scope WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])",
        {"vo": vo, "names": list(names)},
    )
    return dict(rows)


async def find_scopes(conn: Connection, vo: int, names: Sequence[str]) -> list[Scope]:
    """Those of these scopes that exist."""
    return await fetch(
        conn,
        Scope,
        """
        SELECT s.scope_id, s.vo, s.name, s.account_id, a.name AS account, s.shared
          FROM scope s JOIN account a ON a.account_id = s.account_id AND a.vo = s.vo
         WHERE s.vo = %(vo)s AND s.name = ANY(%(names)s::text[])
        """,
        {"vo": vo, "names": list(names)},
    )


async def owners(conn: Connection, vo: int, scope: str, name: str) -> list[int]:
    """The accounts of a scope and, if there is one, of a DID in it."""
    return await fetch_values(
        conn,
        """
        SELECT account_id FROM scope WHERE vo = %(vo)s AND scope.name = %(scope)s
        UNION
        SELECT did.account_id
          FROM scope
          JOIN did ON did.scope_id = scope.scope_id AND did.vo = scope.vo AND did.name = %(name)s AND NOT did.erased
         WHERE scope.vo = %(vo)s AND scope.name = %(scope)s
        """,
        {"vo": vo, "scope": scope, "name": name},
    )


async def list_scopes(conn: Connection, vo: int) -> list[Scope]:
    """All scopes of a VO, by name."""
    return await fetch(
        conn,
        Scope,
        """
        SELECT s.scope_id, s.vo, s.name, s.account_id, a.name AS account, s.shared
          FROM scope s JOIN account a ON a.account_id = s.account_id AND a.vo = s.vo
         WHERE s.vo = %(vo)s
         ORDER BY s.name
        """,
        {"vo": vo},
    )


async def insert_scope(conn: Connection, vo: int, account_id: int, name: str, *, shared: bool) -> bool:
    """Make a scope; False when it exists."""
    made = await execute(
        conn,
        """
        INSERT INTO scope (vo, shared, account_id, name) VALUES (%(vo)s, %(shared)s, %(account_id)s, %(name)s)
        ON CONFLICT DO NOTHING
        """,
        {"vo": vo, "shared": shared, "account_id": account_id, "name": name},
    )
    return made == 1


async def update_scope(conn: Connection, vo: int, name: str, *, account_id: int | None, shared: bool | None) -> bool:
    """Change what is not None of a scope; False when there is none."""
    changed = await execute(
        conn,
        """
        UPDATE scope SET account_id = coalesce(%(account_id)s, account_id), shared = coalesce(%(shared)s, shared)
         WHERE vo = %(vo)s AND name = %(name)s
        """,
        {"vo": vo, "name": name, "account_id": account_id, "shared": shared},
    )
    return changed == 1


async def put_scopes(conn: Connection, vo: int, scopes: Sequence[tuple[str, str, bool]]) -> list[str]:
    """Make or change scopes, given as (name, account, shared); return the names that could be.

    The others lack their account.
    """
    return await fetch_values(
        conn,
        """
        INSERT INTO scope (vo, shared, account_id, name)
        SELECT a.vo, wanted.shared, a.account_id, wanted.name
          FROM unnest(%(names)s::text[], %(accounts)s::text[], %(shared)s::boolean[]) AS wanted (name, account, shared)
          JOIN account a ON a.vo = %(vo)s AND a.name = wanted.account
         ORDER BY wanted.name
            ON CONFLICT (name, vo) DO UPDATE SET account_id = EXCLUDED.account_id, shared = EXCLUDED.shared
        RETURNING name
        """,
        {
            "vo": vo, "names": [name for name, _, _ in scopes], "accounts": [account for _, account, _ in scopes],
            "shared": [shared for _, _, shared in scopes],
        },
    )  # fmt: skip


async def delete_scopes(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Remove scopes; the database refuses while one holds a DID."""
    await execute(
        conn,
        "DELETE FROM scope WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])",
        {"vo": vo, "names": list(names)},
    )


async def dids_by_name(conn: Connection, vo: int, scopes: Sequence[str], names: Sequence[str]) -> list[Did]:
    """Those of these DIDs that exist, in any order; `scopes` and `names` go in pairs."""
    return await fetch(
        conn,
        Did,
        DID
        + """
          FROM unnest(%(scopes)s::text[], %(names)s::text[]) AS wanted (scope, name)
          JOIN scope s ON s.vo = %(vo)s AND s.name = wanted.scope
          JOIN did d ON d.scope_id = s.scope_id AND d.vo = %(vo)s AND d.name = wanted.name AND NOT d.erased
          JOIN account a ON a.account_id = d.account_id AND a.vo = %(vo)s
          LEFT JOIN ending e ON e.did_id = d.did_id AND e.vo = %(vo)s
        """,
        {"vo": vo, "scopes": list(scopes), "names": list(names)},
    )


async def identify(conn: Connection, vo: int, scopes: Sequence[str], names: Sequence[str]) -> dict[int, KnownDid]:
    """Those of these DIDs that exist, by their place among them; `scopes` and `names` go in pairs."""
    found = await fetch_rows(
        conn,
        """
        SELECT wanted.place - 1, d.did_id, d.kind
          FROM unnest(%(scopes)s::text[], %(names)s::text[]) WITH ORDINALITY AS wanted (scope, name, place)
          JOIN scope s ON s.vo = %(vo)s AND s.name = wanted.scope
          JOIN did d ON d.scope_id = s.scope_id AND d.vo = %(vo)s AND d.name = wanted.name AND NOT d.erased
        """,
        {"vo": vo, "scopes": list(scopes), "names": list(names)},
    )
    kinds = {kind.value: kind for kind in DidKind}
    return {place: KnownDid(did_id, kinds[kind]) for place, did_id, kind in found}


async def glance(database: Database, vos: Sequence[int], vo: int, scope: str, name: str) -> Did | None:
    """One of these DIDs, in a single exchange with the database."""
    query: LiteralString = (
        WHOLE
        + """
         WHERE s.name = %(scope)s AND d.vo = %(vo)s AND d.name = %(name)s AND NOT d.erased
        """
    )
    return await database.glance(vos, Did, query, {"vo": vo, "scope": scope, "name": name})


async def dids_by_id(conn: Connection, vo: int, did_ids: Sequence[int]) -> list[Did]:
    """Those of these DIDs that exist, by id."""
    return await fetch(
        conn,
        Did,
        DID
        + """
          FROM did d
          JOIN scope s ON s.scope_id = d.scope_id AND s.vo = %(vo)s
          JOIN account a ON a.account_id = d.account_id AND a.vo = %(vo)s
          LEFT JOIN ending e ON e.did_id = d.did_id AND e.vo = %(vo)s
         WHERE d.did_id = ANY(%(did_ids)s::bigint[]) AND d.vo = %(vo)s
         ORDER BY d.did_id
        """,
        {"vo": vo, "did_ids": list(did_ids)},
    )


async def did_by_guid(conn: Connection, vo: int, guid: UUID) -> list[Did]:
    """The file with this GUID, if there is one."""
    return await fetch(
        conn,
        Did,
        WHOLE
        + """
         WHERE d.guid = %(guid)s AND d.vo = %(vo)s AND NOT d.erased
        """,
        {"vo": vo, "guid": guid},
    )


async def list_dids(
    conn: Connection, vo: int, scope_id: int, names: tuple[str, str], kinds: Sequence[DidKind], limit: int
) -> list[Did]:
    """DIDs of a scope whose names are from the first up to, not including, the second of `names`, in order of name."""
    return await fetch(
        conn,
        Did,
        WHOLE
        + """
         WHERE d.scope_id = %(scope_id)s AND d.vo = %(vo)s AND d.name >= %(first)s AND d.name < %(end)s
           AND NOT d.erased AND d.kind = ANY(%(kinds)s::"char"[])
         ORDER BY d.name
         LIMIT %(limit)s
        """,
        {"vo": vo, "scope_id": scope_id, "first": names[0], "end": names[1], "kinds": [*kinds], "limit": limit},
    )


async def insert_collections(
    conn: Connection, vo: int, account_id: int, wanted: Sequence[tuple[int, str, DidKind, bool]]
) -> dict[tuple[int, str], int]:
    """Make open collections, given as (scope id, name, kind, monotonic); return the ids of those that were free."""
    made = await fetch_rows(
        conn,
        """
        INSERT INTO did (vo, kind, open, scope_id, account_id, name, monotonic)
        SELECT %(vo)s, kind, true, scope_id, %(account_id)s, name, monotonic
          FROM unnest(%(scope_ids)s::int[], %(names)s::text[], %(kinds)s::"char"[], %(monotonic)s::boolean[])
               AS wanted (scope_id, name, kind, monotonic)
         ORDER BY scope_id, name COLLATE "C"
            ON CONFLICT DO NOTHING
        RETURNING scope_id, name, did_id
        """,
        {
            "vo": vo, "account_id": account_id, "scope_ids": [one[0] for one in wanted],
            "names": [one[1] for one in wanted], "kinds": [one[2] for one in wanted],
            "monotonic": [one[3] for one in wanted],
        },
    )  # fmt: skip
    return {(scope_id, name): did_id for scope_id, name, did_id in made}


async def insert_files(conn: Connection, vo: int, account_id: int, files: Sequence[NewFile]) -> list[int | None]:
    """Make files; return their ids in the order given, None where the name (id, or GUID) is taken."""
    return await fetch_values(
        conn,
        """
        WITH file AS MATERIALIZED (
            SELECT coalesce(f.did_id, nextval('did_id')) AS did_id, f.scope_id, f.name, f.size, f.adler32, f.guid,
                   f.md5, f.n
              FROM unnest(%(did_ids)s::bigint[], %(scope_ids)s::int[], %(names)s::text[], %(sizes)s::bigint[],
                          %(sums)s::int[], %(guids)s::uuid[], %(md5s)s::uuid[])
                   WITH ORDINALITY AS f (did_id, scope_id, name, size, adler32, guid, md5, n)),
        made AS (
            INSERT INTO did (vo, kind, open, scope_id, did_id, size, account_id, adler32, name, guid, md5)
            SELECT %(vo)s, 'F', false, scope_id, did_id, size, %(account_id)s, adler32, name, guid, md5
              FROM file
             ORDER BY scope_id, name COLLATE "C", n
                ON CONFLICT DO NOTHING
            RETURNING did_id)
        SELECT made.did_id FROM file LEFT JOIN made ON made.did_id = file.did_id ORDER BY file.n
        """,
        {
            "vo": vo,
            "account_id": account_id,
            "did_ids": [f.did_id for f in files],
            "scope_ids": [f.scope_id for f in files],
            "names": [f.name for f in files],
            "sizes": [f.size for f in files],
            "sums": [None if f.adler32 is None else pack_adler32(f.adler32) for f in files],
            "guids": [f.guid for f in files],
            "md5s": [f.md5 for f in files],
        },
    )


async def taken_names(
    conn: Connection, vo: int, scope_ids: Sequence[int], names: Sequence[str]
) -> list[tuple[int, str]]:
    """Those of these names, in pairs with scopes, that a DID has."""
    return await fetch_rows(
        conn,
        """
        SELECT d.scope_id, d.name
          FROM unnest(%(scope_ids)s::int[], %(names)s::text[]) AS wanted (scope_id, name)
          JOIN did d ON d.scope_id = wanted.scope_id AND d.vo = %(vo)s AND d.name = wanted.name
        """,
        {"vo": vo, "scope_ids": list(scope_ids), "names": list(names)},
    )

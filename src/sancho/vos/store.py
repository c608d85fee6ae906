"""The SQL of VOs and configuration versions."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from psycopg.types.json import Jsonb

from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values, stream
from sancho.kit.db import find as find_row
from sancho.kit.personal import Line, Person
from sancho.vos.model import VO, Change, Known, Version

APPLY_LOCK = 0x5A4C0


async def find(conn: Connection, name: str) -> VO | None:
    """Find a VO by name."""
    return await find_row(
        conn, VO, "SELECT vo, name, alias, passwords, max_reschedules FROM vo WHERE name = %(name)s", {"name": name}
    )


async def all_vos(conn: Connection) -> list[VO]:
    """Every VO, `instance` included."""
    return await fetch(conn, VO, "SELECT vo, name, alias, passwords, max_reschedules FROM vo ORDER BY vo")


async def create(conn: Connection, names: Sequence[str]) -> list[VO]:
    """Make the VOs that are not there yet; return those made."""
    return await fetch(
        conn,
        VO,
        """
        INSERT INTO vo (vo, name)
        SELECT nextval('vo_number')::smallint, wanted.name
          FROM unnest(%(names)s::text[]) WITH ORDINALITY AS wanted (name, place)
         WHERE NOT EXISTS (SELECT FROM vo WHERE vo.name = wanted.name)
         ORDER BY wanted.place
        RETURNING vo, name
        """,
        {"names": list(names)},
    )


async def put_aliases(conn: Connection, names: Sequence[str], aliases: Sequence[str | None]) -> None:
    """Give the n-th VO the n-th alias, or none."""
    await execute(
        conn,
        """
        UPDATE vo SET alias = wanted.alias
          FROM unnest(%(names)s::text[], %(aliases)s::text[]) AS wanted (name, alias)
         WHERE vo.name = wanted.name AND vo.alias IS DISTINCT FROM wanted.alias
        """,
        {"names": list(names), "aliases": list(aliases)},
    )


async def put_passwords(conn: Connection, names: Sequence[str], allowed: Sequence[bool]) -> None:
    """Let the accounts of the n-th VO log in with passwords, or not."""
    await execute(
        conn,
        """
        UPDATE vo SET passwords = wanted.allowed
          FROM unnest(%(names)s::text[], %(allowed)s::bool[]) AS wanted (name, allowed)
         WHERE vo.name = wanted.name AND vo.passwords <> wanted.allowed
        """,
        {"names": list(names), "allowed": list(allowed)},
    )


async def put_max_reschedules(conn: Connection, names: Sequence[str], most: Sequence[int]) -> None:
    """Let jobs of the n-th VO be put back to their start so often."""
    await execute(
        conn,
        """
        UPDATE vo SET max_reschedules = wanted.most
          FROM unnest(%(names)s::text[], %(most)s::smallint[]) AS wanted (name, most)
         WHERE vo.name = wanted.name AND vo.max_reschedules <> wanted.most
        """,
        {"names": list(names), "most": list(most)},
    )


async def serve_also(conn: Connection, vos: Sequence[int]) -> None:
    """Let this transaction serve further VOs, those it has just made."""
    await fetch_value(
        conn,
        "SELECT set_config('sancho.vo', array_to_string(served_vos() || %(vos)s::smallint[], ','), true)",
        {"vos": list(vos)},
    )


async def lock_configuration(conn: Connection) -> None:
    """Wait until no other apply runs; held until the transaction ends."""
    await fetch_value(conn, "SELECT pg_advisory_xact_lock(%(key)s)", {"key": APPLY_LOCK})


async def newest(conn: Connection, keys: Sequence[tuple[int, str, str]]) -> dict[tuple[int, str, str], dict[str, Any]]:
    """The recorded specs of these documents (owner, kind, name), as of the newest version; removed ones left out."""
    rows = await fetch_rows(
        conn,
        """
        SELECT wanted.vo, wanted.kind, wanted.name, latest.after
          FROM unnest(%(vos)s::smallint[], %(kinds)s::text[], %(names)s::text[]) AS wanted (vo, kind, name)
         CROSS JOIN LATERAL (
               SELECT change.after FROM configuration_change AS change
                WHERE change.vo = wanted.vo AND change.kind = wanted.kind AND change.name = wanted.name
                ORDER BY change.version DESC LIMIT 1) AS latest
         WHERE latest.after IS NOT NULL
        """,
        {"vos": [k[0] for k in keys], "kinds": [k[1] for k in keys], "names": [k[2] for k in keys]},
    )
    return {(vo, kind, name): after for vo, kind, name, after in rows}


async def state(conn: Connection, vos: Sequence[int], *, kind: str | None = None, at: int | None = None) -> Known:
    """Every recorded spec of these VOs, of one kind or all, as of version `at` or the newest."""
    rows = await fetch_rows(
        conn,
        """
        SELECT vo, kind, name, after
          FROM (SELECT DISTINCT ON (vo, kind, name) vo, kind, name, after
                  FROM configuration_change
                 WHERE vo = ANY(%(vos)s::smallint[])
                   AND (%(kind)s::text IS NULL OR kind = %(kind)s)
                   AND (%(at)s::bigint IS NULL OR version <= %(at)s)
                 ORDER BY vo, kind, name, version DESC) AS latest
         WHERE after IS NOT NULL
         ORDER BY vo, kind, name
        """,
        {"vos": list(vos), "kind": kind, "at": at},
    )
    return {(vo, kind, name): after for vo, kind, name, after in rows}


async def record_version(conn: Connection, vos: Sequence[int], *, by: str, comment: str | None) -> int:
    """Number a new version, the next to the last, and note it for each of these VOs; call it under the lock."""
    return await fetch_value(
        conn,
        """
        WITH number AS MATERIALIZED (SELECT next_configuration_version() AS version)
        INSERT INTO configuration_version (vo, version, applied_by, comment)
        SELECT vo, number.version, %(by)s, %(comment)s FROM unnest(%(vos)s::smallint[]) AS vo, number
        RETURNING version
        """,
        {"vos": list(vos), "by": by, "comment": comment},
    )


async def record_changes(conn: Connection, version: int, changes: Sequence[tuple[int, Change]]) -> None:
    """Note what a version changed; each change comes with its owner's id."""
    await execute(
        conn,
        """
        INSERT INTO configuration_change (vo, version, kind, name, before, after)
        SELECT vo, %(version)s, kind, name, before, after
          FROM unnest(%(vos)s::smallint[], %(kinds)s::text[], %(names)s::text[],
                      %(before)s::jsonb[], %(after)s::jsonb[]) AS change (vo, kind, name, before, after)
        """,
        {
            "version": version,
            "vos": [vo for vo, _ in changes],
            "kinds": [c.kind for _, c in changes],
            "names": [c.name for _, c in changes],
            "before": [None if c.before is None else Jsonb(c.before) for _, c in changes],
            "after": [None if c.after is None else Jsonb(c.after) for _, c in changes],
        },
    )


async def list_versions(conn: Connection, vos: Sequence[int], *, before: int | None, limit: int) -> list[Version]:
    """Versions that concern these VOs, newest first, from below `before` on."""
    return await fetch(
        conn,
        Version,
        """
        SELECT DISTINCT version, applied_at, applied_by, comment
          FROM configuration_version
         WHERE vo = ANY(%(vos)s::smallint[]) AND (%(before)s::bigint IS NULL OR version < %(before)s)
         ORDER BY version DESC
         LIMIT %(limit)s
        """,
        {"vos": list(vos), "before": before, "limit": limit},
    )


async def changes(conn: Connection, vos: Sequence[int], version: int) -> list[Change]:
    """What a version changed for these VOs."""
    return await fetch(
        conn,
        Change,
        """
        SELECT change.kind, vo.name AS vo, change.name, change.before, change.after,
               CASE WHEN change.before IS NULL THEN 'created'
                    WHEN change.after IS NULL THEN 'removed' ELSE 'changed' END AS action
          FROM configuration_change AS change
          JOIN vo ON vo.vo = change.vo
         WHERE change.vo = ANY(%(vos)s::smallint[]) AND change.version = %(version)s
         ORDER BY change.vo, change.kind, change.name
        """,
        {"vos": list(vos), "version": version},
    )


async def current_version(conn: Connection) -> int | None:
    """The newest version that concerns a VO this transaction serves."""
    return await fetch_value(conn, "SELECT max(version) FROM configuration_version")


async def served(conn: Connection) -> list[int]:
    """The VOs that this transaction serves."""
    return await fetch_values(conn, "SELECT unnest(served_vos()) ORDER BY 1")


# ---- a person's data


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """The documents of somebody's account as they were and are, and the versions that they applied."""
    chunks = stream(
        conn,
        """
        SELECT jsonb_build_object('what', 'document', 'version', version, 'kind', kind, 'name', name,
                                  'before', before, 'after', after)
          FROM configuration_change
         WHERE vo = %(vo)s AND kind = 'Account' AND name = %(name)s
        UNION ALL
        SELECT jsonb_build_object('what', 'applied', 'version', version, 'at', applied_at, 'comment', comment)
          FROM configuration_version
         WHERE vo = %(vo)s AND applied_by = %(by)s
        """,
        {"vo": person.vo, "name": person.name, "by": f"{person.vo_name}:{person.name}"},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def erase_person(conn: Connection, person: Person) -> int:
    """Leave of an account's documents that there was one, call it by its pseudonym wherever it is named.

    Which versions they applied stays, under the pseudonym and without their comments.
    """
    parameters = {
        "vo": person.vo, "name": person.name, "pseudonym": person.pseudonym,
        "before": f"{person.vo_name}:{person.name}", "after": f"{person.vo_name}:{person.pseudonym}",
    }  # fmt: skip
    own = await execute(
        conn,
        """
        UPDATE configuration_change
           SET name = %(pseudonym)s,
               before = CASE WHEN before IS NOT NULL THEN '{"groups": [], "suspended": true}'::jsonb END,
               after = CASE WHEN after IS NOT NULL THEN '{"groups": [], "suspended": true}'::jsonb END
         WHERE vo = %(vo)s AND kind = 'Account' AND name = %(name)s
        """,
        parameters,
    )
    named = await execute(
        conn,
        """
        UPDATE configuration_change AS c SET before = renamed.before, after = renamed.after
          FROM (SELECT version, vo, kind, name,
                       (SELECT coalesce(jsonb_object_agg(e.key, CASE
                                   WHEN e.key = 'account' AND e.value = to_jsonb(%(name)s::text)
                                   THEN to_jsonb(%(pseudonym)s::text)
                                   WHEN e.key = 'accounts' AND e.value ? %(name)s
                                   THEN (e.value - %(name)s) || to_jsonb(%(pseudonym)s::text)
                                   ELSE e.value END), before) FROM jsonb_each(before) AS e) AS before,
                       (SELECT coalesce(jsonb_object_agg(e.key, CASE
                                   WHEN e.key = 'account' AND e.value = to_jsonb(%(name)s::text)
                                   THEN to_jsonb(%(pseudonym)s::text)
                                   WHEN e.key = 'accounts' AND e.value ? %(name)s
                                   THEN (e.value - %(name)s) || to_jsonb(%(pseudonym)s::text)
                                   ELSE e.value END), after) FROM jsonb_each(after) AS e) AS after
                  FROM configuration_change
                 WHERE vo = %(vo)s
                   AND (%(name)s IN (before ->> 'account', after ->> 'account')
                        OR before -> 'accounts' ? %(name)s OR after -> 'accounts' ? %(name)s)) AS renamed
         WHERE (c.version, c.vo, c.kind, c.name) = (renamed.version, renamed.vo, renamed.kind, renamed.name)
        """,
        parameters,
    )
    applied = await execute(
        conn,
        """
        UPDATE configuration_version SET applied_by = %(after)s, comment = NULL
         WHERE vo = ANY(served_vos()) AND applied_by = %(before)s
        """,
        parameters,
    )
    return own + named + applied

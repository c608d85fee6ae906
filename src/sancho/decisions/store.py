"""The SQL of policies and the audit log.

Rows and batches of the log are inserted and read, nothing else; what is below `dropping` needs the database's owner.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import TypedDict

from psycopg.types.json import Jsonb

from sancho.decisions.model import AuditRow, Batch, Gap, Sealed, StoredPolicy, StoredRights
from sancho.kit.audit import Entry
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, fetch_values, find, stream
from sancho.kit.personal import Line, Person

WRITING = 7_266_228
"""Advisory lock that whoever writes rows shares (`begin_audit_rows`), and that the sealer has alone for a moment."""
SEALING = 7_266_229

# ---- policies


async def rights(conn: Connection, vo: int, account_id: int) -> StoredRights | None:
    """The groups of an account with their permissions, and the policies of its VO that may concern it."""
    return await find(
        conn,
        StoredRights,
        """
        WITH mine AS (
            SELECT g.name, g.permissions
              FROM membership AS m
              JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
             WHERE m.account_id = %(account_id)s AND m.vo = %(vo)s)
        SELECT coalesce((SELECT jsonb_object_agg(name, to_jsonb(permissions)) FROM mine), '{}') AS roles,
               coalesce((
                   SELECT jsonb_agg(to_jsonb(p) - 'policy_id' ORDER BY p.name)
                     FROM policy AS p
                    WHERE p.vo = account.vo
                      AND (p.groups = '{}' AND p.accounts = '{}'
                           OR account.name = ANY(p.accounts)
                           OR p.groups && (SELECT array_agg(name) FROM mine))), '[]') AS policies
          FROM account
         WHERE account.account_id = %(account_id)s AND account.vo = %(vo)s
        """,
        {"vo": vo, "account_id": account_id},
    )


async def policies(conn: Connection, vo: int, names: Sequence[str]) -> list[StoredPolicy]:
    """The policies of a VO with these names."""
    return await fetch(
        conn,
        StoredPolicy,
        """
        SELECT vo, name, effect, permissions, groups, accounts, things, reason, plugin, settings
          FROM policy
         WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])
         ORDER BY name
        """,
        {"vo": vo, "names": list(names)},
    )


async def put_policies(conn: Connection, vo: int, wanted: Sequence[StoredPolicy]) -> None:
    """Make or change policies."""
    lists = [
        {"permissions": p.permissions, "groups": p.groups, "accounts": p.accounts, "things": p.things} for p in wanted
    ]
    await execute(
        conn,
        """
        INSERT INTO policy (vo, name, effect, reason, plugin, settings, permissions, groups, accounts, things)
        SELECT %(vo)s, w.name, w.effect, w.reason, w.plugin, w.settings, l.permissions, l.groups, l.accounts, l.things
          FROM unnest(%(names)s::text[], %(effects)s::"char"[], %(reasons)s::text[], %(plugins)s::text[],
                      %(settings)s::jsonb[], %(lists)s::jsonb[]) AS w (name, effect, reason, plugin, settings, lists)
         CROSS JOIN LATERAL jsonb_to_record(w.lists)
               AS l (permissions text[], groups text[], accounts text[], things text[])
         ORDER BY w.name
        ON CONFLICT (name, vo) DO UPDATE
           SET effect = excluded.effect, reason = excluded.reason, plugin = excluded.plugin,
               settings = excluded.settings, permissions = excluded.permissions, groups = excluded.groups,
               accounts = excluded.accounts, things = excluded.things
        """,
        {
            "vo": vo,
            "names": [p.name for p in wanted],
            "effects": [p.effect.value for p in wanted],
            "reasons": [p.reason for p in wanted],
            "plugins": [p.plugin for p in wanted],
            "settings": [Jsonb(p.settings) for p in wanted],
            "lists": [Jsonb(one) for one in lists],
        },
    )


async def drop_policies(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Delete policies."""
    query = "DELETE FROM policy WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])"
    await execute(conn, query, {"vo": vo, "names": list(names)})


async def unknown_accounts(conn: Connection, vo: int, names: Sequence[str]) -> list[str]:
    """Those of these names that no account of a VO has."""
    return await fetch_values(
        conn,
        """
        SELECT name FROM unnest(%(names)s::text[]) AS w (name)
         WHERE NOT EXISTS (SELECT FROM account WHERE account.vo = %(vo)s AND account.name = w.name)
         ORDER BY name
        """,
        {"vo": vo, "names": list(names)},
    )


# ---- the log


async def insert_rows(conn: Connection, entries: Sequence[Entry], origin: Mapping[str, str | None]) -> None:
    """Write decisions of one request; `origin` is its route, trace_id and client."""
    await execute(
        conn,
        """
        INSERT INTO audit_row (vo, allowed, items, pilot_id, account, permission, thing, why, route, trace_id, client)
        SELECT w.*, %(route)s, %(trace_id)s, %(client)s
          FROM unnest(%(vos)s::smallint[], %(allowed)s::bool[], %(items)s::int[], %(pilot_ids)s::bigint[],
                      %(accounts)s::text[], %(permissions)s::text[], %(things)s::text[], %(whys)s::text[]) AS w
        """,
        {
            **origin,
            "vos": [e.vo for e in entries],
            "allowed": [e.allowed for e in entries],
            "items": [e.items for e in entries],
            "pilot_ids": [e.pilot_id for e in entries],
            "accounts": [e.account for e in entries],
            "permissions": [e.permission for e in entries],
            "things": [e.thing for e in entries],
            "whys": [e.why for e in entries],
        },
    )


class Filter(TypedDict):
    """What a search is for; None is anything. `before` is the id that the page ends at."""

    before: int | None
    since: datetime | None
    until: datetime | None
    account: str | None
    permission: str | None
    allowed: bool | None
    on: str | None


async def search(conn: Connection, vo: int, wanted: Filter, limit: int) -> list[AuditRow]:
    """Rows of a VO, newest first."""
    return await fetch(
        conn,
        AuditRow,
        """
        SELECT audit_id, vo, at, account, pilot_id, permission, thing, items, allowed, why, route, trace_id, client
          FROM audit_row
         WHERE vo = %(vo)s
           AND (%(before)s::bigint IS NULL OR audit_id < %(before)s::bigint)
           AND (%(since)s::timestamptz IS NULL OR at >= %(since)s::timestamptz)
           AND (%(until)s::timestamptz IS NULL OR at < %(until)s::timestamptz)
           AND (%(account)s::text IS NULL OR account = %(account)s::text)
           AND (%(permission)s::text IS NULL OR permission = %(permission)s::text)
           AND (%(allowed)s::bool IS NULL OR allowed = %(allowed)s::bool)
           AND (%(on)s::text IS NULL OR starts_with(thing, %(on)s::text))
         ORDER BY audit_id DESC
         LIMIT %(limit)s
        """,
        {**wanted, "vo": vo, "limit": limit},
    )


# ---- sealing


async def settled(conn: Connection) -> int:
    """The highest number of a row so far; every lower one is committed, or never will be.

    For a moment nobody writes: the transaction must end at once. Raises `LockNotAvailable` when that takes too long.
    """
    await execute(conn, "SELECT set_config('lock_timeout', '200ms', true)")
    await execute(conn, "SELECT pg_advisory_xact_lock(%(key)s)", {"key": WRITING})
    return await fetch_value(conn, "SELECT last_value FROM audit_number")


async def try_sealing(conn: Connection) -> bool:
    """Let one sealer work at a time; False when another does."""
    return await fetch_value(conn, "SELECT pg_try_advisory_xact_lock(%(key)s)", {"key": SEALING})


async def last_batches(conn: Connection) -> dict[int, tuple[int, bytes]]:
    """Number and hash of the newest batch of each VO that this transaction serves."""
    rows = await fetch_rows(
        conn,
        """
        SELECT vo.vo, b.number, b.sha256
          FROM vo
         CROSS JOIN LATERAL (
               SELECT number, sha256 FROM audit_batch WHERE audit_batch.vo = vo.vo ORDER BY number DESC LIMIT 1) AS b
        """,
    )
    return {vo: (number, sha256) for vo, number, sha256 in rows}


async def stream_unsealed(conn: Connection, highest: int) -> AsyncIterator[AuditRow]:
    """Rows up to a number that are in no batch yet, VO by VO, in order."""
    chunks = stream(
        conn,
        """
        SELECT r.*
          FROM vo
         CROSS JOIN LATERAL (
               SELECT coalesce(max(number), 0) AS number FROM audit_batch WHERE audit_batch.vo = vo.vo) AS newest
          LEFT JOIN audit_batch AS b ON b.number = newest.number AND b.vo = vo.vo
         CROSS JOIN LATERAL (
               SELECT audit_id, vo, at, account, pilot_id, permission, thing, items, allowed, why, route, trace_id,
                      client
                 FROM audit_row
                WHERE audit_row.vo = vo.vo AND audit_id > coalesce(b.last_id, 0) AND audit_id <= %(highest)s) AS r
         ORDER BY r.vo, r.audit_id
        """,
        {"highest": highest},
    )
    async for rows in chunks:
        for row in rows:
            yield _row(row)


async def insert_batches(conn: Connection, batches: Sequence[Sealed]) -> None:
    """Write batches; a number that is taken is an error."""
    await execute(
        conn,
        """
        INSERT INTO audit_batch (vo, number, rows, last_id, sha256)
        SELECT *
          FROM unnest(%(vos)s::smallint[], %(numbers)s::int[], %(rows)s::int[], %(last_ids)s::bigint[],
                      %(hashes)s::bytea[])
        """,
        {
            "vos": [b.vo for b in batches],
            "numbers": [b.number for b in batches],
            "rows": [b.rows for b in batches],
            "last_ids": [b.last_id for b in batches],
            "hashes": [b.sha256 for b in batches],
        },
    )


# ---- checking


async def list_batches(conn: Connection, vo: int, *, after: int, limit: int) -> list[Batch]:
    """The batches of a VO after a number, in order."""
    return await fetch(
        conn,
        Batch,
        """
        SELECT number, rows, last_id, sealed_at, sha256
          FROM audit_batch
         WHERE vo = %(vo)s AND number > %(after)s
         ORDER BY number
         LIMIT %(limit)s
        """,
        {"vo": vo, "after": after, "limit": limit},
    )


async def stream_rows(conn: Connection, vo: int, after: int, last: int) -> AsyncIterator[AuditRow]:
    """The rows of a VO with numbers above `after`, up to `last`, in order."""
    chunks = stream(
        conn,
        """
        SELECT audit_id, vo, at, account, pilot_id, permission, thing, items, allowed, why, route, trace_id, client
          FROM audit_row
         WHERE vo = %(vo)s AND audit_id > %(after)s AND audit_id <= %(last)s
         ORDER BY audit_id
        """,
        {"vo": vo, "after": after, "last": last},
    )
    async for rows in chunks:
        for row in rows:
            yield _row(row)


async def find_gap(conn: Connection, vo: int) -> Gap | None:
    """Up to where the log of a VO was dropped, if it was."""
    return await find(
        conn,
        Gap,
        "SELECT number, last_id, sha256 FROM audit_gap WHERE vo = %(vo)s ORDER BY number DESC LIMIT 1",
        {"vo": vo},
    )


def _row(row: tuple[object, ...]) -> AuditRow:
    names = AuditRow.__dataclass_fields__
    return AuditRow(**dict(zip(names, row, strict=True)))  # pyright: ignore[reportArgumentType]


# ---- dropping


async def lock_last_before(conn: Connection, vo: int, before: datetime) -> Batch | None:
    """Lock the last batch of a VO that was sealed before a time, but not its newest: who comes second finds it gone."""
    return await find(
        conn,
        Batch,
        """
        SELECT number, rows, last_id, sealed_at, sha256
          FROM audit_batch
         WHERE vo = %(vo)s AND sealed_at < %(before)s
           AND number < (SELECT max(number) FROM audit_batch WHERE vo = %(vo)s)
         ORDER BY number DESC
         LIMIT 1
           FOR UPDATE
        """,
        {"vo": vo, "before": before},
    )


async def drop(conn: Connection, vo: int, last: Batch) -> tuple[int, int]:
    """Delete the batches of a VO up to one, and their rows, and note where the chain begins: how many batches, rows."""
    params = {"vo": vo, "number": last.number, "last_id": last.last_id, "sha256": last.sha256}
    rows = await execute(conn, "DELETE FROM audit_row WHERE vo = %(vo)s AND audit_id <= %(last_id)s", params)
    batches = await execute(conn, "DELETE FROM audit_batch WHERE vo = %(vo)s AND number <= %(number)s", params)
    await execute(
        conn,
        """
        INSERT INTO audit_gap (vo, number, last_id, sha256)
        VALUES (%(vo)s, %(number)s, %(last_id)s, %(sha256)s)
        """,
        params,
    )
    return batches, rows


# ---- a person's data


async def stream_person(conn: Connection, person: Person) -> AsyncIterator[Line]:
    """What was decided for somebody, or about their account."""
    chunks = stream(
        conn,
        """
        SELECT to_jsonb(r) || '{"what": "decision"}'
          FROM (SELECT audit_id, at, account, permission, thing, items, allowed, why, route, client
                  FROM audit_row
                 WHERE vo = %(vo)s AND (account = %(name)s OR thing = 'account:' || %(name)s)
                 ORDER BY audit_id) AS r
        """,
        {"vo": person.vo, "name": person.name},
    )
    async for rows in chunks:
        for (line,) in rows:
            yield line


async def erase_person(conn: Connection, person: Person) -> int:
    """Name somebody by their pseudonym in policies."""
    return await execute(
        conn,
        """
        UPDATE policy SET accounts = array_replace(accounts, %(name)s, %(pseudonym)s)
         WHERE vo = %(vo)s AND %(name)s = ANY(accounts)
        """,
        {"vo": person.vo, "name": person.name, "pseudonym": person.pseudonym},
    )

"""The SQL of accounts and groups."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from psycopg.types.json import Jsonb

from sancho.identity.model import Account, Attribute, Credential, Group, Roll, Standing
from sancho.kit.db import Connection, Database, execute, fetch, fetch_rows, fetch_values, find

# ---- accounts


async def list_accounts(
    conn: Connection, vo: int, *, names: Sequence[str] | None = None, ids: Sequence[int] | None = None,
    after: str = "", limit: int | None = None,
) -> list[Account]:  # fmt: skip
    """Accounts of a VO in order of their names: all, or those of some names or ids; from beyond `after` on."""
    return await fetch(
        conn,
        Account,
        """
        SELECT account.account_id, account.vo, account.name, account.kind, account.state, account.email,
               account.created_at, account.attributes, mine.groups
          FROM account
         CROSS JOIN LATERAL (
               SELECT coalesce(array_agg(g.name ORDER BY g.name), '{}') AS groups
                 FROM membership AS m
                 JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
                WHERE m.account_id = account.account_id AND m.vo = account.vo) AS mine
         WHERE account.vo = %(vo)s
           AND account.name > %(after)s
           AND (%(names)s::text[] IS NULL OR account.name = ANY(%(names)s::text[]))
           AND (%(ids)s::int[] IS NULL OR account.account_id = ANY(%(ids)s::int[]))
         ORDER BY account.name
         LIMIT %(limit)s
        """,
        {
            "vo": vo,
            "after": after,
            "limit": limit,
            "names": None if names is None else list(names),
            "ids": None if ids is None else list(ids),
        },
    )


async def names_like(conn: Connection, vo: int, stem: str) -> list[str]:
    """Names of a VO's accounts that begin with a word."""
    return await fetch_values(
        conn,
        "SELECT name FROM account WHERE vo = %(vo)s AND starts_with(name, %(stem)s)",
        {"vo": vo, "stem": stem},
    )


ROLL: LiteralString = """
    SELECT v.version, v.applied_at,
           ARRAY(SELECT a.name FROM account a WHERE a.vo = %(vo)s AND a.state = 'S' ORDER BY a.name) AS suspended,
           (SELECT coalesce(max(a.account_id), 0) FROM account a WHERE a.vo = %(vo)s) AS newest
      FROM (SELECT 1) AS one
      LEFT JOIN LATERAL (
           SELECT version, applied_at FROM configuration_version
            WHERE vo = %(vo)s ORDER BY version DESC LIMIT 1) AS v ON true
"""


async def roll(conn: Connection, vo: int) -> Roll:
    """What tells whether anything has changed of a VO."""
    return (await fetch(conn, Roll, ROLL, {"vo": vo}))[0]


async def roll_now(database: Database, vo: int) -> Roll:
    """The same in an exchange of its own."""
    found = await database.glance([vo], Roll, ROLL, {"vo": vo})
    return found or Roll(version=None, applied_at=None, suspended=(), newest=0)


async def administrators(conn: Connection, vo: int) -> list[str]:
    """Names of a VO's active accounts that are in a group which may do everything, in order."""
    return await fetch_values(
        conn,
        """
        SELECT DISTINCT account.name
          FROM account_group AS g
          JOIN membership AS m ON m.group_id = g.group_id AND m.vo = g.vo
          JOIN account ON account.account_id = m.account_id AND account.vo = m.vo
         WHERE g.vo = %(vo)s AND '*' = ANY(g.permissions) AND account.state = 'A'
         ORDER BY account.name
        """,
        {"vo": vo},
    )


async def put_accounts(
    conn: Connection, vo: int, *, names: Sequence[str], kinds: Sequence[str], emails: Sequence[str | None],
    suspended: Sequence[bool | None],
) -> dict[str, int]:  # fmt: skip
    """Make or change accounts; `suspended` None leaves the state as it is. Return their ids by name."""
    rows = await fetch_rows(
        conn,
        """
        WITH wanted AS (
            SELECT * FROM unnest(%(names)s::text[], %(kinds)s::"char"[], %(emails)s::text[], %(suspended)s::bool[])
                AS w (name, kind, email, suspended))
        INSERT INTO account AS a (vo, kind, state, name, email)
        SELECT %(vo)s, kind, CASE WHEN suspended THEN 'S' ELSE 'A' END, name, email FROM wanted ORDER BY name
        ON CONFLICT (name, vo) DO UPDATE
           SET kind = excluded.kind, email = excluded.email,
               state = CASE WHEN (SELECT suspended FROM wanted WHERE wanted.name = a.name) IS NULL
                            THEN a.state ELSE excluded.state END
        RETURNING name, account_id
        """,
        {
            "vo": vo,
            "names": list(names),
            "kinds": list(kinds),
            "emails": list(emails),
            "suspended": list(suspended),
        },
    )
    return dict(rows)


async def put_attributes(conn: Connection, vo: int, said: Mapping[int, Mapping[str, Attribute]]) -> None:
    """Let accounts, by id, have exactly these attributes."""
    await execute(
        conn,
        """
        UPDATE account SET attributes = w.attributes
          FROM unnest(%(account_ids)s::int[], %(attributes)s::jsonb[]) AS w (account_id, attributes)
         WHERE account.vo = %(vo)s AND account.account_id = w.account_id AND account.attributes <> w.attributes
        """,
        {"vo": vo, "account_ids": list(said), "attributes": [Jsonb(each) for each in said.values()]},
    )


async def set_state(conn: Connection, vo: int, names: Sequence[str], state: str) -> list[int]:
    """Suspend or activate accounts; return the ids of those there are."""
    return await fetch_values(
        conn,
        "UPDATE account SET state = %(state)s WHERE vo = %(vo)s AND name = ANY(%(names)s::text[]) RETURNING account_id",
        {"vo": vo, "names": list(names), "state": state},
    )


async def put_passwords(
    conn: Connection, vo: int, *, account_ids: Sequence[int], names: Sequence[str], hashes: Sequence[str], now: datetime
) -> None:
    """Set the passwords of accounts, as of `now`."""
    await execute(
        conn,
        """
        INSERT INTO identity (vo, kind, account_id, created_at, subject, secret_hash)
        SELECT %(vo)s, 'P', account_id, %(now)s, name, hash
          FROM unnest(%(account_ids)s::int[], %(names)s::text[], %(hashes)s::text[]) AS w (account_id, name, hash)
         ORDER BY name
        ON CONFLICT (subject, vo, kind) DO UPDATE
           SET secret_hash = excluded.secret_hash, created_at = excluded.created_at
        """,
        {"vo": vo, "account_ids": list(account_ids), "names": list(names), "hashes": list(hashes), "now": now},
    )


async def credential(conn: Connection, vo: int, account: str) -> Credential | None:
    """What a login to an account is checked against."""
    return await find(
        conn,
        Credential,
        """
        SELECT account.account_id, account.state, identity.secret_hash,
               ARRAY(SELECT g.name FROM membership AS m
                       JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
                      WHERE m.account_id = account.account_id AND m.vo = account.vo ORDER BY g.name) AS groups
          FROM account
          LEFT JOIN identity ON identity.vo = account.vo AND identity.kind = 'P' AND identity.subject = account.name
         WHERE account.vo = %(vo)s AND account.name = %(account)s
        """,
        {"vo": vo, "account": account},
    )


async def standing(
    conn: Connection, vo: int, account: str, *, groups: Sequence[str] = (), token_ids: Sequence[str] = ()
) -> Standing | None:
    """What an account is and may do at this moment, in some of its groups only if any are named.

    `revoked` says whether any of these tokens or logins, 32 hex digits each, is void.
    """
    return await find(
        conn,
        Standing,
        """
        SELECT account.account_id, account.state, identity.created_at AS proven_since,
               coalesce(array_agg(DISTINCT g.name) FILTER (WHERE g.name IS NOT NULL), '{}') AS groups,
               coalesce(array_agg(DISTINCT p.permission) FILTER (WHERE p.permission IS NOT NULL), '{}') AS permissions,
               EXISTS (SELECT FROM revocation AS r
                        WHERE r.token_id = ANY(%(token_ids)s::uuid[]) AND r.vo = account.vo) AS revoked
          FROM account
          LEFT JOIN identity ON identity.vo = account.vo AND identity.kind = 'P' AND identity.subject = account.name
          LEFT JOIN membership AS m ON m.account_id = account.account_id AND m.vo = account.vo
          LEFT JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
           AND (cardinality(%(groups)s::text[]) = 0 OR g.name = ANY(%(groups)s::text[]))
          LEFT JOIN LATERAL unnest(g.permissions) AS p (permission) ON true
         WHERE account.vo = %(vo)s AND account.name = %(account)s
         GROUP BY account.vo, account.account_id, account.state, identity.created_at
        """,
        {"vo": vo, "account": account, "groups": list(groups), "token_ids": list(token_ids)},
    )


# ---- groups


async def list_groups(conn: Connection, vo: int, *, account_id: int | None = None) -> list[Group]:
    """The groups of a VO, or those that an account is in; the oldest first."""
    return await fetch(
        conn,
        Group,
        """
        SELECT g.group_id, g.vo, g.name, g.permissions, g.share
          FROM account_group AS g
         WHERE g.vo = %(vo)s
           AND (%(account_id)s::int IS NULL OR EXISTS (
               SELECT FROM membership AS m
                WHERE m.account_id = %(account_id)s AND m.vo = g.vo AND m.group_id = g.group_id))
         ORDER BY g.group_id
        """,
        {"vo": vo, "account_id": account_id},
    )


async def groups_of(conn: Connection, vos: Sequence[int]) -> list[Group]:
    """The groups of these VOs; of each the oldest first."""
    return await fetch(
        conn,
        Group,
        """
        SELECT group_id, vo, name, permissions, share
          FROM account_group WHERE vo = ANY(%(vos)s::smallint[]) ORDER BY vo, group_id
        """,
        {"vos": list(vos)},
    )


async def put_groups(
    conn: Connection, vo: int, *, names: Sequence[str], permissions: Sequence[str], shares: Sequence[float]
) -> None:
    """Make or change groups; the permissions of each come in one text, with spaces between."""
    await execute(
        conn,
        """
        INSERT INTO account_group (vo, name, permissions, share)
        SELECT %(vo)s, name, string_to_array(permissions, ' '), share
          FROM unnest(%(names)s::text[], %(permissions)s::text[], %(shares)s::real[]) AS w (name, permissions, share)
         ORDER BY name
        ON CONFLICT (name, vo) DO UPDATE SET permissions = excluded.permissions, share = excluded.share
        """,
        {"vo": vo, "names": list(names), "permissions": list(permissions), "shares": list(shares)},
    )


async def add_groups(conn: Connection, vos: Sequence[int], names: Sequence[str], permissions: Sequence[str]) -> None:
    """Make groups that are not there yet: the n-th VO's n-th; permissions as in `put_groups`."""
    await execute(
        conn,
        """
        INSERT INTO account_group (vo, name, permissions)
        SELECT vo, name, string_to_array(permissions, ' ')
          FROM unnest(%(vos)s::smallint[], %(names)s::text[], %(permissions)s::text[]) AS w (vo, name, permissions)
        ON CONFLICT (name, vo) DO NOTHING
        """,
        {"vos": list(vos), "names": list(names), "permissions": list(permissions)},
    )


async def drop_groups(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Delete groups; their members lose them."""
    query = "DELETE FROM account_group WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])"
    await execute(conn, query, {"vo": vo, "names": list(names)})


async def put_memberships(
    conn: Connection, vo: int, *, account_ids: Sequence[int], members: Sequence[int], group_ids: Sequence[int]
) -> None:
    """Let `account_ids` be in exactly the groups of the pairs (members, group_ids)."""
    parameters = {
        "vo": vo, "account_ids": list(account_ids), "members": list(members), "group_ids": list(group_ids),
    }  # fmt: skip
    await execute(
        conn,
        """
        DELETE FROM membership AS m
         WHERE m.vo = %(vo)s AND m.account_id = ANY(%(account_ids)s::int[])
           AND NOT EXISTS (SELECT FROM unnest(%(members)s::int[], %(group_ids)s::int[]) AS w (account_id, group_id)
                            WHERE w.account_id = m.account_id AND w.group_id = m.group_id)
        """,
        parameters,
    )
    await execute(
        conn,
        """
        INSERT INTO membership (vo, account_id, group_id)
        SELECT %(vo)s, account_id, group_id
          FROM unnest(%(members)s::int[], %(group_ids)s::int[]) AS w (account_id, group_id)
         ORDER BY account_id, group_id
        ON CONFLICT DO NOTHING
        """,
        parameters,
    )

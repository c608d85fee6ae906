"""The SQL of refresh tokens, and of tokens that were revoked before their end."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from sancho.identity.model import NewRefreshToken, OpenLogin, RefreshToken
from sancho.kit.db import Connection, execute, fetch, fetch_value, find

KNOWN: LiteralString = """
    SELECT token.account_id, account.name AS account, account.state, token.family::text, token.expires_at,
           token.used_at, token.revoked_at, token.client, token.token_scope,
           ARRAY(SELECT g.name FROM membership AS m
                   JOIN account_group AS g ON g.group_id = m.group_id AND g.vo = m.vo
                  WHERE m.account_id = account.account_id AND m.vo = account.vo ORDER BY g.name) AS groups
      FROM refresh_token AS token
      JOIN account ON account.account_id = token.account_id AND account.vo = token.vo
"""
"""What is known of refresh tokens; a condition follows."""


async def lock_owner(conn: Connection, vo: int, token_hash: bytes) -> int | None:
    """Lock the account that a refresh token was given to, so that its family changes in one place at a time."""
    return await fetch_value(
        conn,
        """
        SELECT account.account_id
          FROM account
         WHERE account.vo = %(vo)s
           AND account.account_id = (
               SELECT token.account_id FROM refresh_token AS token
                WHERE token.token_hash = %(token_hash)s AND token.vo = %(vo)s)
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "token_hash": token_hash},
    )


async def refresh_token(conn: Connection, vo: int, token_hash: bytes) -> RefreshToken | None:
    """What is known of a refresh token; call it under `lock_owner`."""
    return await find(
        conn,
        RefreshToken,
        KNOWN
        + """
         WHERE token.token_hash = %(token_hash)s AND token.vo = %(vo)s
        """,
        {"vo": vo, "token_hash": token_hash},
    )


async def newest_of_family(conn: Connection, vo: int, family: UUID) -> RefreshToken | None:
    """The refresh token that a login has given last."""
    return await find(
        conn,
        RefreshToken,
        KNOWN
        + """
         WHERE token.family = %(family)s AND token.vo = %(vo)s
         ORDER BY token.issued_at DESC
         LIMIT 1
        """,
        {"vo": vo, "family": family},
    )


async def use_refresh_token(conn: Connection, vo: int, token_hash: bytes, now: datetime) -> None:
    """Note the first use of a refresh token."""
    await execute(
        conn,
        """
        UPDATE refresh_token SET used_at = %(now)s
         WHERE token_hash = %(token_hash)s AND vo = %(vo)s AND used_at IS NULL
        """,
        {"vo": vo, "token_hash": token_hash, "now": now},
    )


async def add_refresh_token(conn: Connection, vo: int, token: NewRefreshToken) -> None:
    """Note a new refresh token."""
    await execute(
        conn,
        """
        INSERT INTO refresh_token (vo, account_id, family, issued_at, expires_at, token_hash, client, token_scope)
        VALUES (%(vo)s, %(account_id)s, %(family)s, %(issued_at)s, %(expires_at)s, %(token_hash)s, %(client)s,
                %(token_scope)s)
        """,
        {"vo": vo, **asdict(token)},
    )


async def revoke_family(conn: Connection, vo: int, family: UUID, now: datetime) -> None:
    """Void every refresh token that came from one login."""
    await execute(
        conn,
        """
        UPDATE refresh_token SET revoked_at = %(now)s
         WHERE family = %(family)s AND vo = %(vo)s AND revoked_at IS NULL
        """,
        {"vo": vo, "family": family, "now": now},
    )


async def revoke_until(conn: Connection, vo: int, token_ids: Sequence[str], until: datetime) -> None:
    """Void access tokens by their ids, or those of their logins; `until` none of them would be good anyway."""
    await execute(
        conn,
        """
        INSERT INTO revocation (vo, expires_at, token_id)
        SELECT %(vo)s, %(until)s, id FROM unnest(%(token_ids)s::uuid[]) id ORDER BY id
        ON CONFLICT (token_id, vo) DO UPDATE SET expires_at = greatest(revocation.expires_at, excluded.expires_at)
        """,
        {"vo": vo, "until": until, "token_ids": list(token_ids)},
    )


async def list_logins(conn: Connection, vo: int, now: datetime, *, account_id: int | None = None) -> list[OpenLogin]:
    """Logins that can still be renewed, of an account or of all in the VO: the newest first."""
    return await fetch(
        conn,
        OpenLogin,
        """
        SELECT t.family, account.name AS account, max(t.client) AS client, max(t.token_scope) AS token_scope,
               min(t.issued_at) AS began_at, max(t.issued_at) AS renewed_at, max(t.expires_at) AS expires_at
          FROM refresh_token t JOIN account ON account.account_id = t.account_id AND account.vo = t.vo
         WHERE t.vo = %(vo)s AND (%(account_id)s::int IS NULL OR t.account_id = %(account_id)s)
           AND t.revoked_at IS NULL AND t.expires_at > %(now)s
         GROUP BY t.family, account.name
         ORDER BY max(t.issued_at) DESC, t.family
        """,
        {"vo": vo, "account_id": account_id, "now": now},
    )


async def owner_of_family(conn: Connection, vo: int, family: UUID) -> int | None:
    """Lock the account that a login belongs to, so that its family changes in one place at a time."""
    return await fetch_value(
        conn,
        """
        SELECT account.account_id FROM account
         WHERE account.vo = %(vo)s
           AND account.account_id IN (SELECT t.account_id FROM refresh_token AS t
                                       WHERE t.family = %(family)s AND t.vo = %(vo)s)
           FOR NO KEY UPDATE
        """,
        {"vo": vo, "family": family},
    )


async def revoke_all(conn: Connection, vo: int, account_ids: Sequence[int], now: datetime) -> None:
    """Void every refresh token of accounts."""
    await execute(
        conn,
        """
        UPDATE refresh_token SET revoked_at = %(now)s
         WHERE vo = %(vo)s AND account_id = ANY(%(account_ids)s::int[]) AND revoked_at IS NULL
        """,
        {"vo": vo, "account_ids": list(account_ids), "now": now},
    )


async def forget_expired(conn: Connection, now: datetime) -> int:
    """Delete refresh tokens that have expired; say how many."""
    return await execute(conn, "DELETE FROM refresh_token WHERE expires_at < %(now)s", {"now": now})

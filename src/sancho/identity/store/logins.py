"""The SQL of logins under way, of providers that vouch for people, and of other proofs than passwords."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from sancho.identity.model import Identity, Login, LoginState, NewIdentity, Proof, Provider
from sancho.kit.db import Connection, execute, fetch, fetch_rows, fetch_value, find

# ---- logins


async def add_login(conn: Connection, login: Login, *, secret_hash: bytes) -> None:
    """Note a login that begins."""
    await execute(
        conn,
        """
        INSERT INTO login (vo, kind, expires_at, login_id, secret_hash, browser_hash, user_code, client, token_scope,
                           redirect_uri, client_state, nonce, challenge)
        VALUES (%(vo)s, %(kind)s, %(expires_at)s, %(login_id)s, %(secret_hash)s, %(browser_hash)s, %(user_code)s,
                %(client)s, %(token_scope)s, %(redirect_uri)s, %(client_state)s, %(nonce)s, %(challenge)s)
        """,
        {
            "vo": login.vo, "kind": login.kind.value, "expires_at": login.expires_at, "login_id": login.login_id,
            "secret_hash": secret_hash, "browser_hash": login.browser_hash, "user_code": login.user_code,
            "client": login.client, "token_scope": login.token_scope, "redirect_uri": login.redirect_uri,
            "client_state": login.client_state, "nonce": login.nonce, "challenge": login.challenge,
        },
    )  # fmt: skip


async def lock_login(
    conn: Connection, *, login_id: UUID | None = None, secret_hash: bytes | None = None,
    sent_hash: bytes | None = None, user_code: str | None = None,
) -> Login | None:  # fmt: skip
    """Lock a login of the VOs served, by one of its marks, so that it goes on in one place at a time."""
    return await find(
        conn,
        Login,
        """
        SELECT vo, login_id, kind, state, account_id, expires_at, polled_at, family, browser_hash, provider_id,
               user_code, client, token_scope, redirect_uri, client_state, nonce, challenge
          FROM login
         WHERE login_id = %(login_id)s OR secret_hash = %(secret_hash)s OR sent_hash = %(sent_hash)s
            OR user_code = %(user_code)s
           FOR NO KEY UPDATE
        """,
        {"login_id": login_id, "secret_hash": secret_hash, "sent_hash": sent_hash, "user_code": user_code},
    )


async def set_browser(conn: Connection, vo: int, login_id: UUID, browser_hash: bytes) -> None:
    """Tie a locked login to the browser that goes on with it."""
    await execute(
        conn,
        "UPDATE login SET browser_hash = %(browser_hash)s WHERE login_id = %(id)s AND vo = %(vo)s",
        {"vo": vo, "id": login_id, "browser_hash": browser_hash},
    )


async def set_sent(conn: Connection, vo: int, login_id: UUID, *, provider_id: int | None, sent_hash: bytes) -> None:
    """Note that a locked login's browser was sent to a provider, and with what state."""
    await execute(
        conn,
        """
        UPDATE login SET provider_id = %(provider_id)s, sent_hash = %(sent_hash)s
         WHERE login_id = %(id)s AND vo = %(vo)s
        """,
        {"vo": vo, "id": login_id, "provider_id": provider_id, "sent_hash": sent_hash},
    )


async def set_login_state(
    conn: Connection, login: Login, state: LoginState, *, account_id: int | None = None,
    secret_hash: bytes | None = None, family: UUID | None = None,
) -> None:  # fmt: skip
    """Put a locked login into a state; what is given with it is noted too."""
    await execute(
        conn,
        """
        UPDATE login
           SET state = %(state)s, account_id = coalesce(%(account_id)s, account_id), sent_hash = NULL,
               secret_hash = coalesce(%(secret_hash)s, secret_hash), family = coalesce(%(family)s, family)
         WHERE login_id = %(id)s AND vo = %(vo)s
        """,
        {
            "vo": login.vo, "id": login.login_id, "state": state.value, "account_id": account_id,
            "secret_hash": secret_hash, "family": family,
        },
    )  # fmt: skip


async def set_polled(conn: Connection, vo: int, login_id: UUID, now: datetime) -> None:
    """Note that a device has asked for its login."""
    await execute(
        conn,
        "UPDATE login SET polled_at = %(now)s WHERE login_id = %(id)s AND vo = %(vo)s",
        {"vo": vo, "id": login_id, "now": now},
    )


async def forget_logins(conn: Connection, now: datetime) -> int:
    """Delete logins that took too long, and revocations of what is not good anyway; say how many."""
    return await execute(
        conn,
        """
        WITH gone AS (DELETE FROM revocation WHERE expires_at < %(now)s)
        DELETE FROM login WHERE expires_at < %(now)s - interval '1 hour'
        """,
        {"now": now},
    )


# ---- providers


async def own_issuers(conn: Connection, vo: int, issuers: Sequence[str]) -> dict[str, int]:
    """Let issuers that nobody has yet vouch for a VO; return by whom those are owned that this VO may name."""
    await execute(
        conn,
        """
        INSERT INTO issuer (vo, issuer) SELECT %(vo)s, i FROM unnest(%(issuers)s::text[]) i ORDER BY i
        ON CONFLICT (issuer) DO NOTHING
        """,
        {"vo": vo, "issuers": list(issuers)},
    )
    rows = await conn.execute(
        "SELECT issuer, vo FROM issuer WHERE issuer = ANY(%(issuers)s::text[]) AND vo IN (%(vo)s, 0)",
        {"vo": vo, "issuers": list(issuers)},
    )
    return dict(await rows.fetchall())


async def put_provider(conn: Connection, provider: Provider, *, issuer_vo: int) -> None:
    """Make or change a provider, known by its name."""
    await execute(
        conn,
        """
        INSERT INTO identity_provider (vo, issuer_vo, enabled, name, title, issuer, plugin, members, groups, settings)
        VALUES (%(vo)s, %(issuer_vo)s, %(enabled)s, %(name)s, %(title)s, %(issuer)s, %(plugin)s, %(members)s::text[],
                %(groups)s, %(settings)s)
        ON CONFLICT (name, vo) DO UPDATE
           SET issuer_vo = excluded.issuer_vo, enabled = excluded.enabled, title = excluded.title,
               issuer = excluded.issuer, plugin = excluded.plugin, members = excluded.members,
               groups = excluded.groups, settings = excluded.settings
        """,
        {
            "vo": provider.vo, "issuer_vo": issuer_vo, "enabled": provider.enabled, "name": provider.name,
            "title": provider.title, "issuer": provider.issuer, "plugin": provider.plugin,
            "members": list(provider.members), "groups": Jsonb(provider.groups), "settings": Jsonb(provider.settings),
        },
    )  # fmt: skip


async def provider_names(conn: Connection, vo: int) -> dict[str, str]:
    """The names of a VO's providers by their issuers, those that are not enabled too."""
    rows = await fetch_rows(conn, "SELECT issuer, name FROM identity_provider WHERE vo = %(vo)s", {"vo": vo})
    return dict(rows)


async def disable_providers(conn: Connection, vo: int, names: Sequence[str]) -> None:
    """Let providers vouch for nobody any more; who came by them stays who they are."""
    await execute(
        conn,
        "UPDATE identity_provider SET enabled = false WHERE vo = %(vo)s AND name = ANY(%(names)s::text[])",
        {"vo": vo, "names": list(names)},
    )


async def list_providers(
    conn: Connection, vo: int, *, name: str | None = None, issuer: str | None = None, provider_id: int | None = None
) -> list[Provider]:
    """The providers of a VO that are enabled, by name; or the one of a name, an issuer, an id."""
    return await fetch(
        conn,
        Provider,
        """
        SELECT provider_id, vo, name, title, issuer, plugin, enabled, members, groups, settings
          FROM identity_provider
         WHERE vo = %(vo)s AND enabled
           AND (%(name)s::text IS NULL OR name = %(name)s)
           AND (%(issuer)s::text IS NULL OR issuer = %(issuer)s)
           AND (%(provider_id)s::int IS NULL OR provider_id = %(provider_id)s)
         ORDER BY name
        """,
        {"vo": vo, "name": name, "issuer": issuer, "provider_id": provider_id},
    )


async def all_providers(conn: Connection) -> list[Provider]:
    """The providers of all VOs served that are enabled."""
    return await fetch(
        conn,
        Provider,
        """
        SELECT provider_id, vo, name, title, issuer, plugin, enabled, members, groups, settings
          FROM identity_provider WHERE enabled ORDER BY vo, name
        """,
    )


# ---- proofs


async def list_identities(
    conn: Connection, vo: int, *, account_id: int | None = None, kind: Proof | None = None, subject: str | None = None,
    issuer: str | None = None,
) -> list[Identity]:  # fmt: skip
    """Proofs of a VO's accounts: of one account, of a kind, what a subject proves, or what an issuer vouches for."""
    return await fetch(
        conn,
        Identity,
        """
        SELECT i.account_id, account.name AS account, i.kind, i.subject, i.issuer, i.created_at, i.proven_at,
               i.barred_at, i.detail
          FROM identity i JOIN account ON account.account_id = i.account_id AND account.vo = i.vo
         WHERE i.vo = %(vo)s
           AND (%(account_id)s::int IS NULL OR i.account_id = %(account_id)s)
           AND (%(kind)s::"char" IS NULL OR i.kind = %(kind)s)
           AND (%(subject)s::text IS NULL OR i.subject = %(subject)s)
           AND (%(issuer)s::text IS NULL OR i.issuer = %(issuer)s)
         ORDER BY i.kind, i.subject
        """,
        {
            "vo": vo, "account_id": account_id, "kind": None if kind is None else kind.value, "subject": subject,
            "issuer": issuer,
        },
    )  # fmt: skip


async def bar(conn: Connection, vo: int, subjects: Sequence[str], at: datetime | None) -> None:
    """Note since when an issuer does not vouch for these subjects any more; None: it does again."""
    await execute(
        conn,
        """
        UPDATE identity SET barred_at = %(at)s
         WHERE subject = ANY(%(subjects)s::text[]) AND vo = %(vo)s AND kind = 'O'
        """,
        {"vo": vo, "subjects": list(subjects), "at": at},
    )


async def put_identity(conn: Connection, vo: int, new: NewIdentity) -> bool:
    """Let a subject prove an account, with a new secret if there is one; False when it proves another one."""
    owner = await fetch_value(
        conn,
        """
        INSERT INTO identity AS i (vo, kind, account_id, subject, issuer, secret_hash, detail)
        VALUES (%(vo)s, %(kind)s, %(account_id)s, %(subject)s, %(issuer)s, %(secret_hash)s, %(detail)s)
        ON CONFLICT (subject, vo, kind) DO UPDATE
           SET secret_hash = excluded.secret_hash, detail = excluded.detail, created_at = now()
         WHERE i.account_id = excluded.account_id
        RETURNING account_id
        """,
        {"vo": vo, **asdict(new), "kind": new.kind.value},
    )
    return owner is not None


async def owners_of(
    conn: Connection, vo: int, kinds: Sequence[str], subjects: Sequence[str]
) -> dict[tuple[str, str], int]:
    """The accounts that these subjects prove, by kind and subject."""
    rows = await fetch_rows(
        conn,
        """
        SELECT i.kind, i.subject, i.account_id
          FROM unnest(%(kinds)s::"char"[], %(subjects)s::text[]) AS w (kind, subject)
          JOIN identity AS i ON i.subject = w.subject AND i.vo = %(vo)s AND i.kind = w.kind
        """,
        {"vo": vo, "kinds": list(kinds), "subjects": list(subjects)},
    )
    return {(kind, subject): account_id for kind, subject, account_id in rows}


async def add_identities(conn: Connection, vo: int, new: Sequence[NewIdentity]) -> int:
    """Let subjects prove accounts that prove none yet; return how many."""
    return await execute(
        conn,
        """
        INSERT INTO identity (vo, kind, account_id, subject, issuer)
        SELECT %(vo)s, kind, account_id, subject, issuer
          FROM unnest(%(kinds)s::"char"[], %(account_ids)s::int[], %(subjects)s::text[], %(issuers)s::text[])
            AS w (kind, account_id, subject, issuer)
         ORDER BY subject, kind
        ON CONFLICT (subject, vo, kind) DO NOTHING
        """,
        {
            "vo": vo,
            "kinds": [each.kind.value for each in new],
            "account_ids": [each.account_id for each in new],
            "subjects": [each.subject for each in new],
            "issuers": [each.issuer for each in new],
        },
    )


async def note_proof(conn: Connection, vo: int, kind: Proof, subject: str, now: datetime) -> None:
    """Note that a proof was used to log in."""
    await execute(
        conn,
        "UPDATE identity SET proven_at = %(now)s WHERE subject = %(subject)s AND vo = %(vo)s AND kind = %(kind)s",
        {"vo": vo, "kind": kind.value, "subject": subject, "now": now},
    )


async def drop_identity(conn: Connection, vo: int, account_id: int, kind: Proof, subject: str) -> bool:
    """Let a subject prove an account no more; False when it did not."""
    query = """
        DELETE FROM identity
         WHERE subject = %(subject)s AND vo = %(vo)s AND kind = %(kind)s AND account_id = %(account_id)s
        """
    parameters = {"vo": vo, "account_id": account_id, "kind": kind.value, "subject": subject}
    return await execute(conn, query, parameters) > 0


async def secret_of(conn: Connection, vo: int, kind: Proof, subject: str) -> tuple[str, str | None] | None:
    """The account that a subject proves, and the hash of the secret it needs for it."""
    row = await (
        await conn.execute(
            """
            SELECT account.name, i.secret_hash
              FROM identity i JOIN account ON account.account_id = i.account_id AND account.vo = i.vo
             WHERE i.subject = %(subject)s AND i.vo = %(vo)s AND i.kind = %(kind)s AND account.state = 'A'
            """,
            {"vo": vo, "kind": kind.value, "subject": subject},
        )
    ).fetchone()
    return None if row is None else (row[0], row[1])

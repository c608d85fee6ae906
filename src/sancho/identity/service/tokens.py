"""Logins and tokens: a proof becomes a pair of tokens, a refresh token the next pair."""

import hashlib
import re
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sancho.identity import store
from sancho.identity.errors import LoginRefused, RefreshRefused
from sancho.identity.model import REFRESH_GRACE, AccountState, Credential, RefreshToken, Tokens
from sancho.identity.service.issuer import Issuer
from sancho.identity.service.passwords import Guard, check_room, fits
from sancho.kit.access import INSTANCE, Signer
from sancho.kit.db import Connection, Database
from sancho.kit.deployment import Deployment
from sancho.vos import service as vos
from sancho.vos.model import LOWER_NAME

TOKEN_SCOPE = "sancho"  # noqa: S105 - what access tokens are for, in OAuth's words
PILOT_TOKEN_SCOPE = "sancho.pilot"  # noqa: S105
_REFRESH_TOKEN = re.compile(r"sr-(\d{1,5})-[A-Za-z0-9_-]{43}", re.ASCII)
_guard = Guard()


def issuer_of(deployment: Deployment) -> Issuer:
    """The issuer behind a deployment's signer."""
    if not isinstance(deployment.signer, Issuer):
        raise TypeError("this deployment was given another signer than identity's Issuer")
    return deployment.signer


def pilot_audience(issuer_url: str) -> str:
    """The `aud` of pilots' tokens: of no use where users' are needed, and the other way round."""
    return f"{issuer_url}/pilot"


async def login(deployment: Deployment, vo_name: str, account: str, password: str) -> Tokens:
    """Exchange a password for tokens.

    Raises `LoginRefused`, which is the same, and takes as long, whatever is wrong: VO, account, password or a
    suspended account. Raises `TooManyLogins` before anything is looked at when this account was tried too often.
    """
    who = vo_name[:100], account[:100]
    check_room()
    _guard.begin(who, deployment.clock.now())
    vo, known = await _credential(deployment.database, vo_name, account)
    right = await fits(known.secret_hash if known else None, password)
    if not right or known is None or known.state is not AccountState.ACTIVE:
        raise LoginRefused
    _guard.forgive(who)
    async with deployment.database.transaction([vo]) as conn:
        refresh_token = await _new_refresh_token(conn, deployment, vo, known.account_id, uuid.uuid4())
    return _pair(deployment, vo_name, account, known.groups, refresh_token)


async def _credential(database: Database, vo_name: str, account: str) -> tuple[int, Credential | None]:
    sane = all(re.fullmatch(LOWER_NAME, name) for name in (vo_name, account))
    vo_name, account = (vo_name, account) if sane else ("-", "-")
    async with database.transaction([INSTANCE]) as conn:
        found = await vos.find(conn, vo_name)
    # For an unknown VO a look that finds nobody, so that the answer takes as long as any other.
    vo, account = (found.vo, account) if found else (INSTANCE, "-")
    async with database.transaction([vo]) as conn:
        return vo, await store.credential(conn, vo, account)


async def refresh(deployment: Deployment, refresh_token: str) -> Tokens:
    """Exchange a refresh token, once, for the next pair of tokens.

    A used one that comes back within 10 seconds gets another pair: its answer may have been lost, or two programs
    share it. Later it was stolen, by one side or the other, and all tokens of its login are void.
    Raises `RefreshRefused`.
    """
    vo, token_hash, now = _vo_of(refresh_token), _hash(refresh_token), deployment.clock.now()
    if vo is None:
        raise RefreshRefused
    async with deployment.database.transaction([vo]) as conn:
        await store.lock_owner(conn, vo, token_hash)
        known = await store.refresh_token(conn, vo, token_hash)
        if known is None or not _good(known, now):
            raise RefreshRefused
        stolen = known.used_at is not None and now - known.used_at > REFRESH_GRACE
        if stolen:
            await store.revoke_family(conn, vo, uuid.UUID(known.family), now)
        else:
            await store.use_refresh_token(conn, vo, token_hash, now)
            successor = await _new_refresh_token(conn, deployment, vo, known.account_id, uuid.UUID(known.family))
            vo_name = next(v.name for v in await vos.list_vos(conn) if v.vo == vo)
            return _pair(deployment, vo_name, known.account, known.groups, successor)
    raise RefreshRefused


async def revoke(deployment: Deployment, refresh_token: str) -> None:
    """Void all refresh tokens of the login that this one came from; for a token nobody knows, do nothing."""
    vo, token_hash = _vo_of(refresh_token), _hash(refresh_token)
    if vo is None:
        return
    async with deployment.database.transaction([vo]) as conn:
        await store.lock_owner(conn, vo, token_hash)
        known = await store.refresh_token(conn, vo, token_hash)
        if known is not None:
            await store.revoke_family(conn, vo, uuid.UUID(known.family), deployment.clock.now())


def pilot_token(signer: Signer, *, pilot_id: int, stamp: str, vo: int, vos: Sequence[int], lifetime: timedelta) -> str:
    """Make a pilot's own token: with it `Authenticators` say `pilot:STAMP`, who serves `vos` and may report.

    `vo` owns the pilot; the pilot's transactions serve it and `vos`.
    """
    claims = {
        "sub": f"pilot:{stamp}", "aud": pilot_audience(signer.issuer), "scope": PILOT_TOKEN_SCOPE,
        "pilot_id": pilot_id, "vo_id": vo, "vos": list(vos),
    }  # fmt: skip
    return signer.sign(claims, lifetime)


async def forget_expired(conn: Connection, now: datetime) -> int:
    """Delete refresh tokens that have expired, in the VOs that the transaction serves; say how many."""
    return await store.forget_expired(conn, now)


def _good(token: RefreshToken, now: datetime) -> bool:
    return token.revoked_at is None and token.expires_at > now and token.state is AccountState.ACTIVE


def _vo_of(refresh_token: str) -> int | None:
    found = _REFRESH_TOKEN.fullmatch(refresh_token)
    return int(found[1]) if found and int(found[1]) < 2**15 else None


def _hash(refresh_token: str) -> bytes:
    return hashlib.sha256(refresh_token.encode(errors="replace")).digest()


async def _new_refresh_token(
    conn: Connection, deployment: Deployment, vo: int, account_id: int, family: uuid.UUID
) -> str:
    token, now = f"sr-{vo}-{secrets.token_urlsafe(32)}", deployment.clock.now()
    until = now, now + issuer_of(deployment).refresh
    await store.add_refresh_token(conn, vo, account_id, family=family, token_hash=_hash(token), until=until)
    return token


def _pair(deployment: Deployment, vo_name: str, account: str, groups: Sequence[str], refresh_token: str) -> Tokens:
    issuer = issuer_of(deployment)
    claims = {
        "sub": f"{vo_name}:{account}", "aud": issuer.issuer, "scope": TOKEN_SCOPE, "vo": vo_name,
        "groups": list(groups), "wlcg.ver": "1.0",
        "wlcg.groups": [f"/{vo_name}", *(f"/{vo_name}/{group}" for group in groups)],
    }  # fmt: skip
    return Tokens(
        access_token=issuer.sign(claims, issuer.access), refresh_token=refresh_token,
        expires_in=int(issuer.access.total_seconds()), refresh_expires_in=int(issuer.refresh.total_seconds()),
    )  # fmt: skip

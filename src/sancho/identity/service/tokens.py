"""Tokens: a proof becomes a pair of them, a refresh token the next pair; how they are made and made void."""

import hashlib
import json
import re
import secrets
import uuid
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from sancho.identity import plan, store
from sancho.identity.errors import LoginRefused, PasswordsOff, RefreshRefused, ScopeRefused
from sancho.identity.model import (
    REFRESH_GRACE,
    AccountState,
    Credential,
    NewRefreshToken,
    OpenLogin,
    RefreshToken,
    Tokens,
    TokenScope,
)
from sancho.identity.service.clients import find_client
from sancho.identity.service.codes import ends_at, new_family
from sancho.identity.service.noted import NOBODY, note_given, note_refused
from sancho.identity.service.passwords import Guard, check_room, fits
from sancho.kit.access import INSTANCE, Principal, Signer, require_owner
from sancho.kit.db import Connection, Database
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import LONGEST_TEXT, LONGEST_TOKEN, Issuer, TokenExpired, TokenInvalid
from sancho.vos import service as vos
from sancho.vos.model import LOWER_NAME

PILOT_TOKEN_SCOPE = "sancho.pilot"  # noqa: S105 - what tokens are for, in OAuth's words
JOB_TOKEN_SCOPE = "sancho.job"  # noqa: S105 - the same
CLIENT = "sancho"
"""The client that the command line is."""
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


def read_scope(text: str | None) -> TokenScope:
    """Read what a token is asked for; raises `ScopeRefused`."""
    scope = plan.token_scope(text or "")
    if isinstance(scope, str):
        raise ScopeRefused(word=scope[:100])
    return scope


@dataclass(frozen=True, kw_only=True)
class Holder:
    """Whom tokens are for, by which client, and what they may be used for."""

    vo: int
    vo_name: str
    account_id: int
    account: str
    groups: Sequence[str]
    client: str = CLIENT
    scope: TokenScope


async def login(
    deployment: Deployment, vo_name: str, account: str, password: str, *, scope: str | None = None, client: str = CLIENT
) -> Tokens:
    """Exchange a password for tokens.

    Raises `LoginRefused`, which is the same, and takes as long, whatever is wrong: VO, account, password or a
    suspended account. Raises `TooManyLogins` before anything is looked at when this account was tried too often, and
    `PasswordsOff` before the password is when the VO has none.
    """
    wanted = read_scope(scope)
    vo, known = await prove(deployment, vo_name, account, password)
    holder = Holder(
        vo=vo, vo_name=vo_name, account_id=known.account_id, account=account, groups=known.groups, client=client,
        scope=wanted,
    )  # fmt: skip
    async with deployment.database.transaction([vo]) as conn:
        family = new_family(deployment.clock.now())
        tokens = await issue(conn, deployment, holder, family=family)
        note_given(vo, account, f"A password gave tokens to client {client}.", login=family)
        return tokens


async def prove(deployment: Deployment, vo_name: str, account: str, password: str) -> tuple[int, Credential]:
    """Check a password, as `login` does; return the VO's id, and what is known of the account."""
    who = vo_name[:100], account[:100]
    check_room()
    _guard.begin(who, deployment.clock.now())
    try:
        vo, known = await _credential(deployment.database, vo_name, account)
    except PasswordsOff:
        _guard.forgive(who)  # there was nothing to guess
        raise
    right = await fits(known.secret_hash if known else None, password)
    if not right or known is None or known.state is not AccountState.ACTIVE:
        note_refused(vo, account if known else NOBODY, "A password was wrong, or its account may not act.")
        raise LoginRefused
    _guard.forgive(who)
    return vo, known


async def _credential(database: Database, vo_name: str, account: str) -> tuple[int, Credential | None]:
    sane = all(re.fullmatch(LOWER_NAME, name) for name in (vo_name, account))
    vo_name, account = (vo_name, account) if sane else ("-", "-")
    async with database.transaction([INSTANCE]) as conn:
        found = await vos.find(conn, vo_name)
    if found is not None and not found.passwords:
        note_refused(found.vo, NOBODY, "A password was offered, and the VO has none.")
        raise PasswordsOff(vo=vo_name)
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
    refresh_token = _secret_in(refresh_token)
    vo, token_hash, now = _vo_of(refresh_token), hash_of(refresh_token), deployment.clock.now()
    if vo is None:
        raise RefreshRefused
    async with deployment.database.transaction([vo]) as conn:
        await store.lock_owner(conn, vo, token_hash)
        known = await store.refresh_token(conn, vo, token_hash)
        if known is None or not is_good(known, now):
            raise RefreshRefused
        stolen = known.used_at is not None and now - known.used_at > REFRESH_GRACE
        if stolen:
            await end_login(conn, deployment, vo, uuid.UUID(known.family))
            why = "A refresh token came back that was used: all of its login is void."
            note_refused(vo, known.account, why, login=known.family)
        else:
            await store.use_refresh_token(conn, vo, token_hash, now)
            vo_name = next(v.name for v in await vos.list_vos(conn) if v.vo == vo)
            holder = Holder(
                vo=vo, vo_name=vo_name, account_id=known.account_id, account=known.account, groups=known.groups,
                client=known.client, scope=read_scope(known.token_scope),
            )  # fmt: skip
            return await issue(conn, deployment, holder, family=uuid.UUID(known.family))
    raise RefreshRefused


async def revoke(deployment: Deployment, token: str) -> None:
    """Void a token and, by its refresh token, all that came from the same login; one that nobody knows is no error.

    An access token that is shown here ends alone. Both are refused at once by this process, by others within 30 s.
    """
    token = _secret_in(token)
    vo, token_hash = _vo_of(token), hash_of(token)
    if vo is not None:
        async with deployment.database.transaction([vo]) as conn:
            await store.lock_owner(conn, vo, token_hash)
            known = await store.refresh_token(conn, vo, token_hash)
            if known is not None:
                await end_login(conn, deployment, vo, uuid.UUID(known.family))
        return
    issuer = issuer_of(deployment)
    try:
        claims = issuer.check(token)
    except (TokenInvalid, TokenExpired):
        return
    async with deployment.database.transaction([INSTANCE]) as conn:
        found = await vos.find(conn, str(claims.get("vo", "")))
    if found is not None:
        async with deployment.database.transaction([found.vo]) as conn:
            await store.revoke_until(conn, found.vo, [claims["jti"]], deployment.clock.now() + LONGEST_TOKEN)
        issuer.forget(claims["jti"])


async def end_login(conn: Connection, deployment: Deployment, vo: int, family: uuid.UUID) -> None:
    """Void every token of a login whose owner is locked: those that renew it, and those that act by it."""
    now = deployment.clock.now()
    await store.revoke_family(conn, vo, family, now)
    await store.revoke_until(conn, vo, [family.hex], now + LONGEST_TOKEN)
    issuer_of(deployment).forget(family.hex)


async def logins(conn: Connection, deployment: Deployment, caller: Principal, *, everybody: bool) -> list[OpenLogin]:
    """The caller's logins that can still be renewed; with `everybody`, those of all accounts of the VO."""
    account_id = None if everybody else caller.account_id
    return await store.list_logins(conn, caller.vo, deployment.clock.now(), account_id=account_id)


async def end_login_of(conn: Connection, deployment: Deployment, caller: Principal, family: uuid.UUID) -> bool:
    """End a login of the caller's, or with `accounts:manage` anybody's in the VO; False when there is none such."""
    owner = await store.owner_of_family(conn, caller.vo, family)
    if owner is None or (owner != caller.account_id and not caller.may("accounts:manage")):
        return False
    require_owner(caller, owner, "accounts:manage", what="This login", owner="of somebody else", on=f"login:{family}")
    await end_login(conn, deployment, caller.vo, family)
    return True


def job_audience(issuer_url: str) -> str:
    """The `aud` of jobs' tokens."""
    return f"{issuer_url}/job"


def job_token(signer: Signer, *, vo: int, vo_name: str, job_id: int, attempt_id: int, lifetime: timedelta) -> str:
    """Make the token of one attempt at a job: good for what the job reads and promised, and until the attempt ends."""
    claims = {
        "sub": f"{vo_name}:job:{job_id}", "aud": job_audience(signer.issuer), "scope": JOB_TOKEN_SCOPE,
        "vo_id": vo, "job_id": job_id, "attempt_id": attempt_id,
    }  # fmt: skip
    return signer.sign(claims, lifetime)


@dataclass(frozen=True, kw_only=True)
class PilotHolder:
    """Which pilot a token is for: `vo` owns it, it serves that and `vos`; `login` says from which login it came."""

    pilot_id: int
    ce_id: int
    stamp: str
    vo: int
    vos: Sequence[int]
    login: str


def pilot_token(signer: Signer, pilot: PilotHolder, lifetime: timedelta) -> str:
    """Make a pilot's own token: with it `Authenticators` say `pilot:STAMP`, who serves some VOs and may report."""
    claims = {
        "sub": f"pilot:{pilot.stamp}", "aud": pilot_audience(signer.issuer), "scope": PILOT_TOKEN_SCOPE,
        "pilot_id": pilot.pilot_id, "ce_id": pilot.ce_id, "vo_id": pilot.vo, "vos": list(pilot.vos),
        "login": pilot.login,
    }  # fmt: skip
    return signer.sign(claims, lifetime)


async def forget_expired(conn: Connection, now: datetime) -> int:
    """Delete what has expired of refresh tokens and logins, in the VOs that the transaction serves; say how many."""
    return await store.forget_expired(conn, now) + await store.forget_logins(conn, now)


async def issue_once(conn: Connection, deployment: Deployment, holder: Holder, *, lifetime: timedelta) -> Tokens:
    """Make an access token that nothing renews, and that lives a week at most; raises what `issue` raises."""
    holder, lifetime = await _settled(conn, holder), min(lifetime, LONGEST_TOKEN)
    token = access_token(issuer_of(deployment), holder, lifetime=lifetime)
    return Tokens(access_token=token, expires_in=int(lifetime.total_seconds()), scope=holder.scope.text)


def unproven(token: str) -> Mapping[str, Any]:
    """What a JWT says, which nothing proves yet; raises `ValueError` for what is none."""
    parts = token.split(".")
    if len(token) > LONGEST_TEXT or len(parts) != 3:
        raise ValueError("not a JWT")
    try:
        said = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except RecursionError as e:
        raise ValueError("not a JWT") from e
    if not isinstance(said, dict):
        raise ValueError("not a JWT")  # noqa: TRY004 - whatever is wrong with it
    return cast(dict[str, Any], said)


def _secret_in(token: str) -> str:
    """The secret in a refresh token that is dressed as a JWT; what is not stays as it is."""
    try:
        return str(unproven(token)["refresh_token"])
    except (ValueError, KeyError):
        return token


def is_good(token: RefreshToken, now: datetime) -> bool:
    """Say whether what a refresh token came from goes on."""
    return token.revoked_at is None and token.expires_at > now and token.state is AccountState.ACTIVE


def _vo_of(refresh_token: str) -> int | None:
    found = _REFRESH_TOKEN.fullmatch(refresh_token)
    return int(found[1]) if found and int(found[1]) < 2**15 else None


def hash_of(secret: str) -> bytes:
    """How a secret of ours is kept: it is long and random, so a plain hash will do."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


async def issue(
    conn: Connection, deployment: Deployment, holder: Holder, *, family: uuid.UUID | None = None,
    nonce: str | None = None,
) -> Tokens:  # fmt: skip
    """Make the tokens of a login, or the next ones of login `family`; raises `ScopeRefused` for a group of others.

    When the scope has `openid`, an ID token comes too, with `nonce` if there is one.
    """
    issuer, now, holder = issuer_of(deployment), deployment.clock.now(), await _settled(conn, holder)
    family = family or new_family(now)
    client = find_client(deployment, holder.client)
    dressed = client is not None and client.looks_inside
    lasting = min(issuer.refresh, LONGEST_TOKEN) if dressed else issuer.refresh
    lasting = ends_at(family, no_later_than=now + lasting) - now
    token = f"sr-{holder.vo}-{secrets.token_urlsafe(32)}"
    access = access_token(issuer, holder, lifetime=issuer.access, login=family.hex)
    noted = NewRefreshToken(
        account_id=holder.account_id, family=family, token_hash=hash_of(token), issued_at=now,
        expires_at=now + lasting, client=holder.client, token_scope=holder.scope.text,
    )  # fmt: skip
    await store.add_refresh_token(conn, holder.vo, noted)
    if dressed:
        token = issuer.sign({"aud": holder.client, "refresh_token": token}, lasting, kind="rt+jwt")
    return Tokens(
        access_token=access, refresh_token=token, expires_in=int(issuer.access.total_seconds()),
        refresh_expires_in=int(lasting.total_seconds()), scope=holder.scope.text,
        id_token=_id_token(issuer, holder, nonce) if holder.scope.openid else None,
    )  # fmt: skip


async def _settled(conn: Connection, holder: Holder) -> Holder:
    if not holder.scope.primary and not holder.scope.more:
        return holder
    scope = plan.settled(holder.scope, await store.list_groups(conn, holder.vo, account_id=holder.account_id))
    if isinstance(scope, str):
        raise ScopeRefused(word=scope)
    return replace(holder, scope=scope)


def access_token(
    issuer: Issuer, holder: Holder, *, lifetime: timedelta, login: str | None = None, audience: str | None = None
) -> str:
    """Sign an access token by RFC 9068 with the claims of the WLCG profile; `sid` says which login it belongs to.

    Raises `ScopeRefused` when it is limited to a group that its account is not in, or not settled.
    """
    strange = [f"group:{group}" for group in holder.scope.groups if group not in holder.groups]
    strange += [plan.PRIMARY] * holder.scope.primary + sorted(holder.scope.more)
    if strange:
        raise ScopeRefused(word=strange[0])
    groups = list(holder.scope.groups or holder.groups)
    claims = {
        "sub": f"{holder.vo_name}:{holder.account}", "aud": audience or issuer.issuer, "scope": holder.scope.text,
        "client_id": holder.client, "vo": holder.vo_name, "groups": groups, "preferred_username": holder.account,
        "wlcg.ver": "1.0", "wlcg.groups": [f"/{holder.vo_name}", *(f"/{holder.vo_name}/{g}" for g in groups)],
    }  # fmt: skip
    return issuer.sign(claims if login is None else {**claims, "sid": login}, lifetime)


def _id_token(issuer: Issuer, holder: Holder, nonce: str | None) -> str:
    claims = {
        "sub": f"{holder.vo_name}:{holder.account}", "aud": holder.client, "azp": holder.client,
        "preferred_username": holder.account, "vo": holder.vo_name,
        "wlcg.groups": [f"/{holder.vo_name}", *(f"/{holder.vo_name}/{group}" for group in holder.groups)],
    }  # fmt: skip
    return issuer.sign(claims if nonce is None else {**claims, "nonce": nonce}, issuer.access, kind="JWT")

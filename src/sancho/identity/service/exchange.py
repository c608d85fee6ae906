"""Tokens for tokens, and for programs: client credentials, token exchange (RFC 8693), introspection (RFC 7662).

An exchange only ever narrows: fewer permissions, fewer groups, an earlier end; it gives nothing that renews itself.
A token of a VO's identity provider says who somebody is, as a login there does. For the storages of others, features
below give tokens by path: `app` passes what they offer as `Targets`.
"""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sancho.identity import plan, store
from sancho.identity.errors import (
    ClientRefused,
    ExchangeRefused,
    MachineEnded,
    NotAService,
    ScopeRefused,
    TargetUnknown,
)
from sancho.identity.model import AccountKind, NewIdentity, Proof, Tokens, TokenScope
from sancho.identity.service.accounts import get_account
from sancho.identity.service.noted import NOBODY, note_given, note_refused
from sancho.identity.service.providers import plugin_of, refusal, welcome
from sancho.identity.service.tokens import Holder, access_token, hash_of, issue_once, issuer_of, read_scope, unproven
from sancho.kit.access import INSTANCE, Authenticator, Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import SanchoError
from sancho.kit.issuer import TokenExpired, TokenInvalid
from sancho.vos import service as vos
from sancho.vos.model import VO
from sancho_contract.identity import IdentityRefused, ProviderUnavailable

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105
JWT = "urn:ietf:params:oauth:token-type:jwt"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105
SHORT = timedelta(minutes=10)
"""For so long a token for somebody else's service is good at most, unless its subject token ends before."""

Target = Callable[[Connection, Principal, str, str, timedelta], Awaitable[str | None]]
"""Gives a token of an audience for a scope, or None when the audience is not its own; raises what it objects to."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What an exchange asks for; `scope` None: as much as the token that is shown."""

    subject_token: str
    scope: str | None
    audience: str | None
    vo: str | None
    client: str


async def make_client_secret(conn: Connection, caller: Principal, name: str) -> tuple[str, str]:
    """Make the secret of a service account, instead of the one before: (client id, secret), which is shown once.

    Needs `accounts:manage` and all permissions of that account.
    """
    require(caller, "accounts:manage", on=f"account:{name}")
    account = await get_account(conn, caller.vo, name, field="name")
    if account.kind is not AccountKind.SERVICE:
        raise NotAService(account=name)
    lacking = plan.beyond(caller.permissions, await store.list_groups(conn, caller.vo), account.groups)
    if lacking:
        raise ScopeRefused(word=lacking[0])
    secret = secrets.token_urlsafe(32)
    new = NewIdentity(
        account_id=account.account_id, kind=Proof.CLIENT_SECRET, subject=name, secret_hash=hash_of(secret).hex()
    )
    await store.put_identity(conn, caller.vo, new)
    return f"{name}@{caller.vo_name}", secret


async def client_credentials(deployment: Deployment, client_id: str, secret: str, scope: str | None) -> Tokens:
    """Tokens for a service account by its secret: none that renews itself. Raises `ClientRefused`."""
    wanted = read_scope(scope)
    name, _, vo_name = client_id.rpartition("@")
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, vo_name)
    if vo is None:
        raise ClientRefused
    async with deployment.database.transaction([vo.vo]) as conn:
        known = await store.secret_of(conn, vo.vo, Proof.CLIENT_SECRET, name)
        right = secrets.compare_digest((known and known[1]) or "", hash_of(secret).hex())
        if known is None or not right:
            note_refused(vo.vo, known[0] if known else NOBODY, "The secret of a service was wrong.")
            raise ClientRefused
        account = await get_account(conn, vo.vo, known[0])
        await store.note_proof(conn, vo.vo, Proof.CLIENT_SECRET, name, deployment.clock.now())
    note_given(vo.vo, account.name, "Its secret gave a token to a service.")
    issuer = issuer_of(deployment)
    holder = Holder(
        vo=vo.vo, vo_name=vo.name, account_id=account.account_id, account=account.name, groups=account.groups,
        client=client_id, scope=wanted,
    )  # fmt: skip
    access = access_token(issuer, holder, lifetime=issuer.access)
    return Tokens(access_token=access, expires_in=int(issuer.access.total_seconds()), scope=wanted.text)


async def exchange(
    deployment: Deployment, authenticator: Authenticator, wanted: Wanted, *,
    targets: Sequence[Target],
) -> Tokens:  # fmt: skip
    """Exchange an access token of ours, or a token of a VO's identity provider, for another.

    Raises `ExchangeRefused`, `ScopeRefused` for more than the token shown allows, `TargetUnknown`.
    """
    issuer = issuer_of(deployment)
    theirs = _issuer_named(wanted.subject_token)
    if theirs != issuer.issuer:
        return await _of_provider(deployment, wanted, theirs)
    try:
        caller = await authenticator.authenticate(wanted.subject_token)
        claims = issuer.check(wanted.subject_token)
    except (TokenInvalid, TokenExpired, MachineEnded) as e:
        raise ExchangeRefused(reason=str(e)) from e
    if caller.is_machine:
        raise ExchangeRefused(reason="it is a pilot's or a job's")
    left = datetime.fromtimestamp(claims["exp"], UTC) - deployment.clock.now()
    if wanted.audience is not None and wanted.audience != issuer.issuer:
        if read_scope(claims["scope"]).permissions is not None:
            raise ExchangeRefused(reason="it was made for less than everything, and storage is not among it")
        return await _for_others(deployment, caller, wanted, min(left, SHORT), targets)
    held, scope = read_scope(claims["scope"]), read_scope(wanted.scope or claims["scope"])
    if not plan.narrower(scope, held):
        note_refused(caller.vo, caller.full_name, "A token was to be exchanged for one that allows more.")
        raise ScopeRefused(word=_excess(scope, held))
    holder = Holder(
        vo=caller.vo, vo_name=caller.vo_name, account_id=caller.account_id, account=caller.account,
        groups=caller.groups, client=wanted.client, scope=scope,
    )  # fmt: skip
    access = access_token(issuer, holder, lifetime=min(left, issuer.access), login=claims.get("sid"))
    note_given(
        caller.vo, caller.full_name, f"A token was exchanged for one of scope {scope.text}.", login=claims.get("sid")
    )
    return Tokens(
        access_token=access, expires_in=int(min(left, issuer.access).total_seconds()), scope=scope.text,
        issued_token_type=ACCESS_TOKEN,
    )  # fmt: skip


def _excess(scope: TokenScope, held: TokenScope) -> str:
    if scope.permissions is None or held.permissions is None:
        return plan.EVERYTHING if held.permissions is not None else "groups of which the token is not"
    return next(iter(sorted(scope.permissions - held.permissions)), "groups of which the token is not")


async def _for_others(
    deployment: Deployment, caller: Principal, wanted: Wanted, lifetime: timedelta, targets: Sequence[Target]
) -> Tokens:
    audience, scope = wanted.audience or "", wanted.scope or ""
    async with deployment.database.transaction(caller.vos) as conn:
        for target in targets:
            token = await target(conn, caller, audience, scope, lifetime)
            if token is not None:
                why = f"A token was exchanged for one of scope {scope} at {audience}."
                note_given(caller.vo, caller.full_name, why)
                seconds = int(lifetime.total_seconds())
                return Tokens(access_token=token, expires_in=seconds, scope=scope, issued_token_type=ACCESS_TOKEN)
    raise TargetUnknown(audience=audience[:200])


async def _of_provider(deployment: Deployment, wanted: Wanted, theirs: str) -> Tokens:
    """A token of a VO's identity provider says who somebody is; others may have seen it, so nothing renews ours."""
    if wanted.vo is None:
        raise ExchangeRefused(reason="`vo` is missing: it says whose identity provider has issued it")
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo: VO = await vos.get(conn, wanted.vo)
    async with deployment.database.transaction([vo.vo]) as conn:
        found = await store.list_providers(conn, vo.vo, issuer=theirs)
    if not found:
        raise ExchangeRefused(reason=f"its issuer does not vouch for {vo.name}")
    try:
        person = await plugin_of(deployment, found[0], vo.name).person_of_token(wanted.subject_token)
    except (IdentityRefused, ProviderUnavailable) as e:
        raise refusal(found[0], e) from e
    account = await welcome(deployment, vo, found[0], person)
    holder = Holder(
        vo=vo.vo, vo_name=vo.name, account_id=account.account_id, account=account.name, groups=account.groups,
        client=wanted.client, scope=read_scope(wanted.scope),
    )  # fmt: skip
    async with deployment.database.transaction([vo.vo]) as conn:
        tokens = await issue_once(conn, deployment, holder, lifetime=issuer_of(deployment).access)
        note_given(vo.vo, account.name, f"A token of {found[0].issuer} was exchanged for ours.")
        return replace(tokens, issued_token_type=ACCESS_TOKEN)


def _issuer_named(token: str) -> str:
    """Who a token says has issued it, which nothing proves yet; raises `ExchangeRefused` for what is no JWT."""
    try:
        issuer = unproven(token)["iss"]
    except (ValueError, KeyError) as e:
        raise ExchangeRefused(reason="it is not a JWT that names its issuer") from e
    if not isinstance(issuer, str):
        raise ExchangeRefused(reason="it is not a JWT that names its issuer")
    return issuer


async def introspect(
    deployment: Deployment, authenticator: Authenticator, caller: Principal, token: str
) -> dict[str, Any]:
    """What a token of the caller's VO is good for now: `{"active": false}` and nothing else for any other."""
    issuer = issuer_of(deployment)
    try:
        principal = await authenticator.authenticate(token)
        claims = issuer.check(token)
    except SanchoError:
        return {"active": False}
    if principal.vo != caller.vo and not caller.is_instance_admin:
        return {"active": False}
    said = {
        "active": True,
        "token_type": "Bearer",
        "username": principal.account,
        "permissions": sorted(principal.permissions),
    }
    return {**claims, **said}

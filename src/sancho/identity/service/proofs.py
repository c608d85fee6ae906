"""Logins of programs that prove anew who they are whenever their token ends: by a password, a key, a certificate.

They get an access token and nothing that renews it, so no row is written for them. All raise `LoginRefused`, which is
the same whatever is wrong.
"""

import uuid
from datetime import datetime, timedelta

from sancho.identity import store
from sancho.identity.model import Pass
from sancho.identity.service.tokens import Holder, access_token, is_good, issuer_of, prove, read_scope
from sancho.kit.access import INSTANCE
from sancho.kit.deployment import Deployment
from sancho.vos import service as vos

RENEWED_FOR = "offline_access"
"""The word in a login's scope that lets `renew` go on with it."""


async def by_password(deployment: Deployment, vo_name: str, account: str, password: str, *, client: str) -> Pass:
    """Log in by a password; `TooManyLogins` and `LoginsBusy` may come of it as of any other login by one."""
    vo, known = await prove(deployment, vo_name, account, password)
    holder = Holder(
        vo=vo, vo_name=vo_name, account_id=known.account_id, account=account, groups=known.groups, client=client,
        scope=read_scope(None),
    )  # fmt: skip
    return _pass(deployment, holder)


async def renew(deployment: Deployment, token: str) -> Pass | None:
    """Another access token of the login that a valid one came from, for as long as that login would be renewed.

    Only a login that was asked for `offline_access` goes on like this, and only by its own client; else None. Raises
    what `Issuer.check` raises.
    """
    issuer, now = issuer_of(deployment), deployment.clock.now()
    claims = issuer.check(token)
    if "sid" not in claims or RENEWED_FOR not in str(claims.get("scope", "")).split():
        return None
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, str(claims.get("vo", "")))
    if vo is None:
        return None
    async with deployment.database.transaction([vo.vo]) as conn:
        known = await store.newest_of_family(conn, vo.vo, uuid.UUID(claims["sid"]))
    if known is None or not is_good(known, now) or known.token_scope != claims["scope"]:
        return None
    holder = Holder(
        vo=vo.vo, vo_name=vo.name, account_id=known.account_id, account=known.account, groups=known.groups,
        client=known.client, scope=read_scope(known.token_scope),
    )  # fmt: skip
    return _pass(deployment, holder, until=known.expires_at, login=claims["sid"])


def _pass(deployment: Deployment, holder: Holder, *, until: datetime | None = None, login: str | None = None) -> Pass:
    issuer, now = issuer_of(deployment), deployment.clock.now()
    lifetime = issuer.access if until is None else min(issuer.access, until - now)
    lifetime -= timedelta(microseconds=lifetime.microseconds)  # tokens know whole seconds only
    token = access_token(issuer, holder, lifetime=lifetime, login=login)
    return Pass(account=holder.account, token=token, expires_at=now.replace(microsecond=0) + lifetime)

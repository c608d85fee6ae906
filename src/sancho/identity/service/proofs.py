"""Logins of programs that prove anew who they are whenever their token ends: by a password, a key, a certificate.

They get an access token and nothing that renews it, so no row is written for them. Those by one's own proof raise
`LoginRefused`, which is the same whatever is wrong. A service that the operator trusts asks on behalf of others.
"""

import hashlib
import hmac
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sancho.identity import store
from sancho.identity.errors import AccountNotFound, AccountSuspended, CertificateUnknown, LoginRefused
from sancho.identity.model import Account, AccountState, Challenge, Identity, Pass, Proof, Tokens, TokenScope
from sancho.identity.service.accounts import find_account
from sancho.identity.service.certificates import certificate_person
from sancho.identity.service.noted import NOBODY, note_given, note_refused
from sancho.identity.service.ssh import verify
from sancho.identity.service.tokens import Holder, access_token, is_good, issue_once, issuer_of, prove, read_scope
from sancho.kit.access import INSTANCE
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.vos import service as vos
from sancho.vos.model import VO
from sancho_contract.certificate import CertificatePerson

CHALLENGE_LIFETIME = timedelta(seconds=10)
"""A challenge is good for as long, and at most twice as long."""
RENEWED_FOR = "offline_access"
"""The word in a login's scope that lets `renew` go on with it."""


async def by_password(deployment: Deployment, vo: VO, account: str, password: str, *, client: str) -> Pass:
    """Log in by a password; raises `TooManyLogins` and `LoginsBusy` too, as any other login by one."""
    _, known = await prove(deployment, vo.name, account, password)
    holder = Holder(
        vo=vo.vo, vo_name=vo.name, account_id=known.account_id, account=account, groups=known.groups, client=client,
        scope=read_scope(None),
    )  # fmt: skip
    note_given(vo.vo, account, f"A password gave a token to client {client}.")
    return _pass(deployment, holder)


async def by_certificate(deployment: Deployment, vo: VO, chain: Sequence[bytes] | None, *, client: str) -> Pass:
    """Log in by the certificate that a client has shown; its token ends no later.

    Raises what `certificate_person` raises too.
    """
    account, person = await _certified(deployment, vo, chain)
    given = _pass(deployment, _holder(vo, account, client), until=person.not_after)
    _note_certificate(vo, account, person, client)
    return given


async def client_certificate_tokens(
    deployment: Deployment, vo_name: str, chain: Sequence[bytes] | None, *, client: str, scope: str | None
) -> Tokens:
    """An access token for the account of a VO that a client's certificate names; it ends no later than that.

    Raises `CertificateUnknown` for one that opens no account, `NoCertificate`, `CertificateNotAccepted` or
    `ScopeRefused`.
    """
    wanted = read_scope(scope)
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, vo_name)
    if vo is None:
        raise CertificateUnknown
    account, person = await _certified(deployment, vo, chain)
    left = timedelta(seconds=int((person.not_after - deployment.clock.now()).total_seconds()))
    holder = _holder(vo, account, client, wanted)
    async with deployment.database.transaction([vo.vo]) as conn:
        given = await issue_once(conn, deployment, holder, lifetime=min(issuer_of(deployment).access, left))
        _note_certificate(vo, account, person, client)
    return given


async def _certified(
    deployment: Deployment, vo: VO, chain: Sequence[bytes] | None
) -> tuple[Account, CertificatePerson]:
    """The account that a certificate names, and its person; notes a refusal."""
    person = await certificate_person(deployment, chain)
    async with deployment.database.transaction([vo.vo]) as conn:
        proofs = await store.list_identities(conn, vo.vo, kind=Proof.X509, subject=person.dn)
        account = await _proven(conn, deployment, vo, proofs[0]) if proofs else None
    if account is None:
        named = proofs[0].account if proofs else NOBODY
        note_refused(vo.vo, named, f"A certificate in the name {person.dn} opens no account that may act.")
        raise CertificateUnknown
    return account, person


def _note_certificate(vo: VO, account: Account, person: CertificatePerson, client: str) -> None:
    note_given(vo.vo, account.name, f"A certificate in the name {person.dn} gave a token to client {client}.")


async def on_behalf(
    deployment: Deployment, vo_name: str, account: str, scope: str, *, client: str, lifetime: timedelta
) -> Tokens:
    """An access token for an account that a service which the operator trusts asks for; nothing renews it.

    It lives a week at most. Raises `ScopeRefused`, `VoNotFound`, `AccountNotFound` or `AccountSuspended`.
    """
    wanted = read_scope(scope)
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.get(conn, vo_name)
    async with deployment.database.transaction([vo.vo]) as conn:
        known = await find_account(conn, vo.vo, account)
        if known is None:
            note_refused(vo.vo, NOBODY, "A service of the VO asked for a token of an account that does not exist.")
            raise AccountNotFound(account=account)
        if known.state is not AccountState.ACTIVE:
            note_refused(vo.vo, known.name, "A service of the VO asked for a token of an account that is suspended.")
            raise AccountSuspended(account=account, vo=vo.name)
        note_given(vo.vo, known.name, f"A service of the VO asked for a token for client {client}.")
        return await issue_once(conn, deployment, _holder(vo, known, client, wanted), lifetime=lifetime)


async def note_wrong_key(deployment: Deployment, vo_name: str) -> None:
    """Note that somebody asked on behalf of an account with what is not the key of its VO; of no VO, nothing."""
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.find(conn, vo_name)
    if vo is not None:
        note_refused(vo.vo, NOBODY, "The key of a service of the VO was wrong.")


def ssh_challenge(deployment: Deployment, vo: VO, account: str, client_address: str) -> Challenge:
    """What the owner of an account's key is to sign, who asks from this address.

    It is nowhere kept: every server can say it again, for this address and for 10 to 20 seconds. It is given for
    accounts that do not exist too, so that it tells nothing.
    """
    period = _period(deployment)
    text = _challenge(deployment, vo, account, client_address, period)
    ends = datetime.fromtimestamp((period + 2) * CHALLENGE_LIFETIME.total_seconds(), UTC)
    return Challenge(text=text, expires_at=ends)


async def by_ssh_key(
    deployment: Deployment, vo: VO, account: str, signature: str, client_address: str, *, client: str
) -> Pass:
    """Log in by a signature over a challenge that was given to this address, by any key of the account."""
    period = _period(deployment)
    challenges = [_challenge(deployment, vo, account, client_address, period - back) for back in (0, 1)]
    async with deployment.database.transaction([vo.vo]) as conn:
        known = await find_account(conn, vo.vo, account)
        keys = [] if known is None else await store.list_identities(
            conn, vo.vo, account_id=known.account_id, kind=Proof.SSH_KEY
        )  # fmt: skip
        right = (k for k in keys if any(verify(k.detail or "", challenge, signature) for challenge in challenges))
        key = next(right, None)
        proven = None if key is None else await _proven(conn, deployment, vo, key)
    if proven is None:
        named = NOBODY if known is None else known.name
        note_refused(vo.vo, named, "No SSH key of the account has signed the challenge, or it may not act.")
        raise LoginRefused
    note_given(vo.vo, proven.name, f"An SSH key gave a token to client {client}.")
    return _pass(deployment, _holder(vo, proven, client))


async def renew(deployment: Deployment, token: str) -> Pass | None:
    """Another access token of the login that a valid one came from, for as long as that login would be renewed.

    Only a login that was asked for `offline_access` goes on like this, and only with its own scope; else None. Raises
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


async def _proven(conn: Connection, deployment: Deployment, vo: VO, proof: Identity) -> Account | None:
    """The account that a proof which was just given proves, if it may act."""
    (account,) = await store.list_accounts(conn, vo.vo, ids=[proof.account_id])
    if account.state is not AccountState.ACTIVE or proof.barred_at is not None:
        return None
    await store.note_proof(conn, vo.vo, proof.kind, proof.subject, deployment.clock.now())
    return account


def _period(deployment: Deployment) -> int:
    return int(deployment.clock.now().timestamp() // CHALLENGE_LIFETIME.total_seconds())


def _challenge(deployment: Deployment, vo: VO, account: str, client_address: str, period: int) -> str:
    said = f"{vo.vo}\n{account}\n{client_address}\n{period}"
    mark = hmac.new(issuer_of(deployment).derive("ssh challenge"), said.encode(errors="replace"), hashlib.sha256)
    return f"challenge-{period}-{mark.hexdigest()}"


def _holder(vo: VO, account: Account, client: str, scope: TokenScope | None = None) -> Holder:
    return Holder(
        vo=vo.vo, vo_name=vo.name, account_id=account.account_id, account=account.name, groups=account.groups,
        client=client, scope=scope or read_scope(None),
    )  # fmt: skip


def _pass(deployment: Deployment, holder: Holder, *, until: datetime | None = None, login: str | None = None) -> Pass:
    issuer, now = issuer_of(deployment), deployment.clock.now()
    lifetime = issuer.access if until is None else min(issuer.access, until - now)
    lifetime -= timedelta(microseconds=lifetime.microseconds)  # tokens know whole seconds only
    token = access_token(issuer, holder, lifetime=lifetime, login=login)
    return Pass(account=holder.account, token=token, expires_at=now.replace(microsecond=0) + lifetime)

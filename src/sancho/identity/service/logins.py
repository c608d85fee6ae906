"""Logins in a browser: asked for by a program or a device, done at a provider or by a password, redeemed for tokens.

    asked ──▶ shown to a browser ──▶ provider or password ──▶ approved ──code──▶ tokens
      └──────────────────────────── denied, or too late ◀──────┘

A login goes on in the browser that it was begun in: a cookie proves it, and what a provider must be shown later
(nonce and PKCE verifier) is derived from that cookie, so the database never knows it. Every code is random, good once,
and kept as a hash. Follows RFC 6749, 7636, 8252, 8628, 9207 and 9700.
"""

import hmac
import re
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from sancho.identity import plan, store
from sancho.identity.errors import (
    BrowserDiffers,
    CodeRefused,
    LoginDenied,
    LoginOver,
    LoginPending,
    LoginTooEager,
    PkceMissing,
    ProviderRefused,
    RedirectRefused,
)
from sancho.identity.model import (
    LOGIN_LIFETIME,
    POLL_EVERY,
    Account,
    AccountState,
    Client,
    Login,
    LoginKind,
    LoginState,
    Provider,
    Tokens,
)
from sancho.identity.service.clients import client_of
from sancho.identity.service.codes import (
    CHALLENGE,
    VERIFIER,
    challenge_of,
    derived,
    new_family,
    new_user_code,
    nothing,
    vo_of,
)
from sancho.identity.service.noted import note_given, note_refused
from sancho.identity.service.providers import get_provider, plugin_of, refusal, welcome
from sancho.identity.service.tokens import Holder, end_login, hash_of, issue, issuer_of, prove, read_scope
from sancho.kit.access import INSTANCE
from sancho.kit.db import Connection, all_vos
from sancho.kit.deployment import Deployment
from sancho.vos import service as vos
from sancho.vos.model import VO
from sancho_contract.identity import IdentityRefused, ProviderUnavailable


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a program asks for when it sends a browser."""

    client: str
    vo: str
    scope: str | None
    redirect_uri: str
    state: str | None
    nonce: str | None = None
    challenge: str | None
    method: str | None


@dataclass(frozen=True, kw_only=True)
class DeviceCodes:
    """What a device is told: show the user code, ask with the device code."""

    device_code: str
    user_code: str
    expires_in: int
    interval: int


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A login as its browser sees it."""

    login: Login
    vo: VO
    client: Client
    providers: Sequence[Provider]


@dataclass(frozen=True, kw_only=True)
class ProviderAnswer:
    """What a provider says by a browser that comes back; without a code, `trouble` is what happened there."""

    state: str
    code: str | None
    issuer: str | None
    trouble: str = ""


async def ask(deployment: Deployment, asked: Asked, browser: str) -> tuple[VO, uuid.UUID]:
    """Begin a login that ends with a code in a redirect; it belongs to the browser with this cookie.

    Raises `ClientUnknown` or `RedirectRefused`, of which the browser is told and nobody else; `PkceMissing`,
    `ScopeRefused` or `VoNotFound`.
    """
    client = client_of(deployment, asked.client)
    if not plan.may_redirect(client, asked.redirect_uri, here=deployment.public_url):
        raise RedirectRefused(client=client.client_id)
    if asked.method != "S256" or asked.challenge is None or not CHALLENGE.fullmatch(asked.challenge):
        raise PkceMissing
    scope = read_scope(asked.scope)
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.get(conn, asked.vo)
    login = Login(
        vo=vo.vo, login_id=uuid.uuid4(), kind=LoginKind.CODE, state=LoginState.PENDING, account_id=None,
        expires_at=deployment.clock.now() + LOGIN_LIFETIME, polled_at=None, family=None,
        browser_hash=hash_of(browser), provider_id=None, user_code=None, client=client.client_id,
        token_scope=scope.text, redirect_uri=asked.redirect_uri, client_state=asked.state, nonce=asked.nonce,
        challenge=asked.challenge,
    )  # fmt: skip
    async with deployment.database.transaction([vo.vo]) as conn:
        await store.add_login(conn, login, secret_hash=hash_of(secrets.token_urlsafe(32)))
    return vo, login.login_id


async def ask_on_device(deployment: Deployment, client_id: str, vo_name: str, scope: str | None) -> DeviceCodes:
    """Begin a login on a device without a browser (RFC 8628).

    Raises `ClientUnknown`, `ScopeRefused` or `VoNotFound`.
    """
    client, wanted = client_of(deployment, client_id), read_scope(scope)
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.get(conn, vo_name)
    device_code = f"sd-{vo.vo}-{secrets.token_urlsafe(32)}"
    login = Login(
        vo=vo.vo, login_id=uuid.uuid4(), kind=LoginKind.DEVICE, state=LoginState.PENDING, account_id=None,
        expires_at=deployment.clock.now() + LOGIN_LIFETIME, polled_at=None, family=None, browser_hash=None,
        provider_id=None, user_code=new_user_code(), client=client.client_id, token_scope=wanted.text,
        redirect_uri=None, client_state=None, nonce=None, challenge=None,
    )  # fmt: skip
    async with deployment.database.transaction([vo.vo]) as conn:
        await store.add_login(conn, login, secret_hash=hash_of(device_code))
    return DeviceCodes(
        device_code=device_code, user_code=login.user_code or "", expires_in=int(LOGIN_LIFETIME.total_seconds()),
        interval=int(POLL_EVERY.total_seconds()),
    )  # fmt: skip


async def take_up(deployment: Deployment, user_code: str, browser: str) -> tuple[int, uuid.UUID]:
    """Go on in this browser with a login that a device has begun; its VO's id and its own.

    The first browser that says the code has it. Raises `LoginOver` for a code that is nobody's, used or late.
    """
    said = re.sub(r"[^A-Z]", "", user_code.upper())
    async with deployment.database.transaction(await all_vos(deployment.database)) as conn:
        login = _open(await store.lock_login(conn, user_code=said) if len(said) == 8 else None, deployment)
        if login.browser_hash is None:
            await store.set_browser(conn, login.vo, login.login_id, hash_of(browser))
        else:
            _require_browser(login, browser)
    return login.vo, login.login_id


async def show(deployment: Deployment, vo: int, login_id: uuid.UUID, browser: str) -> Shown:
    """A login under way, for the page that its browser sees; raises `LoginOver` or `BrowserDiffers`."""
    async with deployment.database.transaction([vo]) as conn:
        login = await _own(conn, deployment, login_id, browser)
        return Shown(
            login=login, vo=next(v for v in await vos.list_vos(conn) if v.vo == vo),
            client=client_of(deployment, login.client), providers=await store.list_providers(conn, vo),
        )  # fmt: skip


async def send_away(deployment: Deployment, shown: Shown, provider: str, browser: str) -> str:
    """Where to send the browser so that a provider says who it is; raises a `ProviderNotFound`, `…Refused`, `…Away`."""
    vo, login = shown.vo, shown.login
    state = f"sb-{vo.vo}-{secrets.token_urlsafe(32)}"
    async with deployment.database.transaction([vo.vo]) as conn:
        chosen = await get_provider(conn, vo, provider)
        await _own(conn, deployment, login.login_id, browser)
        await store.set_sent(conn, vo.vo, login.login_id, provider_id=chosen.provider_id, sent_hash=hash_of(state))
    verifier = derived(browser, state, "verifier")
    try:
        return await plugin_of(deployment, chosen, vo.name).login_url(
            redirect_uri=callback_uri(deployment, vo.name, chosen.name), state=state,
            nonce=derived(browser, state, "nonce"), code_challenge=challenge_of(verifier),
        )  # fmt: skip
    except (IdentityRefused, ProviderUnavailable) as e:
        raise refusal(chosen, e) from e


async def come_back(deployment: Deployment, browser: str, at: tuple[str, str], answer: ProviderAnswer) -> Login:
    """Go on with a login whose browser was sent to a provider.

    It has come back `at` the place of this VO's provider: where another was asked, its answer is shown to nobody.

    Each state is good once. Raises `LoginOver`, `BrowserDiffers`, `LoginDenied` when the person said no there,
    `NotAMember`, `AccountSuspended` or what `send_away` raises.
    """
    number = vo_of(answer.state)
    if number is None:
        raise LoginOver
    async with deployment.database.transaction([number]) as conn:
        login = _open(await store.lock_login(conn, sent_hash=hash_of(answer.state)), deployment)
        _require_browser(login, browser)
        await store.set_sent(conn, number, login.login_id, provider_id=login.provider_id, sent_hash=nothing())
        vo = next(v for v in await vos.list_vos(conn) if v.vo == number)
        found = await store.list_providers(conn, number, provider_id=login.provider_id)
        if answer.trouble == "access_denied":
            await store.set_login_state(conn, login, LoginState.DENIED)
            return login
    if not found or at != (vo.name, found[0].name):
        raise LoginOver
    if answer.code is None:
        raise ProviderRefused(provider=found[0].title, detail=answer.trouble[:200] or "it sent no code")
    try:
        person = await plugin_of(deployment, found[0], vo.name).person(
            code=answer.code, redirect_uri=callback_uri(deployment, *at),
            code_verifier=derived(browser, answer.state, "verifier"),
            nonce=derived(browser, answer.state, "nonce"), issuer=answer.issuer,
        )  # fmt: skip
    except (IdentityRefused, ProviderUnavailable) as e:
        raise refusal(found[0], e) from e
    account = await welcome(deployment, vo, found[0], person)
    return await _approve(deployment, login, account)


async def by_password(deployment: Deployment, shown: Shown, account: str, password: str, browser: str) -> Login:
    """Go on with a login by an account's password; raises what a login by password raises."""
    await prove(deployment, shown.vo.name, account, password)
    async with deployment.database.transaction([shown.vo.vo]) as conn:
        await _own(conn, deployment, shown.login.login_id, browser)
        (known,) = await store.list_accounts(conn, shown.vo.vo, names=[account])
    return await _approve(deployment, shown.login, known)


async def deny(deployment: Deployment, shown: Shown, browser: str) -> None:
    """End a login without tokens."""
    async with deployment.database.transaction([shown.vo.vo]) as conn:
        login = await _own(conn, deployment, shown.login.login_id, browser)
        await store.set_login_state(conn, login, LoginState.DENIED)


async def _approve(deployment: Deployment, login: Login, account: Account) -> Login:
    async with deployment.database.transaction([login.vo]) as conn:
        locked = _open(await store.lock_login(conn, login_id=login.login_id), deployment)
        await store.set_login_state(conn, locked, LoginState.APPROVED, account_id=account.account_id)
    return login


async def answer(deployment: Deployment, login: Login, browser: str) -> str | None:
    """Where a browser goes at the end of a login: to the program, with a code or a refusal; None for a device's.

    Raises `LoginDenied` for a device's that was denied.
    """
    if login.kind is LoginKind.DEVICE or login.redirect_uri is None:
        async with deployment.database.transaction([login.vo]) as conn:
            locked = await store.lock_login(conn, login_id=login.login_id)
        if locked is None or locked.state is LoginState.DENIED:
            raise LoginDenied
        return None
    said = {"iss": issuer_of(deployment).issuer}
    async with deployment.database.transaction([login.vo]) as conn:
        locked = await store.lock_login(conn, login_id=login.login_id)
        if locked is None or locked.state not in (LoginState.APPROVED, LoginState.DENIED):
            raise LoginOver
        _require_browser(locked, browser)
        if locked.state is LoginState.DENIED:
            said["error"] = LoginDenied.oauth or ""
        else:
            said["code"] = f"sc-{login.vo}-{secrets.token_urlsafe(32)}"
            await store.set_login_state(conn, locked, LoginState.APPROVED, secret_hash=hash_of(said["code"]))
    if login.client_state is not None:
        said["state"] = login.client_state
    return f"{login.redirect_uri}{'&' if '?' in login.redirect_uri else '?'}{urlencode(said)}"


async def redeem(deployment: Deployment, code: str, *, client: str, redirect_uri: str, verifier: str) -> Tokens:
    """Exchange a code for tokens, once. One that comes back was stolen: all tokens of its login become void.

    Raises `CodeRefused`, whatever is wrong with it.
    """
    vo = vo_of(code)
    if vo is None or not VERIFIER.fullmatch(verifier):
        raise CodeRefused
    async with deployment.database.transaction([vo]) as conn:
        login = await store.lock_login(conn, secret_hash=hash_of(code))
        if login is not None and login.state is LoginState.USED:
            await _end_stolen(conn, deployment, login)
        elif (
            login is not None
            and login.state is LoginState.APPROVED
            and login.kind is LoginKind.CODE
            and login.expires_at > deployment.clock.now()
            and login.client == client
            and login.redirect_uri == redirect_uri
            and hmac.compare_digest(challenge_of(verifier), login.challenge or "")
        ):
            return await _finish(conn, deployment, login)
    raise CodeRefused


async def poll(deployment: Deployment, device_code: str, *, client: str) -> Tokens:
    """A device asks for its tokens.

    Raises `LoginPending`, `LoginTooEager`, `LoginDenied`, `LoginOver`, or `CodeRefused` for a code of others.
    """
    vo, now = vo_of(device_code), deployment.clock.now()
    if vo is None:
        raise CodeRefused
    stolen = False
    async with deployment.database.transaction([vo]) as conn:
        login = await store.lock_login(conn, secret_hash=hash_of(device_code))
        if login is None or login.kind is not LoginKind.DEVICE or login.client != client:
            raise CodeRefused
        if login.state is LoginState.USED:
            await _end_stolen(conn, deployment, login)
            stolen = True
        elif login.state is LoginState.DENIED:
            raise LoginDenied
        elif login.expires_at <= now:
            raise LoginOver
        elif login.state is LoginState.APPROVED:
            return await _finish(conn, deployment, login)
        early = login.polled_at is not None and now - login.polled_at < POLL_EVERY / 2
        await store.set_polled(conn, vo, login.login_id, now)
    raise CodeRefused if stolen else LoginTooEager if early else LoginPending


async def _end_stolen(conn: Connection, deployment: Deployment, login: Login) -> None:
    """A code has come back that was used: somebody has stolen it, on one side or the other."""
    if login.family is None:
        return
    await store.owner_of_family(conn, login.vo, login.family)  # so that no renewal under way escapes
    await end_login(conn, deployment, login.vo, login.family)
    (account,) = await store.list_accounts(conn, login.vo, ids=[login.account_id or 0])
    note_refused(login.vo, account.name, "The code of a login came back: all of it is void.", login=login.family)


async def _finish(conn: Connection, deployment: Deployment, login: Login) -> Tokens:
    (account,) = await store.list_accounts(conn, login.vo, ids=[login.account_id or 0])
    if account.state is not AccountState.ACTIVE:
        raise CodeRefused
    family = new_family(deployment.clock.now())
    await store.set_login_state(conn, login, LoginState.USED, family=family)
    vo_name = next(v.name for v in await vos.list_vos(conn) if v.vo == login.vo)
    holder = Holder(
        vo=login.vo, vo_name=vo_name, account_id=account.account_id, account=account.name, groups=account.groups,
        client=login.client, scope=read_scope(login.token_scope),
    )  # fmt: skip
    note_given(login.vo, account.name, f"A login in a browser gave tokens to client {login.client}.", login=family)
    return await issue(conn, deployment, holder, family=family, nonce=login.nonce)


def callback_uri(deployment: Deployment, vo: str, provider: str) -> str:
    """Where a provider sends browsers back to, and no other does (RFC 9700 §4.4.2.2): to be registered with it."""
    return f"{deployment.public_url}/v1/auth/callback/{vo}/{provider}"


def _open(login: Login | None, deployment: Deployment) -> Login:
    if login is None or login.state is not LoginState.PENDING or login.expires_at <= deployment.clock.now():
        raise LoginOver
    return login


async def _own(conn: Connection, deployment: Deployment, login_id: uuid.UUID, browser: str) -> Login:
    login = _open(await store.lock_login(conn, login_id=login_id), deployment)
    _require_browser(login, browser)
    return login


def _require_browser(login: Login, browser: str) -> None:
    if login.browser_hash is None or not hmac.compare_digest(login.browser_hash, hash_of(browser)):
        raise BrowserDiffers

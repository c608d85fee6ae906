"""Native routes of logins in a browser: how they begin, the pages, and the way back from a provider.

A cookie ties a login to its browser. Forms carry a proof that only that cookie gives, pages may not be framed and load
nothing, and a browser is only ever sent to a provider of the VO or to an address that the client may use.
"""

import re
import secrets
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from pydantic import BaseModel, Field

from sancho.identity.errors import BrowserDiffers, ClientUnknown, GrantIncomplete, LoginOver, ScopeRefused
from sancho.identity.model import Login
from sancho.identity.service import logins, providers
from sancho.identity.service.codes import proof_of
from sancho.identity.service.logins import Asked, ProviderAnswer, Shown
from sancho.kit.access import INSTANCE
from sancho.kit.deployment import Deployment
from sancho.kit.errors import SanchoError
from sancho.kit.problem import problems
from sancho.kit.web import Deployed
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound

router = APIRouter(prefix="/v1", tags=["login"])

COOKIE = "sancho_login"
Text = Annotated[str | None, Query(max_length=2000)]
Word = Annotated[str | None, Field(max_length=2000)]
_pages = Environment(
    loader=PackageLoader("sancho.identity", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip


class DeviceForm(BaseModel):
    """What a device sends to begin a login (RFC 8628); `vo` says in which VO."""

    client_id: Annotated[str, Field(max_length=200)] = "sancho"
    vo: Annotated[str | None, Field(max_length=200)] = None
    scope: Annotated[str | None, Field(max_length=2000)] = None


class DeviceOut(BaseModel):
    """What the device shows, and with what it asks."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class AuthorizeQuery(BaseModel):
    """What a program sends a browser with; what we do not know is ignored, as OAuth demands."""

    response_type: Word = None
    client_id: Word = None
    redirect_uri: Word = None
    vo: Word = None
    scope: Word = None
    state: Word = None
    nonce: Word = None
    code_challenge: Word = None
    code_challenge_method: Word = None


class CallbackQuery(BaseModel):
    """What an identity provider says by a browser; what else it says is ignored, as OAuth demands."""

    state: Word = None
    code: Annotated[str | None, Field(max_length=8192)] = None
    iss: Word = None
    error: Word = None
    error_description: Word = None


class LoginForm(BaseModel):
    """The form on the login page; `choice` is `password`, `deny` or `provider:NAME`."""

    login: Word = None
    proof: Word = None
    choice: Word = None
    account: Word = None
    password: Word = None


class ProviderOut(BaseModel):
    """A way to log in to a VO."""

    name: str
    title: str
    issuer: str


class WaysOut(BaseModel):
    """How to log in to a VO: by its identity providers, and by passwords if it has them."""

    vo: str
    passwords: bool
    providers: list[ProviderOut]


def _cookie_of(deployment: Deployment) -> str:
    """`__Host-`: over TLS a browser takes it from this very host alone, so that no neighbour can plant one."""
    return f"__Host-{COOKIE}" if deployment.public_url.startswith("https:") else COOKIE


def _browser(request: Request, deployment: Deployment) -> str:
    said = request.cookies.get(_cookie_of(deployment), "")
    return said if re.fullmatch(r"[A-Za-z0-9_-]{43}", said) else ""


def _page(name: str, *, status: int = 200, go_to: Sequence[str] = (), **facts: Any) -> Response:
    """A page of ours; its forms may lead to us and to the origins of `go_to`."""
    origins = {f"{parts.scheme}://{parts.netloc}" for parts in map(urlsplit, go_to)}
    style = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{style}'; form-action 'self' {' '.join(sorted(origins))}; "
        "frame-ancestors 'none'; base-uri 'none'"
    )
    headers = {
        "content-security-policy": policy, "x-frame-options": "DENY", "referrer-policy": "no-referrer",
        "cache-control": "no-store", "x-content-type-options": "nosniff",
    }  # fmt: skip
    return HTMLResponse(_pages.get_template(name).render(style=style, **facts), status, headers)


def _trouble(error: SanchoError) -> Response:
    return _page("done.html", status=error.status, title="This did not work", said=str(error), hint=error.hint)


def _go(url: str) -> Response:
    return RedirectResponse(url, 303, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


def _with_cookie(response: Response, deployment: Deployment, browser: str) -> Response:
    response.set_cookie(
        _cookie_of(deployment), browser, max_age=3600, path="/", secure=deployment.public_url.startswith("https:"),
        httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@router.get("/auth/ways", responses=problems(VoNotFound))
async def ways(vo: Annotated[str, Query(max_length=200)], deployment: Deployed) -> WaysOut:
    """Say how one may log in to a VO. Needs no token."""
    async with deployment.database.transaction([INSTANCE]) as conn:
        known = await vos.get(conn, vo)
    async with deployment.database.transaction([known.vo]) as conn:
        found = await providers.list_providers(conn, known.vo)
    shown = [ProviderOut(name=p.name, title=p.title, issuer=p.issuer) for p in found]
    return WaysOut(vo=vo, passwords=known.passwords, providers=shown)


@router.post("/auth/device_authorization", responses=problems(ClientUnknown, ScopeRefused, VoNotFound))
async def begin_on_device(deployment: Deployed, form: Annotated[DeviceForm, Form()]) -> DeviceOut:
    """Begin a login for a program without a browser of its own (RFC 8628). Needs no token."""
    if not form.vo:
        raise GrantIncomplete(what="vo")
    codes = await logins.ask_on_device(deployment, form.client_id, form.vo, form.scope)
    page = f"{deployment.public_url}/v1/auth/device"
    return DeviceOut(
        device_code=codes.device_code, user_code=codes.user_code, verification_uri=page,
        verification_uri_complete=f"{page}?user_code={codes.user_code}", expires_in=codes.expires_in,
        interval=codes.interval,
    )  # fmt: skip


@router.get("/auth/authorize")
async def authorize(request: Request, deployment: Deployed, said: Annotated[AuthorizeQuery, Query()]) -> Response:
    """Begin a login in this browser for a program (RFC 6749 §4.1 with PKCE); `vo` says in which VO."""
    asked = Asked(
        client=said.client_id or "", vo=said.vo or "", scope=said.scope, redirect_uri=said.redirect_uri or "",
        state=said.state, nonce=said.nonce, challenge=said.code_challenge, method=said.code_challenge_method,
    )  # fmt: skip
    browser = _browser(request, deployment) or secrets.token_urlsafe(32)
    try:
        if said.response_type != "code":
            raise GrantIncomplete(what="response_type=code")
        known, login_id = await logins.ask(deployment, asked, browser)
    except SanchoError as e:
        # RFC 6749 §4.1.2.1 would send some of these back; to show them here tells nobody's browser where to go.
        return _trouble(e)
    return _with_cookie(_go(f"login?{urlencode({'login': f'{known.vo}.{login_id}'})}"), deployment, browser)


@router.get("/auth/device")
async def device(request: Request, deployment: Deployed, user_code: Text = None) -> Response:
    """Ask for the code that a device shows, and go on with its login."""
    if user_code is None:
        return _page("device.html", said=None)
    browser = _browser(request, deployment) or secrets.token_urlsafe(32)
    try:
        vo, login_id = await logins.take_up(deployment, user_code, browser)
    except LoginOver as e:
        return _page("device.html", status=e.status, said=f"{e} Begin it again on the device.")
    except BrowserDiffers as e:
        return _trouble(e)
    return _with_cookie(_go(f"login?{urlencode({'login': f'{vo}.{login_id}'})}"), deployment, browser)


def _ids(login: str | None) -> tuple[int, UUID]:
    vo, _, login_id = (login or "").partition(".")
    if not re.fullmatch(r"\d{1,5}", vo, re.ASCII) or int(vo) >= 2**15:
        raise LoginOver
    try:
        return int(vo), UUID(login_id)
    except ValueError as e:
        raise LoginOver from e


def _login_page(shown: Shown, login: str, browser: str, *, status: int = 200, said: str | None = None) -> Response:
    go_to = [p.issuer for p in shown.providers] + ([shown.login.redirect_uri] if shown.login.redirect_uri else [])
    words = shown.login.token_scope.split()
    groups = [w.removeprefix("group:") for w in words if w.startswith("group:")]
    return _page(
        "login.html", status=status, go_to=go_to, said=said, vo=shown.vo.name, passwords=shown.vo.passwords,
        client=shown.client.title,
        code=shown.login.user_code, providers=shown.providers, login=login,
        proof=proof_of(browser, shown.login.login_id),
        everything="sancho" in words, groups=groups, primary="primary-group" in words,
        permissions=[w.removeprefix("+") for w in words if ":" in w and not w.startswith("group:")],
    )  # fmt: skip


@router.get("/auth/login")
async def login_page(request: Request, deployment: Deployed, login: Text = None) -> Response:
    """The page that says which VO and which permissions a program asks for, and the ways to log in."""
    browser = _browser(request, deployment)
    try:
        shown = await logins.show(deployment, *_ids(login), browser)
    except SanchoError as e:
        return _trouble(e)
    return _login_page(shown, login or "", browser)


@router.post("/auth/login")
async def go_on(request: Request, deployment: Deployed, said: Annotated[LoginForm, Form()]) -> Response:
    """Go on with a login: at a provider, by a password, or not at all."""
    browser = _browser(request, deployment)
    try:
        vo, login_id = _ids(said.login)
        if not secrets.compare_digest(proof_of(browser, login_id).encode(), (said.proof or "").encode()):
            raise BrowserDiffers
        shown = await logins.show(deployment, vo, login_id, browser)
        if said.choice == "deny":
            await logins.deny(deployment, shown, browser)
            return await _end(deployment, shown.login, browser)
        if said.choice != "password":
            provider = (said.choice or "").removeprefix("provider:")
            return _go(await logins.send_away(deployment, shown, provider, browser))
    except SanchoError as e:
        return _trouble(e)
    try:
        done = await logins.by_password(deployment, shown, said.account or "", said.password or "", browser)
    except SanchoError as e:
        return _login_page(shown, said.login or "", browser, status=e.status, said=str(e))
    return await _end(deployment, done, browser)


@router.get("/auth/callback/{vo}/{provider}")
async def come_back(
    request: Request, deployment: Deployed, vo: str, provider: str, said: Annotated[CallbackQuery, Query()]
) -> Response:
    """Where an identity provider of a VO sends the browser back to; each has a place of its own."""
    browser, trouble = _browser(request, deployment), said.error or ""
    if trouble and trouble != "access_denied":
        trouble = f"{trouble}: {said.error_description}" if said.error_description else trouble
    answer = ProviderAnswer(
        state=said.state or "", code=None if trouble else said.code, issuer=said.iss, trouble=trouble
    )  # fmt: skip
    try:
        login = await logins.come_back(deployment, browser, (vo, provider), answer)
        return await _end(deployment, login, browser)
    except SanchoError as e:
        return _trouble(e)


async def _end(deployment: Deployment, login: Login, browser: str) -> Response:
    url = await logins.answer(deployment, login, browser)
    if url is not None:
        return _go(url)
    return _page("done.html", title="Done", said="You can close this window and go back to your program.", hint=None)

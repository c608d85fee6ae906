"""DiracX's logins: every route is a spelling of identity's."""

import hashlib
import hmac
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from sancho.compat.diracx import translate, wire
from sancho.compat.diracx.errors import FieldMissing, LegacyHeaderInvalid, LegacyOff, LegacyRefused, ScopeUnfit
from sancho.identity import service as identity
from sancho.identity.errors import GrantUnknown, LoginNotFound
from sancho.identity.model import Tokens
from sancho.identity.service import logins
from sancho.identity.service.tokens import unproven
from sancho.kit.access import INSTANCE
from sancho.kit.deployment import Deployment
from sancho.kit.web import Caller, Deployed, Transaction
from sancho.settings import Settings
from sancho.vos import service as vos

router = APIRouter(prefix="/api/auth", include_in_schema=False)

Text = Annotated[str, Query(max_length=2000)]
REVOKED = "Refresh token revoked"
FINISHED = "<!doctype html><title>Done</title><h1>Please close the window</h1>"


async def _asked(deployment: Deployment, text: str) -> translate.Scope:
    """A scope whose VO and group exist."""
    scope = translate.read_scope(text)
    async with deployment.database.transaction([INSTANCE]) as conn:
        vo = await vos.get(conn, scope.vo)
    async with deployment.database.transaction([vo.vo]) as conn:
        groups = {group.name for group in await identity.groups(conn, vo.vo)}
    if scope.group is not None and scope.group not in groups:
        raise ScopeUnfit(reason=f"{scope.group[:100]} is not a group of VO {vo.name}")
    return scope


def _answer(tokens: Tokens) -> wire.TokenResponse:
    return wire.TokenResponse(
        access_token=tokens.access_token, expires_in=tokens.expires_in, refresh_token=tokens.refresh_token or None
    )


def _go(deployment: Deployment, path: str, **query: str | None) -> Response:
    said = {name: value for name, value in query.items() if value is not None}
    url = f"{deployment.public_url}/v1/auth/{path}{'?' if said else ''}{urlencode(said)}"
    return RedirectResponse(url, 307, {"cache-control": "no-store", "referrer-policy": "no-referrer"})


@router.post("/device")
async def begin_on_device(deployment: Deployed, client_id: Text, scope: Text) -> wire.DeviceFlow:
    """Begin a login for a program without a browser."""
    asked = await _asked(deployment, scope)
    codes = await logins.ask_on_device(deployment, client_id, asked.vo, translate.token_scope(asked))
    page = f"{deployment.public_url}/api/auth/device"
    return wire.DeviceFlow(
        user_code=codes.user_code, device_code=codes.device_code, verification_uri=page,
        verification_uri_complete=f"{page}?user_code={codes.user_code}", expires_in=codes.expires_in,
    )  # fmt: skip


@router.get("/device")
async def device(deployment: Deployed, user_code: Annotated[str | None, Query(max_length=100)] = None) -> Response:
    """Send a browser to the page where a device's login goes on."""
    return _go(deployment, "device", user_code=user_code)


@router.get("/device/complete")
@router.get("/authorize/complete")
async def come_back(deployment: Deployed) -> Response:
    """Send a browser that comes from nowhere that we have sent one to where it is told to begin again."""
    return _go(deployment, "login")


@router.get("/device/complete/finished")
async def finished() -> Response:
    """Say that all is done."""
    return HTMLResponse(FINISHED)


@router.get("/authorize")
async def authorize(deployment: Deployed, said: Annotated[wire.AuthorizeQuery, Query()]) -> Response:
    """Send a browser to the login page for a program that waits for a code."""
    scope = await _asked(deployment, said.scope)
    ours = {"vo": scope.vo, "scope": translate.token_scope(scope)}
    return _go(deployment, "authorize", **{**said.model_dump(), **ours})


@router.post("/token")
async def token(
    deployment: Deployed, response: Response, form: Annotated[wire.TokenForm, Form()]
) -> wire.TokenResponse:
    """Exchange a device's code, a code or a refresh token for tokens."""
    response.headers["cache-control"] = "no-store"
    return _answer(await _grant(deployment, form))


async def _grant(deployment: Deployment, form: wire.TokenForm) -> Tokens:
    def said(name: str) -> str:
        value: str | None = getattr(form, name)
        if not value:
            raise FieldMissing(name=name)
        return value

    match form.grant_type:
        case "urn:ietf:params:oauth:grant-type:device_code":
            return await logins.poll(deployment, said("device_code"), client=said("client_id"))
        case "authorization_code":
            return await logins.redeem(
                deployment, said("code"), client=said("client_id"), redirect_uri=said("redirect_uri"),
                verifier=said("code_verifier"),
            )  # fmt: skip
        case "refresh_token":
            return await identity.refresh(deployment, said("refresh_token"))
        case _:
            raise GrantUnknown


@router.post("/revoke")
async def revoke(deployment: Deployed, form: Annotated[wire.RevokeForm, Form()]) -> str:
    """Void a token and, by its refresh token, all that came from the same login."""
    await identity.revoke(deployment, form.token)
    return REVOKED


@router.get("/refresh-tokens")
async def refresh_tokens(caller: Caller, conn: Transaction, deployment: Deployed) -> list[wire.RefreshToken]:
    """The caller's logins that can still be renewed; everybody's in the VO for who manages accounts."""
    everybody = caller.may("accounts:manage")
    found = await identity.open_logins(conn, deployment, caller, everybody=everybody)
    return [translate.refresh_token(caller.vo_name, login) for login in found]


@router.delete("/refresh-tokens/{jti}")
async def end(jti: UUID, caller: Caller, conn: Transaction, deployment: Deployed) -> str:
    """End a login."""
    if not await identity.end_login_of(conn, deployment, caller, jti):
        raise LoginNotFound(login_id=str(jti))
    return REVOKED


@router.get("/userinfo")
async def userinfo(request: Request, caller: Caller, conn: Transaction) -> wire.UserInfo:
    """Say who the caller is; the group is that which the token names, or the account's primary one."""
    said = str(unproven(request.headers["authorization"].split()[1])["scope"])
    group = translate.group_of(said)
    if group is None:
        group = (await identity.primary_group(conn, caller.vo, caller.account_id, None)).name
    return wire.UserInfo(
        sub=f"{caller.vo_name}:{caller.account}", vo=caller.vo_name, dirac_group=group,
        properties=translate.properties_of(caller.permissions), preferred_username=caller.account,
    )  # fmt: skip


@router.get("/legacy-exchange")
async def legacy_exchange(
    request: Request, deployment: Deployed, preferred_username: Text, scope: Text,
    expires_minutes: Annotated[int | None, Query(ge=1, le=10_080)] = None,
) -> wire.TokenResponse:  # fmt: skip
    """A token for somebody whom a DIRAC service of their VO has authenticated, by the key of that VO."""
    settings: Settings = request.app.state.settings
    keys = settings.diracx.legacy_exchange_keys
    if not keys:
        raise LegacyOff
    asked = translate.read_scope(scope)
    key = translate.legacy_key(request.headers.get("authorization", ""))
    if key is None:
        raise LegacyHeaderInvalid
    if not hmac.compare_digest(hashlib.sha256(key).hexdigest(), keys.get(asked.vo, "none")):
        await identity.note_wrong_key(deployment, asked.vo)
        raise LegacyRefused
    minutes = timedelta(minutes=expires_minutes) if expires_minutes else identity.issuer_of(deployment).access
    return _answer(
        await identity.on_behalf(
            deployment,
            asked.vo,
            preferred_username,
            translate.token_scope(asked),
            client=settings.diracx.client_id,
            lifetime=minutes,
        )
    )

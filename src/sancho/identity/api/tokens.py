"""Native routes where tokens come from, and where they end."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, cast
from urllib.parse import unquote_plus
from uuid import UUID

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field

from sancho.identity import service
from sancho.identity.errors import (
    CertificateNotAccepted,
    CertificateUnknown,
    ClientRefused,
    ClientUnknown,
    CodeRefused,
    ExchangeRefused,
    GrantIncomplete,
    GrantUnknown,
    LoginDenied,
    LoginNotFound,
    LoginOver,
    LoginPending,
    LoginRefused,
    LoginTooEager,
    NoCertificate,
    NotAMember,
    PasswordsOff,
    ProviderAway,
    ProviderRefused,
    RefreshRefused,
    ScopeRefused,
    TargetUnknown,
    TooManyLogins,
)
from sancho.identity.model import LONGEST_PASSWORD, OpenLogin, Tokens
from sancho.identity.service import exchange, logins, proofs
from sancho.identity.service.clients import client_of
from sancho.identity.service.exchange import Target, Wanted
from sancho.kit.access import Authenticator
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import LONGEST_TEXT
from sancho.kit.problem import problems
from sancho.kit.proxied import CertificateNotFromProxy, CertificateUnreadable, client_certificate
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.vos.errors import VoNotFound

router = native(tags=["identity"])

Text = Annotated[str, Field(max_length=LONGEST_PASSWORD)]
Jwt = Annotated[str, Field(max_length=LONGEST_TEXT)]


class TokenForm(BaseModel):
    """What OAuth sends to get tokens; fields that we do not know are ignored, as it demands."""

    grant_type: Text
    client_id: Text | None = None
    client_secret: Text | None = None
    scope: Text | None = None
    vo: Text | None = None
    username: Text | None = None
    password: Text | None = None
    refresh_token: Jwt | None = None
    code: Text | None = None
    code_verifier: Text | None = None
    redirect_uri: Text | None = None
    device_code: Text | None = None
    subject_token: Jwt | None = None
    audience: Text | None = None

    def said(self, name: str) -> str:
        """A field that is needed; raises `GrantIncomplete` when it is not there."""
        value = getattr(self, name)
        if not value:
            raise GrantIncomplete(what=name)
        return value


class TokenIn(BaseModel):
    """What OAuth sends to void a token, or to ask about one."""

    token: Jwt


class TokensOut(BaseModel):
    """An access token, and where the grant has one a refresh token that gives the next pair, once."""

    access_token: str
    refresh_token: str | None
    token_type: str
    expires_in: int
    refresh_expires_in: int | None
    scope: str
    id_token: str | None
    issued_token_type: str | None


class UserInfo(BaseModel):
    """Who a token stands for, in the words of OpenID Connect."""

    sub: str
    preferred_username: str
    vo: str
    groups: tuple[str, ...]
    permissions: list[str]


class LoginOut(BaseModel):
    """A login that can still be renewed; `login_id` is the `sid` of its tokens."""

    login_id: UUID
    account: str
    client: str
    scope: str
    began_at: datetime
    renewed_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, login: OpenLogin) -> "LoginOut":
        """Render one."""
        facts = asdict(login)
        return cls(login_id=facts.pop("family"), scope=facts.pop("token_scope"), **facts)


def _basic(request: Request, form: TokenForm) -> tuple[str, str]:
    """A client's id and secret, from the header as OAuth encodes it or from the form; raises `ClientRefused`."""
    scheme, _, said = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.said("client_id"), form.said("client_secret")
    try:
        client, mark, secret = base64.b64decode(said, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as e:
        raise ClientRefused from e
    if not mark:
        raise ClientRefused
    return unquote_plus(client), unquote_plus(secret)


async def _grant(request: Request, deployment: Deployment, form: TokenForm) -> Tokens:
    client = form.client_id or "sancho"
    match form.grant_type:
        case "password":
            vo, account, password = form.said("vo"), form.said("username"), form.said("password")
            return await service.login(deployment, vo, account, password, scope=form.scope)
        case "refresh_token":
            return await service.refresh(deployment, form.said("refresh_token"))
        case "authorization_code":
            return await logins.redeem(
                deployment, form.said("code"), client=client, redirect_uri=form.said("redirect_uri"),
                verifier=form.said("code_verifier"),
            )  # fmt: skip
        case "urn:ietf:params:oauth:grant-type:device_code":
            return await logins.poll(deployment, form.said("device_code"), client=client)
        case "client_credentials":
            if form.vo and form.client_secret is None and "authorization" not in request.headers:
                chain = client_certificate(request, deployment.trusted_proxies)
                program = client_of(deployment, client).client_id
                return await proofs.client_certificate_tokens(
                    deployment, form.vo, chain, client=program, scope=form.scope
                )
            client, secret = _basic(request, form)
            return await exchange.client_credentials(deployment, client, secret, form.scope)
        case "urn:ietf:params:oauth:grant-type:token-exchange":
            wanted = Wanted(
                subject_token=form.said("subject_token"), scope=form.scope, audience=form.audience, vo=form.vo,
                client=client,
            )  # fmt: skip
            state = request.app.state
            return await exchange.exchange(
                deployment, cast(Authenticator, state.authenticator), wanted,
                targets=cast(Sequence[Target], state.targets),
            )  # fmt: skip
        case _:
            raise GrantUnknown


@router.post(
    "/auth/token",
    response_model_exclude_none=True,
    responses=problems(
        LoginRefused, PasswordsOff, RefreshRefused, TooManyLogins, GrantUnknown, GrantIncomplete, CodeRefused,
        LoginPending, LoginTooEager, LoginDenied, LoginOver, ClientRefused, ClientUnknown, ScopeRefused,
        ExchangeRefused, TargetUnknown, NotAMember, ProviderRefused, ProviderAway, VoNotFound, NoCertificate,
        CertificateNotAccepted, CertificateUnknown, CertificateNotFromProxy, CertificateUnreadable,
    ),
)  # fmt: skip
async def token(
    request: Request, deployment: Deployed, response: Response, form: Annotated[TokenForm, Form()]
) -> TokensOut:
    """Exchange a proof for tokens: a code, a device's code, a refresh token, a password, a secret, another token.

    `client_credentials` with `vo` and no secret is for the certificate, or proxy, that the client has shown to the
    proxy in front (RFC 8705).
    """
    tokens = await _grant(request, deployment, form)
    response.headers["cache-control"] = "no-store"
    said: dict[str, Any] = {**asdict(tokens), "refresh_token": tokens.refresh_token or None}
    return TokensOut(**said)


@router.post("/auth/revoke")
async def revoke(deployment: Deployed, form: Annotated[TokenIn, Form()]) -> None:
    """Void a token and, by its refresh token, all that came from the same login (RFC 7009). Needs no other token."""
    await service.revoke(deployment, form.token)


@router.post("/auth/introspect")
async def introspect(
    request: Request, caller: Caller, deployment: Deployed, form: Annotated[TokenIn, Form()]
) -> dict[str, Any]:
    """Say what a token of the caller's VO is good for (RFC 7662)."""
    authenticator = cast(Authenticator, request.app.state.authenticator)
    return await exchange.introspect(deployment, authenticator, caller, form.token)


@router.get("/auth/userinfo")
async def userinfo(caller: Caller) -> UserInfo:
    """Say who the caller is, as OpenID Connect asks it."""
    return UserInfo(
        sub=f"{caller.vo_name}:{caller.account}", preferred_username=caller.account, vo=caller.vo_name,
        groups=caller.groups, permissions=sorted(caller.permissions),
    )  # fmt: skip


@router.get("/auth/logins")
async def list_logins(
    caller: Caller, conn: Transaction, deployment: Deployed, everybody: bool = False
) -> list[LoginOut]:
    """The caller's logins that can still be renewed; of everybody in the VO for who holds `accounts:manage`."""
    everybody = everybody and caller.may("accounts:manage")
    return [LoginOut.of(one) for one in await service.open_logins(conn, deployment, caller, everybody=everybody)]


@router.delete("/auth/logins/{login_id}", status_code=204, responses=problems(LoginNotFound))
async def end_login(login_id: UUID, caller: Caller, conn: Transaction, deployment: Deployed) -> None:
    """End a login: all its tokens are void, elsewhere within 30 seconds."""
    if not await service.end_login_of(conn, deployment, caller, login_id):
        raise LoginNotFound(login_id=str(login_id))

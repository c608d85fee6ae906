"""Rucio's logins: a proof becomes a token in a header, an answer without a body.

The login in a browser has two forms. With *polling* the client is given an address that it asks again and again, and
that leads a browser to our page for devices. Otherwise the browser does one of our logins, at whose end it shows a code
that the person types into the client.
"""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated
from urllib.parse import unquote, urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from sancho.compat.rucio import translate
from sancho.compat.rucio.caller import Asked, Meant, RucioCaller, Said, gives, token_of
from sancho.compat.rucio.errors import AccountDiffers, CannotGetDn, NoKerberos
from sancho.identity import service as identity
from sancho.identity.errors import CodeRefused, LoginDenied
from sancho.identity.model import Pass, Tokens
from sancho.identity.service import logins, proofs
from sancho.kit.deployment import Deployment
from sancho.kit.errors import Unauthorized
from sancho.kit.proxied import client_address, client_certificate
from sancho.kit.web import Deployed, principal_of

router = APIRouter(
    prefix="/rucio/auth", include_in_schema=False, dependencies=[Depends(gives("application/octet-stream"))]
)
pages = APIRouter(prefix="/rucio/auth", include_in_schema=False)

CLIENT = "rucio"
PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}


def _given(given: Pass, said: Asked) -> Response:
    """The token, in headers; raises `AccountDiffers` when another account was asked for."""
    if said.account and said.account != given.account:
        raise AccountDiffers(account=said.account[:100])
    headers = {
        "X-Rucio-Auth-Token": given.token, "X-Rucio-Auth-Token-Expires": translate.date_of(given.expires_at),
        "X-Rucio-Auth-Account": given.account,
        "Access-Control-Expose-Headers": "X-Rucio-Auth-Token, X-Rucio-Auth-Token-Expires, X-Rucio-Auth-Account, "
        "X-Rucio-Auth-Accounts",
    }  # fmt: skip
    return Response(None, 200, headers | PRIVATE, media_type="application/octet-stream")


@router.get("/userpass")
async def by_password(said: Said, vo: Meant, deployment: Deployed) -> Response:
    """Give a token for a password; the user's name is the account's. Needs no token."""
    password = translate.secret_of(said.x_rucio_password)
    given = await proofs.by_password(deployment, vo, said.username, password, client=CLIENT)
    return _given(given, said)


@router.get("/x509")
@router.get("/x509_proxy")
@router.get("/x509/webui")
async def by_certificate(request: Request, said: Said, vo: Meant, deployment: Deployed) -> Response:
    """Give a token for the certificate that the client has shown to the proxy in front. Needs no token."""
    chain = client_certificate(request, deployment.trusted_proxies)
    if chain is None:
        raise CannotGetDn
    return _given(await proofs.by_certificate(deployment, vo, chain, client=CLIENT), said)


@router.get("/ssh_challenge_token")
async def challenge(request: Request, said: Said, vo: Meant, deployment: Deployed) -> Response:
    """Say what the owner of an account's SSH key is to sign. Needs no token."""
    address = client_address(request, deployment.trusted_proxies)
    given = proofs.ssh_challenge(deployment, vo, said.account or "", address)
    headers = {
        "X-Rucio-SSH-Challenge-Token": given.text,
        "X-Rucio-SSH-Challenge-Token-Expires": translate.date_of(given.expires_at),
    }
    return Response(None, 200, headers | PRIVATE, media_type="application/octet-stream")


@router.get("/ssh")
async def by_ssh_key(request: Request, said: Said, vo: Meant, deployment: Deployed) -> Response:
    """Give a token for a challenge that the owner of an account's SSH key has signed. Needs no token."""
    account, address = said.account or "", client_address(request, deployment.trusted_proxies)
    given = await proofs.by_ssh_key(deployment, vo, account, said.x_rucio_ssh_signature, address, client=CLIENT)
    return _given(given, said)


@router.get("/gss")
async def by_kerberos() -> Response:
    """Refuse Kerberos. Needs no token."""
    raise NoKerberos


@router.get("/oidc")
async def begin(said: Said, vo: Meant, deployment: Deployed) -> Response:
    """Say where to log in with a browser. Needs no token."""
    scope = identity.read_scope(said.x_rucio_client_authorize_scope).text
    here = f"{deployment.public_url}/rucio/auth"
    if translate.is_true(said.x_rucio_client_authorize_polling):
        codes = await logins.ask_on_device(deployment, CLIENT, vo.name, scope)
        url = f"{here}/oidc_redirect?{translate.waiting_code(codes.device_code, codes.user_code)}"
    else:
        verifier = secrets.token_urlsafe(32)
        asked = {
            "response_type": "code", "client_id": CLIENT, "vo": vo.name, "scope": scope,
            "redirect_uri": f"{here}/oidc_code", "state": verifier, "code_challenge_method": "S256",
            "code_challenge": logins.challenge_of(verifier),
        }  # fmt: skip
        url = f"{deployment.public_url}/v1/auth/authorize?{urlencode(asked)}"
    return Response(None, 200, {"X-Rucio-OIDC-Auth-URL": url, **PRIVATE}, media_type="application/octet-stream")


@pages.get("/oidc_code")
async def show_code(
    code: Annotated[str, Query(max_length=200)] = "", state: Annotated[str, Query(max_length=200)] = ""
) -> Response:
    """Show the code at the end of a login to whoever is to type it into the client. Needs no token."""
    shown = translate.fetch_code(code, state)
    if translate.read_fetch_code(shown) is None:
        raise LoginDenied
    return PlainTextResponse(f"Type this into your Rucio client:\n\n{shown}\n", headers=PRIVATE)


@pages.get("/oidc_redirect")
async def redeem(request: Request, said: Said, deployment: Deployed) -> Response:
    """Lead a browser to its login, or give the client the token that came of it. Needs no token."""
    code = unquote(request.url.query)
    waiting, fetched = translate.read_waiting_code(code), translate.read_fetch_code(code)
    if not translate.is_true(said.x_rucio_client_fetch_token):
        if waiting is None:
            raise CodeRefused
        return RedirectResponse(f"{deployment.public_url}/v1/auth/device?user_code={waiting[1]}", 303, PRIVATE)
    if waiting is not None:
        tokens = await logins.poll(deployment, waiting[0], client=CLIENT)
    elif fetched is not None:
        redirect_uri = f"{deployment.public_url}/rucio/auth/oidc_code"
        tokens = await logins.redeem(
            deployment, fetched[0], client=CLIENT, redirect_uri=redirect_uri, verifier=fetched[1]
        )
    else:
        raise CodeRefused
    try:
        return _given(await _pass_of(request, deployment, tokens), said)
    except AccountDiffers:
        await identity.revoke(deployment, tokens.refresh_token)
        raise


async def _pass_of(request: Request, deployment: Deployment, tokens: Tokens) -> Pass:
    principal = await principal_of(request, tokens.access_token)
    expires_at = deployment.clock.now() + timedelta(seconds=tokens.expires_in)
    return Pass(account=principal.account, token=tokens.access_token, expires_at=expires_at)


@router.get("/oidc_refresh")
async def refresh(request: Request, deployment: Deployed) -> Response:
    """Give the next token of a login, and when it ends in seconds of the epoch; both empty when there is none."""
    token, renewed = token_of(request), None
    try:
        await principal_of(request, token)
        renewed = await proofs.renew(deployment, token)
    except Unauthorized:
        pass
    headers = {
        "X-Rucio-Auth-Token": renewed.token if renewed else "",
        "X-Rucio-Auth-Token-Expires": str(int(renewed.expires_at.timestamp())) if renewed else "",
    }  # fmt: skip
    return Response(None, 200, headers | PRIVATE, media_type="application/octet-stream")


@router.get("/validate")
async def validate(request: Request, caller: RucioCaller, deployment: Deployed) -> Response:
    """Say what a token is good for."""
    claims = identity.issuer_of(deployment).check(token_of(request))
    until = datetime.fromtimestamp(claims["exp"], UTC)
    said = translate.validated(caller.account, caller.vo_name, until, str(claims["scope"]))
    return Response(said, 200, PRIVATE, media_type="application/octet-stream")

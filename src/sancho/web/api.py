"""Routes of the page: its files, and the session that a browser keeps for it.

No route here takes a bearer token. What the session's cookie opens is asked by POST or DELETE, from this very origin
(`SameSite=Strict`, a header that no form can send, and `Sec-Fetch-Site` where browsers say it).
"""

import mimetypes
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from pydantic import BaseModel, Field

from sancho.identity.model import Tokens
from sancho.kit.deployment import Deployment
from sancho.kit.web import Deployed
from sancho.web import service
from sancho.web.errors import NotFromPage

router = APIRouter(prefix="/ui", tags=["page"], include_in_schema=False)
front = APIRouter(tags=["page"], include_in_schema=False)

SESSION = "/ui/session"
COOKIE = "sancho_session"
MARK = "x-sancho-page"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
SAFE = {
    "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
}  # fmt: skip
FOR_EVER = "public, max-age=31536000, immutable"


class CodeIn(BaseModel, extra="forbid"):
    """What the login page sent the browser back with, and the verifier that only this browser knows."""

    code: Annotated[str, Field(max_length=2000)]
    verifier: Annotated[str, Field(max_length=200)]


async def from_page(request: Request) -> None:
    """Refuse what another site has made a browser send; raises `NotFromPage`."""
    headers = request.headers
    if headers.get("sec-fetch-site", "same-origin") != "same-origin" or headers.get(MARK) != "1":
        raise NotFromPage


def _cookie_of(deployment: Deployment) -> tuple[str, bool]:
    """`__Secure-`: over TLS no page without it can plant one."""
    tls = deployment.public_url.startswith("https:")
    return (f"__Secure-{COOKIE}" if tls else COOKIE), tls


def _given(deployment: Deployment, tokens: Tokens) -> Response:
    name, tls = _cookie_of(deployment)
    said = {"access_token": tokens.access_token, "expires_in": tokens.expires_in}
    response = JSONResponse(said, headers={"cache-control": "no-store"})
    response.set_cookie(
        name, tokens.refresh_token, max_age=tokens.refresh_expires_in, path=SESSION, secure=tls, httponly=True,
        samesite="strict",
    )  # fmt: skip
    return response


@front.get("/")
async def enter() -> Response:
    """Lead to the page."""
    return RedirectResponse("/ui/", 307)


@router.post("/session", dependencies=[Depends(from_page)])
async def begin_session(body: CodeIn, deployment: Deployed) -> Response:
    """Begin the session of a login; the page gets the access token, the browser keeps what renews it."""
    return _given(deployment, await service.begin(deployment, body.code, body.verifier))


@router.post("/session/renewal", dependencies=[Depends(from_page)])
async def renew_session(request: Request, deployment: Deployed) -> Response:
    """The next access token of this browser's session; nothing when it has none."""
    session = request.cookies.get(_cookie_of(deployment)[0])
    if not session:
        return Response(status_code=204)
    return _given(deployment, await service.renew(deployment, session))


@router.delete("/session", dependencies=[Depends(from_page)])
async def end_session(request: Request, deployment: Deployed) -> Response:
    """Sign out: all tokens of the session are void, here at once and elsewhere within 30 seconds."""
    name, tls = _cookie_of(deployment)
    if session := request.cookies.get(name):
        await service.end(deployment, session)
    response = Response(status_code=204)
    response.delete_cookie(name, path=SESSION, secure=tls, httponly=True, samesite="strict")
    return response


@router.get("/assets/{name}")
async def get_asset(
    request: Request, name: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$")]
) -> Response:
    """A file of the page; its name has a hash of what is in it, so it never changes."""
    file, packed = service.asset(name, packed="gzip" in request.headers.get("accept-encoding", ""))
    encoding = {"content-encoding": "gzip"} if packed else {}
    kind = mimetypes.guess_type(name)[0]
    headers = {**SAFE, **encoding, "cache-control": FOR_EVER, "vary": "accept-encoding"}
    return FileResponse(file, headers=headers, media_type=kind)


@router.get("/{path:path}")
async def get_page(path: str, deployment: Deployed) -> Response:  # noqa: ARG001 - the page's own router reads it
    """The page, whatever the path: its router decides what it shows."""
    if not service.built():
        return PlainTextResponse(service.NOT_BUILT, 503, {**SAFE, "cache-control": "no-store"})
    reached = " ".join(("'self'", *deployment.page_storages))
    policy = f"{POLICY}; connect-src {reached}"
    headers = {**SAFE, "cache-control": "no-cache", "content-security-policy": policy, "x-frame-options": "DENY"}
    return FileResponse(service.INDEX, headers=headers, media_type="text/html; charset=utf-8")


ROUTERS: Sequence[APIRouter] = (router, front)
"""In this order: what is not found below a path is the page."""

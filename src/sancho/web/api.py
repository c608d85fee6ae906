"""Routes of the page: its files, and the session that a browser keeps for it.

No route here takes a bearer token. What the session's cookie opens is asked by POST or DELETE, from this very origin
(`SameSite=Strict`, a header that no form can send, and `Sec-Fetch-Site` where browsers say it).
"""

import asyncio
import mimetypes
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Annotated, cast

from fastapi import APIRouter, Depends, FastAPI, Path, Request
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

from sancho.identity.model import Tokens
from sancho.kit.deployment import Deployment
from sancho.kit.web import Caller, Deployed, check_parameters, native
from sancho.web import service
from sancho.web.errors import ExtensionFileNotFound, NotFromPage
from sancho.web.model import Place

router = APIRouter(prefix="/ui", tags=["page"], include_in_schema=False)
front = APIRouter(tags=["page"], include_in_schema=False)
extensions = native("/page/extensions", tags=["page"])

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
BARE = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-dns-prefetch-control": "off"}
EXTENSIONS = "/ui/extensions"
HOST_MODULE = f"{EXTENSIONS}/host-1.js"
HOST_FOLDER = FilePath(__file__).parent / "host"
NOT_READ = {"/v1/events"}
"""Native routes whose answers have no end."""
FOR_EVER = "public, max-age=31536000, immutable"


class CodeIn(BaseModel, extra="forbid"):
    """What the login page sent the browser back with, and the verifier that only this browser knows."""

    code: Annotated[str, Field(max_length=2000)]
    verifier: Annotated[str, Field(max_length=200)]


class PageExtensionOut(BaseModel):
    """What a VO adds to the page: its document at `path`, which may read what it `asks` by the page."""

    name: str
    title: str
    places: list[Place]
    asks: list[str]
    height: int
    path: str


class UnfitOut(BaseModel):
    """A folder that is not shown, and why."""

    name: str
    reason: str


class PageExtensionsOut(BaseModel):
    """What a VO adds to the page; who applies its configuration is also told what is not fit to be shown."""

    items: list[PageExtensionOut]
    unfit: list[UnfitOut] | None = None


def install(app: FastAPI, deployment: Deployment) -> None:
    """Let the page have extensions, which may read what is served by then."""
    routes = [one for one in app.router.routes if isinstance(one, APIRoute) and "GET" in (one.methods or ())]
    readable = {
        one.path_format for one in routes
        if any(needed.dependency is check_parameters for needed in one.dependencies) and one.path not in NOT_READ
    }  # fmt: skip
    app.state.page_extensions = service.Shelf(deployment.page_extensions, readable)


def _shelf(request: Request) -> service.Shelf:
    return cast(service.Shelf, request.app.state.page_extensions)


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


@extensions.get("")
async def list_page_extensions(request: Request, caller: Caller) -> PageExtensionsOut:
    """What your VO adds to the web page."""
    shown = await asyncio.to_thread(_shelf(request).of, caller.vo_name)
    tells = caller.holds("configuration:apply")
    return PageExtensionsOut(
        items=[
            PageExtensionOut(
                name=one.name, title=one.title, places=list(one.places), asks=list(one.asks), height=one.height,
                path=f"{EXTENSIONS}/{one.digest}/{one.entry}",
            )
            for one in shown.extensions
        ],
        unfit=[UnfitOut(name=one.name, reason=one.reason) for one in shown.unfit] if tells else None,
    )  # fmt: skip


@router.get(HOST_MODULE.removeprefix("/ui"))
async def get_host_module() -> Response:
    """The module by which an extension talks to the page."""
    headers = {**BARE, "access-control-allow-origin": "*", "cache-control": "no-cache"}
    return FileResponse(HOST_FOLDER / "host-1.js", headers=headers, media_type=service.KINDS["js"])


@router.get("/extensions/{digest}/{path:path}")
async def get_extension_file(
    request: Request, deployment: Deployed, digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], path: str
) -> Response:
    """A file of an extension. Wherever it is opened, it runs without an origin: it reaches nothing of ours."""
    found = await asyncio.to_thread(_shelf(request).find, digest)
    content = None if found is None else found.files.get(path)
    if content is None:
        raise ExtensionFileNotFound
    own = f"{deployment.public_url}{EXTENSIONS}/{digest}/"
    policy = (
        f"sandbox allow-scripts; default-src 'none'; script-src {own} {deployment.public_url}{HOST_MODULE}; "
        f"style-src {own}; img-src {own} data:; font-src {own}; form-action 'none'; base-uri 'none'; "
        "frame-ancestors 'self'"
    )
    headers = {
        # A frame without an origin is a stranger to its own files: modules and fonts are not loaded else.
        **BARE, "access-control-allow-origin": "*", "cache-control": "private, max-age=31536000, immutable",
        "content-security-policy": policy,
    }  # fmt: skip
    return Response(content, headers=headers, media_type=service.KINDS[path.rpartition(".")[2]])


@router.get("/{path:path}")
async def get_page(path: str, deployment: Deployed) -> Response:  # noqa: ARG001 - the page's own router reads it
    """The page, whatever the path: its router decides what it shows."""
    if not service.built():
        return PlainTextResponse(service.NOT_BUILT, 503, {**SAFE, "cache-control": "no-store"})
    reached = " ".join(("'self'", *deployment.page_storages))
    # An extension that leads its own frame elsewhere, to take along what it has read, is held back by this as well.
    framed = f"{deployment.public_url}{EXTENSIONS}/" if deployment.page_extensions else "'none'"
    policy = f"{POLICY}; connect-src {reached}; frame-src {framed}"
    headers = {**SAFE, "cache-control": "no-cache", "content-security-policy": policy, "x-frame-options": "DENY"}
    return FileResponse(service.index(), headers=headers, media_type="text/html; charset=utf-8")


ROUTERS: Sequence[APIRouter] = (router, front)
"""In this order: what is not found below a path is the page."""

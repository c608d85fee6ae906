"""The ASGI application: who may do what, and then doing it."""

import logging
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from urllib.parse import quote

from sancho_plugins.file_tree import RESERVED, FileTree
from sancho_plugins.webdav_server.asgi import (
    Answer,
    ClientGone,
    Receive,
    Refusal,
    Request,
    Scope,
    Send,
    headers_of,
    raw_path,
    token_in_query,
)
from sancho_plugins.webdav_server.browsers import allowing, preflight
from sancho_plugins.webdav_server.dav import Dav
from sancho_plugins.webdav_server.files import ALLOWED, Files
from sancho_plugins.webdav_server.keys import IssuerKeys, IssuerUnavailable
from sancho_plugins.webdav_server.paths import AmbiguousPath, canonical, covers
from sancho_plugins.webdav_server.settings import StorageServerSettings
from sancho_plugins.webdav_server.tokens import Bearer, TokenRefused, Tokens, Verb

log = logging.getLogger(__name__)

HEALTH = "/healthz"
THREADS = 32
_LARGEST_DAV_BODY = 64 << 10
_LARGEST_VAIN_BODY = 8 << 20

Handler = Callable[[Request, Bearer, Answer], Awaitable[None]]


class StorageApp:
    """One storage as an ASGI application; made once per process."""

    def __init__(self, settings: StorageServerSettings) -> None:
        """Make the root folder if it is missing, and clear away what killed servers have left."""
        settings.root.mkdir(parents=True, exist_ok=True)
        self._settings = settings
        self._active = 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="storage")
        self._tree = FileTree(settings.root)
        swept = self._tree.sweep()
        if swept:
            log.info("%s: %d unfinished uploads thrown away", settings.name, swept)
        self._keys = IssuerKeys(settings.jwks_url, settings.issuer_ca)
        self._tokens = Tokens(settings.issuer, settings.audience, self._keys)
        self._dav = Dav(self._tree.root, self._threads)
        self._files = files = Files(self._tree, self._threads, settings.stall_timeout)
        self._handlers: dict[str, Handler] = {
            "GET": files.get,
            "HEAD": files.head,
            "PUT": files.put,
            "DELETE": files.delete,
            "MKCOL": files.make_folder,
            "PROPFIND": self._list,
            "OPTIONS": self._options,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._request(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._keys.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)
        await send({"type": "lifespan.shutdown.complete"})

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.monotonic()
        headers = headers_of(scope)
        answer = Answer(send, allowing(self._settings.browsers, headers))
        subject = "-"
        self._active += 1
        try:
            if raw_path(scope) == HEALTH and scope["method"] in {"GET", "HEAD"}:
                await self._health(answer)
                return
            if (may := preflight(scope["method"], headers, answer.always)) is not None:
                await answer.whole(HTTPStatus.NO_CONTENT, may)
                return
            request, bearer = await self._admit(scope, receive, send, headers)
            subject = bearer.subject
            await self._handler(request)(request, bearer, answer)
        except Refusal as refusal:
            await _refuse(answer, refusal, headers)
        except ClientGone:
            answer.status = 499
        finally:
            self._active -= 1
            log.info(
                "%s %s %d %d B %.3f s subject=%s trace=%s",
                scope["method"],
                quote(raw_path(scope), safe="/%"),
                answer.status,
                answer.sent,
                time.monotonic() - started,
                quote(subject, safe=":/@ "),
                quote(headers.get("traceparent", "-")),
            )

    async def _admit(
        self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]
    ) -> tuple[Request, Bearer]:
        """Read path and token; a `Refusal` for what is not to be understood or believed."""
        if self._active > self._settings.max_requests:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "too many requests at once", Retry_After="1")
        in_header = headers.get("authorization")
        bearer = await self._bearer(token_in_query(scope) if in_header is None else in_header)
        try:
            path = canonical(raw_path(scope))
        except AmbiguousPath as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, "path_ambiguous", str(error)) from error
        if in_header is None:
            bearer = bearer.only_at(path)
        if covers(f"/{RESERVED}", path) or path == HEALTH:
            raise Refusal(HTTPStatus.FORBIDDEN, "path_reserved", "this name is the server's own")
        return Request(scope, receive, send, path, headers), bearer

    async def _bearer(self, said: str) -> Bearer:
        realm = f'Bearer realm="{quote(self._settings.name)}"'
        kind, _, token = said.partition(" ")
        if kind.lower() != "bearer" or not token.strip():
            raise Refusal(HTTPStatus.UNAUTHORIZED, "token_missing", "a bearer token is needed", WWW_Authenticate=realm)
        try:
            return await self._tokens.read(token.strip())
        except TokenRefused as error:
            challenge = f'{realm}, error="invalid_token", error_description="{error}"'
            raise Refusal(HTTPStatus.UNAUTHORIZED, "token_invalid", str(error), WWW_Authenticate=challenge) from error
        except IssuerUnavailable as error:
            raise Refusal(
                HTTPStatus.SERVICE_UNAVAILABLE, "issuer_unavailable", "the issuer's keys are not to be had",
                Retry_After="3",
            ) from error  # fmt: skip

    def _handler(self, request: Request) -> Handler:
        if request.method not in self._handlers:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "method_unknown", f"{request.method} is not done here", Allow=ALLOWED
            )
        return self._handlers[request.method]

    async def _health(self, answer: Answer) -> None:
        if self._tree.root.is_dir():
            await answer.whole(HTTPStatus.OK, {"Content-Type": "application/json"}, b'{"status": "ok"}')
        else:
            raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "root_missing", "the folder of this storage is not there")

    async def _list(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        if not bearer.may(request.path, Verb.READ) and not await self._files.is_to_be_put(request, bearer):
            raise Refusal(HTTPStatus.FORBIDDEN, "not_granted", "the token does not grant storage.read here")
        if request.headers.get("depth") not in {"0", "1"}:
            raise Refusal(HTTPStatus.FORBIDDEN, "depth_infinite", "Depth must be 0 or 1")
        await self._dav.answer(request, answer, await _small_body(request))

    async def _options(self, request: Request, bearer: Bearer, answer: Answer) -> None:  # noqa: ARG002 - any token
        await answer.whole(HTTPStatus.OK, {"Allow": ALLOWED, "DAV": "1"})


async def _refuse(answer: Answer, refusal: Refusal, headers: dict[str, str]) -> None:
    """Refuse, unless half an answer is out already; a client with much to send is not let to send it in vain."""
    if answer.status:
        return
    length = headers.get("content-length", "")
    if "transfer-encoding" in headers or (length.isdecimal() and int(length) > _LARGEST_VAIN_BODY):
        refusal.headers["Connection"] = "close"
    await answer.refuse(refusal)


async def _small_body(request: Request) -> bytes:
    body = b""
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _LARGEST_DAV_BODY:
            raise Refusal(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"at most {_LARGEST_DAV_BODY} B are read"
            )
    return body

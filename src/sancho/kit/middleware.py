"""What happens around every request: limits on what may come in, a trace, a log, an audit trail, a measurement."""

import re
import time
from collections.abc import Callable, Mapping, Sequence

import psycopg
import structlog
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sancho.kit import audit, telemetry
from sancho.kit.db import Database
from sancho.kit.errors import BadRequest, SanchoError, TooLarge
from sancho.kit.problem import Dialects, say
from sancho.kit.proxied import Network, client_address
from sancho.kit.text import check_body, check_target

_log = telemetry.log(__name__)


class BodyOverLimit(TooLarge):
    """The request body is over the limit of {limit} bytes."""

    code = "body_too_large"

    def __init__(self, *, limit: int) -> None:
        """Say what the limit is."""
        super().__init__(what="The request body", limit=limit, field="body", hint="Send fewer items in one call.")


class LengthUnclear(BadRequest):
    """The length of the body, {announced!r}, is not a number."""

    code = "length_unclear"

    def __init__(self, *, announced: str) -> None:
        """Show what was said."""
        super().__init__(announced=announced, field="content-length", hint="Send a length in bytes, or in chunks.")


class Gate:
    """Lets in what is not too large and is text, before any route reads it; else it answers with a problem.

    Bodies are read here, whole. Some paths have a limit of their own and take any bytes, as they come.
    """

    def __init__(
        self, app: ASGIApp, *, limit: int, streamed: Mapping[str, int], dialects: Dialects | None = None
    ) -> None:
        """`streamed` maps the prefixes of such paths to their limits; `dialects` says how errors are said elsewhere."""
        self._app = app
        self._limit = limit
        self._streamed = streamed
        self._dialects = dialects or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400, 413 or 422."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        streamed = next((n for prefix, n in self._streamed.items() if scope["path"].startswith(prefix)), None)
        limit = self._limit if streamed is None else streamed
        headers = Headers(scope=scope)
        try:
            check_target(scope.get("raw_path") or b"", scope["query_string"])
            if _length(headers.get("content-length", "0")) > limit:
                raise BodyOverLimit(limit=limit)
            if streamed is None:
                receive = await _read(receive, limit, headers.get("content-type", ""))
        except SanchoError as e:
            await say(e, scope["path"], self._dialects)(scope, receive, send)
            return
        await self._app(scope, receive if streamed is None else _counted(receive, limit), send)


def _length(announced: str) -> int:
    if not re.fullmatch("[0-9]{1,30}", announced):
        raise LengthUnclear(announced=announced[:30])
    return int(announced)


async def _read(receive: Receive, limit: int, media_type: str) -> Receive:
    """Take in the whole body and look at it; return what gives it out again, in one piece."""
    pieces: list[bytes] = []
    counted = _counted(receive, limit)
    last: Message = {"more_body": True}
    while last.get("more_body"):
        last = await counted()
        pieces.append(last.get("body", b""))
    body = b"".join(pieces)
    check_body(body, media_type.partition(";")[0].strip().lower())
    # A client that went away is still gone when the route asks.
    again: list[Message] = [{"type": "http.request", "body": body}] if last["type"] == "http.request" else [last]

    async def given() -> Message:
        return again.pop() if again else await receive()

    return given


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise BodyOverLimit(limit=limit)
        return message

    return counted


class Audited:
    """Collects what is decided while a request is served, and sees that all of it is written down.

    What was allowed is written by the transactions that serve the request; what was denied, and what no transaction
    came for, by one of its own, before the answer begins. If the database is away it is logged instead.
    """

    def __init__(self, app: ASGIApp, *, database: Database, proxies: Sequence[Network] = ()) -> None:
        """Write to `database`, which takes what is ready from the trail before each commit.

        Clients behind `proxies` are where these say.
        """
        self._app = app
        self._database = database
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with a trail."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        client = client_address(Request(scope), self._proxies)
        trail = audit.Trail(method=scope["method"], route=lambda: _template(scope), client=client or None)

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and (vos := trail.end(worked=message["status"] < 400)):
                await self._write(trail, vos)
            await send(message)

        with audit.begun(trail):
            await self._app(scope, receive, watched)

    async def _write(self, trail: audit.Trail, vos: set[int]) -> None:
        lost = trail.left()
        try:
            async with self._database.transaction(sorted(vos)):
                pass  # it writes, as every transaction does, before it commits
        except (SanchoError, psycopg.Error) as e:
            for entry in lost:
                _log.error(
                    "a decision could not be written to the audit log", error=str(e), vo=entry.vo,
                    account=entry.account, permission=entry.permission, thing=entry.thing, allowed=entry.allowed,
                )  # fmt: skip


class Observed:
    """Traces and measures each request under the name of its route."""

    def __init__(self, app: ASGIApp, *, clock: Callable[[], float] = time.perf_counter) -> None:
        """Measure with `clock`."""
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on inside a span."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock()
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        structlog.contextvars.clear_contextvars()
        with telemetry.span(scope["method"], traceparent=Headers(scope=scope).get("traceparent")):
            try:
                await self._app(scope, receive, watched)
            finally:
                method, path = scope["method"], _template(scope)
                telemetry.name_span(f"{method} {path or ''}".strip(), **{"http.response.status_code": status})
                telemetry.REQUESTS.labels(path or "none", method, str(status)).inc()
                telemetry.LATENCY.labels(path or "none", method).observe(self._clock() - began)


def _template(scope: Scope) -> str | None:
    """The path of the route that was taken, as it was declared; None when there is no such route."""
    return getattr(scope.get("route"), "path", None)

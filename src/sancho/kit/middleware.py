"""What happens around every request: a limit on bodies, a trace, a log context, a measurement."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sancho.kit import telemetry
from sancho.kit.errors import TooLarge
from sancho.kit.problem import render


class BodyOverLimit(TooLarge):
    """The request body is over the limit of {limit} bytes."""

    code = "body_too_large"

    def __init__(self, *, limit: int) -> None:
        """Say what the limit is."""
        super().__init__(what="The request body", limit=limit, hint="Send fewer items in one call.")


class BodyLimit:
    """Refuses bodies over a limit, announced or not, before they are read; some paths have a limit of their own."""

    def __init__(self, app: ASGIApp, *, limit: int, own: Mapping[str, int]) -> None:
        """`own` maps path prefixes to their limits."""
        self._app = app
        self._limit = limit
        self._own = own

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = next((n for prefix, n in self._own.items() if scope["path"].startswith(prefix)), self._limit)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > limit:
            await render(BodyOverLimit(limit=limit))(scope, receive, send)
            return
        await self._app(scope, _counted(receive, limit), send)


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
                route: Any = scope.get("route")
                name = getattr(route, "path", "none")
                telemetry.REQUESTS.labels(name, scope["method"], str(status)).inc()
                telemetry.LATENCY.labels(name, scope["method"]).observe(self._clock() - began)

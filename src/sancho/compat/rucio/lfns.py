"""Lets requests to Rucio's wire spell DIDs as paths, before any route sees them: see `lfns_translate`."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sancho.compat.rucio.lfns_translate import (
    BELOW,
    SAID,
    Spelling,
    plain_json,
    plain_path,
    plain_query,
    spelled_json,
    spelled_metalink,
)


class Lfns:
    """Lets requests to Rucio's wire spell DIDs as paths, and spells them so in their answers."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`; bodies have been read already."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as if it had said names."""
        if scope["type"] != "http" or not scope["path"].startswith(BELOW):
            await self._app(scope, receive, send)
            return
        spelling = Spelling()
        scope["path"] = plain_path(scope["path"], spelling)
        scope["query_string"] = plain_query(scope["query_string"], scope["path"], spelling)
        receive = await _plain_body(scope, receive, spelling)
        scope[SAID] = tuple(spelling.vos)
        await self._app(scope, receive, _Answer(send, spelling) if spelling.vos else send)


async def _plain_body(scope: Scope, receive: Receive, spelling: Spelling) -> Receive:
    if scope["method"] == "GET" and "content-length" not in Headers(scope=scope):
        return receive
    message = await receive()
    body: bytes = message.get("body", b"")
    if b'"/' in body and not message.get("more_body"):
        message = {**message, "body": plain_json(body, spelling)}
        if spelling.vos:
            MutableHeaders(scope=scope)["content-length"] = str(len(message["body"]))
    again: list[Message] = [message]

    async def given() -> Message:
        return again.pop() if again else await receive()

    return given


class _Answer:
    """Spells names in an answer as paths: in JSON, in lines of it, and in Metalink."""

    def __init__(self, send: Send, spelling: Spelling) -> None:
        self._send = send
        self._spelling = spelling
        self._change: Callable[[bytes, Spelling], bytes] | None = None
        self._lines = False
        self._kept = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            kind = headers.get("content-type", "").partition(";")[0]
            known = {
                "application/json": spelled_json, "application/x-json-stream": spelled_json,
                "application/metalink4+xml": spelled_metalink,
            }  # fmt: skip
            self._change, self._lines = known.get(kind), kind != "application/json"
            if self._change is not None and message["status"] < 400:
                del headers["content-length"]
            else:
                self._change = None
            message = {**message, "headers": headers.raw}
        elif self._change is not None:
            message = self._changed(message, self._change)
        await self._send(message)

    def _changed(self, message: Message, change: Callable[[bytes, Spelling], bytes]) -> Message:
        self._kept += message.get("body", b"")
        whole, rest = self._kept, b""
        if message.get("more_body"):
            cut = self._kept.rfind(b"\n") + 1 if self._lines else 0
            whole, rest = self._kept[:cut], self._kept[cut:]
        self._kept = rest
        parts = whole.splitlines(keepends=True) if self._lines else [whole] if whole else []
        return {**message, "body": b"".join(change(part, self._spelling) for part in parts)}

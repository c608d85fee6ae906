"""The little of ASGI that we speak: a request with its headers at hand, and answers."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import parse_qs

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


class Refusal(Exception):
    """An answer that is not a success, as `application/problem+json`."""

    def __init__(self, status: HTTPStatus, code: str, detail: str, **headers: str) -> None:
        """`headers` with underscores for dashes."""
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


@dataclass(frozen=True)
class Request:
    """One request; `path` is canonical."""

    scope: Scope
    receive: Receive
    send: Send
    path: str
    headers: dict[str, str] = field(repr=False)

    @property
    def method(self) -> str:
        """The verb, in capitals."""
        return self.scope["method"]

    @property
    def names_folder(self) -> bool:
        """Does the path end with a slash?"""
        return raw_path(self.scope).endswith("/")

    @property
    def content_length(self) -> int | None:
        """What the client says; None for a chunked body."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isdecimal() else None


@dataclass
class Answer:
    """What was answered so far; the access log reads it."""

    send: Send
    always: dict[str, str] = field(default_factory=dict[str, str])
    """Headers of the answer, whatever it is."""
    status: int = 0
    sent: int = 0

    async def start(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        """Send the status and the headers."""
        self.status = status
        raw = [
            (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in (self.always | headers).items()
        ]
        await self.send({"type": "http.response.start", "status": int(status), "headers": raw})

    async def body(self, piece: bytes, *, more: bool = False) -> None:
        """Send some of the body; waits while the client is behind."""
        self.sent += len(piece)
        await self.send({"type": "http.response.body", "body": piece, "more_body": more})

    async def whole(self, status: HTTPStatus, headers: dict[str, str], body: bytes = b"") -> None:
        """Send all at once."""
        length = {} if status is HTTPStatus.NO_CONTENT else {"Content-Length": str(len(body))}
        await self.start(status, length | headers)
        await self.body(body)

    async def refuse(self, refusal: Refusal) -> None:
        """Send a refusal."""
        document = {
            "type": "about:blank",
            "title": refusal.status.phrase,
            "status": int(refusal.status),
            "code": refusal.code,
            "detail": str(refusal),
        }
        headers = {"Content-Type": "application/problem+json"} | refusal.headers
        await self.whole(refusal.status, headers, json.dumps(document).encode())


def raw_path(scope: Scope) -> str:
    """The path as it came, still encoded, without the query."""
    return scope["raw_path"].decode("latin-1").partition("?")[0]


def token_in_query(scope: Scope) -> str:
    """What a URL says instead of a header `Authorization`, as `authz=…`; empty when it says nothing, or two things."""
    said = parse_qs(scope["query_string"].decode("latin-1")).get("authz", [])
    return said[0] if len(said) == 1 else ""


def headers_of(scope: Scope) -> dict[str, str]:
    """Headers by lower-case name; of repeated ones the values are joined, which no header that we read allows."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers

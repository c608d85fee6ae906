"""Paths as names: `/belle/mc/2026/f.root` in scope `mc` is another spelling of the DID `mc:2026/f.root` of VO belle.

DIRAC says DIDs so. What a request spells as such a path reaches every route as the DID that it is, and in the answer
all names are spelled as paths too. Whether the first word is the caller's own VO, by its name or alias, is looked at
where the caller is known (`check_vo`). Any other name that begins with a slash is left alone, and refused as a name.
"""

import json
import re
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode
from xml.sax.saxutils import escape, unescape

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sancho.dids.errors import DidMalformed

BELOW = "/rucio/"
SAID = "sancho.lfns"
"""Where a request keeps which VOs its paths named."""
_IN_PATH = re.compile(r"(/rucio/[\w/]*?)([^/]+)//([^/]+)/\2/(?=[^/])")
_IN_FILTER = re.compile(r"""(['"])/([^/'"]+)/([^/'"]+)/""")
_IDENTITY = re.compile(rb"<identity>([^:<]+):([^<]*)</identity>")


class Spelling:
    """What a request spelled as paths: which VO it said, and for which DIDs."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.vos: dict[str, None] = {}
        self.dids: dict[str, str] = {}
        self.searched: str | None = None
        """The scope that was searched by paths: then names come alone."""

    def plain(self, scope: str, name: str) -> str:
        """The name of the DID that a path in a scope means; what is no such path stays as it is."""
        parts = name.split("/", 3)
        if len(parts) < 4 or parts[0] or parts[2] != scope or not parts[1] or not parts[3]:
            return name
        self.vos[parts[1]] = None
        self.dids[f"{scope}:{parts[3]}"] = f"{scope}:{name}"
        return parts[3]

    def path(self, scope: str, name: str) -> str:
        """A DID's name as a path."""
        return name if name.startswith("/") else f"/{next(iter(self.vos))}/{scope}/{name}"


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
        scope["path"] = _plain_path(scope["path"], spelling)
        scope["query_string"] = _plain_query(scope["query_string"], scope["path"], spelling)
        receive = await _plain_body(scope, receive, spelling)
        scope[SAID] = tuple(spelling.vos)
        await self._app(scope, receive, _Answer(send, spelling) if spelling.vos else send)


def check_vo(said: tuple[str, ...], names: tuple[str | None, ...]) -> None:
    """Raise `DidMalformed` for a path of a VO that is not called by one of these names."""
    for vo in said:
        if vo not in names:
            raise DidMalformed(did=f"/{vo}/"[:300], reason=f"paths of VO {names[0]} begin with /{names[0]}/")


def _plain_path(path: str, spelling: Spelling) -> str:
    found = _IN_PATH.match(path)
    if found is None:
        return path
    head, scope, vo = found.groups()
    spelling.vos[vo] = None
    return f"{head}{scope}/{path[found.end() :]}"


def _plain_query(query: bytes, path: str, spelling: Spelling) -> bytes:
    if b"%2F" not in query and b"%2f" not in query and b"/" not in query:
        return query
    scope = path.removeprefix(f"{BELOW}dids/").split("/")[0]
    known = len(spelling.vos)
    said: list[tuple[str, str]] = []
    for key, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        plain = value
        if key == "lfn":
            of, _, name = value.partition(":")
            plain = f"{of}:{spelling.plain(of, name)}"
        elif key == "name":
            plain = spelling.plain(scope, value)
        elif key == "filters":
            plain = _IN_FILTER.sub(lambda found: _plain_filter(found, scope, spelling), value)
        said.append((key, plain))
    return urlencode(said).encode() if len(spelling.vos) > known or spelling.dids else query


def _plain_filter(found: re.Match[str], scope: str, spelling: Spelling) -> str:
    quote, vo, of = found.groups()
    if of != scope:
        return found[0]
    spelling.vos[vo] = None
    spelling.searched = scope
    return quote


async def _plain_body(scope: Scope, receive: Receive, spelling: Spelling) -> Receive:
    if scope["method"] == "GET" and "content-length" not in Headers(scope=scope):
        return receive
    message = await receive()
    body: bytes = message.get("body", b"")
    if b'"/' in body and not message.get("more_body"):
        message = {**message, "body": _plain_json(body, spelling)}
        if spelling.vos:
            MutableHeaders(scope=scope)["content-length"] = str(len(message["body"]))
    again: list[Message] = [message]

    async def given() -> Message:
        return again.pop() if again else await receive()

    return given


def _plain_json(body: bytes, spelling: Spelling) -> bytes:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body
    _each_did(said, spelling.plain)
    return json.dumps(said).encode() if spelling.vos else body


def _each_did(said: object, name_of: Callable[[str, str], str]) -> None:
    """Let every `name` that stands beside a `scope` be what it is called, however deep."""
    todo = [said]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += cast(list[object], one)
        elif isinstance(one, dict):
            known = cast(dict[str, object], one)
            for scope_key, name_key in (("scope", "name"), ("parent_scope", "parent_name")):
                scope, name = known.get(scope_key), known.get(name_key)
                if isinstance(scope, str) and isinstance(name, str):
                    known[name_key] = name_of(scope, name)
            if isinstance(parents := known.get("parents"), list):
                pairs = [str(one).partition(":") for one in cast(list[object], parents)]
                known["parents"] = [f"{scope}:{name_of(scope, name)}" for scope, _, name in pairs]
            todo += known.values()


class _Answer:
    """Spells names in an answer as paths: in JSON, in lines of it, and in Metalink."""

    def __init__(self, send: Send, spelling: Spelling) -> None:
        self._send = send
        self._spelling = spelling
        self._change: Callable[[bytes], bytes] | None = None
        self._lines = False
        self._kept = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            kind = headers.get("content-type", "").partition(";")[0]
            known = {
                "application/json": self._json, "application/x-json-stream": self._json,
                "application/metalink4+xml": self._metalink,
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

    def _changed(self, message: Message, change: Callable[[bytes], bytes]) -> Message:
        self._kept += message.get("body", b"")
        whole, rest = self._kept, b""
        if message.get("more_body"):
            cut = self._kept.rfind(b"\n") + 1 if self._lines else 0
            whole, rest = self._kept[:cut], self._kept[cut:]
        self._kept = rest
        parts = whole.splitlines(keepends=True) if self._lines else [whole] if whole else []
        return {**message, "body": b"".join(change(part) for part in parts)}

    def _json(self, text: bytes) -> bytes:
        said: Any = json.loads(text)
        _each_did(said, self._spelling.path)
        if isinstance(said, str) and self._spelling.searched is not None:
            said = self._spelling.path(self._spelling.searched, said)
        if isinstance(said, dict):
            known = cast(dict[str, Any], said)
            said = {self._spelling.dids.get(key, key): value for key, value in known.items()}
        return json.dumps(said).encode() + (b"\n" if text.endswith(b"\n") else b"")

    def _metalink(self, line: bytes) -> bytes:
        if (found := _IDENTITY.search(line)) is None:
            return line
        scope, name = (unescape(part.decode()) for part in found.groups())
        return line.replace(
            found[0], f"<identity>{escape(f'{scope}:{self._spelling.path(scope, name)}')}</identity>".encode()
        )

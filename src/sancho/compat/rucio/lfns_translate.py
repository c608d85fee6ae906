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


def check_vo(said: tuple[str, ...], names: tuple[str | None, ...]) -> None:
    """Raise `DidMalformed` for a path of a VO that is not called by one of these names."""
    for vo in said:
        if vo not in names:
            raise DidMalformed(did=f"/{vo}/"[:300], reason=f"paths of VO {names[0]} begin with /{names[0]}/")


def plain_path(path: str, spelling: Spelling) -> str:
    """The path of a URL with the name in it that was spelled as a path."""
    found = _IN_PATH.match(path)
    if found is None:
        return path
    head, scope, vo = found.groups()
    spelling.vos[vo] = None
    return f"{head}{scope}/{path[found.end() :]}"


def plain_query(query: bytes, path: str, spelling: Spelling) -> bytes:
    """A query with the names in it that were spelled as paths; `path` is that of the URL."""
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


def plain_json(body: bytes, spelling: Spelling) -> bytes:
    """A body with the names in it that were spelled as paths."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return body
    each_did(said, spelling.plain)
    return json.dumps(said).encode() if spelling.vos else body


def each_did(said: object, name_of: Callable[[str, str], str]) -> None:
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


def spelled_json(text: bytes, spelling: Spelling) -> bytes:
    """An answer in JSON, or a line of one, with its names as paths."""
    said: Any = json.loads(text)
    each_did(said, spelling.path)
    if isinstance(said, str) and spelling.searched is not None:
        said = spelling.path(spelling.searched, said)
    if isinstance(said, dict):
        known = cast(dict[str, Any], said)
        said = {spelling.dids.get(key, key): value for key, value in known.items()}
    return json.dumps(said).encode() + (b"\n" if text.endswith(b"\n") else b"")


def spelled_metalink(line: bytes, spelling: Spelling) -> bytes:
    """A line of Metalink with the name in it as a path."""
    if (found := _IDENTITY.search(line)) is None:
        return line
    scope, name = (unescape(part.decode()) for part in found.groups())
    did = escape(f"{scope}:{spelling.path(scope, name)}")
    return line.replace(found[0], f"<identity>{did}</identity>".encode())

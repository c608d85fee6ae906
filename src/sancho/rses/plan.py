"""Where a file lies, and what a token for it says: pure functions of what is known."""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import SplitResult, quote, unquote, urlsplit

from sancho.rses.errors import PlaceUnfit
from sancho.rses.model import Place

FOLDERS = 4096
PORTS: Mapping[str, int] = {"http": 80, "https": 443, "root": 1094, "roots": 1094}
"""Where a scheme is listened for when its URL does not say."""
SAME: Mapping[str, str] = {"dav": "http", "davs": "https"}
"""Schemes that are other words for one."""
_PLAIN = re.compile(r"[A-Za-z0-9_.~/-]*")
"""What needs no escaping: to see that is ten times as fast."""
_ID = re.compile(r"[0-9a-f]{1,15}")


def place(prefix: str, vo: str, scope: str, did_id: int, name: str) -> Place:
    """Spread files over folders by their id, so that none has too many; the id keeps equal names apart.

    Everything is escaped as in a URL, in the path as well: a token names its paths so.
    """
    if not {"", ".", ".."}.isdisjoint((vo, scope, *name.split("/"))):
        raise PlaceUnfit(name=name)
    escaped = name if _PLAIN.fullmatch(name) else quote(name, "/")
    path = f"{_area(vo, scope)}/{did_id % FOLDERS:03x}/{did_id:x}/{escaped}"
    return Place(url=prefix + path, path=path)


@lru_cache(maxsize=1000)
def _area(vo: str, scope: str) -> str:
    return f"/{quote(vo, '')}/{quote(scope, '')}"


def file_at(path: str) -> int | None:
    """The id of the file that lies at a path when nobody said so; None when the path is not one that `place` makes."""
    parts = path.split("/", 5)
    if len(parts) < 6 or parts[0] or _ID.fullmatch(parts[4]) is None:
        return None
    did_id = int(parts[4], 16)
    return did_id if parts[3:5] == [f"{did_id % FOLDERS:03x}", f"{did_id:x}"] else None


def path_below(prefix: str, url: str) -> str | None:
    """The path of a URL below a prefix, escaped as `place` does; None when it is elsewhere, or not spelled plainly.

    A URL may say its scheme's port or not, and spell letters as they are. A path that could be read in two ways, with
    `..`, `//` or an escaped letter that needs none, is not plain: tokens are made for paths.
    """
    if not url.isprintable():
        return None
    if url.startswith("/"):
        return _plain(url)
    try:
        here, there = urlsplit(prefix), urlsplit(url)
        elsewhere = _origin(here) != _origin(there) or there.query or there.fragment or {"?", "#"} & set(url)
    except ValueError:
        return None
    below = "/" + here.path.strip("/")
    path = "/" + there.path.lstrip("/")
    if elsewhere or not path.startswith(below if below == "/" else f"{below}/"):
        return None
    return _plain(path[0 if below == "/" else len(below) :])


def _origin(parts: SplitResult) -> tuple[str, str, str, int]:
    scheme = SAME.get(parts.scheme, parts.scheme)
    who = parts.netloc.rpartition("@")[0]
    return scheme, who, parts.hostname or "localhost", port_of(parts)


def _plain(path: str) -> str | None:
    letters = unquote(path)
    escaped = quote(letters, "/")
    words = letters.split("/")[1:]
    if "%" in path and escaped != path:
        return None
    if not words or {"", ".", ".."} & set(words) or not letters.isprintable() or "\\" in path:
        return None
    return escaped


def fault_of_path(path: str, vo: str) -> str | None:
    """Why a file of a VO cannot be said to lie at a plain path; None when it can.

    Not outside of the VO's own area, not where a scope or an id has its folder, and not where an id puts a file: only
    that file is there, and what is made of its id is never said.
    """
    words = path.split("/")[1:]
    if words[0] != quote(vo, ""):
        return f"it is not in the area of the VO, /{vo}/"
    if len(words) < 3 or (len(words) < 5 and re.fullmatch(r"[0-9a-f]{3}", words[2])):
        return "it may be a folder"
    if "%5C" in path:
        return "a backslash is a slash to some storages"
    return None if file_at(path) is None else "it belongs to another file"


def pfn(prefix: str, path: str) -> str:
    """The URL of a path below a prefix, which always says host and port."""
    return _beginning(prefix) + path


@lru_cache(maxsize=1000)
def _beginning(prefix: str) -> str:
    parts = urlsplit(prefix)
    host = parts.hostname or "localhost"
    where = host if parts.scheme == "file" else f"{host}:{port_of(parts)}"
    return f"{parts.scheme}://{where}{parts.path.rstrip('/')}"


def port_of(parts: SplitResult) -> int:
    """The port of a URL, said or implied by its scheme; 0 for what listens nowhere."""
    return parts.port or PORTS.get(SAME.get(parts.scheme, parts.scheme), 0)


def readable_paths(scope: str, vo: str) -> list[str] | str:
    """The paths of a scope that only reads within a VO's own area; the first word of any other scope.

    Not the area itself: XRootD takes a path for a beginning, so that `/belle` would open `/belle2` too.
    """
    area, paths = f"/{quote(vo, '')}/", list[str]()
    for word in scope.split() or [scope]:
        verb, _, path = word.partition(":")
        tricky = {".", "..", ""} & set(path.split("/")[1:]) or "%2e" in path.lower()
        if verb != "storage.read" or not path.startswith(area) or tricky:
            return word
        paths.append(path)
    return paths


def token_scope(read: Sequence[str], create: Sequence[str], modify: Sequence[str]) -> str:
    """What a token allows, in the words of the WLCG profile."""
    said = [("storage.read", read), ("storage.create", create), ("storage.modify", modify)]
    return " ".join(f"{verb}:{path}" for verb, paths in said for path in paths)

"""Where a file lies, and what a token for it says: pure functions of what is known."""

import re
from collections.abc import Sequence
from urllib.parse import quote

from sancho.rses.errors import PlaceUnfit
from sancho.rses.model import Place

FOLDERS = 4096
_ID = re.compile(r"[0-9a-f]{1,15}")


def place(prefix: str, vo: str, scope: str, did_id: int, name: str) -> Place:
    """Spread files over folders by their id, so that none has too many; the id keeps equal names apart.

    Everything is escaped as in a URL, in the path as well: a token names its paths so.
    """
    words = [vo, scope, *name.split("/")]
    if any(word in {"", ".", ".."} for word in words):
        raise PlaceUnfit(name=name)
    path = "/".join(["", quote(vo, ""), quote(scope, ""), f"{did_id % FOLDERS:03x}", f"{did_id:x}", quote(name, "/")])
    return Place(url=prefix + path, path=path)


def file_at(prefix: str, url: str) -> int | None:
    """The id of the file that would lie at a URL; None when the URL is not one that `place` makes with this prefix."""
    parts = url.removeprefix(prefix).split("/", 5) if url.startswith(f"{prefix}/") else []
    if len(parts) < 6 or _ID.fullmatch(parts[4]) is None:
        return None
    return int(parts[4], 16)


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

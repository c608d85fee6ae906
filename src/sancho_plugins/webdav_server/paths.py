"""Paths as people and tokens write them, made canonical; what could be read in two ways is refused."""

import re
from urllib.parse import unquote_to_bytes

_ENCODED_AGAIN = re.compile(r"%(?:[01][0-9a-f]|2[5ef]|5c|7f)", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_LONGEST_NAME = 255
_LONGEST_PATH = 4000


class AmbiguousPath(ValueError):
    """The path could be understood in more than one way, or not at all."""


def canonical(raw: str) -> str:
    """Return the one spelling of a percent-encoded absolute path: decoded once, single slashes, none at the end.

    Raises `AmbiguousPath` for relative paths, `.` and `..`, an encoded slash,
    backslashes, control characters, any of these encoded twice, and bytes that
    are not UTF-8: different software reads these differently, and here a path
    decides who may do what.
    """
    if not raw.startswith("/"):
        raise AmbiguousPath("the path does not begin with /")
    if "%2f" in raw.lower() or _BAD_ESCAPE.search(raw):
        raise AmbiguousPath("the path has an encoded slash or a broken escape")
    try:
        decoded = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as error:
        raise AmbiguousPath("the path is not UTF-8") from error
    if _ENCODED_AGAIN.search(decoded):
        raise AmbiguousPath("the path is encoded twice")
    if "\\" in decoded or not decoded.isprintable():
        raise AmbiguousPath("the path has a backslash or a control character")
    names = [name for name in decoded.split("/") if name]
    if "." in names or ".." in names:
        raise AmbiguousPath("the path has a . or .. in it")
    if len(decoded.encode()) > _LONGEST_PATH or any(len(name.encode()) > _LONGEST_NAME for name in names):
        raise AmbiguousPath("the path or a name in it is too long")
    return "/" + "/".join(names)


def covers(above: str, path: str) -> bool:
    """Is `path` the canonical path `above`, or below it? `/belle` covers `/belle/x`, and not `/belle2`."""
    return above in {"/", path} or path.startswith(f"{above}/")

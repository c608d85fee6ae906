"""Text that may come in: UTF-8, without NUL or half a character. One rule for every route, before any reads it.

PostgreSQL keeps neither, so what slipped through would be a fault of ours instead of the request's.
"""

import json
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qsl, unquote_to_bytes

from sancho.kit.errors import BadRequest, Invalid

FORM = "application/x-www-form-urlencoded"


class NotUtf8(BadRequest):
    """The {part} of this request is not UTF-8: byte {position} does not fit."""

    code = "not_utf8"

    def __init__(self, *, part: str, position: int) -> None:
        """Say where; positions count from 1."""
        super().__init__(part=part, position=position, field=part, hint="Encode it as UTF-8.")


class NotText(Invalid):
    """{where} holds a NUL, or half of a character."""

    code = "not_text"

    def __init__(self, *, where: str) -> None:
        """Name the field, or the part of the request."""
        super().__init__(where=where, field=where, hint="Leave the character out.")


def check_target(path: bytes, query: bytes) -> None:
    """Look at the path and the query of a request, as they were sent; raises `NotUtf8` or `NotText`."""
    if b"%" in path and "\0" in _decoded("path", unquote_to_bytes(path)):
        raise NotText(where="path")
    if b"%" in query or not query.isascii():
        _decoded("query", unquote_to_bytes(query))
        _check_pairs(query.decode(errors="replace"), "query")


def check_body(body: bytes, media_type: str) -> None:
    """Look at a whole body; raises `NotUtf8`, or `NotText` naming the field. What is no JSON is left to the route."""
    text = _decoded("body", body)
    if media_type == FORM:
        _check_pairs(text, "body")
    elif "\0" in text:
        raise NotText(where="body")
    elif "\\u" in text:  # in JSON, only an escape can stand for either
        for where, said in _texts(_loaded(text)):
            if not _plain(said):
                raise NotText(where=where or "body")


def _decoded(part: str, said: bytes) -> str:
    try:
        return said.decode()
    except UnicodeDecodeError as e:
        raise NotUtf8(part=part, position=e.start + 1) from e


def _check_pairs(text: str, part: str) -> None:
    for name, value in parse_qsl(text, keep_blank_values=True):
        if "\0" in name + value:
            raise NotText(where=part if "\0" in name else name)


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _texts(document: Any) -> Iterator[tuple[str, str]]:
    """Every text in a JSON document, keys too, with the path to it."""
    left: list[tuple[str, Any]] = [("", document)]
    while left:
        at, value = left.pop()
        inside = f"{at}." if at else ""
        if isinstance(value, str):
            yield at, value
        elif isinstance(value, list):
            left += [(f"{inside}{n}", one) for n, one in enumerate(cast(list[Any], value))]
        elif isinstance(value, dict):
            for key, one in cast(dict[str, Any], value).items():
                yield at, key
                left.append((f"{inside}{key}", one))


def _plain(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)

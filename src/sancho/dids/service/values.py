"""What keys may say: values are read and checked before anything is written."""

import difflib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, cast

from pydantic import StringConstraints, TypeAdapter, ValidationError

from sancho.dids.errors import MetadataKeyUnknown, MetadataUnfit
from sancho.dids.model import Did, MetadataKey, MetadataKind, Value
from sancho.kit.search import read_boolean, read_integer, read_number, read_text, read_time

LONGEST_TEXT = 500
MOST_VALUES = 100
LAST_EXACT = 2**53
"""Whole numbers are searched for as floating point numbers, which are exact up to here."""


class _Unfit(ValueError):
    """What is wrong with a value."""


def read(keys: Mapping[str, MetadataKey], did: Did, said: Mapping[str, Any], *, field: str) -> dict[str, Value | None]:
    """What a DID is to say, checked, by its keys; None: no more.

    Raises `MetadataKeyUnknown` or `MetadataUnfit`, which name DID and key.
    """
    found: dict[str, Value | None] = {}
    for name, value in said.items():
        key = keys.get(name)
        if key is None:
            near = difflib.get_close_matches(name, keys, n=3)
            raise MetadataKeyUnknown(did=did.did, key=name, near=near, field=f"{field}.{name[:100]}")
        try:
            found[name] = None if value is None else _read(key, did, value)
        except _Unfit as e:
            raise MetadataUnfit(
                did=did.did, key=name, value=_shown(value), reason=str(e), field=f"{field}.{name}"
            ) from e
    return found


def _shown(value: object) -> str:
    return json.dumps(value)[:100]


def _read(key: MetadataKey, did: Did, value: object) -> Value:
    if did.kind.word not in key.terms.dids:
        raise _Unfit(f"it is for a {' or '.join(key.terms.dids)}, and this is a {did.kind.word}")
    if not key.kind.is_array:
        return _one(key, value, key.kind)
    values: Sequence[object] = (
        [part.strip() for part in value.split(",")]
        if isinstance(value, str)
        else cast(list[object], value)
        if isinstance(value, list)
        else [value]
    )
    if not 0 < len(values) <= MOST_VALUES:
        raise _Unfit(f"it needs 1 to {MOST_VALUES} values")
    kind = MetadataKind.TEXT if key.kind is MetadataKind.TEXTS else MetadataKind.NUMBER
    return list(dict.fromkeys(cast(Iterable[str], (_one(key, one, kind) for one in values))))


def _one(key: MetadataKey, value: object, kind: MetadataKind) -> str | float | bool:
    found = READ[kind](value)
    if found is None:
        raise _Unfit(f"it is not {NAMES[kind]}")
    if isinstance(found, str) and kind is MetadataKind.TEXT:
        _check_text(key, found)
    elif kind in (MetadataKind.INTEGER, MetadataKind.NUMBER):
        _check_number(key, cast(float, found))
    return found


def _check_text(key: MetadataKey, text: str) -> None:
    terms = key.terms
    if len(text) > LONGEST_TEXT:
        raise _Unfit(f"it is longer than {LONGEST_TEXT} characters")
    if terms.vocabulary is not None and text not in terms.vocabulary:
        shown = ", ".join(terms.vocabulary[:10])
        raise _Unfit(f"it is not one of {shown}{', …' if len(terms.vocabulary) > 10 else ''}")
    if terms.pattern is not None and not fits(terms.pattern, text):
        raise _Unfit(f"it does not match {terms.pattern}")


def _check_number(key: MetadataKey, number: float) -> None:
    if key.terms.minimum is not None and number < key.terms.minimum:
        raise _Unfit(f"it is less than {key.terms.minimum:g}")
    if key.terms.maximum is not None and number > key.terms.maximum:
        raise _Unfit(f"it is more than {key.terms.maximum:g}")


def fits(pattern: str, text: str) -> bool:
    """Say whether a pattern matches the whole of a text, in time that only grows with its length."""
    try:
        matcher(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=1000)
def matcher(pattern: str) -> TypeAdapter[str]:
    """What a pattern is checked by; raises Pydantic's `SchemaError` when it is none."""
    return TypeAdapter(Annotated[str, StringConstraints(pattern=rf"\A(?:{pattern})\z")])


# ---- one value, from JSON or from text: what command lines and Rucio's clients send is text


def _text(value: object) -> str | None:
    return read_text(value) if isinstance(value, str) and value else None


def _integer(value: object) -> int | None:
    if isinstance(value, str):
        value = read_integer(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and abs(cast(int, value)) <= LAST_EXACT else None  # pyright: ignore[reportReturnType]


def _number(value: object) -> float | None:
    if isinstance(value, str):
        value = read_number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(float(value)) else None
    except OverflowError:
        return None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else read_boolean(value) if isinstance(value, str) else None


def _time(value: object) -> str | None:
    at = read_time(value) if isinstance(value, str) else value if isinstance(value, datetime) else None
    return None if at is None or at.year < 1000 else at.isoformat()


READ: Mapping[MetadataKind, Callable[[object], str | float | bool | None]] = {
    MetadataKind.TEXT: _text, MetadataKind.INTEGER: _integer, MetadataKind.NUMBER: _number,
    MetadataKind.BOOLEAN: _boolean, MetadataKind.TIME: _time,
}  # fmt: skip
NAMES: Mapping[MetadataKind, str] = {
    MetadataKind.TEXT: "a text of at least one character", MetadataKind.INTEGER: "a whole number of at most 2⁵³",
    MetadataKind.NUMBER: "a number", MetadataKind.BOOLEAN: "true or false",
    MetadataKind.TIME: "a time such as 2026-05-01T12:00:00Z",
}  # fmt: skip

"""Filters of Rucio's searches, and the queries that they are: pure."""

import ast
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from sancho.compat.rucio.errors import FilterMalformed
from sancho.compat.rucio.translate import read_date
from sancho.dids.model import DidKind, MetadataKey, MetadataKind
from sancho.kit.query import All, Either, Not, Predicate, Query

LONGEST_FILTERS = 20_000
MOST_GROUPS = 50
MOST_TESTS = 50
KEYS: Mapping[str, tuple[str, str | None]] = {
    "name": ("name", None),
    "account": ("account", None),
    "scope": ("scope", None),
    "did_type": ("kind", None),
    "bytes": ("total_size", None),
    "length": ("files", None),
    "adler32": ("adler32", None),
    "md5": ("md5", None),
    "created_at": ("created_at", None),
    "created_after": ("created_at", ">="),
    "created_before": ("created_at", "<="),
    "is_open": ("open", None),
    "monotonic": ("monotonic", None),
    "expired_at": ("ends_at", None),
    "eol_at": ("ends_at", None),
    "guid": ("guid", None),
}
"""What a filter may ask beside the VO's own keys, what we call it, and how some of them compare."""
TYPES: Mapping[str, Sequence[DidKind]] = {
    "all": tuple(DidKind),
    "collection": (DidKind.DATASET, DidKind.CONTAINER),
    "dataset": (DidKind.DATASET,),
    "container": (DidKind.CONTAINER,),
    "file": (DidKind.FILE,),
}
"""What a search may be for."""
COMPARISONS: Mapping[str, str] = {"": "=", "ne": "!=", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
CONSTANTS: Mapping[str, str] = {
    "hidden": "false", "obsolete": "false", "suppressed": "false", "availability": "available",
}  # fmt: skip
"""What is so of every DID that is found, unless the VO has a key of the name."""
ALL_ARE = Predicate("name", "exists", ())
WORDS = ("name", "scope", "kind", "account", "adler32", "md5", "guid")
"""What texts alone are compared with."""
TRUE_OR_FALSE = {"true": "true", "1": "true", "false": "false", "0": "false"}


def filters_of(text: str, keys: Mapping[str, MetadataKey], kinds: str = "all") -> Query | None:
    """What a search asks, from how Python shows a list of dictionaries; raises `FilterMalformed`.

    What meets everything in one of them is found; without any, everything is. `keys` are those of the VO, `kinds` what
    is looked for where a dictionary says no `type`.
    """
    if len(text) > LONGEST_FILTERS:
        raise FilterMalformed(reason=f"they are longer than {LONGEST_FILTERS} characters.")
    try:
        said: object = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as e:
        raise FilterMalformed(reason="they are not a list of dictionaries as Python writes it.") from e
    groups: list[object] = cast(list[object], said) if isinstance(said, list) else [said]
    if len(groups) > MOST_GROUPS:
        raise FilterMalformed(reason=f"there are more than {MOST_GROUPS} dictionaries.")
    found = [query_of(group, keys, kinds) for group in groups or [{}]]
    asking = tuple(query for query in found if query is not None)
    if len(asking) < len(found) or not asking:  # one of them asks for nothing in particular
        return None
    return asking[0] if len(asking) == 1 else Either(asking)


def query_of(group: object, keys: Mapping[str, MetadataKey], kinds: str = "all") -> Query | None:
    """What one dictionary of filters asks; raises `FilterMalformed`. `kinds` as in `filters_of`."""
    if not isinstance(group, dict):
        raise FilterMalformed(reason="they are not a list of dictionaries.")
    tests = cast(dict[object, object], group)
    if len(tests) > MOST_TESTS:
        raise FilterMalformed(reason=f"there are more than {MOST_TESTS} keys in a dictionary.")
    of = _kinds(tests.get("type", kinds))
    asked = (_test(key, value, keys) for key, value in tests.items() if key != "type")
    terms = (*asked, of) if of is not None else tuple(asked)
    return None if not terms else terms[0] if len(terms) == 1 else All(terms)


def _kinds(said: object) -> Query | None:
    """What DIDs of these kinds meet; None: any do."""
    known = TYPES.get(said.lower()) if isinstance(said, str) else None
    if known is None:
        raise FilterMalformed(reason=f"there is no type {str(said)[:100]!r}; there are: {', '.join(TYPES)}.")
    if len(known) == len(DidKind):
        return None
    terms = tuple(Predicate("kind", "=", (kind.word,)) for kind in known)
    return terms[0] if len(terms) == 1 else Either(terms)


def _test(key: object, value: object, keys: Mapping[str, MetadataKey]) -> Query:
    name, _, operator = key.partition(".") if isinstance(key, str) else ("", "", "")
    if name in CONSTANTS and name not in keys and operator in ("", "ne"):
        text = TRUE_OR_FALSE.get(str(value).lower(), str(value).lower())
        return ALL_ARE if (text == CONSTANTS[name]) is (operator == "") else Not(ALL_ARE)
    if (name not in KEYS and name not in keys) or (name in KEYS and KEYS[name][1] is not None and operator):
        known = ", ".join([*KEYS, *keys][:40])
        raise FilterMalformed(reason=f"there is no key {str(key)[:100]!r}; there are: {known}.")
    if operator not in COMPARISONS:
        known = ", ".join(filter(None, COMPARISONS))
        raise FilterMalformed(reason=f"{str(key)[:100]!r} ends with no operator; there are: {known}.")
    field, fixed = KEYS.get(name, (name, None))
    comparison = fixed or COMPARISONS[operator]
    kind = keys[name].kind if name not in KEYS else None
    text = _text(field, kind, value)
    if text is None or not text.isprintable():
        raise FilterMalformed(reason=f"{name} cannot be {str(value)[:100]!r}.")
    if comparison not in ("=", "!="):
        return Predicate(field, comparison, (text,))
    same = "contains" if kind is not None and kind.is_array else "like" if _is_pattern(field, kind, text) else "="
    if comparison == "=":
        return Predicate(field, same, (text,))
    return All(
        (Predicate(field, "exists", ()), Not(Predicate(field, same, (text,))))
    )  # what has no value is found by nothing


def _is_pattern(field: str, kind: MetadataKind | None, text: str) -> bool:
    return "*" in text and (kind is MetadataKind.TEXT or field in ("name", "account"))


def _text(field: str, kind: MetadataKind | None, value: object) -> str | None:
    if field in ("open", "monotonic") or kind is MetadataKind.BOOLEAN:
        return TRUE_OR_FALSE.get(str(value).lower())
    if field in ("created_at", "ends_at") or kind is MetadataKind.TIME:
        at = _time(value)
        return None if at is None else at.isoformat()
    if isinstance(value, bool) or (field in WORDS and not isinstance(value, str)):
        return None
    return str(value) if isinstance(value, str | int | float) else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str):
        return None
    for read in (read_date, datetime.fromisoformat):
        try:
            at = read(value)
        except (ValueError, OverflowError):
            continue
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return None

"""Rucio's spellings of DIDs, and back: pure."""

import ast
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from sancho.compat.rucio.dids_wire import ATTACHED_AT_ONCE, AttachmentIn, ChildIn, CollectionIn
from sancho.compat.rucio.errors import FilterMalformed, PartNotServed
from sancho.compat.rucio.translate import date_of, read_date
from sancho.dids.model import (
    ADLER32,
    Attachment,
    Branch,
    Child,
    Comparison,
    Did,
    DidKind,
    Field,
    Listed,
    NamedFile,
    NewCollection,
    Tally,
    Where,
)

PLUGINS = ("DID_COLUMN", "ALL")
"""Whose metadata there is."""
LONGEST_FILTERS = 20_000
MOST_GROUPS = 50
MOST_TESTS = 50
KINDS: Mapping[str, Sequence[DidKind]] = {
    "all": tuple(DidKind),
    "collection": (DidKind.DATASET, DidKind.CONTAINER),
    "dataset": (DidKind.DATASET,),
    "container": (DidKind.CONTAINER,),
    "file": (DidKind.FILE,),
}
"""What a search may be for."""
KEYS: Mapping[str, tuple[Field, Comparison | None]] = {
    "name": (Field.NAME, None),
    "account": (Field.ACCOUNT, None),
    "bytes": (Field.SIZE, None),
    "adler32": (Field.ADLER32, None),
    "created_at": (Field.CREATED_AT, None),
    "created_after": (Field.CREATED_AT, Comparison.AT_LEAST),
    "created_before": (Field.CREATED_AT, Comparison.AT_MOST),
    "is_open": (Field.OPEN, None),
}
"""What a filter may ask, and how some of them compare."""
COMPARISONS: Mapping[str, Comparison] = {
    "": Comparison.EQUAL,
    "ne": Comparison.NOT_EQUAL,
    "gt": Comparison.MORE,
    "gte": Comparison.AT_LEAST,
    "lt": Comparison.LESS,
    "lte": Comparison.AT_MOST,
}
UNKNOWN = (
    "guid", "events", "project", "datatype", "run_number", "stream_name", "prod_step", "version", "campaign", "task_id",
    "panda_id", "lumiblocknr", "provenance", "phys_group", "transient", "accessed_at", "closed_at", "eol_at",
    "is_archive", "constituent", "access_cnt", "md5", "expired_at", "deleted_at", "purge_replicas", "complete",
    "is_new",
)  # fmt: skip
"""Columns of Rucio's that say nothing here."""


def did_of(did: Did, below: Tally | None) -> dict[str, Any]:
    """A DID with what is `below` a collection, if that is told."""
    known: dict[str, Any] = {"scope": did.scope, "name": did.name, "type": did.kind.name, "account": did.account}
    if did.kind is DidKind.FILE:
        return known | {"bytes": did.size, "length": 1, "md5": None, "adler32": did.adler32}
    length, size = below or (None, None)
    return known | {"open": did.open, "monotonic": False, "expired_at": None, "length": length, "bytes": size}


def metadata_of(did: Did, below: Tally | None) -> dict[str, Any]:
    """A DID's columns. When it was changed last is not kept, so it was made then."""
    length, size = (1, did.size) if did.kind is DidKind.FILE else below or (None, None)
    made = date_of(did.created_at)
    return dict.fromkeys(UNKNOWN) | {
        "scope": did.scope, "name": did.name, "account": did.account, "did_type": did.kind.name, "is_open": did.open,
        "monotonic": False, "hidden": False, "obsolete": False, "suppressed": False, "availability": "AVAILABLE",
        "bytes": size, "length": length, "adler32": did.adler32, "created_at": made, "updated_at": made,
    }  # fmt: skip


def content_of(did: Listed) -> dict[str, Any]:
    """A DID in a collection."""
    return {
        "scope": did.scope, "name": did.name, "type": did.kind.name, "bytes": did.size, "adler32": did.adler32,
        "md5": None,
    }  # fmt: skip


def parent_of(did: Listed) -> dict[str, Any]:
    """A collection that holds a DID."""
    return {"scope": did.scope, "name": did.name, "type": did.kind.name}


def file_of(file: NamedFile, *, long: bool = False) -> dict[str, Any]:
    """A file below a collection."""
    known: dict[str, Any] = {
        "scope": file.scope, "name": file.name, "bytes": file.size, "adler32": file.adler32, "guid": None,
        "events": None,
    }  # fmt: skip
    return known | {"lumiblocknr": None} if long else known


def branch_of(branch: Branch) -> dict[str, Any]:
    """A DID of a scope, and the collection above it."""
    parent = branch.parent and {"scope": branch.parent[0], "name": branch.parent[1]}
    known = parent_of(branch.child) | {"parent": parent, "level": branch.level}
    return known if parent else known | {"bytes": branch.child.size}


def found_of(did: Listed, below: Tally | None) -> dict[str, Any]:
    """A DID that a search has found."""
    length, size = (None, did.size) if did.kind is DidKind.FILE else below or (None, None)
    return {"scope": did.scope, "name": did.name, "did_type": did.kind.name, "bytes": size, "length": length}


def children_of(children: Sequence[ChildIn]) -> list[Child]:
    """What is to be attached, and what is believed of it."""
    return [Child(one.did, one.bytes, one.adler32) for one in children]


def attachments_of(attachments: Sequence[AttachmentIn]) -> list[Attachment]:
    """What goes into several collections; raises `PartNotServed` for what else they ask for."""
    for one in attachments:
        if one.rse is not None:
            raise PartNotServed(part=f"rse {one.rse[:100]}", what=one.did)
    return [Attachment(one.did, children_of(one.dids)) for one in attachments]


def collections_of(
    wanted: Sequence[tuple[str, CollectionIn]], account: str
) -> tuple[list[NewCollection], list[Attachment]]:
    """Collections to be made and what goes into them; raises `PartNotServed` for what else they ask for."""
    for did, one in wanted:
        asked = {
            "monotonic": one.statuses and one.statuses.monotonic, "meta": one.meta,
            "lifetime": one.lifetime, "rse": one.rse, "account": one.account not in (None, account),
        }  # fmt: skip
        refused = next((part for part, value in asked.items() if value), None)
        if refused is not None:
            raise PartNotServed(part=refused, what=did[:300])
    filled = [Attachment(did, children_of(one.dids)) for did, one in wanted if one.dids]
    if sum(len(one.children) for one in filled) > ATTACHED_AT_ONCE:
        raise PartNotServed(part=f"more than {ATTACHED_AT_ONCE} DIDs", what="one request")
    return [NewCollection(did, DidKind(one.type[0].upper())) for did, one in wanted], filled


# ---- filters


def filters_of(text: str) -> list[list[Where]]:
    """What a search asks, from how Python shows a list of dictionaries; raises `FilterMalformed`."""
    if len(text) > LONGEST_FILTERS:
        raise FilterMalformed(reason=f"they are longer than {LONGEST_FILTERS} characters.")
    try:
        said: object = ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError) as e:
        raise FilterMalformed(reason="they are not a list of dictionaries as Python writes it.") from e
    groups: list[object] = cast(list[object], said) if isinstance(said, list) else [said]
    if len(groups) > MOST_GROUPS:
        raise FilterMalformed(reason=f"there are more than {MOST_GROUPS} dictionaries.")
    return [wheres_of(group) for group in groups]


def wheres_of(group: object) -> list[Where]:
    """What one dictionary of filters asks; raises `FilterMalformed`."""
    if not isinstance(group, dict):
        raise FilterMalformed(reason="they are not a list of dictionaries.")
    tests = cast(dict[object, object], group)
    if len(tests) > MOST_TESTS:
        raise FilterMalformed(reason=f"there are more than {MOST_TESTS} keys in a dictionary.")
    return [_where(key, value) for key, value in tests.items()]


def _where(key: object, value: object) -> Where:
    name, _, operator = key.partition(".") if isinstance(key, str) else ("", "", "")
    if name not in KEYS or (KEYS[name][1] is not None and operator):
        raise FilterMalformed(reason=f"there is no key {str(key)[:100]!r}; there are: {', '.join(KEYS)}.")
    if operator not in COMPARISONS:
        known = ", ".join(filter(None, COMPARISONS))
        raise FilterMalformed(reason=f"{str(key)[:100]!r} ends with no operator; there are: {known}.")
    field, fixed = KEYS[name]
    comparison = fixed or COMPARISONS[operator]
    read = {
        Field.NAME: _text, Field.ACCOUNT: _text, Field.SIZE: _number, Field.ADLER32: _checksum,
        Field.CREATED_AT: _time, Field.OPEN: _boolean,
    }[field]  # fmt: skip
    good = read(value)
    if good is None:
        raise FilterMalformed(reason=f"{name} cannot be {str(value)[:100]!r}.")
    if field in (Field.SIZE, Field.CREATED_AT):
        return Where(field, comparison, good)
    if comparison not in (Comparison.EQUAL, Comparison.NOT_EQUAL):
        raise FilterMalformed(reason=f"{name} can only be equal to something or not.")
    if isinstance(good, str) and "*" in good:
        comparison = Comparison.LIKE if comparison is Comparison.EQUAL else Comparison.NOT_LIKE
    return Where(field, comparison, good)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value.isprintable() else None


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def _checksum(value: object) -> str | None:
    return value if isinstance(value, str) and ADLER32.fullmatch(value) else None


def _boolean(value: object) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


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

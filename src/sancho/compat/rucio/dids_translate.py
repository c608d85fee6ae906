"""Rucio's spellings of DIDs, and back: pure."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from sancho.compat.rucio.dids_wire import ConventionIn, StatusesIn
from sancho.compat.rucio.errors import ConventionUnfit, PluginUnknown, StatusUnknown
from sancho.compat.rucio.translate import date_of
from sancho.dids.model import (
    Branch,
    Described,
    Detached,
    Did,
    DidKind,
    Listed,
    NamedFile,
    Tally,
)
from sancho.vos.model import Spec

UNKNOWN = (
    "events", "project", "datatype", "run_number", "stream_name", "prod_step", "version", "campaign", "task_id",
    "panda_id", "lumiblocknr", "provenance", "phys_group", "transient", "accessed_at", "closed_at",
    "is_archive", "constituent", "access_cnt", "deleted_at", "purge_replicas", "complete",
    "is_new",
)  # fmt: skip
"""Columns of Rucio's that say nothing here, unless the VO has a key of the name."""


def did_of(did: Did, below: Tally | None) -> dict[str, Any]:
    """A DID with what is `below` a collection, if that is told."""
    known: dict[str, Any] = {"scope": did.scope, "name": did.name, "type": did.kind.name, "account": did.account}
    if did.kind is DidKind.FILE:
        return known | {"bytes": did.size, "length": 1, "md5": did.md5, "adler32": did.adler32}
    length, size = below or (None, None)
    ends = did.ends_at and date_of(did.ends_at)
    return known | {"open": did.open, "monotonic": did.monotonic, "expired_at": ends, "length": length, "bytes": size}


def metadata_of(did: Did, below: Tally | None) -> dict[str, Any]:
    """A DID's columns. When it was changed last is not kept, so it was made then."""
    length, size = (1, did.size) if did.kind is DidKind.FILE else below or (None, None)
    made, ends = date_of(did.created_at), did.ends_at and date_of(did.ends_at)
    return dict.fromkeys(UNKNOWN) | {
        "scope": did.scope, "name": did.name, "account": did.account, "did_type": did.kind.name, "is_open": did.open,
        "monotonic": did.monotonic, "expired_at": ends, "eol_at": ends,
        "hidden": False, "obsolete": False, "suppressed": False, "availability": "AVAILABLE",
        "bytes": size, "length": length, "adler32": did.adler32, "md5": did.md5, "created_at": made,
        "updated_at": made,
        "guid": guid_of(did.guid),
    }  # fmt: skip


def guid_of(guid: UUID | None) -> str | None:
    """A GUID as Rucio spells it, without hyphens."""
    return None if guid is None else guid.hex


def content_of(did: Listed) -> dict[str, Any]:
    """A DID in a collection."""
    return {
        "scope": did.scope, "name": did.name, "type": did.kind.name, "bytes": did.size, "adler32": did.adler32,
        "md5": did.md5,
    }  # fmt: skip


def member_of(did: Listed) -> dict[str, Any]:
    """A file in an archive."""
    return {"scope": did.scope, "name": did.name, "bytes": did.size, "adler32": did.adler32, "md5": did.md5}


def new_of(did: Did) -> dict[str, Any]:
    """A DID in a list of the newest."""
    return {"scope": did.scope, "name": did.name, "did_type": did.kind.name}


def parent_of(did: Listed) -> dict[str, Any]:
    """A collection that holds a DID."""
    return {"scope": did.scope, "name": did.name, "type": did.kind.name}


def file_of(file: NamedFile, *, long: bool = False) -> dict[str, Any]:
    """A file below a collection."""
    known: dict[str, Any] = {
        "scope": file.scope, "name": file.name, "bytes": file.size, "adler32": file.adler32,
        "guid": guid_of(file.guid),
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


def statuses_of(said: Mapping[str, Any]) -> StatusesIn:
    """Statuses to set; raises `StatusUnknown` for the first that there is not, or that cannot be so."""
    try:
        read = StatusesIn.model_validate(said)
    except ValidationError as e:
        raise StatusUnknown(status=str(e.errors(include_url=False)[0]["loc"][0])[:100]) from e
    if not said:
        raise StatusUnknown(status="at all")
    return read


def detached_of(one: Detached) -> dict[str, Any]:
    """A DID that was in a collection. When it came there is not always known; then Rucio would not know either."""
    known = {"scope": one.scope, "name": one.name, "type": one.kind.name, "bytes": one.size, "adler32": one.adler32}
    gone = date_of(one.detached_at)
    came = None if one.attached_at is None else date_of(one.attached_at)
    return known | {"md5": one.md5, "deleted_at": gone, "created_at": came, "updated_at": gone}


# ---- metadata

PLUGINS = ("DID_COLUMN", "JSON", "ALL")
"""Whose metadata there is: the columns of Rucio's DIDs, what else a VO's DIDs say, and both."""
KEY_TYPES: Mapping[str, Sequence[str]] = {
    "ALL": ("file", "dataset", "container"), "COLLECTION": ("dataset", "container"), "CONTAINER": ("container",),
    "DATASET": ("dataset",), "FILE": ("file",),
}  # fmt: skip
"""The DIDs that a key is for, by its `key_type`."""
VALUE_TYPES: Mapping[str, str] = {
    "": "text", "str": "text", "unicode": "text", "int": "integer", "long": "integer", "float": "number",
    "bool": "boolean", "datetime": "time", "datetime.datetime": "time",
}  # fmt: skip
"""What values are, by how Python calls their type."""


def plugin_of(said: str) -> str:
    """Whose metadata is asked for; raises `PluginUnknown`."""
    if said.upper() not in PLUGINS:
        raise PluginUnknown(plugin=said[:100])
    return said.upper()


def described(one: Described, below: Tally | None, plugin: str) -> dict[str, Any]:
    """What is known of a DID. What it says by a key that is a column of Rucio's stands there."""
    columns = metadata_of(one.did, below)
    columns |= {key: value for key, value in one.document.items() if key in UNKNOWN}
    others: dict[str, Any] = {key: value for key, value in one.document.items() if key not in columns}
    return {"DID_COLUMN": columns, "JSON": others, "ALL": others | columns}[plugin]


def key_of(key: str, said: ConventionIn) -> Spec:
    """The document of a key; raises `ConventionUnfit`."""
    name = (said.value_type or "").removeprefix("<class '").removesuffix("'>")
    if name not in VALUE_TYPES:
        raise ConventionUnfit(key=key, what="value_type", said=name[:100], known=", ".join(filter(None, VALUE_TYPES)))
    kinds = (said.key_type or "ALL").upper().removeprefix("KEYTYPE.")
    if kinds not in KEY_TYPES:
        raise ConventionUnfit(key=key, what="key_type", said=kinds[:100], known=", ".join(KEY_TYPES))
    pattern = {"pattern": said.value_regexp} if said.value_regexp else {}
    return {"kind": VALUE_TYPES[name], "dids": list(KEY_TYPES[kinds]), **pattern}

"""Rucio's spellings of metadata: pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from sancho.compat.rucio.dids_translate import UNKNOWN, metadata_of
from sancho.compat.rucio.errors import ConventionUnfit, PluginUnknown
from sancho.compat.rucio.metadata_wire import ConventionIn
from sancho.dids.model import Described, Tally
from sancho.vos.model import Spec

PLUGINS = ("DID_COLUMN", "JSON", "ALL")
"""Whose metadata there is: the columns of Rucio's DIDs, what else a VO's DIDs say, and both."""
FOR: Mapping[str, Sequence[str]] = {
    "ALL": ("file", "dataset", "container"), "COLLECTION": ("dataset", "container"), "CONTAINER": ("container",),
    "DATASET": ("dataset",), "FILE": ("file",),
}  # fmt: skip
"""The DIDs that a key is for, by its `key_type`."""
KINDS: Mapping[str, str] = {
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
    if name not in KINDS:
        raise ConventionUnfit(key=key, what="value_type", said=name[:100], known=", ".join(filter(None, KINDS)))
    kinds = (said.key_type or "ALL").upper().removeprefix("KEYTYPE.")
    if kinds not in FOR:
        raise ConventionUnfit(key=key, what="key_type", said=kinds[:100], known=", ".join(FOR))
    return {
        "kind": KINDS[name], "dids": list(FOR[kinds]), **({"pattern": said.value_regexp} if said.value_regexp else {})
    }  # fmt: skip

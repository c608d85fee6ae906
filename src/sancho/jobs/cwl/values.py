"""Values of CWL's inputs: which type they have, and which words they become. Pure."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, cast

from sancho.jobs.cwl.tool import Binding, ToolInput
from sancho.jobs.errors import CwlUnfit

LONGEST_TYPE = 100
PLAIN = {"boolean", "int", "long", "float", "double", "string", "File"}
_DID = re.compile(r"(?:sancho:/{0,2})?((?:[A-Za-z0-9_-]+/)?[A-Za-z0-9._-]+:[^\x00-\x20\x7f$`'\"\\]+)")
_REFERENCE = re.compile(r"\$\(([^()]*)\)")
_NAMED = re.compile(r"(inputs|runtime)\.([A-Za-z_][A-Za-z0-9_-]*)(?:\.(path|location|basename|nameroot|nameext))?")


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file of the catalogue, which the pilot puts beside the job's folder."""

    did: str

    @property
    def path(self) -> str:
        """Where it is, as seen from the job's folder."""
        scope, _, name = self.did.partition(":")
        owner, slash, own = scope.rpartition("/")
        return f"../inputs/@{owner}/{own}/{name}" if slash else f"../inputs/{scope}/{name}"

    def part(self, name: str) -> str:
        """What CWL calls the parts of its name."""
        path = PurePosixPath(self.path)
        parts = {
            "basename": path.name,
            "nameroot": path.stem,
            "nameext": path.suffix,
            "location": f"sancho://{self.did}",
        }
        return parts.get(name, self.path)


Value = None | bool | int | float | str | File | list[Any]


@dataclass
class Values:
    """The inputs of a tool, and what a job has of its machine."""

    inputs: Mapping[str, Value]
    runtime: Mapping[str, str] = field(default_factory=dict[str, str])

    def text(self, text: str, where: str) -> str:
        """A text with its references filled in; nothing is evaluated. Raises `CwlUnfit` for what is more than one."""
        if "${" in text:
            raise CwlUnfit(reason="JavaScript is not run here.", field=where)
        filled = _REFERENCE.sub(lambda found: self._one(found[1], where), text)
        if "$(" in _REFERENCE.sub("", text):
            raise CwlUnfit(reason="Only references such as $(inputs.name) are filled in.", field=where)
        return filled

    def files(self, text: str) -> list[File] | None:
        """The files of the one input that a text refers to and that is all of the text; None when it is no such."""
        found = _REFERENCE.fullmatch(text)
        named = _NAMED.fullmatch(found[1].strip()) if found else None
        if named is None or named[1] != "inputs" or named[3] is not None:
            return None
        value = self.inputs.get(named[2])
        several: list[Any] = value if isinstance(value, list) else [value]
        files = [one for one in several if isinstance(one, File)]
        return files if files and len(files) == len(several) else None

    def _one(self, said: str, where: str) -> str:
        found = _NAMED.fullmatch(said.strip())
        if found is None:
            raise CwlUnfit(reason=f"$({said[:100]}) is no plain reference, such as $(inputs.name).", field=where)
        kind, name, part = found.groups()
        known: Mapping[str, Value] = self.inputs if kind == "inputs" else self.runtime
        if name not in known:
            raise CwlUnfit(reason=f"There is no {kind}.{name[:100]}.", field=where)
        value = known[name]
        if isinstance(value, list) or (part is not None and not isinstance(value, File)):
            raise CwlUnfit(reason=f"$({said[:100]}) is no text.", field=where)
        return value.part(part or "path") if isinstance(value, File) else word(value)


def word(value: Value) -> str:
    """A single value as a word."""
    if isinstance(value, File):
        return value.path
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)


def type_of(said: Any, where: str) -> tuple[Any, bool]:
    """A type, and whether it may be null: a name, `[items]` for arrays, a set of symbols for enumerations."""
    if isinstance(said, str) and len(said) < LONGEST_TYPE:
        if said.endswith("?"):
            return type_of(said[:-1], where)[0], True
        if said.endswith("[]"):
            return _array(said[:-2], where), False
        if said in PLAIN:
            return said, False
    if isinstance(said, list):
        several = [one for one in cast(list[Any], said) if one != "null"]
        if len(several) == 1:
            return type_of(several[0], where)[0], "null" in said
    if isinstance(said, dict):
        document = cast(dict[str, Any], said)
        symbols = document.get("symbols")
        if document.get("type") == "array" and set(document) <= {"type", "items"}:
            return _array(document.get("items"), where), False
        if (
            document.get("type") == "enum"
            and isinstance(symbols, list)
            and set(document) <= {"type", "symbols", "name"}
        ):
            return frozenset(map(str, cast(list[Any], symbols))), False
    raise CwlUnfit(reason=f"Its type is not among {', '.join(sorted(PLAIN))}, and arrays of them.", field=where)


def _array(items: Any, where: str) -> Any:
    kind, null = type_of(items, where)
    if null or isinstance(kind, list):
        raise CwlUnfit(reason="Arrays of arrays, or of what may be null, are not served.", field=where)
    return [kind]


def value_of(declared: ToolInput, given: Any, where: str) -> Value:
    """The value of an input, checked against its type; raises `CwlUnfit`."""
    kind, null = type_of(declared.type, where)
    value = declared.default if given is None else given
    if value is None:
        if not null:
            raise CwlUnfit(reason="It has no value, and no default.", field=where)
        return None
    return _checked(kind, value, where)


def _checked(kind: Any, value: Any, where: str) -> Value:
    if isinstance(kind, list):
        if not isinstance(value, list):
            raise CwlUnfit(reason="It is to be a list.", field=where)
        return [_checked(kind[0], one, f"{where}.{n}") for n, one in enumerate(cast(list[Any], value))]
    if kind == "File":
        return _file(value, where)
    if isinstance(value, str) and (kind == "string" or (isinstance(kind, frozenset) and value in kind)):
        return value
    if isinstance(value, bool):
        if kind == "boolean":
            return value
    elif isinstance(value, int):
        if kind in ("int", "long", "float", "double") and abs(value) < 2**63:
            return value
    elif isinstance(value, float) and kind in ("float", "double"):
        number: float = value
        if math.isfinite(number):
            return number
    raise CwlUnfit(reason=f"It is no {kind if isinstance(kind, str) else 'symbol of its type'}.", field=where)


def _file(value: Any, where: str) -> File:
    said: dict[str, Any] = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    location: Any = said.get("location", said.get("path"))
    found = _DID.fullmatch(location) if isinstance(location, str) and len(location) <= 300 else None
    if said.get("class") != "File" or set(said) - {"class", "location", "path"} or found is None:
        reason = "It is to be {class: File, location: 'sancho://SCOPE:NAME'}, a file of the catalogue."
        raise CwlUnfit(reason=reason, field=where)
    name = found[1].partition(":")[2]
    if ".." in name.split("/") or name.startswith("//"):
        raise CwlUnfit(reason="Its name leads elsewhere.", field=where)
    return File(did=found[1])


def words(value: Value, binding: Binding) -> list[str]:
    """The words of a value in the command."""
    if value is None or value is False or value == []:
        return []
    if value is True:
        return [binding.prefix] if binding.prefix is not None else []
    if isinstance(value, list):
        single = [word(one) for one in cast(list[Value], value)]
        said = single if binding.itemSeparator is None else [binding.itemSeparator.join(single)]
    else:
        said = [word(value)]
    if binding.prefix is None:
        return said
    return [binding.prefix, *said] if binding.separate else [binding.prefix + said[0], *said[1:]]


def files_in(values: Sequence[Value]) -> list[str]:
    """The DIDs of files among values."""
    found: list[str] = []
    for value in values:
        if isinstance(value, File):
            found.append(value.did)
        elif isinstance(value, list):
            found += files_in(cast(list[Value], value))
    return list(dict.fromkeys(found))

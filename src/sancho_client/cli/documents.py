"""Documents in files and on the command line, and how their changes look."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError
from rich.text import Text

from sancho_client.cli.job_files import scalar
from sancho_client.cli.output import Output, flat
from sancho_client.errors import BadInput
from sancho_client.models.configuration import Applied, Document, DocumentChange

Spec = dict[str, Any]
FINGERPRINT = re.compile(r"sha256:[0-9a-f]{16}")
SIGNS = {"created": ("+", "green"), "changed": ("~", "yellow"), "removed": ("-", "red")}


@dataclass(frozen=True, slots=True)
class Read:
    """A document of a file, where it came from, and the password that its account gets when it is made."""

    document: Document
    place: str
    password: str | None = None


def read(paths: Sequence[Path]) -> list[Read]:
    """Read the documents of YAML files, and of all YAML files in folders."""
    found = [read_one for path in _files(paths) for read_one in _read(path)]
    if not found:
        raise BadInput("There are no documents in it.")
    return found


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*") if p.suffix in {".yaml", ".yml"} and p.is_file())
        else:
            yield path


def _read(path: Path) -> Iterator[Read]:
    try:
        with path.open("rb") as file:
            loaded: list[Any] = list(yaml.safe_load_all(file))
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from e
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise BadInput(f"{path} is not YAML: {e}") from e
    for number, given in enumerate(loaded, start=1):
        if given is None:
            continue
        place = f"{path}, document {number}"
        try:
            document = Document.model_validate(given)
        except ValidationError as e:
            first = e.errors(include_url=False)[0]
            field = ".".join(str(p) for p in first["loc"])
            raise BadInput(
                f"{place}: {field or 'it'}: {first['msg']}.",
                field=field or None,
                hint="A document has kind, name, vo and spec.",
            ) from e
        yield Read(document, place, _password(document, path, place))


def _password(document: Document, path: Path, place: str) -> str | None:
    """Take `password_file` out of an account's spec and read it; relative paths count from the document's file."""
    name = document.spec.pop("password_file", None) if document.kind == "Account" else None
    if name is None:
        return None
    try:
        return (path.parent / str(name)).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError) as e:
        raise BadInput(f"{place}: its password_file cannot be read: {e}", field="spec.password_file") from e


def from_settings(kind: str, name: str, vo: str | None, settings: Sequence[str]) -> Document:
    """Make a document of `key=value` words; `attributes.tier=1` goes into a mapping, values are read as YAML."""
    spec: Spec = {}
    for word in settings:
        path, equals, value = word.partition("=")
        if not equals or not path:
            raise BadInput(f"{word!r} is not KEY=VALUE.", field=word)
        *outer, last = path.split(".")
        inner = spec
        for key in outer:
            if not isinstance(inner.setdefault(key, {}), dict):
                raise BadInput(f"{path}: {key} has a value already.", field=path)
            inner = cast(Spec, inner[key])
        inner[last] = scalar(value)
    given = {"kind": kind, "name": name, "spec": spec} | ({"vo": vo} if vo else {})
    return Document.model_validate(given)


def new_passwords(read: Sequence[Read], applied: Applied) -> Iterator[tuple[DocumentChange, str]]:
    """The accounts that were just made, and the passwords that their documents name."""
    for change in applied.changes:
        if change.kind == "Account" and change.action == "created":
            for one in read:
                d = one.document
                fits = (d.kind, d.name) == ("Account", change.name) and d.vo in {None, change.vo}
                if fits and one.password is not None:
                    yield change, one.password


def without_secrets(spec: Mapping[str, Any]) -> Spec:
    """What a document says, without the fingerprints that stand for secrets."""
    return {key: value for key, value in spec.items() if not FINGERPRINT.fullmatch(str(value))}


def show(applied: Applied, output: Output, *, dry_run: bool) -> None:
    """Show what changed, or would change, as a diff."""
    if output.as_json:
        output.json(applied)
        return
    for change in applied.changes:
        sign, style = SIGNS.get(change.action, ("?", ""))
        output.line(f"{sign} {change.kind} {change.name}" + (f" of {change.vo}" if change.vo else ""), style=style)
        for field, before, after in differences(change):
            output.out.print(_difference(field, before, after))
    if not applied.changes:
        output.say("Nothing changes: everything is as the documents say.")
    elif dry_run:
        output.say(f"{len(applied.changes)} document(s) would change. Nothing was done.")
    else:
        output.say(f"{len(applied.changes)} document(s) changed; this is version {applied.version}.")


def differences(change: DocumentChange) -> list[tuple[str, str | None, str | None]]:
    """The fields that differ, with dotted names, as text before and after; None where there was or is none."""
    before, after = _flatten(change.before or {}), _flatten(change.after or {})
    names = sorted({*before, *after})
    return [(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


def _flatten(spec: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flattened: dict[str, str] = {}
    for key, value in spec.items():
        if isinstance(value, Mapping) and value:
            flattened |= _flatten({str(k): v for k, v in _pairs(value)}, f"{prefix}{key}.")
        else:
            flattened[prefix + key] = flat(value)
    return flattened


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items())


def _difference(field: str, before: str | None, after: str | None) -> Text:
    if before is None:
        return Text.assemble("    ", field, ": ", (after or "", "green"))
    if after is None:
        return Text.assemble("    ", field, ": ", (before, "red strike"))
    return Text.assemble("    ", field, ": ", (before, "red"), " → ", (after, "green"))

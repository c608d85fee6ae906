"""Writes the reference pages, and the pilot's protocol, from the code: `make docs`. A test fails when one is stale."""

import ast
import importlib
import inspect
import pkgutil
import tempfile
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from docs.compat import compat_diracx, compat_rucio, jdl
from docs.pages import page, table
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

import sancho
from sancho.app import PUBLIC_PATHS, create_app
from sancho.cli import protocol, reference
from sancho.identity.model import DEFAULT_GROUPS, PERMISSIONS
from sancho.kit.errors import SanchoError
from sancho.parts import KINDS
from sancho.settings import Settings

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "sancho"
EMPTY: tuple[Any, ...] = ((), [], {})


def modules() -> Iterator[types.ModuleType]:
    """Return every module of the server, imported."""
    for found in pkgutil.walk_packages(sancho.__path__, "sancho."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


# ------------------------------------------------------------------------------------------------ settings


def settings() -> str:
    """Return the page on settings."""
    rows = list(_settings(Settings, "SANCHO_"))
    return page(
        "Settings",
        "One deployment's settings are read once, at the start of `sancho serve`, `sancho worker`, `sancho "
        "migrate` and "
        "`sancho init`, from the environment. What is wrong with them stops the program with a message that names the "
        "variable. Durations are seconds, or ISO 8601 such as `PT1H`. What VOs and sites look like is not a "
        "setting: it "
        "is [configuration](configuration.md).",
        table(("variable", "type", "default", "meaning"), rows),
    )


def _settings(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, ...]]:
    docs = _attribute_docs(model)
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from _settings(inner, f"{prefix}{name.upper()}__")
            continue
        yield f"`{prefix}{name.upper()}`", kind_of(field), default_of(field), docs.get(name, "")


def _attribute_docs(model: type[Any]) -> dict[str, str]:
    """Return the strings below the fields of a class, and of those that it derives from, by field."""
    found: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        if cls.__module__.startswith("sancho"):
            body = ast.parse(inspect.cleandoc("\n" + inspect.getsource(cls))).body[0]
            found |= _docs_in(body)
    return found


def _docs_in(body: ast.stmt) -> dict[str, str]:
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: said.value.value.strip()
        for field, said in zip(body.body, body.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(said, ast.Expr) and isinstance(said.value, ast.Constant) and isinstance(said.value.value, str)
    }


def kind_of(field: FieldInfo) -> str:
    """Say in words what a field takes."""
    return word_of(field.annotation)


def word_of(annotation: Any) -> str:
    """Say in words what a type is."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return word_of(inner[0])
    if origin in (types.UnionType, typing.Union):
        return " or ".join(word_of(one) for one in inner if one is not type(None))
    if origin is typing.Literal:
        return " or ".join(f"`{one}`" for one in inner)
    if origin in (list, tuple, set, frozenset):
        return f"list of {word_of(inner[0])}"
    if origin in (dict, Mapping):
        return "mapping"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{one.value}`" for one in annotation)
    names = {
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "true or false",
        "Path": "path",
        "timedelta": "duration",
        "SecretStr": "secret",
        "Any": "any",
    }
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def default_of(field: FieldInfo) -> str:
    """Say what a field is when it is left out."""
    value = field.get_default(call_default_factory=True) if not field.is_required() else ...
    if value is ...:
        return "*needed*"
    if value is None or value in EMPTY:
        return ""
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, Path):
        value = str(value).replace(str(Path.home()), "~")
    if isinstance(value, bool):
        value = str(value).lower()
    if isinstance(value, timedelta):
        value = f"{value.total_seconds():.0f}"
    if isinstance(value, BaseModel):
        return ""
    return f"`{value}`"


# ------------------------------------------------------------------------------------------- configuration


def configuration() -> str:
    """Return the page on the kinds of documents."""
    parts: list[str] = []
    for kind in sorted(KINDS, key=lambda one: (one.order, one.name)):
        model: type[BaseModel] = kind.model
        owner = "the VO `instance`, unless `vo` says otherwise" if kind.instance else "a VO, which `vo` names"
        parts += [f"## {kind.name}", f"{inspect.cleandoc(model.__doc__ or '')} Owned by {owner}.", *_fields(model, "")]
    return page(
        "Configuration",
        "VOs and topology are YAML documents, kept by operators in a repository of theirs and applied with "
        "`sancho apply -f FILE|DIR`: all of them or none, as a numbered version that `sancho config rollback` can "
        "bring back. A file may hold many documents, divided by `---`; each has",
        table(
            ("field", "meaning"),
            [
                ("`kind`", "one of the kinds below"),
                ("`name`", "its name within its VO"),
                ("`vo`", "the VO that owns it"),
                ("`spec`", "what it shall be; the fields of its kind"),
                ("`remove`", "true: it shall be gone"),
            ],
        ),
        "Sizes are bytes or words such as `10 GB`, durations seconds or words such as `12h`.",
        *parts,
    )


def _fields(model: type[BaseModel], prefix: str) -> Iterator[str]:
    docs = _attribute_docs(model)
    rows: list[tuple[str, ...]] = []
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is not None:
            extra = _attribute_docs(inner)
            many = "[]" if typing.get_origin(field.annotation) in (list, tuple) else ""
            rows += [
                (f"`{prefix}{name}{many}.{sub}`", kind_of(below), default_of(below), extra.get(sub, ""))
                for sub, below in inner.model_fields.items()
            ]
            continue
        rows.append((f"`{prefix}{name}`", kind_of(field), default_of(field), docs.get(name, "")))
    yield table(("field of `spec`", "type", "default", "meaning"), rows) or "Its `spec` is empty."


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for one in (annotation, *typing.get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None


# -------------------------------------------------------------------------------------------------- errors


def errors() -> str:
    """Return the page on errors."""
    for _ in modules():
        pass
    kinds = [one for one in SanchoError.__subclasses__() if one.__module__ == "sancho.kit.errors"]
    parts: list[str] = []
    for kind in sorted(kinds, key=lambda one: one.status):
        rows = [(f"`{one.code}`", _message(one), _feature(one)) for one in _below(kind)]
        parts += [f"## {kind.status} {kind.__name__}", table(("code", "message", "feature"), sorted(set(rows)))]
    local = [one for one in _below(SanchoError) if one.status == 500 and one.__module__.startswith("sancho.local")]
    rows = sorted({(f"`{one.code}`", _message(one), _feature(one)) for one in local})
    return page(
        "Errors",
        "The API says what is wrong as `application/problem+json` (RFC 9457): `code` is for programs and stays, "
        "`detail` is "
        "the message for people, `field` names what to blame in the request, `hint` says what to do next, `facts` "
        "are what the message was made of, and `trace_id` is what to quote when asking for help. A request "
        "whose form is wrong "
        "is `invalid_request` (422) with all its `errors`; anything unexpected is `bug` (500). With 429 and 503 comes "
        "`Retry-After`.",
        *parts,
        "## On one machine",
        "Said by `sancho up` and its relatives on the command line.",
        table(("code", "message", "feature"), rows),
    )


def _below(kind: type[SanchoError]) -> Iterator[type[SanchoError]]:
    for one in kind.__subclasses__():
        if one.__module__ != "sancho.kit.errors" or "code" in vars(one):
            yield one
        yield from _below(one)


def _message(error: type[SanchoError]) -> str:
    text = inspect.cleandoc(error.__doc__ or "")
    return text.replace("{{{", "{{").replace("}}}", "}}").replace("{{", "{").replace("}}", "}")


def _feature(thing: Any) -> str:
    return str(thing.__module__).split(".")[1]


# --------------------------------------------------------------------------------------------- permissions


def permissions() -> str:
    """Return the page on permissions."""
    needed: dict[str, set[str]] = {name: set() for name in PERMISSIONS}
    for path in sorted(SOURCE.rglob("*.py")):
        for function in [
            n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.AsyncFunctionDef | ast.FunctionDef)
        ]:
            for permission in _required_in(function) & PERMISSIONS:
                where = ".".join([path.relative_to(SOURCE).parts[0], function.name])
                needed[permission].add(f"`{where}`")
    for kind in KINDS:
        if kind.permission is not None:
            needed[kind.permission].add(f"`apply` of {kind.name}")
    groups = [(f"`{name}`", ", ".join(f"`{one}`" for one in held)) for name, held in DEFAULT_GROUPS.items()]
    rows = [(f"`{name}`", ", ".join(sorted(where))) for name, where in sorted(needed.items())]
    return page(
        "Permissions",
        "A permission is a verb on a kind of thing. Accounts have those of their groups; `*` is all of them. "
        "Whoever owns a thing "
        "may do with it what others need a `…:manage` for. [Policies](../how-to/grant-and-deny.md) allow and deny "
        "more; "
        "`sancho can` explains. Administrators of the installation are the accounts "
        "of the VO `instance` "
        "that hold `*`.",
        table(("permission", "asked for by"), rows),
        "## Groups of a new VO",
        table(("group", "permissions"), groups),
    )


def _required_in(function: ast.AsyncFunctionDef | ast.FunctionDef) -> set[str]:
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call)]
    said = [arg for one in calls for arg in [*one.args, *(keyword.value for keyword in one.keywords)]]
    return {arg.value for arg in said if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}


# -------------------------------------------------------------------------------------------------- states


def states() -> str:
    """Return the page on states."""
    parts: list[str] = []
    tables: list[Mapping[Enum, Any]] = [
        transitions
        for module in modules() if module.__name__.endswith("model")
        for name, transitions in vars(module).items() if name.endswith("TRANSITIONS")
    ]  # fmt: skip
    for transitions in tables:
        enum = type(next(iter(transitions)))
        parts += [f"## {_spaced(enum.__name__)}", inspect.cleandoc(enum.__doc__ or ""), _diagram(transitions)]
    return page(
        "States",
        "Each life cycle is an enum and one table of transitions in the feature's `model.py`. The API says states in "
        "words, the database keeps the letter.",
        *parts,
    )


def _spaced(name: str) -> str:
    return name[0] + "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name[1:])


def _diagram(transitions: Mapping[Enum, Any]) -> str:
    rows = [
        (
            f"`{one.name.lower()}`",
            f"`{one.value}`",
            ", ".join(f"`{after.name.lower()}`" for after in _ordered(transitions, one)) or "*final*",
        )
        for one in transitions
    ]
    arrows = [
        f"    {one.name.lower()} --> {after.name.lower()}"
        for one in transitions
        for after in _ordered(transitions, one)
    ]
    ends = [f"    {one.name.lower()} --> [*]" for one, after in transitions.items() if not after]
    start = f"    [*] --> {next(iter(transitions)).name.lower()}"
    diagram = "\n".join(["```mermaid", "stateDiagram-v2", start, *arrows, *ends, "```"])
    return table(("state", "letter", "may become"), rows) + "\n\n" + diagram


def _ordered(transitions: Mapping[Enum, Any], one: Enum) -> list[Enum]:
    order = list(type(one))
    return sorted(transitions[one], key=order.index)


# --------------------------------------------------------------------------------------------------- routes


def routes() -> str:
    """Return the page on the API."""
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(state_dir=Path(folder))).openapi()
    by_tag: dict[str, list[tuple[str, ...]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = (operation.get("tags") or ["other"])[0]
            first = (operation.get("description") or operation.get("summary") or "").split("\n\n")[0]
            token = "" if path in PUBLIC_PATHS else "yes"
            by_tag.setdefault(tag, []).append((f"`{method.upper()}`", f"`{path}`", first, _answers(operation), token))
    heads = ("method", "path", "what it does", "answers", "token")
    parts = [part for tag, rows in by_tag.items() for part in (f"## {tag.capitalize()}", table(heads, rows))]
    return page(
        "API",
        "The native API as its OpenAPI document describes it, which a server shows at `/docs` and "
        "`/openapi.json` with all fields. "
        "Answers other than success are [errors](errors.md). A token is sent as `Authorization: Bearer …`.",
        *parts,
    )


def _answers(operation: Mapping[str, Any]) -> str:
    return ", ".join(sorted(str(status) for status in operation.get("responses", {})))


PROTOCOL = ROOT / protocol.FILE
FOLDER = ROOT / "docs" / "reference"
PAGES: dict[str, Callable[[], str]] = {
    "api.md": routes, "cli.md": reference.render, "compat-diracx.md": compat_diracx, "compat-rucio.md": compat_rucio,
    "configuration.md": configuration, "errors.md": errors, "jdl.md": jdl, "permissions.md": permissions,
    "settings.md": settings, "states.md": states,
}  # fmt: skip


def main() -> None:
    """Write all pages, and the protocol."""
    PROTOCOL.write_text(protocol.render(), encoding="utf-8")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, render in PAGES.items():
        (FOLDER / name).write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()

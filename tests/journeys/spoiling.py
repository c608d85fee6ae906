"""Spoil a good request in every way its schema forbids: one thing at a time, each with the field to blame for it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

Schema = Mapping[str, Any]
HUGE = (2**63, -(2**63) - 1, 10**400)
WRONG: dict[str, list[Any]] = {
    "object": [5, "x", [1]],
    "array": ["x", {"a": 1}, 5],
    "string": [{"a": 1}, [1], 5.5],
    "integer": ["x", 1.5, {"a": 1}, *HUGE],
    "number": ["x", [1], float("nan"), float("inf"), -float("inf"), *HUGE],
    "boolean": ["maybe", {"a": 1}, 2**63],
}
NOT_TEXT = ("\0", "a\0b", "\ud800")


@dataclass(frozen=True)
class Spoilt:
    """A document that must be refused, and the path of the field to blame."""

    document: Any
    field: str
    how: str

    @property
    def content(self) -> bytes:
        """The document as a body: JSON as Python writes it, also what no JSON may hold."""
        return json.dumps(self.document).encode()


@dataclass(frozen=True)
class Spoiler:
    """Spoils documents that fit schemas of an OpenAPI document."""

    document: Schema

    def options(self, schema: Schema) -> list[Schema]:
        """The plain schemas that a schema allows: without references, and without null."""
        if "$ref" in schema:
            at: Any = self.document
            for word in schema["$ref"].removeprefix("#/").split("/"):
                at = at[word]
            return self.options(at)
        several = schema.get("anyOf", schema.get("oneOf"))
        if several is not None:
            return [option for one in several for option in self.options(one)]
        return [] if schema.get("type") == "null" else [schema]

    def option(self, schema: Schema, value: Any) -> Schema:
        """Of these the one that fits a value."""
        options = self.options(schema)
        return next((one for one in options if _fits(one, value)), options[0])

    def spoil(self, schema: Schema, value: Any, at: str = "") -> Iterator[Spoilt]:
        """Every spoilt form of a value that fits a schema."""
        types = {one.get("type") for one in self.options(schema)}
        schema = self.option(schema, value)
        kind = schema.get("type")
        times = (int, float) if schema.get("format") == "date-time" else ()
        for wrong in WRONG.get(kind or "", []):
            if not isinstance(wrong, times) and not any(_fits({"type": t}, wrong) for t in types - {kind}):
                yield Spoilt(wrong, at, f"{kind} {wrong!r}"[:60])
        if kind == "string":
            yield from _spoil_text(schema, str(value), at)
        elif kind in ("integer", "number"):
            yield from _spoil_number(schema, at)
        elif kind == "array":
            yield from self._spoil_list(schema, value, at)
        elif kind == "object":
            yield from self._spoil_object(schema, value, at)

    def _spoil_list(self, schema: Schema, value: list[Any], at: str) -> Iterator[Spoilt]:
        if schema.get("minItems", 0) > 0:
            yield Spoilt([], at, "empty list")
        if "maxItems" in schema:
            yield Spoilt((value or [1]) * (schema["maxItems"] + 1), at, "list over limit")
        for n, one in enumerate(value[:1]):
            for spoilt in self.spoil(schema["items"], one, _join(at, n)):
                yield Spoilt([*value[:n], spoilt.document, *value[n + 1 :]], spoilt.field, spoilt.how)

    def _spoil_object(self, schema: Schema, value: Mapping[str, Any], at: str) -> Iterator[Spoilt]:
        properties: Schema = schema.get("properties", {})
        if schema.get("additionalProperties") is False:
            yield Spoilt({**value, "nonsense": 1}, _join(at, "nonsense"), "unknown field")
        for name in schema.get("required", []):
            yield Spoilt({k: v for k, v in value.items() if k != name}, _join(at, name), "missing field")
        for name, one in value.items():
            inner = properties.get(name) or schema.get("additionalProperties")
            if isinstance(inner, Mapping) and one is not None:
                for spoilt in self.spoil(cast(Schema, inner), one, _join(at, name)):
                    yield Spoilt({**value, name: spoilt.document}, spoilt.field, spoilt.how)
            elif isinstance(one, str):
                yield from (Spoilt({**value, name: f"{one}{bad}"}, _join(at, name), repr(bad)) for bad in NOT_TEXT)


def _spoil_text(schema: Schema, value: str, at: str) -> Iterator[Spoilt]:
    for bad in NOT_TEXT:
        yield Spoilt(f"{value}{bad}", at, f"text with {bad!r}")
    if "maxLength" in schema:
        yield Spoilt("x" * (schema["maxLength"] + 1), at, "text over limit")
    if schema.get("minLength", 0) > 0:
        yield Spoilt("", at, "empty text")
    if "enum" in schema or "const" in schema:
        yield Spoilt("nonsense", at, "unknown word")


def _spoil_number(schema: Schema, at: str) -> Iterator[Spoilt]:
    if "minimum" in schema:
        yield Spoilt(schema["minimum"] - 1, at, "number below minimum")
    if "maximum" in schema:
        yield Spoilt(schema["maximum"] + 1, at, "number above maximum")


def _fits(schema: Schema, value: Any) -> bool:
    kinds: dict[str, tuple[type, ...]] = {
        "object": (Mapping,), "array": (list,), "string": (str,), "integer": (int,), "number": (int, float),
        "boolean": (bool,), "null": (type(None),),
    }  # fmt: skip
    kind = schema.get("type", "")
    return isinstance(value, kinds.get(kind, (object,))) and (kind == "boolean" or not isinstance(value, bool))


def _join(at: str, name: object) -> str:
    return f"{at}.{name}" if at else str(name)

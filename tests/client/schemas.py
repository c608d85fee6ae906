"""What values and types of the client have that the server's OpenAPI document has not."""

import inspect
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel

Schema = Mapping[str, Any]


def faults_of_value(document: Schema, schema: Schema, value: Any, path: str) -> Iterator[str]:
    """What of a value the server would not know."""
    choices = list(variants(document, schema))
    if isinstance(value, Mapping):
        objects = [c for c in choices if c.get("type") == "object"]
        trials = [list(_faults_of_object(document, c, dict(value), path)) for c in objects]
        yield from min(trials, key=len, default=[f"{path}: no object is expected"])
    elif isinstance(value, list):
        arrays = [c for c in choices if c.get("type") == "array"]
        if not arrays:
            yield f"{path}: no array is expected"
        for n, one in enumerate(value if arrays else []):
            yield from faults_of_value(document, arrays[0]["items"], one, f"{path}.{n}")


def _faults_of_object(document: Schema, schema: Schema, value: dict[str, Any], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for missing in set(schema.get("required", [])) - set(value):
        yield f"{path}: {missing} is missing"
    for name, inside in value.items():
        if name in properties:
            yield from faults_of_value(document, properties[name], inside, f"{path}.{name}")
        elif schema.get("additionalProperties", True) is False:
            yield f"{path}.{name} is not known"


def faults_of_type(document: Schema, schema: Schema, wanted: Any, path: str) -> Iterator[str]:
    """What a type of ours expects that the server does not promise."""
    choices = list(variants(document, schema))
    origin, inside = get_origin(wanted), get_args(wanted)
    if hasattr(wanted, "__metadata__"):
        yield from faults_of_type(document, schema, wanted.__origin__, path)
    elif origin in {Union, types.UnionType}:
        rest = [t for t in inside if t is not types.NoneType]
        given = [c for c in choices if c.get("type") != "null"]
        if len(rest) == 1 and given:
            yield from faults_of_type(document, {"anyOf": given}, rest[0], path)
    elif any(c.get("type") == "null" for c in choices):
        yield f"{path} may be null"
    elif origin in {list, tuple}:
        arrays = [c for c in choices if c.get("type") == "array"]
        yield from (
            faults_of_type(document, arrays[0]["items"], inside[0], f"{path}[]") if arrays else [f"{path}: no array"]
        )
    elif inspect.isclass(wanted) and issubclass(wanted, BaseModel):
        yield from _faults_of_model(document, choices, wanted, path)
    else:
        yield from _faults_of_plain(choices, wanted, path)


def _faults_of_model(document: Schema, choices: list[Schema], wanted: type[BaseModel], path: str) -> Iterator[str]:
    properties = choices[0].get("properties", {})
    for name, field in wanted.model_fields.items():
        annotation = field.annotation
        if name not in properties:
            yield f"{path}.{name} does not exist"
        elif field.is_required() and name not in choices[0].get("required", []):
            yield f"{path}.{name} may be missing"
        else:
            # A field that `BeforeValidator` turns from null into nothing is declared with its metadata.
            plain = properties[name]
            if field.metadata:
                plain = {"anyOf": [c for c in variants(document, plain) if c.get("type") != "null"]}
            yield from faults_of_type(document, plain, annotation, f"{path}.{name}")


NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _faults_of_plain(choices: list[Schema], wanted: Any, path: str) -> Iterator[str]:
    name = NAMES.get(wanted)
    allowed = {name, "integer"} if name == "number" else {name}
    if name is not None and not all(c.get("type") in allowed for c in choices):
        yield f"{path}: {choices} is not {name}"


def variants(document: Schema, schema: Schema) -> Iterator[Schema]:
    """The schemas that a value may have, with references followed."""
    if "$ref" in schema:
        yield from variants(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    elif "anyOf" in schema or "oneOf" in schema:
        for one in schema.get("anyOf", schema.get("oneOf", ())):
            yield from variants(document, one)
    elif "allOf" in schema and len(schema["allOf"]) == 1:
        yield from variants(document, schema["allOf"][0])
    else:
        yield schema

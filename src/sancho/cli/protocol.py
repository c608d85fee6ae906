"""Writes what pilot and server say to each other, from the routes: `python -m sancho.cli.protocol [FILE]`.

It is a JSON Schema (2020-12) of one *exchange*, an object with `method`, `path`, `request`, `status` and `answer`.
Each call is a definition of its own, named like its route; so are the bodies that they share.
"""

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from sancho.app import ROUTERS
from sancho.kit.problem import MEDIA_TYPE

FILE = Path("src/sancho_pilot/protocol.json")
NUMBER = "[1-9][0-9]{0,18}"
ABOUT = (
    "One exchange between a pilot and its server: a request, as JSON over HTTP, and what it was answered. `request` is "
    "null or an empty object where nothing is to be said, `answer` is null where the body is empty. Every call but "
    "`login` carries `Authorization: Bearer TOKEN`, and every call may be repeated. Generated from the server's routes "
    "by `make docs`; a test fails when it is stale."
)
PROBLEM = {
    "title": "Problem",
    "description": "What is wrong (RFC 9457). Pilots read `code`; without one it is no answer of the server's.",
    "type": "object",
    "properties": {
        "type": {"type": "string", "pattern": "^urn:sancho:problem:"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "pattern": "^[a-z][a-z0-9_]*$"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "hint": {"type": "string"},
        "trace_id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "facts": {"type": "object"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
ANY = {"$ref": "#/$defs/Problem"}
TROUBLE = {
    "title": "Trouble",
    "description": "What any call may be answered with. After 401 log in again; after `collision`, 429 and whatever is "
    "500 or more say the same again, when `Retry-After` allows it. The rest is final.",
    "anyOf": [
        {"properties": {"status": {"enum": [400, 401, 413, 422, 429, 500, 503]}, "answer": ANY}},
        {"properties": {"status": {"const": 409}, "answer": {**ANY, "properties": {"code": {"const": "collision"}}}}},
    ],
}

Json = dict[str, Any]


class _Plain(GenerateJsonSchema):
    """Fields have names; titles that repeat them are left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - as its base has it
        return False


def render() -> str:
    """The file as it should be."""
    routes = list(_routes())
    adapters: list[tuple[tuple[str, str], Literal["validation", "serialization"], TypeAdapter[Any]]] = []
    for route in routes:
        if route.body_field is not None:
            said: Any = route.body_field.field_info.annotation
            adapters.append(((route.name, "request"), "validation", TypeAdapter(said)))
        if route.response_model is not None:
            adapters.append(((route.name, "answer"), "serialization", TypeAdapter(route.response_model)))
    models, definitions = TypeAdapter.json_schemas(adapters, ref_template="#/$defs/{model}", schema_generator=_Plain)
    bodies = {key: schema for (key, _), schema in models.items()}
    document = {
        "$schema": GenerateJsonSchema.schema_dialect,
        "$id": "urn:sancho:pilot-protocol",
        "title": "The protocol of the pilot",
        "description": ABOUT,
        "oneOf": [{"$ref": f"#/$defs/{route.name}"} for route in routes],
        "$defs": {
            **{route.name: _call(route, bodies) for route in routes},
            **definitions["$defs"],
            "Problem": PROBLEM,
            "Trouble": TROUBLE,
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _routes() -> Iterator[APIRoute]:
    for router in ROUTERS:
        for route in router.routes:
            if isinstance(route, APIRoute) and route.path.startswith("/v1/pilot/"):
                yield route


def _call(route: APIRoute, bodies: dict[tuple[str, str], Any]) -> Json:
    """The exchanges of one route."""
    path = route.path
    method = next(iter(route.methods or ()))
    return {
        "title": f"{method} {path}",
        "description": inspect.cleandoc(route.description),
        "type": "object",
        "properties": {
            "method": {"const": method},
            "path": {"type": "string", "pattern": f"^{re.sub('{[^}]*}', NUMBER, path)}$"},
            "request": bodies.get((route.name, "request"), {"enum": [None, {}]}),
            "status": {"type": "integer"},
            "answer": {},
        },
        "required": ["method", "path", "request", "status", "answer"],
        "additionalProperties": False,
        "anyOf": [
            _answer(route.status_code or 200, bodies.get((route.name, "answer"), {"type": "null"})),
            *(_declared(int(status), said) for status, said in sorted(route.responses.items())),
            {"$ref": "#/$defs/Trouble"},
        ],
    }


def _declared(status: int, said: Json) -> Json:
    """What a route declares to answer besides its success."""
    problem = said.get("content", {}).get(MEDIA_TYPE)
    answer = {"type": "null"} if problem is None else {"$ref": "#/$defs/Problem", **problem["schema"]}
    return {"description": said["description"], **_answer(status, answer)}


def _answer(status: int, answer: Json) -> Json:
    return {"properties": {"status": {"const": status}, "answer": answer}}


def main() -> None:
    """Write the file."""
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    file.write_text(render(), encoding="utf-8")


if __name__ == "__main__":
    main()

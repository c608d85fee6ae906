"""What pilot and server say to each other, held against the protocol: the tests of both sides look here."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import best_match

import sancho_pilot

FORMATS = FormatChecker(formats=())
PROTOCOL = json.loads((Path(sancho_pilot.__file__).parent / "protocol.json").read_text(encoding="utf-8"))
CALLS = [one["$ref"].removeprefix("#/$defs/") for one in PROTOCOL["oneOf"]]


@FORMATS.checks("date-time", raises=ValueError)
def is_time(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


class NotInProtocol(AssertionError):
    """Something was said that the protocol does not know."""


def find_call(method: str, path: str) -> str:
    """The name of the call that this is."""
    for name in CALLS:
        fields = PROTOCOL["$defs"][name]["properties"]
        if fields["method"]["const"] == method and re.search(fields["path"]["pattern"], path):
            return name
    raise NotInProtocol(f"{method} {path} is no call of the protocol")


def check_request(method: str, path: str, request: object) -> str:
    """Hold what a pilot says against the protocol; return the name of the call."""
    name = find_call(method, path)
    _check(f"{name}/properties/request", request, f"{method} {path}")
    return name


def check_exchange(method: str, path: str, request: object, status: int, answer: object) -> str:
    """Hold a request and its answer against the protocol; return the name of the call."""
    name = find_call(method, path)
    whole = {"method": method, "path": path, "request": request, "status": status, "answer": answer}
    _check(name, whole, f"{method} {path}: {status}")
    return name


def _check(definition: str, value: Any, what: str) -> None:
    schema = {"$schema": PROTOCOL["$schema"], "$ref": f"#/$defs/{definition}", "$defs": PROTOCOL["$defs"]}
    wrong = best_match(Draft202012Validator(schema, format_checker=FORMATS).iter_errors(value))
    if wrong is not None:
        raise NotInProtocol(f"{what}: {wrong.json_path}: {wrong.message}")

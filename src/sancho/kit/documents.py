"""Values as documents: dataclasses of ours written as JSON and read back, in seconds and bytes."""

from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

STRICT: Mapping[str, Any] = {"extra": "forbid", "ser_json_timedelta": "float"}
"""What a dataclass says as its `__pydantic_config__`: nothing unknown is read, durations are seconds."""


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read(kind: type[T], document: Mapping[str, Any]) -> T:
    """Make a value of a document that `write` made; what it does not say is as the class has it."""
    return _adapter(kind).validate_python(document)


def write(value: object) -> dict[str, Any]:
    """Write a value as JSON; what is None is left out."""
    return _adapter(type(value)).dump_python(value, mode="json", exclude_none=True)

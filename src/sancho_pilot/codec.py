"""Our values as JSON and back: an object names its class, a list becomes a tuple again."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any, Dict, List, Tuple, Union, cast

from sancho_pilot import events, instructions, model

KIND = "is"


def _known() -> Dict[str, type]:
    things = [thing for module in (model, events, instructions) for thing in vars(module).values()]
    return {thing.__name__: thing for thing in things if isinstance(thing, type) and dataclasses.is_dataclass(thing)}


_CLASSES = _known()


class NotOurs(ValueError):
    """What was read is none of our values."""


def encode(value: Any) -> Any:
    """Return what `json.dumps` can write."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
        return {KIND: type(value).__name__, **fields}
    if isinstance(value, (tuple, list)):
        return [encode(one) for one in cast("Union[Tuple[Any, ...], List[Any]]", value)]
    return value


def decode(value: Any) -> Any:
    """Return the value that `encode` was given; raises `NotOurs`."""
    if isinstance(value, list):
        return tuple(decode(one) for one in cast("List[Any]", value))
    if isinstance(value, dict):
        read = cast("Dict[str, Any]", value)
        fields = {name: decode(one) for name, one in read.items() if name != KIND}
        try:
            return _CLASSES[read[KIND]](**fields)
        except (KeyError, TypeError, ValueError) as problem:
            raise NotOurs(f"not one of our values: {problem}") from problem
    return value

"""Sizes and durations as people write them: `2 GB`, `1.5 TiB`, `1 h 30 min`; plain numbers are bytes and seconds."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

SIZES = {"": 1, "b": 1, **{f"{p}b": 1000**n for n, p in enumerate("kmgtpe", 1)},
         **{f"{p}ib": 1024**n for n, p in enumerate("kmgtpe", 1)}}  # fmt: skip
SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800}
_SIZE = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*$")
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def parse_size(value: Any) -> Any:
    """Bytes of a text such as "2 GB"; raises ValueError. Anything but a text is passed on."""
    if not isinstance(value, str):
        return value
    match = _SIZE.match(value)
    if match is None or match[2].lower() not in SIZES:
        raise ValueError('write bytes as a number, or a size such as "2 GB" or "1.5 TiB"')
    return int(float(match[1]) * SIZES[match[2].lower()])


def parse_duration(value: Any) -> Any:
    """Duration of a number of seconds or a text such as "1 h 30 min"; raises ValueError."""
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"\d+(\.\d+)?", value.strip()):
        return float(value)
    text = value.strip().lower()
    parts = list(_PART.finditer(text))
    if not parts or "".join(p[0] for p in parts) != text or any(p[2] not in SECONDS for p in parts):
        raise ValueError('write seconds as a number, or a duration such as "90 min" or "1 d 12 h"')
    return timedelta(seconds=sum(float(p[1]) * SECONDS[p[2]] for p in parts))


Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=int | str), Field(ge=0, lt=2**63)]
"""A size in bytes."""
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(gt=timedelta(0), le=timedelta(days=3650)),
]
"""A length of time."""

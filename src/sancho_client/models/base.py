"""What all models have in common."""

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Answer(BaseModel):
    """Something that the server said; unknown fields are dropped."""

    model_config = ConfigDict(defer_build=True, extra="ignore", frozen=True)


class Request(BaseModel):
    """Something that is sent; an unknown field is an error."""

    model_config = ConfigDict(defer_build=True, extra="forbid")


def _none_to_empty(value: Any) -> Any:
    return () if value is None else value


Strings = Annotated[tuple[str, ...], BeforeValidator(_none_to_empty)]
"""Strings; `null` counts as none."""
Size = int | str
"""Bytes, or words such as "2 GB"."""
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800}
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def seconds(value: Any) -> Any:
    """Seconds of words such as "1 h 30 min" or "30 d"; what is no text is passed on. Raises ValueError."""
    if isinstance(value, timedelta):
        return value.total_seconds()
    if not isinstance(value, str) or re.fullmatch(r"\s*\d+(\.\d+)?\s*", value):
        return value
    text = value.strip().lower()
    parts = list(_PART.finditer(text))
    if not parts or "".join(p[0] for p in parts) != text or any(p[2] not in _SECONDS for p in parts):
        raise ValueError(f"{value!r} is not a duration such as '90 min' or '1 d 12 h'")
    return sum(float(p[1]) * _SECONDS[p[2]] for p in parts)


Duration = Annotated[float, BeforeValidator(seconds)]
"""Seconds; may be written as words such as "1 h 30 min"."""

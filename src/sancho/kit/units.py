"""Numbers that the database can hold, and sizes and durations as people write them: `2 GB`, `1 h 30 min`.

Plain numbers are bytes and seconds. Routes take these types instead of bare numbers.
"""

import math
import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

SIZES = {
    "": 1,
    **{p: 1000**n for n, p in enumerate("kmgtpe", 1)},
    **{f"{p}i": 1024**n for n, p in enumerate("kmgtpe", 1)},
}
LONGEST = timedelta(days=3650)
SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400, "w": 604800}
_NUMBER = r"\d{1,18}(?:\.\d{1,18})?"
_SIZE = re.compile(rf"\s*({_NUMBER})\s*([a-z]*)\s*", re.ASCII | re.IGNORECASE)
_PART = re.compile(rf"({_NUMBER})\s*([a-z]+)\s*", re.ASCII)
_ISO = re.compile(
    r"P(?=.)(?:\d{1,4}Y)?(?:\d{1,6}D)?(?:T(?:\d{1,9}H)?(?:\d{1,9}M)?(?:\d{1,9}(?:\.\d{1,9})?S)?)?", re.ASCII
)


def parse_size(value: Any) -> Any:
    """Bytes of a text such as "2 GB"; raises ValueError. Anything but a text is passed on."""
    if not isinstance(value, str):
        return value
    match = _SIZE.fullmatch(value)
    unit = "" if match is None else match[2].lower().removesuffix("b")
    if match is None or unit not in SIZES:
        raise ValueError('write bytes as a number, or a size such as "2 GB" or "1.5 TiB"')
    return int(Fraction(match[1]) * SIZES[unit])


def parse_duration(value: Any) -> Any:
    """Duration of a number of seconds or a text such as "1 h 30 min"; raises ValueError.

    What we write ourselves, into the history of the configuration too, is ISO 8601: that is passed on to be read.
    """
    if not isinstance(value, str) or _ISO.fullmatch(value):
        return value
    if re.fullmatch(_NUMBER, value.strip(), re.ASCII):
        return float(value)
    text = value.strip().lower()
    parts = list(_PART.finditer(text))
    if not parts or "".join(p[0] for p in parts) != text or any(p[2] not in SECONDS for p in parts):
        raise ValueError('write seconds as a number, or a duration such as "90 min" or "1 d 12 h"')
    return min(sum(float(p[1]) * SECONDS[p[2]] for p in parts), 2 * LONGEST.total_seconds())


def in_words(duration: timedelta) -> str:
    """A duration as people write it, to the second: `1 d 12 h`, `90 min` is `1 h 30 min`."""
    left, parts = round(duration.total_seconds()), list[str]()
    for unit in ("d", "h", "min", "s"):
        count, left = divmod(left, SECONDS[unit])
        parts += [f"{count} {unit}"] if count else []
    return " ".join(parts) or "0 s"


def _in_utc(time: datetime) -> datetime:
    if not 1970 <= time.year <= 9000:
        raise ValueError("write a time between the years 1970 and 9000")
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time


def _scalar(value: Any) -> str | int | float | bool:
    if isinstance(value, str) and len(value) <= LONGEST_TEXT:
        return value
    if isinstance(value, int) and abs(value) <= LARGEST:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise ValueError(f"must be a text of at most {LONGEST_TEXT} characters, a number, true or false")


LARGEST = 2**63 - 1
LONGEST_TEXT = 4096
Id = Annotated[int, Field(ge=1, lt=LARGEST)]
"""The number of a thing; the database can hold the next one too."""
Amount = Annotated[int, Field(ge=0, le=LARGEST)]
"""How much or how many of something was measured."""
Size = Annotated[int, BeforeValidator(parse_size, json_schema_input_type=int | str), Field(ge=0, le=LARGEST)]
"""A size in bytes."""
FileSize = Annotated[int, Field(ge=0, le=2**50)]
"""The bytes of one file: up to 1 PiB, so that sums over all files of an RSE stay within 64 bits."""
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration, json_schema_input_type=float | str),
    Field(gt=timedelta(0), le=LONGEST),
]
"""A length of time."""
Seconds = Annotated[float, Field(ge=0, le=LONGEST.total_seconds(), allow_inf_nan=False)]
"""A measured length of time."""
_SCALARS = [
    {"type": "string", "maxLength": LONGEST_TEXT},
    {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST},
    {"type": "number"},
    {"type": "boolean"},
]
Scalar = Annotated[Any, AfterValidator(_scalar), WithJsonSchema({"anyOf": _SCALARS})]
"""A text, a number, true or false."""
Time = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment; without a time zone it is UTC."""
Json = Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean", "object", "array", "null"]})]
"""Any value of JSON; what may be in it is for the service to say."""

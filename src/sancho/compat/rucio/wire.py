"""Rucio's words for what goes over its wire."""

import math
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from sancho.kit.units import Time

LISTED_AT_ONCE = 1000
"""DIDs that one call may ask about: Rucio's own limit."""
Name = Annotated[str, Field(max_length=300)]


def _date_or_text(value: Any) -> Any:
    try:
        said = isinstance(value, str) and value.endswith(" UTC")
        return parsedate_to_datetime(value.replace("UTC", "GMT")) if said else value
    except (ValueError, OverflowError):
        return value


Moment = Annotated[Time, BeforeValidator(_date_or_text)]
"""A time as Rucio writes it, or in ISO 8601."""
Expression = Annotated[str, Field(max_length=4000)]
Meta = Annotated[dict[str, Any], Field(max_length=100)]
"""What a DID is to say."""


def _known(said: float) -> float:
    if said != -1 and not (said == math.inf or (said >= 0 and said < 2**62 and said == int(said))):
        raise ValueError("should be a number of bytes, or -1 or Infinity for as many as there are")
    return said


Bytes = Annotated[int | float, AfterValidator(_known)]
"""How many bytes there may be, as clients say it."""


class Ping(BaseModel):
    """Which release of Rucio this is compatible with, and that it is us."""

    version: str


class Account(BaseModel):
    """An account; times are `2026-11-22T14:13:55`, here and nowhere else."""

    account: str
    account_type: str
    status: str
    email: str | None
    suspended_at: str | None
    deleted_at: str | None
    created_at: str
    updated_at: str


class Said(BaseModel):
    """What an error answers."""

    ExceptionClass: str
    ExceptionMessage: str


class DidIn(BaseModel, extra="forbid"):
    """A DID; what kind of one it is we know better."""

    scope: Name
    name: Name
    type: Annotated[str | None, Field(max_length=20)] = None

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"

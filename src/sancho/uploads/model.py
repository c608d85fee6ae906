"""The words of uploads: wishes, intents and what becomes of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from sancho.rses.model import Place

TOKEN_LIFETIME = timedelta(hours=1)
"""How long the token of an upload lives."""
INTENT_LIFETIME = TOKEN_LIFETIME + timedelta(minutes=10)
"""An intent outlives its tokens, so that nothing is written to a path after it was emptied."""
MAX_FILES = 1000
"""Files in one call."""


class IntentState(Enum):
    """OPEN may be committed; GIVEN_UP waits until its path can be emptied."""

    OPEN = "O"
    COMMITTED = "C"
    GIVEN_UP = "X"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """A file that somebody wants to add; `adler32` is 8 hex digits. `rule` is kept for files without a dataset."""

    scope_id: int
    scope: str
    name: str
    size: int
    adler32: str | None
    rse_id: int
    dataset_id: int | None = None
    rule: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Intent:
    """An intent as the database has it; `adler32` is the signed number of the sum."""

    vo: int
    intent_id: int
    state: IntentState
    did_id: int
    scope_id: int
    scope: str
    name: str
    rse_id: int
    account_id: int
    size: int
    adler32: int | None
    attempt_id: int | None
    dataset_id: int | None
    expires_at: datetime
    held: bool
    rule: Mapping[str, Any] | None

    @property
    def did(self) -> str:
        """`scope:name`."""
        return f"{self.scope}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Upload:
    """Where to put a file, and the token that allows it."""

    intent_id: int
    did: str
    rse: str
    url: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Committed:
    """A file that is in the catalogue now, or was already."""

    intent_id: int
    did_id: int
    did: str
    scope_id: int
    name: str
    rse_id: int
    size: int


class Announced(NamedTuple):
    """What somebody says of a file that they put on a storage; `adler32` is 8 hex digits."""

    did: str
    size: int
    adler32: str | None


class Put(NamedTuple):
    """A file that its owner says is on an RSE, and where it is to be looked for."""

    announced: Announced
    place: Place

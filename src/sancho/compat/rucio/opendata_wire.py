"""Rucio's words for open data: what clients send."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field

from sancho.dids.model import PublicationState
from sancho.kit.units import Amount


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


State = Annotated[Literal["draft", "public", "suspended"], BeforeValidator(_lower)]
"""The client says it in small letters, and is answered in capitals."""


class ListQuery(BaseModel, extra="forbid"):
    """Which publications to list."""

    state: State | None = None

    @property
    def wanted(self) -> PublicationState | None:
        """Those in this state; None: all."""
        return None if self.state is None else PublicationState[self.state.upper()]


class Nothing(BaseModel, extra="forbid"):
    """A list that knows no parameters."""


class ShowQuery(BaseModel, extra="forbid"):
    """What to say of a publication."""

    files: bool = False
    meta: bool = False
    doi: bool = True
    record_id: bool = True
    download_urls: bool = False


class PublicationChangeIn(BaseModel, extra="forbid"):
    """What to change of a publication; what is not said stays."""

    state: State | None = None
    meta: Annotated[dict[str, Any], Field(max_length=1000)] | None = None
    doi: Annotated[str, Field(max_length=300)] | None = None
    record_id: Amount | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The same as the service takes it."""
        state = None if self.state is None else PublicationState[self.state.upper()]
        said = {"state": state, "about": self.meta, "doi": self.doi, "record_id": self.record_id}
        return {name: value for name, value in said.items() if value is not None}

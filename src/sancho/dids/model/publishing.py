"""The words of publications. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sancho.dids.model.catalogue import DidKind

DOI = re.compile(r"10\.[0-9]{4,9}(\.[0-9]+)*/[!-~]{1,240}")
"""What a Digital Object Identifier looks like."""
MOST_ABOUT = 65_536
"""Bytes of JSON that may be said about a publication."""


class PublicationState(Enum):
    """Who may read what a publication says; the value is its letter in the database."""

    DRAFT = "D"
    """The VO: it is being prepared."""
    PUBLIC = "P"
    """Everybody."""
    SUSPENDED = "S"
    """The VO again, for now."""

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


PUBLICATION_TRANSITIONS: Mapping[PublicationState, frozenset[PublicationState]] = {
    PublicationState.DRAFT: frozenset({PublicationState.PUBLIC}),
    PublicationState.PUBLIC: frozenset({PublicationState.SUSPENDED}),
    PublicationState.SUSPENDED: frozenset({PublicationState.PUBLIC}),
}
"""From each state, those a publication may go to: what was public is no draft again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A DID of which everybody may read what it says, as soon as that is public."""

    did_id: int
    vo: int
    scope: str
    name: str
    kind: DidKind
    open: bool
    size: int | None
    adler32: str | None
    state: PublicationState
    doi: str | None
    record_id: int | None
    """Its number in a catalogue elsewhere."""
    about: dict[str, Any]
    """Whatever is to be said of it beside its metadata."""
    created_at: datetime
    changed_at: datetime

    @property
    def did(self) -> str:
        """The DID as text, `scope:name`."""
        return f"{self.scope}:{self.name}"

    @property
    def is_readable(self) -> bool:
        """Whether everybody may read it now."""
        return self.state is PublicationState.PUBLIC and not self.open

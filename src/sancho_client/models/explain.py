"""What the server says about why things are as they are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from sancho_client.models.base import Answer, Strings


class Blocker(Answer):
    """Something that keeps a thing from going on; `cause` is a word for its kind, `things` a few that it is about."""

    cause: str
    says: str
    hint: str | None = None
    things: Strings = ()


class Change(Answer):
    """What would have to be otherwise: which part, and how."""

    part: str
    says: str


class Would(Answer):
    """What would happen if all these changes were made."""

    says: str
    changes: tuple[Change, ...] = ()
    ce: str | None = None
    site: str | None = None


class Start(Answer):
    """When a job may start, reckoned from what happened of late; times are None when they cannot be known."""

    earliest: datetime | None = None
    latest: datetime | None = None
    says: str

    @property
    def text(self) -> str:
        """In one line."""
        if self.earliest is None:
            return self.says
        late = "later" if self.latest is None else f"{self.latest:%Y-%m-%d %H:%M}"
        return f"between {self.earliest:%Y-%m-%d %H:%M} and {late} UTC: {self.says}"


class Explanation(Answer):
    """Why a thing is as it is: blockers in the order in which they have to be out of the way, and what would help."""

    kind: str
    name: str
    state: str
    says: str
    blockers: tuple[Blocker, ...] = ()
    would: tuple[Would, ...] = ()
    expected_start: Start | None = None
    facts: Mapping[str, Any] = Field(default_factory=dict[str, Any])

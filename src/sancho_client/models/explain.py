"""What the server says about why things are as they are."""

from collections.abc import Mapping
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


class Explanation(Answer):
    """Why a thing is as it is: blockers in the order in which they have to be out of the way, and what would help."""

    kind: str
    name: str
    state: str
    says: str
    blockers: tuple[Blocker, ...] = ()
    would: tuple[Would, ...] = ()
    facts: Mapping[str, Any] = Field(default_factory=dict[str, Any])

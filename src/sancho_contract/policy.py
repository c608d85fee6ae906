"""How a VO lets code of its own decide: allow, deny, or leave it to others."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """May this account use this permission on this thing?"""

    vo: str
    account: str
    groups: tuple[str, ...]
    permission: str
    """A verb on a kind of thing, such as `rules:create`."""
    thing: str | None
    """Its kind, a colon and its name: `did:mc:run7/f.root`, `site:LYON`, `tag:gpu`; None: nothing in particular."""
    own: bool = False
    """The thing belongs to the account."""


class Opinion(Enum):
    """What a plugin thinks."""

    ALLOW = "allow"
    DENY = "deny"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Answer:
    """An opinion, and for people why: needed unless there is none. It is shown to the account and kept in the log."""

    opinion: Opinion
    reason: str = ""


NO_OPINION = Answer(Opinion.NONE)


class PolicyPlugin(Protocol):
    """Decides on behalf of a VO, within what the document that names it says.

    It is asked inside of requests, up to thousands of times in one: it answers from the question and its settings
    alone, at once, without talking to anybody, and to the same question always the same. It may be asked from many
    threads. A denial wins over whatever others allow; what it allows, it allows of the permissions that are named
    in its document only. An exception is a bug: the request fails.
    """

    Settings: type[BaseModel]

    def judge(self, question: Question) -> Answer:
        """Say what it thinks."""
        ...

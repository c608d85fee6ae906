"""What the installation holds of a person: each feature says how its part is told, and how it is erased.

`app` gathers the parts and identity goes through them, so that whoever exports or erases a person's data knows no
feature, and a feature that comes to hold some adds its part beside its own tables.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sancho.kit.db import Connection

Line = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Person:
    """An account, as those parts know it that hold its name and those that hold its id."""

    vo: int
    vo_name: str
    account_id: int
    name: str

    @property
    def pseudonym(self) -> str:
        """What it is called once it is erased; says nothing of who it was."""
        return f"erased-{self.account_id}"


Tell = Callable[[Connection, Person], AsyncIterator[Line]]
Erase = Callable[[Connection, Person], Awaitable[int]]


@dataclass(frozen=True, kw_only=True)
class PersonalData:
    """The part of one feature."""

    feature: str
    tell: Tell
    """Every row about a person, one after the other; `what` says what each is."""
    erase: Erase | None = None
    """Take the person out of it, and say how many rows changed; None: it holds an account's id and no more."""

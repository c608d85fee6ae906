"""What a DiracX configuration says, as far as it means something here, and what it says besides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Left:
    """Something that has no counterpart here, or not this one: where it stands, and why. Its value is not repeated."""

    path: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Renamed:
    """Something that has another name here."""

    path: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """A group: what its properties amount to, and its share, of which 1 is like any other's."""

    path: str
    permissions: tuple[str, ...]
    share: float


@dataclass(frozen=True, kw_only=True)
class User:
    """A user: `subject` is what the VO's identity provider calls them, `certificates` are their names in those."""

    path: str
    subject: str
    email: str | None
    suspended: bool
    groups: tuple[str, ...]
    certificates: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IdentityProvider:
    """Who vouches for the people of a VO, and what we are called there."""

    path: str
    issuer: str
    client_id: str


@dataclass(frozen=True, kw_only=True)
class Vo:
    """A VO; groups, users and sections of settings by their names here."""

    path: str
    name: str
    email: str | None
    provider: IdentityProvider | None
    groups: Mapping[str, Group]
    users: Mapping[str, User]
    settings: Mapping[str, Mapping[str, Any]]


@dataclass(kw_only=True)
class Report:
    """What is told beside what was done."""

    left: list[Left] = field(default_factory=list[Left])
    renamed: list[Renamed] = field(default_factory=list[Renamed])

    def leave(self, path: str, why: str) -> None:
        """Note what has no counterpart."""
        self.left.append(Left(path=path, why=why))


@dataclass(frozen=True, kw_only=True)
class Said:
    """All that is said, by VO."""

    vos: Sequence[Vo]
    report: Report

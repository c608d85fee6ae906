"""The words of onboarding: founding, check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sancho.vos.model import Change


@dataclass(frozen=True, kw_only=True)
class Founding:
    """What a VO shall have from the start; the specs are those of the documents."""

    name: str
    admin: str = "admin"
    """The first administrator's account."""
    spec: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Of the VO itself: alias, share, passwords."""
    email: str | None = None
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    quotas: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    scopes: Sequence[str] = ()
    """Scopes in which everybody may make DIDs."""
    grants: Sequence[tuple[str, str]] = ()
    """Kind and name of what the installation lets it use."""


@dataclass(frozen=True, kw_only=True)
class Founded:
    """A VO that was made, and the password of its first administrator, which nobody else knows; None: it has none."""

    version: int | None
    changes: list[Change]
    admin: str
    password: str | None = field(repr=False)


class Outcome(Enum):
    """What a check has found: advised is what a VO can work without."""

    OK = "ok"
    MISSING = "missing"
    ADVISED = "advised"


@dataclass(frozen=True, kw_only=True)
class Check:
    """One line of the checklist, and what to do next when it is not ok."""

    what: str
    outcome: Outcome
    found: str
    next: str | None = None


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What a VO has at this moment, by name; `providers` with what is wrong with each that does not answer."""

    vo: str
    passwords: bool
    providers: Mapping[str, str | None]
    administrators: Sequence[str]
    groups: Sequence[str]
    quotas: Sequence[str]
    rses: Sequence[str]
    """Those it may write to and read from."""
    ces: Sequence[str]
    """Those that may start pilots for it."""

"""The words of configuration: VO, document, kind, change, version."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Generic, LiteralString, TypeVar

from sancho.kit.access import Principal
from sancho.kit.db import Connection

M = TypeVar("M")
Spec = dict[str, Any]

INSTANCE_NAME = "instance"
"""Name of the reserved VO that owns shared resources."""
LOWER_NAME = r"[a-z0-9][a-z0-9._-]{0,62}"
"""What VOs, accounts and groups may be called."""
CLIENT_SETTINGS = "ClientSettings"
"""The kind of documents that say what a VO tells its clients."""
RESOURCE_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
"""What sites, CEs and RSEs may be called."""


@dataclass(frozen=True, slots=True)
class VO:
    """A virtual organisation."""

    vo: int
    name: str
    alias: str | None = None
    """A name of three letters at most, for clients that bear no longer one."""
    passwords: bool = True
    """Whether its accounts may log in with passwords."""
    max_reschedules: int = 3
    """How often one of its jobs may be put back to its start."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One thing as an operator wants it; with `remove`, as an operator wants it gone."""

    kind: str
    name: str
    vo: str | None = None
    """The owner's name; None: the VO `instance` for shared kinds, else the VO of whoever applies."""
    spec: Spec = field(default_factory=dict[str, Any])
    remove: bool = False


@dataclass(frozen=True, kw_only=True)
class Section:
    """Options that a VO's clients and scripts read together; the server reads none of them."""

    name: str
    options: Mapping[str, bool | int | float | str]


class Action(Enum):
    """What an apply does to a document."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Change:
    """A document before and after; `vo` is the owner's name. Secrets appear as fingerprints."""

    kind: str
    vo: str
    name: str
    action: Action
    before: Spec | None
    after: Spec | None


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What an apply did, or would do: `version` is None when nothing changed, or when it was a dry run."""

    version: int | None
    changes: list[Change]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One apply, numbered."""

    version: int
    applied_at: datetime
    applied_by: str
    comment: str | None


@dataclass(frozen=True)
class Named(Generic[M]):
    """A validated document on its way to its kind."""

    name: str
    spec: M
    at: str = ""
    """Where in the request it stands: `documents.3`."""

    def field(self, path: str) -> str:
        """Name a field of this document for an error: `documents.3.spec.site`."""
        return f"{self.at}.spec.{path}" if self.at else path

    @property
    def name_field(self) -> str:
        """The field with its name, for an error: `documents.3.name`."""
        return f"{self.at}.name" if self.at else "name"


Apply = Callable[[Connection, Principal, int, Sequence[Named[M]]], Awaitable[None]]
Retire = Callable[[Connection, Principal, int, Sequence[str]], Awaitable[None]]
Follow = Callable[[Connection, Principal, Sequence[Change]], Awaitable[None]]


Things = Callable[[str, Mapping[str, Any]], Sequence[str]]
"""What a document, by name and spec, is about: `site:LYON`."""


def nothing_in_particular(_name: str, _spec: Mapping[str, Any]) -> Sequence[str]:
    """The things of documents that are about themselves only."""
    return ()


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[M]):
    """A kind of document: a Pydantic model of its spec and how a VO's documents of this kind come true."""

    name: str
    model: type[M]
    order: int
    """Kinds are applied from the lowest on, and retired from the highest on."""
    apply: Apply[M]
    """Make a VO's new and changed documents true; doing it again changes nothing."""
    retire: Retire | None = None
    """Undo documents by name; None: what was once made stays."""
    follow: Follow | None = None
    """Called after `apply`, in every apply that changes anything, with all its changes, those of other kinds too."""
    instance: bool = False
    """Owned by the VO `instance` unless said otherwise, and only for the administrators of the installation."""
    names: str = LOWER_NAME
    """What documents of this kind may be called, as a regular expression."""
    secrets: frozenset[str] = frozenset()
    """Fields of the spec that are never recorded, but for a fingerprint."""
    permission: LiteralString | None = None
    """What is enough for documents of this kind, instead of `configuration:apply`; None: nothing is."""
    things: Things = nothing_in_particular
    """What that permission is used on."""


Known = Mapping[tuple[int, str, str], Spec]
"""Recorded specs by owner VO, kind and name."""

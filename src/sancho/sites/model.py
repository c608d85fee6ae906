"""The words of the topology: site, compute element, resource."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

Value = str | int | float | bool
"""What an attribute may be."""


class ResourceKind(Enum):
    """What a resource is; the values of the enum are what documents call the kind."""

    SITE = "Site"
    CE = "ComputeElement"
    RSE = "RSE"

    @property
    def letter(self) -> str:
        """How the database says it."""
        return self.value[0]

    @classmethod
    def of(cls, letter: str) -> "ResourceKind":
        """The kind of a letter."""
        return next(kind for kind in cls if kind.letter == letter)


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place with CEs or RSEs."""

    site_id: int
    vo: int
    name: str
    enabled: bool
    attributes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class ComputeElement:
    """A door to one batch system, and what a slot behind it is like."""

    ce_id: int
    vo: int
    """Its owner."""
    name: str
    site_id: int
    site: str
    plugin: str
    cores: int
    """Of one slot, as the memory (bytes) and the wall time."""
    memory: int
    walltime: timedelta
    max_pilots: int
    tags: tuple[str, ...]
    machine: dict[str, Any]
    """What a slot is made of, as far as it is known; see `ComputeElementSpec`."""
    enabled: bool
    """Switched on, and its site too."""
    price: float | None
    """Of a core-hour, in the unit that operators and VOs agree on; None: not said."""
    carbon: float | None
    """Grams of CO2 for a core-hour; None: not said."""
    vos: tuple[int, ...]
    """VOs whose jobs its pilots may run: those it is granted to, and its owner unless that is `instance`."""
    settings: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Granted:
    """A resource and a VO that may use it."""

    vo: int
    """The resource's owner."""
    kind: ResourceKind
    name: str
    to_vo: int


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A resource, and where it is: of a site, the site itself."""

    resource_id: int
    vo: int
    """Its owner."""
    kind: ResourceKind
    name: str
    site: str


@dataclass(frozen=True, kw_only=True)
class Downtime:
    """A period in which a resource is not to be used, and why; without `ends_at`, until somebody ends it."""

    begins_at: datetime
    ends_at: datetime | None
    reason: str
    downtime_id: int = 0
    vo: int = 0
    kind: ResourceKind = ResourceKind.SITE
    name: str = ""
    site: str = ""

"""The words of storage: RSE, place."""

from dataclasses import dataclass, field
from typing import Any

from sancho.sites.model import Value


@dataclass(frozen=True, kw_only=True)
class Rse:
    """One space on one storage."""

    rse_id: int
    vo: int
    """Its owner."""
    name: str
    site_id: int
    site: str
    audience: str
    """The `aud` of tokens for this storage."""
    plugin: str
    prefix: str
    """URL below which everything lies, without a slash at its end."""
    settings: dict[str, Any] = field(repr=False)
    attributes: dict[str, Value]
    readable: bool
    """Switched on, and its site too; as the next two."""
    writable: bool
    deletable: bool
    naming: str = "hash"
    """The `sancho.naming` plugin that names paths for those who put files there themselves."""


@dataclass(frozen=True)
class Place:
    """Where a file lies on an RSE: `url` for whoever reaches for it, `path` for the token that allows it."""

    url: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What an RSE document says of an RSE, ready to be stored."""

    rse_id: int
    site_id: int
    name: str
    audience: str
    plugin: str
    prefix: str
    settings: dict[str, Any]
    attributes: dict[str, Value]
    readable: bool
    writable: bool
    deletable: bool
    naming: str

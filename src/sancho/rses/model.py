"""The words of storage: RSE, protocol, place."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from sancho.sites.model import Value

Domains = dict[str, dict[str, int]]
"""The rank of a protocol for each operation, by domain: 1 goes before 2, and what is not there, it is not for."""


class Domain(Enum):
    """Where one is who reaches for a storage: at its site, or elsewhere."""

    LAN = "lan"
    WAN = "wan"


class Operation(Enum):
    """What one wants of a storage; the last two by transfers, which go from one to another."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    COPY_FROM = "third_party_copy_read"
    COPY_TO = "third_party_copy_write"


def everything(rank: int) -> Domains:
    """A protocol is for everything, with this rank."""
    own = {each.value: rank for each in (Operation.READ, Operation.WRITE, Operation.DELETE)}
    return {Domain.LAN.value: own, Domain.WAN.value: {each.value: rank for each in Operation}}


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """A way to reach an RSE."""

    plugin: str
    prefix: str
    """URL below which everything lies, at the same paths as below that of any other protocol of the RSE."""
    settings: dict[str, Any] = field(repr=False)
    domains: Domains


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
    """Of its first protocol, as the next two; empty without any."""
    prefix: str
    """URL below which everything lies, without a slash at its end."""
    settings: dict[str, Any] = field(repr=False)
    attributes: dict[str, Value]
    readable: bool
    """Switched on, its site too, and it has a protocol; as the next two."""
    writable: bool
    deletable: bool
    naming: str = "hash"
    """The `sancho.naming` plugin that names paths for those who put files there themselves."""
    domains: Domains = field(default_factory=lambda: everything(1))
    """What the first protocol is for."""
    others: tuple[Protocol, ...] = ()
    """Its protocols after the first."""

    @property
    def protocols(self) -> tuple[Protocol, ...]:
        """All the ways to reach it, in the order of its document."""
        first = Protocol(plugin=self.plugin, prefix=self.prefix, settings=self.settings, domains=self.domains)
        return (first, *self.others) if self.plugin else self.others

    def protocols_for(
        self, operation: Operation, domain: Domain, schemes: Collection[str] | None = None
    ) -> list[Protocol]:
        """The ways to do something there by one of some schemes, or any: the best first, of equals that said before."""
        ranked = [
            (rank, protocol)
            for protocol in self.protocols
            if (rank := protocol.domains.get(domain.value, {}).get(operation.value))
            and (schemes is None or protocol.prefix.partition(":")[0] in schemes)
        ]
        return [protocol for _, protocol in sorted(ranked, key=lambda each: each[0])]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a storage says is on it, of all VOs together, in bytes."""

    source: str
    """Who says so."""
    used: int
    free: int | None
    files: int | None
    reported_at: datetime


@dataclass(frozen=True)
class Place:
    """Where a file lies on an RSE: `url` for whoever reaches for it, `path` for the token that allows it."""

    url: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Described:
    """What an RSE document says of an RSE, ready to be stored."""

    rse_id: int
    site_id: int
    name: str
    audience: str
    protocols: tuple[Protocol, ...]
    attributes: Mapping[str, Value]
    readable: bool
    writable: bool
    deletable: bool
    naming: str

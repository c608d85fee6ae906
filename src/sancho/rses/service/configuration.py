"""Make documents about RSEs come true."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.rses import store
from sancho.rses.errors import RseNotFound
from sancho.rses.model import Described, Protocol, everything
from sancho.sites import service as sites
from sancho.sites.model import ResourceKind
from sancho.sites.service import Attributes, ResourceName
from sancho.vos import service as vos
from sancho.vos.model import RESOURCE_NAME, Change, Kind, Named

IMPLICIT = ("rse", "site")
"""Attributes that every RSE has by itself."""


def _without_slash(prefix: str) -> str:
    return re.sub(r"(?<![:/])/+$", "", prefix)


PluginName = Annotated[str, Field(max_length=100)]
Prefix = Annotated[
    str, Field(max_length=1000, pattern=r"^[a-z][a-z0-9+.-]*://[^\s?#]*$"), AfterValidator(_without_slash)
]
Rank = Annotated[int, Field(ge=0, lt=2**15)]


class LanRanks(BaseModel, extra="forbid"):
    """How good a protocol is for what one does at the site of the RSE: 1 goes before 2; 0 is not at all."""

    read: Rank = 0
    write: Rank = 0
    delete: Rank = 0


class WanRanks(LanRanks):
    """The same for what one does from elsewhere, transfers between RSEs among it."""

    third_party_copy_read: Rank = 0
    third_party_copy_write: Rank = 0


class DomainsSpec(BaseModel, extra="forbid"):
    """What a protocol is for, by where one is."""

    lan: LanRanks = LanRanks()
    wan: WanRanks = WanRanks()


class ProtocolSpec(BaseModel, extra="forbid"):
    """One more way to reach the same files, at the same paths."""

    plugin: PluginName
    """Name of an installed `sancho.storage` plugin."""
    prefix: Prefix
    """URL below which everything lies."""
    settings: dict[str, Any] = {}
    """What the plugin needs to know."""
    domains: DomainsSpec | None = None
    """What it is for; when absent, for everything that those before it are not for, or not at the moment asked for."""


class RseSpec(BaseModel, extra="forbid"):
    """One space on one storage."""

    site: ResourceName
    plugin: PluginName | None = None
    """Name of an installed `sancho.storage` plugin; an RSE without one has no prefix either, and is not used yet."""
    prefix: Prefix | None = None
    """URL below which everything lies."""
    domains: DomainsSpec | None = None
    """What this plugin and prefix are for; when absent, for everything, before what else reaches the RSE."""
    protocols: Annotated[list[ProtocolSpec], Field(max_length=20)] = []
    """Further ways to reach it."""
    audience: Annotated[str | None, Field(min_length=1, max_length=500, pattern=r"^\S+$")] = None
    """The `aud` of tokens for this storage; when absent, scheme and host of the prefix."""
    attributes: Attributes = {}
    settings: dict[str, Any] = {}
    """What the plugin needs to know."""
    distances: Annotated[dict[ResourceName, Annotated[int, Field(ge=0, lt=2**15)]], Field(max_length=10_000)] = {}
    """What a transfer from here to another RSE costs, by the other's name; absent is no direct link."""
    readable: bool = True
    writable: bool = True
    deletable: bool = True
    naming: Annotated[str, Field(max_length=100)] = "hash"
    """Name of an installed `sancho.naming` plugin: it names the paths of files that clients put there themselves."""
    enabled: bool = True
    """Switched off, nothing there is read, written or deleted."""

    @field_validator("attributes")
    @classmethod
    def _not_implicit(cls, attributes: dict[str, Any]) -> dict[str, Any]:
        taken = next((name for name in IMPLICIT if name in attributes), None)
        if taken is not None:
            raise ValueError(f"every RSE has the attribute {taken} by itself")
        return attributes

    @model_validator(mode="after")
    def _reached_or_not(self) -> "RseSpec":
        if (self.plugin is None) != (self.prefix is None):
            raise ValueError("a plugin and a prefix go together")
        if self.plugin is None and (self.protocols or self.settings or self.domains):
            raise ValueError("the first protocol is the plugin and the prefix")
        return self

    @property
    def ways(self) -> tuple[ProtocolSpec, ...]:
        """All its protocols, the first one first."""
        if self.plugin is None or self.prefix is None:
            return ()
        first = ProtocolSpec(plugin=self.plugin, prefix=self.prefix, settings=self.settings, domains=self.domains)
        return first, *self.protocols

    def audience_of(self, name: str) -> str:
        """The audience, said or implied."""
        parts = urlsplit(self.prefix or f"rse://{name}")
        return self.audience or f"{parts.scheme}://{parts.netloc}"


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[RseSpec]]) -> None:
    at = await sites.sites_of(conn, vo, documents)
    for d in documents:
        for n, way in enumerate(d.spec.ways):
            at_field = "" if n == 0 else f"protocols.{n - 1}."
            sites.check_plugin("sancho.storage", way.plugin, way.settings, d, field=f"{at_field}plugin")
        sites.check_plugin("sancho.naming", d.spec.naming, {}, d, field="naming")
    ids = await sites.put_resources(
        conn,
        vo,
        ResourceKind.RSE,
        names=[d.name for d in documents],
        site_ids=[at[d.spec.site] for d in documents],
        switches=[(d.spec.enabled, {}) for d in documents],
    )
    said = [_described(d, ids[d.name], at[d.spec.site]) for d in documents]
    await store.put_rses(conn, vo, said)
    await store.put_protocols(conn, vo, said)
    known = {rse.name for rse in await store.rses(conn)}
    for d in documents:
        for other in d.spec.distances:
            if other not in known:
                raise RseNotFound(rse=other, field=d.field(f"distances.{other}"))


def _described(document: Named[RseSpec], rse_id: int, site_id: int) -> Described:
    spec = document.spec
    return Described(
        rse_id=rse_id, site_id=site_id, name=document.name, audience=spec.audience_of(document.name),
        protocols=tuple(_protocol(way, n) for n, way in enumerate(spec.ways, 1)), attributes=spec.attributes,
        readable=spec.readable, writable=spec.writable, deletable=spec.deletable, naming=spec.naming,
    )  # fmt: skip


def _protocol(way: ProtocolSpec, position: int) -> Protocol:
    domains = everything(position)
    if way.domains is not None:
        ranks = {"lan": way.domains.lan.model_dump(), "wan": way.domains.wan.model_dump()}
        domains = {domain: {op: rank for op, rank in said.items() if rank} for domain, said in ranks.items()}
    return Protocol(plugin=way.plugin, prefix=way.prefix, settings=way.settings, domains=domains)


async def _retire(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await store.drop_rses(conn, vo, names)
    await sites.drop_resources(conn, vo, ResourceKind.RSE, names)


async def _follow(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """Let distances be what all RSE documents say: one may name an RSE that came, or came back, later than itself."""
    if not any(c.kind == ResourceKind.RSE.value for c in changes):
        return
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)}
    seen = await store.rses(conn)
    owned = {(rse.vo, rse.name): rse.rse_id for rse in seen}
    sources: list[int] = []
    said: list[tuple[int, int, int]] = []
    for d in await vos.documents_after(conn, changes, ResourceKind.RSE.value):
        owner = numbers[d.vo or ""]
        source = owned.get((owner, d.name))
        if source is not None:
            sources.append(source)
            distances = cast(Mapping[str, int], d.spec.get("distances", {}))
            said += [(source, i, n) for other, n in distances.items() for i in _named(owned, owner, other)]
    await store.put_distances(conn, sources=sources, said=said)


def _named(owned: Mapping[tuple[int, str], int], owner: int, name: str) -> list[int]:
    """The RSE that a document means by a name: its owner's, or else the one of `instance`."""
    found = [owned[key] for key in ((owner, name), (0, name)) if key in owned]
    return found[:1]


RSE = Kind(
    name=ResourceKind.RSE.value, model=RseSpec, order=60, apply=_apply, retire=_retire, follow=_follow, instance=True,
    names=RESOURCE_NAME, permission="topology:manage", things=sites.things_at_site,
)  # fmt: skip
"""Documents that make RSEs."""

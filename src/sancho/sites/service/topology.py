"""Sites, CEs and grants: find them, and make documents about them come true."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, ValidationError, model_validator

from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.extensions import PluginUnknown, installed, load
from sancho.kit.units import Duration, Size
from sancho.sites import store
from sancho.sites.errors import (
    ComputeElementNotFound,
    PluginBroken,
    PluginMissing,
    ResourceNotFound,
    SettingsInvalid,
    SiteNotFound,
)
from sancho.sites.model import ComputeElement, Granted, ResourceKind, Site, Value
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound
from sancho.vos.model import RESOURCE_NAME, Change, Kind, Named

ATTRIBUTE_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
ATTRIBUTE_TEXT = re.compile(r"[A-Za-z0-9._-]{1,200}")


def _attribute_value(value: Any) -> Value:
    """A text that an RSE expression can name, a number or a boolean."""
    if isinstance(value, str) and ATTRIBUTE_TEXT.fullmatch(value):
        return value
    if isinstance(value, int | float) and math.isfinite(value) and abs(value) <= 2**53:
        return value
    raise ValueError("an attribute is a number, a boolean, or a text of letters, digits, '.', '_' and '-'")


Attributes = Annotated[
    dict[Annotated[str, Field(pattern=ATTRIBUTE_NAME)], Annotated[Any, AfterValidator(_attribute_value)]],
    Field(max_length=200),
]
ResourceName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
VoName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]


class SiteSpec(BaseModel, extra="forbid"):
    """A place with CEs or RSEs."""

    attributes: Attributes = {}
    enabled: bool = True
    """Switched off, nothing at the site is used."""


class GpuSpec(BaseModel, extra="forbid"):
    """Alike GPUs of a slot."""

    count: Annotated[int, Field(ge=1, le=1000)] = 1
    vendor: Annotated[str | None, Field(pattern=r"^[a-z0-9._-]{1,50}$", examples=["nvidia"])] = None
    memory: Annotated[Size, Field(ge=0)] = 0
    """Of each, in bytes or as "80 GB"."""
    capability: Annotated[str | None, Field(pattern=r"^[0-9]{1,3}(\.[0-9]{1,3})?$", examples=["8.6"])] = None


class MachineSpec(BaseModel, extra="forbid"):
    """What a slot is made of; a job that wants what is not said here does not run there."""

    system: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$", examples=["linux"])] = None
    architecture: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$", examples=["x86_64"])] = None
    microarchitecture: Annotated[int | None, Field(ge=1, le=1000)] = None
    """Its level: 3 of x86-64-v3."""
    power: Annotated[float | None, Field(gt=0, le=1e6)] = None
    """Of one core, in HEPscore23."""
    scratch: Annotated[Size | None, Field(ge=0)] = None
    io: Annotated[Size | None, Field(ge=0)] = None
    """Bytes a second that it reads from the storage of its site."""
    gpus: Annotated[list[GpuSpec], Field(max_length=20)] = []


class CarbonSpec(BaseModel, extra="forbid"):
    """What a core emits: grams of CO2 for a core-hour, or the watts of a core and how its electricity is made."""

    grams: Annotated[float | None, Field(ge=0, le=1e6, allow_inf_nan=False, examples=[4.5])] = None
    """For a core-hour."""
    watts: Annotated[float | None, Field(ge=0, le=1e5, allow_inf_nan=False, examples=[15])] = None
    """Of one core at work, with its part of the machine and the cooling."""
    grid: Annotated[float | None, Field(ge=0, le=1e4, allow_inf_nan=False, examples=[300])] = None
    """Grams of CO2 for a kilowatt-hour of the site's electricity."""

    @model_validator(mode="after")
    def _said_once(self) -> Self:
        if (self.watts is None) != (self.grid is None) or (self.grams is None) == (self.watts is None):
            raise ValueError("say the grams of a core-hour, or watts and grid")
        return self

    @property
    def of_core_hour(self) -> float:
        """Grams of CO2."""
        return self.grams if self.grams is not None else (self.watts or 0.0) * (self.grid or 0.0) / 1000


class ComputeElementSpec(BaseModel, extra="forbid"):
    """A door to one batch system, and what a slot behind it is like."""

    site: ResourceName
    plugin: Annotated[str, Field(max_length=100)]
    """Name of an installed `sancho.compute` plugin."""
    cores: Annotated[int, Field(ge=1, le=100_000)] = 1
    memory: Annotated[Size, Field(ge=1)] = 2_000_000_000
    walltime: Annotated[Duration, Field(le=timedelta(days=366))] = timedelta(hours=24)
    max_pilots: Annotated[int, Field(ge=0, le=10_000_000)] = 10
    """How many pilots may run or wait there at once."""
    tags: Annotated[
        list[Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:+-]{0,99}$")]], Field(max_length=100)
    ] = []
    """What a job may ask for by name: `gpu`, `env:demo`."""
    machine: MachineSpec = MachineSpec()
    price: Annotated[float | None, Field(ge=0, le=1e9, allow_inf_nan=False, examples=[0.02])] = None
    """Of a core-hour, in a unit that the operators and VOs agree on; see `RankWeights`."""
    carbon: CarbonSpec | None = None
    settings: dict[str, Any] = {}
    """What the plugin needs to know."""
    enabled: bool = True


class Resource(BaseModel, extra="forbid"):
    """A resource by kind and name."""

    kind: ResourceKind
    name: ResourceName


class GrantSpec(BaseModel, extra="forbid"):
    """Lets other VOs use a resource; with a site, everything its owner has there, now and later."""

    resource: Resource
    to: Annotated[list[VoName], Field(min_length=1, max_length=10_000)]


async def sites(conn: Connection) -> list[Site]:
    """Every site that this transaction sees, in order of their names."""
    return await store.sites(conn)


async def get_site(conn: Connection, name: str, *, field: str | None = "site") -> Site:
    """Return a site by name; raises `SiteNotFound`, blaming `field`."""
    found = await store.sites(conn, names=[name]) if re.fullmatch(RESOURCE_NAME, name) else []
    if not found:
        raise SiteNotFound(site=name, field=field)
    return found[0]


async def site_ids(conn: Connection, vo: int, names: Sequence[str], *, field: str | None = "sites") -> dict[str, int]:
    """Ids of sites that a VO may use, by name; of two of one name, its own.

    Raises `SiteNotFound` for the first that it may not use, or that does not exist.
    """
    wanted = [name for name in names if re.fullmatch(RESOURCE_NAME, name)]
    found: dict[str, int] = {}
    for site in await store.sites(conn, vo=vo, names=wanted) if wanted else []:
        found.setdefault(site.name, site.site_id)
    missing = next((name for name in names if name not in found), None)
    if missing is not None:
        raise SiteNotFound(site=missing, field=field)
    return found


async def ces(conn: Connection) -> list[ComputeElement]:
    """Every CE that this transaction sees, in order of their names."""
    return await store.ces(conn)


async def ce(conn: Connection, ce_id: int) -> ComputeElement:
    """Return a CE by id; raises `ComputeElementNotFound`."""
    found = await store.ces(conn, ce_id=ce_id)
    if not found:
        raise ComputeElementNotFound(ce=ce_id, field=None)
    return found[0]


async def get_ce(conn: Connection, name: str, *, field: str | None = "ce") -> ComputeElement:
    """Return a CE by name; raises `ComputeElementNotFound`, blaming `field`."""
    found = await store.ces(conn, name=name) if re.fullmatch(RESOURCE_NAME, name) else []
    if not found:
        raise ComputeElementNotFound(ce=name, field=field)
    return found[0]


async def put_resources(
    conn: Connection, vo: int, kind: ResourceKind, *, names: Sequence[str], site_ids: Sequence[int | None],
    switches: Sequence[tuple[bool, dict[str, Any]]],
) -> dict[str, int]:  # fmt: skip
    """Make or change the resources behind CEs or RSEs; return their ids by name.

    `switches` says for each whether it is enabled, and its attributes. For features whose things share a resource's id.
    """
    return await store.put_resources(conn, vo, kind.letter, names=names, site_ids=site_ids, switches=switches)


async def drop_resources(conn: Connection, vo: int, kind: ResourceKind, names: Sequence[str]) -> None:
    """Remove resources and what describes them; a foreign key objects when something still refers to them."""
    await store.drop_resources(conn, vo, kind.letter, names)


def check_plugin(
    group: str, plugin: str, settings: dict[str, Any], document: Named[Any], *, field: str = "plugin"
) -> None:
    """Blame the document unless a plugin can be made as it says.

    Raises `PluginMissing`, `PluginBroken` or `SettingsInvalid`.
    """
    try:
        load(group, plugin).Settings.model_validate(settings)
    except PluginUnknown:
        there = ", ".join(sorted(installed(group))) or "none"
        raise PluginMissing(plugin=plugin, installed=there, field=document.field(field)) from None
    except ImportError as e:
        raise PluginBroken(plugin=plugin, reason=str(e), field=document.field(field)) from e
    except ValidationError as e:
        faults = e.errors(include_url=False, include_input=False)
    else:
        return
    beside = field[: field.rfind(".") + 1]
    paths = [".".join([f"{beside}settings", *(str(part) for part in fault["loc"])]) for fault in faults]
    said = "; ".join(f"{path}: {fault['msg']}" for path, fault in zip(paths, faults, strict=True))
    raise SettingsInvalid(plugin=plugin, problems=said, field=document.field(paths[0]))


async def _apply_sites(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[SiteSpec]]) -> None:
    await store.put_resources(
        conn,
        vo,
        ResourceKind.SITE.letter,
        names=[d.name for d in documents],
        site_ids=[None] * len(documents),
        switches=[(d.spec.enabled, d.spec.attributes) for d in documents],
    )


async def _retire_sites(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await drop_resources(conn, vo, ResourceKind.SITE, names)


async def sites_of(conn: Connection, vo: int, documents: Sequence[Named[Any]]) -> dict[str, int]:
    """Ids of the sites that documents name in their `site`; blames the first document whose site does not exist."""
    found = {
        site.name: site.site_id
        for site in reversed(await store.sites(conn, vo=vo, names=[d.spec.site for d in documents]))
    }
    for d in documents:
        if d.spec.site not in found:
            raise SiteNotFound(site=d.spec.site, field=d.field("site"))
    return found


async def _apply_ces(
    conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[ComputeElementSpec]]
) -> None:
    at = await sites_of(conn, vo, documents)
    for d in documents:
        check_plugin("sancho.compute", d.spec.plugin, d.spec.settings, d)
    ids = await put_resources(
        conn,
        vo,
        ResourceKind.CE,
        names=[d.name for d in documents],
        site_ids=[at[d.spec.site] for d in documents],
        switches=[(d.spec.enabled, {}) for d in documents],
    )
    said = [
        ComputeElement(
            ce_id=ids[d.name], vo=vo, name=d.name, site_id=at[d.spec.site], vos=(),
            **d.spec.model_dump(exclude={"tags", "machine", "carbon"}), tags=tuple(dict.fromkeys(d.spec.tags)),
            machine=d.spec.machine.model_dump(exclude_none=True, exclude_defaults=True),
            carbon=None if d.spec.carbon is None else d.spec.carbon.of_core_hour,
        )
        for d in documents
    ]  # fmt: skip
    await store.put_ces(conn, vo, said)


async def _retire_ces(conn: Connection, _caller: Principal, vo: int, names: Sequence[str]) -> None:
    await drop_resources(conn, vo, ResourceKind.CE, names)


async def _check_grants(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[GrantSpec]]) -> None:
    known = {v.name for v in await vos.list_vos(conn)}
    for d in documents:
        for i, name in enumerate(d.spec.to):
            if name not in known:
                raise VoNotFound(vo=name, field=d.field(f"to.{i}"))
    named = [(d.spec.resource.kind.letter, d.spec.resource.name) for d in documents]
    for place in (await store.missing(conn, vo, named))[:1]:
        wrong = documents[place]
        raise ResourceNotFound(
            kind=wrong.spec.resource.kind.value, name=wrong.spec.resource.name, field=wrong.field("resource.name")
        )


async def _retire_grants(_conn: Connection, _caller: Principal, _vo: int, _names: Sequence[str]) -> None:
    """`_follow_grants` has seen them go."""


async def _follow_grants(conn: Connection, _caller: Principal, changes: Sequence[Change]) -> None:
    """Let VOs use what the grants say, what has come to a granted site since too, and what no grant says, no more."""
    if not any(c.kind == "Grant" or c.kind in {kind.value for kind in ResourceKind} for c in changes):
        return
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)}
    documents = await vos.documents_after(conn, changes, "Grant")
    wanted = [g for d in documents for g in _granted(numbers, d.vo or "", d.spec)]
    earlier = [
        g for c in changes if c.kind == "Grant" and c.before is not None for g in _granted(numbers, c.vo, c.before)
    ]  # fmt: skip
    allowed = await store.reach(conn, wanted)
    await store.drop_grants(conn, sorted(await store.reach(conn, earlier) - allowed))
    await store.add_grants(conn, sorted(allowed))


def _granted(numbers: dict[str, int], owner: str, spec: dict[str, Any]) -> list[Granted]:
    said = GrantSpec.model_validate(spec)
    resource = said.resource
    return [
        Granted(vo=numbers[owner], kind=resource.kind, name=resource.name, to_vo=numbers[name]) for name in said.to
    ]  # fmt: skip


def things_at_site(_name: str, spec: Mapping[str, Any]) -> list[str]:
    """What a document about something at a site is about: the site, and the plugin, which may reach beyond it."""
    return [f"site:{spec['site']}", f"plugin:{spec['plugin']}"]


SITE = Kind(
    name=ResourceKind.SITE.value, model=SiteSpec, order=40, apply=_apply_sites, retire=_retire_sites, instance=True,
    names=RESOURCE_NAME, permission="topology:manage", things=lambda name, _: [f"site:{name}"],
)  # fmt: skip
COMPUTE_ELEMENT = Kind(
    name=ResourceKind.CE.value, model=ComputeElementSpec, order=50, apply=_apply_ces, retire=_retire_ces, instance=True,
    names=RESOURCE_NAME, permission="topology:manage", things=things_at_site,
)  # fmt: skip
GRANT = Kind(
    name="Grant", model=GrantSpec, order=65, apply=_check_grants, retire=_retire_grants, follow=_follow_grants,
    instance=True, names=RESOURCE_NAME,
)  # fmt: skip

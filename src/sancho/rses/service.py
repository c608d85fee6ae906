"""RSEs: find them, by name or by expression, say where files lie on them, and make documents about them come true."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any, cast
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, Field, field_validator

from sancho.kit.access import Principal, Signer
from sancho.kit.db import Connection
from sancho.kit.extensions import Extensions
from sancho.rses import expression as language
from sancho.rses import plan, store
from sancho.rses.errors import PathNotYours, PathUnfit, RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rses.model import Place, Protocol, Rse
from sancho.sites import service as sites
from sancho.sites.model import ResourceKind
from sancho.sites.service import Attributes, ResourceName
from sancho.vos import service as vos
from sancho.vos.model import RESOURCE_NAME, Change, Kind, Named
from sancho_contract.naming import Naming
from sancho_contract.storage import Storage

IMPLICIT = ("rse", "site")
"""Attributes that every RSE has by itself."""


async def rses(conn: Connection, *, vo: int | None = None) -> list[Rse]:
    """Every RSE that this transaction sees, in order of their names; with `vo`, those that this VO may use.

    A transaction that serves one VO needs no `vo`; one that serves many does, when it acts for one of them.
    """
    return await store.rses(conn, vo=vo)


async def get(conn: Connection, name: str, *, field: str | None = "rse", vo: int | None = None) -> Rse:
    """Return an RSE by name; raises `RseNotFound`, blaming `field`. `vo` as in `rses`."""
    found = await store.rses(conn, name=name, vo=vo) if re.fullmatch(RESOURCE_NAME, name) else []
    if not found:
        raise RseNotFound(rse=name, field=field)
    return found[0]


async def by_id(conn: Connection, ids: Iterable[int]) -> dict[int, Rse]:
    """Return RSEs by id; those that this transaction does not see are left out."""
    wanted = sorted(set(ids))
    return {rse.rse_id: rse for rse in await store.rses(conn, ids=wanted)} if wanted else {}


async def resolve(
    conn: Connection, expression: str, *, field: str | None = "rse_expression", vo: int | None = None
) -> list[Rse]:
    """The RSEs that an expression means, in order of their names: at least one.

    Raises `RseExpressionInvalid`, which shows where, or `RseExpressionEmpty`; both blame `field`. `vo` as in `rses`.
    """
    formula = parse(expression, field=field)
    seen = {rse.rse_id: rse for rse in await store.rses(conn, vo=vo)}
    subjects = {i: language.Subject(rse.name, rse.site, rse.attributes) for i, rse in seen.items()}
    found = language.evaluate(formula, subjects)
    if not found:
        raise RseExpressionEmpty(expression=expression, field=field)
    return [rse for i, rse in seen.items() if i in found]


def parse(expression: str, *, field: str | None = "rse_expression") -> language.Formula:
    """Read an expression without looking at any RSE; raises `RseExpressionInvalid`, blaming `field`."""
    try:
        return language.parse(expression)
    except RseExpressionInvalid as e:
        e.field = field
        raise


async def distances(conn: Connection) -> dict[tuple[int, int], int]:
    """The distances between RSEs that this transaction sees, from one id to another; absent is no direct link."""
    return await store.distances(conn)


async def distances_from(conn: Connection, site_id: int) -> dict[int, int]:
    """How far each RSE is from the nearest RSE of a site; absent is no direct link."""
    return await store.distances_from(conn, site_id)


async def nearness(conn: Connection, known: Iterable[Rse], site_id: int) -> dict[int, tuple[int, int]]:
    """What to sort these RSEs by for a reader at a site, by id: its own first, then by distance, none being last."""
    to = await store.distances_to(conn, site_id)
    return {
        rse.rse_id: (0, 0) if rse.site_id == site_id else (1, to[rse.rse_id]) if rse.rse_id in to else (2, 0)
        for rse in known
    }


def place(rse: Rse, vo_name: str, scope: str, did_id: int, name: str, path: str | None = None) -> Place:
    """Where a file lies on an RSE: below the RSE's prefix, in its VO's own area, under its id and name.

    `path` is where its replica is said to lie instead, if it is. Raises `PlaceUnfit` for names that would lead
    elsewhere.
    """
    if path is not None:
        return Place(url=rse.prefix + path, path=path)
    return plan.place(rse.prefix, vo_name, scope, did_id, name)


def path_below(rse: Rse, url: str) -> str | None:
    """The path of a URL below the prefix of an RSE, as `Place.path`; None when it is elsewhere or not spelled plainly.

    A path, with a slash at its beginning, is taken as one below the prefix.
    """
    return plan.path_below(rse.prefix, url)


def file_at(path: str) -> int | None:
    """The id of the file that lies at a path, unless it is said to lie elsewhere; None when the path is of no id.

    Compare with `place` who it is.
    """
    return plan.file_at(path)


def said_path(rse: Rse, vo_name: str, url: str, *, field: str = "path") -> str:
    """The path at which a file of a VO is said to lie, as a URL or a path; raises `PathUnfit`, blaming `field`.

    It is plain, in the VO's own area, and is not where an id puts a file.
    """
    path = plan.path_below(rse.prefix, url)
    reason = (
        f"it is not below {rse.prefix}, or not spelled plainly" if path is None else plan.fault_of_path(path, vo_name)
    )
    if path is None or reason is not None:
        raise PathUnfit(path=url, rse=rse.name, reason=reason or "", field=field)
    return path


def named_path(extensions: Extensions, rse: Rse, vo_name: str, scope: str, name: str) -> str:
    """The path, as `Place.path`, at which clients that ask nobody put a file of a VO on an RSE."""
    naming = cast(Naming, extensions.get("sancho.naming", rse.naming))
    return f"/{quote(vo_name, '')}/{quote(naming.path(scope, name), '/')}"


def pfn(rse: Rse, path: str) -> str:
    """The URL of a path on an RSE as other systems spell it: with host and port, said or implied."""
    return plan.pfn(rse.prefix, path)


def token(
    signer: Signer, rse: Rse, *, subject: str, lifetime: timedelta,
    read: Sequence[str] = (), create: Sequence[str] = (), modify: Sequence[str] = (),
) -> str:  # fmt: skip
    """Make a token for an RSE's storage, and for nothing else, that allows these paths (`Place.path`).

    It is signed with ES256: libscitokens, in XRootD and HTCondor, knows no Ed25519.
    """
    claims = {"sub": subject, "aud": rse.audience, "scope": plan.token_scope(read, create, modify), "wlcg.ver": "1.0"}
    return signer.sign(claims, lifetime, algorithm="ES256")


async def reading_token(
    signer: Signer, conn: Connection, caller: Principal, audience: str, scope: str, lifetime: timedelta
) -> str | None:
    """Exchange: a token that reads in the area of the caller's VO on the RSE of an audience; None for no RSE's.

    `scope` are `storage.read:/VO/…` paths, as `Place.path` says them. Raises `PathNotYours` for any other.
    """
    rse = next((r for r in await store.rses(conn, vo=caller.vo) if r.audience == audience), None)
    if rse is None:
        return None
    paths = plan.readable_paths(scope, caller.vo_name)
    if isinstance(paths, str):
        raise PathNotYours(word=paths[:200], vo=caller.vo_name)
    return token(signer, rse, subject=f"{caller.vo_name}:{caller.account}", lifetime=lifetime, read=paths)


def storage(extensions: Extensions, rse: Rse) -> Storage:
    """The plugin that reaches an RSE's storage; one for all RSEs with its settings, so do not close it."""
    return cast(Storage, extensions.get("sancho.storage", rse.plugin, rse.settings))


class RseSpec(BaseModel, extra="forbid"):
    """One space on one storage."""

    site: ResourceName
    plugin: Annotated[str, Field(max_length=100)]
    """Name of an installed `sancho.storage` plugin."""
    prefix: Annotated[str, Field(max_length=1000, pattern=r"^[a-z][a-z0-9+.-]*://[^\s?#]*$")]
    """URL below which everything lies."""
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

    @field_validator("prefix")
    @classmethod
    def _without_slash(cls, prefix: str) -> str:
        return re.sub(r"(?<![:/])/+$", "", prefix)

    @property
    def audience_or_origin(self) -> str:
        """The audience, said or implied."""
        parts = urlsplit(self.prefix)
        return self.audience or f"{parts.scheme}://{parts.netloc}"


async def _apply(conn: Connection, _caller: Principal, vo: int, documents: Sequence[Named[RseSpec]]) -> None:
    at = await sites.sites_of(conn, vo, documents)
    for d in documents:
        sites.check_plugin("sancho.storage", d.spec.plugin, d.spec.settings, d)
        sites.check_plugin("sancho.naming", d.spec.naming, {}, d, field="naming")
    ids = await sites.put_resources(
        conn,
        vo,
        ResourceKind.RSE,
        names=[d.name for d in documents],
        site_ids=[at[d.spec.site] for d in documents],
        switches=[(d.spec.enabled, {}) for d in documents],
    )
    said = [_protocol(d, ids[d.name], at[d.spec.site]) for d in documents]
    await store.put_rses(conn, vo, said)
    await store.put_protocols(conn, vo, said)
    known = {rse.name for rse in await store.rses(conn)}
    for d in documents:
        for other in d.spec.distances:
            if other not in known:
                raise RseNotFound(rse=other, field=d.field(f"distances.{other}"))


def _protocol(document: Named[RseSpec], rse_id: int, site_id: int) -> Protocol:
    spec = document.spec
    return Protocol(
        rse_id=rse_id, site_id=site_id, name=document.name, audience=spec.audience_or_origin, plugin=spec.plugin,
        prefix=spec.prefix, settings=spec.settings, attributes=spec.attributes, readable=spec.readable,
        writable=spec.writable, deletable=spec.deletable, naming=spec.naming,
    )  # fmt: skip


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

"""Find RSEs, by name or by expression, and say how they are reached and where files lie on them."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import cast
from urllib.parse import SplitResult, quote

from sancho.kit.access import Principal, Signer
from sancho.kit.db import Connection
from sancho.kit.extensions import Extensions
from sancho.rses import expression as language
from sancho.rses import plan, store
from sancho.rses.errors import PathNotYours, PathUnfit, RseExpressionEmpty, RseExpressionInvalid, RseNotFound
from sancho.rses.model import Domain, Operation, Place, Protocol, Rse
from sancho.vos.model import RESOURCE_NAME
from sancho_contract.naming import Naming
from sancho_contract.storage import Storage


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


def reached(
    known: Iterable[Rse], operation: Operation, domain: Domain = Domain.WAN, *, schemes: Collection[str] | None = None
) -> dict[int, Rse]:
    """These RSEs by id, each as it is reached best for an operation from a domain, by one of some schemes or any.

    Those that have no protocol for that are left out. What an RSE may be used for now is for others to look at.
    """
    found = {rse.rse_id: (rse, rse.protocols_for(operation, domain, schemes)) for rse in known}
    return {rse_id: by(rse, protocols[0]) for rse_id, (rse, protocols) in found.items() if protocols}


def by(rse: Rse, protocol: Protocol) -> Rse:
    """An RSE as if this were the one way to reach it: the URLs that are made of it are those of the protocol."""
    return replace(
        rse, plugin=protocol.plugin, prefix=protocol.prefix, settings=protocol.settings, domains=protocol.domains,
        others=(),
    )  # fmt: skip


def place(rse: Rse, vo_name: str, scope: str, did_id: int, name: str, path: str | None = None) -> Place:
    """Where a file lies on an RSE: below the RSE's prefix, in its VO's own area, under its id and name.

    `path` is where its replica is said to lie instead, if it is. Raises `PlaceUnfit` for names that would lead
    elsewhere.
    """
    if path is not None:
        return Place(url=rse.prefix + path, path=path)
    return plan.place(rse.prefix, vo_name, scope, did_id, name)


def path_below(rse: Rse, url: str) -> str | None:
    """The path of a URL below a prefix of an RSE, as `Place.path`; None when it is elsewhere or not spelled plainly.

    A path, with a slash at its beginning, is taken as one below the prefix.
    """
    found = (plan.path_below(protocol.prefix, url) for protocol in rse.protocols)
    return next((path for path in found if path is not None), None)


def file_at(path: str) -> int | None:
    """The id of the file that lies at a path, unless it is said to lie elsewhere; None when the path is of no id.

    Compare with `place` who it is.
    """
    return plan.file_at(path)


def said_path(rse: Rse, vo_name: str, url: str, *, field: str = "path") -> str:
    """The path at which a file of a VO is said to lie, as a URL or a path; raises `PathUnfit`, blaming `field`.

    It is plain, in the VO's own area, and is not where an id puts a file.
    """
    path = path_below(rse, url)
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


def port_of(parts: SplitResult) -> int:
    """The port of a URL, said or implied by its scheme; 0 for what listens nowhere."""
    return plan.port_of(parts)


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

"""Find VOs, and what their configuration says or said."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from sancho.kit.access import INSTANCE, Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.vos import store
from sancho.vos.errors import VersionNotFound, VersionOfOthers, VoNotFound
from sancho.vos.model import VO, Change, Document, Spec, Version


async def find(conn: Connection, name: str) -> VO | None:
    """Find a VO by name; needs no VO to be served."""
    return await store.find(conn, name)


async def acting(deployment: Deployment, caller: Principal, name: str | None) -> Principal:
    """The caller, acting in the VO that was asked for, or in its own for None.

    Only who administers the installation may name another: for everybody else, `VoNotFound` is raised for it.
    """
    if name is None or name == caller.vo_name:
        return caller
    if caller.is_instance_admin:
        async with deployment.database.transaction([INSTANCE]) as conn:
            known = await store.find(conn, name)
        if known is not None and known.vo in caller.vos:
            return replace(caller, vo=known.vo, vo_name=known.name)
    raise VoNotFound(vo=name, field="vo")


async def get(conn: Connection, name: str, *, field: str | None = "vo") -> VO:
    """Return a VO by name; raises `VoNotFound`, blaming `field`."""
    found = await store.find(conn, name)
    if found is None:
        raise VoNotFound(vo=name, field=field)
    return found


async def list_vos(conn: Connection) -> list[VO]:
    """Every VO, `instance` included, in order of their ids."""
    return await store.all_vos(conn)


async def current_version(conn: Connection) -> int | None:
    """The number of the newest configuration that concerns a VO this transaction serves; None before the first."""
    return await store.current_version(conn)


async def lock_configuration(conn: Connection) -> None:
    """Wait until no apply runs and let none run until this transaction ends: for who reads, then decides to apply."""
    await store.lock_configuration(conn)


async def versions(
    conn: Connection, caller: Principal, *, before: int | None = None, limit: int = 100
) -> list[Version]:
    """What was applied for the caller's VOs, newest first, from below version `before` on."""
    require(caller, "configuration:apply")
    return await store.list_versions(conn, caller.vos, before=before, limit=limit)


async def changes(conn: Connection, caller: Principal, version: int) -> list[Change]:
    """What a version changed, as far as the caller's VOs own it; raises `VersionNotFound`, or `VersionOfOthers`."""
    require(caller, "configuration:apply")
    await require_version(conn, caller, version)
    found = await store.changes(conn, caller.vos, version)
    if not found:
        raise VersionOfOthers(version=version, vo=caller.vo_name)
    return found


async def require_version(conn: Connection, caller: Principal, version: int) -> None:
    """Raise `VersionNotFound` unless a version concerns the caller's VOs."""
    newest = await store.list_versions(conn, caller.vos, before=version + 1, limit=1)
    if [v.version for v in newest] != [version]:
        raise VersionNotFound(version=version)


async def documents(conn: Connection, vos: Iterable[int], *, kind: str | None = None) -> list[Document]:
    """The newest documents that these VOs own, of one kind or all; the transaction serves the VOs."""
    names = {vo.vo: vo.name for vo in await store.all_vos(conn)}
    recorded = await store.state(conn, list(vos), kind=kind)
    return [Document(kind=k, name=name, vo=names[vo], spec=spec) for (vo, k, name), spec in recorded.items()]


async def find_spec(conn: Connection, vo: int, kind: str, name: str) -> Spec | None:
    """What the newest version says of a document; None when there is none."""
    return (await store.newest(conn, [(vo, kind, name)])).get((vo, kind, name))


async def documents_after(conn: Connection, changes: Sequence[Change], kind: str) -> list[Document]:
    """Every document of a kind that this transaction sees, as it will be after `changes`: for a kind's `follow`."""
    known = {(d.vo, d.name): d for d in await documents(conn, await store.served(conn), kind=kind)}
    for change in changes:
        if change.kind == kind and change.after is None:
            known.pop((change.vo, change.name), None)
        elif change.kind == kind and change.after is not None:
            known[change.vo, change.name] = Document(kind=kind, name=change.name, vo=change.vo, spec=change.after)
    return list(known.values())

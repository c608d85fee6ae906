"""The end of DIDs: erasure after a time of grace, and what a worker does when that is over.

Whether something protects a DID is known above: `rules` asks here what is due, and says what may end.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sancho.dids.errors import ErasureBegun
from sancho.dids.model import Did, DidKind, Ended
from sancho.dids.service.catalogue import require_changes, resolve
from sancho.dids.service.changing import announced
from sancho.dids.store import archives, attaching, ending, metadata
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.tasks import defer

DETACHED_AT_ONCE = 5000
"""Attachments that one transaction ends."""


async def erase(conn: Connection, caller: Principal, dids: Sequence[str], *, after: timedelta) -> list[Did]:
    """Have DIDs erased after some time, whatever time was said before; until then `restore` undoes it.

    For their owners, those of their scopes, or `dids:manage`; all or none. A dataset takes those of its files along
    that are in nothing else and belong to the same account; containers and smart datasets take nothing along. What
    rules of others are on or above, or a closed or monotonic collection holds, stays until they let go. Raises
    `ErasureBegun`.
    """
    found = await resolve(conn, caller.vo, dids)
    require_changes(caller, found)
    begun = await ending.put(conn, caller.vo, dict.fromkeys((did.did_id for did in found), after))
    _refuse_begun(found, begun)
    return await resolve(conn, caller.vo, dids)


async def restore(conn: Connection, caller: Principal, dids: Sequence[str]) -> list[Did]:
    """Let DIDs live on that were to be erased; others do anyway. For whom and raising as `erase`."""
    found = await resolve(conn, caller.vo, dids)
    require_changes(caller, found)
    _refuse_begun(found, await ending.restore(conn, caller.vo, [did.did_id for did in found]))
    return await resolve(conn, caller.vo, dids)


async def set_lifetime(conn: Connection, caller: Principal, did: str, lifetime: timedelta | None) -> Did:
    """Let a DID live so long from now on; None: for ever. Its end is that of `erase`; for whom and raising as that."""
    if lifetime is None:
        return (await restore(conn, caller, [did]))[0]
    return (await erase(conn, caller, [did], after=lifetime))[0]


def _refuse_begun(found: Sequence[Did], begun: Sequence[int]) -> None:
    for did in found:
        if did.did_id in begun:
            raise ErasureBegun(did=did.did)


# ---- for the worker


async def claim_ended(
    conn: Connection, vos: Sequence[int], *, now: datetime, until: datetime, each: int
) -> dict[int, list[int]]:
    """Ids of DIDs whose time has come, by VO, as many of each; nobody else gets them before `until`."""
    found: dict[int, list[int]] = {}
    for vo, did_id in await ending.claim(conn, vos, now=now, until=until, each=each):
        found.setdefault(vo, []).append(did_id)
    return found


async def lock_ended(
    conn: Connection, vo: int, did_ids: Sequence[int], *, now: datetime, inside: Sequence[int] | None = None
) -> list[Ended]:
    """Those of these DIDs whose time has come still, locked with all that they are in: no rule comes over them.

    What was to follow its dataset or archive and has come into another one lives on. None when what holds them has
    changed while this waited: look again later. With `inside`, of what lies in an archive these alone are locked. The
    keys of metadata stay as they are meanwhile, for documents end too.
    """
    await metadata.hold_keys(conn, vo)  # before DIDs: who changes keys holds documents, and refers to DIDs
    if await ending.lock(conn, vo, did_ids, inside) != await ending.lock(conn, vo, did_ids, inside):
        return []
    due = await ending.still_due(conn, vo, did_ids, now=now)
    rescued = await ending.attached(conn, vo, [one.did_id for one in due if one.follows])
    if rescued:
        await ending.restore(conn, vo, rescued)
    return [one for one in due if one.did_id not in rescued]


async def held_firmly(conn: Connection, vo: int, did_ids: Sequence[int]) -> dict[int, str]:
    """Why those of these DIDs cannot end that are in a closed or monotonic collection, by id."""
    found = await ending.firm_parents(conn, vo, did_ids)
    return {
        did_id: f"{parent}, which {'only grows' if monotonic else 'is closed'}, holds it"
        for did_id, (parent, monotonic) in found.items()
    }


async def put_off(
    conn: Connection, vo: int, reasons: Mapping[int, str | None], *, until: datetime, begun: bool = False
) -> None:
    """Look at locked DIDs again later, and show why they are still there; with `begun`, nobody can restore them."""
    if reasons:
        await ending.put_off(conn, vo, reasons, until=until, begun=begun)


async def empty(conn: Connection, vo: int, collections: Sequence[Ended]) -> bool:
    """Take what locked collections hold out of them, a batch of it; say whether they are empty now.

    A file that was only in such a dataset, and belongs to its account, ends next. Rules above are told.
    """
    pairs = await ending.detach(conn, vo, parent_ids=[one.did_id for one in collections], limit=DETACHED_AT_ONCE)
    await _count_off(conn, vo, pairs)
    if pairs:
        await ending.follow(conn, vo, pairs)
    return len(pairs) < DETACHED_AT_ONCE


async def unpack_ended(
    conn: Connection, vo: int, archive_id: int, did_ids: Sequence[int], *, orphans: Sequence[int]
) -> None:
    """Take locked files out of a locked archive that ends; `orphans` are those that lie nowhere else: they end next."""
    await archives.delete(conn, vo, archive_id, did_ids)
    if orphans:
        await ending.end_next(conn, vo, orphans)


async def end(conn: Connection, vo: int, ended: Sequence[Ended], *, orphans: Sequence[int] = ()) -> None:
    """Let locked DIDs that hold nothing be no more: they go out of what they are in, and their names are gone.

    `orphans` lay in them as archives and nowhere else; they end next. A name is not used again, so that what refers to
    it later, as provenance and history do, is never about another.
    """
    ids = [one.did_id for one in ended]
    while pairs := await ending.detach(conn, vo, child_ids=ids, limit=DETACHED_AT_ONCE):
        await _count_off(conn, vo, pairs)
    if orphans:
        await ending.end_next(conn, vo, orphans)
    await ending.end(conn, vo, ids)


async def _count_off(conn: Connection, vo: int, pairs: Sequence[tuple[int, int]]) -> None:
    if not pairs:
        return
    changes = await ending.counted(conn, vo, pairs)
    if changes:
        await attaching.add_to_tallies(conn, vo, changes)
    parent_ids = sorted({parent_id for parent_id, _ in pairs})
    child_ids = sorted({child_id for _, child_id in pairs})
    async for file_ids in announced(conn, vo, DidKind.CONTAINER, child_ids):
        await defer(conn, "rules:retract", vo=vo, parent_ids=parent_ids, file_ids=file_ids)

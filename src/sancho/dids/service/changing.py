"""What collections hold: attaching, detaching, closing."""

from collections.abc import AsyncIterator, Sequence

from sancho.dids.errors import (
    CollectionClosed,
    CollectionMonotonic,
    Cycle,
    DidNotFound,
    IsPublic,
    KindsMismatch,
    NotACollection,
)
from sancho.dids.model import Did, DidKind, batches
from sancho.dids.service.catalogue import by_id, get, get_collection, require_change, resolve
from sancho.dids.store import attaching, contents, publishing
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.tasks import defer

ANNOUNCED = 10_000
"""Files that one task `rules:extend` or `rules:retract` is told of."""
TOLD_AT_ONCE = 10
"""Such tasks that one transaction queues."""


async def attach(
    conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int], *, announce: bool = True
) -> list[int]:
    """Put DIDs into a collection; return the ids of those that were not in it yet, in order.

    Raises `NotACollection`, `CollectionClosed`, `KindsMismatch`, `Cycle`, or `DidNotFound` for a child that does
    not exist. The collection cannot be closed before the transaction ends. With `announce`, a task brings what is
    new under the rules above; without, the caller does.
    """
    kind, _ = await _lock_open(conn, vo, parent_id)
    if kind is DidKind.CONTAINER:
        await contents.lock_containers(conn, vo)
        circle = set(await contents.holders(conn, vo, parent_id)).intersection(child_ids)
        if circle:
            parent, child = await _names(conn, vo, parent_id, min(circle))
            raise Cycle(parent=parent.did, child=child.did)
    wanted = sorted(set(child_ids))
    fitting, new, size = await contents.insert_attachments(conn, vo, parent_id, wanted, kind.holds)
    if fitting < len(wanted):
        await _blame_child(conn, vo, parent_id, list(child_ids))
    if new:
        files = len(new) if kind is DidKind.DATASET else 0
        await contents.add_to_tally(conn, vo, parent_id, files, size)
    if announce:
        await tell(conn, vo, kind, ([parent_id], new), gone=False)
    return new


async def detach(conn: Connection, vo: int, parent_id: int, child_ids: Sequence[int]) -> list[int]:
    """Take DIDs out of an open collection; return the ids of those that were in it, in order.

    Raises `NotACollection`, `CollectionClosed`, `CollectionMonotonic` or `DidNotFound`. A task takes what is gone
    from the rules above.
    """
    kind, monotonic = await _lock_open(conn, vo, parent_id)
    if monotonic:
        raise CollectionMonotonic(did=(await _names(conn, vo, parent_id))[0].did, field="parent")
    gone, size = await contents.delete_attachments(conn, vo, parent_id, child_ids)
    if gone:
        files = len(gone) if kind is DidKind.DATASET else 0
        await contents.add_to_tally(conn, vo, parent_id, -files, -size)
    await tell(conn, vo, kind, ([parent_id], gone), gone=True)
    return gone


async def tell(
    conn: Connection, vo: int, kind: DidKind, pairs: tuple[list[int], list[int]], *, gone: bool, after: int = 0
) -> None:
    """Tell rules of what has come into collections of this kind, or is gone, by the ids of both; of much, a task does.

    Of what is below the children of containers, only files above `after`.
    """
    told, (parent_ids, child_ids) = 0, pairs
    async for file_ids in announced(conn, vo, kind, child_ids, after=after):
        if told == TOLD_AT_ONCE:
            await defer(
                conn, "dids:announce", vo=vo, parent_ids=parent_ids, child_ids=child_ids, gone=gone, behind=after
            )  # fmt: skip
            return
        if gone:
            await defer(conn, "rules:retract", vo=vo, parent_ids=parent_ids, file_ids=file_ids)
        else:
            await defer(conn, "rules:extend", vo=vo, parent_ids=parent_ids, file_ids=file_ids)
        told, after = told + 1, file_ids[-1]


async def announce_rest(
    conn: Connection, vo: int, parent_ids: list[int], child_ids: list[int], *, gone: bool, after: int
) -> None:
    """Tell rules of more of what is below the children of containers, above an id, and queue the rest."""
    await tell(conn, vo, DidKind.CONTAINER, (parent_ids, child_ids), gone=gone, after=after)


async def announced(
    conn: Connection, vo: int, kind: DidKind, child_ids: list[int], *, after: int = 0
) -> AsyncIterator[list[int]]:
    """Ids of the files among or below the children of a collection of this kind, in batches: what rules are told of.

    Of a container's, those above `after`.
    """
    if kind is DidKind.DATASET:
        for file_ids in batches(child_ids, ANNOUNCED):
            yield file_ids
        return
    leaves = await contents.leaves(conn, vo, child_ids)
    while file_ids := await contents.file_ids(conn, vo, leaves, after=after, limit=ANNOUNCED):
        yield file_ids
        after = file_ids[-1]


async def close(conn: Connection, vo: int, did_id: int) -> bool:
    """Close a collection for good, or until its owner opens it; False when it was closed. A file is always closed.

    Whoever is attaching to it ends first. The slots of its tally become one.
    """
    if not await contents.set_open(conn, vo, did_id, is_open=False):
        return False
    await contents.fold_tally(conn, vo, did_id)
    return True


async def set_monotonic(conn: Connection, caller: Principal, did: str) -> Did:
    """Let a collection only grow, for good; for whom and raising as `set_open`."""
    found = await get_collection(conn, caller.vo, did)
    require_change(caller, found)
    await contents.set_monotonic(conn, caller.vo, found.did_id)
    return await get(conn, caller.vo, did)


async def set_open(conn: Connection, caller: Principal, did: str, *, is_open: bool) -> Did:
    """Close a collection, or open it again; for its owner, its scope's, or `dids:manage`.

    Raises `DidNotFound`, `NotACollection` or `NotYours`; `IsPublic` for what everybody may read, which stays closed.
    """
    found = await get_collection(conn, caller.vo, did)
    require_change(caller, found)
    if is_open:
        if await publishing.is_public(conn, caller.vo, found.did_id):
            raise IsPublic(did=did, what="opened")
        await contents.set_open(conn, caller.vo, found.did_id, is_open=True)
    else:
        await close(conn, caller.vo, found.did_id)
    return await get(conn, caller.vo, did)


async def change_contents(
    conn: Connection, caller: Principal, parent: str, children: Sequence[str], *, remove: bool = False
) -> int:
    """Attach DIDs to a collection by name, or detach them; say how many changed. For its owner, as `set_open`.

    Raises what `attach` or `detach` does.
    """
    collection = await get(conn, caller.vo, parent, field="parent")
    require_change(caller, collection)
    child_ids = [child.did_id for child in await resolve(conn, caller.vo, children, field="children")]
    if remove:
        return len(await detach(conn, caller.vo, collection.did_id, child_ids))
    return len(await attach(conn, caller.vo, collection.did_id, child_ids))


async def _lock_open(conn: Connection, vo: int, did_id: int) -> tuple[DidKind, bool]:
    locked = await contents.lock_to_attach(conn, vo, did_id)
    if locked is None:
        raise DidNotFound(did=f"number {did_id}")
    kind, is_open, monotonic = locked
    if kind is DidKind.FILE:
        raise NotACollection(did=(await _names(conn, vo, did_id))[0].did, field="parent")
    if not is_open:
        raise CollectionClosed(did=(await _names(conn, vo, did_id))[0].did, field="parent")
    return kind, monotonic


async def _names(conn: Connection, vo: int, *did_ids: int) -> list[Did]:
    found = await by_id(conn, vo, did_ids)
    return [found[did_id] for did_id in did_ids]


async def _blame_child(conn: Connection, vo: int, parent_id: int, child_ids: list[int]) -> None:
    found = await by_id(conn, vo, [parent_id, *child_ids])
    parent = found[parent_id]
    there = await attaching.lock_children(conn, vo, child_ids)
    for child_id in child_ids:
        if child_id not in there:
            raise DidNotFound(did=found[child_id].did if child_id in found else f"number {child_id}", field="children")
        child = found[child_id]
        if child.kind not in parent.kind.holds:
            raise KindsMismatch(
                parent=parent.did, parent_kind=parent.kind.word, child=child.did, child_kind=child.kind.word
            )

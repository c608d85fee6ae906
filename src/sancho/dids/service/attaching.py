"""Attaching to many collections, and detaching, all or nothing."""

from collections.abc import Sequence
from typing import NamedTuple

from sancho.dids.errors import (
    AttachedAlready,
    CollectionClosed,
    Cycle,
    DidNotFound,
    FileAttachedAlready,
    FileDiffers,
    KindsMismatch,
    NotACollection,
    NotAttached,
)
from sancho.dids.model import Attachment, Child, Did, DidKind, Tally, parse_did, unpack_adler32
from sancho.dids.service.catalogue import get, require_change, require_changes, resolve
from sancho.dids.service.changing import detach, tell
from sancho.dids.store import attaching, contents
from sancho.kit.access import Principal
from sancho.kit.db import Connection


async def attach_all(
    conn: Connection, caller: Principal, attachments: Sequence[Attachment], *, again: bool = True
) -> int:
    """Put DIDs into collections by name; say how many were put there. For owners, as `set_open`.

    Raises what `attach` does, `FileDiffers` when a file is not what somebody believes, and, unless `again`,
    `AttachedAlready` for the first that is there already or is named twice. A task brings what is new under the rules.
    """
    found = await resolve(conn, caller.vo, [a.parent for a in attachments], field="parent")
    parents = {one.did_id: one for one in found}
    require_changes(caller, list(parents.values()))
    await _lock(conn, caller.vo, parents)
    known = iter(await _children(conn, caller.vo, [child for a in attachments for child in a.children]))
    pairs: dict[tuple[int, int], tuple[Did, _Known]] = {}
    for parent, attachment in zip(found, attachments, strict=True):
        for said in attachment.children:
            child = next(known)
            _check(parent, child, said)
            if not again and (parent.did_id, child.did_id) in pairs:
                raise _twice(parent, child)
            pairs[parent.did_id, child.did_id] = (parent, child)
    new = await attaching.insert(conn, caller.vo, sorted(pairs))
    if not again:
        for pair, (parent, child) in pairs.items():
            if pair not in new:
                raise _twice(parent, child)
    await _refuse_circles(conn, caller.vo, pairs)
    await _count(conn, caller.vo, [pairs[pair] for pair in sorted(new)])
    return len(new)


class _Known(NamedTuple):
    did: str
    did_id: int
    kind: DidKind
    size: int | None
    adler32: int | None
    md5: str | None


async def _children(conn: Connection, vo: int, wanted: Sequence[Child]) -> list[_Known]:
    found = await attaching.children(conn, vo, [parse_did(child.did, field="children") for child in wanted])
    by_place = {place: _Known(wanted[place].did, *known) for place, known in found}
    for place, child in enumerate(wanted):
        if place not in by_place:
            raise DidNotFound(did=child.did, field="children")
    return [by_place[place] for place in range(len(wanted))]


def _check(parent: Did, child: _Known, said: Child) -> None:
    if parent.kind is DidKind.FILE:
        raise NotACollection(did=parent.did, field="parent")
    if child.kind not in parent.kind.holds:
        raise KindsMismatch(
            parent=parent.did, parent_kind=parent.kind.word, child=child.did, child_kind=child.kind.word
        )
    if parent.did_id == child.did_id:
        raise Cycle(parent=parent.did, child=child.did)
    if child.kind is not DidKind.FILE:
        return
    if said.size is not None and said.size != child.size:
        raise FileDiffers(did=child.did, what="size", known=str(child.size), said=str(said.size))
    if said.adler32 is not None and child.adler32 is not None and said.adler32 != unpack_adler32(child.adler32):
        raise FileDiffers(did=child.did, what="adler32", known=unpack_adler32(child.adler32), said=said.adler32)
    if said.md5 is not None and child.md5 is not None and said.md5 != child.md5:
        raise FileDiffers(did=child.did, what="md5", known=child.md5, said=said.md5)


def _twice(parent: Did, child: _Known) -> AttachedAlready:
    kind = FileAttachedAlready if child.kind is DidKind.FILE else AttachedAlready
    return kind(parent=parent.did, child=child.did)


async def _lock(conn: Connection, vo: int, parents: dict[int, Did]) -> None:
    is_open = await attaching.lock_to_attach(conn, vo, sorted(parents))
    for did_id, parent in parents.items():
        if parent.kind is DidKind.FILE:
            raise NotACollection(did=parent.did, field="parent")
        if did_id not in is_open:
            raise DidNotFound(did=parent.did, field="parent")
        if not is_open[did_id]:
            raise CollectionClosed(did=parent.did, field="parent")
    if any(parent.kind is DidKind.CONTAINER for parent in parents.values()):
        await contents.lock_containers(conn, vo)


async def _refuse_circles(conn: Connection, vo: int, pairs: dict[tuple[int, int], tuple[Did, _Known]]) -> None:
    containers = sorted({parent.did_id for parent, _ in pairs.values() if parent.kind is DidKind.CONTAINER})
    circles = await attaching.circles(conn, vo, containers) if containers else set[tuple[int, int]]()
    for pair, (parent, child) in pairs.items():
        if pair in circles:
            raise Cycle(parent=parent.did, child=child.did)


async def _count(conn: Connection, vo: int, new: Sequence[tuple[Did, _Known]]) -> None:
    """Add what is new to the tallies of datasets, note what has changed, and have rules told of it."""
    changes: dict[int, Tally] = {}
    for parent, child in new:
        files_, size = changes.get(parent.did_id, Tally(0, 0))
        changes[parent.did_id] = Tally(files_ + (parent.kind is DidKind.DATASET), size + (child.size or 0))
    if changes:
        await attaching.add_to_tallies(conn, vo, changes)
    parent_ids = sorted({parent.did_id for parent, _ in new})
    below = sorted({child.did_id for _, child in new})
    kind = DidKind.CONTAINER if any(parent.kind is DidKind.CONTAINER for parent, _ in new) else DidKind.DATASET
    await tell(conn, vo, kind, (parent_ids, below), gone=False)


async def detach_all(conn: Connection, caller: Principal, parent: str, children: Sequence[str]) -> None:
    """Take DIDs out of a collection by name: all, or raise `NotAttached` for the first that is not in it.

    For its owner, as `set_open`. Raises what `detach` does.
    """
    collection = await get(conn, caller.vo, parent, field="parent")
    require_change(caller, collection)
    found = await resolve(conn, caller.vo, children, field="children")
    gone = set(await detach(conn, caller.vo, collection.did_id, [child.did_id for child in found]))
    for child in found:
        if child.did_id not in gone:
            raise NotAttached(parent=collection.did, child=child.did)

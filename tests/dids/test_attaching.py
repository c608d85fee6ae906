"""Attaching to many collections at once, searching, and long lists."""

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    CollectionClosed,
    Cycle,
    DidExists,
    FileAttachedAlready,
    FileDiffers,
    NotACollection,
    NotAttached,
)
from sancho.dids.model import Attachment, Child, DidKind, NewCollection, Search
from sancho.identity.errors import AccountNotFound
from sancho.kit.access import NotYours
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from tests.dids.given import deferred, given_collection, given_files, person
from tests.world import World


def attachment(parent: str, *children: str) -> Attachment:
    return Attachment(f"mc:{parent}", [Child(f"mc:{child}") for child in children])


async def test_rules_are_told_once_of_all_that_was_attached(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    a, b, c = await given_files(conn, world, "a", "b", "c")
    d, e = [await given_collection(conn, world, name) for name in ("d", "e")]
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    await service.attach(conn, world.belle, e, [c], announce=False)

    wanted = [attachment("d", "a", "b", "a"), attachment("box", "e"), attachment("e", "c")]
    assert await service.attach_all(conn, alice, wanted) == 3

    (told,) = await deferred(conn)
    assert (told["parent_ids"], told["file_ids"]) == (sorted([d, box]), [a, b, c])
    assert await service.tallies(conn, world.belle, [d, e, box]) == {d: (2, 30), e: (1, 30), box: (1, 30)}
    assert await service.attach_all(conn, alice, wanted) == 0
    assert len(await deferred(conn)) == 1


async def test_one_fault_refuses_all(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    await given_files(conn, world, "a", "b")
    d = await given_collection(conn, world, "d")
    for name in ("x", "y", "z"):
        await given_collection(conn, world, name, DidKind.CONTAINER)
    closed = await given_collection(conn, world, "closed")
    await service.close(conn, world.belle, closed)
    await service.attach_all(conn, alice, [attachment("x", "y"), attachment("d", "a")])

    for wanted, fault in (
        ([attachment("a", "b")], NotACollection),
        ([attachment("closed", "a")], CollectionClosed),
        ([attachment("d", "b"), attachment("d", "a")], FileAttachedAlready),
        ([attachment("d", "b"), attachment("d", "b")], FileAttachedAlready),
        ([attachment("x", "x")], Cycle),
        ([attachment("y", "z"), attachment("z", "x")], Cycle),
        ([Attachment("mc:d", [Child("mc:b", 21)])], FileDiffers),
        ([Attachment("mc:d", [Child("mc:b", 20, "00000000")])], FileDiffers),
    ):
        with pytest.raises(fault):
            async with conn.transaction():
                await service.attach_all(conn, alice, wanted, again=False)
    with pytest.raises(NotYours, match="mc:d"):
        await service.attach_all(conn, person(world, "bob"), [attachment("d", "b")])
    with pytest.raises(NotAttached, match="mc:b is not in mc:d"):
        async with conn.transaction():
            await service.detach_all(conn, alice, "mc:d", ["mc:a", "mc:b"])
    assert await service.tallies(conn, world.belle, [d]) == {d: (1, 10)}


async def test_many_collections_are_made_or_none(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    wanted = [NewCollection("mc:d", DidKind.DATASET), NewCollection("mc:c", DidKind.CONTAINER)]
    await service.create_all(conn, alice, wanted)
    made = await service.resolve(conn, world.belle, ["mc:d", "mc:c"])
    assert [(did.kind, did.open, did.account) for did in made] == [
        (DidKind.DATASET, True, "alice"), (DidKind.CONTAINER, True, "alice")
    ]  # fmt: skip
    with pytest.raises(DidExists, match="mc:d") as caught:
        await service.create_all(conn, alice, [NewCollection("mc:e", DidKind.DATASET), wanted[0]])
    assert caught.value.field == "dids.1"
    with pytest.raises(NotACollection):
        await service.create_all(conn, alice, [NewCollection("mc:f", DidKind.FILE)])
    with pytest.raises(PermissionMissing):
        await service.create_all(conn, person(world, "alice", "jobs:create"), wanted)


async def test_a_scope_is_given_to_others_and_shared(conn: Connection, world: World) -> None:
    root = person(world, "root", "dids:manage")
    made = await service.create_scope(conn, root, "new", account="bob")
    assert (made.account, made.shared) == ("bob", False)
    changed = await service.change_scope(conn, root, "new", account="alice")
    assert (changed.account, changed.shared) == ("alice", False)
    changed = await service.change_scope(conn, root, "new", shared=True)
    assert (changed.account, changed.shared) == ("alice", True)
    with pytest.raises(AccountNotFound):
        await service.change_scope(conn, root, "new", account="nobody")
    with pytest.raises(PermissionMissing):
        await service.change_scope(conn, person(world, "alice"), "new", shared=False)


async def test_a_scope_of_more_than_one_part_is_listed_with_what_is_below(conn: Connection, world: World) -> None:
    names = [f"f{n:04}" for n in range(1500)]
    ids = await given_files(conn, world, *names)
    d = await given_collection(conn, world, "d")
    await service.attach(conn, world.belle, d, ids[:2])

    listed = [one async for part in service.stream_scope(conn, world.belle, "mc", deep=True) for one in part]

    assert [(one.level, one.child.name) for one in listed[:4]] == [(0, "d"), (0, "f0002"), (0, "f0003"), (0, "f0004")]
    assert [(one.parent, one.child.name) for one in listed if one.level] == [
        (("mc", "d"), "f0000"), (("mc", "d"), "f0001")
    ]  # fmt: skip
    assert len(listed) == 1501
    found = [one async for part in service.search(conn, world.belle, Search(scope="mc"), limit=3) for one in part]
    assert [one.name for one in found] == ["d", "f0000", "f0001"]
    assert [one async for part in service.search(conn, world.gridpp, Search(scope="mc")) for one in part] == []

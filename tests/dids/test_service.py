"""The namespace through its door, on a real PostgreSQL."""

import json

import pytest

from sancho.dids import service
from sancho.dids.errors import (
    CollectionClosed,
    Cycle,
    DidExists,
    DidMalformed,
    DidNotFound,
    KindsMismatch,
    NotACollection,
    NotADataset,
    ScopeNotFound,
)
from sancho.dids.model import DidKind, File, NewFile
from sancho.kit.access import NotYours
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from tests.dids.given import deferred, given_collection, given_files, person
from tests.world import World


async def test_dids_are_resolved_in_the_order_given_and_may_repeat(conn: Connection, world: World) -> None:
    a, b = await given_files(conn, world, "a", "b")

    found = await service.resolve(conn, world.belle, ["mc:b", "mc:a", "mc:b"])

    assert [did.did_id for did in found] == [b, a, b]
    assert found[0].did == "mc:b"
    assert found[0].kind is DidKind.FILE
    assert found[0].adler32 == "89abcdef"
    assert found[0].account == "alice"


async def test_the_first_missing_did_is_named_with_its_field(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a")

    with pytest.raises(DidNotFound, match=r"^DID mc:no does not exist\.$") as caught:
        await service.resolve(conn, world.belle, ["mc:a", "mc:no", "mc:nor"], field="inputs")
    assert caught.value.field == "inputs"


async def test_a_did_of_another_vo_does_not_exist(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a")

    with pytest.raises(DidNotFound):
        await service.resolve(conn, world.gridpp, ["mc:a"])


async def test_a_malformed_did_is_refused_before_the_database_is_asked(conn: Connection, world: World) -> None:
    with pytest.raises(DidMalformed, match="no ':'"):
        await service.resolve(conn, world.belle, ["nothing"])


async def test_files_get_ids_in_the_order_given_and_keep_those_drawn_before(conn: Connection, world: World) -> None:
    scope = world.scope[world.belle, "mc"]
    drawn = 1 << 40
    made = await service.register_files(
        conn,
        world.belle,
        world.account[world.belle, "alice"],
        [
            NewFile(None, scope, "z", 1, None),
            NewFile(drawn, scope, "m", 2, "00000001"),
            NewFile(None, scope, "a", 3, "ffffffff"),
        ],
    )

    found = await service.resolve(conn, world.belle, ["mc:z", "mc:m", "mc:a"])
    assert [did.did_id for did in found] == made
    assert made[1] == drawn
    assert [did.adler32 for did in found] == [None, "00000001", "ffffffff"]
    assert [did.size for did in found] == [1, 2, 3]


async def test_the_first_file_whose_name_is_taken_is_named(conn: Connection, world: World) -> None:
    await given_files(conn, world, "b", "c")

    with pytest.raises(DidExists, match="mc:b exists") as caught:
        await given_files(conn, world, "a", "b", "c")
    assert caught.value.field == "files.1.did"


async def test_a_name_given_twice_in_one_request_is_taken_by_the_first(conn: Connection, world: World) -> None:
    with pytest.raises(DidExists) as caught:
        await given_files(conn, world, "b", "a", "b")
    assert caught.value.field == "files.2.did"


async def test_a_collection_belongs_to_who_makes_it_and_its_name_is_used_once(conn: Connection, world: World) -> None:
    alice = person(world, "alice")

    made = await service.create(conn, alice, "mc:run1", DidKind.DATASET)

    assert (made.kind, made.open, made.account, made.size) == (DidKind.DATASET, True, "alice", None)
    with pytest.raises(DidExists):
        await service.create(conn, alice, "mc:run1", DidKind.CONTAINER)
    with pytest.raises(ScopeNotFound):
        await service.create(conn, alice, "nowhere:run1", DidKind.DATASET)
    with pytest.raises(NotACollection):
        await service.create(conn, alice, "mc:file", DidKind.FILE)
    with pytest.raises(PermissionMissing):
        await service.create(conn, person(world, "bob", "jobs:create"), "mc:run2", DidKind.DATASET)


async def test_ensuring_a_dataset_twice_gives_the_same(conn: Connection, world: World) -> None:
    alice = person(world, "alice")

    first = await service.ensure_dataset(conn, alice, "mc:out")
    second = await service.ensure_dataset(conn, alice, "mc:out")

    assert first == second
    await service.close(conn, world.belle, first.did_id)
    with pytest.raises(CollectionClosed):
        await service.ensure_dataset(conn, alice, "mc:out")


async def test_a_dataset_of_somebody_else_is_not_given_but_to_managers(conn: Connection, world: World) -> None:
    await given_collection(conn, world, "run1")

    with pytest.raises(NotYours, match="mc:run1 belongs to account alice"):
        await service.ensure_dataset(conn, person(world, "bob"), "mc:run1")
    manager = person(world, "bob", "dids:manage")
    assert (await service.ensure_dataset(conn, manager, "mc:run1")).account == "alice"
    owner_of_scope = person(world, "root", "dids:create")
    assert (await service.ensure_dataset(conn, owner_of_scope, "mc:run1")).account == "alice"


async def test_the_first_taken_name_can_be_asked_for_beforehand(conn: Connection, world: World) -> None:
    scope = world.scope[world.belle, "mc"]
    await given_files(conn, world, "b", "c")

    await service.check_free(conn, world.belle, [(scope, "a")])
    with pytest.raises(DidExists, match="mc:c exists") as caught:
        await service.check_free(conn, world.belle, [(scope, "a"), (scope, "c"), (scope, "b")])
    assert caught.value.field == "files.1.did"


async def test_a_file_or_container_is_no_dataset_to_ensure(conn: Connection, world: World) -> None:
    alice = person(world, "alice")
    await given_files(conn, world, "a")
    await given_collection(conn, world, "c", DidKind.CONTAINER)

    with pytest.raises(NotADataset, match="mc:a is a file"):
        await service.ensure_dataset(conn, alice, "mc:a")
    with pytest.raises(NotADataset, match="mc:c is a container"):
        await service.ensure_dataset(conn, alice, "mc:c")


async def test_attached_files_are_tallied_once_and_announced(conn: Connection, world: World) -> None:
    a, b, c = await given_files(conn, world, "a", "b", "c")
    dataset = await given_collection(conn, world, "run1")

    assert await service.attach(conn, world.belle, dataset, [b, a, b]) == [a, b]
    assert await service.attach(conn, world.belle, dataset, [c, a]) == [c]
    assert await service.attach(conn, world.belle, dataset, [a]) == []

    run1 = await service.get(conn, world.belle, "mc:run1")
    assert await service.info(conn, run1) == (3, 60)
    assert await deferred(conn) == [
        {"vo": 1, "parent_ids": [dataset], "file_ids": [a, b]},
        {"vo": 1, "parent_ids": [dataset], "file_ids": [c]},
    ]


async def test_an_attachment_may_be_left_to_the_caller_to_announce(conn: Connection, world: World) -> None:
    (a,) = await given_files(conn, world, "a")
    dataset = await given_collection(conn, world, "run1")

    await service.attach(conn, world.belle, dataset, [a], announce=False)

    assert await deferred(conn) == []


async def test_a_container_announces_the_files_below_what_is_attached(conn: Connection, world: World) -> None:
    a, b = await given_files(conn, world, "a", "b")
    dataset = await given_collection(conn, world, "run1")
    inner = await given_collection(conn, world, "inner", DidKind.CONTAINER)
    outer = await given_collection(conn, world, "outer", DidKind.CONTAINER)
    await service.attach(conn, world.belle, dataset, [a, b], announce=False)
    await service.attach(conn, world.belle, inner, [dataset], announce=False)

    await service.attach(conn, world.belle, outer, [inner])

    assert await deferred(conn) == [{"vo": 1, "parent_ids": [outer], "file_ids": [a, b]}]


async def test_detached_files_are_counted_off_and_announced(conn: Connection, world: World) -> None:
    a, b, c = await given_files(conn, world, "a", "b", "c")
    dataset = await given_collection(conn, world, "run1")
    await service.attach(conn, world.belle, dataset, [a, b])

    assert await service.detach(conn, world.belle, dataset, [c, b]) == [b]
    assert await service.detach(conn, world.belle, dataset, [b]) == []

    assert await service.info(conn, await service.get(conn, world.belle, "mc:run1")) == (1, 10)
    assert await deferred(conn, "rules:retract") == [{"vo": 1, "parent_ids": [dataset], "file_ids": [b]}]


async def test_a_container_announces_the_files_below_what_is_detached(conn: Connection, world: World) -> None:
    a, b = await given_files(conn, world, "a", "b")
    dataset = await given_collection(conn, world, "run1")
    container = await given_collection(conn, world, "year", DidKind.CONTAINER)
    await service.attach(conn, world.belle, dataset, [a, b], announce=False)
    await service.attach(conn, world.belle, container, [dataset], announce=False)

    await service.detach(conn, world.belle, container, [dataset])

    assert await deferred(conn, "rules:retract") == [{"vo": 1, "parent_ids": [container], "file_ids": [a, b]}]


async def test_datasets_hold_files_and_containers_hold_collections(conn: Connection, world: World) -> None:
    (a,) = await given_files(conn, world, "a")
    dataset = await given_collection(conn, world, "run1")
    other = await given_collection(conn, world, "run2")
    container = await given_collection(conn, world, "all", DidKind.CONTAINER)

    with pytest.raises(KindsMismatch, match="mc:run2 is a dataset; a dataset such as mc:run1 cannot hold it"):
        await service.attach(conn, world.belle, dataset, [a, other])
    with pytest.raises(KindsMismatch, match="mc:a is a file"):
        await service.attach(conn, world.belle, container, [other, a])
    with pytest.raises(NotACollection, match="mc:a is a file"):
        await service.attach(conn, world.belle, a, [a])
    with pytest.raises(DidNotFound):
        await service.attach(conn, world.belle, dataset, [a, 1 << 50])
    with pytest.raises(DidNotFound):
        await service.attach(conn, world.belle, 1 << 50, [a])


async def test_a_file_of_another_vo_cannot_be_attached(conn: Connection, world: World) -> None:
    (foreign,) = await given_files(conn, world, "a", vo=world.gridpp)
    dataset = await given_collection(conn, world, "run1")

    with pytest.raises(DidNotFound):
        await service.attach(conn, world.belle, dataset, [foreign])


async def test_circles_of_any_length_are_refused(conn: Connection, world: World) -> None:
    x, y, z = [await given_collection(conn, world, name, DidKind.CONTAINER) for name in "xyz"]
    await service.attach(conn, world.belle, x, [y])
    await service.attach(conn, world.belle, y, [z])

    with pytest.raises(Cycle, match="mc:x already holds mc:z"):
        await service.attach(conn, world.belle, z, [x])
    with pytest.raises(Cycle):
        await service.attach(conn, world.belle, x, [x])


async def test_a_closed_collection_does_not_change_until_it_is_opened_again(conn: Connection, world: World) -> None:
    a, b = await given_files(conn, world, "a", "b")
    dataset = await given_collection(conn, world, "run1")
    await service.attach(conn, world.belle, dataset, [a])

    assert await service.close(conn, world.belle, dataset)
    assert not await service.close(conn, world.belle, dataset)

    with pytest.raises(CollectionClosed):
        await service.attach(conn, world.belle, dataset, [b])
    with pytest.raises(CollectionClosed):
        await service.detach(conn, world.belle, dataset, [a])
    await service.set_open(conn, person(world, "alice"), "mc:run1", is_open=True)
    await service.attach(conn, world.belle, dataset, [b])
    closed = await service.set_open(conn, person(world, "alice"), "mc:run1", is_open=False)
    assert not closed.open
    assert await service.info(conn, closed) == (2, 30)
    slots = await conn.execute("SELECT slot, files, size FROM collection_tally WHERE did_id = %s", [dataset])
    assert await slots.fetchall() == [(16, 2, 30)]


async def test_only_owners_and_managers_change_a_collection(conn: Connection, world: World) -> None:
    await given_files(conn, world, "a")
    await given_collection(conn, world, "run1")
    alice, bob, root = person(world, "alice"), person(world, "bob"), person(world, "root", "*")

    with pytest.raises(NotYours, match="mc:run1 belongs to account alice"):
        await service.change_contents(conn, bob, "mc:run1", ["mc:a"])
    with pytest.raises(NotYours):
        await service.set_open(conn, bob, "mc:run1", is_open=False)

    assert await service.change_contents(conn, alice, "mc:run1", ["mc:a"]) == 1
    assert await service.change_contents(conn, root, "mc:run1", ["mc:a"], remove=True) == 1
    owner_of_scope = person(world, "root", "dids:create")
    assert await service.change_contents(conn, owner_of_scope, "mc:run1", ["mc:a"]) == 1
    with pytest.raises(NotACollection):
        await service.set_open(conn, alice, "mc:a", is_open=True)


async def test_a_container_sums_and_lists_the_files_at_any_depth(conn: Connection, world: World) -> None:
    a, b, c = await given_files(conn, world, "a", "b", "c")
    one, two = await given_collection(conn, world, "one"), await given_collection(conn, world, "two")
    inner = await given_collection(conn, world, "inner", DidKind.CONTAINER)
    outer = await given_collection(conn, world, "outer", DidKind.CONTAINER)
    await service.attach(conn, world.belle, one, [a, b])
    await service.attach(conn, world.belle, two, [b, c])
    await service.attach(conn, world.belle, inner, [one, two])
    await service.attach(conn, world.belle, outer, [inner, one])

    assert await service.files(conn, world.belle, [outer, a]) == [File(a, 10), File(b, 20), File(c, 30)]
    assert await service.info(conn, await service.get(conn, world.belle, "mc:outer")) == (4, 80)
    assert await service.info(conn, await service.get(conn, world.belle, "mc:b")) == (1, 20)
    page = await service.file_page(conn, world.belle, [outer], limit=2)
    assert [(file.did_id, file.did, file.size, file.adler32) for file in page] == [
        (a, "mc:a", 10, "89abcdef"),
        (b, "mc:b", 20, "89abcdef"),
    ]
    assert [file.did for file in await service.file_page(conn, world.belle, [outer], after=b, limit=2)] == ["mc:c"]
    assert [file.did for file in await service.file_page(conn, world.belle, [c, a], limit=2)] == ["mc:a", "mc:c"]


async def test_contents_come_as_one_document_or_in_pages(conn: Connection, world: World) -> None:
    a, b = await given_files(conn, world, 'a"\\é', "b")
    dataset = await given_collection(conn, world, "run1")
    container = await given_collection(conn, world, "all", DidKind.CONTAINER)
    await service.attach(conn, world.belle, dataset, [a, b])
    await service.attach(conn, world.belle, container, [dataset])
    first = {"did": 'mc:a"\\é', "kind": "file", "open": False, "size": 10, "adler32": "89abcdef"}
    second = {"did": "mc:b", "kind": "file", "open": False, "size": 20, "adler32": "89abcdef"}

    async def contents(did: str, after: int = 0, limit: int | None = None) -> object:
        parts = service.stream_contents(
            conn, await service.get_collection(conn, world.belle, did), after=after, limit=limit
        )
        return json.loads(b"".join([part async for part in parts]))

    assert await contents("mc:run1") == {"items": [first, second], "next": None}
    assert await contents("mc:run1", limit=1) == {"items": [first], "next": a}
    assert await contents("mc:run1", after=a, limit=2) == {"items": [second], "next": None}
    assert await contents("mc:run1", after=b, limit=2) == {"items": [], "next": None}
    assert await contents("mc:all") == {
        "items": [{"did": "mc:run1", "kind": "dataset", "open": True, "size": None, "adler32": None}],
        "next": None,
    }
    with pytest.raises(NotACollection):
        await service.get_collection(conn, world.belle, "mc:b")


async def test_what_is_streamed_in_chunks_is_one_document(conn: Connection, world: World) -> None:
    ids = await given_files(conn, world, *(f"f{n:04}" for n in range(1500)))
    dataset = await given_collection(conn, world, "run1")
    await service.attach(conn, world.belle, dataset, ids)

    run1 = await service.get(conn, world.belle, "mc:run1")
    parts = [part async for part in service.stream_contents(conn, run1)]

    assert len(parts) == 4
    said = json.loads(b"".join(parts))
    assert [item["did"] for item in said["items"]] == [f"mc:f{n:04}" for n in range(1500)]


async def test_dids_are_listed_by_prefix_kind_and_page(conn: Connection, world: World) -> None:
    await given_files(conn, world, "run1/a", "run1/b", "run1/é", "run2/a")
    await given_collection(conn, world, "run1")

    async def names(prefix: str = "", after: str = "", limit: int = 10, *kinds: DidKind) -> list[str]:
        found = await service.list_dids(conn, world.belle, "mc", prefix=prefix, kinds=kinds, page=(after, limit))
        return [did.name for did in found]

    assert await names() == ["run1", "run1/a", "run1/b", "run1/é", "run2/a"]
    assert await names("run1/") == ["run1/a", "run1/b", "run1/é"]
    assert await names("run1", "", 2) == ["run1", "run1/a"]
    assert await names("run1", "run1/a", 2) == ["run1/b", "run1/é"]
    assert await names("run", "", 10, DidKind.DATASET) == ["run1"]
    with pytest.raises(ScopeNotFound):
        await service.list_dids(conn, world.belle, "no", page=("", 10))

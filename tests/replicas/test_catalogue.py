"""Registering files that are on a storage, and listing files with their replicas."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Self

import pytest
from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from sancho.dids import service as dids
from sancho.dids.errors import ChecksumMalformed, DidExists, DidMalformed, FileDiffers, ScopeNotFound
from sancho.dids.model import Attachment, Child, DidKind, FileText, Member, Packed, Search
from sancho.kit.access import Algorithm, NotYours
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.kit.query import parse
from sancho.replicas import service
from sancho.replicas.errors import ReplicaDiffers, ReplicaExists, ReplicaHeld, ReplicaNotFound
from sancho.replicas.model import DeclarationKind, ReplicaKey, ReplicaState, Saying
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from tests.dids.given import given_collection, person
from tests.replicas.given import given_replicas, recounted
from tests.world import World

ODD = 'ä b+"%&=~\\?#'.replace(" ", "")


class Notary:
    """A signer that writes down what it is asked to sign."""

    issuer = "https://here.test"

    def __init__(self) -> None:
        self.signed: list[Mapping[str, Any]] = []

    def sign(self, claims: Mapping[str, Any], lifetime: timedelta, *, algorithm: Algorithm = "Ed25519") -> str:
        assert algorithm == "ES256", "storages know nothing newer"
        assert lifetime <= timedelta(hours=1)
        self.signed.append(claims)
        return f"token-{len(self.signed)}"


def some(*names: str, size: int = 7, adler32: str | None = "00000001") -> list[FileText]:
    return [FileText(f"mc:{name}", size, adler32) for name in names]


async def listed(conn: Connection, world: World, *names: str) -> list[dict[str, Any]]:
    found = await dids.resolve(conn, world.belle, names)
    parts = service.stream(conn, person(world, "alice"), found)
    return [json.loads(line) for line in b"".join([part async for part in parts]).decode().splitlines()]


async def test_registered_files_are_available_counted_and_in_their_dataset(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")

    ids = await service.register(conn, root, "A-DISK", some("b", "a"), dataset="mc:run1")

    found = await dids.resolve(conn, world.belle, ["mc:b", "mc:a"])
    assert [did.did_id for did in found] == ids
    assert found[0].account == "root"
    replicas = await service.list(conn, world.belle, ids)
    assert [(r.state, r.lock_count, r.tombstone_at) for r in replicas] == [(ReplicaState.AVAILABLE, 0, None)] * 2
    assert await dids.info(conn, await dids.get(conn, world.belle, "mc:run1")) == (2, 14)
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)
    await service.register(conn, root, "A-DISK", some("c"), dataset="mc:run1")
    assert await dids.info(conn, await dids.get(conn, world.belle, "mc:run1")) == (3, 21)


async def test_replicas_of_many_dids_are_told_once_each(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    await service.register(conn, root, "A-DISK", some("b", "a"), dataset="mc:run1")
    await service.register(conn, root, "A-DISK", some("c"), dataset="mc:run2")
    await service.register(conn, root, "A-DISK", some("d"))

    both = await listed(conn, world, "mc:run1", "mc:run2", "mc:d", "mc:a")
    assert [one["did"] for one in both] == ["mc:b", "mc:a", "mc:c", "mc:d"]
    assert await listed(conn, world, "mc:d", "mc:a", "mc:d") == [both[1], both[3]]
    assert await listed(conn, world, "mc:run1") == both[:2]


async def test_registering_takes_the_same_number_of_statements_whatever_the_number_of_files(
    conn: Connection, world: World
) -> None:
    root = person(world, "root", "*")
    sent: list[object] = []

    class Counting(AsyncCursor[TupleRow]):
        async def execute(self, query: Any, *args: Any, **more: Any) -> Self:
            sent.append(query)
            return await super().execute(query, *args, **more)

    await dids.ensure_dataset(conn, root, "mc:run1")
    conn.cursor_factory = Counting
    await service.register(conn, root, "A-DISK", some("one"), dataset="mc:run1")
    for_one = len(sent)
    await service.register(conn, root, "A-DISK", some(*(f"n{i}" for i in range(500))), dataset="mc:run1")
    assert len(sent) == 2 * for_one
    sent.clear()
    await service.register(conn, root, "A-DISK", some("alone"))
    assert len(sent) == 6


async def test_an_md5_is_kept_shown_searched_and_compared(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    one = FileText("mc:a", 7, None, md5="00ff" * 8)
    await service.register(conn, root, "A-DISK", [one, *some("b")], dataset="mc:run1")

    assert [file.md5 for file in await dids.resolve(conn, world.belle, ["mc:a", "mc:b"])] == ["00ff" * 8, None]
    assert [line.get("md5") for line in await listed(conn, world, "mc:run1")] == ["00ff" * 8, None]
    search = Search(parse("md5 = " + "00ff" * 8))
    assert [one.did for one in (await dids.search_page(conn, world.belle, search, limit=9)).dids] == ["mc:a"]

    other = one._replace(md5="00fe" * 8)
    with pytest.raises(ReplicaDiffers, match=f"checksum {'00ff' * 8}"):
        await service.register(conn, root, "B-DISK", [other], known=True)
    with pytest.raises(FileDiffers, match="md5"):
        await dids.attach_all(conn, root, [Attachment("mc:run1", [Child("mc:a", md5="00fe" * 8)])])
    with pytest.raises(FileDiffers, match="md5"):
        packed = Packed("mc:b.zip", [Member("mc:a", md5="00fe" * 8)])
        await service.register(conn, root, "A-DISK", some("b.zip"))
        await dids.pack(conn, root, [packed])
    await service.register(conn, root, "B-DISK", [one], known=True)
    same = [Child("mc:a", md5="00ff" * 8), Child("mc:b", md5="0" * 32)]
    await dids.attach_all(conn, root, [Attachment("mc:run1", same)])


@pytest.mark.parametrize(
    ("files", "error", "field"),
    [
        (some("new", "taken"), DidExists, "files.1.did"),
        (some("new", "new"), DidExists, "files.1.did"),
        (some("new", "/abs"), DidMalformed, "files.1.did"),
        ([FileText("no colon", 1, None)], DidMalformed, "files.0.did"),
        ([FileText("nowhere:a", 1, None)], ScopeNotFound, "files.0.did"),
        ([*some("new"), FileText("mc:b", 1, "XYZ")], ChecksumMalformed, "files.1.adler32"),
        ([*some("new"), FileText("mc:b", 1, None, md5="0" * 31)], ChecksumMalformed, "files.1.md5"),
    ],
)
async def test_the_first_file_that_will_not_do_is_named(
    conn: Connection, world: World, files: list[FileText], error: type[DidExists], field: str
) -> None:
    root = person(world, "root", "*")
    await service.register(conn, root, "A-DISK", some("taken"))

    with pytest.raises(error) as caught:
        await service.register(conn, root, "A-DISK", files)
    assert caught.value.field == field


async def test_registering_needs_a_permission_an_rse_and_ones_own_dataset(conn: Connection, world: World) -> None:
    await given_collection(conn, world, "run1")
    producer = person(world, "bob", "replicas:create")

    with pytest.raises(PermissionMissing, match="replicas:create"):
        await service.register(conn, person(world, "alice"), "A-DISK", some("a"))
    with pytest.raises(RseNotFound):
        await service.register(conn, producer, "NO-DISK", some("a"))
    with pytest.raises(NotYours):
        await service.register(conn, producer, "A-DISK", some("a"), dataset="mc:run1")


async def test_a_listing_has_every_file_once_with_its_replicas_and_path(conn: Connection, world: World) -> None:
    a, b, c = await given_replicas(conn, world, "dir/a", ODD, "c")
    await service.place(conn, world.belle, [ReplicaKey(a.did_id, world.resource["B-DISK"])], [10])
    one, two = await given_collection(conn, world, "one"), await given_collection(conn, world, "two")
    both = await given_collection(conn, world, "both", DidKind.CONTAINER)
    await dids.attach(conn, world.belle, one, [a.did_id, b.did_id])
    await dids.attach(conn, world.belle, two, [b.did_id, c.did_id])
    await dids.attach(conn, world.belle, both, [one, two])

    lines = await listed(conn, world, "mc:both")

    assert [line["did"] for line in lines] == ["mc:dir/a", f"mc:{ODD}", "mc:c"]
    here, there = {"rse": "A-DISK", "state": "available"}, {"rse": "B-DISK", "state": "copying"}
    assert [line["replicas"] for line in lines] == [[here, there], [here], [here]]
    assert [(line["size"], line["adler32"]) for line in lines] == [(10, "89abcdef"), (20, "89abcdef"), (30, "89abcdef")]
    rse = await rses.get(conn, "A-DISK")
    for line, key in zip(lines, [a, b, c], strict=True):
        name = line["did"].removeprefix("mc:")
        assert line["path"] == rses.place(rse, "belle", "mc", key.did_id, name).path
    assert await listed(conn, world, "mc:c") == [lines[2]]
    assert await listed(conn, world, "mc:one") == lines[:2]


async def test_a_file_without_replicas_and_a_collection_without_files_can_be_listed(
    conn: Connection, world: World
) -> None:
    (key,) = await given_replicas(conn, world, "a", state=ReplicaState.COPYING)
    await service.lose(conn, world.belle, [key])
    await given_collection(conn, world, "empty")

    assert [line["replicas"] for line in await listed(conn, world, "mc:a")] == [[]]
    assert await listed(conn, world, "mc:empty") == []


async def test_sources_are_available_readable_and_opened_by_tokens_for_just_their_paths(
    conn: Connection, world: World
) -> None:
    keys = await given_replicas(conn, world, *(f"f{n:02}" for n in range(20)))
    there = [ReplicaKey(key.did_id, world.resource["B-DISK"]) for key in keys]
    await service.place(conn, world.belle, there, [1] * 20)
    await service.arrive(conn, world.belle, there[:1])
    dataset = await given_collection(conn, world, "run1")
    await dids.attach(conn, world.belle, dataset, [key.did_id for key in keys])
    notary = Notary()

    files = await service.access(conn, person(world, "alice"), notary, [dataset], page=(0, 200))

    assert [file.did for file in files] == [f"mc:f{n:02}" for n in range(20)]
    assert [[s.rse for s in file.sources] for file in files] == [["A-DISK", "B-DISK"]] + [["A-DISK"]] * 19
    assert files[0].sources[0].site == "SITE-A"
    assert files[0].sources[1].url.startswith("file:///nowhere/b-disk/belle/mc/")
    assert [claims["sub"] for claims in notary.signed] == ["belle:alice"] * 4
    for number, claims in enumerate(notary.signed, 1):
        opened = {source.url for file in files for source in file.sources if source.token == f"token-{number}"}
        assert {path.split(":", 1)[1] for path in claims["scope"].split()} == {
            url.removeprefix("file:///nowhere/a-disk").removeprefix("file:///nowhere/b-disk") for url in opened
        }
    page = await service.access(conn, person(world, "alice"), notary, [dataset], page=(keys[4].did_id, 2))
    assert [file.did for file in page] == ["mc:f05", "mc:f06"]


async def test_a_file_that_cannot_be_read_now_has_no_sources(conn: Connection, world: World) -> None:
    copying, bad = await given_replicas(conn, world, "a", "b", state=ReplicaState.COPYING)
    await conn.execute("UPDATE replica SET state = 'B' WHERE did_id = %s", [bad.did_id])

    files = await service.access(conn, person(world, "alice"), Notary(), [copying.did_id, bad.did_id], page=(0, 200))

    assert [file.sources for file in files] == [(), ()]


async def test_a_file_that_is_known_gets_one_more_replica(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    (one,) = await service.register(conn, root, "A-DISK", some("known"))

    ids = await service.register(conn, root, "B-DISK", some("new", "known"), known=True, dataset="mc:both")

    assert ids[1] == one
    keys = [replica.key for replica in await service.list(conn, world.belle, ids)]
    a, b = world.resource["A-DISK"], world.resource["B-DISK"]
    assert keys == [ReplicaKey(one, a), ReplicaKey(one, b), ReplicaKey(ids[0], b)]
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)
    with pytest.raises(ReplicaExists, match="mc:known on B-DISK"):
        await service.register(conn, root, "B-DISK", some("known"), known=True)
    with pytest.raises(DidExists):
        await service.register(conn, root, "B-DISK", some("both"), known=True)


async def test_another_file_of_the_same_name_is_no_replica(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    await service.register(conn, root, "A-DISK", some("known", adler32=None))
    await service.register(conn, root, "A-DISK", some("summed"))
    for other in (some("known", size=8), some("summed", adler32="00000002")):
        with pytest.raises(ReplicaDiffers) as e:
            await service.register(conn, root, "B-DISK", [*some("fresh"), *other], known=True)
        assert e.value.field == "files.1.did"
    assert len(await service.register(conn, root, "B-DISK", some("known", "summed", adler32=None), known=True)) == 2


async def test_given_up_are_replicas_that_nothing_holds(conn: Connection, world: World) -> None:
    root, rse_id = person(world, "root", "*"), world.resource["A-DISK"]
    ids = await service.register(conn, root, "A-DISK", some("free", "held"))
    free, held = (ReplicaKey(did_id, rse_id) for did_id in ids)
    await service.hold(conn, world.belle, [held])

    await service.give_up(conn, root, {free: "mc:free"})

    ends = {replica.key: replica.tombstone_at for replica in await service.list(conn, world.belle, ids)}
    assert (ends[free] is None, ends[held]) == (False, None)
    with pytest.raises(ReplicaHeld, match="mc:held on A-DISK"):
        await service.give_up(conn, root, {held: "mc:held"})
    with pytest.raises(ReplicaNotFound):
        await service.give_up(conn, root, {ReplicaKey(ids[0], world.resource["B-DISK"]): "mc:free"})
    with pytest.raises(PermissionMissing):
        await service.give_up(conn, person(world, "alice"), {free: "mc:free"})
    with pytest.raises(PermissionMissing):
        await service.declare(conn, person(world, "alice"), {free: "mc:free"}, Saying(DeclarationKind.BAD))


async def test_what_an_rse_has_of_all_datasets_is_counted_some_at_a_time(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.replicas.service.catalogue.DATASETS_AT_ONCE", 2)
    for n in range(5):
        dataset = await given_collection(conn, world, f"set{n}")
        (key,) = await given_replicas(conn, world, f"set{n}/f", rse="B-DISK" if n == 3 else "A-DISK")
        await dids.attach(conn, world.belle, dataset, [key.did_id], announce=False)

    async def listed(*names: str) -> list[list[str]]:
        found = [await dids.get(conn, world.belle, f"mc:{name}") for name in names] if names else None
        parts = service.dataset_copies(conn, world.belle, found, [world.resource["A-DISK"]])
        return [[one.name for one in some] async for some in parts]

    assert await listed() == [["set0", "set1"], ["set2"], ["set4"]]
    assert sorted(name for some in await listed("set4", "set3", "set1") for name in some) == ["set1", "set4"]

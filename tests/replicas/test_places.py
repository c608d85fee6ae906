"""Files that are said to lie elsewhere than their ids say: everybody who reaches for them goes there."""

from datetime import timedelta
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.dids.model import FileText
from sancho.jobs.store import shared
from sancho.kit.db import Connection, Database
from sancho.replicas import service
from sancho.replicas.errors import PathTaken, ReplicaExists, ReplicaNotCopying, ReplicaNotFound
from sancho.replicas.model import PUT_TIME, ReplicaKey, ReplicaState, Wanted
from sancho.replicas.tasks import reap
from sancho.rses import service as rses
from sancho.rses.errors import PathUnfit
from sancho.sites.errors import SiteNotFound
from tests.dids.given import person
from tests.replicas import shelf as shelves
from tests.replicas.given import give_doors, recounted, replica
from tests.replicas.shelf import Shelf, StoppedClock
from tests.replicas.test_catalogue import Notary, listed
from tests.world import World

PATH = "/belle/old/run7/a.root"


def file(name: str, path: str | None = None, **more: Any) -> FileText:
    return FileText(f"mc:{name}", 7, "00000001", path, **more)


async def test_whoever_reads_a_file_is_sent_where_it_lies(conn: Connection, world: World) -> None:
    root, notary = person(world, "root", "*"), Notary()
    (a,) = await service.register(conn, root, "A-DISK", [file("a", PATH)])
    (b,) = await service.register(conn, root, "B-DISK", [file("b")])
    await service.register(conn, root, "B-DISK", [file("a")], known=True)
    disk, other = await rses.get(conn, "A-DISK"), await rses.get(conn, "B-DISK")
    implied = rses.place(other, "belle", "mc", a, "a")

    readable = await service.access(conn, root, notary, [a, b], page=(0, 10))

    assert [s.url for s in readable[0].sources] == [disk.prefix + PATH, implied.url]
    assert notary.signed[0]["scope"] == f"storage.read:{PATH}"
    (line,) = await listed(conn, world, "mc:a")
    assert [r.get("path") for r in line["replicas"]] == [PATH, None]
    wanted = Wanted([disk.rse_id, other.rse_id])
    found = [await dids.get(conn, world.belle, "mc:a")]
    (copies,) = [f async for some in service.copies(conn, world.belle, found, wanted) for f in some]
    assert [path for _, _, path in copies.copies] == [PATH, None]
    (job,) = await shared.files_below(conn, world.belle, [a], world.resource["SITE-B"])
    assert (job.rse_ids, job.paths) == ([other.rse_id, disk.rse_id], [None, PATH])


async def test_a_file_is_found_where_it_is_said_to_lie_and_nowhere_else(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    (a,) = await service.register(conn, root, "A-DISK", [file("a", PATH)])
    disk, other = await rses.get(conn, "A-DISK"), await rses.get(conn, "B-DISK")
    implied = rses.place(disk, "belle", "mc", a, "a")

    found = await service.located(conn, root, [disk.prefix + PATH, implied.url, other.prefix + PATH])

    assert [(url, at.did, at.key) for url, at in found.items()] == [
        (disk.prefix + PATH, "mc:a", ReplicaKey(a, disk.rse_id))
    ]
    elsewhere = rses.place(other, "belle", "mc", a, "a").url
    assert (await service.located(conn, root, [elsewhere]))[elsewhere].key == ReplicaKey(a, other.rse_id)
    assert await service.lying_on(conn, root, disk, [("mc", "a"), ("mc", "b")]) == {("mc", "a"): PATH}
    gridpp = person(world, "alice", "*", vo=world.gridpp)
    assert await service.located(conn, gridpp, [disk.prefix + PATH]) == {}


async def test_one_path_has_one_file_and_a_place_by_id_is_said_by_no_other(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    disk = await rses.get(conn, "A-DISK")
    (a, _) = await service.register(conn, root, "A-DISK", [file("a", disk.prefix + PATH), file("b")])
    await service.register(conn, root, "B-DISK", [file("c", PATH)])
    (c,) = [did.did_id for did in await dids.resolve(conn, world.belle, ["mc:c"])]
    implied = rses.place(disk, "belle", "mc", c, "c").path
    for files, error, field in (
        ([file("new"), file("taken", PATH)], PathTaken, "files.1.path"),
        ([file("one", "/belle/x/y"), file("two", "/belle/x/y")], PathTaken, "files.1.path"),
        ([file("new", implied)], PathUnfit, "files.0.path"),
        ([file("new", "/gridpp/mc/f")], PathUnfit, "files.0.path"),
        ([file("new", "/belle/../gridpp/f")], PathUnfit, "files.0.path"),
    ):
        with pytest.raises(error) as caught:
            async with conn.transaction():
                await service.register(conn, root, "A-DISK", files)
        assert caught.value.field == field
    await service.register(conn, root, "A-DISK", [file("c", implied)], known=True)
    assert [r.path for r in await service.list(conn, world.belle, [a, c])] == [PATH, None, PATH]
    with pytest.raises(ReplicaExists):
        await service.register(conn, root, "A-DISK", [file("a", "/belle/else/f")], known=True)


async def test_the_reaper_deletes_a_file_where_it_lies_and_frees_the_path(database: Database, world: World) -> None:
    root, shelf, clock = person(world, "root", "*"), Shelf(), StoppedClock()
    async with database.transaction([0, world.belle]) as conn:
        disk = await rses.get(conn, "A-DISK")
        (a,) = await service.register(conn, root, "A-DISK", [file("a", PATH)])
        await service.give_up(conn, root, {ReplicaKey(a, disk.rse_id): "mc:a"})
    shelf.files.add(disk.prefix + PATH)

    await reap(shelves.deployment(database, shelf, clock))

    ((url, token),) = shelf.asked
    assert url == disk.prefix + PATH
    assert f"storage.modify:{PATH} " in token
    assert shelf.files == set()
    async with database.transaction([0, world.belle]) as conn:
        await service.register(conn, root, "A-DISK", [file("b", PATH)])


async def test_what_is_being_put_is_available_when_it_is_there_and_given_up_otherwise(
    conn: Connection, world: World
) -> None:
    root = person(world, "root", "*")
    files = [file("here"), file("late", copying=True), file("never", copying=True)]
    ids = await service.register(conn, root, "A-DISK", files)
    here, late, never = (ReplicaKey(i, world.resource["A-DISK"]) for i in ids)
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)
    one = await replica(conn, world, late)
    assert one is not None
    assert one.tombstone_at is not None
    assert (one.state, one.lock_count) == (ReplicaState.COPYING, 0)

    assert await service.settle_put(conn, world.belle, {here: "mc:here", late: "mc:late"}, arrived=True) == [late]
    assert await service.settle_put(conn, world.belle, {never: "mc:never"}, arrived=False) == []

    states = [(r.state, r.tombstone_at) for r in await service.list(conn, world.belle, ids)]
    assert states[:2] == [(ReplicaState.AVAILABLE, None)] * 2
    assert states[2][1] is not None
    assert states[2][1] + PUT_TIME - timedelta(minutes=5) < one.tombstone_at
    for said, arrived, error in (
        ({late: "mc:late"}, False, ReplicaNotCopying),
        ({ReplicaKey(late.did_id, world.resource["B-DISK"]): "mc:late"}, True, ReplicaNotFound),
    ):
        with pytest.raises(error):
            await service.settle_put(conn, world.belle, said, arrived=arrived)


async def test_the_nearest_source_comes_first(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    (a,) = await service.register(conn, root, "A-DISK", [file("a")])
    await service.register(conn, root, "B-DISK", [file("a")], known=True)

    async def sources(near: str | None) -> list[str]:
        (one,) = await service.access(conn, root, Notary(), [a], page=(0, 10), near=near)
        return [source.rse for source in one.sources]

    assert await sources(None) == await sources("SITE-A") == ["A-DISK", "B-DISK"]
    assert await sources("SITE-B") == ["B-DISK", "A-DISK"]
    with pytest.raises(SiteNotFound) as caught:
        await sources("SITE-C")
    assert caught.value.field == "near"


async def test_a_reader_at_the_site_gets_the_protocol_that_is_for_there(conn: Connection, world: World) -> None:
    root = person(world, "root", "*")
    (a,) = await service.register(conn, root, "A-DISK", [file("a")])
    far, near = '{"wan": {"read": 1}}', '{"lan": {"read": 1}}'
    await give_doors(conn, world.resource["A-DISK"], first=far, second=near)

    async def url(at: str | None) -> str:
        (one,) = await service.access(conn, root, Notary(), [a], page=(0, 10), near=at)
        (source,) = one.sources
        return source.url

    assert (await url("SITE-A")).startswith("file:///door/belle/")
    for elsewhere in (None, "SITE-B"):
        assert (await url(elsewhere)).startswith("file:///nowhere/a-disk/belle/")


async def test_rses_without_a_link_to_a_site_are_the_farthest(conn: Connection, world: World) -> None:
    known = await rses.rses(conn)
    a, b = (world.resource[name] for name in ("A-DISK", "B-DISK"))
    assert await rses.nearness(conn, known, world.resource["SITE-B"]) == {a: (1, 1), b: (0, 0)}
    await conn.execute("DELETE FROM distance WHERE source_rse_id = %s", [a])
    assert await rses.nearness(conn, known, world.resource["SITE-B"]) == {a: (2, 0), b: (0, 0)}

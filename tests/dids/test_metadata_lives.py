"""What is said and searched of DIDs whose time comes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sancho.dids import service
from sancho.dids.errors import DidExists, DidNotFound
from sancho.dids.model import DidKind, Search
from sancho.kit.db import Connection, Database, fetch_values
from sancho.kit.query import parse
from tests.dids.given import deferred, given_collection, given_files, person
from tests.dids.metadata_given import apply, found, said, say
from tests.dids.waiting import until_one_waits
from tests.world import World

NOW, DAY = timedelta(0), timedelta(days=1)
TABLES = ("metadata", "metadata_search", "metadata_item", "smart_dataset")


async def erase(conn: Connection, world: World, *names: str, after: timedelta = NOW) -> None:
    await service.erase(conn, person(world, "alice"), [f"mc:{name}" for name in names], after=after)


async def end(conn: Connection, world: World, *did_ids: int) -> None:
    """Do as the worker does that erases."""
    ended = await service.lock_ended(conn, world.belle, list(did_ids), now=datetime.now(UTC))
    assert {one.did_id for one in ended} == set(did_ids)
    await service.empty(conn, world.belle, ended)
    await service.end(conn, world.belle, ended)


async def inside(conn: Connection, world: World, name: str) -> list[str]:
    dataset = await service.get(conn, world.belle, f"mc:{name}")
    return [one.name async for part in service.stream_children(conn, dataset) for one in part]


async def smart(conn: Connection, world: World, where: str = "run exists") -> int:
    await service.follow(conn, person(world, "alice"), "mc:smart", where, ())
    did_id = (await service.get(conn, world.belle, "mc:smart")).did_id
    await service.refresh(conn, world.belle, did_id, ())
    return did_id


@pytest.fixture
async def runs(conn: Connection, world: World) -> list[int]:
    """Files `a` and `b` of runs 1 and 2; their ids."""
    await apply(
        conn, world, run={"kind": "integer"}, detector={"kind": "texts"}, seed={"kind": "integer", "indexed": False}
    )
    ids = await given_files(conn, world, "a", "b")
    await say(conn, world, "a", run=1, detector=["ecl"], seed=1)
    await say(conn, world, "b", run=2, detector=["ecl"], seed=1)
    return ids


async def test_no_search_finds_what_is_erased_or_whose_time_has_come(
    conn: Connection, world: World, runs: list[int]
) -> None:
    a, b = runs
    dataset = await given_collection(conn, world, "d")
    box = await given_collection(conn, world, "box", DidKind.CONTAINER)
    await service.attach(conn, world.belle, dataset, [a, b])
    await service.attach(conn, world.belle, box, [dataset])
    await say(conn, world, "box", run=3)
    files = (DidKind.FILE,)

    async def everywhere() -> list[list[str]]:
        by_name = Search(wanted=parse("run < 3"), scope="mc")
        listed = [one.name async for part in service.search(conn, world.belle, by_name) for one in part]
        return [
            listed,
            await found(conn, world, "run < 3"),
            await found(conn, world, "~(run = 3)", scope="mc", kinds=files),
            await found(conn, world, "detector contains ecl"),
            await found(conn, world, "seed = 1", scope="mc"),
            await found(conn, world, None, within="mc:box", kinds=files),
            await found(conn, world, "run < 3 | run > 3", within="mc:box"),
            await found(conn, world, "run < 3", inherit=True),
            await found(conn, world, "detector contains ecl", within="mc:d", inherit=True),
        ]

    await erase(conn, world, "a", after=DAY)
    assert await everywhere() == [["a", "b"]] * 9
    await erase(conn, world, "a")
    assert await everywhere() == [["b"]] * 9
    await end(conn, world, a)
    assert await everywhere() == [["b"]] * 9
    assert await found(conn, world, "run = 3", inherit=True, kinds=(DidKind.DATASET,)) == ["d"]
    await erase(conn, world, "d")
    assert await found(conn, world, "run = 3", inherit=True, kinds=(DidKind.DATASET,)) == []


async def test_what_has_been_said_goes_with_the_did(conn: Connection, world: World, runs: list[int]) -> None:
    a, b = runs
    dataset = await smart(conn, world)
    await say(conn, world, "smart", detector=["top"])
    await erase(conn, world, "a", "smart")
    assert await said(conn, world, "a") == {"run": 1, "detector": ["ecl"], "seed": 1}

    await end(conn, world, a, dataset)

    for table in TABLES:
        left = await fetch_values(conn, f"SELECT did_id FROM {table}", {})
        assert left == ([] if table == "smart_dataset" else [b]), table
    with pytest.raises(DidNotFound):
        await say(conn, world, "a", run=5)


async def test_a_did_that_ends_meanwhile_says_nothing_more(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        await apply(conn, world, detector={"kind": "texts"})
        [a] = await given_files(conn, world, "a")
        await say(conn, world, "a", detector=["ecl"])
        await erase(conn, world, "a")

    async def speak() -> None:
        async with database.transaction([world.belle]) as conn:
            await say(conn, world, "a", detector=["top"])

    async with database.transaction([world.belle]) as conn:
        await end(conn, world, a)
        speaking = asyncio.create_task(speak())
        await until_one_waits(database)
    with pytest.raises(DidNotFound):
        await speaking
    async with database.transaction([world.belle]) as conn:
        assert await fetch_values(conn, "SELECT did_id FROM metadata_item", {}) == []


async def test_a_smart_dataset_takes_in_nothing_whose_time_has_come_and_keeps_it_while_it_is_there(
    conn: Connection, world: World, runs: list[int]
) -> None:
    a, b = runs
    await erase(conn, world, "a")
    dataset = await smart(conn, world)
    assert await inside(conn, world, "smart") == ["b"]
    await erase(conn, world, "b")
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    assert await inside(conn, world, "smart") == ["b"]
    await end(conn, world, b)
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    assert await inside(conn, world, "smart") == []
    await service.restore(conn, person(world, "alice"), ["mc:a"])
    assert await service.refresh(conn, world.belle, dataset, ()) == (1, 0, False)
    assert a


async def test_a_smart_dataset_that_is_erased_stops_and_takes_no_file_along(
    conn: Connection, world: World, runs: list[int]
) -> None:
    dataset = await smart(conn, world, "run >= 1")
    await erase(conn, world, "smart", after=DAY)
    await say(conn, world, "a", run=0)
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 1, False)

    await erase(conn, world, "smart")
    await say(conn, world, "a", run=1)
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    await conn.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'dids:refresh'")
    await service.refresh_due(conn, world.belle)
    assert await deferred(conn, "dids:refresh") == []

    await end(conn, world, dataset)
    assert await fetch_values(conn, "SELECT did_id FROM ending", {}) == []
    assert await found(conn, world, "run >= 1") == ["a", "b"]
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    with pytest.raises(DidExists):
        await smart(conn, world)


async def test_a_smart_dataset_that_only_grows_lets_nothing_go(conn: Connection, world: World, runs: list[int]) -> None:
    dataset = await smart(conn, world, "run = 1")
    await service.set_monotonic(conn, person(world, "alice"), "mc:smart")
    await say(conn, world, "a", run=3)
    await say(conn, world, "b", run=1)
    assert await service.refresh(conn, world.belle, dataset, ()) == (1, 0, False)
    assert await inside(conn, world, "smart") == ["a", "b"]


async def test_keys_that_change_while_dids_end_wait_for_them_and_nobody_for_each_other(
    database: Database, world: World
) -> None:
    async with database.transaction([world.belle]) as conn:
        await apply(conn, world, run={"kind": "integer"}, seed={"kind": "integer", "indexed": False})
        ids = await given_files(conn, world, "a", "b")
        await say(conn, world, "a", seed=1)  # searches will see it only when its key gets a slot
        await say(conn, world, "b", run=1)
        await erase(conn, world, "a", "b")

    async def let_seeds_be_searched() -> None:
        async with database.transaction([world.belle]) as conn:
            await apply(conn, world, seed={"kind": "integer"})

    async with database.transaction([world.belle]) as conn:
        ended = await service.lock_ended(conn, world.belle, ids, now=datetime.now(UTC))
        assert len(ended) == 2
        changing = asyncio.create_task(let_seeds_be_searched())
        await until_one_waits(database)
        await service.end(conn, world.belle, ended)
    await changing
    async with database.transaction([world.belle]) as conn:
        assert await fetch_values(conn, "SELECT did_id FROM metadata_search") == []

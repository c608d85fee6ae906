"""Datasets that follow a search."""

import asyncio

import pytest

from sancho.dids import service, tasks
from sancho.dids.errors import CollectionClosed, NotADataset, NotSmart, ScopeNotYours
from sancho.dids.model import DidKind
from sancho.dids.service import smart as smart_service
from sancho.kit.access import NotYours
from sancho.kit.db import Connection, Database
from sancho.kit.query import QueryMalformed
from sancho.kit.search import SearchFieldUnknown
from tests.dids.given import deferred, given_collection, given_files, person
from tests.dids.metadata_given import apply, say
from tests.dids.waiting import until_one_waits
from tests.served import Served
from tests.world import World

RUN = {"run": {"kind": "integer"}}


async def given_runs(conn: Connection, world: World, *runs: int, first: str = "f") -> list[int]:
    """Files `f1`, `f2` … of these runs; returns their ids."""
    names = [f"{first}{run}" for run in runs]
    ids = await given_files(conn, world, *names)
    for name, run in zip(names, runs, strict=True):
        await say(conn, world, name, run=run)
    return ids


async def inside(conn: Connection, world: World, did: str = "mc:smart") -> list[str]:
    dataset = await service.get(conn, world.belle, did)
    return [one.name async for part in service.stream_children(conn, dataset) for one in part]


async def follow(conn: Connection, world: World, where: str, account: str = "alice", did: str = "mc:smart") -> int:
    await service.follow(conn, person(world, account), did, where, ())
    return (await service.get(conn, world.belle, did)).did_id


async def test_a_dataset_holds_what_its_search_finds_and_rules_are_told(conn: Connection, world: World) -> None:
    await apply(conn, world, **RUN)
    a, b, c = await given_runs(conn, world, 1, 2, 3)
    dataset = await follow(conn, world, "run >= 2")
    assert await deferred(conn, "dids:refresh") == [{"vo": world.belle, "did_id": dataset}]
    assert await service.refresh(conn, world.belle, dataset, ()) == (2, 0, False)
    assert await inside(conn, world) == ["f2", "f3"]
    assert await service.info(conn, await service.get(conn, world.belle, "mc:smart")) == (2, 50)

    await say(conn, world, "f1", run=10)
    await say(conn, world, "f3", run=None)
    done = await service.refresh_now(conn, person(world, "alice"), "mc:smart", ())
    assert (done.attached, done.detached) == (1, 1)
    assert await inside(conn, world) == ["f1", "f2"]
    told = [task["file_ids"] for task in await deferred(conn, "rules:extend")]
    assert (told, [t["file_ids"] for t in await deferred(conn, "rules:retract")]) == ([[b, c], [a]], [[c]])
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)


async def test_a_frozen_dataset_is_closed_as_it_is(conn: Connection, world: World) -> None:
    await apply(conn, world, **RUN)
    await given_runs(conn, world, 1)
    dataset = await follow(conn, world, "run exists")
    await service.refresh(conn, world.belle, dataset, ())
    frozen = await service.freeze(conn, person(world, "alice"), "mc:smart")
    assert not frozen.open
    await say(conn, world, "f1", run=None)
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    assert await inside(conn, world) == ["f1"]
    with pytest.raises(NotSmart):
        await service.freeze(conn, person(world, "alice"), "mc:smart")
    with pytest.raises(NotSmart):
        await service.refresh_now(conn, person(world, "alice"), "mc:smart", ())
    with pytest.raises(NotSmart):
        await service.followed(conn, frozen)


async def test_only_its_owner_may_let_a_dataset_follow(conn: Connection, world: World) -> None:
    await apply(conn, world, **RUN)
    await given_collection(conn, world, "mine")
    await given_collection(conn, world, "box", DidKind.CONTAINER)
    await service.create_scope(conn, person(world, "root", "*"), "roots")
    bob = person(world, "bob")
    with pytest.raises(NotYours):
        await follow(conn, world, "run = 1", "bob", "mc:mine")
    with pytest.raises(ScopeNotYours):
        await follow(conn, world, "run = 1", "bob", "roots:new")
    with pytest.raises(NotADataset):
        await follow(conn, world, "run = 1", "alice", "mc:box")
    with pytest.raises(QueryMalformed):
        await follow(conn, world, "run =")
    with pytest.raises(SearchFieldUnknown):
        await follow(conn, world, "colour = red")
    await follow(conn, world, "run = 1")
    for change in (
        service.refresh_now(conn, bob, "mc:smart", ()), service.freeze(conn, bob, "mc:smart")
    ):  # fmt: skip
        with pytest.raises(NotYours):
            await change
    await service.set_open(conn, person(world, "alice"), "mc:smart", is_open=False)
    with pytest.raises(CollectionClosed):
        await service.refresh_now(conn, person(world, "alice"), "mc:smart", ())


async def test_what_belongs_to_another_vo_is_never_attached(conn: Connection, world: World) -> None:
    await given_files(conn, world, "mine")
    await given_files(conn, world, "theirs", vo=world.gridpp)
    dataset = await follow(conn, world, "name like *")  # this transaction serves both VOs
    await service.refresh(conn, world.belle, dataset, ())
    assert await inside(conn, world) == ["mine"]


async def test_a_search_that_is_no_longer_good_says_so_and_changes_nothing(conn: Connection, world: World) -> None:
    await apply(conn, world, **RUN)
    await given_runs(conn, world, 1)
    dataset = await follow(conn, world, "run = 1")
    await service.refresh(conn, world.belle, dataset, ())
    await say(conn, world, "f1", run=None)
    await apply(conn, world, run=None)
    assert await service.refresh(conn, world.belle, dataset, ()) == (0, 0, False)
    assert await inside(conn, world) == ["f1"]
    said = await service.followed(conn, await service.get(conn, world.belle, "mc:smart"))
    assert said.fault == "There is no key run to search by."


async def test_two_runs_at_once_attach_each_file_once(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        await apply(conn, world, **RUN)
        await given_runs(conn, world, 1, 2)
        dataset = await follow(conn, world, "run exists")

    async def refresh() -> tuple[int, int, int]:
        async with database.transaction([world.belle]) as conn:
            return await service.refresh(conn, world.belle, dataset, ())

    async with database.transaction([world.belle]) as conn:
        assert await service.refresh(conn, world.belle, dataset, ()) == (2, 0, False)
        second = asyncio.create_task(refresh())
        await until_one_waits(database)
    assert await second == (0, 0, False)
    async with database.transaction([world.belle]) as conn:
        assert await service.info(conn, await service.get(conn, world.belle, "mc:smart")) == (2, 30)
        assert len(await deferred(conn, "rules:extend")) == 1


async def test_a_run_that_dies_in_the_middle_is_made_good_by_the_next(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smart_service, "AT_ONCE", 2)
    database = served.deployment.database
    async with database.transaction([world.belle]) as conn:
        await apply(conn, world, **RUN)
        ids = await given_runs(conn, world, *range(1, 6))
        dataset = await follow(conn, world, "run exists")
    async with database.transaction([world.belle]) as conn:
        assert await service.refresh(conn, world.belle, dataset, ()) == (2, 0, ids[1])
    with pytest.raises(ConnectionAbortedError):
        async with database.transaction([world.belle]) as conn:
            assert await service.refresh(conn, world.belle, dataset, (), after=ids[1]) == (2, 0, ids[3])
            raise ConnectionAbortedError
    async with database.transaction([world.belle]) as conn:
        assert await inside(conn, world) == ["f1", "f2"]
        assert await service.info(conn, await service.get(conn, world.belle, "mc:smart")) == (2, 30)

    await served.run_tasks()
    async with database.transaction([world.belle]) as conn:
        assert await inside(conn, world) == ["f1", "f2", "f3", "f4", "f5"]
        await given_runs(conn, world, 7)
    await tasks.refresh_all(served.deployment)
    await tasks.refresh_all(served.deployment)
    await served.run_tasks()
    async with database.transaction([world.belle]) as conn:
        assert len(await inside(conn, world)) == 6

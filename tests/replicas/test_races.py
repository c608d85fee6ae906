"""Replicas under two connections at once: held or deleted, never both; counted once; no source deleted."""

import asyncio
import random
from datetime import UTC, datetime

import pytest

from sancho.dids.errors import DidExists
from sancho.dids.model import FileText
from sancho.kit.db import Connection, Database
from sancho.replicas import service
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.replicas.store import deletion
from tests.dids.given import given_files, person
from tests.dids.waiting import until_one_waits
from tests.replicas.given import given_replicas, recounted
from tests.replicas.shelf import Shelf, StoppedClock, deployment
from tests.world import World

MUCH_LATER = datetime(2200, 1, 1, tzinfo=UTC)


async def given_doomed(database: Database, world: World, *names: str) -> list[ReplicaKey]:
    async with database.transaction([0, world.belle]) as conn:
        keys = await given_replicas(conn, world, *names)
        await service.hold(conn, world.belle, keys)
        await service.release(conn, world.belle, keys)
    return keys


async def claim(conn: Connection) -> list[int]:
    places = await deletion.doomed_places(conn)
    found = await deletion.lock_doomed(conn, places, now=MUCH_LATER, each=1000)
    return sorted(doomed.did_id for doomed in await deletion.mark_deleting(conn, found))


async def test_a_replica_that_is_being_held_is_not_claimed(database: Database, world: World) -> None:
    held, free = await given_doomed(database, world, "a", "b")

    async with database.transaction([world.belle]) as holder, database.transaction([world.belle]) as reaper:
        await service.hold(holder, world.belle, [held])
        assert await claim(reaper) == [free.did_id]

    async with database.transaction([world.belle]) as conn:
        assert await claim(conn) == [free.did_id]


async def test_a_hold_waits_for_a_claim_and_is_refused(database: Database, world: World) -> None:
    (key,) = await given_doomed(database, world, "a")

    async def hold() -> None:
        async with database.transaction([world.belle]) as conn:
            await service.hold(conn, world.belle, [key])

    async with database.transaction([world.belle]) as reaper:
        assert await claim(reaper) == [key.did_id]
        holding = asyncio.create_task(hold())
        await until_one_waits(database)
    with pytest.raises(ReplicaBeingDeleted):
        await holding


async def test_the_source_of_a_copy_that_is_just_being_placed_is_not_claimed(database: Database, world: World) -> None:
    (source,) = await given_doomed(database, world, "a")

    async with database.transaction([world.belle]) as placer, database.transaction([world.belle]) as reaper:
        await service.place(placer, world.belle, [ReplicaKey(source.did_id, world.resource["B-DISK"])], [10])
        assert await claim(reaper) == []

    async with database.transaction([world.belle]) as conn:
        assert await claim(conn) == []


async def test_a_replica_placed_by_two_at_once_is_one_with_two_holds(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        ids = await given_files(conn, world, "a", "b")
    keys = [ReplicaKey(did_id, world.resource["A-DISK"]) for did_id in ids]

    async def place() -> dict[ReplicaKey, ReplicaState]:
        async with database.transaction([world.belle]) as conn:
            return await service.place(conn, world.belle, keys, [10, 20])

    async with database.transaction([world.belle]) as conn:
        await service.place(conn, world.belle, keys[1:], [20])
        second = asyncio.create_task(place())
        await until_one_waits(database)
    assert await second == dict.fromkeys(keys, ReplicaState.COPYING)

    async with database.transaction([world.belle]) as conn:
        assert [r.lock_count for r in await service.list(conn, world.belle, ids)] == [1, 2]
        assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)


async def test_files_registered_by_two_at_once_are_the_first_ones(database: Database, world: World) -> None:
    root = person(world, "root", "*")
    files = [FileText("mc:a", 1, None), FileText("mc:b", 2, None)]

    async def register() -> None:
        async with database.transaction([world.belle]) as conn:
            await service.register(conn, root, "A-DISK", files[::-1])

    async with database.transaction([world.belle]) as conn:
        await service.register(conn, root, "A-DISK", files)
        second = asyncio.create_task(register())
        await until_one_waits(database)
    with pytest.raises(DidExists):
        await second

    async with database.transaction([world.belle]) as conn:
        assert await service.usage(conn, world.belle) == [(world.resource["A-DISK"], 2, 3)]
        assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)


async def test_holders_and_reapers_at_once_never_both_have_a_replica(database: Database, world: World) -> None:
    keys = await given_doomed(database, world, *(f"f{n:03}" for n in range(120)))
    shelf, clock = Shelf(), StoppedClock()
    held: list[ReplicaKey] = []

    async def hold(seed: int) -> None:
        chooser = random.Random(seed)
        for _ in range(40):
            some = chooser.sample(keys, 3)
            try:
                async with database.transaction([world.belle]) as conn:
                    states = await service.place(conn, world.belle, some, [10] * 3)
            except ReplicaBeingDeleted:
                continue
            assert ReplicaState.DELETING not in states.values()
            held.extend(some)

    async def reap() -> None:
        for _ in range(6):
            await service.reap(deployment(database, shelf, clock))

    await asyncio.gather(hold(1), hold(2), hold(3), reap(), reap())

    async with database.transaction([world.belle]) as conn:
        there = {r.key: r for r in await service.list(conn, world.belle, [key.did_id for key in keys])}
        assert {key: there[key].lock_count for key in set(held)} == {key: held.count(key) for key in set(held)}
        assert all(r.lock_count == 0 or r.state is not ReplicaState.DELETING for r in there.values())
        assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)

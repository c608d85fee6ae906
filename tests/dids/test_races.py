"""The namespace under two connections at once: never an attachment to a closed collection, a circle, a name twice."""

import asyncio

import pytest

from sancho.dids import service
from sancho.dids.errors import ArchiveNested, CollectionClosed, Cycle, DidExists
from sancho.dids.model import DidKind, Member, Packed
from sancho.kit.db import Connection, Database
from tests.dids.given import given_collection, given_files, person
from tests.dids.waiting import until_one_waits
from tests.world import World


async def test_closing_waits_for_who_is_attaching(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        (a,) = await given_files(conn, world, "a")
        dataset = await given_collection(conn, world, "run1")

    async def close() -> bool:
        async with database.transaction([world.belle]) as conn:
            return await service.close(conn, world.belle, dataset)

    async with database.transaction([world.belle]) as conn:
        await service.attach(conn, world.belle, dataset, [a])
        closing = asyncio.create_task(close())
        await until_one_waits(database)
    assert await closing

    async with database.transaction([world.belle]) as conn:
        closed = await service.get(conn, world.belle, "mc:run1")
        assert not closed.open
        assert await service.info(conn, closed) == (1, 10)


async def test_attaching_waits_for_who_is_closing_and_is_refused(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        (a,) = await given_files(conn, world, "a")
        dataset = await given_collection(conn, world, "run1")

    async def attach() -> None:
        async with database.transaction([world.belle]) as conn:
            await service.attach(conn, world.belle, dataset, [a])

    async with database.transaction([world.belle]) as conn:
        await service.close(conn, world.belle, dataset)
        attaching = asyncio.create_task(attach())
        await until_one_waits(database)
    with pytest.raises(CollectionClosed):
        await attaching

    async with database.transaction([world.belle]) as conn:
        assert await service.files(conn, world.belle, [dataset]) == []
        assert await service.info(conn, await service.get(conn, world.belle, "mc:run1")) == (0, 0)


async def test_two_who_pack_at_once_make_no_archive_in_an_archive(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        await given_files(conn, world, "a.zip", "b.zip", "c")

    async def pack(conn: Connection, archive: str, file: str) -> None:
        await service.pack(conn, person(world, "alice"), [Packed(archive, [Member(file)])])

    async def pack_later() -> None:
        async with database.transaction([world.belle]) as conn:
            await pack(conn, "mc:b.zip", "mc:c")

    async with database.transaction([world.belle]) as conn:
        await pack(conn, "mc:a.zip", "mc:b.zip")
        packing = asyncio.create_task(pack_later())
        await until_one_waits(database)
    with pytest.raises(ArchiveNested):
        await packing


async def test_those_who_attach_do_not_wait_for_each_other(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        a, b = await given_files(conn, world, "a", "b")
        dataset = await given_collection(conn, world, "run1")

    async with database.transaction([world.belle]) as one, database.transaction([world.belle]) as other:
        await service.attach(one, world.belle, dataset, [a])
        await service.attach(other, world.belle, dataset, [b])

    async with database.transaction([world.belle]) as conn:
        assert await service.info(conn, await service.get(conn, world.belle, "mc:run1")) == (2, 30)


async def test_a_file_attached_by_two_at_once_counts_once(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        (a,) = await given_files(conn, world, "a")
        dataset = await given_collection(conn, world, "run1")

    async def attach() -> list[int]:
        async with database.transaction([world.belle]) as conn:
            return await service.attach(conn, world.belle, dataset, [a])

    async with database.transaction([world.belle]) as conn:
        assert await service.attach(conn, world.belle, dataset, [a]) == [a]
        second = asyncio.create_task(attach())
        await until_one_waits(database)
    assert await second == []

    async with database.transaction([world.belle]) as conn:
        assert await service.info(conn, await service.get(conn, world.belle, "mc:run1")) == (1, 10)


async def test_two_halves_of_a_circle_cannot_be_attached_at_once(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        w, x, y, z = [await given_collection(conn, world, name, DidKind.CONTAINER) for name in "wxyz"]
        await service.attach(conn, world.belle, w, [x])
        await service.attach(conn, world.belle, y, [z])

    async def attach(parent: int, child: int) -> None:
        async with database.transaction([world.belle]) as conn:
            await service.attach(conn, world.belle, parent, [child])

    async with database.transaction([world.belle]) as conn:
        await service.attach(conn, world.belle, x, [y])
        second = asyncio.create_task(attach(z, w))
        await until_one_waits(database)
    with pytest.raises(Cycle):
        await second


async def test_a_name_registered_by_two_at_once_is_the_first_ones(database: Database, world: World) -> None:
    async def register() -> None:
        async with database.transaction([world.belle]) as conn:
            await given_files(conn, world, "z", "a")

    async with database.transaction([world.belle]) as conn:
        first = await given_files(conn, world, "a", "b")
        second = asyncio.create_task(register())
        await until_one_waits(database)
    with pytest.raises(DidExists, match="mc:a exists") as caught:
        await second
    assert caught.value.field == "files.1.did"

    async with database.transaction([world.belle]) as conn:
        assert (await service.get(conn, world.belle, "mc:a")).did_id == first[0]
        scope = world.scope[world.belle, "mc"]
        await service.check_free(conn, world.belle, [(scope, "z")])


async def test_a_dataset_ensured_by_two_at_once_is_one(database: Database, world: World) -> None:
    alice = person(world, "alice")

    async def ensure() -> int:
        async with database.transaction([world.belle]) as conn:
            return (await service.ensure_dataset(conn, alice, "mc:out")).did_id

    async with database.transaction([world.belle]) as conn:
        first = (await service.ensure_dataset(conn, alice, "mc:out")).did_id
        second = asyncio.create_task(ensure())
        await until_one_waits(database)
    assert await second == first


async def test_many_who_attach_and_detach_at_once_keep_the_tally_exact(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        ids = await given_files(conn, world, *(f"f{n}" for n in range(12)))
        dataset = await given_collection(conn, world, "run1")

    async def change(worker: int) -> None:
        for turn in range(12):
            some = [ids[(worker * 5 + turn * k) % len(ids)] for k in range(1, 6)]
            async with database.transaction([world.belle]) as conn:
                if (worker + turn) % 3:
                    await service.attach(conn, world.belle, dataset, some, announce=False)
                else:
                    await service.detach(conn, world.belle, dataset, sorted(some))

    await asyncio.gather(*(change(worker) for worker in range(6)))

    async with database.transaction([world.belle]) as conn:
        inside = await service.files(conn, world.belle, [dataset])
        said = await service.info(conn, await service.get(conn, world.belle, "mc:run1"))
        assert said == (len(inside), sum(file.size for file in inside))

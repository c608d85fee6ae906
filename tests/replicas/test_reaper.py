"""The reaper: what nothing holds is deleted on its storage and then here, whoever is killed in between."""

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from sancho.dids import service as dids
from sancho.kit import faults
from sancho.kit.db import Database
from sancho.replicas import service
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.replicas.model import LEASE, ReplicaKey, ReplicaState
from sancho.replicas.service.deletion import CLAIM
from sancho.replicas.tasks import reap
from tests.dids.given import given_files
from tests.replicas import shelf as shelves
from tests.replicas.given import give_doors, given_replicas, recounted
from tests.replicas.shelf import Shelf, StoppedClock
from tests.world import World

POINTS = ["replicas.deletion-claimed", "replicas.deleted-on-storage", "replicas.deletion-removed"]


class Killed(BaseException):
    """The worker was killed here."""


@pytest.fixture
def kill_at() -> Iterator[list[str]]:
    """Names of the points at which the worker dies; a point is taken off once it has killed."""
    points: list[str] = []

    def handler(name: str) -> None:
        if name in points:
            points.remove(name)
            raise Killed(name)

    faults.install(handler)
    yield points
    faults.install(None)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


async def given_doomed(
    database: Database, world: World, shelf: Shelf, *names: str, rse: str = "A-DISK"
) -> list[ReplicaKey]:
    """Available replicas of belle that were held once and are no more; their files are on the shelf."""
    async with database.transaction([0, world.belle]) as conn:
        keys = await given_replicas(conn, world, *names, rse=rse)
        await service.hold(conn, world.belle, keys)
        await service.release(conn, world.belle, keys)
        shelf.files |= {await shelves.url(conn, world, key, name) for key, name in zip(keys, names, strict=True)}
    return keys


async def left(database: Database, world: World) -> dict[str, ReplicaState]:
    """States of the replicas of belle, by name of the file."""
    async with database.transaction([world.belle]) as conn:
        found = await dids.list_dids(conn, world.belle, "mc", page=("", 1000))
        names = {did.did_id: did.name for did in found}
        assert [u for u in await service.usage(conn, world.belle) if u.files] == await recounted(conn, world.belle)
        return {names[r.did_id]: r.state for r in await service.list(conn, world.belle, list(names))}


async def claims(database: Database, world: World) -> int:
    async with database.transaction([world.belle]) as conn:
        row = await (await conn.execute("SELECT count(*) FROM deletion")).fetchone()
        return row[0] if row else 0


async def test_what_nothing_holds_is_deleted_with_a_token_for_just_its_path(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    (key, _) = await given_doomed(database, world, shelf, "a", "b")
    async with database.transaction([0, world.belle]) as conn:
        url = await shelves.url(conn, world, key, "a")

    await reap(shelves.deployment(database, shelf, clock))

    assert shelf.files == set()
    path = url.removeprefix("file:///nowhere/a-disk")
    assert (url, f"reaper storage.read:{path} storage.modify:{path} 300 s") in shelf.asked
    assert await left(database, world) == {}
    assert await claims(database, world) == 0
    async with database.transaction([world.belle]) as conn:
        assert (await dids.get(conn, world.belle, "mc:a")).did_id == key.did_id


async def test_a_file_is_deleted_by_the_protocol_that_is_for_it(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, "a")
    read, delete = '{"wan": {"read": 1, "write": 1}}', '{"wan": {"delete": 2}}'
    async with database.transaction([0]) as conn:
        await give_doors(conn, world.resource["A-DISK"], first=read, second=delete)
    shelf.files = {url.replace("file:///nowhere/a-disk", "file:///door") for url in shelf.files}

    await reap(shelves.deployment(database, shelf, clock))

    assert [url.partition("/belle/")[0] for url, _ in shelf.asked] == ["file:///door"]
    assert shelf.files == set()
    assert await left(database, world) == {}


async def test_a_file_that_is_already_gone_is_fine(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, "a")
    shelf.files.clear()

    assert await service.reap(shelves.deployment(database, shelf, clock)) == 1
    assert await left(database, world) == {}


async def test_what_is_held_or_not_due_or_not_deletable_stays(
    database: Database, database_url: str, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    held, later = await given_doomed(database, world, shelf, "held", "later")
    await given_doomed(database, world, shelf, "elsewhere", rse="B-DISK")
    async with database.transaction([world.belle]) as conn:
        await given_replicas(conn, world, "registered")
        await service.hold(conn, world.belle, [held, later])
        await service.release(conn, world.belle, [later], grace=timedelta(hours=1))
    async with database.transaction([0]) as conn:
        await conn.execute("UPDATE rse SET deletable = false WHERE name = 'B-DISK'")

    assert await service.reap(shelves.deployment(database, shelf, clock)) == 0
    assert len(shelf.files) == 3
    clock.advance(timedelta(hours=2))
    assert await service.reap(shelves.deployment(database, shelf, clock)) == 1
    assert set(await left(database, world)) == {"held", "elsewhere", "registered"}


async def test_the_source_of_a_copy_that_is_being_made_stays_until_it_has_arrived(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    (source,) = await given_doomed(database, world, shelf, "a")
    copy = ReplicaKey(source.did_id, world.resource["B-DISK"])
    async with database.transaction([world.belle]) as conn:
        await service.place(conn, world.belle, [copy], [10])

    assert await service.reap(shelves.deployment(database, shelf, clock)) == 0
    async with database.transaction([world.belle]) as conn:
        await service.arrive(conn, world.belle, [copy])
    assert await service.reap(shelves.deployment(database, shelf, clock)) == 1
    async with database.transaction([world.belle]) as conn:
        assert [r.key for r in await service.list(conn, world.belle, [source.did_id])] == [copy]


async def test_a_storage_that_is_away_is_asked_again_later_and_holds_up_no_other(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    (key,) = await given_doomed(database, world, shelf, "a")
    await given_doomed(database, world, shelf, "b", rse="B-DISK")
    deployment = shelves.deployment(database, shelf, clock)
    shelf.away = "a-disk"

    assert await service.reap(deployment) == 1
    assert await left(database, world) == {"a": ReplicaState.DELETING}
    with pytest.raises(ReplicaBeingDeleted):
        async with database.transaction([world.belle]) as conn:
            await service.hold(conn, world.belle, [key])
    asked = len(shelf.asked)
    assert await service.reap(deployment) == 0
    assert len(shelf.asked) == asked

    clock.advance(timedelta(seconds=31))
    assert await service.reap(deployment) == 0
    assert len(shelf.asked) == asked + 1
    shelf.away = None
    clock.advance(timedelta(seconds=31))
    assert await service.reap(deployment) == 0
    clock.advance(timedelta(seconds=31))
    assert await service.reap(deployment) == 1
    assert await left(database, world) == {}


async def test_many_files_on_a_storage_that_is_away_are_not_all_asked_for(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, *(f"f{n}" for n in range(40)))
    shelf.away = "a-disk"

    assert await service.reap(shelves.deployment(database, shelf, clock)) == 0

    assert len(shelf.asked) < 40
    assert await claims(database, world) == 40


async def test_a_refused_deletion_is_tried_again_later_and_others_go(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, "a", "stubborn")
    shelf.refused = "stubborn"

    assert await service.reap(shelves.deployment(database, shelf, clock)) == 1
    assert await left(database, world) == {"stubborn": ReplicaState.DELETING}
    shelf.refused = None
    clock.advance(timedelta(minutes=1))
    assert await service.reap(shelves.deployment(database, shelf, clock)) == 1


async def test_more_than_one_claim_takes_go_in_several(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, *(f"f{n:04}" for n in range(CLAIM + 50)))

    assert await service.reap(shelves.deployment(database, shelf, clock)) == CLAIM + 50
    assert shelf.files == set()


@pytest.mark.parametrize("point", POINTS)
async def test_a_killed_worker_is_followed_by_another(
    point: str, database: Database, world: World, shelf: Shelf, clock: StoppedClock, kill_at: list[str]
) -> None:
    await given_doomed(database, world, shelf, "a", "b")
    deployment = shelves.deployment(database, shelf, clock)
    kill_at.append(point)

    with pytest.raises(Killed):
        await service.reap(deployment)

    gone = point == "replicas.deletion-removed"
    assert await service.reap(deployment) == 0
    assert await left(database, world) == ({} if gone else {"a": ReplicaState.DELETING, "b": ReplicaState.DELETING})
    clock.advance(LEASE + timedelta(seconds=1))
    assert await service.reap(deployment) == (0 if gone else 2)
    assert await left(database, world) == {}
    assert shelf.files == set()
    assert await claims(database, world) == 0


def test_every_point_of_the_reaper_is_killed_at() -> None:
    assert set(POINTS) == {name for name in faults.declared() if name.startswith("replicas.")}


async def test_a_worker_that_slept_beyond_its_lease_changes_nothing_of_what_came_after(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    first, _ = await given_doomed(database, world, shelf, "a", "b")
    deployment = shelves.deployment(database, shelf, clock)

    async def sleep_while_others_work() -> None:
        clock.advance(LEASE + timedelta(seconds=1))
        assert await service.reap(deployment) == 2
        async with database.transaction([0, world.belle]) as conn:
            await service.place(conn, world.belle, [first], [10])

    shelf.before = sleep_while_others_work
    assert await service.reap(deployment) == 0

    assert await left(database, world) == {"a": ReplicaState.COPYING}


async def test_deletions_that_do_not_fit_into_their_time_wait_for_the_next_claim(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock
) -> None:
    await given_doomed(database, world, shelf, *(f"f{n:02}" for n in range(20)))

    async def dawdle() -> None:
        clock.advance(timedelta(minutes=6))

    shelf.before = dawdle
    gone = await service.reap(shelves.deployment(database, shelf, clock))

    assert 0 < gone < 20
    assert set((await left(database, world)).values()) == {ReplicaState.DELETING}
    clock.advance(LEASE)
    assert await service.reap(shelves.deployment(database, shelf, clock)) == 20 - gone


async def test_each_vo_has_its_share_of_a_claim(
    database: Database, world: World, shelf: Shelf, clock: StoppedClock, kill_at: list[str]
) -> None:
    await given_doomed(database, world, shelf, *(f"f{n:04}" for n in range(2 * CLAIM)))
    async with database.transaction([world.gridpp]) as conn:
        (did_id,) = await given_files(conn, world, "a", vo=world.gridpp)
        key = ReplicaKey(did_id, world.resource["A-DISK"])
        await service.add(conn, world.gridpp, [key], [10], ReplicaState.AVAILABLE)
        await service.hold(conn, world.gridpp, [key])
        await service.release(conn, world.gridpp, [key])
    kill_at.append("replicas.deletion-claimed")

    with pytest.raises(Killed):
        await service.reap(shelves.deployment(database, shelf, clock))

    async with database.transaction([world.belle, world.gridpp]) as conn:
        rows = await conn.execute("SELECT vo, count(*) FROM deletion GROUP BY vo ORDER BY vo")
        assert await rows.fetchall() == [(world.belle, CLAIM // 2), (world.gridpp, 1)]


async def test_a_replica_with_a_hold_cannot_lose_more_than_it_has(
    database: Database, world: World, shelf: Shelf
) -> None:
    (key,) = await given_doomed(database, world, shelf, "a")

    with pytest.raises(psycopg.errors.CheckViolation):
        async with database.transaction([world.belle]) as conn:
            await service.release(conn, world.belle, [key])

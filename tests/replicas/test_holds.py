"""Replicas are made, held, released, arrive and are given up, on a real PostgreSQL."""

from datetime import timedelta

import pytest

from sancho.kit.db import Connection
from sancho.replicas import service
from sancho.replicas.errors import ReplicaBeingDeleted, ReplicaExists, ReplicaNotFound
from sancho.replicas.model import COPYING_GRACE, TRANSITIONS, ReplicaKey, ReplicaState
from tests.dids.given import given_files
from tests.replicas.given import given_replicas, recounted, replica
from tests.world import World


async def now(conn: Connection) -> object:
    return (await (await conn.execute("SELECT now()")).fetchone() or [None])[0]


async def test_added_replicas_count_as_usage(conn: Connection, world: World) -> None:
    keys = await given_replicas(conn, world, "a", "b")

    assert await service.usage(conn, world.belle) == [(world.resource["A-DISK"], 2, 30)]
    assert await service.usage(conn, world.gridpp) == []
    assert [r.key for r in await service.list(conn, world.belle, [k.did_id for k in reversed(keys)])] == keys


async def test_the_first_replica_that_exists_is_named(conn: Connection, world: World) -> None:
    a, b = await given_replicas(conn, world, "a", "b")
    (c,) = await given_files(conn, world, "c")
    new = ReplicaKey(c, a.rse_id)

    with pytest.raises(ReplicaExists, match="replica of mc:b on A-DISK"):
        await service.add(conn, world.belle, [new, b, a], [1, 1, 1], ReplicaState.AVAILABLE)
    with pytest.raises(ReplicaExists, match="mc:c"):
        other = ReplicaKey(c, world.resource["B-DISK"])
        await service.add(conn, world.belle, [other, other], [1, 1], ReplicaState.AVAILABLE)


async def test_placing_makes_what_is_missing_and_holds_what_is_there(conn: Connection, world: World) -> None:
    (there,) = await given_replicas(conn, world, "a")
    missing = ReplicaKey(there.did_id, world.resource["B-DISK"])

    states = await service.place(conn, world.belle, [missing, there], [10, 10])

    assert states == {there: ReplicaState.AVAILABLE, missing: ReplicaState.COPYING}
    assert [r.lock_count for r in await service.list(conn, world.belle, [there.did_id])] == [1, 1]
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)
    assert await service.place(conn, world.belle, [there, missing], [10, 10]) == states
    assert [r.lock_count for r in await service.list(conn, world.belle, [there.did_id])] == [2, 2]
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)


async def test_placing_a_key_twice_holds_it_twice(conn: Connection, world: World) -> None:
    (did_id,) = await given_files(conn, world, "a")
    key = ReplicaKey(did_id, world.resource["A-DISK"])

    await service.place(conn, world.belle, [key, key], [10, 10])

    found = await replica(conn, world, key)
    assert found is not None
    assert found.lock_count == 2


async def test_the_last_release_sets_a_tombstone_and_a_hold_clears_it(conn: Connection, world: World) -> None:
    (key,) = await given_replicas(conn, world, "a")

    assert await service.hold(conn, world.belle, [key, key]) == {key: ReplicaState.AVAILABLE}
    await service.release(conn, world.belle, [key])
    kept = await replica(conn, world, key)
    assert kept is not None
    assert (kept.lock_count, kept.tombstone_at) == (1, None)

    await service.release(conn, world.belle, [key], grace=timedelta(hours=1))
    free = await replica(conn, world, key)
    assert free is not None
    assert free.tombstone_at is not None
    assert free.tombstone_at - timedelta(hours=1) == await now(conn)

    await service.hold(conn, world.belle, [key])
    held = await replica(conn, world, key)
    assert held is not None
    assert (held.lock_count, held.tombstone_at) == (1, None)


async def test_what_does_not_exist_cannot_be_held_or_released(conn: Connection, world: World) -> None:
    (key,) = await given_replicas(conn, world, "a")
    missing = ReplicaKey(key.did_id, world.resource["B-DISK"])

    with pytest.raises(ReplicaNotFound, match="no replica of mc:a on B-DISK"):
        await service.hold(conn, world.belle, [key, missing])
    with pytest.raises(ReplicaNotFound):
        await service.release(conn, world.belle, [missing])
    with pytest.raises(ReplicaNotFound, match="file 123456789 on RSE 99"):
        await service.hold(conn, world.belle, [ReplicaKey(123456789, 99)])


async def test_what_is_being_deleted_can_neither_be_held_nor_placed(conn: Connection, world: World) -> None:
    (key,) = await given_replicas(conn, world, "a", state=ReplicaState.DELETING)

    with pytest.raises(ReplicaBeingDeleted, match="mc:a on A-DISK is being deleted"):
        await service.hold(conn, world.belle, [key])
    with pytest.raises(ReplicaBeingDeleted):
        await service.place(conn, world.belle, [key], [10])


async def test_an_arrival_counts_once(conn: Connection, world: World) -> None:
    copying, other = await given_replicas(conn, world, "a", "b", state=ReplicaState.COPYING)

    assert await service.arrive(conn, world.belle, [copying]) == [copying]
    assert await service.arrive(conn, world.belle, [other, copying]) == [other]
    found = await replica(conn, world, copying)
    assert found is not None
    assert (found.state, found.tombstone_at) == (ReplicaState.AVAILABLE, None)


async def test_a_copy_that_nobody_wants_any_more_waits_for_its_arrival(conn: Connection, world: World) -> None:
    (did_id,) = await given_files(conn, world, "a")
    key = ReplicaKey(did_id, world.resource["B-DISK"])
    await service.place(conn, world.belle, [key], [10])

    await service.release(conn, world.belle, [key])
    copying = await replica(conn, world, key)
    assert copying is not None
    assert copying.tombstone_at is not None
    assert copying.tombstone_at - COPYING_GRACE == await now(conn)

    await service.arrive(conn, world.belle, [key])
    arrived = await replica(conn, world, key)
    assert arrived is not None
    assert arrived.tombstone_at == await now(conn)


async def test_lost_copies_are_removed_unless_something_holds_them(conn: Connection, world: World) -> None:
    a, b, c = await given_replicas(conn, world, "a", "b", "c", state=ReplicaState.COPYING)
    await service.hold(conn, world.belle, [b])
    await service.arrive(conn, world.belle, [c])

    assert await service.lose(conn, world.belle, [a, b, c]) == [a]
    assert await service.lose(conn, world.belle, [a]) == []

    assert await replica(conn, world, a) is None
    assert await service.usage(conn, world.belle) == await recounted(conn, world.belle)


async def test_replicas_of_another_vo_are_not_there(conn: Connection, world: World) -> None:
    (key,) = await given_replicas(conn, world, "a")

    assert await service.list(conn, world.gridpp, [key.did_id]) == []
    with pytest.raises(ReplicaNotFound):
        await service.hold(conn, world.gridpp, [key])
    assert await service.arrive(conn, world.gridpp, [key]) == []


async def test_a_bad_replica_that_is_held_is_copied_anew_and_another_may_be_deleted(
    conn: Connection, world: World
) -> None:
    held, free = await given_replicas(conn, world, "a", "b")
    await service.hold(conn, world.belle, [held])

    assert await service.mark_bad(conn, world.belle, [held, free]) == [held, free]
    assert await service.mark_bad(conn, world.belle, [held, free]) == []

    bad, doomed = await service.list(conn, world.belle, [held.did_id, free.did_id])
    assert (bad.state, bad.tombstone_at) == (ReplicaState.BAD, None)
    assert (doomed.state, doomed.tombstone_at) == (ReplicaState.BAD, await now(conn))
    tasks = await conn.execute("SELECT args->'keys' FROM procrastinate_jobs WHERE task_name = 'rules:recopy'")
    assert await tasks.fetchall() == [([list(held), list(free)],)]
    assert await service.recopy(conn, world.belle, [held, free]) == [held]
    assert await service.recopy(conn, world.belle, [held, free]) == []
    again = await replica(conn, world, held)
    assert again is not None
    assert again.state is ReplicaState.COPYING


def test_states_have_words_and_only_known_ones_follow_each_other() -> None:
    assert [state.word for state in ReplicaState] == ["copying", "available", "unavailable", "bad", "deleting"]
    assert set(TRANSITIONS) == set(ReplicaState)
    assert not TRANSITIONS[ReplicaState.DELETING]

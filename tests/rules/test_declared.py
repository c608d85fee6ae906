"""What is said of replicas, and what becomes of it while rules have bad ones brought anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sancho.kit.db import Connection, Database
from sancho.kit.errors import PermissionMissing
from sancho.replicas import service as replicas
from sancho.replicas.errors import TimeNotForThis
from sancho.replicas.model import (
    DeclarationKind,
    DeclarationState,
    ReplicaKey,
    ReplicaState,
    Saying,
    Troubles,
)
from sancho.rules import service
from sancho.rules.model import RuleState
from sancho.transfers.store import claims
from tests.dids.given import person
from tests.replicas import shelf as shelves
from tests.replicas.given import replica
from tests.replicas.shelf import Shelf, StoppedClock
from tests.rules.given import arrive, check_exact, fail, given_files, given_rule, recopy
from tests.world import World

BAD, SUSPICIOUS, UNAVAILABLE = DeclarationKind.BAD, DeclarationKind.SUSPICIOUS, DeclarationKind.UNAVAILABLE
STANDING = DeclarationState.STANDING


async def say(
    conn: Connection, world: World, kind: DeclarationKind | None, *keys: ReplicaKey, until: datetime | None = None
) -> dict[ReplicaKey, ReplicaState | None]:
    root = person(world, "root", "replicas:manage")
    return await replicas.declare(conn, root, dict.fromkeys(keys, "mc:x"), Saying(kind, "a disk broke", until))


async def history(conn: Connection, world: World, *keys: ReplicaKey) -> list[tuple[DeclarationKind, DeclarationState]]:
    """All that was said of a replica, oldest first, and what came of it."""
    found = await replicas.list_troubles(conn, world.belle, Troubles(), page=(None, 100))
    wanted = [one for one in reversed(found) if (one.did_id, one.rse_id) in keys]
    assert all((one.ended_at is None) == (one.state is STANDING) for one in wanted)
    return [(one.kind, one.state) for one in wanted]


async def given_copies(conn: Connection, world: World, name: str, *rses: str) -> list[ReplicaKey]:
    """A file with replicas on these RSEs."""
    (did_id,) = await given_files(conn, world, [name], rse=None)
    keys = [ReplicaKey(did_id, world.resource[rse]) for rse in rses]
    await replicas.add(conn, world.belle, keys, [100] * len(keys), ReplicaState.AVAILABLE)
    return keys


async def state(conn: Connection, world: World, key: ReplicaKey) -> ReplicaState | None:
    found = await replica(conn, world, key)
    return found.state if found else None


async def sources(conn: Connection, keys: Sequence[ReplicaKey]) -> list[int]:
    """From where a transfer of a file of belle could read, as its worker sees it."""
    query = "SELECT did_id, rse_id FROM transfer_request WHERE did_id = %s"
    assert await (await conn.execute(query, [keys[0].did_id])).fetchall()
    ready = await claims.claim_ready(conn, [1], datetime.now(UTC) + timedelta(hours=1), 10)
    claimed = await claims.activate(conn, ready)
    files = [(one.vo, one.did_id) for one in claimed]
    return [rse_id for _, did_id, rse_id, _ in await claims.sources(conn, files) if did_id == keys[0].did_id]


async def test_a_bad_replica_is_brought_anew_and_its_history_says_recovered(conn: Connection, world: World) -> None:
    bad, _ = await given_copies(conn, world, "f", "A-DISK", "B-DISK")
    rule = await given_rule(conn, world, "mc:f", to="A-DISK")
    await say(conn, world, SUSPICIOUS, bad)

    assert await say(conn, world, BAD, bad) == {}
    assert await history(conn, world, bad) == [(SUSPICIOUS, DeclarationState.REPLACED), (BAD, STANDING)]
    await recopy(conn, world)
    assert await state(conn, world, bad) is ReplicaState.COPYING
    assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.REPLICATING
    assert await history(conn, world, bad) == [(SUSPICIOUS, DeclarationState.REPLACED), (BAD, STANDING)]

    await arrive(conn, world, [bad])

    assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.OK
    assert (await history(conn, world, bad))[-1] == (BAD, DeclarationState.RECOVERED)
    await check_exact(conn)


async def test_the_last_copy_is_lost_once_it_cannot_be_brought_and_found_when_it_comes_back(
    conn: Connection, world: World
) -> None:
    (only,) = await given_copies(conn, world, "f", "A-DISK")
    rule = await given_rule(conn, world, "mc:f", to="A-DISK")
    await say(conn, world, BAD, only)
    await recopy(conn, world)

    await fail(conn, world, [only])

    assert await history(conn, world, only) == [(BAD, DeclarationState.LOST)]
    assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.STUCK
    await arrive(conn, world, [only])
    assert await history(conn, world, only) == [(BAD, DeclarationState.RECOVERED)]
    await check_exact(conn)


async def test_one_that_cannot_be_brought_to_an_rse_is_not_lost_while_another_copy_is_there(
    conn: Connection, world: World
) -> None:
    bad, other = await given_copies(conn, world, "f", "A-DISK", "B-DISK")
    await given_rule(conn, world, "mc:f", to="A-DISK")
    await say(conn, world, UNAVAILABLE, other)
    await say(conn, world, BAD, bad)
    await recopy(conn, world)

    await fail(conn, world, [bad])

    assert await history(conn, world, bad) == [(BAD, STANDING)]


async def test_what_nothing_holds_is_deleted_or_lost(database: Database, world: World) -> None:
    shelf, clock = Shelf(), StoppedClock()
    async with database.transaction([0, world.belle]) as conn:
        one, _ = await given_copies(conn, world, "twice", "A-DISK", "B-DISK")
        (last,) = await given_copies(conn, world, "once", "A-DISK")
        await say(conn, world, BAD, one, last)

    await replicas.reap(shelves.deployment(database, shelf, clock))

    async with database.transaction([0, world.belle]) as conn:
        assert await history(conn, world, one) == [(BAD, DeclarationState.DELETED)]
        assert await history(conn, world, last) == [(BAD, DeclarationState.LOST)]


async def test_an_unavailable_replica_is_held_and_not_read_from(conn: Connection, world: World) -> None:
    a, b = await given_copies(conn, world, "f", "A-DISK", "B-DISK")
    rule = await given_rule(conn, world, "mc:f", to="A-DISK")

    assert await say(conn, world, UNAVAILABLE, a) == {}

    assert await state(conn, world, a) is ReplicaState.UNAVAILABLE
    assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.OK
    await check_exact(conn)
    await say(conn, world, BAD, b)
    await given_rule(conn, world, "mc:f", to="B-DISK")
    await recopy(conn, world)
    assert await sources(conn, [b]) == []
    await say(conn, world, None, a)
    assert await history(conn, world, a) == [(UNAVAILABLE, DeclarationState.AVAILABLE)]
    assert await say(conn, world, None, a) == {a: ReplicaState.AVAILABLE}


async def test_suspicions_are_counted_and_change_nothing(conn: Connection, world: World) -> None:
    (key,) = await given_copies(conn, world, "f", "A-DISK")
    missing = key._replace(rse_id=world.resource["B-DISK"])

    for _ in range(3):
        assert await say(conn, world, SUSPICIOUS, key, missing) == {missing: None}

    assert await state(conn, world, key) is ReplicaState.AVAILABLE
    asked = Troubles(kinds=[SUSPICIOUS, BAD])

    async def counted(at_least: int) -> list[tuple[str, int]]:
        found = replicas.suspicions(conn, world.belle, asked, at_least=at_least)
        return [(one.name, one.times) async for some in found for one in some]

    assert await counted(3) == [("f", 3)]
    assert await counted(4) == []


async def test_it_is_available_again_once_its_time_has_passed_and_not_before(database: Database, world: World) -> None:
    clock = StoppedClock()
    deployment = shelves.deployment(database, Shelf(), clock)
    async with database.transaction([world.belle]) as conn:
        first, second = await given_copies(conn, world, "f", "A-DISK", "B-DISK")
        await say(conn, world, UNAVAILABLE, first, second, until=clock.now() + timedelta(hours=1))
        await say(conn, world, UNAVAILABLE, second, until=clock.now() + timedelta(hours=3))

    assert await replicas.return_due(deployment) == 0
    clock.advance(timedelta(hours=2))
    assert await replicas.return_due(replace(deployment, clock=clock)) == 1
    assert await replicas.return_due(deployment) == 0

    async with database.transaction([world.belle]) as conn:
        assert await state(conn, world, first) is ReplicaState.AVAILABLE
        assert await state(conn, world, second) is ReplicaState.UNAVAILABLE
        assert await history(conn, world, first) == [(UNAVAILABLE, DeclarationState.AVAILABLE)]
        assert await history(conn, world, second) == [(UNAVAILABLE, DeclarationState.REPLACED), (UNAVAILABLE, STANDING)]


async def test_only_who_may_says_it_and_a_time_is_for_the_unavailable(conn: Connection, world: World) -> None:
    (key,) = await given_copies(conn, world, "f", "A-DISK")
    with pytest.raises(PermissionMissing):
        await replicas.declare(conn, person(world, "alice"), {key: "mc:f"}, Saying(BAD))
    for kind in (BAD, SUSPICIOUS, None):
        with pytest.raises(TimeNotForThis):
            await say(conn, world, kind, key, until=datetime.now(UTC))
    assert await history(conn, world, key) == []

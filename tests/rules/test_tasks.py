"""Rules in the background: large ones, stuck ones, those past their time; with real commits and a clock of our own."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.kit.deployment import Deployment
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey
from sancho.rules import service
from sancho.rules.errors import QuotaExceeded, RuleNotFound
from sancho.rules.model import LARGE, LONGEST_RETRY, Rule, RuleState
from sancho.rules.tasks import expire, extend, place, recopy, repair, settle, stick
from tests.dids.given import given_collection, person
from tests.rules.given import Later, check_exact, fail, given_dataset, given_files, given_quota, given_rule, room, value
from tests.served import Served
from tests.world import World


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def deployment(served: Served, clock: Later) -> Deployment:
    return replace(served.deployment, clock=clock)


async def rule_now(deployment: Deployment, world: World, rule_id: int) -> Rule:
    async with deployment.database.transaction([world.belle]) as conn:
        return await service.get(conn, world.belle, rule_id)


async def counted_exactly(deployment: Deployment) -> None:
    async with deployment.database.transaction([0, 1, 2]) as conn:
        await check_exact(conn)


async def many_files(deployment: Deployment, world: World, name: str, files: int) -> int:
    """A dataset with so many files on A-DISK, without asking for each."""
    async with deployment.database.transaction([0, 1]) as conn:
        dataset = await given_collection(conn, world, name)
        await conn.execute(
            """
            WITH made AS (
                INSERT INTO did (vo, kind, open, scope_id, account_id, name, size, adler32)
                SELECT 1, 'F', false, %(scope)s, %(account)s, %(name)s || '/' || n, 1, 1
                  FROM generate_series(1, %(files)s) AS n
                RETURNING did_id, size)
            SELECT array_agg(did_id) FROM made
            """,
            {"scope": world.scope[1, "mc"], "account": world.account[1, "alice"], "name": name, "files": files},
        )
        ids = await value(conn, "SELECT array_agg(did_id ORDER BY did_id) FROM did WHERE kind = 'F' AND size = 1")
        await conn.execute(
            "INSERT INTO replica (vo, state, rse_id, did_id, size) SELECT 1, 'A', %s, unnest(%s::bigint[]), 1",
            [world.resource["A-DISK"], ids],
        )
        await conn.execute(
            "INSERT INTO rse_usage_slot VALUES (1, 0, %s, %s, %s)", [world.resource["A-DISK"], files, files]
        )
        await dids.attach(conn, world.belle, dataset, ids, announce=False)
    return dataset


async def test_a_large_rule_is_placed_in_the_background_and_removed_there(deployment: Deployment, world: World) -> None:
    dataset = await many_files(deployment, world, "big", LARGE + 5)
    async with deployment.database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 2 * LARGE)
        rule = await given_rule(conn, world, "mc:big")
    assert (rule.state, rule.locks, rule.rses) == (RuleState.INJECTING, 0, ("A-DISK",))
    async with deployment.database.transaction([world.belle]) as conn:
        new = await given_files(conn, world, ["x"], into=dataset)
        await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)

    for _ in range(2):
        await place(deployment, vo=world.belle, rule_id=rule.rule_id)

    placed = await rule_now(deployment, world, rule.rule_id)
    assert (placed.state, placed.ok) == (RuleState.OK, LARGE + 6)
    await counted_exactly(deployment)
    async with deployment.database.transaction([world.belle]) as conn:
        await service.delete(conn, person(world, "alice"), rule.rule_id)
    await expire(deployment)

    async with deployment.database.transaction([0, 1]) as conn:
        assert await value(conn, "SELECT count(*) FROM lock") == 0
        assert await value(conn, "SELECT count(*) FROM rule") == 0
        assert await room(conn, world, "all") == 2 * LARGE
    await counted_exactly(deployment)


async def test_a_large_rule_without_room_is_refused_at_once(deployment: Deployment, world: World) -> None:
    await many_files(deployment, world, "big", LARGE + 5)

    async with deployment.database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", LARGE)
        with pytest.raises(QuotaExceeded):
            await given_rule(conn, world, "mc:big")


async def test_a_rule_deleted_while_it_is_being_placed_is_not_placed_any_more(
    deployment: Deployment, world: World
) -> None:
    await many_files(deployment, world, "big", LARGE + 5)
    async with deployment.database.transaction([0, 1]) as conn:
        rule = await given_rule(conn, world, "mc:big")
        await service.delete(conn, person(world, "alice"), rule.rule_id)

    await place(deployment, vo=world.belle, rule_id=rule.rule_id)
    await expire(deployment)

    async with deployment.database.transaction([0, 1]) as conn:
        assert await value(conn, "SELECT count(*) FROM rule") == 0


async def test_a_rule_ends_when_its_time_has_come_and_not_before(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1, 2]) as conn:
        await given_dataset(conn, world, "run1", 2)
        short = await given_rule(conn, world, "mc:run1", lifetime=timedelta(hours=1))
        long = await given_rule(conn, world, "mc:run1")
    await expire(deployment)
    assert (await rule_now(deployment, world, short.rule_id)).locks == 2

    clock.ahead = timedelta(hours=2)
    for _ in range(2):
        await expire(deployment)

    with pytest.raises(RuleNotFound):
        await rule_now(deployment, world, short.rule_id)
    assert (await rule_now(deployment, world, long.rule_id)).ok == 2
    await counted_exactly(deployment)


async def test_a_rule_short_of_quota_is_placed_when_room_appears(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 200)
        dataset, *_ = await given_dataset(conn, world, "run1", 2)
        rule = await given_rule(conn, world, "mc:run1")
        new = await given_files(conn, world, ["x", "y"], into=dataset)
        await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)
    await repair(deployment)
    clock.ahead = timedelta(minutes=2)
    await repair(deployment)
    assert (await rule_now(deployment, world, rule.rule_id)).state is RuleState.STUCK

    async with deployment.database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 1000)
    clock.ahead = timedelta(minutes=4)
    await repair(deployment)

    repaired = await rule_now(deployment, world, rule.rule_id)
    assert (repaired.state, repaired.ok, repaired.error, repaired.complete) == (RuleState.OK, 4, None, True)
    await counted_exactly(deployment)


async def test_a_rule_that_could_not_choose_chooses_when_room_appears(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 0)
        dataset = await given_collection(conn, world, "run1")
        rule = await given_rule(conn, world, "mc:run1")
        new = await given_files(conn, world, ["x"], into=dataset, rse="B-DISK")
        await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)
        assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.STUCK
        await given_quota(conn, world, "all", 1000)

    clock.ahead = timedelta(minutes=2)
    await repair(deployment)

    repaired = await rule_now(deployment, world, rule.rule_id)
    assert (repaired.state, repaired.rses) == (RuleState.OK, ("B-DISK",))
    await counted_exactly(deployment)


async def test_stuck_transfers_are_tried_again_less_and_less_often_and_then_no_more(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        [_, file] = await given_dataset(conn, world, "run1", 1)
        rule = await given_rule(conn, world, "mc:run1", to="B-DISK")
    key = ReplicaKey(file, world.resource["B-DISK"])

    async def fails_again() -> None:
        async with deployment.database.transaction([world.belle]) as conn:
            await fail(conn, world, [key])

    revived, waited = 0, timedelta(0)
    for _ in range(300):
        await fails_again()
        clock.ahead += timedelta(minutes=30)
        await repair(deployment)
        if (await rule_now(deployment, world, rule.rule_id)).state is RuleState.REPLICATING:
            revived, waited = revived + 1, clock.ahead
    assert revived == 10
    assert waited >= LONGEST_RETRY
    assert (await rule_now(deployment, world, rule.rule_id)).error == "the storage is away"
    await counted_exactly(deployment)


async def test_every_task_may_run_twice(deployment: Deployment, world: World) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *files = await given_dataset(conn, world, "run1", 3)
        rule = await given_rule(conn, world, "mc:run1", copies=2)
        new = await given_files(conn, world, ["x"], into=dataset)
        first, second, third = [ReplicaKey(file, world.resource["B-DISK"]) for file in files]
        await replicas.arrive(conn, world.belle, [first, third])
        await conn.execute("UPDATE transfer_request SET state = 'F' WHERE did_id = %s", [second.did_id])
        await conn.execute(
            "DELETE FROM transfer_ready r USING transfer_request q WHERE q.request_id = r.request_id AND q.state = 'F'"
        )

    for _ in range(2):
        await settle(deployment, vo=world.belle, keys=[list(first), list(third)])
        await stick(deployment, vo=world.belle, keys=[list(second)], reason="away")
        await extend(deployment, vo=world.belle, parent_ids=[dataset], file_ids=new)
    async with deployment.database.transaction([world.belle]) as conn:
        await replicas.mark_bad(conn, world.belle, [third])
    for _ in range(2):
        await recopy(deployment, vo=world.belle, keys=[list(third)])

    now = await rule_now(deployment, world, rule.rule_id)
    assert (now.ok, now.replicating, now.stuck) == (5, 2, 1)
    await counted_exactly(deployment)


@pytest.mark.parametrize("order", [(settle, recopy), (recopy, settle)])
async def test_a_replica_found_bad_before_its_arrival_was_settled_is_brought_anew(
    deployment: Deployment, world: World, order: tuple[Callable[..., Awaitable[None]], ...]
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        _, file = await given_dataset(conn, world, "run1", 1)
        rule = await given_rule(conn, world, "mc:run1", copies=2)
        key = ReplicaKey(file, world.resource["B-DISK"])
        await conn.execute("DELETE FROM transfer_ready")
        await conn.execute("UPDATE transfer_request SET state = 'D'")
        await replicas.arrive(conn, world.belle, [key])
        await replicas.mark_bad(conn, world.belle, [key])

    for task in order:
        await task(deployment, vo=world.belle, keys=[list(key)])

    now = await rule_now(deployment, world, rule.rule_id)
    assert (now.state, now.ok, now.replicating, now.stuck) == (RuleState.REPLICATING, 1, 1, 0)
    async with deployment.database.transaction([0, 1]) as conn:
        assert await value(conn, "SELECT state FROM transfer_request") == "W"
    await counted_exactly(deployment)


async def test_tasks_that_run_at_the_same_time_count_once(deployment: Deployment, world: World) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *files = await given_dataset(conn, world, "run1", 3)
        rule = await given_rule(conn, world, "mc:run1", copies=2)
        new = await given_files(conn, world, ["x", "y"], into=dataset)
        keys = [ReplicaKey(file, world.resource["B-DISK"]) for file in files]
        await replicas.arrive(conn, world.belle, keys)

    await asyncio.gather(
        *(settle(deployment, vo=world.belle, keys=[list(key) for key in keys]) for _ in range(3)),
        *(extend(deployment, vo=world.belle, parent_ids=[dataset], file_ids=new) for _ in range(3)),
    )

    now = await rule_now(deployment, world, rule.rule_id)
    assert (now.ok, now.replicating) == (8, 2)
    await counted_exactly(deployment)


async def test_a_file_attached_while_a_rule_is_made_gets_its_locks(deployment: Deployment, world: World) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *_ = await given_dataset(conn, world, "run1", 1)

    async def attach(name: str) -> None:
        async with deployment.database.transaction([world.belle]) as conn:
            new = await given_files(conn, world, [name], into=dataset)
            await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)

    async def create() -> None:
        async with deployment.database.transaction([world.belle]) as conn:
            await given_rule(conn, world, "mc:run1")

    await asyncio.gather(*(attach(f"x{n}") if n % 3 else create() for n in range(9)))

    async with deployment.database.transaction([world.belle]) as conn:
        found = await service.list_rules(conn, world.belle, page=(None, 10))
    assert [rule.ok for rule in found] == [7, 7, 7]
    await counted_exactly(deployment)


async def test_a_file_attached_while_its_dataset_goes_into_a_container_gets_the_locks_of_rules_above(
    deployment: Deployment, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *files = await given_dataset(conn, world, "run1", 1)
        outer = await given_collection(conn, world, "year", DidKind.CONTAINER)
        rule = await given_rule(conn, world, "mc:year", to="A-DISK")

    async with deployment.database.transaction([world.belle]) as first:
        new = await given_files(first, world, ["x"], into=dataset)
        await service.extend(first, world.belle, parent_ids=[dataset], file_ids=new)
        async with deployment.database.transaction([world.belle]) as conn:
            await dids.attach(conn, world.belle, outer, [dataset], announce=False)
        await extend(deployment, vo=world.belle, parent_ids=[outer], file_ids=files)
        placing = asyncio.ensure_future(place(deployment, vo=world.belle, rule_id=rule.rule_id))
        await asyncio.wait([placing], timeout=0.3)
        assert not placing.done()
    await placing

    assert (await rule_now(deployment, world, rule.rule_id)).ok == 2
    await counted_exactly(deployment)


async def test_the_same_rule_ensured_by_many_at_once_is_one(deployment: Deployment, world: World) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset = await given_collection(conn, world, "run1")

    async def ensure() -> int:
        async with deployment.database.transaction([world.belle]) as conn:
            alice = world.account[world.belle, "alice"]
            rule = await service.ensure(conn, world.belle, alice, dataset, copies=1, rse_expression="A-DISK")
            return rule.rule_id

    assert len(set(await asyncio.gather(*(ensure() for _ in range(6))))) == 1


async def test_deleting_a_rule_while_its_dataset_grows_leaves_nothing_behind(
    deployment: Deployment, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *_ = await given_dataset(conn, world, "run1", 3)
        rule = await given_rule(conn, world, "mc:run1", copies=2)

    async def attach(name: str) -> None:
        async with deployment.database.transaction([world.belle]) as conn:
            new = await given_files(conn, world, [name], into=dataset)
            await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)

    async def delete() -> None:
        async with deployment.database.transaction([world.belle]) as conn:
            await service.delete(conn, person(world, "alice"), rule.rule_id)

    await asyncio.gather(attach("x"), attach("y"), delete(), attach("z"))

    async with deployment.database.transaction([world.belle]) as conn:
        assert await value(conn, "SELECT count(*) FROM lock") == 0
    await counted_exactly(deployment)

"""Rules follow what is detached: locks without a reason go, with all that they cost; the others stay."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.replicas.model import ReplicaKey
from sancho.rules import service
from sancho.rules.model import RuleState
from sancho.rules.tasks import extend, repair, retract
from tests.dids.given import given_collection
from tests.rules.given import Later, check_exact, fail, given_dataset, given_quota, given_rule, room, value
from tests.served import Served
from tests.world import World


async def detach(conn: Connection, world: World, parent: int, *children: int) -> None:
    """Children are taken out of a collection, and the task that this defers runs."""
    gone = await dids.detach(conn, world.belle, parent, children)
    below = [file.did_id for file in await dids.files(conn, world.belle, gone)]
    while await service.retract(conn, world.belle, parent_ids=[parent], file_ids=below):
        pass


async def held(conn: Connection, rule_id: int) -> list[int]:
    """Ids of the files that a rule holds."""
    rows = await conn.execute("SELECT DISTINCT did_id FROM lock WHERE rule_id = %s ORDER BY 1", [rule_id])
    return [row[0] for row in await rows.fetchall()]


async def rule_now(conn: Connection, world: World, rule_id: int) -> tuple[RuleState, int, int, int]:
    rule = await service.get(conn, world.belle, rule_id)
    return rule.state, rule.ok, rule.replicating, rule.stuck


async def test_a_file_taken_out_of_its_dataset_is_released_and_paid_back(conn: Connection, world: World) -> None:
    dataset, first, second, third = await given_dataset(conn, world, "run1", 3)
    await given_quota(conn, world, "all", 1000)
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")

    await detach(conn, world, dataset, first, third)

    assert await held(conn, rule.rule_id) == [second]
    assert await rule_now(conn, world, rule.rule_id) == (RuleState.OK, 1, 0, 0)
    assert await value(conn, "SELECT array_agg(did_id) FROM replica WHERE tombstone_at <= now()") == [first, third]
    assert [(u.files, u.size) for u in await service.usage(conn, world.belle)] == [(1, 100)]
    assert await room(conn, world, "all") == 900
    await check_exact(conn)


async def test_a_copy_that_nobody_wants_any_more_is_not_brought(conn: Connection, world: World) -> None:
    dataset, first, second = await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    assert await rule_now(conn, world, rule.rule_id) == (RuleState.REPLICATING, 2, 2, 0)

    await detach(conn, world, dataset, first)
    assert await rule_now(conn, world, rule.rule_id) == (RuleState.REPLICATING, 1, 1, 0)
    await detach(conn, world, dataset, second)

    assert await rule_now(conn, world, rule.rule_id) == (RuleState.OK, 0, 0, 0)
    assert await value(conn, "SELECT count(*) FROM replica WHERE state = 'C'") == 0
    assert await value(conn, "SELECT count(*) FROM transfer_request") == 0
    await check_exact(conn)


async def test_a_rule_that_was_stuck_for_what_has_gone_is_well_again_and_forgets_why(
    conn: Connection, world: World
) -> None:
    dataset, first, _ = await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    await fail(conn, world, [ReplicaKey(first, world.resource["B-DISK"])])
    assert (await service.get(conn, world.belle, rule.rule_id)).error == "the storage is away"

    await detach(conn, world, dataset, first)

    assert await rule_now(conn, world, rule.rule_id) == (RuleState.REPLICATING, 1, 1, 0)
    assert (await service.get(conn, world.belle, rule.rule_id)).error is None
    assert await value(conn, "SELECT retry_at FROM rule_detail") is None
    await check_exact(conn)


async def test_rules_on_the_file_itself_and_on_other_datasets_that_hold_it_stay(conn: Connection, world: World) -> None:
    dataset, first, second = await given_dataset(conn, world, "run1", 2)
    other = await given_collection(conn, world, "run2")
    await dids.attach(conn, world.belle, other, [first, second], announce=False)
    gone = await given_rule(conn, world, "mc:run1", to="A-DISK")
    own = await given_rule(conn, world, "mc:run1/0", to="A-DISK", account="bob")
    elsewhere = await given_rule(conn, world, "mc:run2", to="A-DISK", account="bob")

    await detach(conn, world, dataset, first, second)

    assert await held(conn, gone.rule_id) == []
    assert await held(conn, own.rule_id) == [first]
    assert await held(conn, elsewhere.rule_id) == [first, second]
    assert await value(conn, "SELECT count(*) FROM replica WHERE tombstone_at IS NOT NULL") == 0
    await check_exact(conn)


async def test_a_rule_above_holds_a_file_as_long_as_any_way_leads_down_to_it(conn: Connection, world: World) -> None:
    run1, file = await given_dataset(conn, world, "run1", 1)
    run2, year = (
        await given_collection(conn, world, "run2"),
        await given_collection(conn, world, "y", DidKind.CONTAINER),
    )
    await dids.attach(conn, world.belle, run2, [file], announce=False)
    await dids.attach(conn, world.belle, year, [run1, run2], announce=False)
    rule = await given_rule(conn, world, "mc:y", copies=2)

    await detach(conn, world, run1, file)
    assert await held(conn, rule.rule_id) == [file]
    await detach(conn, world, run2, file)

    assert await held(conn, rule.rule_id) == []
    await check_exact(conn)


async def test_a_dataset_taken_out_of_a_container_takes_its_files_from_the_rules_above(
    conn: Connection, world: World
) -> None:
    run1, *files = await given_dataset(conn, world, "run1", 3)
    inner, outer = [await given_collection(conn, world, name, DidKind.CONTAINER) for name in ("inner", "outer")]
    await dids.attach(conn, world.belle, inner, [run1], announce=False)
    await dids.attach(conn, world.belle, outer, [inner], announce=False)
    below = await given_rule(conn, world, "mc:run1", to="A-DISK")
    above = await given_rule(conn, world, "mc:outer", copies=2)

    await detach(conn, world, outer, inner)

    assert await held(conn, below.rule_id) == files
    assert await held(conn, above.rule_id) == []
    await check_exact(conn)


async def test_a_file_that_has_come_back_meanwhile_keeps_its_locks(conn: Connection, world: World) -> None:
    dataset, file = await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    await dids.detach(conn, world.belle, dataset, [file])
    await dids.attach(conn, world.belle, dataset, [file])

    for _ in range(2):
        assert not await service.retract(conn, world.belle, parent_ids=[dataset], file_ids=[file])

    assert await rule_now(conn, world, rule.rule_id) == (RuleState.REPLICATING, 1, 1, 0)
    await check_exact(conn)


async def test_more_locks_than_one_transaction_removes_go_in_several(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, *files = await given_dataset(conn, world, "run1", 5)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    await dids.detach(conn, world.belle, dataset, files)

    monkeypatch.setattr("sancho.rules.service.leaving.BATCH", 3)
    left: list[int] = []
    while await service.retract(conn, world.belle, parent_ids=[dataset], file_ids=files):
        left.append((await service.get(conn, world.belle, rule.rule_id)).locks)

    assert left == [7, 4, 1]
    assert await rule_now(conn, world, rule.rule_id) == (RuleState.OK, 0, 0, 0)
    await check_exact(conn)


async def test_a_file_taken_out_over_http_loses_its_locks_by_itself(served: Served) -> None:
    world = served.world
    async with served.deployment.database.transaction([0, 1]) as conn:
        _, first, second = await given_dataset(conn, world, "run1", 2)
        rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    body = {"parent": "mc:run1", "children": ["mc:run1/0"]}
    detached = await served.send("POST", "/attachments/remove", json=body)
    assert detached.status_code == 204, detached.text

    await served.run_tasks()

    async with served.deployment.database.transaction([0, 1]) as conn:
        assert await held(conn, rule.rule_id) == [second]
        assert first not in await held(conn, rule.rule_id)
        await check_exact(conn)


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def deployment(served: Served, clock: Later) -> Deployment:
    return replace(served.deployment, clock=clock)


async def test_room_that_a_detached_file_leaves_lets_a_rule_short_of_quota_have_its_locks(
    deployment: Deployment, clock: Later, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, first, second = await given_dataset(conn, world, "run1", 2)
        await given_quota(conn, world, "all", 200)
        rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
        _, third = await given_dataset(conn, world, "run2", 1)
        await dids.attach(conn, world.belle, dataset, [third], announce=False)
        await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=[third])
        assert (await service.get(conn, world.belle, rule.rule_id)).state is RuleState.STUCK
        await detach(conn, world, dataset, first)
        assert await rule_now(conn, world, rule.rule_id) == (RuleState.STUCK, 1, 0, 0)

    clock.ahead = timedelta(minutes=2)
    await repair(deployment)

    async with deployment.database.transaction([0, 1]) as conn:
        assert await rule_now(conn, world, rule.rule_id) == (RuleState.OK, 2, 0, 0)
        assert await held(conn, rule.rule_id) == [second, third]
        await check_exact(conn)


async def test_files_moved_to_and_fro_while_rules_follow_end_with_exactly_the_locks_they_should_have(
    deployment: Deployment, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        run1, *files = await given_dataset(conn, world, "run1", 6)
        run2 = await given_collection(conn, world, "run2")
        year = await given_collection(conn, world, "year", DidKind.CONTAINER)
        await dids.attach(conn, world.belle, year, [run1, run2], announce=False)
        rules = [await given_rule(conn, world, did, copies=2) for did in ("mc:run1", "mc:run2", "mc:year")]

    async def move(worker: int) -> None:
        for turn in range(6):
            parent = (run1, run2)[(worker + turn) % 2]
            some = files[(worker + turn) % 4 :][:3]
            async with deployment.database.transaction([world.belle]) as conn:
                if (worker * turn + turn) % 3:
                    await dids.detach(conn, world.belle, parent, some)
                else:
                    await dids.attach(conn, world.belle, parent, some, announce=False)
            follow = retract if (worker * turn + turn) % 3 else extend
            await follow(deployment, vo=world.belle, parent_ids=[parent], file_ids=some)

    await asyncio.gather(*(move(worker) for worker in range(4)))

    async with deployment.database.transaction([world.belle]) as conn:
        for rule, root in zip(rules, (run1, run2, year), strict=True):
            inside = [file.did_id for file in await dids.files(conn, world.belle, [root])]
            assert await held(conn, rule.rule_id) == inside
    async with deployment.database.transaction([0, 1, 2]) as conn:
        await check_exact(conn)


async def test_a_file_taken_out_while_its_locks_are_being_placed_does_not_keep_them(
    deployment: Deployment, world: World
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        dataset, *_ = await given_dataset(conn, world, "run1", 1)
        _, file = await given_dataset(conn, world, "run2", 1)
        rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
        await dids.attach(conn, world.belle, dataset, [file], announce=False)

    async with deployment.database.transaction([world.belle]) as placing:
        await service.extend(placing, world.belle, parent_ids=[dataset], file_ids=[file])
        async with deployment.database.transaction([world.belle]) as conn:
            await dids.detach(conn, world.belle, dataset, [file])
        following = asyncio.ensure_future(retract(deployment, vo=world.belle, parent_ids=[dataset], file_ids=[file]))
        await asyncio.wait([following], timeout=0.3)
        assert not following.done()
    await following

    async with deployment.database.transaction([0, 1]) as conn:
        assert file not in await held(conn, rule.rule_id)
        await check_exact(conn)

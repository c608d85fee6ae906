"""Quotas: charged to the byte, never raced past, worked out anew when what they mean changes."""

import asyncio

import pytest

from sancho.dids import service as dids
from sancho.dids.model import DidKind
from sancho.identity.errors import AccountNotFound
from sancho.kit.db import Connection, Database
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules import service
from sancho.rules.errors import QuotaExceeded
from sancho.rules.model import Hold, RuleState
from tests.dids.given import given_collection, person
from tests.rules.given import (
    SIZE,
    arrive,
    check_exact,
    given_dataset,
    given_files,
    given_quota,
    given_rule,
    room,
    value,
)
from tests.rules.test_service import keys_of
from tests.world import World


async def test_a_rule_is_charged_for_every_copy_of_every_file_and_deleting_it_gives_all_back(
    conn: Connection, world: World
) -> None:
    await given_quota(conn, world, "all", 1000)
    await given_quota(conn, world, "alice", 500, account="alice", to="A-DISK")
    await given_dataset(conn, world, "run1", 3)

    rule = await given_rule(conn, world, "mc:run1", copies=2)

    assert (await room(conn, world, "all"), await room(conn, world, "alice")) == (400, 200)
    await check_exact(conn)
    await service.delete(conn, person(world, "alice"), rule.rule_id)

    assert (await room(conn, world, "all"), await room(conn, world, "alice")) == (1000, 500)
    await check_exact(conn)


async def test_over_quota_nothing_is_made_and_the_error_says_whose_quota_it_is(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "mine", 250, account="alice")
    await given_dataset(conn, world, "run1", 3)

    with pytest.raises(QuotaExceeded, match=r"Account alice has 250 B left .* \(quota mine\), 300 B are needed"):
        async with conn.transaction():
            await given_rule(conn, world, "mc:run1")
    bobs = await given_rule(conn, world, "mc:run1", account="bob")

    assert bobs.state is RuleState.OK
    assert await value(conn, "SELECT count(*) FROM rule") == 1
    assert await room(conn, world, "mine") == 250
    await check_exact(conn)


async def test_an_rse_without_room_is_passed_over(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "small", 100, to="A-DISK")
    await given_dataset(conn, world, "run1", 3)

    rule = await given_rule(conn, world, "mc:run1")

    assert rule.rses == ("B-DISK",)


async def test_a_growing_dataset_over_quota_makes_its_rule_stuck_and_the_rest_goes_on(
    conn: Connection, world: World
) -> None:
    await given_quota(conn, world, "mine", 250, account="alice")
    dataset, *_ = await given_dataset(conn, world, "run1", 2)
    mine = await given_rule(conn, world, "mc:run1")
    bobs = await given_rule(conn, world, "mc:run1", account="bob")
    new = await given_files(conn, world, ["x"], into=dataset)

    await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new)

    stuck = await service.get(conn, world.belle, mine.rule_id)
    assert (stuck.state, stuck.ok, stuck.complete) == (RuleState.STUCK, 2, False)
    assert "Account alice has 50 B left" in (stuck.error or "")
    assert (await service.get(conn, world.belle, bobs.rule_id)).ok == 3
    await check_exact(conn)


async def test_what_was_held_for_an_upload_pays_for_its_locks(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "mine", SIZE, account="alice")
    dataset = await given_collection(conn, world, "run1")
    await given_rule(conn, world, "mc:run1", to="A-DISK")
    alice, disk = world.account[1, "alice"], world.resource["A-DISK"]
    await service.hold_quota(conn, world.belle, alice, disk, SIZE)
    with pytest.raises(QuotaExceeded):
        async with conn.transaction():
            await service.hold_quota(conn, world.belle, alice, disk, 1)
    await check_exact(conn)
    new = await given_files(conn, world, ["x"], into=dataset)

    held = [Hold(alice, disk, SIZE)]
    await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=new, freed=held)

    [usage] = await service.usage(conn, world.belle, alice)
    assert (usage.files, usage.size, usage.held) == (1, SIZE, 0)
    assert await room(conn, world, "mine") == 0
    await check_exact(conn)


async def test_what_was_held_is_given_back_even_when_no_rule_follows(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "mine", SIZE, account="alice")
    alice, disk = world.account[1, "alice"], world.resource["A-DISK"]
    await service.hold_quota(conn, world.belle, alice, disk, SIZE)

    await service.extend(conn, world.belle, parent_ids=[], file_ids=[], freed=[Hold(alice, disk, SIZE)])

    assert await room(conn, world, "mine") == SIZE
    assert await service.usage(conn, world.belle) == []


async def test_a_lowered_limit_is_made_good_before_there_is_room_again(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "all", 1000)
    await given_dataset(conn, world, "run1", 3)
    rules = [await given_rule(conn, world, "mc:run1", to="A-DISK") for _ in range(2)]
    await given_quota(conn, world, "all", 400)
    await check_exact(conn)
    assert await room(conn, world, "all") == 0
    with pytest.raises(QuotaExceeded):
        async with conn.transaction():
            await given_rule(conn, world, "mc:run1")

    await service.delete(conn, person(world, "alice"), rules[0].rule_id)

    assert await room(conn, world, "all") == 100
    await check_exact(conn)


async def test_a_quota_that_comes_later_counts_what_is_there_and_a_wider_one_counts_more(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 2)
    await given_rule(conn, world, "mc:run1", copies=2)
    await service.hold_quota(conn, world.belle, world.account[1, "alice"], world.resource["B-DISK"], 7)

    await given_quota(conn, world, "all", 1000, to="A-DISK")
    assert await room(conn, world, "all") == 800
    await given_quota(conn, world, "all", 1000)

    assert await room(conn, world, "all") == 593
    await check_exact(conn)


async def test_a_quota_whose_expression_means_nothing_any_more_applies_to_nothing(
    conn: Connection, world: World
) -> None:
    await given_quota(conn, world, "gone", 0, to="tier=2")
    await conn.execute("UPDATE rse SET attributes = '{}' WHERE name = 'B-DISK'")
    await service.refresh_quotas(conn)
    await given_dataset(conn, world, "run1", 1)

    rule = await given_rule(conn, world, "mc:run1", to="B-DISK")

    assert rule.locks == 1
    await check_exact(conn)


async def test_a_quota_names_an_account_and_rses_that_exist(conn: Connection, world: World) -> None:
    with pytest.raises(AccountNotFound):
        await given_quota(conn, world, "q", 1, account="nobody")
    with pytest.raises(RseExpressionEmpty):
        await given_quota(conn, world, "q", 1, to="tier=9")


async def test_a_retired_quota_limits_nothing(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "none", 0)
    assert service.QUOTA.retire is not None
    await service.QUOTA.retire(conn, person(world, "root", "*"), world.belle, ["none"])
    await given_dataset(conn, world, "run1", 1)

    await given_rule(conn, world, "mc:run1")

    assert await service.list_quotas(conn, world.belle, page=("", 10)) == []


async def test_quotas_are_those_of_ones_own_vo(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "all", 1000)
    await given_quota(conn, world, "bob", 10, account="bob")

    mine = await service.list_quotas(conn, world.belle, world.account[1, "alice"], page=("", 10))

    assert [q.name for q in mine] == ["all"]
    assert await service.list_quotas(conn, world.gridpp, page=("", 10)) == []


async def test_bytes_scattered_over_all_slots_are_gathered_for_one_large_file(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "all", 1000)
    alice, disk = world.account[1, "alice"], world.resource["A-DISK"]
    for size in (1, 999):
        await service.hold_quota(conn, world.belle, alice, disk, size)

    assert await value(conn, "SELECT sum(room) FROM quota_slot") == 0
    await check_exact(conn)


@pytest.mark.parametrize(("limit", "each", "winners"), [(1000, 1000, 1), (1000, 300, 3), (160, 10, 10)])
async def test_racing_for_the_last_bytes_exactly_as_many_win_as_there_is_room_for(
    database: Database, world: World, limit: int, each: int, winners: int
) -> None:
    async with database.transaction([1, 0]) as conn:
        await given_quota(conn, world, "all", limit)

    async def hold() -> bool:
        try:
            async with database.transaction([world.belle]) as conn:
                await service.hold_quota(conn, world.belle, world.account[1, "alice"], world.resource["A-DISK"], each)
        except QuotaExceeded:
            return False
        return True

    won = await asyncio.gather(*(hold() for _ in range(winners + 6)))

    assert sum(won) == min(winners + 6, limit // each)
    async with database.transaction([0, 1, 2]) as conn:
        await check_quota_only(conn)


async def check_quota_only(conn: Connection) -> None:
    assert await value(conn, "SELECT sum(room) FROM quota_slot") == await value(
        conn, "SELECT (SELECT size FROM quota) - sum(held) FROM usage_slot"
    )


async def test_two_rules_racing_for_the_last_bytes_end_as_one_rule(database: Database, world: World) -> None:
    async with database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 3 * SIZE)
        await given_dataset(conn, world, "run1", 3)
        await given_dataset(conn, world, "run2", 3)

    async def create(name: str) -> bool:
        try:
            async with database.transaction([world.belle]) as conn:
                await given_rule(conn, world, f"mc:{name}")
        except QuotaExceeded:
            return False
        return True

    assert sorted(await asyncio.gather(create("run1"), create("run2"))) == [False, True]
    async with database.transaction([0, 1, 2]) as conn:
        await check_exact(conn)


async def test_changing_a_quota_waits_for_those_who_are_charging_it(database: Database, world: World) -> None:
    async with database.transaction([0, 1]) as conn:
        await given_quota(conn, world, "all", 1000)
    alice, disk = world.account[1, "alice"], world.resource["A-DISK"]

    async def lower() -> None:
        async with database.transaction([0, 1]) as conn:
            await given_quota(conn, world, "all", 500)

    async with database.transaction([world.belle]) as conn:
        await service.hold_quota(conn, world.belle, alice, disk, 300)
        lowering = asyncio.create_task(lower())
        await asyncio.wait([lowering], timeout=0.2)
        assert not lowering.done()
    await lowering

    async with database.transaction([0, 1, 2]) as conn:
        assert await room(conn, world, "all") == 200


async def test_a_container_counts_a_file_in_two_of_its_datasets_once(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "all", 1000)
    outer = await given_collection(conn, world, "year", DidKind.CONTAINER)
    one, *files = await given_dataset(conn, world, "run1", 2)
    two = await given_collection(conn, world, "run2")
    for parent, children in [(two, files), (outer, [one, two])]:
        await dids.attach(conn, world.belle, parent, children, announce=False)

    rule = await given_rule(conn, world, "mc:year")

    assert rule.ok == 2
    assert await room(conn, world, "all") == 800


async def test_settling_charges_nothing(conn: Connection, world: World) -> None:
    await given_quota(conn, world, "all", 1000)
    await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", copies=2)

    await arrive(conn, world, await keys_of(conn, world, rule.rule_id))

    assert await room(conn, world, "all") == 800
    await check_exact(conn)

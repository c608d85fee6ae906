"""Rules from the request to the last lock, on a real database."""

from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.dids.model import DidKind
from sancho.kit.access import NotYours
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.replicas import service as replicas
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses.errors import RseExpressionEmpty
from sancho.rules import service
from sancho.rules.errors import RuleNotFound, TooFewRses
from sancho.rules.model import RuleRequest, RuleState
from sancho.transfers import service as transfers
from sancho.transfers.model import RequestState
from tests.dids.given import given_collection, person
from tests.rules.given import BOTH, SIZE, arrive, check_exact, fail, given_dataset, given_files, given_rule, value
from tests.world import World


async def rule_now(conn: Connection, world: World, rule_id: int) -> tuple[RuleState, int, int, int]:
    rule = await service.get(conn, world.belle, rule_id)
    return rule.state, rule.ok, rule.replicating, rule.stuck


async def keys_of(conn: Connection, world: World, rule_id: int, rse: str = "B-DISK") -> list[ReplicaKey]:
    found = await service.list_locks(conn, world.belle, rule_id)
    return [ReplicaKey(lock.did_id, lock.rse_id) for lock in found if lock.rse == rse]


async def test_a_rule_over_what_is_there_is_ok_at_once(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 3)

    rule = await given_rule(conn, world, "mc:run1", comment="for the paper")

    assert (rule.state, rule.ok, rule.rses, rule.comment) == (RuleState.OK, 3, ("A-DISK",), "for the paper")
    assert rule.account == "alice"
    await check_exact(conn)


async def test_a_rule_is_ok_once_its_last_replica_arrives(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    assert (rule.state, rule.ok, rule.replicating) == (RuleState.REPLICATING, 2, 2)
    first, second = await keys_of(conn, world, rule.rule_id)

    await arrive(conn, world, [first])
    assert await rule_now(conn, world, rule.rule_id) == (RuleState.REPLICATING, 3, 1, 0)
    await arrive(conn, world, [second])

    assert await rule_now(conn, world, rule.rule_id) == (RuleState.OK, 4, 0, 0)
    await check_exact(conn)


async def test_an_arrival_reported_twice_counts_once(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    first, _ = await keys_of(conn, world, rule.rule_id)

    for _ in range(3):
        await arrive(conn, world, [first, first])

    assert (await service.get(conn, world.belle, rule.rule_id)).ok == 3


async def test_a_rule_made_between_an_arrival_and_its_settling_counts_it_once(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 1)
    first = await given_rule(conn, world, "mc:run1", copies=2)
    [key] = await keys_of(conn, world, first.rule_id)
    await replicas.arrive(conn, world.belle, [key])

    second = await given_rule(conn, world, "mc:run1", to="B-DISK", account="bob")
    await service.settle(conn, world.belle, [key])

    assert await rule_now(conn, world, first.rule_id) == (RuleState.OK, 2, 0, 0)
    assert await rule_now(conn, world, second.rule_id) == (RuleState.OK, 1, 0, 0)
    await check_exact(conn)


async def test_rules_over_the_same_files_share_replicas_and_requests(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    await given_rule(conn, world, "mc:run1", to="B-DISK")
    await given_rule(conn, world, "mc:run1", to="B-DISK", account="bob")

    assert await value(conn, "SELECT count(*) FROM transfer_request") == 2
    assert await value(conn, "SELECT min(lock_count) FROM replica WHERE rse_id = %s", world.resource["B-DISK"]) == 2
    await check_exact(conn)


async def test_too_few_rses_is_an_error_that_names_both_numbers_and_leaves_nothing(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 2)

    with pytest.raises(TooFewRses, match=r"wants 3 copies.* only 2") as caught:
        async with conn.transaction():
            await given_rule(conn, world, "mc:run1", copies=3)

    assert caught.value.field == "copies"
    assert await value(conn, "SELECT count(*) FROM rule") == 0


async def test_an_rse_of_another_vo_is_not_used_even_when_the_transaction_sees_it(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 1)
    await conn.execute("DELETE FROM resource_grant WHERE to_vo = 1 AND resource_id = %s", [world.resource["B-DISK"]])

    with pytest.raises(TooFewRses):
        await given_rule(conn, world, "mc:run1", copies=2)


@pytest.mark.parametrize(("did", "to", "error"), [("mc:no", BOTH, DidNotFound), ("mc:run1", "x=1", RseExpressionEmpty)])
async def test_a_rule_over_nothing_or_to_nowhere_is_refused(
    conn: Connection, world: World, did: str, to: str, error: type[Exception]
) -> None:
    await given_dataset(conn, world, "run1", 1)

    with pytest.raises(error):
        await given_rule(conn, world, did, to=to)


async def test_only_who_may_makes_rules_and_only_their_owner_or_a_manager_deletes_them(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1")

    with pytest.raises(PermissionMissing):
        await service.create(conn, person(world, "bob", "dids:create"), RuleRequest(did="mc:run1", rse_expression=BOTH))
    with pytest.raises(NotYours, match="belongs to account alice"):
        await service.delete(conn, person(world, "bob"), rule.rule_id)
    with pytest.raises(RuleNotFound):
        await service.delete(conn, person(world, "alice", vo=world.gridpp), rule.rule_id)
    await service.delete(conn, person(world, "root", "*"), rule.rule_id)

    with pytest.raises(RuleNotFound):
        await service.get(conn, world.belle, rule.rule_id)


async def test_a_rule_over_an_empty_dataset_is_ok_and_chooses_when_files_come(conn: Connection, world: World) -> None:
    dataset = await given_collection(conn, world, "run1")
    rule = await given_rule(conn, world, "mc:run1")
    assert (rule.state, rule.locks, rule.rses) == (RuleState.OK, 0, ())

    files = await given_files(conn, world, ["a", "b"], into=dataset, rse="B-DISK")
    await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=files)

    rule = await service.get(conn, world.belle, rule.rule_id)
    assert (rule.state, rule.ok, rule.rses) == (RuleState.OK, 2, ("B-DISK",))
    await check_exact(conn)


async def test_even_an_empty_dataset_needs_enough_rses(conn: Connection, world: World) -> None:
    await given_collection(conn, world, "run1")

    with pytest.raises(TooFewRses):
        await given_rule(conn, world, "mc:run1", copies=3)


async def test_a_growing_dataset_keeps_its_rses_and_extending_twice_adds_nothing(
    conn: Connection, world: World
) -> None:
    dataset, *_ = await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1")
    files = await given_files(conn, world, ["x"], into=dataset, rse="B-DISK")

    for _ in range(2):
        await service.extend(conn, world.belle, parent_ids=[dataset], file_ids=files)

    rule = await service.get(conn, world.belle, rule.rule_id)
    assert (rule.rses, rule.ok, rule.replicating) == (("A-DISK",), 1, 1)
    await check_exact(conn)


async def test_rules_on_containers_above_follow_and_files_elsewhere_do_not(conn: Connection, world: World) -> None:
    dataset, *_ = await given_dataset(conn, world, "run1", 1)
    other, *_ = await given_dataset(conn, world, "run2", 1)
    outer = await given_collection(conn, world, "year", DidKind.CONTAINER)
    inner = await given_collection(conn, world, "month", DidKind.CONTAINER)
    for parent, child in [(outer, inner), (inner, dataset)]:
        await dids.attach(conn, world.belle, parent, [child], announce=False)
    rule = await given_rule(conn, world, "mc:year")
    new, elsewhere = await given_files(conn, world, ["x", "y"])
    await dids.attach(conn, world.belle, dataset, [new], announce=False)
    await dids.attach(conn, world.belle, other, [elsewhere], announce=False)

    await service.extend(conn, world.belle, parent_ids=[dataset, other], file_ids=[new, elsewhere])

    assert (await service.get(conn, world.belle, rule.rule_id)).ok == 2
    await check_exact(conn)


async def test_attaching_a_dataset_to_a_container_brings_its_files_under_the_rules_above(
    conn: Connection, world: World
) -> None:
    dataset, *files = await given_dataset(conn, world, "run1", 3)
    outer = await given_collection(conn, world, "year", DidKind.CONTAINER)
    rule = await given_rule(conn, world, "mc:year")
    await dids.attach(conn, world.belle, outer, [dataset], announce=False)

    await service.extend(conn, world.belle, parent_ids=[outer], file_ids=files)

    assert (await service.get(conn, world.belle, rule.rule_id)).ok == 3
    await check_exact(conn)


async def test_a_stuck_transfer_makes_the_rule_stuck_and_a_late_arrival_ok(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", to="B-DISK")
    first, second = await keys_of(conn, world, rule.rule_id)

    for _ in range(2):
        await fail(conn, world, [first])
    stuck = await service.get(conn, world.belle, rule.rule_id)
    assert (stuck.state, stuck.replicating, stuck.stuck) == (RuleState.STUCK, 1, 1)
    assert stuck.error == "the storage is away"
    assert [lock.state.value for lock in await service.list_locks(conn, world.belle, rule.rule_id)] == [
        "stuck", "replicating",
    ]  # fmt: skip
    await check_exact(conn)
    await arrive(conn, world, [first, second])

    done = await service.get(conn, world.belle, rule.rule_id)
    assert (done.state, done.ok, done.error) == (RuleState.OK, 2, None)
    await check_exact(conn)


async def test_a_new_rule_over_a_stuck_transfer_is_stuck_as_well(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 1)
    first = await given_rule(conn, world, "mc:run1", to="B-DISK")
    await fail(conn, world, await keys_of(conn, world, first.rule_id))

    second = await given_rule(conn, world, "mc:run1", to="B-DISK", account="bob")

    assert (second.state, second.stuck) == (RuleState.STUCK, 1)
    await check_exact(conn)


async def test_a_bad_replica_is_brought_anew_and_the_rules_that_hold_it_wait(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 2)
    both = await given_rule(conn, world, "mc:run1", copies=2)
    await arrive(conn, world, await keys_of(conn, world, both.rule_id))
    key = (await keys_of(conn, world, both.rule_id))[0]
    assert await replicas.mark_bad(conn, world.belle, [key]) == [key]
    late = await given_rule(conn, world, "mc:run1", to="B-DISK", account="bob")

    for _ in range(2):
        await service.recopy(conn, world.belle, [key])

    assert await rule_now(conn, world, both.rule_id) == (RuleState.REPLICATING, 3, 1, 0)
    assert await rule_now(conn, world, late.rule_id) == (RuleState.REPLICATING, 1, 1, 0)
    await check_exact(conn)


async def test_deleting_a_rule_releases_what_nothing_else_holds_and_cancels_what_nobody_wants(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 2)
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    other = await given_rule(conn, world, "mc:run1", to="A-DISK", account="bob")

    await service.delete(conn, person(world, "alice"), rule.rule_id)

    assert await value(conn, "SELECT count(*) FROM replica WHERE state = 'C'") == 0
    assert await value(conn, "SELECT count(*) FROM transfer_request") == 0
    assert await value(conn, "SELECT count(*) FROM replica WHERE tombstone_at IS NOT NULL") == 0
    assert [u.account for u in await service.usage(conn, world.belle)] == ["bob"]
    await check_exact(conn)
    await service.delete(conn, person(world, "bob"), other.rule_id)

    assert await value(conn, "SELECT count(*) FROM replica WHERE tombstone_at <= now()") == 2
    assert await service.usage(conn, world.belle) == []
    await check_exact(conn)


async def test_a_request_somebody_is_carrying_goes_on_and_a_new_rule_takes_it_over(
    conn: Connection, world: World
) -> None:
    await given_dataset(conn, world, "run1", 1)
    rule = await given_rule(conn, world, "mc:run1", to="B-DISK")
    [key] = await keys_of(conn, world, rule.rule_id)
    await conn.execute("DELETE FROM transfer_ready")
    await conn.execute("UPDATE transfer_request SET state = 'A'")

    await service.delete(conn, person(world, "alice"), rule.rule_id)
    [request] = await transfers.list_requests(conn, world.belle, page=(0, 10))
    assert request.state is RequestState.ACTIVE
    again = await given_rule(conn, world, "mc:run1", to="B-DISK", account="bob")
    await arrive(conn, world, [key])

    assert await rule_now(conn, world, again.rule_id) == (RuleState.OK, 1, 0, 0)
    await check_exact(conn)


async def test_a_replica_that_is_being_deleted_cannot_be_asked_for_but_ensuring_it_waits(
    conn: Connection, world: World
) -> None:
    dataset, *files = await given_dataset(conn, world, "run1", 2)
    await conn.execute("UPDATE replica SET state = 'D' WHERE did_id = %s", [files[0]])

    with pytest.raises(ReplicaBeingDeleted):
        async with conn.transaction():
            await given_rule(conn, world, "mc:run1", to="A-DISK")
    rule = await service.ensure(
        conn, world.belle, world.account[1, "alice"], dataset, copies=1, rse_expression="A-DISK"
    )

    assert (rule.state, rule.ok, rule.complete) == (RuleState.STUCK, 1, False)
    assert "being deleted" in (rule.error or "")
    await check_exact(conn)


async def test_ensuring_a_rule_twice_makes_one_and_lets_it_live_longer(conn: Connection, world: World) -> None:
    dataset = await given_collection(conn, world, "run1")
    alice = world.account[world.belle, "alice"]

    async def ensure(days: int | None, copies: int = 1) -> tuple[int, bool]:
        lifetime = None if days is None else timedelta(days=days)
        rule = await service.ensure(
            conn, world.belle, alice, dataset, copies=copies, rse_expression=BOTH, lifetime=lifetime
        )
        left = (rule.expires_at - rule.created_at) if rule.expires_at else None
        return rule.rule_id, left == lifetime

    short, long, shorter = await ensure(1), await ensure(9), await ensure(2)

    assert short[0] == long[0] == shorter[0]
    assert (short[1], long[1], shorter[1]) == (True, True, False)
    assert (await ensure(None))[0] != short[0]
    assert len({await ensure(None), await ensure(None), await ensure(None, copies=2)}) == 2


async def test_what_holds_a_needed_file_is_made_even_if_it_cannot_be_carried_out(
    conn: Connection, world: World
) -> None:
    [file] = await given_files(conn, world, ["x"])

    rule = await service.ensure(conn, world.belle, world.account[1, "alice"], file, copies=3, rse_expression=BOTH)

    assert rule.state is RuleState.STUCK
    assert "only 2 can" in (rule.error or "")


async def test_rules_are_listed_newest_first_in_pages_and_by_did_account_and_state(
    conn: Connection, world: World
) -> None:
    dataset, *_ = await given_dataset(conn, world, "run1", 1)
    made = [(await given_rule(conn, world, "mc:run1", account=who)).rule_id for who in ("alice", "bob", "alice")]
    moving = (await given_rule(conn, world, "mc:run1", copies=2)).rule_id

    async def ids(**more: object) -> list[int]:
        found = await service.list_rules(conn, world.belle, page=(None, 10), **more)  # pyright: ignore[reportArgumentType]
        return [rule.rule_id for rule in found]

    assert await ids() == [moving, *reversed(made)]
    assert await ids(account_id=world.account[1, "bob"]) == [made[1]]
    assert await ids(did_id=dataset, state=RuleState.REPLICATING) == [moving]
    assert [r.rule_id for r in await service.list_rules(conn, world.belle, page=(moving, 2))] == [made[2], made[1]]
    assert await service.list_rules(conn, world.gridpp, page=(None, 10)) == []


async def test_locks_come_in_pages_by_rse_and_file(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 3)
    rule = await given_rule(conn, world, "mc:run1", copies=2)

    every = await service.list_locks(conn, world.belle, rule.rule_id)
    first = await service.list_locks(conn, world.belle, rule.rule_id, limit=4)
    rest = await service.list_locks(conn, world.belle, rule.rule_id, after=(first[-1].rse_id, first[-1].did_id))

    assert [*first, *rest] == every
    assert len(every) == 6
    assert {(lock.rse, lock.state.value, lock.size) for lock in every} == {
        ("A-DISK", "ok", SIZE), ("B-DISK", "replicating", SIZE),
    }  # fmt: skip


async def test_arrivals_without_any_rule_are_nothing_to_count(conn: Connection, world: World) -> None:
    [file] = await given_files(conn, world, ["x"], rse=None)
    key = ReplicaKey(file, world.resource["A-DISK"])
    await replicas.add(conn, world.belle, [key], [SIZE], ReplicaState.COPYING)

    await arrive(conn, world, [key])

    await check_exact(conn)

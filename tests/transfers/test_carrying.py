"""Files that really move between two storages, by workers that may be killed anywhere."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from sancho.dids import service as dids
from sancho.dids.model import NewFile
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaState
from sancho.rules import service as rules
from sancho.rules.model import RuleState
from sancho.transfers import service
from sancho.transfers.model import Failure
from sancho.transfers.service.carrying import AT_ONCE, carry_one
from tests.transfers.given import Grid, Killed


async def test_files_move_and_the_rule_is_ok(grid: Grid) -> None:
    files = await grid.give({"a": b"first file", "b": b"", "c": b"x" * 3_000_000})
    rule = await grid.want()

    assert await service.carry(grid.deployment) == 3
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK
    assert (await grid.path(files[0])).read_bytes() == b"first file"
    assert (await grid.path(files[2])).stat().st_size == 3_000_000
    assert await grid.requests() == []
    assert await grid.value("SELECT (count(*), sum(files), sum(size))::text FROM ledger") == "(3,3,3000010)"
    (used,) = (await grid.served.send("GET", "/accounting?by=source&by=rse")).json()
    assert (used["source"], used["rse"], used["size"]) == ("A-DISK", "B-DISK", 3_000_010)
    await grid.exact()


async def test_a_file_moves_from_where_it_is_said_to_lie_to_where_it_is_said_to(grid: Grid) -> None:
    (one,) = await grid.give({"a": b"first file"})
    rule = await grid.want()
    said = "INSERT INTO replica_path (vo, rse_id, did_id, path) VALUES (1, {}, {}, '{}') RETURNING 1"
    for rse, path in (("A-DISK", "/belle/old/a"), ("B-DISK", "/belle/new/a")):
        await grid.value(said.format(grid.key(one, rse).rse_id, one, path))
    old = grid.served.storages["A-DISK"] / "belle/old/a"
    old.parent.mkdir(parents=True)
    (await grid.path(one, "A-DISK")).rename(old)

    await service.carry(grid.deployment)
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK
    assert (grid.served.storages["B-DISK"] / "belle/new/a").read_bytes() == b"first file"
    assert not (await grid.path(one)).exists()


async def test_a_file_moves_by_the_protocols_that_are_for_transfers(grid: Grid) -> None:
    (one,) = await grid.give({"a": b"first file"})
    rule, there = await grid.want(), await grid.path(one)
    await grid.value("""
        INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix, settings)
        SELECT vo, 2, rse_id, plugin, prefix, settings FROM rse_protocol RETURNING 1
        """)
    await grid.value("""
        UPDATE rse_protocol SET prefix = 'file:///nowhere', domains = '{"wan": {"read": 1, "write": 1}}'
         WHERE priority = 1 RETURNING 1
        """)

    await service.carry(grid.deployment)
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK
    assert there.read_bytes() == b"first file"


async def test_the_deferred_task_carries_by_itself(grid: Grid) -> None:
    await grid.give({"a": b"first file"})
    rule = await grid.want()

    await grid.served.run_tasks()

    assert await grid.state(rule) is RuleState.OK


async def test_many_files_move_a_few_at_once(grid: Grid) -> None:
    await grid.give({f"f{n}": b"%d" % n for n in range(3 * AT_ONCE)})
    rule = await grid.want()

    tried = await asyncio.gather(*(service.carry(grid.deployment) for _ in range(3)))
    await grid.settle()

    assert sum(tried) == 3 * AT_ONCE
    assert await grid.state(rule) is RuleState.OK
    await grid.exact()


@pytest.mark.parametrize("point", ["transfers.claimed", "transfers.carried", "transfers.recorded"])
async def test_when_the_worker_is_killed_another_takes_over_after_the_lease(
    grid: Grid, killed_at: Callable[[str], None], point: str
) -> None:
    await grid.give({"a": b"first file"})
    rule = await grid.want()

    killed_at(point)
    with pytest.raises(Killed):
        await service.carry(grid.deployment)
    killed_at("")
    assert await service.recover(grid.deployment) == 0
    assert await service.carry(grid.deployment) == 0
    grid.clock.ahead = timedelta(minutes=5)
    recovered = await service.recover(grid.deployment)
    assert await service.recover(grid.deployment) == 0
    grid.clock.ahead = timedelta(minutes=10)
    carried = await service.carry(grid.deployment)
    await grid.settle()

    assert recovered == carried == (0 if point == "transfers.recorded" else 1)
    assert await grid.state(rule) is RuleState.OK
    assert await grid.value("SELECT count(*) FROM ledger") == 1
    await grid.exact()


async def test_a_worker_that_was_thought_dead_may_still_record_nothing_twice(grid: Grid) -> None:
    await grid.give({"a": b"first file"})
    rule = await grid.want()
    [slow] = await service.claim(grid.deployment, 1)
    grid.clock.ahead = timedelta(minutes=5)
    await service.recover(grid.deployment)
    grid.clock.ahead = timedelta(minutes=10)
    assert await service.carry(grid.deployment) == 1

    await service.record(grid.deployment, slow, await carry_one(grid.deployment, slow))
    await service.record(grid.deployment, slow, Failure("late"))
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK
    assert await grid.value("SELECT count(*) FROM ledger") == 1
    await grid.exact()


async def test_an_arrival_that_is_recorded_twice_counts_once(grid: Grid) -> None:
    await grid.give({"a": b"first file"})
    await grid.want()
    [started] = await service.claim(grid.deployment, 1)
    outcome = await carry_one(grid.deployment, started)

    for _ in range(2):
        await service.record(grid.deployment, started, outcome)

    assert await grid.value("SELECT count(*) FROM ledger") == 1
    await grid.exact()


async def test_a_replica_that_arrives_otherwise_while_it_is_carried_counts_once(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    [started] = await service.claim(grid.deployment, 1)
    async with grid.deployment.database.transaction([grid.belle]) as conn:
        await replicas.arrive(conn, grid.belle, [grid.key(file)])
        await rules.settle(conn, grid.belle, [grid.key(file)])
    assert await grid.state(rule) is RuleState.OK

    await service.record(grid.deployment, started, await carry_one(grid.deployment, started))

    assert await grid.state(rule) is RuleState.OK
    assert await grid.replica(grid.key(file)) is ReplicaState.AVAILABLE
    await grid.exact()


async def test_vos_take_turns_however_much_one_of_them_asks(grid: Grid) -> None:
    await grid.give({f"f{n}": b"x" for n in range(6)})
    await grid.want()
    async with grid.deployment.database.transaction([0, 1, 2]) as conn:
        world = grid.served.world
        bob = world.account[world.gridpp, "bob"]
        scope = world.scope[world.gridpp, "mc"]
        [file] = await dids.register_files(conn, world.gridpp, bob, [NewFile(None, scope, "g", 1, "00790079")])
        await replicas.add(conn, world.gridpp, [grid.key(file, "A-DISK")], [1], ReplicaState.AVAILABLE)
        await replicas.place(conn, world.gridpp, [grid.key(file)], [1])
        await service.request(conn, world.gridpp, [grid.key(file)])

    claimed = await service.claim(grid.deployment, 2)

    assert sorted(started.request.vo for started in claimed) == [world.belle, world.gridpp]


async def test_claims_at_the_same_time_never_take_the_same_request(grid: Grid) -> None:
    await grid.give({f"f{n}": b"x" for n in range(10)})
    await grid.want()

    claims = await asyncio.gather(*(service.claim(grid.deployment, 4) for _ in range(5)))

    taken = [started.request.request_id for claim in claims for started in claim]
    assert len(taken) == len(set(taken)) == 10


async def test_a_request_that_is_gone_from_the_queue_only_is_dropped(grid: Grid) -> None:
    await grid.give({"a": b"first file"})
    await grid.want()
    await grid.value("DELETE FROM transfer_request RETURNING 1")

    assert await service.claim(grid.deployment, 4) == []
    assert await grid.value("SELECT count(*) FROM transfer_ready") == 0


async def test_requests_are_listed_by_state_and_rse_in_pages(grid: Grid) -> None:
    await grid.give({"a": b"first", "b": b"second", "c": b"third"})
    await grid.want()
    await service.claim(grid.deployment, 1)

    response = await grid.served.send("GET", "/transfers", params={"limit": 2})
    first = response.json()
    rest = (await grid.served.send("GET", "/transfers", params={"limit": 2, "cursor": first["next"]})).json()
    active = (await grid.served.send("GET", "/transfers", params={"state": "active", "rse": "B-DISK"})).json()
    others = (await grid.served.send("GET", "/transfers", vo="gridpp")).json()

    assert [r["did"] for r in first["items"] + rest["items"]] == ["mc:a", "mc:b", "mc:c"]
    assert rest["next"] is None
    [one] = active["items"]
    assert (one["state"], one["source"], one["rse"], one["size"]) == ("active", "A-DISK", "B-DISK", 5)
    assert others["items"] == []
    assert (await grid.served.send("GET", "/transfers", params={"state": "lost"})).status_code == 422

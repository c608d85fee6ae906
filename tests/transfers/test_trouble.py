"""What becomes of a file when something goes wrong on its way."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sancho.kit.extensions import Extensions
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaState
from sancho.rules import service as rules
from sancho.rules.model import RuleState
from sancho.transfers import service
from sancho.transfers.model import Failure, RequestState
from sancho.transfers.service.carrying import carry_one
from sancho_contract.transfer import Arrived, DestinationFailed, TransferSpec
from sancho_plugins.posix import PosixSettings
from sancho_plugins.streamed_copy import StreamedCopy, StreamedCopySettings
from tests.conftest import eventually
from tests.transfers.given import Grid, another_rse


async def test_a_rule_deleted_while_its_file_is_carried_leaves_a_copy_to_the_reaper(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    [started] = await service.claim(grid.deployment, 1)
    outcome = await carry_one(grid.deployment, started)
    await grid.drop(rule)

    await service.record(grid.deployment, started, outcome)
    await grid.settle()
    assert await grid.requests() == []
    assert await grid.replica(grid.key(file)) is ReplicaState.AVAILABLE
    await replicas.reap(grid.deployment)

    assert await grid.replica(grid.key(file)) is None
    assert not (await grid.path(file)).exists()
    await grid.exact()


async def test_a_file_that_arrives_after_its_replica_is_gone_is_deleted_as_well(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    [started] = await service.claim(grid.deployment, 1)
    await grid.drop(rule)
    grid.clock.ahead = timedelta(hours=1)
    await replicas.reap(grid.deployment)
    assert await grid.requests() == []

    await service.record(grid.deployment, started, await carry_one(grid.deployment, started))
    assert (await grid.path(file)).exists()
    await replicas.reap(grid.deployment)

    assert not (await grid.path(file)).exists()
    await grid.exact()


async def test_a_new_rule_over_a_file_that_was_given_up_is_served_by_its_own_request(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    [old] = [await grid.want()]
    [started] = await service.claim(grid.deployment, 1)
    await grid.drop(old)
    grid.clock.ahead = timedelta(hours=1)
    await replicas.reap(grid.deployment)
    new = await grid.want()

    await service.record(grid.deployment, started, await carry_one(grid.deployment, started))
    assert await grid.replica(grid.key(file)) is ReplicaState.COPYING
    await service.carry(grid.deployment)
    await grid.settle()

    assert await grid.state(new) is RuleState.OK
    await grid.exact()


async def test_a_failed_attempt_of_a_request_nobody_wants_ends_it(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    [started] = await service.claim(grid.deployment, 1)
    await grid.drop(rule)

    await service.record(grid.deployment, started, Failure("the storage is away"))

    assert await grid.requests() == []
    grid.clock.ahead = timedelta(hours=1)
    await replicas.reap(grid.deployment)
    assert await grid.replica(grid.key(file)) is None
    await grid.exact()


async def test_a_file_missing_at_its_source_is_fetched_elsewhere_and_the_source_made_good(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    keeps = await grid.want(to="A-DISK")
    await another_rse(grid, "C-DISK", distance=9)
    (await grid.path(file, "C-DISK")).parent.mkdir(parents=True)
    (await grid.path(file, "A-DISK")).rename(await grid.path(file, "C-DISK"))
    async with grid.deployment.database.transaction([grid.belle]) as conn:
        await replicas.add(conn, grid.belle, [grid.key(file, "C-DISK")], [10], ReplicaState.AVAILABLE)
    rule = await grid.want()

    await service.carry(grid.deployment)
    [request] = await grid.requests()
    assert (request.state, request.error) == (RequestState.WAITING, "A-DISK: the file is not there")
    assert await grid.replica(grid.key(file, "A-DISK")) is ReplicaState.BAD
    await grid.settle()
    assert await grid.state(keeps) is RuleState.REPLICATING
    grid.clock.ahead = timedelta(minutes=1)
    await service.carry(grid.deployment)
    await grid.settle()

    assert (await grid.state(rule), await grid.state(keeps)) == (RuleState.OK, RuleState.OK)
    assert (await grid.path(file, "A-DISK")).read_bytes() == b"first file"
    await grid.exact()


async def test_a_file_with_the_wrong_bytes_never_becomes_available(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    (await grid.path(file, "A-DISK")).write_bytes(b"FIRST FILE")

    await service.carry(grid.deployment)
    await grid.settle()

    assert await grid.replica(grid.key(file)) is ReplicaState.COPYING
    assert not (await grid.path(file)).exists()
    assert await grid.replica(grid.key(file, "A-DISK")) is ReplicaState.BAD
    assert await grid.state(rule) is RuleState.REPLICATING
    await grid.exact()


async def test_without_a_source_a_request_waits_with_the_reason_and_does_not_block_others(grid: Grid) -> None:
    first, _ = await grid.give({"a": b"first file", "b": b"second"})
    rule = await grid.want()
    async with grid.deployment.database.transaction([grid.belle]) as conn:
        await replicas.mark_bad(conn, grid.belle, [grid.key(first, "A-DISK")])

    await service.carry(grid.deployment)
    await grid.settle()

    [waiting] = await grid.requests()
    assert (waiting.did, waiting.state, waiting.tries) == ("mc:a", RequestState.WAITING, 1)
    assert "no RSE" in (waiting.error or "")
    assert waiting.not_before is not None
    assert await grid.state(rule) is RuleState.REPLICATING
    assert await service.carry(grid.deployment) == 0
    await grid.exact()


async def test_a_rule_over_what_is_nowhere_shows_why_it_waits_and_gets_stuck_within_minutes(grid: Grid) -> None:
    [file] = await grid.give({"a": b"first file"})
    rule = await grid.want()
    async with grid.deployment.database.transaction([grid.belle]) as conn:
        await replicas.mark_bad(conn, grid.belle, [grid.key(file, "A-DISK")])

    async def shown() -> dict[str, Any]:
        return (await grid.served.send("GET", f"/rules/{rule}")).json()

    await service.carry(grid.deployment)
    waiting = await shown()
    assert (waiting["state"], "no source" in waiting["error"]) == ("replicating", True)
    for _ in range(3):
        grid.clock.ahead += timedelta(minutes=1)
        await service.carry(grid.deployment)
    await grid.settle()

    stuck = await shown()
    assert (stuck["state"], "no source" in stuck["error"]) == ("stuck", True)
    await grid.exact()


async def test_a_destination_that_is_switched_off_is_waited_for(grid: Grid) -> None:
    await grid.give({"a": b"first file"})
    rule = await grid.want()
    await grid.value("UPDATE rse SET writable = false WHERE name = 'B-DISK' RETURNING 1")
    assert await service.carry(grid.deployment) == 0
    assert (await grid.requests())[0].error == "the destination cannot be written now"

    await grid.value("UPDATE rse SET writable = true WHERE name = 'B-DISK' RETURNING 1")
    grid.clock.ahead = timedelta(minutes=1)
    await service.carry(grid.deployment)
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK


class Away(StreamedCopy):
    """A tool whose destination is away until told otherwise."""

    away = True
    retry_after: float | None = None

    async def carry(self, transfer: TransferSpec) -> Arrived:
        if self.away:
            raise DestinationFailed("the storage is away", retryable=True, retry_after=self.retry_after)
        return await super().carry(transfer)


def with_tool(grid: Grid, tool: StreamedCopy) -> Grid:
    made = Extensions({("sancho.transfer", "streamed"): tool})
    return replace(grid, deployment=replace(grid.deployment, extensions=made))


@pytest.fixture
def away(grid: Grid) -> Away:
    roots = tuple(grid.served.storages.values())
    return Away(StreamedCopySettings(posix=PosixSettings(roots=roots)))


async def test_after_eight_failures_the_rule_is_stuck_and_repair_brings_it_back(grid: Grid, away: Away) -> None:
    await grid.give({"a": b"first file"})
    rule = await grid.want()
    broken = with_tool(grid, away)

    tries = 0
    for _ in range(20):
        tries += await service.carry(broken.deployment)
        grid.clock.ahead += timedelta(hours=1)
    await grid.settle()

    assert tries == 8
    [request] = await grid.requests()
    assert (request.state, request.error) == (RequestState.STUCK, "the storage is away")
    assert await grid.state(rule) is RuleState.STUCK
    (link,) = (await grid.served.send("GET", "/transfers/links?hours=2")).json()
    assert (link["source"], link["rse"], link["active"], link["failed"]) == ("A-DISK", "B-DISK", 0, 8)
    assert link["error"] == "the storage is away"
    await grid.exact()
    away.away = False
    await rules.repair(broken.deployment)
    assert await grid.state(rule) is RuleState.REPLICATING
    await service.carry(broken.deployment)
    await grid.settle()

    assert await grid.state(rule) is RuleState.OK
    await grid.exact()


async def test_a_storage_that_asks_for_time_gets_it(grid: Grid, away: Away) -> None:
    away.retry_after = 3600.0
    await grid.give({"a": b"first file"})
    await grid.want()
    broken = with_tool(grid, away)
    await service.carry(broken.deployment)

    grid.clock.ahead = timedelta(minutes=50)
    assert await service.carry(broken.deployment) == 0
    grid.clock.ahead = timedelta(minutes=70)

    assert await service.carry(broken.deployment) == 1


class Slow(StreamedCopy):
    """A tool that waits until it is let go."""

    def __init__(self, settings: StreamedCopySettings) -> None:
        super().__init__(settings)
        self.started = asyncio.Event()
        self.go = asyncio.Event()

    async def carry(self, transfer: TransferSpec) -> Arrived:
        self.started.set()
        await self.go.wait()
        return await super().carry(transfer)


async def test_a_long_copy_keeps_its_lease_and_stops_when_nobody_wants_it_any_more(
    grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sancho.transfers.service.carrying.RENEWED_EVERY", 0.02)
    slow = Slow(StreamedCopySettings(posix=PosixSettings(roots=tuple(grid.served.storages.values()))))
    working = with_tool(grid, slow)
    await grid.give({"a": b"first file"})
    rule = await grid.want()
    carrying = asyncio.create_task(service.carry(working.deployment))
    await slow.started.wait()
    lease = await grid.value("SELECT lease_until FROM transfer")

    async def renewed() -> bool:
        return await grid.value("SELECT lease_until FROM transfer") != lease

    await eventually(renewed)
    await grid.drop(rule)
    await carrying

    assert await grid.requests() == []
    await grid.exact()

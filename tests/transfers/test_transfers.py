"""Files that really move between two storages, and what happens when something goes wrong on the way."""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sancho.dids import service as dids
from sancho.dids.model import NewFile
from sancho.kit import faults
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from sancho.rses import service as rses
from sancho.rules import service as rules
from sancho.rules import tasks as rules_tasks
from sancho.rules.model import RuleState
from sancho.transfers import service
from sancho.transfers.model import Failure, Request, RequestState
from sancho.transfers.service.carrying import AT_ONCE, carry_one
from sancho_contract.transfer import Arrived, DestinationFailed, TransferSpec
from sancho_plugins.posix import PosixSettings
from sancho_plugins.streamed_copy import StreamedCopy, StreamedCopySettings
from tests.conftest import eventually
from tests.dids.given import person
from tests.rules.given import check_exact, given_collection, given_rule, value
from tests.served import Served


class Later:
    """A clock that can be put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


TASKS: dict[str, Callable[..., Awaitable[None]]] = {
    "rules:settle": rules_tasks.settle, "rules:stick": rules_tasks.stick, "rules:recopy": rules_tasks.recopy,
}  # fmt: skip
"""What transfers and replicas ask of rules."""


class Killed(Exception):
    """The worker dies here."""


@dataclass
class Grid:
    """Two storages with files on A-DISK, rules, and a worker with a clock of its own."""

    served: Served
    deployment: Deployment
    clock: Later

    @property
    def belle(self) -> int:
        return self.served.world.belle

    def key(self, file: int, rse: str = "B-DISK") -> ReplicaKey:
        return ReplicaKey(file, self.served.world.resource[rse])

    async def path(self, file: int, rse: str = "B-DISK") -> Path:
        """Where a file lies, or would lie."""
        async with self.deployment.database.transaction([self.belle]) as conn:
            [found] = (await dids.by_id(conn, self.belle, [file])).values()
            disk = await rses.get(conn, rse)
        place = rses.place(disk, "belle", found.scope, found.did_id, found.name)
        return Path(place.url.removeprefix("file://"))

    async def give(self, contents: dict[str, bytes], dataset: str = "run1") -> list[int]:
        """A dataset of files on A-DISK, in the catalogue and on the storage."""
        world, alice = self.served.world, self.served.world.account[self.belle, "alice"]
        async with self.deployment.database.transaction([self.belle]) as conn:
            parent = await given_collection(conn, world, dataset)
            new = [
                NewFile(None, world.scope[self.belle, "mc"], name, len(data), f"{zlib.adler32(data):08x}")
                for name, data in contents.items()
            ]
            ids = await dids.register_files(conn, self.belle, alice, new)
            keys, sizes = [self.key(i, "A-DISK") for i in ids], [file.size for file in new]
            await replicas.add(conn, self.belle, keys, sizes, ReplicaState.AVAILABLE)
            await dids.attach(conn, self.belle, parent, ids, announce=False)
        for i, data in zip(ids, contents.values(), strict=True):
            path = await self.path(i, "A-DISK")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return ids

    async def want(self, dataset: str = "run1", *, to: str = "B-DISK", account: str = "alice") -> int:
        """A rule over the dataset; returns its id."""
        async with self.deployment.database.transaction([self.belle]) as conn:
            return (await given_rule(conn, self.served.world, f"mc:{dataset}", to=to, account=account)).rule_id

    async def drop(self, rule_id: int, account: str = "alice") -> None:
        async with self.deployment.database.transaction([self.belle]) as conn:
            await rules.delete(conn, person(self.served.world, account), rule_id)

    async def state(self, rule_id: int) -> RuleState:
        async with self.deployment.database.transaction([self.belle]) as conn:
            return (await rules.get(conn, self.belle, rule_id)).state

    async def requests(self) -> list[Request]:
        async with self.deployment.database.transaction([self.belle]) as conn:
            return await service.list_requests(conn, self.belle, page=(0, 100))

    async def replica(self, key: ReplicaKey) -> ReplicaState | None:
        async with self.deployment.database.transaction([self.belle]) as conn:
            found = await replicas.list(conn, self.belle, [key.did_id])
        return next((r.state for r in found if r.key == key), None)

    async def value(self, query: str) -> object:
        async with self.deployment.database.transaction([0, 1, 2]) as conn:
            return await value(conn, query)

    async def settle(self) -> None:
        """Run what was deferred to rules, and only that, until nothing is left."""
        take = "DELETE FROM procrastinate_jobs WHERE task_name LIKE 'rules:%' RETURNING task_name, args"
        while True:
            async with self.deployment.database.transaction([0]) as conn:
                waiting = await (await conn.execute(take)).fetchall()
            if not waiting:
                return
            for name, arguments in waiting:
                run = TASKS[name]
                await run(self.deployment, **{k: v for k, v in arguments.items() if k != "traceparent"})

    async def exact(self) -> None:
        await self.settle()
        async with self.deployment.database.transaction([0, 1, 2]) as conn:
            await check_exact(conn)


@pytest.fixture
def grid(served: Served) -> Grid:
    clock = Later()
    return Grid(served, replace(served.deployment, clock=clock), clock)


@pytest.fixture
def killed_at() -> Iterator[Callable[[str], None]]:
    """Let the worker die when it passes a point; an empty name lets it live."""

    def choose(point: str) -> None:
        def passed(name: str) -> None:
            if name == point:
                raise Killed

        faults.install(passed)

    yield choose
    faults.install(None)


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
    await grid.exact()


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


async def another_rse(grid: Grid, name: str, *, distance: int) -> None:
    """One more RSE at SITE-A, in a folder of its own, with links to and from all others."""
    folder = grid.served.storages["A-DISK"].with_name(name)
    folder.mkdir()
    async with grid.deployment.database.transaction([0, 1, 2]) as conn:
        new = await value(
            conn,
            """
            INSERT INTO resource (vo, kind, site_id, name)
            SELECT 0, 'R', resource_id, %s FROM resource WHERE name = 'SITE-A' RETURNING resource_id
            """,
            name,
        )
        for query in (
            "INSERT INTO resource_grant (vo, to_vo, resource_id) SELECT 0, v, %(new)s FROM unnest(ARRAY[1, 2]) v",
            """INSERT INTO rse (vo, rse_id, site_id, name, audience)
               SELECT 0, resource_id, site_id, name, 'https://c.test' FROM resource WHERE resource_id = %(new)s""",
            """INSERT INTO rse_protocol (vo, priority, rse_id, plugin, prefix, settings)
               VALUES (0, 1, %(new)s, 'posix', %(prefix)s, jsonb_build_object('roots', ARRAY[%(folder)s]))""",
            """INSERT INTO distance (vo, distance, source_rse_id, destination_rse_id)
               SELECT 0, %(distance)s, rse_id, %(new)s FROM rse WHERE rse_id <> %(new)s
                UNION ALL
               SELECT 0, %(distance)s, %(new)s, rse_id FROM rse WHERE rse_id <> %(new)s""",
        ):
            await conn.execute(
                query, {"new": new, "prefix": f"file://{folder}", "folder": str(folder), "distance": distance}
            )
    grid.served.world.resource[name] = new

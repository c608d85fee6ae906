"""DIDs whose time has come, with real commits and a clock of our own: what ends, what is protected, what comes back."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sancho.dids import service as dids
from sancho.dids.errors import DidExists, DidNotFound, ErasureBegun
from sancho.dids.model import Did, DidKind
from sancho.kit.access import NotYours
from sancho.kit.deployment import Deployment
from sancho.replicas import service as replicas
from sancho.replicas.tasks import reap
from sancho.rules import service
from sancho.rules.model import RuleRequest
from sancho.rules.service import erasing
from sancho.rules.tasks import erase, expire
from tests.dids.given import given_collection, person
from tests.dids.waiting import until_one_waits
from tests.rules.given import Later, check_exact, given_dataset, given_files, given_rule, value
from tests.served import Served
from tests.uploads.test_rules import put
from tests.world import World

DAY = timedelta(days=1)
DOOMED = "SELECT count(*) FROM replica WHERE lock_count = 0 AND tombstone_at <= now()"


@pytest.fixture
def clock() -> Later:
    return Later()


@pytest.fixture
def deployment(served: Served, clock: Later) -> Deployment:
    return replace(served.deployment, clock=clock)


async def marked(deployment: Deployment, world: World, *names: str, account: str = "alice") -> list[Did]:
    """Have DIDs erased in a day."""
    async with deployment.database.transaction([world.belle]) as conn:
        return await dids.erase(conn, person(world, account), names, after=DAY)


async def there(deployment: Deployment, world: World, *names: str) -> list[str]:
    """Those of these DIDs that exist."""
    async with deployment.database.transaction([world.belle]) as conn:
        return sorted(did.did for did in await dids.find_all(conn, world.belle, names))


async def ask(deployment: Deployment, query: Any, *values: object) -> Any:
    async with deployment.database.transaction([0, 1, 2]) as conn:
        return await value(conn, query, *values)


async def settled(served: Served, deployment: Deployment) -> None:
    """The tasks that wait run, and everything counts up."""
    await served.run_tasks()
    async with deployment.database.transaction([0, 1, 2]) as conn:
        await check_exact(conn)


async def test_a_dataset_is_shown_until_its_time_and_then_ends_with_its_files(
    served: Served, deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "ds", 3)
        box = await given_collection(conn, world, "box", DidKind.CONTAINER)
        ds = await dids.get(conn, 1, "mc:ds")
        await dids.attach(conn, 1, box, [ds.did_id])
        await given_rule(conn, world, "mc:ds", to="A-DISK")
    [said] = await marked(deployment, world, "mc:ds")
    assert said.ends_at is not None

    await erase(deployment)
    assert await there(deployment, world, "mc:ds", "mc:ds/0") == ["mc:ds", "mc:ds/0"]
    clock.ahead = 2 * DAY
    await erase(deployment)
    await erase(deployment)

    assert await there(deployment, world, "mc:ds", "mc:ds/0", "mc:ds/1", "mc:ds/2", "mc:box") == ["mc:box"]
    assert await ask(deployment, DOOMED) == 3
    assert await ask(deployment, "SELECT count(*) FROM rule") == 0
    assert await ask(deployment, "SELECT count(*) FROM attachment") == 0
    assert await ask(deployment, "SELECT count(*) FROM ending") == 0
    await settled(served, deployment)
    async with deployment.database.transaction([1]) as conn:
        with pytest.raises(DidNotFound):
            await dids.get(conn, 1, "mc:ds")
        with pytest.raises(DidExists):
            await dids.create(conn, person(world, "alice"), "mc:ds", DidKind.DATASET)
        with pytest.raises(DidExists):
            await dids.ensure_dataset(conn, person(world, "alice"), "mc:ds")


async def test_what_is_restored_in_time_lives_on_and_later_it_is_too_late(
    deployment: Deployment, world: World, clock: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "ds", 3)
        await given_dataset(conn, world, "other", 2)
    await marked(deployment, world, "mc:ds", "mc:other")
    async with deployment.database.transaction([1]) as conn:
        with pytest.raises(NotYours):
            await dids.restore(conn, person(world, "bob"), ["mc:ds"])
        [lives] = await dids.restore(conn, person(world, "alice"), ["mc:ds"])
        assert lives.ends_at is None
        await dids.restore(conn, person(world, "alice"), ["mc:ds"])

    clock.ahead = 2 * DAY
    monkeypatch.setattr("sancho.dids.service.ending.DETACHED_AT_ONCE", 1)
    monkeypatch.setattr(erasing, "ROUNDS", 1)
    await erase(deployment)

    assert await there(deployment, world, "mc:ds", "mc:other") == ["mc:ds", "mc:other"]
    async with deployment.database.transaction([1]) as conn:
        for late in (dids.restore(conn, person(world, "alice"), ["mc:other"]),
                     dids.erase(conn, person(world, "alice"), ["mc:other"], after=DAY)):  # fmt: skip
            with pytest.raises(ErasureBegun):
                await late
    for _ in range(6):
        await erase(deployment)
    assert await there(deployment, world, "mc:ds", "mc:ds/0", "mc:other", "mc:other/0") == ["mc:ds", "mc:ds/0"]


async def test_rules_of_others_and_closed_collections_protect_and_say_so(
    deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        for name in ("under", "inside", "closed"):
            await given_dataset(conn, world, name, 1)
        year = await given_collection(conn, world, "year", DidKind.CONTAINER)
        inside = await dids.get(conn, 1, "mc:inside")
        await dids.attach(conn, 1, year, [inside.did_id])
        closed = await dids.get(conn, 1, "mc:closed")
        await dids.close(conn, 1, closed.did_id)
        rules = [await given_rule(conn, world, did, to="A-DISK", account="bob") for did in ("mc:under", "mc:year")]
    await marked(deployment, world, "mc:under", "mc:inside", "mc:closed/0")
    clock.ahead = 2 * DAY
    await erase(deployment)

    async with deployment.database.transaction([1]) as conn:
        under, inside, file = await dids.resolve(conn, 1, ["mc:under", "mc:inside", "mc:closed/0"])
        assert under.held == f"rule {rules[0].rule_id} of bob on mc:under holds it"
        assert inside.held == f"rule {rules[1].rule_id} of bob on mc:year holds it"
        assert file.held == "mc:closed, which is closed, holds it"
        for rule in rules:
            await service.delete(conn, person(world, "bob"), rule.rule_id)
        await dids.set_open(conn, person(world, "alice"), "mc:closed", is_open=True)
        await dids.set_monotonic(conn, person(world, "alice"), "mc:closed")
    clock.ahead = 3 * DAY
    await erase(deployment)
    assert await there(deployment, world, "mc:under", "mc:inside", "mc:closed/0") == ["mc:closed/0"]
    async with deployment.database.transaction([1]) as conn:
        assert (await dids.get(conn, 1, "mc:closed/0")).held == "mc:closed, which only grows, holds it"
        await dids.restore(conn, person(world, "alice"), ["mc:closed/0"])


async def test_files_in_something_else_or_of_somebody_else_outlive_their_dataset(
    served: Served, deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        ds, mine, both = await given_dataset(conn, world, "ds", 2)
        other = await given_collection(conn, world, "other")
        await dids.attach(conn, 1, other, [both])
        [of_bob] = await given_files(conn, world, ["of-bob"], into=ds)
        await conn.execute("UPDATE did SET account_id = %s WHERE did_id = %s", [world.account[1, "bob"], of_bob])
        [held] = await given_files(conn, world, ["held"], into=ds)
        rule = await given_rule(conn, world, "mc:held", to="A-DISK", account="bob")
        [uploaded] = await put(conn, world, ["uploaded"], dataset_id=ds)
        assert mine
        assert uploaded
    await marked(deployment, world, "mc:ds")
    clock.ahead = 2 * DAY
    await erase(deployment)
    await settled(served, deployment)

    names = ["mc:ds", "mc:ds/0", "mc:ds/1", "mc:of-bob", "mc:held", "mc:uploaded"]
    assert await there(deployment, world, *names) == ["mc:ds/1", "mc:held", "mc:of-bob"]
    async with deployment.database.transaction([1]) as conn:
        assert await dids.info(conn, await dids.get(conn, 1, "mc:other")) == (1, 100)
        assert [r.tombstone_at for r in await replicas.list(conn, 1, [held])] == [None]
        await dids.attach(conn, 1, other, [held])  # now it is not without a dataset any more
        await service.delete(conn, person(world, "bob"), rule.rule_id)
    clock.ahead = 3 * DAY
    await erase(deployment)
    assert await there(deployment, world, "mc:held") == ["mc:held"]
    async with deployment.database.transaction([1]) as conn:
        assert (await dids.get(conn, 1, "mc:held")).ends_at is None


async def test_large_rules_leave_before_their_dataset_does(
    served: Served, deployment: Deployment, world: World, clock: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "ds", 3)
        await given_rule(conn, world, "mc:ds", to="A-DISK")
    monkeypatch.setattr(erasing, "LARGE", 2)
    await marked(deployment, world, "mc:ds")
    clock.ahead = 2 * DAY

    await erase(deployment)
    assert await there(deployment, world, "mc:ds") == ["mc:ds"]
    async with deployment.database.transaction([1]) as conn:
        with pytest.raises(ErasureBegun):
            await dids.restore(conn, person(world, "alice"), ["mc:ds"])
    await expire(deployment)
    clock.ahead += timedelta(minutes=1)
    await erase(deployment)
    assert await there(deployment, world, "mc:ds", "mc:ds/0") == []
    await settled(served, deployment)


async def test_a_lifetime_is_an_erasure_with_a_date(deployment: Deployment, world: World, clock: Later) -> None:
    alice = person(world, "alice")
    async with deployment.database.transaction([1]) as conn:
        for name in ("short", "long"):
            await given_collection(conn, world, name)
            assert (await dids.set_lifetime(conn, alice, f"mc:{name}", DAY)).ends_at is not None
        assert (await dids.set_lifetime(conn, alice, "mc:long", None)).ends_at is None
    clock.ahead = 2 * DAY
    await asyncio.gather(erase(deployment), erase(deployment))
    assert await there(deployment, world, "mc:short", "mc:long") == ["mc:long"]


async def test_whoever_comes_while_a_did_is_erased_finds_it_gone(
    deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        [a] = await given_files(conn, world, ["a"])
        await given_collection(conn, world, "ds")
        gone = await given_collection(conn, world, "gone")
        ds = (await dids.get(conn, 1, "mc:ds")).did_id
    await marked(deployment, world, "mc:a", "mc:gone")
    clock.ahead = 2 * DAY
    async with deployment.database.transaction([1]) as attaching, deployment.database.transaction([1]) as ruling:
        await asyncio.gather(attaching.execute("SELECT 1"), ruling.execute("SELECT 1"))
        await erase(deployment)
        with pytest.raises(DidNotFound):
            await dids.attach(attaching, 1, ds, [a])
        with pytest.raises(DidNotFound):
            await dids.attach(attaching, 1, gone, [])
        with pytest.raises(DidNotFound):
            request = RuleRequest(did="mc:a", rse_expression="A-DISK")
            await service.create(ruling, person(world, "alice"), request)
        with pytest.raises(DidNotFound):
            await service.ensure(ruling, 1, world.account[1, "alice"], a, copies=1, rse_expression="A-DISK")


async def test_what_is_attached_or_put_under_a_rule_meanwhile_is_waited_for_and_seen(
    deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        [a] = await given_files(conn, world, ["a"])
        await given_files(conn, world, ["b"])
        ds = await given_collection(conn, world, "ds")
    await marked(deployment, world, "mc:a", "mc:b")
    clock.ahead = 2 * DAY
    async with deployment.database.transaction([1]) as conn:
        await dids.attach(conn, 1, ds, [a])
        await given_rule(conn, world, "mc:b", to="A-DISK", account="bob")
        erased = asyncio.create_task(service.erase(deployment))
        await until_one_waits(deployment.database)
    await erased
    assert await there(deployment, world, "mc:a", "mc:b") == ["mc:a", "mc:b"]
    clock.ahead = 3 * DAY
    await erase(deployment)
    assert await there(deployment, world, "mc:a", "mc:b") == ["mc:b"]


async def test_replicas_of_the_erased_are_reaped_by_their_old_names(
    served: Served, deployment: Deployment, world: World, clock: Later
) -> None:
    async with deployment.database.transaction([0, 1]) as conn:
        await given_files(conn, world, ["a"])
    await marked(deployment, world, "mc:a")
    clock.ahead = 2 * DAY
    await erase(deployment)
    await reap(deployment)
    assert await ask(deployment, "SELECT count(*) FROM replica") == 0
    await settled(served, deployment)

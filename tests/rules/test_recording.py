"""What accounts locked on each day."""

from datetime import date, timedelta

from sancho.kit.db import Connection
from sancho.rules import service
from sancho.rules.model import UsageOn
from sancho.rules.service.recording import KEPT, record
from sancho.rules.tasks import record as record_all
from tests.dids.given import person
from tests.rules.given import SIZE, given_dataset, given_rule
from tests.served import Served
from tests.world import World

MONDAY = date(2026, 11, 23)


async def used(conn: Connection, world: World, rse: str = "A-DISK", **more: object) -> list[UsageOn]:
    account, where = world.account[world.belle, "alice"], world.resource[rse]
    return list(await service.usage_history(conn, world.belle, account, where, **more))  # pyright: ignore[reportArgumentType]


async def test_usage_is_written_down_on_the_days_on_which_it_changes(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "a", 2)
    rule = await given_rule(conn, world, "mc:a", to="A-DISK")
    await record(conn, world.belle, MONDAY)
    await record(conn, world.belle, MONDAY + timedelta(days=1))
    await given_dataset(conn, world, "b", 1)
    await given_rule(conn, world, "mc:b", to="A-DISK")
    await record(conn, world.belle, MONDAY + timedelta(days=2))
    await service.delete(conn, person(world, "alice"), rule.rule_id)
    await record(conn, world.belle, MONDAY + timedelta(days=2))

    two_days = [UsageOn(MONDAY + timedelta(days=2), 1, SIZE), UsageOn(MONDAY, 2, 2 * SIZE)]
    assert await used(conn, world) == two_days
    assert await used(conn, world, before=two_days[0].day) == two_days[1:]
    assert await used(conn, world, limit=1) == two_days[:1]
    assert await used(conn, world, "B-DISK") == []


async def test_what_became_of_all_that_went_is_nothing(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "a", 2)
    rule = await given_rule(conn, world, "mc:a", to="A-DISK")
    await record(conn, world.belle, MONDAY)
    await service.delete(conn, person(world, "alice"), rule.rule_id)
    await record(conn, world.belle, MONDAY + timedelta(days=1))
    assert await used(conn, world) == [UsageOn(MONDAY + timedelta(days=1), 0, 0), UsageOn(MONDAY, 2, 2 * SIZE)]


async def test_what_is_too_old_is_forgotten_but_for_what_still_holds(conn: Connection, world: World) -> None:
    for n in range(3):
        await given_dataset(conn, world, f"{n}", 1)
        await given_rule(conn, world, f"mc:{n}", to="A-DISK")
        await record(conn, world.belle, MONDAY + timedelta(days=n))
    await record(conn, world.belle, MONDAY + KEPT + timedelta(days=2))
    assert [one.files for one in await used(conn, world)] == [3]
    await record(conn, world.belle, MONDAY + 2 * KEPT)
    assert [one.day for one in await used(conn, world)] == [MONDAY + timedelta(days=2)]


async def test_usage_is_recorded_for_every_vo_and_told_to_its_own(served: Served) -> None:
    world, deployment = served.world, served.deployment
    async with deployment.database.transaction([0, 1]) as conn:
        await given_dataset(conn, world, "a", 2)
        await given_rule(conn, world, "mc:a", to="A-DISK")
    await record_all(deployment)
    asked = {"account": "alice", "rse": "A-DISK"}
    today = deployment.clock.now().date().isoformat()
    mine = await served.send("GET", "/usage/history", params=asked)
    assert mine.json() == [{"day": today, "files": 2, "size": 2 * SIZE}]
    assert (await served.send("GET", "/usage/history", params={**asked, "before": today})).json() == []
    assert (await served.send("GET", "/usage/history", vo="gridpp", params=asked)).json() == []
    assert (await served.send("GET", "/usage/history", params={**asked, "account": "none"})).status_code == 404
    assert (await served.send("GET", "/usage/history", params={**asked, "rse": "NONE"})).status_code == 404

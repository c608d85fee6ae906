"""What would come of a rule, before anybody makes it."""

from datetime import timedelta

import pytest

from sancho.accounting import service as accounting
from sancho.accounting.model import Entry, EntryKind
from sancho.dids.errors import DidNotFound
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.rses.errors import RseExpressionInvalid
from sancho.rules import service
from sancho.rules.model import Preview, RuleRequest
from sancho.rules.service import foreseeing
from tests.dids.given import person
from tests.rules import given
from tests.rules.given import BOTH, SIZE, given_dataset, given_quota, given_rule
from tests.served import Served
from tests.world import World


async def previewed(
    conn: Connection, world: World, did: str = "mc:run1", *, copies: int = 1, to: str = BOTH
) -> Preview:
    request = RuleRequest(did=did, copies=copies, rse_expression=to)
    return await service.preview(conn, person(world, "alice"), request)


async def test_what_is_previewed_is_what_then_happens_and_nothing_is_written(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 3)
    await given_quota(conn, world, "alices", 20 * SIZE, account="alice")

    found = await previewed(conn, world, copies=2)

    assert (found.prospect.files, found.prospect.size, found.prospect.reason) == (3, 3 * SIZE, None)
    assert [(p.rse, p.size, p.to_copy) for p in found.places] == [("A-DISK", 300, 0), ("B-DISK", 0, 300)]
    assert [(quota.name, size) for quota, size in found.quotas] == [("alices", 600)]
    assert await service.list_rules(conn, world.belle, page=(None, 10)) == []
    rule = await given_rule(conn, world, "mc:run1", copies=2)
    assert (rule.rses, rule.ok, rule.replicating) == (("A-DISK", "B-DISK"), 3, 3)


async def test_the_time_is_that_of_the_last_hours_and_unknown_without_any(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 3)
    assert [p.time for p in (await previewed(conn, world, copies=2)).places] == [timedelta(0), None]
    moved = Entry(
        vo=world.belle, kind=EntryKind.TRANSFER, account_id=world.account[world.belle, "alice"],
        rse_id=world.resource["B-DISK"], files=1, size=30 * 100, wall=timedelta(seconds=100),
    )  # fmt: skip
    await accounting.record(conn, [moved])

    (_, there) = (await previewed(conn, world, copies=2)).places

    assert there.time == timedelta(seconds=10)


async def test_one_tiny_file_of_late_says_nothing_of_how_long_many_take(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "SIZE", 10**15)
    await given_dataset(conn, world, "run1", 3)
    tiny = Entry(
        vo=world.belle, kind=EntryKind.TRANSFER, account_id=world.account[world.belle, "alice"],
        rse_id=world.resource["B-DISK"], files=1, size=1, wall=timedelta(hours=1),
    )  # fmt: skip
    await accounting.record(conn, [tiny])

    (_, there) = (await previewed(conn, world, copies=2)).places

    assert (there.to_copy, there.time) == (3 * 10**15, None)


async def test_what_would_be_refused_says_what_lacks_and_what_would_do(conn: Connection, world: World) -> None:
    await given_dataset(conn, world, "run1", 3)
    await given_quota(conn, world, "alices", 4 * SIZE, account="alice")

    found = await previewed(conn, world, copies=2)

    assert (found.places, found.prospect.copies) == ((), 1)
    assert "alices" in str(found.prospect.reason)
    assert [(quota.name, size) for quota, size in found.prospect.lacking] == [("alices", 200)]
    few = await previewed(conn, world, copies=7, to="A-DISK")
    assert "7" in str(few.prospect.reason)


async def test_of_very_many_files_the_first_are_looked_at(
    conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreseeing, "LARGE", 3)
    monkeypatch.setattr(foreseeing, "BATCH", 2)
    await given_dataset(conn, world, "run1", 4)

    found = await previewed(conn, world, copies=2)

    assert (found.prospect.files, found.looked_at) == (4, 2)
    assert [(p.rse, p.files, p.to_copy) for p in found.places] == [("A-DISK", 2, 0), ("B-DISK", 0, 400)]


async def test_only_who_may_make_rules_may_ask_and_what_is_wrong_is_said(conn: Connection, world: World) -> None:
    with pytest.raises(DidNotFound):
        await previewed(conn, world, "mc:nothing")
    await given_dataset(conn, world, "run1", 1)
    with pytest.raises(RseExpressionInvalid):
        await previewed(conn, world, to="tier=(")
    request = RuleRequest(did="mc:run1", rse_expression=BOTH)
    with pytest.raises(PermissionMissing):
        await service.preview(conn, person(world, "alice", "jobs:create"), request)


async def test_the_route_sums_it_up(served: Served) -> None:
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        await given_dataset(conn, served.world, "run1", 2)
        await given_quota(conn, served.world, "alices", 3 * SIZE, account="alice")
    asked = {"did": "mc:run1", "rse_expression": BOTH, "copies": 1}

    good = (await served.send("POST", "/rules/preview", json=asked)).json()
    bad = await served.send("POST", "/rules/preview", json={**asked, "copies": 2})

    assert (good["verdict"], good["charged"], good["to_copy"], good["seconds"]) == ("ok", 200, 0, 0)
    assert [(q["name"], q["room"], q["needed"], q["lacks"]) for q in good["quotas"]] == [("alices", 300, 200, 0)]
    assert (bad.json()["verdict"], bad.json()["fewer_copies"]) == ("refused", 1)
    assert [(q["needed"], q["lacks"]) for q in bad.json()["quotas"]] == [(400, 100)]

"""Downtimes: from an announcement to the switch, and back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sancho.kit.access import INSTANCE
from sancho.kit.db import Connection, Database, execute
from sancho.kit.errors import PermissionMissing
from sancho.matching import service as matching
from sancho.sites import service
from sancho.sites.api import router
from sancho.sites.errors import DowntimeNotFound, DowntimeOver, ResourceNotFound, ResourceOfOthers
from sancho.sites.model import Downtime, ResourceKind
from tests.identity.helpers import ROOT, Installation
from tests.sites.test_topology import apply, site
from tests.world import World

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITE_A = (ResourceKind.SITE, "SITE-A")


def of(begins: timedelta, ends: timedelta | None) -> Downtime:
    return Downtime(begins_at=NOW + begins, ends_at=None if ends is None else NOW + ends, reason="new cooling")


async def switches(conn: Connection) -> list[bool]:
    return [site.enabled for site in await service.sites(conn)]


async def test_a_downtime_turns_the_switch_when_it_begins_and_back_when_it_ends(conn: Connection, world: World) -> None:
    made = await service.announce(conn, ROOT, SITE_A, of(HOUR, 3 * HOUR), NOW)
    assert (made.name, made.site, await switches(conn)) == ("SITE-A", "SITE-A", [True, True])

    for hours, open_ in ((1, False), (2, False), (3, True), (4, True)):
        await service.follow(conn, [INSTANCE], NOW + hours * HOUR)
        assert await switches(conn) == [open_, True], hours
    assert await service.downtimes(conn, since=NOW + 3 * HOUR) == []
    assert [one.downtime_id for one in await service.downtimes(conn, since=NOW)] == [made.downtime_id]


async def test_one_without_an_end_is_ended_and_one_that_has_not_begun_is_taken_back(
    conn: Connection, world: World
) -> None:
    now = await service.announce(conn, ROOT, SITE_A, of(timedelta(0), None), NOW)
    later = await service.announce(conn, ROOT, (ResourceKind.RSE, "B-DISK"), of(HOUR, None), NOW)
    assert (later.site, await switches(conn)) == ("SITE-B", [False, True])
    matcher = await matching.read(conn)
    slots = {name: matcher.slots[world.resource[name]][1] for name in ("A-CE", "B-CE")}
    assert [matcher.offer(world.resource[name], 1, (1,), slot) is None for name, slot in slots.items()] == [True, False]

    for one in (now, now, later):
        await service.end(conn, ROOT, one.downtime_id, NOW + HOUR / 2)
    assert await switches(conn) == [True, True]
    assert await service.downtimes(conn, since=NOW + HOUR) == []
    with pytest.raises(DowntimeNotFound):
        await service.end(conn, ROOT, later.downtime_id, NOW)


async def test_documents_that_are_applied_meanwhile_come_true_at_its_end(conn: Connection, world: World) -> None:
    made = await service.announce(conn, ROOT, SITE_A, of(timedelta(0), None), NOW)
    for enabled in (True, False):
        await apply(conn, site("SITE-A", enabled=enabled, attributes={"tier": int(enabled)}))
        assert await switches(conn) == [False, True]
    await service.end(conn, ROOT, made.downtime_id, NOW + HOUR)
    assert await switches(conn) == [False, True]


async def test_who_applies_documents_and_who_turns_switches_do_not_wait_for_each_other(
    database: Database, world: World
) -> None:
    sites = sorted(["SITE-A", "SITE-B"], key=lambda name: world.resource[name])
    down = of(timedelta(0), 2 * HOUR)
    async with database.transaction([0, 1, 2]) as conn:
        made = [await service.announce(conn, ROOT, (ResourceKind.SITE, name), down, NOW) for name in sites]
    async with database.transaction([0, 1, 2]) as applying:
        await apply(applying, site(sites[1], attributes={"tier": 1}))
        async with database.transaction([0, 1, 2]) as conn:
            await execute(conn, "SET LOCAL lock_timeout = '2s'")
            await service.follow(conn, [INSTANCE], NOW + 3 * HOUR)
            await service.end(conn, ROOT, made[0].downtime_id, NOW + HOUR)
            assert await switches(conn) == [one == sites[0] for one in ("SITE-A", "SITE-B")]
        await apply(applying, site(sites[0], attributes={"tier": 1}))
    async with database.transaction([0, 1, 2]) as conn:
        await service.follow(conn, [INSTANCE], NOW + 3 * HOUR)
        assert await switches(conn) == [True, True]


async def test_what_nobody_may_announce_is_refused(conn: Connection, world: World) -> None:
    with pytest.raises(ResourceOfOthers):
        await service.announce(conn, replace(ROOT, vo=world.belle), SITE_A, of(HOUR, None), NOW)
    with pytest.raises(PermissionMissing):
        await service.announce(conn, replace(ROOT, permissions=frozenset({"jobs:create"})), SITE_A, of(HOUR, None), NOW)
    with pytest.raises(ResourceNotFound):
        await service.announce(conn, ROOT, (ResourceKind.RSE, "SITE-A"), of(HOUR, None), NOW)
    for begins, ends in ((2 * HOUR, HOUR), (-2 * HOUR, -HOUR)):
        with pytest.raises(DowntimeOver):
            await service.announce(conn, ROOT, SITE_A, of(begins, ends), NOW)


async def test_the_routes_say_what_is_down_to_all_who_may_use_it(installation: Installation) -> None:
    async with installation.client(router) as client:
        root, alice = installation.bearer("instance", "root"), installation.bearer("belle", "alice")
        body = {"kind": "ComputeElement", "name": "A-CE", "reason": "reboot"}
        made = (await client.post("/v1/downtimes", json=body, headers=root)).json()
        assert (made["site"], made["ends_at"]) == ("SITE-A", None)
        assert (await client.get("/v1/downtimes", headers=alice)).json()["items"] == [made | {"own": False}]
        assert (await client.get("/v1/ces/A-CE", headers=alice)).json()["enabled"] is False
        refused = await client.post(f"/v1/downtimes/{made['downtime_id']}/end", headers=alice)
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
        assert (await client.post(f"/v1/downtimes/{made['downtime_id']}/end", headers=root)).status_code == 204
        assert (await client.get("/v1/ces/A-CE", headers=alice)).json()["enabled"] is True

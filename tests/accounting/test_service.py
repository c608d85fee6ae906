"""The ledger on a real PostgreSQL."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sancho.accounting import service
from sancho.accounting.model import By, Entry, EntryKind
from sancho.kit.access import Principal
from sancho.kit.db import Connection, Database, TooSlow, execute
from tests.world import World

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
FAR_OFF = datetime(2200, 1, 1, tzinfo=UTC)


async def given_entries(conn: Connection, world: World) -> None:
    alice, bob = world.account[world.belle, "alice"], world.account[world.belle, "bob"]
    site, rse = world.resource["SITE-A"], world.resource["A-DISK"]
    hour = timedelta(hours=1)
    await service.record(
        conn,
        [
            Entry(vo=1, kind=EntryKind.ATTEMPT, account_id=alice, site_id=site, job_id=7, wall=2 * hour, cpu=hour),
            Entry(vo=1, kind=EntryKind.ATTEMPT, account_id=bob, site_id=site, job_id=8, wall=hour, cpu=hour),
            Entry(vo=1, kind=EntryKind.UPLOAD, account_id=alice, rse_id=rse, files=2, size=300),
            Entry(vo=2, kind=EntryKind.UPLOAD, account_id=world.account[2, "bob"], rse_id=rse, files=1, size=1),
        ],
    )


async def test_what_was_used_is_summed_by_account(conn: Connection, world: World) -> None:
    await given_entries(conn, world)

    sums = await service.summary(conn, [world.belle], since=LONG_AGO, until=FAR_OFF)

    said = [(s.account, s.kind, s.entries, s.files, s.size, s.wall, s.cpu) for s in sums]
    assert said == [
        ("alice", None, 2, 2, 300, timedelta(hours=2), timedelta(hours=1)),
        ("bob", None, 1, 0, 0, timedelta(hours=1), timedelta(hours=1)),
    ]


async def test_sums_are_split_by_what_is_asked_for(conn: Connection, world: World) -> None:
    await given_entries(conn, world)

    sums = await service.summary(conn, [world.belle], [By.KIND, By.SITE, By.RSE, By.DAY], since=LONG_AGO, until=FAR_OFF)

    assert [(s.kind, s.site, s.rse, s.entries) for s in sums] == [
        (EntryKind.ATTEMPT, "SITE-A", None, 2),
        (EntryKind.UPLOAD, None, "A-DISK", 1),
    ]
    assert [s.kind.word for s in sums if s.kind] == ["attempt", "upload"]
    day = sums[0].day
    assert day is not None
    assert day.tzinfo is not None
    assert (day.hour, day.minute) == (0, 0)


async def test_sums_by_group_are_those_of_the_oldest_group_of_each_account(conn: Connection, world: World) -> None:
    await given_entries(conn, world)

    sums = await service.summary(conn, [world.belle], [By.GROUP], since=LONG_AGO, until=FAR_OFF)

    assert [(s.group, s.account, s.entries, s.size) for s in sums] == [("users", None, 3, 300)]


async def test_sums_by_vo_are_of_all_vos_for_who_administers_the_installation_alone(
    conn: Connection, world: World
) -> None:
    await given_entries(conn, world)
    admin = Principal(
        vo=0, vo_name="instance", account_id=1, account="root", permissions=frozenset({"*"}),
        vos=(0, world.belle, world.gridpp),
    )  # fmt: skip
    own = replace(admin, vo=world.belle, vo_name="belle")

    seen = {
        who.vo_name: await service.summary(conn, service.seen_by(who, [By.VO]), [By.VO], since=LONG_AGO, until=FAR_OFF)
        for who in (admin, own)
    }

    assert [(s.vo, s.size) for s in seen["instance"]] == [("belle", 300), ("gridpp", 1)]
    assert [(s.vo, s.size) for s in seen["belle"]] == [("belle", 300)]
    assert service.seen_by(admin, [By.DAY]) == [0]


async def test_only_the_asked_time_counts(conn: Connection, world: World) -> None:
    await given_entries(conn, world)

    assert await service.summary(conn, [world.belle], since=LONG_AGO, until=LONG_AGO + timedelta(days=1)) == []


async def test_recording_nothing_is_fine(conn: Connection) -> None:
    await service.record(conn, [])


async def test_sums_of_too_much_are_given_up(database: Database, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LONGEST", 1)
    async with database.transaction([1]) as busy, database.transaction([1]) as conn:
        await execute(busy, "LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE")  # what takes long for another reason
        with pytest.raises(TooSlow, match="longer than 1 s") as e:
            await service.summary(conn, [world.belle], since=LONG_AGO, until=FAR_OFF)
        assert "fewer days" in (e.value.hint or "")

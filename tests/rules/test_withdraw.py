"""Giving a DID up: the caller's own rules go, with those that came with uploads; others' are named."""

import pytest

from sancho.dids import service as dids
from sancho.kit.db import Connection
from sancho.replicas import service as replicas
from sancho.rules import service
from sancho.rules.service import leaving
from tests.dids.given import person
from tests.rules.given import check_exact, given_dataset, given_rule, value
from tests.uploads.test_rules import dataset, put, rules_of
from tests.world import World

DOOMED = "SELECT count(*) FROM replica WHERE lock_count = 0 AND tombstone_at <= now()"


async def test_giving_up_a_dataset_lets_the_files_go_that_were_uploaded_into_it(conn: Connection, world: World) -> None:
    into = await dataset(conn, world, "ds")
    await put(conn, world, ["one", "two"], dataset_id=into)
    await put(conn, world, ["elsewhere"])

    done = await service.withdraw(conn, person(world, "alice"), "mc:ds")

    assert (len(done.withdrawn), done.held_by) == (2, [])
    assert await value(conn, DOOMED) == 2
    assert [(u.files, u.size, u.held) for u in await service.usage(conn, 1)] == [(1, 10, 0)]
    await check_exact(conn)


async def test_a_single_file_of_a_dataset_can_be_given_up(conn: Connection, world: World) -> None:
    into = await dataset(conn, world, "ds")
    one, two = await put(conn, world, ["one", "two"], dataset_id=into)

    assert len((await service.withdraw(conn, person(world, "alice"), "mc:one")).withdrawn) == 1

    assert await rules_of(conn, one) == []
    assert len(await rules_of(conn, two)) == 1
    assert [r.lock_count for r in await replicas.list(conn, 1, [one, two])] == [0, 1]


async def test_rules_of_others_stay_and_are_named(conn: Connection, world: World) -> None:
    into = await dataset(conn, world, "ds")
    await put(conn, world, ["one"], dataset_id=into)
    of_bob = await given_rule(conn, world, "mc:ds", to="A-DISK", account="bob")

    mine = await service.withdraw(conn, person(world, "alice"), "mc:ds")
    again = await service.withdraw(conn, person(world, "alice"), "mc:one")

    assert len(mine.withdrawn) == 1
    assert again.withdrawn == []
    assert mine.held_by == again.held_by == [(of_bob.rule_id, "bob", "mc:ds")]
    assert await value(conn, DOOMED) == 0
    await check_exact(conn)


async def test_a_rule_that_was_asked_for_on_a_file_outlives_its_dataset(conn: Connection, world: World) -> None:
    into = await dataset(conn, world, "ds")
    [file] = await put(conn, world, ["one"], rule={"copies": 1, "rse_expression": "A-DISK", "lifetime": None})
    await dids.attach(conn, 1, into, [file], announce=False)

    done = await service.withdraw(conn, person(world, "alice"), "mc:ds")

    assert done.withdrawn == []
    assert [held.did for held in done.held_by] == ["mc:one"]


async def test_many_locks_go_in_the_background(conn: Connection, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await given_dataset(conn, world, "run1", 3)
    rule = await given_rule(conn, world, "mc:run1", to="A-DISK")
    monkeypatch.setattr(leaving, "LARGE", 2)

    done = await service.withdraw(conn, person(world, "alice"), "mc:run1")

    assert done == ([rule.rule_id], [], 2)
    ended = (await service.get(conn, 1, rule.rule_id)).expires_at
    assert ended is not None
    assert await value(conn, "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'rules:expire'") == 1

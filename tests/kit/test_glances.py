"""Glances that are wanted at the same time share an exchange, and nothing else."""

import asyncio
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest
from anyio.lowlevel import checkpoint

from sancho.kit.db import Database, DatabaseAway
from sancho.kit.fair import Crowded
from tests.world import World

NAMED: LiteralString = "SELECT vo, name FROM account WHERE vo = %(vo)s AND name = %(name)s"
DIVIDED: LiteralString = "SELECT %(of)s::int / %(by)s::int AS parts, pg_current_xact_id()::text AS in_transaction"


@dataclass(frozen=True)
class Named:
    vo: int
    name: str


@dataclass(frozen=True)
class Divided:
    parts: int
    in_transaction: str


async def divide(database: Database, by: int, *, vo: int = 1) -> Divided:
    got = await database.glance([vo], Divided, DIVIDED, {"of": 100, "by": by})
    assert got is not None
    return got


async def test_what_is_wanted_meanwhile_goes_in_one_transaction(database: Database) -> None:
    got = await asyncio.gather(*(divide(database, by) for by in range(1, 121)))
    assert [one.parts for one in got] == [100 // by for by in range(1, 121)]
    together = [one.in_transaction for one in got]
    assert len(set(together)) == 3, "the first fifty, the next fifty, and the rest"


async def test_different_questions_share_it_and_vos_do_not(database: Database, world: World) -> None:
    asked = [
        database.glance([vo], Named, NAMED, {"vo": of, "name": "alice"})
        for vo in (world.belle, world.gridpp)
        for of in (world.belle, world.gridpp)
    ]
    named, (first, second) = await asyncio.gather(
        asyncio.gather(*asked),
        asyncio.gather(divide(database, 3, vo=world.belle), divide(database, 4, vo=world.gridpp)),
    )
    assert named == [Named(world.belle, "alice"), None, None, Named(world.gridpp, "alice")]
    assert first.in_transaction != second.in_transaction


async def test_one_that_fails_fails_alone(database: Database) -> None:
    got = await asyncio.gather(*(divide(database, by) for by in (1, 2, 0, 4)), return_exceptions=True)
    assert [type(one) for one in got] == [Divided, Divided, psycopg.errors.DivisionByZero, Divided]
    bad = database.glance([1], Named, NAMED, {"vo": 1, "name": "nul\0"})
    good = database.glance([1], Named, NAMED, {"vo": 1, "name": "alice"})
    got = await asyncio.gather(divide(database, 1), bad, good, return_exceptions=True)
    assert isinstance(got[1], psycopg.DataError)
    assert got[2] == Named(1, "alice")


async def test_who_waits_no_longer_keeps_nobody_up(database: Database) -> None:
    tasks = [asyncio.create_task(divide(database, by)) for by in (1, 2, 4)]
    await checkpoint()
    tasks[1].cancel()
    assert [(await tasks[n]).parts for n in (0, 2)] == [100, 25]
    assert (await divide(database, 5)).parts == 20


async def test_all_are_told_when_the_database_is_away(database_url: str) -> None:
    database = Database(database_url, size=1, timeout=0.2)
    await database.open()
    asked: list[asyncio.Task[Divided]] = []
    try:
        assert (await divide(database, 5)).parts == 20
        async with database.transaction([1]) as conn:  # the only connection, which ends in the middle
            asked = [asyncio.create_task(divide(database, by)) for by in (1, 2)]
            await checkpoint()
            with pytest.raises(psycopg.OperationalError):
                await conn.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    except DatabaseAway:
        pass
    finally:
        got = await asyncio.gather(*asked, return_exceptions=True)
        assert (await divide(database, 5)).parts == 20, "a new connection serves whoever comes next"
        await database.close()
    assert all(isinstance(one, Divided | Exception) for one in got)


async def test_more_than_fit_are_refused(database_url: str) -> None:
    database = Database(database_url, size=1)
    await database.open()
    try:
        got = await asyncio.gather(*(divide(database, 2) for _ in range(30)), return_exceptions=True)
    finally:
        await database.close()
    assert [type(one) for one in got].count(Crowded) == 30 - 20

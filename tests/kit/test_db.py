"""Transactions serve the VOs they name and no other; errors are typed."""

import asyncio
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import LiteralString

import psycopg
import pytest

from sancho.kit.db import Connection, Database, DatabaseBusy, execute, fetch_value, fetch_values, stream
from tests.conftest import eventually
from tests.world import World


async def test_a_transaction_sees_only_the_vos_it_serves(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        assert await fetch_values(conn, "SELECT DISTINCT vo FROM account") == [world.belle]


async def test_a_transaction_that_serves_nobody_is_an_error(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction([]) as conn:
            await fetch_values(conn, "SELECT vo FROM account")


async def test_the_vos_of_one_transaction_do_not_leak_into_the_next(database: Database, world: World) -> None:
    async with database.transaction([world.belle, world.gridpp]) as conn:
        await fetch_values(conn, "SELECT 1")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database._pool.connection() as conn:
            await conn.execute("SELECT vo FROM account")


async def test_nobody_writes_into_a_vo_that_is_not_served(database: Database, world: World) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction([world.belle]) as conn:
            await execute(conn, "INSERT INTO account (vo, kind, name) VALUES (2, 'U', 'intruder')")


async def test_shared_topology_is_seen_by_those_it_is_granted_to(database: Database, world: World) -> None:
    async with database.transaction([world.belle]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM rse") == 2
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database.transaction([world.belle]) as conn:
            await execute(conn, "UPDATE rse SET readable = false")


@dataclass(frozen=True)
class Named:
    vo: int
    name: str


NAMED: LiteralString = "SELECT vo, name FROM account WHERE vo = %(vo)s AND name = %(name)s"


async def test_a_glance_sees_only_the_vos_it_serves_and_takes_words_for_words(database: Database, world: World) -> None:
    assert await database.glance([1], Named, NAMED, {"vo": 1, "name": "alice"}) == Named(1, "alice")
    assert await database.glance([2], Named, NAMED, {"vo": 1, "name": "alice"}) is None
    assert await database.glance([1], Named, NAMED, {"vo": 1, "name": "x' OR name = 'alice"}) is None
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await database.glance([], Named, NAMED, {"vo": 1, "name": "alice"})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with database._pool.connection() as conn:
            await conn.execute("SELECT vo FROM account")


@pytest.mark.parametrize("prepared", [True, False])
async def test_a_glance_works_after_what_makes_a_connection_forget_its_statements(
    database_url: str, *, prepared: bool
) -> None:
    database = Database(database_url, size=1)
    await database.open()
    try:
        for broken in ("statement", "savepoint", "nothing"):
            assert await database.glance([1], Named, NAMED, {"vo": 1, "name": "alice"}) == Named(1, "alice")
            with suppress(psycopg.errors.DivisionByZero):
                async with database.transaction([1]) as conn:
                    await conn.execute("SELECT 1", prepare=prepared)
                    if broken == "savepoint":
                        with suppress(psycopg.errors.DivisionByZero):
                            async with conn.transaction():
                                await conn.execute("SELECT 1 / 0")
                    elif broken == "statement":
                        await conn.execute("SELECT 1 / 0")
        assert await database.glance([1], Named, NAMED, {"vo": 1, "name": "bob"}) == Named(1, "bob")
    finally:
        await database.close()


async def test_a_failed_transaction_leaves_nothing(database: Database, world: World) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction([world.belle]) as conn:
            await execute(conn, "INSERT INTO account (vo, kind, name) VALUES (1, 'U', 'ghost')")
            raise ZeroDivisionError
    async with database.transaction([world.belle]) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM account WHERE name = 'ghost'") == 0


async def test_the_servers_role_owns_nothing(conn: Connection) -> None:
    too_much = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert await fetch_value(conn, too_much) is False
    assert await fetch_value(conn, "SELECT count(*) FROM pg_tables WHERE tableowner = current_user") == 0


async def test_every_table_with_a_vo_has_a_wall(conn: Connection) -> None:
    open_tables = await fetch_values(
        conn,
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname = 'sancho' AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND NOT c.relrowsecurity
         ORDER BY 1
        """,
    )
    assert open_tables == ["migration", "vo"]


async def test_a_vo_that_is_alone_may_have_every_connection(database_url: str, world: World) -> None:
    database = Database(database_url, size=3, timeout=5)
    await database.open()
    try:
        async with AsyncExitStack() as stack:
            for _ in range(3):
                await stack.enter_async_context(database.transaction([world.belle]))
            assert database._turns.held(world.belle) == 3
        assert database._turns.held(world.belle) == 0
    finally:
        await database.close()


async def test_the_next_free_connection_goes_to_the_vo_that_has_the_fewest(database_url: str, world: World) -> None:
    database = Database(database_url, size=2)
    await database.open()
    order: list[int] = []

    async def work(vo: int) -> None:
        async with database.transaction([vo]) as conn:
            await fetch_value(conn, "SELECT 1")
            order.append(vo)

    try:
        async with AsyncExitStack() as stack:
            for _ in range(2):
                await stack.enter_async_context(database.transaction([world.belle]))
            noisy = [asyncio.create_task(work(world.belle)) for _ in range(30)]
            await eventually(lambda: database._turns.waiting == 30)
            quiet = asyncio.create_task(work(world.gridpp))
            await eventually(lambda: database._turns.waiting == 31)
        await asyncio.gather(*noisy, quiet)
        assert order.index(world.gridpp) < 10  # its turn came first; of two that work, either may end first
    finally:
        await database.close()


async def test_a_connection_that_does_not_come_is_a_busy_database_not_a_trace(database_url: str, world: World) -> None:
    database = Database(database_url, size=1, snapshots=1, timeout=0.1)
    await database.open()
    try:
        async with database.transaction([world.belle]), database.snapshot([world.belle]):
            for opening in (database.transaction, database.snapshot):
                with pytest.raises(DatabaseBusy):
                    async with opening([world.gridpp]):
                        raise AssertionError
        async with database.transaction([world.gridpp]) as conn:
            assert await fetch_value(conn, "SELECT 1") == 1
    finally:
        await database.close()


async def test_who_hangs_up_takes_nothing_from_who_reads_next(database_url: str, world: World) -> None:
    query = "SELECT * FROM generate_series(1, 3000)"
    async with AsyncExitStack() as stack:
        database = Database(database_url, size=1, snapshots=1)
        await database.open()
        stack.push_async_callback(database.close)
        async with database.snapshot([world.belle]) as conn:
            left = stream(conn, query)
            assert len(await anext(left)) == 1000
        async with database.snapshot([world.belle]) as again:
            assert again is conn
            read = stream(again, query)
            assert len(await anext(read)) == 1000
            await left.aclose()  # pyright: ignore[reportAttributeAccessIssue] - it is a generator that is collected late
            assert [len(rows) async for rows in read] == [1000, 1000]

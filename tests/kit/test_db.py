"""Transactions serve the VOs they name and no other; errors are typed."""

import psycopg
import pytest

from sancho.kit.db import Connection, Database, execute, fetch_value, fetch_values
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

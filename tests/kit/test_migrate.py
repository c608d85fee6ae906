"""The database is what its migrations make it, whoever runs them and however often."""

import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from sancho.kit.migrate import Migration, connect, migrate, migrations, pending
from sancho.local.schema import picture
from tests.conftest import Databases, eventually

ROOT = Path(__file__).parents[2]
WAITS = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
PARTITIONED = {"audit_row", "job_history", "ledger"}
"""Tables whose indexes cannot be built alongside."""


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    name = f"empty_{uuid.uuid4().hex[:12]}"
    databases.create(name)
    yield name
    databases.drop(name)


def test_an_empty_database_and_all_migrations_make_the_picture(databases: Databases, empty: str) -> None:
    migrate(databases.url(empty, "sancho_owner"))
    assert picture(databases.cluster, empty) == (ROOT / "schema.sql").read_text(), (
        "run `make schema` and review the diff"
    )


def test_a_second_run_finds_nothing_to_do(databases: Databases, empty: str) -> None:
    url = databases.url(empty, "sancho_owner")
    assert pending(url) == [m.name for m in migrations()]
    assert migrate(url) == [m.name for m in migrations()]
    assert migrate(url) == []
    assert pending(url) == []


def test_the_first_phase_leaves_the_second_for_later(databases: Databases, empty: str) -> None:
    ran = migrate(databases.url(empty, "sancho_owner"), phase="pre")
    assert ran == [m.name for m in migrations() if m.phase == "pre"]


def test_each_number_is_used_once() -> None:
    numbers = [m.name[:4] for m in migrations()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("migration", [m for m in migrations() if m.name >= "0064"], ids=lambda m: m.name)
def test_what_others_write_is_not_shut_until_an_index_is_built(migration: Migration) -> None:
    made = set(re.findall(r"^CREATE TABLE (\w+)", migration.text, re.MULTILINE))
    indexed = set(re.findall(r"^CREATE (?:UNIQUE )?INDEX \w+ ON (?:ONLY )?(\w+)", migration.text, re.MULTILINE))
    assert indexed <= made | PARTITIONED, "see `sancho.kit.migrate`: CREATE INDEX CONCURRENTLY, in a file of its own"
    assert migration.alongside is None or len(re.findall(r";\s*$", migration.text, re.MULTILINE)) == 1


def test_a_file_may_ask_for_more_time_than_usual() -> None:
    patient = Migration("0009_pre_index.sql", "-- statement_timeout: 10min\nSELECT 1;")
    assert patient.timeouts == {"lock_timeout": "4s", "statement_timeout": "10min"}


async def test_an_index_is_built_while_others_write_and_others_migrate(databases: Databases, empty: str) -> None:
    url = databases.url(empty, "sancho_owner")
    migrate(url)
    alongside = [m.name for m in migrations() if m.alongside == "pilot_ended"]
    with connect(url) as conn:
        conn.execute("DROP INDEX pilot_ended")
        conn.execute("DELETE FROM migration WHERE name = ANY(%s)", [alongside])
        conn.execute("CREATE INDEX pilot_ended ON pilot (created_at)")  # begun by a run that died
    with ThreadPoolExecutor(2) as pool, connect(url) as first, connect(url) as second:
        with first.transaction():
            first.execute("LOCK TABLE pilot IN ROW EXCLUSIVE MODE")
            runs = [pool.submit(migrate, url) for _ in range(2)]
            await eventually(lambda: second.execute(WAITS).fetchone() is not None or any(run.done() for run in runs))
            second.execute("SET lock_timeout = '2s'")
            second.execute("LOCK TABLE pilot IN ROW EXCLUSIVE MODE; SELECT 1")
        assert sorted(run.result(timeout=30) for run in runs) == [[], alongside]
        (made,) = second.execute("SELECT pg_get_indexdef('pilot_ended'::regclass)").fetchone() or ("",)
    assert "(ended_at)" in made


def test_the_server_may_read_and_write_and_nothing_else(databases: Databases, empty: str) -> None:
    migrate(databases.url(empty, "sancho_owner"), server_role="sancho")
    with psycopg.connect(databases.url(empty), options="-c search_path=sancho") as conn:
        conn.execute("SELECT set_config('sancho.vo', '0', true)")
        assert conn.execute("SELECT count(*) FROM did").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("CREATE TABLE more (x int)")


def test_next_weeks_partitions_are_there(databases: Databases, empty: str) -> None:
    migrate(databases.url(empty, "sancho_owner"), server_role="sancho")
    with psycopg.connect(databases.url(empty), options="-c search_path=sancho") as conn:
        conn.execute("SELECT set_config('sancho.vo', '1', true)")
        conn.execute(
            "INSERT INTO job_history (vo, state, attempt, job_id, at) VALUES (1, 'W', 0, 1, now() + interval '7 weeks')"
        )
        assert conn.execute("SELECT tableoid = 'job_history_rest'::regclass FROM job_history").fetchone() == (False,)

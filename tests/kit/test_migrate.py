"""The database is what its migrations make it, whoever runs them and however often."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from sancho.kit.migrate import Migration, migrate, migrations, pending
from sancho.local.schema import picture
from tests.conftest import Databases

ROOT = Path(__file__).parents[2]


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


def test_a_file_may_ask_for_more_time_than_usual() -> None:
    patient = Migration("0009_pre_index.sql", "-- statement_timeout: 10min\nSELECT 1;")
    assert patient.timeouts == {"lock_timeout": "4s", "statement_timeout": "10min"}


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

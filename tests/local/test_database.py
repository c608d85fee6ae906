"""A database of somebody else's, as a grid's."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from sancho.local.database import (
    DatabaseUnreachable,
    ServerRoleMissing,
    ServerRoleTooStrong,
    ensure_server_role,
    open_database,
)
from sancho.local.home import Config, Home
from sancho.local.postgres import ADMIN, OWNER, Cluster, temporary_cluster


@pytest.fixture(scope="module")
def foreign() -> Iterator[Cluster]:
    """A server of somebody else's."""
    with temporary_cluster() as cluster:
        yield cluster


def make(cluster: Cluster, name: str, rights: str = "") -> str:
    """Make a database with an owner of its own; return the owner's address."""
    with psycopg.connect(cluster.url(ADMIN, "postgres"), autocommit=True) as conn:
        conn.execute(f"CREATE ROLE {name}_owner LOGIN PASSWORD 'x' {rights}".encode())
        conn.execute(f"CREATE DATABASE {name} OWNER {name}_owner".encode())
    idents = cluster.folder / "pg_ident.conf"
    users = {line.split()[1] for line in idents.read_text().splitlines()}
    idents.write_text(
        idents.read_text()
        + "".join(f"ours {user} {role}\n" for user in users for role in (f"{name}_owner", f"{name}_server"))
    )
    with psycopg.connect(cluster.url(ADMIN, "postgres"), autocommit=True) as conn:
        conn.execute("SELECT pg_reload_conf()")
    return cluster.url(f"{name}_owner", name)


def test_an_owner_who_may_makes_an_ordinary_role_for_the_server(foreign: Cluster) -> None:
    owner_url = make(foreign, "first", "CREATEROLE")
    server_url = ensure_server_role(owner_url, None)
    facts = conninfo_to_dict(server_url)
    assert facts["user"] == "first_server"
    assert len(str(facts["password"])) >= 32
    with psycopg.connect(server_url) as conn:
        rights = conn.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert rights == (False, False, False)
    assert conninfo_to_dict(ensure_server_role(owner_url, None))["password"] != facts["password"]


def test_an_owner_who_may_not_is_told_what_to_have_done(foreign: Cluster) -> None:
    owner_url = make(foreign, "second")
    with pytest.raises(ServerRoleMissing) as caught:
        ensure_server_role(owner_url, None)
    assert "CREATE ROLE second_server LOGIN" in str(caught.value.hint)
    assert "--server-database-url" in str(caught.value.hint)


def test_the_owner_and_superusers_are_too_strong_for_the_server(foreign: Cluster) -> None:
    with pytest.raises(ServerRoleTooStrong, match="sancho_owner"):
        ensure_server_role(foreign.url(OWNER), foreign.url(OWNER))
    with pytest.raises(ServerRoleTooStrong, match="postgres"):
        ensure_server_role(foreign.url(OWNER), foreign.url(ADMIN))
    assert ensure_server_role(foreign.url(OWNER), foreign.url()) == foreign.url()


def test_a_database_that_is_not_there_is_an_error_of_one_sentence(foreign: Cluster) -> None:
    with pytest.raises(DatabaseUnreachable, match="nowhere"):
        ensure_server_role(foreign.url(OWNER, "nowhere"), None)


def test_a_foreign_database_is_nobodys_to_start(foreign: Cluster, folder: Path) -> None:
    database = open_database(
        Config(port=1, database_url=foreign.url(OWNER), server_database_url=foreign.url()), Home(folder)
    )
    with database.running():
        assert database.programs() == []
    assert foreign.postmaster() is not None

"""The database of a grid: a PostgreSQL of its own, or one that somebody else runs."""

import hashlib
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier, Literal

from sancho.local.binaries import OLDEST, Binaries, find_binaries
from sancho.local.errors import LocalError, PostgresTooOld
from sancho.local.home import Config, Home
from sancho.local.osuser import SYSTEM_HOME, OsUser, database_user
from sancho.local.postgres import ADMIN, OWNER, SERVER, Cluster
from sancho.local.programs import Program

NAME = "postgres"


class DatabaseUnreachable(LocalError):
    """The database does not let us in: {reason}"""

    code = "database_unreachable"

    def __init__(self, *, reason: str, hint: str = "Look at its address, and whether it runs.") -> None:
        super().__init__(reason=reason.strip(), hint=hint)


class ServerRoleMissing(LocalError):
    """The owner of the database may not make a role for the server."""

    code = "server_role_missing"

    def __init__(self, *, role: str) -> None:
        statement = f"CREATE ROLE {role} LOGIN PASSWORD '…'"
        super().__init__(
            hint=f"Let an administrator run `{statement}`, and give its address with `--server-database-url`."
        )


class ServerRoleTooStrong(LocalError):
    """The server's role {role} is the owner, a superuser, or exempt from row-level security, so VOs were not apart."""

    code = "server_role_too_strong"

    def __init__(self, *, role: str) -> None:
        super().__init__(role=role, hint="Give an ordinary role with `--server-database-url`.")


class GridDatabase(Protocol):
    """The database of one grid, reached as its owner and as the server."""

    owner_url: str
    server_url: str
    admin_url: str
    """As whoever may dump and restore everything."""

    @property
    def binaries(self) -> Binaries:
        """PostgreSQL's programs."""
        ...

    @contextmanager
    def running(self) -> Iterator[None]:
        """Make sure that it runs within the block, whoever runs it."""
        ...

    def programs(self) -> list[Program]:
        """What must be kept running for it."""
        ...


class OwnDatabase:
    """A cluster of our own, in the home, or where the system's user that runs it can reach it."""

    def __init__(self, config: Config, folder: Path) -> None:
        self.cluster = Cluster(folder, bin_dir=config.postgres_bin)
        self.owner_url = self.cluster.url(OWNER)
        self.server_url = self.cluster.url(SERVER)
        self.admin_url = self.cluster.url(ADMIN)

    @property
    def binaries(self) -> Binaries:
        """PostgreSQL's programs, as the system's user may run them."""
        return self.cluster.binaries

    @contextmanager
    def running(self) -> Iterator[None]:
        """Start the cluster if it does not run, and stop it again then."""
        ours = self.cluster.postmaster() is None
        self.cluster.start(ends_with_us=True)
        try:
            yield
        finally:
            if ours:
                self.cluster.stop()

    def programs(self) -> list[Program]:
        """Return the server as a program: SIGINT is its word for a quick and clean end."""
        return [
            Program(
                name=NAME,
                command=tuple(self.cluster.prepare()),
                environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                inherits=False,
                user=self.cluster.user,
                ready_cluster=self.cluster.folder,
                stop_signal=signal.SIGINT,
                grace=60.0,
            )
        ]


class ForeignDatabase:
    """A database that somebody else runs; we are given its owner, and make or are given a role for the server."""

    def __init__(self, config: Config) -> None:
        assert config.database_url is not None
        self.owner_url = config.database_url
        self.server_url = config.server_database_url or ""
        self.admin_url = self.owner_url
        self._bin_dir = config.postgres_bin

    @property
    def binaries(self) -> Binaries:
        """PostgreSQL's programs, as we may run them."""
        return find_binaries(self._bin_dir, OsUser.current())

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look whether it is there and new enough."""
        with _connect(self.owner_url) as conn:
            if conn.info.server_version < OLDEST * 10_000:
                raise PostgresTooOld(what="The database", version=conn.info.parameter_status("server_version") or "?")
        yield

    def programs(self) -> list[Program]:
        """Nothing: it is somebody else's to run."""
        return []


def open_database(config: Config, home: Home) -> GridDatabase:
    """Return the database that was chosen for a grid."""
    if config.database_url is not None:
        return ForeignDatabase(config)
    return OwnDatabase(config, config.postgres_folder or home.folder / "pg")


def choose_folder(home: Home) -> Path | None:
    """Return where a cluster must be if its user cannot enter the home (root's private folder); None for the home."""
    if database_user().can("x", home.folder):
        return None
    mark = hashlib.sha256(os.fsencode(home.folder)).hexdigest()[:8]
    return SYSTEM_HOME / f"{home.folder.name}-{mark}"


def ensure_server_role(owner_url: str, server_url: str | None) -> str:
    """Return the address of the database as a role for the server, one that is made if none is given.

    Raises `ServerRoleMissing` if we may not make one, and `ServerRoleTooStrong` if the one given could see all VOs.
    """
    if server_url is None:
        server_url = _make_server_role(owner_url)
    with _connect(server_url) as conn:
        strong = conn.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls "
            "OR oid = (SELECT datdba FROM pg_database WHERE datname = current_database()))"
        ).fetchone()
    if strong is not None:
        raise ServerRoleTooStrong(role=str(strong[0]))
    return server_url


def _make_server_role(owner_url: str) -> str:
    password = secrets.token_urlsafe(24)
    with _connect(owner_url) as conn:
        role = f"{conn.info.dbname}_server"
        exists = conn.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).rowcount > 0
        verb = SQL("ALTER") if exists else SQL("CREATE")
        words = SQL("{} ROLE {} LOGIN PASSWORD {}")
        try:
            conn.execute(words.format(verb, Identifier(role), Literal(password)))
            grant = SQL("GRANT CONNECT ON DATABASE {} TO {}")
            conn.execute(grant.format(Identifier(conn.info.dbname), Identifier(role)))
        except psycopg.errors.InsufficientPrivilege:
            raise ServerRoleMissing(role=role) from None
    return make_conninfo(owner_url, user=role, password=password)


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as e:
        raise DatabaseUnreachable(reason=str(e)) from e


def role_of(url: str) -> str | None:
    """Return the role that an address names."""
    return conninfo_to_dict(url).get("user")  # pyright: ignore[reportReturnType]

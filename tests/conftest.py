"""What every test may ask for: a real PostgreSQL, a world of two VOs in it, and deadlines instead of sleeps.

One server per run; one database, cloned from a migrated template, per xdist worker; `conn` is one transaction
that is rolled back, `database` a clone of its own with real commits.
"""

import asyncio
import gc
import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from psycopg import sql

from sancho.identity.service import passwords
from sancho.kit.adapters import ADAPTERS
from sancho.kit.db import Connection, Database
from sancho.kit.migrate import migrate
from sancho.local.postgres import Cluster, temporary_cluster
from tests import nursery
from tests.identity.helpers import CHEAP
from tests.once import once
from tests.realparts.oidc import OpenIdProvider, two_issuers
from tests.served import Served, serve
from tests.world import World, build_world

ALL_VOS = "0,1,2"

# How long an example takes says more of what else the machine does than of the code; in CI it is so anyway.
if settings.get_current_profile_name() == "default":
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")


pytest_cmdline_main = nursery.fork_workers


def pytest_collection_finish() -> None:
    """What has been collected is no garbage: look at it no more, for that took a good part of all time."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 50, 100)


LONG_TO_MAKE = ("issuers", "rested", "foreign", "site", "sites")
LONGEST = (
    "journeys/test_crash.py", "docs/test_tutorials.py", "web/test_browser.py", "local/test_grid.py",
    "local/test_moving.py", "local/test_ports.py", "local/test_dev.py", "local/test_demo.py",
    "local/test_grid_kinds.py", "journeys/test_fuzz.py", "journeys/test_bad_input.py",
)  # fmt: skip
"""What takes minutes by itself, or one after the other. It begins first, so that nobody waits for it in the end."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run all tests that share what takes long to make, but for those that go with others anyway."""
    for item in items:
        for name in LONG_TO_MAKE:
            if name in getattr(item, "fixturenames", ()) and not any(item.iter_markers("xdist_group")):
                item.add_marker(pytest.mark.xdist_group(name))
    items.sort(key=_place)


def _place(item: pytest.Item) -> int:
    names = (n for n, name in enumerate(LONGEST) if item.path.as_posix().endswith(name))
    return next(names, len(LONGEST))


def pytest_configure(config: pytest.Config) -> None:
    """Start the one server of this run in the controlling process; workers find it by the environment."""
    if hasattr(config, "workerinput"):
        gc.disable()  # until all is collected
    elif "SANCHO_TEST_CLUSTER" not in os.environ and not config.option.collectonly:
        stack = ExitStack()
        cluster = stack.enter_context(temporary_cluster())
        config.add_cleanup(stack.close)
        os.environ["SANCHO_TEST_CLUSTER"] = str(cluster.folder)
        stack.callback(os.environ.pop, "SANCHO_TEST_CLUSTER", None)


class Databases:
    """Makes databases on the run's server, each a clone of a migrated one with the world in it."""

    template = "template_of_all"

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def create(self, name: str, template: str | None = None) -> None:
        with psycopg.connect(self.cluster.url("postgres", "postgres"), autocommit=True) as conn:
            statement = "CREATE DATABASE {} OWNER sancho_owner" + (
                " TEMPLATE {} STRATEGY FILE_COPY" if template else ""
            )
            names = [sql.Identifier(n) for n in (name, template) if n]
            conn.execute(sql.SQL(statement).format(*names))

    def make_template(self) -> str:
        """Make the database that all are cloned from; return its name."""
        self.create(self.template)
        owner = self.url(self.template, "sancho_owner")
        migrate(owner, server_role="sancho")
        build_world(owner)
        return self.template

    def drop(self, name: str) -> None:
        with psycopg.connect(self.cluster.url("postgres", "postgres"), autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def clone(self, template: str | None = None) -> str:
        name = f"clone_{uuid.uuid4().hex[:12]}"
        self.create(name, template or self.template)
        return name

    def url(self, name: str, role: str = "sancho") -> str:
        return self.cluster.url(role, name)


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords cost next to nothing, but for tests of their price, which put a hasher of their own there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", CHEAP)
        yield


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """The PostgreSQL server of this run."""
    return Cluster(Path(os.environ["SANCHO_TEST_CLUSTER"]), durable=False)


@pytest.fixture(scope="session")
def databases(cluster: Cluster) -> Databases:
    """A template with all migrations and the world, to be cloned."""
    made = Databases(cluster)
    once("template", made.make_template)
    return made


@pytest.fixture(scope="session")
def world(databases: Databases) -> World:
    """Ids of what every test database holds: two VOs with accounts, scopes and two sites."""
    return World.read(databases.url(databases.template, "sancho_owner"))


@pytest.fixture(scope="session")
def session_database(databases: Databases) -> Iterator[str]:
    """The database of all rolled-back transactions of this worker."""
    name = databases.clone()
    yield databases.url(name)
    databases.drop(name)


@pytest.fixture(scope="session")
def issuers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[OpenIdProvider, OpenIdProvider]]:
    """Two real OpenID providers that know nothing of each other; whoever changes their users puts them back."""
    with two_issuers(tmp_path_factory.mktemp("issuers")) as made:
        yield made


@pytest.fixture(scope="session")
async def connected(session_database: str) -> AsyncIterator[list[Connection]]:
    """The connection that tests take one after the other: a new one would have to learn all tables first."""
    kept: list[Connection] = []
    yield kept
    for connection in kept:
        await connection.close()


@pytest.fixture
async def conn(session_database: str, connected: list[Connection]) -> AsyncIterator[Connection]:
    """One transaction as the server's own role, serving every VO of the world; rolled back after the test."""
    connection = (
        connected.pop()
        if connected
        else await psycopg.AsyncConnection.connect(
            session_database, autocommit=True, options="-c search_path=sancho,procrastinate", context=ADAPTERS
        )
    )
    await connection.execute(f"BEGIN; SELECT set_config('sancho.vo', '{ALL_VOS}', true)", prepare=False)
    yield connection
    if connection.broken or connection.closed:
        return
    await connection.execute("ROLLBACK", prepare=False)
    connected.append(connection)


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A clone of its own, with real commits, as the server's own role."""
    name = await asyncio.to_thread(databases.clone)
    yield databases.url(name)
    await asyncio.to_thread(databases.drop, name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A clone of its own, with real commits: for tests that need two connections, tasks or leases."""
    made = Database(database_url, size=8)
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def servers(database_url: str) -> AsyncIterator[list[Database]]:
    """One database as three processes have it, each by connections of its own."""
    async with AsyncExitStack() as opened:
        made = [Database(database_url, size=2) for _ in range(3)]
        for one in made:
            await one.open()
            opened.push_async_callback(one.close)
        yield made


@pytest.fixture
async def served(databases: Databases, tmp_path: Path, world: World) -> AsyncIterator[Served]:
    """The whole application in this process, on a database of its own, with storages in folders."""
    name = await asyncio.to_thread(databases.clone)
    made = serve(databases.url(name), databases.url(name, "sancho_owner"), tmp_path, world)
    await made.deployment.database.open()
    async with made.client:
        yield made
    await made.deployment.extensions.aclose()
    await made.deployment.database.close()
    await asyncio.to_thread(databases.drop, name)


async def eventually(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], *, within: float = 20.0) -> None:
    """Wait until a condition holds, or fail after a deadline; for what happens in other processes."""
    deadline = time.monotonic() + within
    while True:
        held = condition()
        if (await held) if not isinstance(held, bool) else held:
            return
        assert time.monotonic() < deadline, "the condition did not come true in time"
        await asyncio.sleep(0.02)

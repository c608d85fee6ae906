"""A filled grid that many requests share: `tests/journeys/given.py` says what is in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.journeys.given import Contents, Filled, Grid, fill
from tests.served import Served, serve
from tests.world import World


@dataclass
class Untouched:
    """A filled grid that nobody uses, to be copied: to fill one takes seconds. The copies share its folder."""

    databases: Databases
    world: World
    database: str
    folder: Path
    vos: dict[str, Filled]

    @asynccontextmanager
    async def copied(self) -> AsyncIterator[Grid]:
        """A copy in this process, on a database of its own."""
        name = await asyncio.to_thread(self.databases.clone, self.database)
        served = served_in(self.databases, name, self.folder, self.world)
        vos = {
            vo: replace(filled, served=served, ids={**filled.ids}, names={**filled.names})
            for vo, filled in self.vos.items()
        }
        contents = Contents(served.owner_url)
        await served.deployment.database.open()
        try:
            async with served.client:
                yield Grid(served=served, vos=vos, contents=contents, owner_url=served.owner_url)
        finally:
            contents.close()
            await served.deployment.database.close()
            await asyncio.to_thread(self.databases.drop, name)


def served_in(databases: Databases, name: str, folder: Path, world: World) -> Served:
    return serve(databases.url(name), databases.url(name, "sancho_owner"), folder, world)


@pytest.fixture(scope="session")
async def untouched(
    databases: Databases, world: World, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Untouched]:
    """What the grids of all modules are copied from."""
    name, folder = await asyncio.to_thread(databases.clone), tmp_path_factory.mktemp("untouched")
    served = served_in(databases, name, folder, world)
    await served.deployment.database.open()
    async with served.client:
        vos = await fill(served, served.owner_url)
    await served.deployment.database.close()  # a database that somebody uses cannot be copied
    yield Untouched(databases, served.world, name, folder, vos)
    await asyncio.to_thread(databases.drop, name)


@pytest.fixture(scope="module")
async def grid(untouched: Untouched) -> AsyncIterator[Grid]:
    """The whole application in this process, filled, for all tests of a module."""
    async with untouched.copied() as made:
        yield made

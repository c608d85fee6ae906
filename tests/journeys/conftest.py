"""A filled grid that many requests share: `tests/journeys/given.py` says what is in it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.conftest import Databases
from tests.journeys.given import Contents, Grid, fill
from tests.served import serve
from tests.world import World


@pytest.fixture(scope="module")
async def grid(databases: Databases, world: World, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Grid]:
    """The whole application in this process, filled, for all tests of a module."""
    name = await asyncio.to_thread(databases.clone)
    owner = databases.url(name, "sancho_owner")
    served = serve(databases.url(name), owner, tmp_path_factory.mktemp("grid"), world)
    await served.deployment.database.open()
    contents = Contents(owner)
    try:
        async with served.client:
            yield Grid(served=served, vos=await fill(served, owner), contents=contents, owner_url=owner)
    finally:
        contents.close()
        await served.deployment.database.close()
        await asyncio.to_thread(databases.drop, name)

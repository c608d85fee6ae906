"""What tests of foreign clients may ask for: a grid that listens, and Rucio's client in Python as its users."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.compat.diracx_client import Dirac, dirac_at
from tests.compat.forking import BIN
from tests.compat.rucio_client import Online, PythonClient, online
from tests.conftest import Databases
from tests.realparts.parts import lack


@pytest.fixture
async def dirac(database_url: str, tmp_path: Path) -> AsyncIterator[Dirac]:
    """`dirac`, and DiracX's client in Python, in a shell of alice of belle, and a server; alice is of gridpp too."""
    if not (BIN / "dirac").exists():
        lack("DiracX's clients are missing: make .venv-compat")
    async with dirac_at(database_url, tmp_path) as made:
        await made.give_password(2, "alice")
        yield made


@pytest.fixture(scope="module")
async def rucio(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Online]:
    """A grid on the loopback address, which all tests of a module use: name an `xdist_group` there."""
    name = await asyncio.to_thread(databases.clone)
    async with online(databases.url(name), tmp_path_factory.mktemp("grid")) as made:
        yield made
        await made.stop_clients()
    await asyncio.to_thread(databases.drop, name)


@pytest.fixture(scope="module")
async def alice(rucio: Online) -> PythonClient:
    """Rucio's client as alice of belle, an ordinary user."""
    return await rucio.python_client()


@pytest.fixture(scope="module")
async def root(rucio: Online, alice: PythonClient) -> PythonClient:
    """Rucio's client as the administrator of belle; alice's, which has read its configuration, stays."""
    await alice.call("whoami")
    await rucio.give_password(1, "root")
    return await rucio.python_client(account="root")


@pytest.fixture(scope="module")
async def gridpp(rucio: Online, root: PythonClient) -> PythonClient:
    """Rucio's client as alice of the other VO."""
    await root.call("whoami")
    await rucio.give_password(2, "alice")
    return await rucio.python_client(vo="gridpp")

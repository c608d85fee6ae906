"""A folder that the database's user can reach, homes in it, and a grid that runs."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sancho.kit.migrate import migrate
from sancho.local import control
from sancho.local.database import open_database
from sancho.local.home import Config, Home, StorageConfig
from tests.local.running import free_port, said, scratch_home


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path that others may pass through, which pytest's own is not when we are root."""
    with tempfile.TemporaryDirectory(prefix="sancho-test-", dir="/tmp") as scratch:
        Path(scratch).chmod(0o711)
        yield Path(scratch)


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """A home with nothing in it but folders; whatever runs there is stopped."""
    for name in ("run", "logs"):
        (folder / name).mkdir(mode=0o700)
    yield folder
    control.stop(folder)


@pytest.fixture(scope="session")
def up() -> Iterator[dict[str, Any]]:
    """A grid with two VOs, and what `sancho up` said of it; for the tests of the group `grid`, one after the other."""
    with scratch_home() as scratch:
        Path(scratch).chmod(0o711)
        home = Path(scratch) / "grid"
        try:
            yield said("up", "--home", str(home), "--port", str(free_port()), "--vo", "belle", "gridpp")
        finally:
            control.stop(home)


def make_resting(folder: Path) -> Home:
    """Make a grid that is down, without a database."""
    home = Home(folder)
    home.make()
    storages = {"disk-a": StorageConfig(site="site-a", port=18601)}
    home.save(Config(port=18080, vos=("demo",), begun=("demo",), granted=("demo",), storages=storages))
    (home.folder / "objects" / "ab").mkdir(mode=0o700)
    for name in ("keys/one.jwk", "objects.key", "objects/ab/sandbox"):
        (home.folder / name).write_bytes(os.urandom(2000))
        (home.folder / name).chmod(0o600)
    return home


@pytest.fixture
def resting(folder: Path) -> Home:
    """A grid that is down, without a database."""
    return make_resting(folder / "grid")


@pytest.fixture(scope="session")
def rested() -> Iterator[Home]:
    """A grid that is down, to be copied; its database has no VO yet."""
    with tempfile.TemporaryDirectory(prefix="sancho-test-", dir="/tmp") as scratch:
        Path(scratch).chmod(0o711)
        home = make_resting(Path(scratch) / "grid")
        database = open_database(home.config(), home)
        with database.running():
            migrate(database.owner_url, server_role="sancho")
        yield home


@pytest.fixture
def complete(rested: Home, folder: Path) -> Home:
    """A grid that is down, of one's own, with a database."""
    subprocess.run(["cp", "-a", rested.folder, folder / "grid"], check=True)
    return Home(folder / "grid")

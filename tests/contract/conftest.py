"""Storage servers for all suites of one worker: each test has an area of its own there."""

from collections.abc import Iterator

import pytest

from tests.plain_webdav import plain_webdav
from tests.storage_site import Issuer, StorageSite


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StorageSite, StorageSite]]:
    """Two storage servers of one issuer."""
    issuer, folder = Issuer(), tmp_path_factory.mktemp("sites")
    with StorageSite(issuer, folder / "one") as one, StorageSite(issuer, folder / "two") as two:
        yield one, two
    issuer.close()


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that knows less."""
    with plain_webdav(tmp_path_factory.mktemp("plain")) as url:
        yield url

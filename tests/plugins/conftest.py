"""Storage servers, and an issuer that breaks every rule, for the tests of this folder."""

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from sancho_plugins.oidc import OidcProvider
from tests.plugins.faulty_issuer import FaultyIssuer
from tests.storage_site import Issuer, StorageSite


@pytest.fixture(scope="module")
def issuer() -> Generator[Issuer]:
    with closing(Issuer()) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def site(issuer: Issuer, tmp_path_factory: pytest.TempPathFactory) -> Generator[StorageSite]:
    with StorageSite(issuer, tmp_path_factory.mktemp("site") / "files") as site:
        yield site


@pytest.fixture
def tree(site: StorageSite) -> None:
    """Three files, as they were."""
    for path in ("belle/raw/file", "belle2/file", "belle/other/file"):
        (site.root / path).parent.mkdir(parents=True, exist_ok=True)
        (site.root / path).write_bytes(f"content of {path}".encode())


@pytest.fixture
def fresh(issuer: Issuer, tmp_path: Path) -> Generator[StorageSite]:
    """A site of one's own, not yet started, to be killed and starved."""
    site = StorageSite(issuer, tmp_path / "files")
    yield site
    if site._process is not None and site.process.poll() is None:
        site.kill()


@pytest.fixture
def faulty() -> Generator[FaultyIssuer]:
    with FaultyIssuer() as faulty:
        yield faulty


@pytest.fixture
async def provider(faulty: FaultyIssuer) -> AsyncGenerator[OidcProvider]:
    """The plugin for the faulty issuer."""
    async with aclosing(faulty.provider()) as provider:
        yield provider

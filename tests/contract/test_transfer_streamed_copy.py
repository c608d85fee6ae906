"""The streamed copy passes the suite between storages of each kind."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import pytest

from sancho_contract.testing.storage import Place
from sancho_contract.testing.transfer import Bench, TransferConformance
from sancho_plugins.posix import PosixSettings, PosixStorage
from sancho_plugins.streamed_copy import StreamedCopy, StreamedCopySettings
from sancho_plugins.webdav import WebDavSettings, WebDavStorage
from tests.storage_site import StorageSite, free_port


class WithTwoSites:
    """Two storage servers of one issuer, and a folder."""

    one: ClassVar[StorageSite]
    two: ClassVar[StorageSite]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _sites(cls, sites: tuple[StorageSite, StorageSite]) -> None:
        cls.one, cls.two = sites

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    def webdav(self, site: StorageSite, storage: WebDavStorage) -> Place:
        area = f"{site.url}/area-{uuid.uuid4().hex}"
        return Place(
            storage=storage,
            url=lambda name: f"{area}/{quote(name)}",
            token=site.token_for,
            refused_token=site.issuer.token("storage.modify:/elsewhere storage.read:/elsewhere"),
            unreachable_url=f"http://127.0.0.1:{free_port()}/file",
        )

    def posix(self, storage: PosixStorage) -> Place:
        return Place(storage=storage, url=lambda name: f"file://{quote(f'{self.folder}/{name}')}", token=lambda _: "")

    @asynccontextmanager
    async def tool(self) -> AsyncGenerator[tuple[StreamedCopy, WebDavStorage, PosixStorage]]:
        webdav, posix = WebDavStorage(WebDavSettings()), PosixStorage(PosixSettings(roots=(self.folder,)))
        async with aclosing(StreamedCopy(StreamedCopySettings(), {"http": webdav, "file": posix})) as tool:
            yield tool, webdav, posix


class TestBetweenWebDavSites(WithTwoSites, TransferConformance):
    @asynccontextmanager
    async def bench(self) -> AsyncGenerator[Bench]:
        async with self.tool() as (tool, webdav, _):
            yield Bench(tool=tool, source=self.webdav(self.one, webdav), destination=self.webdav(self.two, webdav))


class TestFromWebDavToPosix(WithTwoSites, TransferConformance):
    @asynccontextmanager
    async def bench(self) -> AsyncGenerator[Bench]:
        async with self.tool() as (tool, webdav, posix):
            yield Bench(tool=tool, source=self.webdav(self.one, webdav), destination=self.posix(posix))


class TestFromPosixToWebDav(WithTwoSites, TransferConformance):
    @asynccontextmanager
    async def bench(self) -> AsyncGenerator[Bench]:
        async with self.tool() as (tool, webdav, posix):
            yield Bench(tool=tool, source=self.posix(posix), destination=self.webdav(self.one, webdav))


class TestToAStorageThatKnowsNoChecksums(WithTwoSites, TransferConformance):
    """A destination that shows half files and cannot sum up: what arrived is read back."""

    plain_url: ClassVar[str]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _plain(cls, plain: str) -> None:
        cls.plain_url = plain

    @asynccontextmanager
    async def bench(self) -> AsyncGenerator[Bench]:
        area = f"{self.plain_url}/area-{uuid.uuid4().hex}"
        webdav, plain = WebDavStorage(WebDavSettings()), WebDavStorage(WebDavSettings(creates_folders=False))
        storages = {"http": plain, "file": PosixStorage(PosixSettings(roots=(self.folder,)))}
        async with aclosing(webdav), aclosing(StreamedCopy(StreamedCopySettings(), storages)) as tool:
            destination = Place(
                storage=plain,
                url=lambda name: f"{area}/{quote(name)}",
                token=lambda _: "none",
                knows_checksums=False,
                creates_atomically=False,
            )
            yield Bench(tool=tool, source=self.webdav(self.one, webdav), destination=destination)

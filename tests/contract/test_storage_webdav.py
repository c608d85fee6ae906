"""The WebDAV storage passes the suite, against our server and against a plain one that knows less."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar
from urllib.parse import quote

import pytest

from sancho_contract.storage import ObjectExists, StorageUnavailable
from sancho_contract.testing.storage import Place, StorageConformance, in_a_place
from sancho_plugins.webdav import WebDavSettings, WebDavStorage
from tests.storage_site import StorageSite, free_port


class TestOurServer(StorageConformance):
    """Our storage server, in a process of its own."""

    site: ClassVar[StorageSite]
    settings = WebDavSettings()

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _site(cls, sites: tuple[StorageSite, StorageSite]) -> None:
        cls.site = sites[0]

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        area = f"{self.site.url}/area-{uuid.uuid4().hex}"
        async with aclosing(WebDavStorage(self.settings)) as storage:
            yield Place(
                storage=storage,
                url=lambda name: f"{area}/{quote(name)}",
                token=self.site.token_for,
                refused_token=self.site.issuer.token("storage.modify:/elsewhere"),
                unreachable_url=f"http://127.0.0.1:{free_port()}/file",
            )


class TestAServerThatLeavesFoldersToUs(TestOurServer):
    """The same, with folders made by the client first."""

    settings = WebDavSettings(creates_folders=False)


class TestAPlainServer(StorageConformance):
    """WsgiDAV itself: folders are made first, checksums are unknown."""

    url: ClassVar[str]

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _server(cls, plain: str) -> None:
        cls.url = plain

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        area = f"{self.url}/area-{uuid.uuid4().hex}"
        async with aclosing(WebDavStorage(WebDavSettings(creates_folders=False))) as storage:
            yield Place(
                storage=storage,
                url=lambda name: f"{area}/{quote(name)}",
                token=lambda _: "none",
                knows_checksums=False,
                creates_atomically=False,
            )

    @in_a_place
    async def test_missing_folders_are_made_when_the_server_turns_out_not_to(self, place: Place) -> None:
        async with aclosing(WebDavStorage(WebDavSettings())) as storage:
            hopeful = Place(storage=storage, url=place.url, token=place.token, knows_checksums=False)
            with pytest.raises(StorageUnavailable) as unavailable:
                await hopeful.write("new/folder/file", b"content")
            assert unavailable.value.retry_after == 0
            await hopeful.write("new/folder/file", b"content")
            with pytest.raises(ObjectExists):
                await hopeful.write("new/folder/file", b"other")

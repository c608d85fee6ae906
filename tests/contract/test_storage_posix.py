"""The POSIX storage passes the suite, keeps to its roots, and leaves nothing behind."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from sancho_contract.storage import ObjectMissing, StorageRefused
from sancho_contract.testing.storage import ChunksBroke, Place, StorageConformance, in_a_place, pattern, stream
from sancho_plugins.posix import PosixSettings, PosixStorage


class TestPosixStorage(StorageConformance):
    @pytest.fixture(autouse=True)
    def _root(self, tmp_path: Path) -> None:
        self.root = tmp_path / "root"
        self.root.mkdir()

    @asynccontextmanager
    async def place(self) -> AsyncGenerator[Place]:
        async with aclosing(PosixStorage(PosixSettings(roots=(self.root,)))) as storage:
            yield Place(storage=storage, url=lambda name: f"file://{quote(f'{self.root}/{name}')}", token=lambda _: "")

    @in_a_place
    async def test_urls_outside_the_roots_are_refused(self, place: Place) -> None:
        outside = self.root.parent / "root2"
        outside.mkdir()
        (outside / "file").write_bytes(b"secret")
        urls = [f"file://{outside}/file", f"{place.url('x')}/../../root2/file", f"file://{self.root}", "http://h/file"]
        for url in [*urls, place.url("x").replace("/x", "/%2e%2e/root2/file"), place.url(".sancho/incoming/file")]:
            with pytest.raises(StorageRefused):
                await place.storage.stat(url, "")

    @in_a_place
    async def test_symbolic_links_lead_nowhere(self, place: Place) -> None:
        outside = self.root.parent / "outside"
        outside.mkdir()
        (outside / "file").write_bytes(b"secret")
        (self.root / "folder").symlink_to(outside)
        (self.root / "file").symlink_to(outside / "file")
        for name in ("folder/file", "file"):
            with pytest.raises(ObjectMissing):
                await place.read(name)
        with pytest.raises(StorageRefused):
            await place.write("folder/new", b"content")
        assert [path.name for path in outside.iterdir()] == ["file"]

    @in_a_place
    async def test_a_write_that_fails_leaves_nothing(self, place: Place) -> None:
        with pytest.raises(ChunksBroke):
            await place.storage.write(place.url("new/file"), "", stream([pattern(3 << 20)], ChunksBroke()), None)
        assert [path for path in self.root.rglob("*") if path.is_file() or path.name == "new"] == []

    @in_a_place
    async def test_a_cancelled_write_leaves_nothing(self, place: Place) -> None:
        started = asyncio.Event()

        async def endless() -> AsyncGenerator[bytes]:
            while True:
                yield pattern(1 << 20)
                started.set()

        writing = asyncio.create_task(place.storage.write(place.url("file"), "", endless(), None))
        await started.wait()
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert [path for path in self.root.rglob("*") if path.is_file()] == []

    @in_a_place
    async def test_what_a_dead_process_left_is_swept_and_what_a_live_one_writes_is_not(self, place: Place) -> None:
        incoming = self.root / ".sancho" / "incoming"
        incoming.mkdir(parents=True)
        (incoming / "left").write_bytes(b"half")

        async def with_a_newcomer() -> AsyncGenerator[bytes]:
            yield pattern(2 << 20)
            PosixStorage(PosixSettings(roots=(self.root,)))
            yield b"end"

        await place.storage.write(place.url("file"), "", with_a_newcomer(), None)
        assert await place.read("file") == pattern(2 << 20) + b"end"
        assert list(incoming.iterdir()) == []

    @in_a_place
    async def test_a_changed_file_has_a_new_checksum(self, place: Place) -> None:
        first = await place.write("file", b"first")
        (self.root / "file").write_bytes(b"twice")
        os.utime(self.root / "file", ns=(1, 1))
        assert (await place.stat("file")).adler32 != first.adler32

"""What every storage plugin must pass.

    class TestMyStorage(StorageConformance):
        @asynccontextmanager
        async def place(self):
            yield Place(storage=MyStorage(...), url=lambda name: f"my://host/area/{name}", token=make_token)

Needs pytest and nothing else; each test opens a place of its own and runs in an event loop of its own.
"""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import pytest

from sancho_contract.storage import ObjectExists, ObjectMissing, Stat, Storage, StorageRefused, StorageUnavailable

S = TypeVar("S", bound="StorageConformance")

LARGEST_PIECE = 4 << 20
AWKWARD_NAMES = ["a b", "plus+and&", "hash#mark", "ünïcödé", "semi;colon", "q?mark", "100%", "per%cent", "a=b,c@d:e~"]


@dataclass(frozen=True)
class Place:
    """An empty area on a storage, and the way in."""

    storage: Storage
    url: Callable[[str], str]
    """The URL of a relative path, percent-encoded as it must be; its folders need not exist."""
    token: Callable[[str], str]
    """A token that allows everything at exactly this URL."""
    refused_token: str | None = None
    """A token that is not accepted; None when the protocol has no tokens."""
    unreachable_url: str | None = None
    """A URL where nothing answers; None when there cannot be one."""
    knows_checksums: bool = True
    """Does `stat` tell checksums?"""
    creates_atomically: bool = True
    """Does the server itself let only one of several writers win? Where it does not, no plugin can promise it."""

    async def write(self, name: str, *chunks: bytes, size: int | None = -1) -> Stat:
        """Write some chunks; by default their size is announced."""
        announced = sum(map(len, chunks)) if size == -1 else size
        return await self.storage.write(self.url(name), self.token(self.url(name)), stream(chunks), announced)

    async def read(self, name: str, offset: int = 0) -> bytes:
        """Read it all; checks on the way that it comes in small pieces."""
        content = bytearray()
        async with aclosing(self.storage.read(self.url(name), self.token(self.url(name)), offset)) as pieces:
            async for piece in pieces:
                assert 0 < len(piece) <= LARGEST_PIECE
                content += piece
        return bytes(content)

    async def stat(self, name: str) -> Stat:
        """Look at it."""
        return await self.storage.stat(self.url(name), self.token(self.url(name)))

    async def delete(self, name: str) -> None:
        """Delete it."""
        await self.storage.delete(self.url(name), self.token(self.url(name)))


class ChunksBroke(Exception):
    """Raised by a test's own chunks."""


async def stream(chunks: Iterable[bytes], error: Exception | None = None) -> AsyncGenerator[bytes, None]:
    """Yield chunks, then raise."""
    for chunk in chunks:
        yield chunk
    if error is not None:
        raise error


def pattern(size: int) -> bytes:
    """Bytes of which no two MiB are alike."""
    return b"".join(number.to_bytes(8, "big") for number in range((size + 7) // 8))[:size]


def in_a_place(test: Callable[[S, Place], Awaitable[None]]) -> Callable[[S], None]:
    """Run an async test in a place that is opened for it and closed after it."""

    def run(self: S) -> None:
        async def opened() -> None:
            async with self.place() as place:
                await test(self, place)

        asyncio.run(opened())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


class StorageConformance:
    """Derive a test class from it and give it `place`."""

    def place(self) -> AbstractAsyncContextManager[Place]:
        """Open a place where nothing is yet; close the storage at the end."""
        raise NotImplementedError

    @in_a_place
    async def test_what_was_written_is_read_back(self, place: Place) -> None:
        content = pattern(3_000_001)
        told = await place.write("file", content[:1000], content[1000:2_000_000], content[2_000_000:])
        assert await place.read("file") == content
        assert told == await place.stat("file")

    @in_a_place
    async def test_stat_tells_size_checksum_and_time(self, place: Place) -> None:
        before = datetime.now(UTC) - timedelta(minutes=1)
        await place.write("file", b"nine", b" bytes")
        stat = await place.stat("file")
        assert stat.size == 10
        assert stat.adler32 == (f"{zlib.adler32(b'nine bytes'):08x}" if place.knows_checksums else None)
        assert stat.modified_at is None or before <= stat.modified_at <= datetime.now(UTC) + timedelta(minutes=1)

    @in_a_place
    async def test_a_checksum_keeps_its_leading_zeros(self, place: Place) -> None:
        stat = await place.write("file", b"\0")
        assert stat.adler32 == ("00010001" if place.knows_checksums else None)

    @in_a_place
    async def test_an_empty_file_is_a_file(self, place: Place) -> None:
        assert (await place.write("empty")).size == 0
        assert await place.read("empty") == b""
        assert (await place.stat("empty")).size == 0

    @in_a_place
    async def test_the_size_need_not_be_known(self, place: Place) -> None:
        assert (await place.write("file", b"some", b" bytes", size=None)).size == 10
        assert await place.read("file") == b"some bytes"

    @in_a_place
    async def test_a_read_may_begin_anywhere(self, place: Place) -> None:
        content = pattern(2_500_000)
        await place.write("file", content)
        assert await place.read("file", offset=1) == content[1:]
        assert await place.read("file", offset=2_499_999) == content[-1:]

    @in_a_place
    async def test_at_and_beyond_the_end_there_is_nothing(self, place: Place) -> None:
        await place.write("file", b"four")
        assert await place.read("file", offset=4) == b""
        assert await place.read("file", offset=5000) == b""

    @in_a_place
    async def test_a_reader_may_stop_early(self, place: Place) -> None:
        content = pattern(8 << 20)
        await place.write("file", content)
        async with aclosing(place.storage.read(place.url("file"), place.token(place.url("file")))) as pieces:
            async for piece in pieces:
                assert content.startswith(piece)
                break
        assert (await place.stat("file")).size == len(content)

    @in_a_place
    async def test_a_missing_file_is_missing_to_stat_read_and_delete(self, place: Place) -> None:
        with pytest.raises(ObjectMissing):
            await place.stat("nothing")
        with pytest.raises(ObjectMissing):
            await place.read("no/thing/here")
        with pytest.raises(ObjectMissing):
            await place.delete("nothing")

    @in_a_place
    async def test_a_deleted_file_is_gone_and_may_be_written_again(self, place: Place) -> None:
        await place.write("file", b"first")
        await place.delete("file")
        with pytest.raises(ObjectMissing):
            await place.stat("file")
        await place.write("file", b"second")
        assert await place.read("file") == b"second"

    @in_a_place
    async def test_a_file_is_never_replaced(self, place: Place) -> None:
        await place.write("file", b"first")
        with pytest.raises(ObjectExists):
            await place.write("file", b"other")
        assert await place.read("file") == b"first"

    @in_a_place
    async def test_of_several_writers_at_once_one_wins_and_its_file_is_whole(self, place: Place) -> None:
        if not place.creates_atomically:
            return
        contents = [bytes([number]) * 100_000 for number in range(4)]
        outcomes = await asyncio.gather(*(place.write("file", content) for content in contents), return_exceptions=True)
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert len(failures) == 3
        assert all(isinstance(failure, ObjectExists) for failure in failures), failures
        assert await place.read("file") in contents

    @in_a_place
    async def test_missing_folders_are_made(self, place: Place) -> None:
        await place.write("a/b/c/file", b"deep")
        await place.write("a/b/other", b"less deep")
        assert await place.read("a/b/c/file") == b"deep"
        assert await place.read("a/b/other") == b"less deep"

    @in_a_place
    async def test_awkward_names_name_files(self, place: Place) -> None:
        for name in AWKWARD_NAMES:
            await place.write(f"folder {name}/{name}", name.encode())
        for name in AWKWARD_NAMES:
            assert await place.read(f"folder {name}/{name}") == name.encode()

    @in_a_place
    async def test_what_the_chunks_raise_passes_through(self, place: Place) -> None:
        broken = stream([pattern(100_000)], ChunksBroke("as planned"))
        with pytest.raises(ChunksBroke, match="as planned"):
            await place.storage.write(place.url("file"), place.token(place.url("file")), broken, 200_000)

    @in_a_place
    async def test_fewer_or_more_bytes_than_announced_are_refused(self, place: Place) -> None:
        with pytest.raises(StorageRefused):
            await place.write("short", b"abc", size=10)
        with pytest.raises(StorageRefused):
            await place.write("long", b"abc", b"def", size=5)

    @in_a_place
    async def test_many_files_are_handled_at_once(self, place: Place) -> None:
        contents = {f"many/{number}": bytes([number]) * (1000 * number) for number in range(30)}
        await asyncio.gather(*(place.write(name, content) for name, content in contents.items()))
        assert await asyncio.gather(*(place.read(name) for name in contents)) == list(contents.values())
        await asyncio.gather(*(place.delete(name) for name in contents))

    @in_a_place
    async def test_a_token_that_is_not_accepted_is_a_refusal_without_the_token_in_it(self, place: Place) -> None:
        if place.refused_token is None:
            return
        url = place.url("file")
        with pytest.raises(StorageRefused) as refused:
            await place.storage.write(url, place.refused_token, stream([b"abc"]), 3)
        assert place.refused_token not in str(refused.value)
        with pytest.raises(StorageRefused):
            await place.storage.stat(url, place.refused_token)
        with pytest.raises(StorageRefused):
            await place.storage.delete(url, place.refused_token)

    @in_a_place
    async def test_a_storage_that_does_not_answer_is_unavailable(self, place: Place) -> None:
        if place.unreachable_url is None:
            return
        token = place.token(place.unreachable_url)
        with pytest.raises(StorageUnavailable) as unavailable:
            await place.storage.stat(place.unreachable_url, token)
        assert token not in str(unavailable.value)
        with pytest.raises(StorageUnavailable):
            await place.storage.write(place.unreachable_url, token, stream([b"abc"]), 3)

    @in_a_place
    async def test_closing_twice_is_no_error(self, place: Place) -> None:
        await place.storage.aclose()
        await place.storage.aclose()

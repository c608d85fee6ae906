"""What every transfer tool must pass.

    class TestMyTool(TransferConformance):
        @asynccontextmanager
        async def bench(self):
            yield Bench(tool=MyTool(...), source=..., destination=...)

The two places are those of the storage suite; the tool must reach both.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from sancho_contract.storage import ObjectMissing
from sancho_contract.testing.storage import Place, pattern
from sancho_contract.transfer import (
    ChecksumMismatch,
    DestinationFailed,
    SourceFailed,
    TransferFailed,
    TransferSpec,
    TransferTool,
)

C = TypeVar("C", bound="TransferConformance")


@dataclass(frozen=True)
class Bench:
    """A tool between two empty places."""

    tool: TransferTool
    source: Place
    destination: Place

    def spec(self, content: bytes, name: str = "file", **other: Any) -> TransferSpec:
        """The transfer of one file, as the catalogue would ask for it."""
        source_url, destination_url = self.source.url(name), self.destination.url(f"copies/{name}")
        facts: dict[str, Any] = {
            "transfer_id": 1,
            "source_url": source_url,
            "source_token": self.source.token(source_url),
            "destination_url": destination_url,
            "destination_token": self.destination.token(destination_url),
            "size": len(content),
            "adler32": f"{zlib.adler32(content):08x}",
        }
        return TransferSpec(**(facts | other))

    async def nothing_arrived(self, name: str = "file") -> bool:
        """Is there nothing at the destination? A server that shows half files is not asked: it may still write one."""
        if not self.destination.creates_atomically:
            return True
        try:
            await self.destination.stat(f"copies/{name}")
        except ObjectMissing:
            return True
        return False


def on_a_bench(test: Callable[[C, Bench], Awaitable[None]]) -> Callable[[C], None]:
    """Run an async test on a bench that is set up for it."""

    def run(self: C) -> None:
        async def set_up() -> None:
            async with self.bench() as bench:
                await test(self, bench)

        asyncio.run(set_up())

    run.__name__ = test.__name__
    run.__doc__ = test.__doc__
    return run


class TransferConformance:
    """Derive a test class from it and give it `bench`."""

    def bench(self) -> AbstractAsyncContextManager[Bench]:
        """Set up a tool between two empty places; close all three at the end."""
        raise NotImplementedError

    @on_a_bench
    async def test_a_file_arrives_whole(self, bench: Bench) -> None:
        content = pattern(5_000_001)
        await bench.source.write("file", content)
        arrived = await bench.tool.carry(bench.spec(content))
        assert (arrived.size, arrived.bytes_moved) == (len(content), len(content))
        assert arrived.adler32 == f"{zlib.adler32(content):08x}"
        assert arrived.bytes_per_second > 0
        assert await bench.destination.read("copies/file") == content

    @on_a_bench
    async def test_an_empty_file_arrives(self, bench: Bench) -> None:
        await bench.source.write("file", b"")
        assert (await bench.tool.carry(bench.spec(b""))).adler32 == "00000001"
        assert (await bench.destination.stat("copies/file")).size == 0

    @on_a_bench
    async def test_a_file_whose_checksum_nobody_registered_arrives(self, bench: Bench) -> None:
        await bench.source.write("file", b"content")
        arrived = await bench.tool.carry(bench.spec(b"content", adler32=None))
        assert arrived.adler32 == f"{zlib.adler32(b'content'):08x}"

    @on_a_bench
    async def test_carrying_it_again_moves_nothing(self, bench: Bench) -> None:
        await bench.source.write("file", b"content")
        await bench.tool.carry(bench.spec(b"content"))
        again = await bench.tool.carry(bench.spec(b"content"))
        assert (again.bytes_moved, again.bytes_per_second) == (0, 0)
        assert again.adler32 == f"{zlib.adler32(b'content'):08x}"

    @on_a_bench
    async def test_what_has_arrived_needs_no_source(self, bench: Bench) -> None:
        await bench.destination.write("copies/file", b"content")
        assert (await bench.tool.carry(bench.spec(b"content"))).bytes_moved == 0

    @on_a_bench
    async def test_half_a_file_of_an_earlier_try_is_replaced(self, bench: Bench) -> None:
        content = pattern(200_000)
        await bench.source.write("file", content)
        await bench.destination.write("copies/file", content[:70_000])
        await bench.tool.carry(bench.spec(content))
        assert await bench.destination.read("copies/file") == content

    @on_a_bench
    async def test_a_file_of_the_right_size_and_wrong_content_is_replaced(self, bench: Bench) -> None:
        await bench.source.write("file", b"right")
        await bench.destination.write("copies/file", b"wrong")
        await bench.tool.carry(bench.spec(b"right"))
        assert await bench.destination.read("copies/file") == b"right"

    @on_a_bench
    async def test_a_source_with_other_bytes_than_the_catalogue_says_is_not_copied(self, bench: Bench) -> None:
        content = pattern(3_000_000)
        await bench.source.write("file", content[:-1] + b"!")
        with pytest.raises(ChecksumMismatch) as mismatch:
            await bench.tool.carry(bench.spec(content))
        assert not mismatch.value.retryable
        assert await bench.nothing_arrived()

    @on_a_bench
    async def test_a_source_of_another_size_than_the_catalogue_says_is_not_copied(self, bench: Bench) -> None:
        content = pattern(3_000_000)
        # Of two names, since a server may still be busy with the first when the second comes.
        for name, size in (("shorter", len(content) - 1), ("longer", len(content) + 1)):
            await bench.source.write(name, content)
            with pytest.raises(ChecksumMismatch) as mismatch:
                await bench.tool.carry(bench.spec(content, name, size=size))
            assert not mismatch.value.retryable
            assert await bench.nothing_arrived(name)

    @on_a_bench
    async def test_a_missing_source_is_the_sources_failure(self, bench: Bench) -> None:
        with pytest.raises(SourceFailed) as failed:
            await bench.tool.carry(bench.spec(b"content"))
        assert not failed.value.retryable
        assert await bench.nothing_arrived()

    @on_a_bench
    async def test_a_source_that_does_not_answer_may_be_tried_again(self, bench: Bench) -> None:
        if bench.source.unreachable_url is None:
            return
        with pytest.raises(SourceFailed) as failed:
            await bench.tool.carry(bench.spec(b"content", source_url=bench.source.unreachable_url))
        assert failed.value.retryable

    @on_a_bench
    async def test_a_destination_that_does_not_answer_may_be_tried_again(self, bench: Bench) -> None:
        if bench.destination.unreachable_url is None:
            return
        await bench.source.write("file", b"content")
        with pytest.raises(DestinationFailed) as failed:
            await bench.tool.carry(bench.spec(b"content", destination_url=bench.destination.unreachable_url))
        assert failed.value.retryable

    @on_a_bench
    async def test_a_refused_token_is_a_failure_of_its_end_without_the_token_in_it(self, bench: Bench) -> None:
        await bench.source.write("file", b"content")
        ends = (("source", bench.source, SourceFailed), ("destination", bench.destination, DestinationFailed))
        for end, place, failure in ends:
            if place.refused_token is None:
                continue
            spec = bench.spec(b"content", **{f"{end}_token": place.refused_token})
            with pytest.raises(failure) as failed:
                await bench.tool.carry(spec)
            assert not failed.value.retryable
            assert place.refused_token not in f"{failed.value} {spec}"

    @on_a_bench
    async def test_an_unknown_scheme_is_a_failure_of_its_end(self, bench: Bench) -> None:
        with pytest.raises(SourceFailed):
            await bench.tool.carry(bench.spec(b"", source_url="gopher://host/file"))
        with pytest.raises(DestinationFailed):
            await bench.tool.carry(bench.spec(b"", destination_url="gopher://host/file"))

    @on_a_bench
    async def test_the_same_transfer_carried_twice_at_once_arrives(self, bench: Bench) -> None:
        content = pattern(2_000_000)
        await bench.source.write("file", content)
        outcomes = await asyncio.gather(
            *(bench.tool.carry(bench.spec(content)) for _ in range(3)), return_exceptions=True
        )
        failures = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        assert all(isinstance(failure, TransferFailed) and failure.retryable for failure in failures), failures
        assert len(failures) < len(outcomes)
        assert await bench.destination.read("copies/file") == content

    @on_a_bench
    async def test_many_transfers_run_at_once(self, bench: Bench) -> None:
        contents = {f"many-{number}": bytes([number]) * (10_000 * number) for number in range(20)}
        await asyncio.gather(*(bench.source.write(name, content) for name, content in contents.items()))
        await asyncio.gather(*(bench.tool.carry(bench.spec(content, name)) for name, content in contents.items()))
        for name, content in contents.items():
            assert await bench.destination.read(f"copies/{name}") == content

"""The built-in transfer tool: it reads from one storage and writes to another, through this process, as a stream."""

import time
import zlib
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, contextmanager
from datetime import timedelta
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict

from sancho_contract.storage import ObjectExists, ObjectMissing, Stat, Storage, StorageRefused, StorageUnavailable
from sancho_contract.transfer import (
    Arrived,
    ChecksumMismatch,
    DestinationFailed,
    SourceFailed,
    TransferFailed,
    TransferSpec,
)
from sancho_plugins.posix import PosixSettings, PosixStorage
from sancho_plugins.webdav import WebDavSettings, WebDavStorage


class StreamedCopySettings(BaseModel):
    """The storages between which files are copied, each with its own plugin's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    webdav: WebDavSettings = WebDavSettings()
    """For http and https URLs."""
    posix: PosixSettings = PosixSettings()
    """For file URLs."""


class StreamedCopy:
    """Copies a file in pieces and sums it up on the way; a file that sums up wrong is never completed."""

    Settings: type[BaseModel] = StreamedCopySettings

    def __init__(
        self,
        settings: StreamedCopySettings,
        storages: Mapping[str, Storage] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`storages`, by URL scheme, takes the place of those made from the settings, and is closed with us."""
        if storages is None:
            webdav = WebDavStorage(settings.webdav)
            storages = {"http": webdav, "https": webdav, "file": PosixStorage(settings.posix)}
        self._storages = dict(storages)
        self._clock = clock

    async def carry(self, transfer: TransferSpec) -> Arrived:
        """See `TransferTool.carry`."""
        started = self._clock()
        copy = _Copy(
            transfer,
            source=self._storage(transfer.source_url, SourceFailed),
            destination=self._storage(transfer.destination_url, DestinationFailed),
        )
        await copy.carry()
        return Arrived(
            size=transfer.size,
            adler32=copy.adler32,
            bytes_moved=copy.moved,
            duration=timedelta(seconds=self._clock() - started),
        )

    async def aclose(self) -> None:
        """Close the storages."""
        for storage in set(self._storages.values()):
            await storage.aclose()

    def _storage(self, url: str, failure: type[TransferFailed]) -> Storage:
        scheme = urlsplit(url).scheme
        if scheme not in self._storages:
            raise failure(f"there is no storage for URLs of scheme {scheme!r}", retryable=False)
        return self._storages[scheme]


class _Copy:
    """One transfer while it is carried: how many bytes went by, and what they sum up to."""

    def __init__(self, transfer: TransferSpec, *, source: Storage, destination: Storage) -> None:
        self.moved = 0
        self.adler32 = ""
        self._transfer = transfer
        self._source = source
        self._destination = destination

    async def carry(self) -> None:
        """Bring the file there, unless it is there already."""
        expected = self._transfer.adler32 or await self._sum_at_source()
        if (there := await self._look(expected)) is not None:
            if there:
                return
            await self._clear()
        try:
            stat = await self._stream(expected)
        except ObjectExists:  # somebody else carries the same transfer; what they brought counts when it is right
            self.moved = 0
            if await self._look(expected):
                return
            raise DestinationFailed("another file appeared while this one was copied", retryable=True) from None
        except ChecksumMismatch:
            if await self._look(expected) is False:
                await self._clear()
            raise
        streamed = self.adler32
        if not await self._matches(stat, streamed):
            await self._clear()
            raise ChecksumMismatch(
                f"{self.moved} B with adler32 {streamed} left, the destination has {stat.size} B with {self.adler32}",
                retryable=True,
            )

    async def _sum_at_source(self) -> str | None:
        with _failing(SourceFailed):
            return (await self._source.stat(self._transfer.source_url, self._transfer.source_token)).adler32

    async def _look(self, expected: str | None) -> bool | None:
        """Is the file there? True: as it should be. False: another one, or half of it. None: nothing."""
        with _failing(DestinationFailed):
            try:
                stat = await self._destination.stat(self._transfer.destination_url, self._transfer.destination_token)
            except ObjectMissing:
                return None
            return await self._matches(stat, expected)

    async def _matches(self, stat: Stat, expected: str | None) -> bool:
        """Compare what the destination has; it is read back when the storage knows no checksums."""
        self.adler32 = stat.adler32 or ""
        if stat.size != self._transfer.size or expected is None:
            return False
        if stat.adler32 is None:
            with _failing(DestinationFailed):
                self.adler32 = await self._sum_at_destination()
        return self.adler32 == expected

    async def _sum_at_destination(self) -> str:
        total = 1
        reading = self._destination.read(self._transfer.destination_url, self._transfer.destination_token)
        async with aclosing(reading) as pieces:
            async for piece in pieces:
                total = zlib.adler32(piece, total)
        return f"{total:08x}"

    async def _clear(self) -> None:
        with _failing(DestinationFailed):
            try:
                await self._destination.delete(self._transfer.destination_url, self._transfer.destination_token)
            except ObjectMissing:
                return

    async def _stream(self, expected: str | None) -> Stat:
        transfer = self._transfer
        async with aclosing(self._summed(expected)) as pieces:
            first = await anext(pieces, b"")  # a source that gives nothing shall not begin a file
            with _failing(DestinationFailed):
                return await self._destination.write(
                    transfer.destination_url, transfer.destination_token, _joined(first, pieces), transfer.size
                )

    async def _summed(self, expected: str | None) -> AsyncGenerator[bytes, None]:
        """The source's bytes, one piece late: the last is held back until size and checksum are known to be right."""
        size, total = 0, 1
        last: bytes | None = None
        with _failing(SourceFailed):
            reading = self._source.read(self._transfer.source_url, self._transfer.source_token)
            async with aclosing(reading) as pieces:
                async for piece in pieces:
                    if last is not None:
                        yield last
                    last = piece
                    size += len(piece)
                    total = zlib.adler32(piece, total)
                    if size > self._transfer.size:
                        break
        self.moved, self.adler32 = size, f"{total:08x}"
        if size != self._transfer.size:
            raise ChecksumMismatch(
                f"the source has {size} B or more, the catalogue {self._transfer.size} B", retryable=False
            )
        if expected is not None and self.adler32 != expected:
            raise ChecksumMismatch(f"the source sums up to {self.adler32}, not {expected}", retryable=False)
        if last is not None:
            yield last


async def _joined(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    if first:
        yield first
    async for piece in others:
        yield piece


@contextmanager
def _failing(failure: type[TransferFailed]) -> Generator[None, None, None]:
    """Turn a storage's errors into the failure of that end of the transfer."""
    try:
        yield
    except ObjectMissing as error:
        raise failure("the file is missing", retryable=failure is DestinationFailed) from error
    except StorageUnavailable as error:
        raise failure(str(error), retryable=True, retry_after=error.retry_after) from error
    except StorageRefused as error:
        raise failure(str(error), retryable=False) from error

"""Archives of other formats made into tar.gz: one at a time, by `repacking`, in a process that may use only so much."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import IO

from sancho.kit import repacking
from sancho.kit.errors import Invalid, Unavailable


class ArchiveRefused(Invalid):
    """The archive is of no use: {reason}."""

    code = "archive_refused"

    def __init__(self, *, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(
            reason=reason, field="file",
            hint="Pack plain files and folders, by relative paths, as tar.zst, tar.bz2 or tar.gz.",
        )  # fmt: skip


class RepackingBusy(Unavailable):
    """Too many archives are being repacked at the moment."""

    code = "repacking_busy"

    def __init__(self) -> None:
        """It takes some seconds."""
        super().__init__(retry_after=5)


class Repacker:
    """Makes archives into tar.gz, a few at a time; who comes when enough wait is told to come again."""

    def __init__(self, *, at_once: int = 1, waiting: int = 3) -> None:
        """Work on so many at once, and let so many more wait."""
        self._turn = asyncio.Semaphore(at_once)
        self._room = at_once + waiting

    async def repack(self, source: IO[bytes], target: IO[bytes], name: str) -> None:
        """Write what an archive, a file that stands at its beginning, holds to another file as tar.gz.

        `name` stands in the new one. Raises `ArchiveRefused` or `RepackingBusy`.
        """
        if self._room == 0:
            raise RepackingBusy
        self._room -= 1
        try:
            async with self._turn:
                await self._repack(source, target, name)
        finally:
            self._room += 1

    async def _repack(self, source: IO[bytes], target: IO[bytes], name: str) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", repacking.__name__, name, stdin=source, stdout=target, stderr=PIPE
        )
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == repacking.UNFIT:
            raise ArchiveRefused(reason=said.decode(errors="replace"))
        if process.returncode:
            raise ArchiveRefused(reason="it takes too much time or memory to be read")

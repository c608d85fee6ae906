"""An upload fed from asynchronous code: pieces are gathered and written in a thread while the next ones arrive."""

import asyncio
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, Self

from sancho_plugins.file_tree import PIECE, Entry, FileTree, Upload


class Spool:
    """One upload: `async with await Spool.begin(tree) as spool`; what the block has not published is thrown away.

    At most two pieces of a MiB are in memory: one being gathered, one being written. An `OSError` of the
    file system is raised by a later call, at the latest by `publish`.
    """

    def __init__(self, upload: Upload, executor: Executor | None) -> None:
        """Made by `begin`."""
        self.size = 0
        self._upload = upload
        self._executor = executor
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        self._busy: asyncio.Future[Any] | None = None

    @classmethod
    async def begin(cls, tree: FileTree, executor: Executor | None = None) -> "Spool":
        """Begin a file; without an executor, the event loop's own threads do the writing."""
        return cls(await asyncio.get_running_loop().run_in_executor(executor, tree.begin), executor)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._busy is not None:  # a cancelled caller must not pull the file from under the thread
            await asyncio.wait([self._busy])
            _ = self._busy.cancelled() or self._busy.exception()  # somebody has heard of it, or nobody cares
        self._upload.abandon()

    async def add(self, piece: bytes) -> None:
        """Take the next bytes; waits while the disk is behind."""
        self._gathered.append(piece)
        self._gathered_size += len(piece)
        self.size += len(piece)
        if self._gathered_size >= PIECE:
            await self._flush()

    async def publish(self, path: str, *, replace: bool = False) -> tuple[Entry, str]:
        """Give the file its name, see `Upload.publish`; return what was written and its checksum."""
        await self._flush()
        await self._settled()
        loop = asyncio.get_running_loop()
        published = loop.run_in_executor(self._executor, lambda: self._upload.publish(path, replace=replace))
        self._busy = published
        return await asyncio.shield(published), self._upload.adler32

    async def _flush(self) -> None:
        await self._settled()
        pieces, self._gathered, self._gathered_size = self._gathered, [], 0
        self._busy = asyncio.get_running_loop().run_in_executor(self._executor, self._upload.write, pieces)

    async def _settled(self) -> None:
        if self._busy is not None:
            await asyncio.shield(self._busy)

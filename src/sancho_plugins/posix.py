"""Storage on a file system that the workers share: `file:///path` URLs below the roots of its settings."""

import asyncio
import errno
import os
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict

from sancho_contract.storage import ObjectExists, ObjectMissing, Stat, StorageRefused, StorageUnavailable
from sancho_plugins.file_tree import PIECE, RESERVED, FileTree
from sancho_plugins.spool import Spool

P = ParamSpec("P")
T = TypeVar("T")

_LASTING = {
    errno.EACCES, errno.EFBIG, errno.EISDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EPERM, errno.EROFS
}  # fmt: skip


class PosixSettings(BaseModel):
    """Which part of the file system is storage."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    roots: tuple[Path, ...] = ()
    """Existing folders below which files may be read and written; a URL outside all of them is refused."""


class PosixStorage:
    """Reads and writes files directly, atomically and durably; the process's own permissions decide, not the token."""

    Settings: type[BaseModel] = PosixSettings

    def __init__(self, settings: PosixSettings) -> None:
        """Open the roots, and clear away uploads that died."""
        self._trees = {PurePosixPath(root): FileTree(root) for root in settings.roots}
        for tree in self._trees.values():
            tree.sweep()

    async def stat(self, url: str, token: str) -> Stat:  # noqa: ARG002 - a file system has no tokens
        """See `Storage.stat`; the checksum is remembered in an extended attribute, else computed."""
        tree, path = self._place(url)
        return await _blocking(_stat, tree, path)

    async def read(self, url: str, token: str, offset: int = 0) -> AsyncGenerator[bytes, None]:  # noqa: ARG002
        """See `Storage.read`."""
        tree, path = self._place(url)
        descriptor, _ = await _blocking(tree.open, path)
        try:
            while piece := await _blocking(os.pread, descriptor, PIECE, offset):
                yield piece
                offset += len(piece)
        finally:
            os.close(descriptor)

    async def write(self, url: str, token: str, chunks: AsyncIterable[bytes], size: int | None) -> Stat:  # noqa: ARG002
        """See `Storage.write`; a half file is never seen under its name."""
        tree, path = self._place(url)
        if await _blocking(tree.look, path) is not None:
            raise ObjectExists
        with _translated():
            spool = await Spool.begin(tree)
        async with spool:
            async for chunk in chunks:
                if size is not None and spool.size + len(chunk) > size:
                    raise StorageRefused(f"more than the announced {size} B came")
                with _translated():
                    await spool.add(chunk)
            if size is not None and spool.size != size:
                raise StorageRefused(f"{spool.size} B came, {size} B were announced")
            with _translated():
                await spool.publish(path)
        return await _blocking(_stat, tree, path)

    async def delete(self, url: str, token: str) -> None:  # noqa: ARG002
        """See `Storage.delete`."""
        tree, path = self._place(url)
        entry = await _blocking(tree.look, path)
        if entry is None or entry.is_folder:
            raise ObjectMissing
        await _blocking(tree.delete, path)

    async def aclose(self) -> None:
        """Nothing is kept open."""

    def _place(self, url: str) -> tuple[FileTree, str]:
        """Find the root of a URL, and the path below it."""
        parts = urlsplit(url)
        path = PurePosixPath(unquote(parts.path, errors="strict"))
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or ".." in path.parts or "\0" in str(path):
            raise StorageRefused(f"{url} is not a plain file:/// URL")
        for root, tree in self._trees.items():
            if root in path.parents and path.relative_to(root).parts[0] != RESERVED:
                return tree, str(path.relative_to(root))
        raise StorageRefused(f"{url} is below none of the roots of this storage")


def _stat(tree: FileTree, path: str) -> Stat:
    descriptor, entry = tree.open(path)
    try:
        return Stat(entry.size, tree.adler32(descriptor, entry), datetime.fromtimestamp(entry.modified_ns / 1e9, UTC))
    finally:
        os.close(descriptor)


async def _blocking(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a file operation in a thread."""
    with _translated():
        return await asyncio.to_thread(call, *args, **kwargs)


@contextmanager
def _translated() -> Generator[None, None, None]:
    """Turn the operating system's errors into the contract's."""
    try:
        yield
    except FileNotFoundError as error:
        raise ObjectMissing from error
    except FileExistsError as error:
        raise ObjectExists from error
    except OSError as error:
        detail = error.strerror or str(error)
        raise StorageRefused(detail) if error.errno in _LASTING else StorageUnavailable(detail) from error

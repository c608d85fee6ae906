# fsspec has no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false
"""Names and directories of `sancho://`.

A name is a DID, `mc:run1/a.root`, or a path, `/belle/mc/run1/a.root`; listings answer in the form in which they were
asked. Directories are what names have before a `/`, and datasets and containers are directories of what they hold. A
path that is both a dataset's and a directory's means the directory, a DID means the dataset.
"""

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path as LocalPath
from typing import Any, TypeAlias, cast

from fsspec.asyn import AsyncFileSystem, sync
from fsspec.callbacks import DEFAULT_CALLBACK

from sancho_client.calls import data
from sancho_client.calls.identity import whoami
from sancho_client.client import AsyncClient, Client
from sancho_client.data import download, upload
from sancho_client.environment import Environment
from sancho_client.filesystem.files import NewFile, OpenFile
from sancho_client.filesystem.reading import Reader, os_errors
from sancho_client.models.data import AtPath, Content, DidInfo, Entry, UploadRule
from sancho_client.names import Path, is_path, parse_path

Info: TypeAlias = dict[str, Any]


class SanchoFileSystem(AsyncFileSystem):
    """The data of one VO on one server; without arguments those of the environment and the login.

    `site` is where the program runs: replicas there are read first. By default it is SANCHO_SITE.
    """

    protocol = "sancho"
    root_marker = "/"

    def __init__(
        self, *, url: str | None = None, vo: str | None = None, site: str | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self.url, self.vo = url, vo
        environment = Environment.read()
        self.environment = replace(environment, site=site or environment.site)
        self._reader: Reader | None = None
        self._blocking: Client | None = None
        self._own_vo: str | None = None

    def connect(self) -> AsyncClient:
        """A client of the server; one is made for each file system."""
        return AsyncClient(self.url, vo=self.vo, environment=self.environment)

    def close(self) -> None:
        """Close the connections; they are opened anew when they are needed."""
        if self._reader is not None:
            sync(self.loop, self._reader.client.close)
        if self._blocking is not None:
            self._blocking.close()
        self._reader = self._blocking = None

    @classmethod
    def _strip_protocol(cls, path: Any) -> Any:
        return [_name(str(one)) for one in path] if isinstance(path, list) else _name(str(path))

    @property
    def reader(self) -> Reader:
        """What reads files, made in the loop in which it works."""
        if self._reader is None:
            self._reader = Reader(self.connect(), self.environment.site)
        return self._reader

    @property
    def blocking(self) -> Client:
        """The client of uploads and downloads, which work in threads."""
        if self._blocking is None:
            self._blocking = Client(self.url, vo=self.vo, environment=self.environment)
        return self._blocking

    async def _info(self, path: str, **_: Any) -> Info:
        name = _name(path)
        with os_errors(name):
            at = await self._at(name)
        return self._info_at(name, at)

    async def _ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        found = {(info["name"], info["type"]): info async for info in self._scan(_name(path))}
        return list(found.values()) if detail else sorted({name for name, _ in found})

    def scan(self, path: str) -> Iterator[Info]:
        """What is in a directory, like `ls`, but as it comes: however long it is, one page of it is in memory.

        What is both a collection and a directory comes as both.
        """
        found = self._scan(_name(path))
        while (info := sync(self.loop, _next, found)) is not None:
            yield info

    async def _scan(self, name: str) -> AsyncIterator[Info]:
        with os_errors(name):
            at = await self._at(name)
            if self._means_directory(name, at):
                async for entry in self.reader.client.pages(data.entries(parse_path(at.path))):
                    yield self._info_of(name, entry)
            elif at.did is not None and at.did.kind != "file":
                async for content in self.reader.client.pages(data.contents(at.did.did)):
                    yield self._info_of(name, content)
            else:
                yield self._info_at(name, at)

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        name = _name(path)
        with os_errors(name):
            return await self.reader.read(await self._did(name), start, end)

    def fetch(self, name: str, did: str, start: int, end: int) -> bytes:
        """Bytes of a file whose DID is known; for files that are open."""
        with os_errors(name):
            return cast(bytes, sync(self.loop, self.reader.read, did, start, end))

    def distrust(self, did: str) -> None:
        """Read a file from another replica next time."""
        self.reader.distrust(did)

    async def _get_file(self, rpath: str, lpath: str, callback: Any = DEFAULT_CALLBACK, **_: Any) -> None:
        name = _name(rpath)
        if await self._isdir(name):
            await asyncio.to_thread(os.makedirs, lpath, exist_ok=True)
            return
        with os_errors(name):
            got = await asyncio.to_thread(download.get_one, self.blocking, await self._did(name), LocalPath(lpath))
            if got.error is not None:
                raise got.error
        callback.set_size(got.size)
        callback.absolute_update(got.size)

    async def _put_file(self, lpath: str, rpath: str, mode: str = "overwrite", **options: Any) -> None:
        options.pop("callback", None)
        if not await asyncio.to_thread(os.path.isdir, lpath):
            await self._upload(LocalPath(lpath), _name(rpath), exclusive=mode == "create", **options)

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **options: Any) -> None:
        with tempfile.NamedTemporaryFile(prefix="sancho-") as file:
            file.write(value)
            file.flush()
            target = _name(path)
            await self._upload(LocalPath(file.name), target, exclusive=mode == "create", **options)

    async def _mkdir(self, path: str, create_parents: bool = True, **_: Any) -> None:
        """Do nothing: directories are there when something lies in them."""

    async def _makedirs(self, path: str, exist_ok: bool = False) -> None:
        """Do nothing, likewise."""

    def _open(
        self, path: str, mode: str = "rb", block_size: int | None = None, autocommit: bool = True,
        **options: Any,
    ) -> OpenFile | NewFile:  # fmt: skip
        if mode == "rb":
            return OpenFile(self, path, block_size=block_size, **options)
        if mode not in {"wb", "xb"}:
            raise ValueError(
                f"Files are read ('rb') or written ('wb', 'xb'), not {mode!r}: what is there stays as it is."
            )
        options = {k: v for k, v in options.items() if k in {"dataset", "rse", "rule"}}
        return NewFile(self, path, autocommit=autocommit, exclusive=mode == "xb", **options)

    def register(self, file: LocalPath, name: str, **options: Any) -> None:
        """Upload a file of this machine; for files that are closed."""
        sync(self.loop, self._upload, file, name, **options)

    async def _upload(
        self, file: LocalPath, name: str, *, exclusive: bool = False, dataset: str | None = None,
        rse: str | None = None, rule: UploadRule | None = None,
    ) -> None:  # fmt: skip
        with os_errors(name):
            did = await self._did(name)
            if dataset is not None:
                dataset = await self._did(_name(dataset))
            wanted = [upload.LocalFile(path=file, did=did, dataset=dataset, rse=rse)]
            (put,) = await asyncio.to_thread(lambda: list(upload.put(self.blocking, wanted, rule=rule)))
        if put.already and exclusive:
            raise FileExistsError(errno.EEXIST, "It is there already.", name)

    async def _did(self, name: str) -> str:
        """The DID that a name means; raises `BadInput`."""
        if not is_path(name):
            return name
        await self._require_own(path := parse_path(name))
        return path.did

    async def _at(self, name: str) -> AtPath:
        return await self.reader.client.send(data.at_path(await self._path(name)))

    async def _path(self, name: str) -> Path:
        if not is_path(name):
            scope, _, rest = name.partition(":")
            return parse_path(f"/{await self._vo()}/{scope}/{rest}".removesuffix("/"))
        path = parse_path(name)
        await self._require_own(path)
        return path

    async def _require_own(self, path: Path) -> None:
        if path.vo not in {"", await self._vo()}:
            raise FileNotFoundError(errno.ENOENT, f"This is the file system of VO {await self._vo()}.", str(path))

    async def _vo(self) -> str:
        if self._own_vo is None:
            self._own_vo = (await self.reader.client.send(whoami())).vo
        return self._own_vo

    def _means_directory(self, name: str, at: AtPath) -> bool:
        return at.directory is not None and (is_path(name) or at.did is None or at.did.kind == "file")

    def _info_at(self, name: str, at: AtPath) -> Info:
        if at.did is None or (at.did.kind != "file" and self._means_directory(name, at)):
            size = 0 if at.directory is None else at.directory.size
            return {"name": name, "size": size, "type": "directory", "kind": "directory", "did": None, "adler32": None}
        return {**self._info_of(name, at.did), "name": name}

    def _info_of(self, asked: str, one: Entry | Content | DidInfo) -> Info:
        """Something in a directory, named in the form in which that was asked for."""
        if isinstance(one, Entry):
            path, did = parse_path(one.path), one.did
            name = str(path).removesuffix("/") if is_path(asked) else f"{path.scope}:{path.name}"
        else:
            did = one.did
            name = f"/{self._own_vo}/{did.replace(':', '/', 1)}" if is_path(asked) else did
        return {
            "name": name, "size": one.size or 0, "type": "file" if one.kind == "file" else "directory",
            "kind": one.kind, "did": did, "adler32": one.adler32,
        }  # fmt: skip


def _name(path: str) -> str:
    """A name without `sancho://` and without a `/` at its end."""
    return path.removeprefix("sancho://").rstrip("/") or "/"


async def _next(found: AsyncIterator[Info]) -> Info | None:
    return await anext(found, None)

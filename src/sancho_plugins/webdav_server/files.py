"""`GET`, `HEAD`, `PUT`, `DELETE` and `MKCOL`: in constant memory, and never showing half a file."""

import asyncio
import errno
import os
import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from concurrent.futures import Executor
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import ParamSpec, TypeVar

from sancho_plugins.file_tree import PIECE, Entry, FileTree
from sancho_plugins.spool import Spool
from sancho_plugins.webdav_server.asgi import Answer, ClientGone, Receive, Refusal, Request
from sancho_plugins.webdav_server.conditions import (
    Span,
    check_preconditions,
    described,
    digest,
    wanted_span,
    wants_adler32,
)
from sancho_plugins.webdav_server.tokens import Bearer, Verb

P = ParamSpec("P")
T = TypeVar("T")

ALLOWED = "GET, HEAD, PUT, DELETE, MKCOL, PROPFIND, OPTIONS"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Files:
    """Handlers for the files and folders of one tree."""

    def __init__(self, tree: FileTree, executor: Executor, stall_timeout: timedelta) -> None:
        """File operations run in the executor's threads."""
        self._tree = tree
        self._executor = executor
        self._stall_timeout = stall_timeout.total_seconds()

    async def get(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        """Send a file or a range of it; needs storage.read."""
        _need(bearer, request.path, Verb.READ)
        with _refusing():
            async with self._opened(_file(request)) as (descriptor, entry):
                span = wanted_span(request.headers, entry)
                headers = await self._described(request, descriptor, entry)
                headers["Content-Length"] = str(span.length)
                if span.partial:
                    headers["Content-Range"] = f"bytes {span.start}-{span.start + span.length - 1}/{entry.size}"
                await answer.start(HTTPStatus.PARTIAL_CONTENT if span.partial else HTTPStatus.OK, headers)
                await self._send(request, answer, descriptor, span)

    async def head(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        """Describe a file; whoever may write it may look, to see whether it arrived."""
        _need(bearer, request.path, Verb.READ, Verb.CREATE, Verb.MODIFY)
        with _refusing():
            async with self._opened(_file(request)) as (descriptor, entry):
                headers = await self._described(request, descriptor, entry)
        headers["Content-Length"] = str(entry.size)
        await answer.start(HTTPStatus.OK, headers)
        await answer.body(b"")

    async def is_to_be_put(self, request: Request, bearer: Bearer) -> bool:
        """Say whether they may write the file that is there, and so, as with `head`, look at it; a folder is none."""
        if not bearer.may(request.path, Verb.CREATE, Verb.MODIFY):
            return False
        with _refusing():
            there = await self._blocking(self._tree.look, request.path)
        return there is not None and not there.is_folder

    async def put(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        """Store a file: a new one needs storage.create or storage.modify, replacing one storage.modify."""
        _need(bearer, request.path, Verb.CREATE, Verb.MODIFY)
        for header, refused in (("content-range", "a part of a file"), ("content-encoding", "an encoded file")):
            if header in request.headers:
                raise Refusal(HTTPStatus.BAD_REQUEST, "header_unsupported", f"{refused} cannot be stored: {header}")
        path = _file(request)
        with _refusing():
            there = await self._blocking(self._tree.look, path)
            check_preconditions(request.headers, there)
            if there is not None:
                _check_replaceable(bearer, path, there)
            await self._check_space(request.content_length)
            async with await Spool.begin(self._tree, self._executor) as spool:
                await self._receive(request, spool)
                if request.content_length not in {None, spool.size}:
                    raise Refusal(
                        HTTPStatus.BAD_REQUEST,
                        "length_mismatch",
                        f"{request.content_length} B were announced, {spool.size} B came",
                    )
                _, adler32 = await spool.publish(path, replace=there is not None)
        await answer.whole(HTTPStatus.CREATED if there is None else HTTPStatus.NO_CONTENT, digest(adler32))

    async def delete(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        """Delete a file or an empty folder; needs storage.modify."""
        _need(bearer, request.path, Verb.MODIFY)
        if request.path == "/":
            raise Refusal(HTTPStatus.FORBIDDEN, "path_reserved", "the root stays")
        with _refusing():
            if "if-match" in request.headers:
                check_preconditions(request.headers, await self._blocking(self._tree.look, request.path))
            await self._blocking(self._tree.delete, request.path)
        await answer.whole(HTTPStatus.NO_CONTENT, {})

    async def make_folder(self, request: Request, bearer: Bearer, answer: Answer) -> None:
        """Make a folder below one that exists; needs storage.create or storage.modify for something in it."""
        if not bearer.may_make_folder(request.path):
            raise Refusal(HTTPStatus.FORBIDDEN, "not_granted", "the token does not grant storage.create here")
        if request.content_length or "transfer-encoding" in request.headers:
            raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "body_unsupported", "a folder has no content")
        try:
            await self._blocking(self._tree.make_folder, request.path)
        except FileExistsError as error:
            raise Refusal(
                HTTPStatus.METHOD_NOT_ALLOWED, "folder_exists", "there is something of this name already", Allow=ALLOWED
            ) from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Refusal(HTTPStatus.CONFLICT, "parent_missing", "there is no folder to make it in") from error
        await answer.whole(HTTPStatus.CREATED, {})

    async def _described(self, request: Request, descriptor: int, entry: Entry) -> dict[str, str]:
        """Headers of a file, with its checksum if it is wanted; `Cache-Control: no-cache` has it read anew."""
        headers = described(entry)
        if wants_adler32(request.headers):
            anew = "no-cache" in request.headers.get("cache-control", "")
            headers |= digest(await self._blocking(self._tree.adler32, descriptor, entry, anew=anew))
        return headers

    async def _send(self, request: Request, answer: Answer, descriptor: int, span: Span) -> None:
        """Send bytes until they are all out or the client has gone."""
        gone = asyncio.create_task(_until_gone(request.receive))
        offset, end = span.start, span.start + span.length
        try:
            while offset < end and not gone.done():
                piece = await self._blocking(os.pread, descriptor, min(end - offset, PIECE), offset)
                if not piece:
                    raise ClientGone  # the file shrank under us: break off, so that nobody takes it for complete
                offset += len(piece)
                await answer.body(piece, more=offset < end)
            if not span.length:
                await answer.body(b"")
        finally:
            gone.cancel()

    async def _receive(self, request: Request, spool: Spool) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._stall_timeout) as limit:
                more = True
                while more:
                    message = await request.receive()
                    if message["type"] == "http.disconnect":
                        raise ClientGone
                    if piece := message.get("body", b""):
                        await spool.add(piece)
                    more = message.get("more_body", False)
                    limit.reschedule(loop.time() + self._stall_timeout)
        except TimeoutError as error:
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, "stalled", "nothing came for too long") from error

    async def _check_space(self, size: int | None) -> None:
        """Refuse at once what cannot fit, rather than after receiving most of it."""
        if size is not None and size > (await self._blocking(shutil.disk_usage, self._tree.root)).free:
            raise Refusal(HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", "there is no room for so much")

    @asynccontextmanager
    async def _opened(self, path: str) -> AsyncGenerator[tuple[int, Entry], None]:
        descriptor, entry = await self._blocking(self._tree.open, path)
        try:
            yield descriptor, entry
        finally:
            os.close(descriptor)

    async def _blocking(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, partial(call, *args, **kwargs))


def _need(bearer: Bearer, path: str, *verbs: Verb) -> None:
    if not bearer.may(path, *verbs):
        names = " or ".join(verbs)
        raise Refusal(HTTPStatus.FORBIDDEN, "not_granted", f"the token does not grant {names} here")


def _file(request: Request) -> str:
    if request.names_folder:
        raise Refusal(HTTPStatus.CONFLICT, "is_folder", "the path names a folder; PROPFIND lists folders")
    return request.path


def _check_replaceable(bearer: Bearer, path: str, there: Entry) -> None:
    if there.is_folder:
        raise Refusal(HTTPStatus.CONFLICT, "is_folder", "there is a folder of this name")
    if not bearer.may(path, Verb.MODIFY):
        raise Refusal(HTTPStatus.FORBIDDEN, "not_granted", "the file exists; replacing it needs storage.modify")


@contextmanager
def _refusing() -> Generator[None, None, None]:
    """Turn the operating system's errors into answers."""
    try:
        yield
    except FileNotFoundError as error:
        raise Refusal(HTTPStatus.NOT_FOUND, "file_missing", "there is no such file") from error
    except FileExistsError as error:
        raise Refusal(HTTPStatus.PRECONDITION_FAILED, "file_exists", "there is such a file already") from error
    except (IsADirectoryError, NotADirectoryError) as error:
        raise Refusal(HTTPStatus.CONFLICT, "is_folder", "a file and a folder would have the same name") from error
    except PermissionError as error:
        raise Refusal(HTTPStatus.FORBIDDEN, "not_permitted", "the server itself may not do that here") from error
    except OSError as error:
        if error.errno in _FULL:
            raise Refusal(HTTPStatus.INSUFFICIENT_STORAGE, "disk_full", "there is no room left") from error
        if error.errno == errno.ENOTEMPTY:
            raise Refusal(HTTPStatus.CONFLICT, "folder_not_empty", "the folder is not empty") from error
        raise


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass

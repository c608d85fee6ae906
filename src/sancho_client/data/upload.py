"""Uploads: files of this machine become files of the grid.

    announce ──▶ PUT each file to its storage ──▶ commit: all of a batch are in the catalogue, or none

What was announced but not committed is cancelled when something goes wrong, or when the user stops it. A file that
is in the catalogue already with the same size and checksum is left alone, so an interrupted upload can be repeated.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from httpx2 import Response, TransportError

from sancho_client.calls import data, rules
from sancho_client.client import Client
from sancho_client.data import checksum
from sancho_client.data.watch import SILENT, Stoppable, Watch
from sancho_client.errors import BadInput, ClientError, Damaged, Problem, ServerAway
from sancho_client.models.data import NewFile, Upload, UploadRule

A = TypeVar("A")
B = TypeVar("B")
CONCURRENCY = 4
BATCH_FILES = 100
BATCH_SIZE = 20_000_000_000
"""Bytes of one batch, which has to arrive while its tokens are good; a larger file is a batch of its own."""
TRIES = 3
TAKEN = frozenset({403, 409, 412})
"""What storages say to who puts a file that is there already; 403 when the token does not let it be replaced."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A file of this machine and what it shall be called; `rse` None lets the server choose."""

    path: Path
    did: str
    dataset: str | None = None
    rse: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Put:
    """A file that is in the catalogue now; `already` when it had been before."""

    path: Path
    did: str
    size: int
    adler32: str
    rse: str | None
    already: bool = False


def put(
    client: Client,
    files: Sequence[LocalFile],
    *,
    rule: UploadRule | None = None,
    watch: Watch = SILENT,
    concurrency: int = CONCURRENCY,
) -> Iterator[Put]:
    """Upload files, and yield each once it is committed; raises at the first that fails."""
    sized = [(file, _size(file.path)) for file in files]
    watch.expect(len(sized), sum(size for _, size in sized))
    brake = Stoppable(watch)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="upload")
    try:
        for batch in _batches(sized):
            described = _each(pool, lambda one: _describe(*one), batch)
            yield from _put_batch(client, pool, described, rule, brake)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _put_batch(
    client: Client,
    pool: ThreadPoolExecutor,
    files: list[tuple[LocalFile, NewFile]],
    rule: UploadRule | None,
    watch: Stoppable,
) -> Iterator[Put]:
    try:
        uploads = client.send(data.new_uploads([new for _, new in files], rule)).uploads
    except Problem as problem:
        there = _already_there(client, pool, files) if problem.status == 409 else []
        if not there:
            raise
        for file, new in there:
            watch.moved(new.size)
            watch.finished(new.did)
            yield _done(file, new, None, already=True)
        rest = [one for one in files if one not in there]
        if rest:
            yield from _put_batch(client, pool, rest, rule, watch)
        _join_datasets(client, there, rule)
        return
    intents = [upload.intent_id for upload in uploads]
    try:
        _each(
            pool, lambda one: _send(client, *one, watch), [(f, n, u) for (f, n), u in zip(files, uploads, strict=True)]
        )
        client.send(data.commit(intents))
    except BaseException:
        watch.stop()
        with contextlib.suppress(ClientError):
            client.send(data.cancel(intents))
        raise
    for (file, new), upload in zip(files, uploads, strict=True):
        watch.finished(new.did)
        yield _done(file, new, upload)


def _done(file: LocalFile, new: NewFile, upload: Upload | None, *, already: bool = False) -> Put:
    rse = upload.rse if upload else None
    return Put(path=file.path, did=new.did, size=new.size, adler32=new.adler32, rse=rse, already=already)


def _already_there(
    client: Client, pool: ThreadPoolExecutor, files: list[tuple[LocalFile, NewFile]]
) -> list[tuple[LocalFile, NewFile]]:
    """Those of the files that the catalogue has, just so."""

    def there(one: tuple[LocalFile, NewFile]) -> bool:
        _, new = one
        try:
            found = client.send(data.did(new.did))
        except Problem as problem:
            if problem.status == 404:
                return False
            raise
        return found.kind == "file" and (found.size, found.adler32) == (new.size, new.adler32)

    return [one for one, is_there in zip(files, _each(pool, there, files), strict=True) if is_there]


def _join_datasets(client: Client, held: list[tuple[LocalFile, NewFile]], rule: UploadRule | None) -> None:
    """Put files that were there already into their datasets, as an upload would have done."""
    for dataset in sorted({new.dataset for _, new in held if new.dataset}):
        try:
            client.send(data.create(dataset, "dataset"))
        except Problem as problem:
            if problem.status != 409:
                raise
        client.send(data.attach(dataset, [new.did for _, new in held if new.dataset == dataset]))
        if rule is not None and not any(
            (known.rse_expression, known.copies) == (rule.rse_expression, rule.copies)
            for known in client.pages(rules.list_rules(did=dataset))
        ):
            wish = rules.create(dataset, rule.rse_expression, copies=rule.copies, lifetime=rule.lifetime)
            client.send(wish)


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise BadInput(f"{path} is not a file.", hint="Use -r to upload what is in a folder.")
        return path.stat().st_size
    except OSError as e:
        raise BadInput(f"{path} cannot be read: {e.strerror}.") from e


def _describe(file: LocalFile, _size: int) -> tuple[LocalFile, NewFile]:
    try:
        size, adler32 = checksum.of(file.path)
    except OSError as e:
        raise BadInput(f"{file.path} cannot be read: {e.strerror}.") from e
    optional = {"dataset": file.dataset, "rse": file.rse}
    given = {k: v for k, v in optional.items() if v is not None}
    return file, NewFile.model_validate({"did": file.did, "size": size, "adler32": adler32, **given})


def _send(client: Client, file: LocalFile, new: NewFile, upload: Upload, watch: Watch) -> None:
    for left in reversed(range(TRIES)):
        body = _Body(file.path, new.size, watch)
        try:
            response = client.http.put(
                upload.url,
                content=body,
                headers={"authorization": f"Bearer {upload.token}", "content-length": str(new.size)},
            )
        except TransportError as e:
            watch.moved(-body.sent)
            if left == 0:
                raise ServerAway(
                    f"The storage {upload.rse} does not take {file.path}: {e}", hint="Try again later."
                ) from e
            continue
        if response.is_success or (left < TRIES - 1 and response.status_code in TAKEN):
            # An earlier try may have arrived although its answer did not; the commit checks what is there.
            if response.is_success and (body.sent, checksum.text(body.checksum)) != (new.size, new.adler32):
                raise Damaged(
                    f"{file.path} changed while it was uploaded.", hint="Upload it again when it is complete."
                )
            return
        watch.moved(-body.sent)
        if response.status_code < 500 or left == 0:
            raise _refused(upload, file, response)


def _refused(upload: Upload, file: LocalFile, response: Response) -> ClientError:
    said = Problem.of(response)
    return ClientError(f"The storage {upload.rse} does not take {file.path}: {said.message}", hint=said.hint)


class _Body:
    """The bytes of a file on their way out, counted and summed up."""

    def __init__(self, path: Path, size: int, watch: Watch) -> None:
        self.sent = 0
        self.checksum = checksum.START
        self._path = path
        self._size = size
        self._watch = watch

    def __iter__(self) -> Iterator[bytes]:
        with self._path.open("rb") as file:
            for piece in checksum.pieces(file, self._size):
                self.checksum = checksum.add(self.checksum, piece)
                yield piece
                self.sent += len(piece)
                self._watch.moved(len(piece))
        if self.sent < self._size:
            raise Damaged(f"{self._path} shrank while it was uploaded.", hint="Upload it again when it is complete.")


def _batches(files: list[tuple[LocalFile, int]]) -> Iterator[list[tuple[LocalFile, int]]]:
    batch: list[tuple[LocalFile, int]] = []
    total = 0
    for file, size in files:
        if batch and (len(batch) == BATCH_FILES or total + size > BATCH_SIZE):
            yield batch
            batch, total = [], 0
        batch.append((file, size))
        total += size
    if batch:
        yield batch


def _each(pool: ThreadPoolExecutor, act: Callable[[A], B], things: Sequence[A]) -> list[B]:
    """Do the same to each, at once; the first failure gives up those that have not begun."""
    futures = [pool.submit(act, thing) for thing in things]
    try:
        return [future.result() for future in futures]
    except BaseException:
        for future in futures:
            future.cancel()
        raise

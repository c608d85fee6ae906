"""Downloads: files of the grid become files of this machine.

A file is written to `NAME.part`, checked, and renamed. A download that was broken off goes on where it stopped
(HTTP Range); a file that is there already with the right size and checksum is left alone.
"""

import fcntl
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from httpx2 import Response, TransportError

from sancho_client.calls import data
from sancho_client.client import Client
from sancho_client.data import checksum, members
from sancho_client.data.nearness import nearest_first
from sancho_client.data.watch import SILENT, Stoppable, Watch
from sancho_client.errors import BadInput, ClientError, Damaged, Problem, ServerAway
from sancho_client.models.data import Access, ArchiveAccess, Source

CONCURRENCY = 4
AHEAD = 4
"""Files that wait for a thread; more are not asked for, so that their tokens do not grow old."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Got:
    """What became of one file: where it is, or why it is not; `already` when it was there before."""

    did: str
    path: Path
    size: int
    adler32: str | None
    already: bool = False
    error: ClientError | None = None


def get(
    client: Client,
    dids: Sequence[str],
    folder: Path,
    *,
    watch: Watch = SILENT,
    concurrency: int = CONCURRENCY,
    of: str | None = None,
) -> Iterator[Got]:
    """Download the files below some DIDs into a folder, each by its name; one that fails does not stop the others.

    `of` another VO: datasets that it shares.
    """
    running: deque[Future[Got]] = deque()
    taken: dict[Path, str] = {}
    brake = Stoppable(watch)
    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="download")
    try:
        for file in _listing(client, dids, of):
            target = place(folder, file.name)
            if taken.setdefault(target, file.did) != file.did:
                raise BadInput(
                    f"{taken[target]} and {file.did} would both be {target}.",
                    hint="Download them into separate folders.",
                )
            brake.expect(1, file.size)
            running.append(pool.submit(_get, client, file, target, brake))
            while len(running) >= concurrency + AHEAD or (running and running[0].done()):
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
    except BaseException:
        brake.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def get_one(client: Client, did: str, target: Path) -> Got:
    """Download one file to a place; raises `BadInput` for what is none, and else says what went wrong in the answer."""
    for file in client.pages(data.access([did])):
        if file.did == did:
            return _get(client, file, target, SILENT)
        break
    raise BadInput(f"{did} is not a file.")


def _listing(client: Client, dids: Sequence[str], of: str | None) -> Iterator[Access]:
    if of is None:
        yield from client.pages(data.access(dids))
        return
    for did in dids:
        yield from (Access.model_validate(dict(file)) for file in client.pages(data.shared_access(of, did)))


def place(folder: Path, name: str) -> Path:
    """The path of a file below a folder; raises rather than leave the folder."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise BadInput(f"{name!r} is not a name that can be written below {folder}.")
    return folder.joinpath(*parts)


def _get(client: Client, file: Access, target: Path, watch: Watch) -> Got:
    already = False
    error: ClientError | None = None
    try:
        already = _is(target, file)
        if already:
            watch.moved(file.size)
        else:
            _fetch(client, file, target, watch)
    except ClientError as e:
        error = e
    except OSError as e:
        error = ClientError(f"{target} cannot be written: {e.strerror or e}.")
    else:
        watch.finished(file.did)
    return Got(did=file.did, path=target, size=file.size, adler32=file.adler32, already=already, error=error)


def _is(path: Path, file: Access) -> bool:
    try:
        return path.stat().st_size == file.size and (file.adler32 is None or checksum.of(path)[1] == file.adler32)
    except FileNotFoundError:
        return False


def _fetch(client: Client, file: Access, target: Path, watch: Watch) -> None:
    """Try each source in turn, then once more with fresh tokens."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    failures: dict[str, None] = {}
    with part.open("ab+") as out:
        _own(out, part)
        for source in _sources(client, file):
            try:
                _fetch_from(client, source, file, out, watch)
            except (ServerAway, Damaged, Problem) as e:
                failures[f"{source.rse}: {e.message}"] = None
                continue
            part.replace(target)
            return
        for archive in file.archives:
            for source in nearest_first(archive.sources, client.environment.site):
                try:
                    _take_out(client, archive, source, file, out, watch)
                except (ServerAway, Damaged, Problem) as e:
                    failures[f"{source.rse}: {e.message}"] = None
                    continue
                part.replace(target)
                return
        arrived = os.fstat(out.fileno()).st_size
        if not arrived:
            part.unlink(missing_ok=True)
    if not failures:
        raise ClientError(
            f"{file.did} cannot be read from anywhere now.", hint=f"`sancho data info {file.did}` shows its replicas."
        )
    kept = f"The {arrived} bytes that have arrived are kept; try" if arrived else "Try"
    raise ClientError(f"{file.did} cannot be read. {'; '.join(failures)}", hint=f"{kept} again later.")


def _own(out: BinaryIO, part: Path) -> None:
    try:
        fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as e:
        raise ClientError(f"{part} is being written by another download.") from e


def _sources(client: Client, file: Access) -> Iterator[Source]:
    site = client.environment.site
    if file.archives and not file.sources:
        return
    yield from nearest_first(file.sources, site)
    try:
        for again in client.pages(data.access([file.did])):
            yield from nearest_first(again.sources, site)
    except Problem as e:
        if e.status != 404:  # another VO's: there is no asking for one of its files
            raise


def _fetch_from(client: Client, source: Source, file: Access, out: BinaryIO, watch: Watch) -> None:
    """Bring the rest of a file, and check the whole; after `Damaged` nothing of it is left."""
    done, summed = _start(out, file)
    watch.moved(done)
    headers = {"authorization": f"Bearer {source.token}", "accept-encoding": "identity"}
    if done:
        headers["range"] = f"bytes={done}-"
    if done < file.size or done == 0:
        try:
            with client.http.stream("GET", source.url, headers=headers) as response:
                if done and not _goes_on(response, done):
                    _empty(out, watch, done)
                    done, summed = 0, checksum.START
                _check(response)
                for piece in response.iter_raw(checksum.PIECE):
                    out.write(piece)
                    done += len(piece)
                    watch.moved(len(piece))
                    summed = checksum.add(summed, piece)
        except TransportError as e:
            watch.moved(-done)
            raise ServerAway(str(e) or type(e).__name__) from e
        except Problem:
            watch.moved(-done)
            raise
    out.flush()
    if done != file.size or (file.adler32 is not None and checksum.text(summed) != file.adler32):
        _empty(out, watch, done)
        raise Damaged(f"{done} bytes with adler32 {checksum.text(summed)} came, not {file.size} with {file.adler32}")


def _take_out(
    client: Client, archive: ArchiveAccess, source: Source, file: Access, out: BinaryIO, watch: Watch
) -> None:  # fmt: skip
    """Bring a file out of an archive, and check it; when that fails nothing of it is left."""
    _empty(out, watch, 0)
    done, summed = 0, checksum.START

    def write(piece: bytes) -> None:
        nonlocal done, summed
        out.write(piece)
        done, summed = done + len(piece), checksum.add(summed, piece)
        watch.moved(len(piece))
        if done > file.size:
            raise Damaged(f"{archive.did} holds more than {file.size} bytes of {file.name}")

    try:
        members.take(client, archive, source, file.name, write)
        if done != file.size or (file.adler32 is not None and checksum.text(summed) != file.adler32):
            raise Damaged(
                f"{done} bytes with adler32 {checksum.text(summed)} came, not {file.size} with {file.adler32}"
            )
    except ClientError:
        _empty(out, watch, done)
        raise
    out.flush()


def _start(out: BinaryIO, file: Access) -> tuple[int, int]:
    """What of the file is here already, and its checksum so far."""
    out.seek(0, 2)
    if out.tell() > file.size:
        out.truncate(0)
    out.seek(0)
    done, summed = 0, checksum.START
    for piece in checksum.pieces(out):
        done += len(piece)
        summed = checksum.add(summed, piece)
    return done, summed


def _goes_on(response: Response, done: int) -> bool:
    return response.status_code == 206 and response.headers.get("content-range", "").startswith(f"bytes {done}-")


def _empty(out: BinaryIO, watch: Watch, done: int) -> None:
    watch.moved(-done)
    out.truncate(0)
    out.seek(0)


def _check(response: Response) -> None:
    if response.is_error:
        response.read()
        raise Problem.of(response)
    if response.status_code not in {200, 206}:
        raise Damaged(f"it answered {response.status_code}")

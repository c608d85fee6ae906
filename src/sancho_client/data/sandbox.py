"""Sandboxes: the small archives that go with jobs and come back from them.

The same files always make the same archive, byte for byte, so a sandbox is uploaded once however often it is used.
"""

import gzip
import hashlib
import os
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from httpx2 import TransportError

from sancho_client.calls import jobs
from sancho_client.client import Client
from sancho_client.data import checksum
from sancho_client.data.download import place
from sancho_client.errors import BadInput, Damaged, Problem, ServerAway

IN_MEMORY = 8_000_000


@dataclass(frozen=True, slots=True)
class Sandbox:
    """An archive: its name by content, its size, its bytes."""

    sha256: str
    size: int
    file: IO[bytes]


@contextmanager
def pack(files: Sequence[str], folder: Path) -> Iterator[Sandbox]:
    """Pack files and folders, named as seen from `folder`, into a reproducible tar.gz."""
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as out:
        with (
            gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=out, mtime=0) as squeezed,
            tarfile.open(fileobj=squeezed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for name, path in sorted(_members(files, folder)):
                _add(archive, name, path)
        size = out.tell()
        out.seek(0)
        digest = hashlib.sha256()
        for piece in checksum.pieces(out):
            digest.update(piece)
        out.seek(0)
        yield Sandbox(digest.hexdigest(), size, out)


def _members(files: Sequence[str], folder: Path) -> Iterator[tuple[str, Path]]:
    for given in files:
        path = folder / given
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.is_file())
        elif path.is_file():
            inside = [path]
        else:
            raise BadInput(f"{path} does not exist.", field="files", hint="Paths count from the job's YAML file.")
        # What lies outside of the folder comes as seen from its own.
        plain = os.path.normpath(given)
        base = path.parent if plain.startswith(("..", "/")) else folder
        for member in inside:
            yield os.path.normpath(member.relative_to(base)), member


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    state = path.stat()
    info.size = state.st_size
    info.mode = 0o755 if state.st_mode & 0o100 else 0o644
    try:
        with path.open("rb") as file:
            archive.addfile(info, file)
    except OSError as e:
        raise BadInput(f"{path} cannot be packed: {e}", field="files") from e


def upload(client: Client, sandbox: Sandbox) -> None:
    """Bring a sandbox to the server, unless it has it already."""
    url = client.send(jobs.new_sandbox(sandbox.sha256, sandbox.size)).url
    if url is None:
        return
    try:
        response = client.http.put(
            url,
            content=checksum.pieces(sandbox.file),
            headers={"content-length": str(sandbox.size)},
        )
    except TransportError as e:
        raise ServerAway(f"The sandbox could not be uploaded: {e}", hint="Try again.") from e
    if response.is_error:
        raise Problem.of(response)


def fetch(client: Client, job_id: int, folder: Path) -> list[Path]:
    """Unpack the output sandbox of a job into a folder; returns the files."""
    url = client.send(jobs.sandbox(job_id)).url
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as archive:
        try:
            with client.http.stream("GET", url) as response:
                if response.is_error:
                    response.read()
                    raise Problem.of(response)
                for piece in response.iter_raw(checksum.PIECE):
                    archive.write(piece)
        except TransportError as e:
            raise ServerAway(f"The output sandbox could not be fetched: {e}", hint="Try again.") from e
        archive.seek(0)
        return unpack(archive, folder)


def unpack(archive: IO[bytes], folder: Path) -> list[Path]:
    """Unpack the plain files of a tar.gz below a folder: no links, no devices, nothing outside."""
    written: list[Path] = []
    try:
        with tarfile.open(fileobj=archive, mode="r:gz") as members:
            for member in members:
                content = members.extractfile(member) if member.isfile() else None
                if content is None:
                    continue
                target = place(folder, member.name.removeprefix("./"))
                target.parent.mkdir(parents=True, exist_ok=True)
                with content, target.open("wb") as out:
                    for piece in checksum.pieces(content):
                        out.write(piece)
                target.chmod(0o755 if member.mode & 0o100 else 0o644)
                written.append(target)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile) as e:
        raise Damaged(f"The sandbox is not a tar.gz that can be read: {e}") from e
    return written

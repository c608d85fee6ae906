"""Files to and from storages, over HTTP: streamed, counted and checksummed on the way, never held in memory."""

from __future__ import annotations

import hashlib
import os
import re
import threading
import zlib
from typing import IO, Any, Callable, Dict, Optional, Tuple

from sancho_pilot.files import make_private_folder, remove_file
from sancho_pilot.http import BLOCK, Answer, Client, Unreachable, Unspeakable, host
from sancho_pilot.model import CallFailed, Failure, Input, Product, Trouble
from sancho_pilot.wire import Sandbox, Source, Target

TIMEOUT = 120.0
LATER = (408, 423, 425, 429)
DIGEST = re.compile(r"adler32=([0-9a-fA-F]{1,8})", re.IGNORECASE)


class Cancelled(Exception):
    """Nobody wants this transfer any more."""


class _Watched:
    """A file that stops being readable when its transfer is cancelled."""

    def __init__(self, file: IO[bytes], cancelled: threading.Event) -> None:
        self._file = file
        self._cancelled = cancelled

    def read(self, size: int = -1) -> bytes:
        if self._cancelled.is_set():
            raise Cancelled
        return self._file.read(size)

    def seek(self, offset: int) -> int:
        return self._file.seek(offset)


class Transfers:
    """Carries files; raises `CallFailed` for what the machine must decide about, and `Cancelled`."""

    def __init__(self, client: Client) -> None:
        """Use this client."""
        self._client = client

    # ------------------------------------------------------------------------------------------ fetching

    def fetch(self, wanted: Input, source: Source, path: str, cancelled: threading.Event) -> None:
        """Bring an input to `path`, going on where an earlier try broke off. What is there and right is kept."""
        if os.path.exists(path) and _fits(path, wanted):
            return
        make_private_folder(os.path.dirname(path))
        part = f"{path}.part"
        adler, there = _adler32(part) if os.path.exists(part) else (1, 0)
        if there >= wanted.size:
            adler, there = 1, 0
        headers = {"Authorization": f"Bearer {source.token}", "Accept-Encoding": "identity"}
        if there:
            headers["Range"] = f"bytes={there}-"
        with self._ask("GET", source.url, headers) as answer:
            _expect(answer, source.url, 200, 206)
            resumed = answer.status == 206 and there > 0
            adler = self._receive(answer, part, (adler, there) if resumed else (1, 0), wanted, cancelled)
        if wanted.adler32 not in (None, f"{adler:08x}"):
            remove_file(part)
            raise _broken(source.url, f"adler32 is {adler:08x}, it should be {wanted.adler32}")
        os.replace(part, path)

    def _receive(
        self, answer: Answer, part: str, so_far: Tuple[int, int], wanted: Input, cancelled: threading.Event
    ) -> int:
        adler, size = so_far
        with open(part, "ab" if size else "wb") as file:
            for block in _blocks(answer, cancelled):
                size += len(block)
                if size > wanted.size:
                    break
                adler = zlib.adler32(block, adler)
                file.write(block)
        if size != wanted.size:
            remove_file(part)
            raise _broken(
                "", f"{'more' if size > wanted.size else 'only'} {size} B came, {wanted.size} B were promised"
            )
        return adler

    def fetch_sandbox(self, sandbox: Sandbox, path: str, cancelled: threading.Event) -> None:
        """Bring an input sandbox from its presigned URL."""
        digest, size = hashlib.sha256(), 0
        with self._ask("GET", sandbox.url, {"Accept-Encoding": "identity"}) as answer, open(path, "wb") as file:
            _expect(answer, sandbox.url, 200)
            for block in _blocks(answer, cancelled):
                size += len(block)
                if size > sandbox.size:
                    break
                digest.update(block)
                file.write(block)
        if size != sandbox.size or digest.hexdigest() != sandbox.sha256:
            raise _broken(sandbox.url, "it is not what was promised")

    # ---------------------------------------------------------------------------------------- uploading

    def put(self, product: Product, path: str, target: Target, look_first: bool, cancelled: threading.Event) -> None:
        """Put a product where it belongs. A file that is there already and is the same counts as put."""
        if look_first and self._is_there(product, target):
            return
        headers = {
            "Authorization": f"Bearer {target.token}",
            "Content-Type": "application/octet-stream",
            "Content-Length": str(product.size),
            "Digest": f"adler32={product.adler32}",
            "If-None-Match": "*",
        }
        with open(path, "rb") as file, self._ask("PUT", target.url, headers, _Watched(file, cancelled)) as answer:
            answer.read()
            if answer.status == 412 and self._is_there(product, target):
                return
            _expect(answer, target.url, 200, 201, 204)
            said = _digest(answer)
        if said not in (None, product.adler32):
            raise _broken(target.url, f"adler32 arrived as {said}, it was sent as {product.adler32}")

    def put_sandbox(self, path: str, size: int, url: str, cancelled: threading.Event) -> None:
        """Put an output sandbox to its presigned URL."""
        headers = {"Content-Type": "application/gzip", "Content-Length": str(size)}
        with open(path, "rb") as file, self._ask("PUT", url, headers, _Watched(file, cancelled)) as answer:
            answer.read()
            _expect(answer, url, 200, 201, 204)

    def _is_there(self, product: Product, target: Target) -> bool:
        """Whether the storage has exactly this file. A storage that will not say has not."""
        headers = {
            "Authorization": f"Bearer {target.token}",
            "Want-Digest": "adler32",
            "Accept-Encoding": "identity",
        }
        with self._ask("HEAD", target.url, headers) as answer:
            answer.read()
            if answer.status != 200:
                return False
            return answer.headers.get("Content-Length") == str(product.size) and _digest(answer) == product.adler32

    def _ask(self, method: str, url: str, headers: Dict[str, str], body: Any = None) -> Answer:
        try:
            return self._client.ask(method, url, headers, body, timeout=TIMEOUT)
        except Unreachable as problem:
            raise CallFailed(Failure(Trouble.AWAY, str(problem))) from problem
        except Unspeakable as problem:
            raise CallFailed(Failure(Trouble.REJECTED, str(problem))) from problem


def examine(path: str, cancelled: Callable[[], bool]) -> Tuple[int, str]:
    """Return size and adler32 of a file."""
    adler, size = _adler32(path, cancelled)
    return size, f"{adler:08x}"


def _adler32(path: str, cancelled: Optional[Callable[[], bool]] = None) -> Tuple[int, int]:
    adler, size = 1, 0
    with open(path, "rb") as file:
        while True:
            block = file.read(4 * BLOCK)
            if not block:
                return adler, size
            if cancelled is not None and cancelled():
                raise Cancelled
            adler = zlib.adler32(block, adler)
            size += len(block)


def _fits(path: str, wanted: Input) -> bool:
    adler, size = _adler32(path)
    return size == wanted.size and wanted.adler32 in (None, f"{adler:08x}")


def _blocks(answer: Answer, cancelled: threading.Event) -> "Any":
    while True:
        if cancelled.is_set():
            raise Cancelled
        try:
            block = answer.read(BLOCK)
        except Unreachable as problem:
            raise CallFailed(Failure(Trouble.AWAY, str(problem))) from problem
        if not block:
            return
        yield block


def _expect(answer: Answer, url: str, *good: int) -> None:
    status = answer.status
    if status in good:
        return
    if (status >= 500 and status != 507) or status in LATER:
        trouble = Trouble.AWAY
    elif status in (401, 403):
        trouble = Trouble.DENIED
    elif status in (404, 410, 412, 416):
        trouble = Trouble.BROKEN
    else:
        trouble = Trouble.REJECTED
    raise CallFailed(Failure(trouble, f"{host(url)}: the storage answered {status}"))


def _digest(answer: Answer) -> Optional[str]:
    found = DIGEST.search(answer.headers.get("Digest") or "")
    return None if found is None else found.group(1).lower().rjust(8, "0")


def _broken(url: str, what: str) -> CallFailed:
    return CallFailed(Failure(Trouble.BROKEN, f"{host(url)}: {what}" if url else what))

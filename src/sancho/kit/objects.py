"""Small objects (sandboxes) in an object store, reached by clients through presigned URLs.

On S3 and its kin clients talk to the store. On a local folder the server itself signs and serves:
`GET|PUT /v1/objects/KEY?expires=…&signature=…`, where the signature covers method, key, size and expiry. Clients that
can only send forms `POST` theirs there where nothing can sign forms of the store, and the server passes them on.

A key may name its content: if its last part begins with 64 hex digits, what the server takes in must hash to them.
"""

import hashlib
import hmac
import re
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import quote, urlencode

from sancho.kit.errors import Forbidden

Method = Literal["GET", "PUT", "POST"]
_DIGEST = re.compile(r"(?:.*/)?([0-9a-f]{64})(?:\..*)?")


class SignatureWrong(Forbidden):
    """This presigned URL is not valid: {reason}."""

    code = "signature_wrong"

    def __init__(self, *, reason: str) -> None:
        """Say whether it expired or was changed."""
        super().__init__(reason=reason, hint="Ask for a new one.")


@dataclass(frozen=True, slots=True)
class Form:
    """Where an object is sent to: a URL, and the fields that go before it when it is the `file` of a form."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


class Objects(Protocol):
    """A store of small objects that can presign."""

    base_url: str
    """Where the server's own routes for objects are."""
    secret: bytes
    """Signs URLs that lead there."""
    verifies: bool
    """Whether an object of a key that names its content always has that content, however it came."""

    async def presign(self, method: Method, key: str, *, lifetime: timedelta, size: int | None = None) -> str:
        """A URL with which anybody may GET, PUT or POST (a form with a `file`) this one object until it expires."""
        ...

    async def form(self, key: str, *, lifetime: timedelta, size: int) -> Form:
        """A form with which anybody may send this one object until it expires."""
        ...

    async def size(self, key: str) -> int | None:
        """Bytes of an object; None when there is none."""
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; deleting what is not there is fine."""
        ...

    async def write(self, key: str, chunks: AsyncIterable[bytes], size: int) -> None:
        """Keep an object of exactly `size` bytes, whole or not at all; raises `SizeDiffers` or `ContentDiffers`."""
        ...

    def read(self, key: str) -> AsyncIterator[bytes]:
        """Stream an object; raises `NotFound`."""
        ...


def digest_of(key: str) -> str | None:
    """The SHA-256 of the content that a key names, in hex; None when it names none."""
    found = _DIGEST.fullmatch(key)
    return None if found is None else found[1]


Allowed = tuple[Method, str, int, int | None]
"""What a presigned URL allows: method, key, expiry (seconds of the epoch), size of what is put."""


def signature(secret: bytes, allowed: Allowed) -> str:
    """HMAC-SHA256 over what a presigned URL allows, in hex."""
    method, key, expires, size = allowed
    said = f"{method}\n{key}\n{expires}\n{'' if size is None else size}".encode()
    return hmac.new(secret, said, hashlib.sha256).hexdigest()


def signed_url(base: str, secret: bytes, allowed: Allowed) -> str:
    """A URL under `base` that `check` accepts until it expires."""
    _, key, expires, size = allowed
    query = {"expires": str(expires), "signature": signature(secret, allowed)}
    if size is not None:
        query["size"] = str(size)
    return f"{base}/{quote(key)}?{urlencode(query)}"


def check(secret: bytes, allowed: Allowed, *, given: str, now: datetime) -> None:
    """Raise `SignatureWrong` unless the signature fits and has not expired."""
    if not hmac.compare_digest(signature(secret, allowed).encode(), given.encode()):
        raise SignatureWrong(reason="its signature does not fit")
    if now.timestamp() >= allowed[2]:
        raise SignatureWrong(reason="it has expired")

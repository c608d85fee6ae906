"""How the system reaches a storage: write once, read, check, delete; one file at a time, as a stream.

A *storage* here is a door, not a place: it knows a protocol and holds no list of files. Where a file is, is its URL;
who may touch it, is the token, made for exactly that path.
"""

from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from pydantic import BaseModel


class StorageUnavailable(Exception):
    """The storage cannot do it now: an outage, an overload, a full disk. The same call may succeed later."""

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        """`retry_after`: seconds that the storage itself asked us to wait, when it did."""
        super().__init__(detail)
        self.retry_after = retry_after


class ObjectMissing(Exception):
    """There is no file at this URL."""


class ObjectExists(Exception):
    """There is a file at this URL already, and a write never replaces one."""


class StorageRefused(Exception):
    """The storage understood and said no: a token that does not allow it, a malformed URL. Do not retry."""


@dataclass(frozen=True)
class Stat:
    """What a storage says of one file."""

    size: int
    adler32: str | None
    """Eight lowercase hexadecimal digits; None when this storage does not know checksums."""
    modified_at: datetime | None
    """Aware; None when this storage does not say."""


class Storage(Protocol):
    """A door to the storages of one protocol.

    An implementation holds no state but a pool of connections, which `aclose`
    closes, so another process may go on where this one ended. All methods may
    be called at once, for the same URL too. Nothing is retried inside: every
    method raises `StorageUnavailable` when a later call may succeed and
    `StorageRefused` when it would not, and the caller decides. No error text
    holds a token.

    `token` is a bearer token for the path of `url`; a protocol that has no
    tokens ignores it.
    """

    Settings: type[BaseModel]

    async def stat(self, url: str, token: str) -> Stat:
        """Say what is there; raises `ObjectMissing`. May take as long as reading the file, to know its checksum."""
        ...

    def read(self, url: str, token: str, offset: int = 0) -> AsyncGenerator[bytes, None]:
        """Stream the bytes from `offset` on, in pieces of at most a few MiB; raises `ObjectMissing` at the first one.

        At or beyond the end there is nothing, which is not an error. A stream
        that breaks off raises `StorageUnavailable`; it never just ends early.
        Whoever stops before the end calls `aclose` on the stream.
        """
        ...

    async def write(self, url: str, token: str, chunks: AsyncIterable[bytes], size: int | None) -> Stat:
        """Store what `chunks` yields, and return what the storage then says of it.

        Parent folders are made. Raises `ObjectExists` if there is a file
        already, and leaves that one as it was; of several writers at once one
        wins. With `size`, exactly so many bytes must come. An exception
        raised by `chunks` passes through unchanged. Memory use does not grow
        with the size of the file.

        After any exception but `ObjectExists` the caller knows nothing: a
        storage that publishes files before they are complete, or an answer
        lost on the way, may have left a file. Look with `stat`.
        """
        ...

    async def delete(self, url: str, token: str) -> None:
        """Delete the file; raises `ObjectMissing`. Its folders stay, and no folder goes with what is in it."""
        ...

    async def aclose(self) -> None:
        """Close the connections. Nothing may be called afterwards; closing twice is not an error."""
        ...


@runtime_checkable
class SignsUrls(Protocol):
    """What a storage may know besides: URLs that need no token, because their query says what may be done.

    They are for clients that know no tokens. A URL ends up in logs and in the
    histories of shells, so a storage makes none unless its settings say so.
    """

    @property
    def signs(self) -> bool:
        """Whether these storages take such URLs, by their settings."""
        ...

    def signed(self, url: str, token: str, *, write: bool, lifetime: timedelta) -> str:
        """The URL of a file, good for `lifetime` from now: to read it, or to write it where there is none.

        `token` allows exactly that for so long; a storage that has signatures of its own does not look at it.
        """
        ...

"""How the system has one file carried from one storage to another, and how it hears what went wrong."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class TransferSpec:
    """One file to carry. Printing it shows no token."""

    transfer_id: int
    source_url: str
    source_token: str = field(repr=False)
    destination_url: str
    destination_token: str = field(repr=False)
    """Allows reading, writing and deleting the destination: a half file of an earlier try has to go."""
    size: int
    adler32: str | None
    """Eight lowercase hexadecimal digits, from the catalogue; None when it was never registered."""


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """The file is at the destination, and the destination's size and checksum were seen to be right."""

    size: int
    adler32: str
    """What the bytes at the destination sum up to, also when the catalogue did not know."""
    bytes_moved: int
    """How many bytes this call carried: `size`, or 0 when the file had already arrived."""
    duration: timedelta

    @property
    def bytes_per_second(self) -> float:
        """The rate of this call; 0 when nothing had to be carried."""
        return self.bytes_moved / max(self.duration.total_seconds(), 1e-6)


class TransferFailed(Exception):
    """A transfer did not arrive; the text says why, and holds no token."""

    def __init__(self, detail: str, *, retryable: bool, retry_after: float | None = None) -> None:
        """`retryable`: the same transfer may succeed later; `retry_after`: in so many seconds, if a storage said so."""
        super().__init__(detail)
        self.detail = detail
        self.retryable = retryable
        self.retry_after = retry_after


class SourceFailed(TransferFailed):
    """The source did not give the file: it is missing, refused or unavailable. Another source may do better."""


class DestinationFailed(TransferFailed):
    """The destination did not take the file. Another source would not help."""


class ChecksumMismatch(TransferFailed):
    """Size or checksum are not what they should be; what is wrong at the destination was deleted.

    Not retryable: the source's own bytes differ from the catalogue, so its
    replica is bad. Retryable: the bytes were right when they left, and the
    destination got something else.
    """


class TransferTool(Protocol):
    """What moves bytes between storages.

    An implementation holds no state but connections, which `aclose` closes:
    the caller may die and carry the same transfer again from another
    process. Many calls may run at once. Nothing is retried inside.
    """

    Settings: type[BaseModel]

    async def carry(self, transfer: TransferSpec) -> Arrived:
        """Bring the file to the destination; raises a `TransferFailed`.

        Safe to run twice: a destination that already holds the right size and
        checksum is a success, and a different file there, such as the half
        file of a try that died, is replaced. Cancelling it is safe too.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections. Nothing may be called afterwards; closing twice is not an error."""
        ...

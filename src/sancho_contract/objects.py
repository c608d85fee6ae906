"""How URLs are signed with which others send small objects straight to a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class Announced:
    """An object that somebody is about to send: where it belongs, how large it is, and the SHA-256 of its content."""

    key: str
    size: int
    sha256: bytes


class ObjectSigner(Protocol):
    """Signs for one bucket of a store, so that the store itself takes nothing but what was announced.

    It talks to nobody and answers at once, from what it was made with. It may be asked from many threads.
    """

    Settings: type[BaseModel]

    def put(self, announced: Announced, *, lifetime: timedelta) -> str:
        """A URL to PUT this object to, with a Content-Length and no other header that counts, until it expires."""
        ...

    def form(self, announced: Announced, *, lifetime: timedelta) -> tuple[str, Mapping[str, str]]:
        """A URL, and the fields of a form that is sent there with POST; the object is its last field, `file`."""
        ...

    def get(self, key: str, *, lifetime: timedelta) -> str:
        """A URL to GET an object from until it expires."""
        ...

"""A storage in memory, as a plugin would be, that can be told to be away, to refuse, and to do something first."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sancho.kit.access import Algorithm
from sancho.kit.db import Connection, Database
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.replicas.model import ReplicaKey
from sancho.rses import service as rses
from sancho_contract.storage import ObjectMissing, StorageRefused, StorageUnavailable
from tests.world import World


@dataclass
class Shelf:
    """Files by URL. `away` and `refused` are parts of URLs; `before` runs before each deletion."""

    files: set[str] = field(default_factory=set[str])
    away: str | None = None
    refused: str | None = None
    before: Callable[[], Awaitable[None]] | None = None
    asked: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    async def delete(self, url: str, token: str) -> None:
        self.asked.append((url, token))
        if (before := self.before) is not None:
            self.before = None
            await before()
        if self.away is not None and self.away in url:
            raise StorageUnavailable("it is away")
        if self.refused is not None and self.refused in url:
            raise StorageRefused("it will not")
        if url not in self.files:
            raise ObjectMissing
        self.files.remove(url)


class StoppedClock:
    """A clock that a test moves; it begins a little ahead of the database's."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC) + timedelta(minutes=1)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


class PlainSigner:
    """Signs in plain text: what a token allows can be read."""

    issuer = "https://here.test"

    def sign(self, claims: Mapping[str, Any], lifetime: timedelta, *, algorithm: Algorithm = "Ed25519") -> str:
        assert algorithm == "ES256", "storages know nothing newer"
        return f"{claims['sub']} {claims['scope']} {lifetime.total_seconds():.0f} s"


def deployment(database: Database, shelf: Shelf, clock: StoppedClock) -> Deployment:
    """A deployment whose storages are all this shelf."""
    extensions = Extensions({("sancho.storage", "posix"): shelf})
    return Deployment(
        database=database, public_url="", signer=PlainSigner(), extensions=extensions, clock=clock,
        objects=cast(Any, None),
    )  # fmt: skip


async def url(conn: Connection, world: World, key: ReplicaKey, name: str) -> str:
    """Where a file of belle lies."""
    known = await rses.by_id(conn, [key.rse_id])
    return rses.place(known[key.rse_id], "belle", "mc", key.did_id, name).url

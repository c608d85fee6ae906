"""What the tests of identity, sites and RSEs share: a clock that stands still, an issuer, a small application."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, TypeVar, cast

import httpx2
from argon2 import PasswordHasher
from fastapi import APIRouter, FastAPI

from sancho.decisions import service as decisions
from sancho.identity import service, store
from sancho.identity.api import PUBLIC_ROUTERS, ROUTERS
from sancho.kit import problem
from sancho.kit.access import Principal
from sancho.kit.db import Connection, Database, execute, fetch_value, find
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.kit.issuer import Issuer, rotate
from sancho.kit.routes import serve
from sancho.pilots import service as pilots
from sancho.vos.model import Kind
from tests.world import World

URL = "https://sancho.test"
PASSWORD = "correct horse"
ROOT = Principal(
    vo=0, vo_name="instance", account_id=1, account="root", permissions=frozenset("*"), vos=(0, 1, 2)
)  # fmt: skip


@dataclass
class StoppedClock:
    """A clock that moves when it is told to."""

    time: datetime = datetime(2030, 1, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by


T = TypeVar("T")


class OneTransaction(Database):
    """Transactions that follow each other inside one that the test rolls back: quicker than a database of its own."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self, vos: Iterable[int], *, plan_once: bool = False) -> AsyncIterator[Connection]:  # noqa: ARG002
        served = ",".join(str(vo) for vo in vos)
        async with self._turn, self._conn.transaction():
            await execute(self._conn, "SELECT set_config('sancho.vo', %(served)s, true)", {"served": served})
            yield self._conn

    async def glance(
        self, vos: Iterable[int], kind: type[T], query: LiteralString, params: Mapping[str, Any] | None = None,
        *, first: LiteralString | None = None,
    ) -> T | None:  # fmt: skip
        async with self.transaction(vos) as conn:
            if first is not None:
                await execute(conn, first, params)
            return await find(conn, kind, query, params)


CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
"""Hashes as the application does, at a hundredth of the price."""


@cache
def hashed(password: str) -> str:
    return CHEAP.hash(password)


@dataclass
class Installation:
    """A deployment on a database of its own, with what answers requests to it."""

    deployment: Deployment
    issuer: Issuer
    authenticators: service.Authenticators
    clock: StoppedClock
    keys: Path

    @property
    def database(self) -> Database:
        return self.deployment.database

    async def with_password(self, vo: int, account: str, password: str = PASSWORD) -> None:
        async with self.database.transaction([vo]) as conn:
            known = await service.get_account(conn, vo, account)
            ids = [known.account_id]
            await store.put_passwords(
                conn, vo, account_ids=ids, names=[account], hashes=[hashed(password)], now=self.clock.now()
            )  # fmt: skip

    def client(self, *routers: APIRouter, kinds: Sequence[Kind[Any]] = ()) -> httpx2.AsyncClient:
        app = FastAPI()
        serve(app, (*ROUTERS, *routers, *PUBLIC_ROUTERS))
        problem.install(app)
        app.state.deployment = self.deployment
        app.state.authenticator = self.authenticators
        app.state.kinds = kinds
        app.state.targets = ()
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=URL)

    def bearer(self, vo: str, account: str) -> dict[str, str]:
        claims = {"sub": f"{vo}:{account}", "aud": URL, "scope": "sancho"}
        return {"authorization": f"Bearer {self.issuer.sign(claims, timedelta(hours=1))}"}

    def later(self, by: timedelta) -> None:
        self.clock.advance(by)


def install(database: Database, folder: Path) -> Installation:
    clock, keys = StoppedClock(), folder / "keys"
    rotate(keys, clock=clock)
    issuer = Issuer(keys, URL, clock=clock)
    deployment = Deployment(
        database=database, public_url=URL, signer=issuer, extensions=Extensions(), objects=cast(Any, None), clock=clock
    )
    return Installation(
        deployment,
        issuer,
        service.Authenticators(
            database, issuer, rights=decisions.rights_of(deployment.extensions), machines=pilots.Machines()
        ),
        clock,
        keys,
    )


async def pilot(installation: Installation, world: World, stamp: str, login: bytes) -> int:
    """Note a pilot on A-CE whose last secret has this digest; return its id."""
    async with installation.deployment.database.transaction([0]) as conn:
        return await fetch_value(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            VALUES (0, 'R', %(ce)s, %(site)s, %(stamp)s, %(login)s) RETURNING pilot_id
            """,
            {"ce": world.resource["A-CE"], "site": world.resource["SITE-A"], "stamp": stamp, "login": login},
        )


def acting(vo: int, vo_name: str, account_id: int, account: str, *permissions: str) -> Principal:
    return replace(
        ROOT, vo=vo, vo_name=vo_name, account_id=account_id, account=account, permissions=frozenset(permissions),
        vos=(vo,),
    )  # fmt: skip

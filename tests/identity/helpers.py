"""What the tests of identity, sites and RSEs share: a clock that stands still, an issuer, a small application."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
from fastapi import APIRouter, FastAPI

from sancho.identity import service, store
from sancho.identity.api import public_router, router
from sancho.identity.service.passwords import make_hash
from sancho.kit import problem
from sancho.kit.access import Principal
from sancho.kit.db import Database
from sancho.kit.deployment import Deployment
from sancho.kit.extensions import Extensions
from sancho.vos.model import Kind

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


@dataclass
class Installation:
    """A deployment on a database of its own, with what answers requests to it."""

    deployment: Deployment
    issuer: service.Issuer
    authenticators: service.Authenticators
    clock: StoppedClock
    keys: Path

    @property
    def database(self) -> Database:
        return self.deployment.database

    async def with_password(self, vo: int, account: str, password: str = PASSWORD) -> None:
        hashed = await make_hash(password)
        async with self.database.transaction([vo]) as conn:
            known = await service.get_account(conn, vo, account)
            ids = [known.account_id]
            await store.put_passwords(
                conn, vo, account_ids=ids, names=[account], hashes=[hashed], now=self.clock.now()
            )  # fmt: skip

    def client(self, *routers: APIRouter, kinds: Sequence[Kind[Any]] = ()) -> httpx2.AsyncClient:
        app = FastAPI()
        for each in (router, *routers):
            app.include_router(each, prefix="/v1")
        app.include_router(public_router)
        problem.install(app)
        app.state.deployment = self.deployment
        app.state.authenticator = self.authenticators
        app.state.kinds = kinds
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        return httpx2.AsyncClient(transport=transport, base_url=URL)

    def bearer(self, vo: str, account: str) -> dict[str, str]:
        claims = {"sub": f"{vo}:{account}", "aud": URL, "scope": "sancho"}
        return {"authorization": f"Bearer {self.issuer.sign(claims, timedelta(hours=1))}"}

    def later(self, by: timedelta) -> None:
        self.clock.advance(by)


def install(database: Database, folder: Path) -> Installation:
    clock, keys = StoppedClock(), folder / "keys"
    service.rotate(keys, clock=clock)
    issuer = service.Issuer(keys, URL, clock=clock)
    deployment = Deployment(
        database=database, public_url=URL, signer=issuer, extensions=Extensions(), objects=cast(Any, None), clock=clock
    )
    return Installation(deployment, issuer, service.Authenticators(database, issuer), clock, keys)


def acting(vo: int, vo_name: str, account_id: int, account: str, *permissions: str) -> Principal:
    return replace(
        ROOT, vo=vo, vo_name=vo_name, account_id=account_id, account=account, permissions=frozenset(permissions),
        vos=(vo,),
    )  # fmt: skip

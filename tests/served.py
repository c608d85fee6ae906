"""An application served to tests in their own process, on a database of its own, with storages in folders.

The storages are real: the `posix` plugin on two folders of the test. Background tasks run when a test says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import psycopg
from fastapi import FastAPI
from psycopg.types.json import Jsonb

from sancho.app import create_app
from sancho.identity import service as identity
from sancho.identity import store
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import ensure_key
from sancho.kit.worker import make_app, work
from sancho.parts import TASKS, make_deployment
from sancho.settings import FairSettings, ObjectSettings, Settings
from tests.identity.helpers import PASSWORD, hashed
from tests.world import World


@dataclass
class Served:
    """A served application: send it requests, run its tasks."""

    client: httpx2.AsyncClient
    deployment: Deployment
    world: World
    url: str
    storages: dict[str, Path]
    owner_url: str
    folder: Path
    app: FastAPI
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def token(self, vo: str = "belle", account: str = "alice") -> str:
        """A token as a login would give it; the same again, as of one login, so that who it is for is known by then."""
        known = self.tokens.get((vo, account))
        if known is not None:
            return known
        claims = {"sub": f"{vo}:{account}", "aud": self.deployment.signer.issuer, "scope": "sancho"}
        return self.tokens.setdefault((vo, account), self.deployment.signer.sign(claims, timedelta(hours=1)))

    async def send(
        self,
        method: str,
        path: str,
        *,
        vo: str = "belle",
        account: str = "alice",
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> httpx2.Response:
        """Send a request as somebody; paths are below /v1."""
        said = {**(headers or {}), "authorization": f"Bearer {token or self.token(vo, account)}"}
        return await self.client.request(method, f"/v1{path}", headers=said, **more)

    async def give_password(self, vo: str, account: str) -> None:
        """Let somebody log in by password."""
        number: int = 0 if vo == "instance" else getattr(self.world, vo)
        async with self.deployment.database.transaction([number]) as conn:
            known = await identity.get_account(conn, number, account)
            ids, now = [known.account_id], self.deployment.clock.now()
            await store.put_passwords(
                conn, number, account_ids=ids, names=[account], hashes=[hashed(PASSWORD)], now=now
            )  # fmt: skip

    async def run_tasks(self) -> None:
        """Carry out the tasks that wait."""
        await work(make_app(self.url, TASKS), self.deployment, concurrency=4, wait=False)

    def put(self, url: str, content: bytes) -> None:
        """Put bytes where an upload's `file:` URL says, as its owner would."""
        path = Path(url.removeprefix("file://"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def settings_for(url: str, folder: Path) -> Settings:
    """Settings of an application in a folder of its own; a test asks faster than any account may."""
    return Settings(
        database_url=url, state_dir=folder, public_url="http://testserver",  # pyright: ignore[reportArgumentType]
        objects=ObjectSettings(folder=folder / "objects"), fair=FairSettings(account=5000, vo=5000),
    )  # fmt: skip


def give_storages(owner_url: str, folder: Path, names: Sequence[str] = ("A-DISK", "B-DISK")) -> dict[str, Path]:
    """Let the world's RSEs lie in folders, reached by the `posix` plugin."""
    storages = {name: folder / name for name in names}
    with psycopg.connect(owner_url, options="-c search_path=sancho") as conn:
        for name, path in storages.items():
            path.mkdir(parents=True, exist_ok=True)
            conn.execute(
                """
                UPDATE rse_protocol p SET prefix = %s, settings = %s
                  FROM rse WHERE rse.rse_id = p.rse_id AND rse.name = %s
                """,
                [f"file://{path}", Jsonb({"roots": [str(path)]}), name],
            )
    return storages


def serve(database_url: str, owner_url: str, folder: Path, world: World) -> Served:
    """An application that is not open yet; enter its `deployment.database` and `client`."""
    storages = give_storages(owner_url, folder / "storage")
    settings = settings_for(database_url, folder)
    ensure_key(settings.keys)
    deployment = make_deployment(settings, "api")
    app = create_app(settings, deployment)
    app.state.news.longest = 0.05  # the whole answer is awaited here
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://testserver")
    return Served(
        client=client,
        deployment=deployment,
        world=world,
        url=database_url,
        storages=storages,
        owner_url=owner_url,
        folder=folder,
        app=app,
    )

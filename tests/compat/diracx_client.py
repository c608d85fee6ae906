"""A served application, and the unmodified `dirac` that talks to it as its users run it."""

import asyncio
import json
import os
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from sancho.app import create_app
from sancho.identity import service as identity
from sancho.identity import store
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import ensure_key
from sancho.parts import make_deployment
from tests.compat.forking import BIN, Forked, fork
from tests.conftest import eventually
from tests.identity.helpers import PASSWORD, hashed
from tests.served import settings_for

READ = ("diracx.api.jobs", "diracx.client.aio", "diracx.client.sync", "diracx.cli", "rich.console", "typer")
"""What all of the programs import."""
CONTACT = "mailto:security@sancho.test"
PAGE = re.compile(r"http://127\.0\.0\.1:\d+/\S+")


@dataclass
class Dirac:
    """A user's shell with `dirac` in it, and the application that it speaks with."""

    deployment: Deployment
    url: str
    folder: Path
    started: list[Forked] = field(default_factory=list)

    @property
    def credentials(self) -> Path:
        """Where the client keeps its tokens."""
        return self.folder / "credentials.json"

    def said_tokens(self) -> dict[str, Any]:
        """What the client keeps."""
        return json.loads(self.credentials.read_text())

    def age(self) -> None:
        """Let the client think that its access token is about to end."""
        self.credentials.write_text(json.dumps({**self.said_tokens(), "expires_on": 0}))

    @property
    def environment(self) -> dict[str, str]:
        """What the user's programs find."""
        return {
            "DIRACX_URL": self.url, "DIRACX_CREDENTIALS_PATH": str(self.credentials), "HOME": str(self.folder),
            "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", "TERM": "dumb", "COLUMNS": "200",
        }  # fmt: skip

    async def start(self, *command: str) -> Forked:
        """Start a program of the client's environment, or as `python -c` one that uses DiracX's client."""
        if command[:2] == ("python", "-c"):
            made = await fork(READ, "-c", command[2], command[3:], self.environment)
        else:
            script = BIN / command[0]
            made = await fork(READ, script, script.read_text(), command[1:], self.environment)
        self.started.append(made)
        return made

    async def run(self, *command: str) -> tuple[int | None, str]:
        """Run a command to its end: exit code, and what it said."""
        started = await self.start(*command)
        said, _ = await started.communicate()
        return started.returncode, said.decode()

    async def log_in(self, *arguments: str, choice: str = "password", account: str = "alice") -> tuple[int | None, str]:
        """Log in, and approve it in a browser."""
        started = await self.start("dirac", "login", *arguments)
        assert started.stdout is not None
        said = ""
        while (found := PAGE.search(said)) is None:
            line = (await started.stdout.readline()).decode()
            assert line, said
            said += line
        await approve(found[0], choice=choice, account=account)
        rest, _ = await started.communicate()
        return started.returncode, said + rest.decode()

    async def whoami(self) -> dict[str, Any]:
        """Who the client says that it is."""
        status, said = await self.run("dirac", "whoami")
        assert status == 0, said
        return json.loads(said)

    async def give_password(self, vo: int, account: str) -> None:
        """Let somebody log in by password."""
        async with self.deployment.database.transaction([vo]) as conn:
            known = await identity.get_account(conn, vo, account)
            now = self.deployment.clock.now()
            await store.put_passwords(
                conn, vo, account_ids=[known.account_id], names=[account], hashes=[hashed(PASSWORD)], now=now
            )  # fmt: skip

    async def stop(self) -> None:
        """End the clients that still run."""
        for started in self.started:
            if started.returncode is None:
                started.kill()
                await started.wait()


async def approve(address: str, *, choice: str = "password", account: str = "alice") -> httpx2.Response:
    """What somebody does with a browser who is given an address: log in there; return the last page."""
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(address)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        assert hidden, page.text
        form = {**hidden, "choice": choice, "account": account, "password": PASSWORD}
        return await browser.post(str(page.url.join("login")), data=form)


@asynccontextmanager
async def dirac_at(database_url: str, folder: Path, **more: Any) -> AsyncIterator[Dirac]:
    """Serve an application, with `more` settings, on a free port of the loopback address; alice has a password."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = settings_for(database_url, folder).model_copy(
            update={"public_url": url, "security_contact": CONTACT, **more}
        )
        ensure_key(settings.keys)
        deployment = make_deployment(settings)
        config = uvicorn.Config(
            create_app(settings, deployment), http="httptools", log_config=None, proxy_headers=False
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        made = Dirac(deployment, url, folder)
        try:
            await eventually(lambda: server.started)
            await made.give_password(1, "alice")
            yield made
        finally:
            await made.stop()
            server.should_exit = True
            await serving

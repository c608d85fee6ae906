"""A served application, and the unmodified `rucio` that talks to it as its users run it."""

import asyncio
import json
import os
import re
import shutil
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
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

RUCIO = BIN / "rucio"
READ = ("click", "dogpile.cache", "jsonschema", "paramiko", "requests", "rich.console", "tabulate", "urllib3")
"""What Rucio's programs import that is not Rucio's own, which looks at the user's rucio.cfg when it is read."""
CALLS = Path(__file__).with_name("rucio_calls.py")
URL = re.compile(r"http://127\.0\.0\.1:\d+/\S+")


class Raised(Exception):
    """What Rucio's client raised: the name of the class, and its message."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass
class PythonClient:
    """The unmodified `rucio.client.Client` in a process of its own."""

    process: Forked

    async def call(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Call a method; what it returns, an iterator as a list, times as texts. Raises `Raised`."""
        self.process.stdin.write(json.dumps([method, arguments, named]).encode() + b"\n")
        line = await self.process.stdout.readline()
        if not line:
            raise AssertionError(f"Rucio's client ended: {(await self.process.communicate())[1].decode()}")
        answer = json.loads(line)
        if "raises" in answer:
            raise Raised(answer["raises"], answer["says"])
        return answer["gives"]


@dataclass
class Online:
    """An application that listens on the loopback address; alice of belle has a password."""

    deployment: Deployment
    url: str
    folder: Path
    started: list[Forked] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    async def give_password(self, vo: int, account: str) -> None:
        async with self.deployment.database.transaction([vo]) as conn:
            known = await identity.get_account(conn, vo, account)
            now = self.deployment.clock.now()
            await store.put_passwords(
                conn, vo, account_ids=[known.account_id], names=[account], hashes=[hashed(PASSWORD)], now=now
            )  # fmt: skip

    def configure(self, **client: str) -> Mapping[str, str]:
        """The environment of somebody with a rucio.cfg and no token yet; what is empty in it is left out."""
        home = self.folder / "rucio"
        shutil.rmtree(home, ignore_errors=True)
        for name in ("etc", "tmp"):
            (home / name).mkdir(parents=True, exist_ok=True)
        host = f"{self.url}/rucio"
        said = {"rucio_host": host, "auth_host": host, "vo": "belle", "account": "alice", "request_retries": "1"}
        lines = [f"{key} = {value}" for key, value in {**said, **client}.items() if value]
        (home / "etc" / "rucio.cfg").write_text("\n".join(["[client]", *lines, ""]))
        return {
            "RUCIO_HOME": str(home), "TMPDIR": str(home / "tmp"), "HOME": str(home), "PYTHONUNBUFFERED": "1",
            "PATH": os.environ["PATH"],
        }  # fmt: skip

    def token(self, subject: str, lifetime: timedelta = timedelta(hours=1)) -> str:
        """A token as a login would give it."""
        return self.deployment.signer.sign({"sub": subject, "aud": self.url, "scope": "sancho"}, lifetime)

    async def send(self, method: str, path: str, *, account: str = "alice", **more: Any) -> httpx2.Response:
        """Send a native request as an account of belle."""
        headers = {"authorization": f"Bearer {self.token(f'belle:{account}')}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers) as client:
            return await client.request(method, f"/v1{path}", **more)

    async def stop_clients(self) -> None:
        """End the clients that still run."""
        for started in self.started:
            if started.returncode is None:
                started.kill()
                await started.wait()

    async def start(self, arguments: Sequence[str], environment: Mapping[str, str]) -> Forked:
        started = await fork(READ, RUCIO, RUCIO.read_text(), arguments, environment)
        self.started.append(started)
        return started

    async def python_client(self, **client: str) -> PythonClient:
        """Rucio's client in Python as alice of belle, by her password; `client` is what her rucio.cfg says else."""
        mine = self.configure(
            auth_type="userpass", username=client.get("account", "alice"), password=PASSWORD, **client
        )
        started = await fork(READ, CALLS, CALLS.read_text(), [], mine, apart=True)
        self.started.append(started)
        made = PythonClient(started)
        await made.call("ping")  # it has read its rucio.cfg then, which the next client writes anew
        return made

    async def run(self, *arguments: str, environment: Mapping[str, str]) -> tuple[int | None, str]:
        """Run a command to its end: exit code, and what it said."""
        started = await self.start(arguments, environment)
        said, _ = await started.communicate()
        return started.returncode, said.decode()


async def refused(client: PythonClient, kind: str, method: str, *arguments: Any, **named: Any) -> str:
    """Call what is refused; what the error says."""
    with pytest.raises(Raised) as e:
        await client.call(method, *arguments, **named)
    assert e.value.kind == kind, str(e.value)
    return str(e.value)


def fields(said: str) -> dict[str, str]:
    """What `rucio whoami` shows."""
    return dict(re.findall(r"^(\w+) *: (.*)$", said, re.MULTILINE))


async def address_said(started: Forked) -> str:
    """The address that the client asks its user to open."""
    assert started.stdout is not None
    while line := (await started.stdout.readline()).decode():
        if found := URL.search(line):
            return found[0]
    raise AssertionError("the client asked for no browser")


async def log_in_at(address: str, *, choice: str = "password", password: str = PASSWORD) -> httpx2.Response:
    """What somebody does with a browser who is given an address: log in there as alice; return the last page."""
    async with httpx2.AsyncClient(follow_redirects=True) as browser:
        page = await browser.get(address)
        assert "belle" in page.text, page.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {**hidden, "choice": choice, "account": "alice", "password": password}
        return await browser.post(str(page.url.join("login")), data=form)


@asynccontextmanager
async def online(database_url: str, folder: Path, **more: Any) -> AsyncIterator[Online]:
    """Serve an application on a free port of the loopback address; `more` are settings."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = settings_for(database_url, folder).model_copy(update={"public_url": url, **more})
        ensure_key(settings.keys)
        deployment = make_deployment(settings)
        app = create_app(settings, deployment)
        server = uvicorn.Server(uvicorn.Config(app, http="httptools", log_config=None, proxy_headers=False))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await eventually(lambda: server.started)
        made = Online(deployment, url, folder)
        try:
            await made.give_password(1, "alice")
            yield made
        finally:
            server.should_exit = True
            await serving

"""A real API and two real storages for the client to talk to: everything but workers and pilots."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from typer.testing import CliRunner, Result

from sancho.cli import main
from sancho.kit.access import Signer
from sancho.kit.issuer import Issuer
from sancho_client import Client
from sancho_client.calls import identity as identity_calls
from sancho_client.environment import Environment
from sancho_client.tokens import GivenToken
from sancho_plugins.webdav_server import StorageServerSettings
from tests.conftest import Databases
from tests.storage_site import SERVE, free_port, wait_for

STORAGES = ("A-DISK", "B-DISK")
PASSWORD = "correct horse battery"
Variables = dict[str, str | None]


@dataclass
class Grid:
    """An API that is served, its storages' folders, and how to be somebody."""

    url: str
    signer: Signer
    folder: Path
    storages: dict[str, Path]

    def token(self, account: str = "alice", vo: str = "belle") -> str:
        claims = {"sub": f"{vo}:{account}", "aud": self.signer.issuer, "scope": "sancho"}
        return self.signer.sign(claims, timedelta(hours=1))

    def client(self, account: str = "alice", vo: str = "belle", **more: Any) -> Client:
        environment = Environment(config_home=self.folder / "nowhere")
        return Client(self.url, tokens=GivenToken(self.token(account, vo)), environment=environment, **more)

    def sancho(
        self,
        *words: str,
        account: str = "alice",
        vo: str = "belle",
        stdin: str | None = None,
        variables: Variables | None = None,
    ) -> Result:
        """Run a verb as somebody."""
        environment: Variables = {"SANCHO_URL": self.url, "SANCHO_TOKEN": self.token(account, vo)}
        runner = CliRunner(env=environment | (variables or {}))
        return runner.invoke(main.command_line(), words, input=stdin, catch_exceptions=False)

    def json(self, *words: str, code: int = 0, account: str = "alice", vo: str = "belle") -> Any:
        """Run a verb with --json, and read what it says."""
        ended = self.sancho(*words, "--json", account=account, vo=vo)
        assert ended.exit_code == code, ended.output
        return json.loads(ended.stdout)

    def files(self, rse: str) -> list[Path]:
        """The files on a storage, those that are being written not counted."""
        return [p for p in self.storages[rse].rglob("*") if p.is_file() and not p.name.startswith(".")]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker run all tests of the client that need the served grid, which takes long to start."""
    for item in items:
        if Path(__file__).parent in item.path.parents and "grid" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("client"))


@pytest.fixture(scope="session")
def grid(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grid]:
    """One API and two storages for all tests of the client in this worker."""
    folder = tmp_path_factory.mktemp("grid")
    name = databases.clone()
    url = f"http://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        stack.callback(databases.drop, name)
        storages = {rse: f"http://127.0.0.1:{free_port()}" for rse in STORAGES}
        _point_rses(databases.url(name, "sancho_owner"), storages)
        for rse, its_url in storages.items():
            settings = StorageServerSettings(
                name=rse,
                root=folder / rse,
                port=urlsplit(its_url).port or 0,
                issuer=url,
                jwks_url=f"{url}/.well-known/jwks.json",
                audience=f"https://{rse.lower()}.test",
            )
            command = [sys.executable, "-c", SERVE, settings.model_dump_json()]
            stack.enter_context(_process(command, {}, folder / f"{rse}.log", its_url))
        settings = {
            "SANCHO_DATABASE_URL": databases.url(name),
            "SANCHO_STATE_DIR": str(folder),
            "SANCHO_PUBLIC_URL": url,
            "SANCHO_PORT": str(urlsplit(url).port),
        }
        command = [sys.executable, "-m", "sancho.cli.main", "serve"]
        stack.enter_context(_process(command, settings, folder / "api.log", f"{url}/v1/health/ready"))
        made = Grid(url, Issuer(folder / "keys", url), folder, {rse: folder / rse for rse in STORAGES})
        with made.client("root") as client:
            client.send(identity_calls.change_password("alice", PASSWORD))
        yield made


@contextmanager
def _process(command: list[str], variables: dict[str, str], log: Path, ready_url: str) -> Iterator[None]:
    """A program that runs until the end, once it answers."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SANCHO_")} | variables
    with log.open("wb") as out, subprocess.Popen(command, env=environment, stdout=out, stderr=out) as process:

        def answers() -> bool:
            assert process.poll() is None, log.read_text()
            try:
                return httpx2.get(ready_url).status_code < 500
            except httpx2.TransportError:
                return False

        try:
            wait_for(answers, f"the start of {command[-1][:20]}")
            yield
        finally:
            process.kill()


def _point_rses(owner_url: str, urls: dict[str, str]) -> None:
    with psycopg.connect(owner_url, options="-c search_path=sancho") as conn:
        for rse, url in urls.items():
            conn.execute(
                "UPDATE rse_protocol p SET plugin = 'webdav', prefix = %s "
                "FROM rse WHERE rse.rse_id = p.rse_id AND rse.name = %s",
                [url, rse],
            )


@pytest.fixture
def unique() -> str:
    """A word that no other test uses: the catalogue of a session is shared."""
    return uuid.uuid4().hex[:8]

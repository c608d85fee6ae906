"""`sancho login --certificate` by a certificate and by proxies of the grid's own programs, through a real nginx."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from sancho.app import create_app
from tests.realparts.front import PROXY, nginx
from tests.realparts.grid_people import GridPeople
from tests.realparts.serving import serving
from tests.served import Served, settings_for
from tests.storage_site import free_port

ALICE = "/DC=org/DC=sancho/O=users/CN=Alice Example"


@dataclass
class Fronted:
    """A server behind nginx, and a command line that knows certificates only."""

    served: Served
    people: GridPeople
    front: str

    async def sancho(self, *words: str, **variables: Path) -> tuple[int, Any]:
        """Run a verb with --json; its exit code and what it says."""
        ours = {"SANCHO_URL": self.front, "SANCHO_VO": "belle", "SANCHO_CA_FILE": str(self.people.authority.file),
                "SANCHO_CONFIG_HOME": str(self.served.folder / "config"), "PATH": os.environ["PATH"]}  # fmt: skip
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sancho.cli.main", *words, "--json",
            env=ours | {name: str(file) for name, file in variables.items()},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = await program.communicate()
        assert program.returncode is not None
        return program.returncode, json.loads(out or err)


@pytest.fixture
async def fronted(served: Served, tmp_path: Path) -> AsyncIterator[Fronted]:
    people = GridPeople(tmp_path / "people")
    trusted = (ip_network(f"{PROXY}/32"),)
    deployment = replace(served.deployment, certificates=people.verifier(), trusted_proxies=trusted)
    behind = free_port()
    async with serving(create_app(settings_for(served.url, served.folder), deployment), behind):
        with nginx(people, tmp_path, behind) as port:
            yield Fronted(served, people, f"https://localhost:{port}")


async def test_who_has_only_a_certificate_or_a_proxy_logs_in_natively(fronted: Fronted) -> None:
    alice, proxy = fronted.people.alice, fronted.people.voms_proxy()
    files = {"X509_USER_CERT": alice.cert_file, "X509_USER_KEY": alice.key_file}
    code, said = await fronted.sancho("login", "--certificate", **files)
    assert (code, said["code"]) == (4, "certificate_unknown"), said
    name = {"kind": "x509", "subject": ALICE}
    added = await fronted.served.send("POST", "/accounts/alice/identities", account="root", json=name)
    assert added.status_code == 201, added.text

    plain = {"X509_USER_PROXY": fronted.people.grid_proxy()}
    for way in (files, plain, {"X509_USER_PROXY": proxy, **files}):
        code, said = await fronted.sancho("login", "--certificate", "--scope", "jobs:create", **way)
        assert (code, said) == (0, {"url": fronted.front, "vo": "belle", "account": "alice"}), said
    code, said = await fronted.sancho("whoami")
    assert (code, said["account"], said["permissions"]) == (0, "alice", ["jobs:create"]), said

    code, said = await fronted.sancho("login", "--certificate", X509_USER_PROXY=fronted.people.grid_proxy("-limited"))
    assert (code, "limited" in said["error"]) == (4, True), said

"""The unmodified command of Rucio logs in by a certificate and by proxies, through a real nginx."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from sancho.settings import CertificateSettings
from tests.compat.rucio_client import Online, fields, online
from tests.conftest import Databases
from tests.realparts.front import PROXY, nginx
from tests.realparts.grid_people import SUNSET, GridPeople

pytestmark = pytest.mark.realparts
ALICE = "/DC=org/DC=sancho/O=users/CN=Alice Example"


@dataclass
class Fronted:
    """A grid behind nginx."""

    grid: Online
    people: GridPeople
    front: str

    async def whoami(self, **client: str) -> tuple[int | None, str]:
        host, ca = f"{self.front}/rucio", str(self.people.authority.file)
        said = {"rucio_host": host, "auth_host": host, "ca_cert": ca, **client}
        return await self.grid.run("whoami", environment=self.grid.configure(**said))


@pytest.fixture
async def fronted(databases: Databases, tmp_path: Path) -> AsyncIterator[Fronted]:
    people = GridPeople(tmp_path / "people")
    certificates = CertificateSettings(
        plugin="x509", settings={"ca_dir": people.authority.certificates, "vomsdir": people.vomsdir, "sunset": SUNSET}
    )
    name = await asyncio.to_thread(databases.clone)
    trusted = (ip_network(f"{PROXY}/32"),)
    async with online(databases.url(name), tmp_path, certificates=certificates, trusted_proxies=trusted) as grid:
        with nginx(people, tmp_path, grid.port) as port:
            yield Fronted(grid, people, f"https://localhost:{port}")
        await grid.stop_clients()
    await asyncio.to_thread(databases.drop, name)


async def test_a_person_whose_name_is_known_logs_in_by_certificate_and_by_proxies(fronted: Fronted) -> None:
    alice, proxy = fronted.people.alice, str(fronted.people.voms_proxy())
    by_certificate = {"auth_type": "x509", "client_cert": str(alice.cert_file), "client_key": str(alice.key_file)}
    code, said = await fronted.whoami(**by_certificate)
    assert (code, "Cannot authenticate with given credentials" in said) == (1, True), said
    name = {"kind": "x509", "subject": ALICE}
    added = await fronted.grid.send("POST", "/accounts/alice/identities", account="root", json=name)
    assert added.status_code == 201, added.text

    for way in (by_certificate, {"auth_type": "x509_proxy", "client_x509_proxy": proxy}):
        code, said = await fronted.whoami(**way)
        assert (code, fields(said).get("account")) == (0, "alice"), said

    code, said = await fronted.whoami(**by_certificate, account="bob")
    assert (code, "not those of account bob" in said) == (1, True), said

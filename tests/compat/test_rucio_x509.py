"""The unmodified command of Rucio logs in by a certificate and by proxies, through a real nginx."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest

from sancho.settings import CertificateSettings
from tests.compat.rucio_client import Online, fields, online
from tests.conftest import Databases
from tests.realparts.front import PROXY, nginx
from tests.realparts.grid_people import SUNSET, GridPeople
from tests.realparts.pki import Credential

pytestmark = pytest.mark.realparts


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

    async def show(self, person: Credential, path: str, account: str) -> httpx2.Response:
        """Put something as an account of belle, with the certificate of a person."""
        trusted = ssl.create_default_context(cafile=str(self.people.authority.file))
        trusted.load_cert_chain(person.cert_file, person.key_file)
        headers = {"x-rucio-auth-token": self.grid.token(f"belle:{account}")}
        async with httpx2.AsyncClient(verify=trusted) as client:
            return await client.put(f"{self.front}{path}", headers=headers)


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
    for account, status in (("alice", 401), ("root", 201)):
        added = await fronted.show(alice, "/rucio/identities/alice/x509", account)
        assert added.status_code == status, added.text

    for way in (by_certificate, {"auth_type": "x509_proxy", "client_x509_proxy": proxy}):
        code, said = await fronted.whoami(**way)
        assert (code, fields(said).get("account")) == (0, "alice"), said

    code, said = await fronted.whoami(**by_certificate, account="bob")
    assert (code, "not those of account bob" in said) == (1, True), said

"""Certificates and proxies through nginx, with the configuration that the documentation gives."""

import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request

from sancho.identity import service as identity
from sancho.kit import problem
from sancho.kit.proxied import client_address, client_certificate
from sancho.kit.web import Deployed
from sancho.parts import make_deployment
from sancho.settings import CertificateSettings, Settings
from tests.realparts.front import PROXY, nginx
from tests.realparts.grid_people import SUNSET, GridPeople, chain_of
from tests.realparts.pki import Authority
from tests.realparts.serving import serving
from tests.storage_site import free_port

pytestmark = pytest.mark.xdist_group("x509_nginx")  # one server for all


@dataclass
class Site:
    """A server behind nginx."""

    grid: GridPeople
    front: str
    behind: str
    folder: Path

    async def who(self, credential: tuple[Path, Path] | None, **headers: str) -> httpx2.Response:
        """Ask through nginx who has shown this credential."""
        context = ssl.create_default_context(cafile=self.grid.authority.file)
        if credential is not None:
            context.load_cert_chain(*credential)
        async with httpx2.AsyncClient(verify=context, trust_env=False) as client:
            return await client.get(f"{self.front}/who", headers=headers)


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> GridPeople:
    return GridPeople(tmp_path_factory.mktemp("grid"))


def make_app(grid: GridPeople, folder: Path) -> FastAPI:
    settings = Settings(
        state_dir=folder,
        trusted_proxies=(ip_network(f"{PROXY}/32"),),
        certificates=CertificateSettings(
            plugin="x509",
            settings={"ca_dir": grid.authority.certificates, "vomsdir": grid.vomsdir, "sunset": SUNSET},
        ),
    )
    app = FastAPI()
    app.state.deployment = make_deployment(settings)
    problem.install(app)

    @app.get("/who")
    async def who(request: Request, deployment: Deployed) -> dict[str, Any]:
        chain = client_certificate(request, deployment.trusted_proxies)
        person = await identity.certificate_person(deployment, chain)
        where = client_address(request, deployment.trusted_proxies)
        return {"dn": person.dn, "fqans": person.fqans, "vo": person.vo, "where": where}

    return app


@pytest.fixture(scope="module")
async def site(grid: GridPeople, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    behind = free_port()
    async with serving(make_app(grid, folder), behind):
        with nginx(grid, folder, behind) as port:
            yield Site(grid, f"https://localhost:{port}", f"http://127.0.0.1:{behind}", folder)


async def test_a_voms_proxy_comes_through_with_its_person_and_roles(site: Site) -> None:
    proxy = site.grid.voms_proxy()

    answer = await site.who((proxy, proxy))

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "dn": "/DC=org/DC=sancho/O=users/CN=Alice Example", "vo": "vo-a",
        "fqans": ["/vo-a/Role=production", "/vo-a"], "where": "127.0.0.1",
    }  # fmt: skip


async def test_a_plain_proxy_and_the_certificate_itself_come_through(site: Site) -> None:
    proxy, alice = site.grid.grid_proxy(), site.grid.alice

    for credential in ((proxy, proxy), (alice.cert_file, alice.key_file)):
        answer = await site.who(credential)
        assert answer.json()["dn"] == "/DC=org/DC=sancho/O=users/CN=Alice Example"


async def test_without_a_certificate_one_is_asked_for(site: Site) -> None:
    answer = await site.who(None)

    assert (answer.status_code, answer.json()["code"]) == (401, "no_certificate")


async def test_a_limited_proxy_is_told_so(site: Site) -> None:
    proxy = site.grid.grid_proxy("-limited")

    answer = await site.who((proxy, proxy))

    assert answer.status_code == 401
    assert "limited proxy may not log in" in answer.json()["detail"]


async def test_a_certificate_of_another_authority_is_refused(site: Site) -> None:
    mallory = Authority(site.folder / "other", site.grid.authority.subject).user("Alice Example")

    answer = await site.who((mallory.cert_file, mallory.key_file))

    assert answer.status_code == 401
    assert "not one of an authority trusted here" in answer.json()["detail"]


async def test_a_certificate_that_has_ended_is_refused_by_nginx(site: Site) -> None:
    gone = site.grid.authority.user("Gone", life=timedelta(days=-1))

    answer = await site.who((gone.cert_file, gone.key_file))

    assert answer.status_code in {400, 401}
    assert "Gone" not in answer.text


async def test_a_certificate_that_was_revoked_is_refused(site: Site) -> None:
    bob = site.grid.authority.user("Bob")
    assert (await site.who((bob.cert_file, bob.key_file))).status_code == 200

    site.grid.authority.revoke(bob)

    answer = await site.who((bob.cert_file, bob.key_file))
    assert answer.status_code == 401
    assert "revoked" in answer.json()["detail"]


async def test_headers_that_a_client_sends_itself_do_not_get_through_nginx(site: Site) -> None:
    proxy = site.grid.voms_proxy()
    real = _headers_of(proxy)["client-cert"]

    forged = {"Client-Cert": real, "Client-Cert-Chain": real, "X-Forwarded-For": "192.0.2.1"}
    assert (await site.who(None, **forged)).json()["code"] == "no_certificate"

    bob = site.grid.authority.user("Bob Second")
    answer = await site.who((bob.cert_file, bob.key_file), **forged)
    assert answer.json()["dn"] == "/DC=org/DC=sancho/O=users/CN=Bob Second"
    assert answer.json()["where"] == "127.0.0.1"


async def test_headers_that_do_not_come_from_the_proxy_are_refused(site: Site) -> None:
    real = _headers_of(site.grid.voms_proxy())

    async with httpx2.AsyncClient(trust_env=False) as client:
        for header in ("client-cert", "client-cert-chain"):
            answer = await client.get(f"{site.behind}/who", headers={header: real["client-cert"]})
            assert (answer.status_code, answer.json()["code"]) == (403, "certificate_not_from_proxy")
            assert answer.json()["field"] == header


def _headers_of(proxy: Path) -> dict[str, str]:
    """What nginx makes of a proxy, as a forger would have got hold of it."""
    first, *rest = (f":{base64.b64encode(one).decode()}:" for one in chain_of(proxy))
    return {"client-cert": first, "client-cert-chain": ", ".join(rest)}

"""Tokens for who has nothing but a certificate or a proxy: at the token endpoint, as a client of TLS (RFC 8705)."""

import base64
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_network

import httpx2
import pytest

from sancho.app import create_app
from tests.realparts.grid_people import Forge, GridPeople
from tests.served import Served, settings_for

PEER = ip_network("127.0.0.1/32")
"""Where the client of these tests is."""
DN = "/DC=org/DC=sancho/O=users/CN=Alice Example"


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> GridPeople:
    return GridPeople(tmp_path_factory.mktemp("people"))


@dataclass
class Fronted:
    """The application as a proxy in front asks it."""

    served: Served
    people: GridPeople
    client: httpx2.AsyncClient

    async def ask(self, chain: Sequence[bytes] | None = None, **form: str) -> httpx2.Response:
        """Ask for a token as whoever has shown this chain; alice's certificate, if it is not said."""
        first, *above = [f":{base64.b64encode(one).decode()}:" for one in chain or Forge(self.people.alice).der]
        headers = {"client-cert": first} | ({"client-cert-chain": ", ".join(above)} if above else {})
        return await self.bare(headers, **form)

    async def bare(self, headers: dict[str, str] | None = None, **form: str) -> httpx2.Response:
        said = {"grant_type": "client_credentials", "vo": "belle", **form}
        return await self.client.post("/v1/auth/token", data=said, headers=headers)

    async def know_alice(self) -> None:
        name = {"kind": "x509", "subject": DN}
        answer = await self.served.send("POST", "/accounts/alice/identities", account="root", json=name)
        assert answer.status_code == 201, answer.text

    async def noted(self) -> list[tuple[str, bool, str]]:
        wanted = {"permission": "tokens:issue"}
        found = (await self.served.send("GET", "/audit", account="root", params=wanted)).json()["items"]
        return [(row["account"], row["allowed"], row["why"]) for row in reversed(found)]


def fronting(served: Served, people: GridPeople, *, trusted: bool = True, sunset: date | None = None) -> Fronted:
    verifier = people.verifier(**({"sunset": sunset} if sunset else {}))
    deployment = replace(served.deployment, certificates=verifier, trusted_proxies=(PEER,) if trusted else ())
    transport = httpx2.ASGITransport(app=create_app(settings_for(served.url, served.folder), deployment))
    return Fronted(served, people, httpx2.AsyncClient(transport=transport, base_url="http://testserver"))


@pytest.fixture
async def fronted(served: Served, people: GridPeople) -> AsyncIterator[Fronted]:
    made = fronting(served, people)
    async with made.client:
        yield made


def error(answer: httpx2.Response) -> tuple[int, str, str]:
    """What an OAuth client understands, and what ours does."""
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"], answer.json()["code"]


async def whoami(fronted: Fronted, answer: httpx2.Response) -> tuple[str, list[str]]:
    assert answer.status_code == 200, answer.text
    said = (await fronted.served.send("GET", "/whoami", token=answer.json()["access_token"])).json()
    return said["account"], said["permissions"]


async def test_a_certificate_whose_name_is_known_gets_a_token_that_nothing_renews(fronted: Fronted) -> None:
    await fronted.know_alice()

    answer = await fronted.ask()

    assert (await whoami(fronted, answer))[0] == "alice"
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)
    assert "refresh_token" not in answer.json()
    why = f"A certificate in the name {DN} gave a token to client sancho."
    assert await fronted.noted() == [("alice", True, why)]


async def test_a_token_ends_with_its_proxy_at_the_latest(fronted: Fronted) -> None:
    await fronted.know_alice()
    proxy = Forge(fronted.people.alice).add(starts=datetime.now(UTC), life=timedelta(minutes=5))

    answer = await fronted.ask(proxy.der)

    assert (await whoami(fronted, answer))[0] == "alice"
    assert 0 < answer.json()["expires_in"] <= 300


async def test_a_scope_narrows_the_token_and_never_widens_it(fronted: Fronted) -> None:
    await fronted.know_alice()

    narrow = await fronted.ask(scope="jobs:create group:users")
    wide = await fronted.ask(scope="group:admins")
    nonsense = await fronted.ask(scope="jobs:eat")

    assert await whoami(fronted, narrow) == ("alice", ["jobs:create"])
    assert error(wide) == error(nonsense) == (400, "invalid_scope", "scope_refused")
    assert [allowed for _, allowed, _ in await fronted.noted()] == [True]


async def test_a_name_that_is_not_known_in_that_vo_opens_nothing_there(fronted: Fronted) -> None:
    unknown = await fronted.ask()
    await fronted.know_alice()
    elsewhere, nowhere = await fronted.ask(vo="gridpp"), await fronted.ask(vo="nowhere")

    for answer in (unknown, elsewhere, nowhere):
        assert error(answer) == (401, "invalid_client", "certificate_unknown")
    assert await fronted.noted() == [("-", False, f"A certificate in the name {DN} opens no account that may act.")]


async def test_a_suspended_account_gets_none_and_is_named_in_the_log(fronted: Fronted) -> None:
    await fronted.know_alice()
    assert (await fronted.served.send("POST", "/accounts/alice/suspend", account="root")).status_code == 200

    assert error(await fronted.ask()) == (401, "invalid_client", "certificate_unknown")
    why = f"A certificate in the name {DN} opens no account that may act."
    assert await fronted.noted() == [("alice", False, why)]


async def test_what_is_no_good_certificate_is_refused_in_oauth_s_words(fronted: Fronted) -> None:
    await fronted.know_alice()
    stranger = GridPeople(fronted.served.folder / "strangers").alice

    assert error(await fronted.ask(Forge(stranger).der)) == (401, "invalid_client", "certificate_not_accepted")
    assert error(await fronted.ask([b"nonsense"])) == (401, "invalid_client", "certificate_not_accepted")
    assert error(await fronted.bare()) == (401, "invalid_client", "no_certificate")
    assert error(await fronted.bare({"client-cert": "nonsense"})) == (400, "invalid_request", "certificate_unreadable")
    assert error(await fronted.ask(client_id="strange")) == (400, "invalid_client", "client_unknown")
    assert await fronted.noted() == []


async def test_a_certificate_counts_from_a_proxy_of_ours_only(served: Served, people: GridPeople) -> None:
    fronted = fronting(served, people, trusted=False)
    async with fronted.client:
        await fronted.know_alice()
        assert error(await fronted.ask()) == (403, "invalid_client", "certificate_not_from_proxy")
        assert await fronted.noted() == []


async def test_from_the_day_of_the_sunset_no_certificate_gets_a_token(served: Served, people: GridPeople) -> None:
    fronted = fronting(served, people, sunset=date(2020, 1, 1))
    async with fronted.client:
        await fronted.know_alice()
        assert error(await fronted.ask()) == (401, "invalid_client", "certificate_not_accepted")


async def test_a_vo_is_said_or_a_secret_is_asked_for(fronted: Fronted) -> None:
    await fronted.know_alice()

    assert error(await fronted.ask(vo="")) == (400, "invalid_request", "grant_incomplete")
    by_secret = await fronted.ask(client_id="alice@belle", client_secret="guessed")
    assert error(by_secret) == (401, "invalid_client", "client_refused")


async def test_discovery_lists_certificates_where_they_are_taken(served: Served, fronted: Fronted) -> None:
    path = "/.well-known/openid-configuration"
    without, there = (await served.client.get(path)).json(), (await fronted.client.get(path)).json()

    said = "token_endpoint_auth_methods_supported"
    assert "client_credentials" in there["grant_types_supported"]
    assert ("tls_client_auth" in without[said], "tls_client_auth" in there[said]) == (False, True)

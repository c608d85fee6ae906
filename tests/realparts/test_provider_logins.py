"""Logins by real identity providers: people and groups appear, follow their provider, and stay in their VO."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import psycopg
import pytest
import uvicorn
from playwright.sync_api import Page, sync_playwright

from sancho.app import create_app
from sancho.identity.service.logins import challenge_of
from sancho.identity.tasks import follow
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import REMEMBERED, Issuer, ensure_key
from sancho.kit.tasks import defer
from sancho.kit.worker import make_app, work
from sancho.parts import TASKS, make_deployment
from sancho.settings import SecretSettings, Settings
from sancho.web import service as web
from tests.conftest import Databases, eventually
from tests.identity.schedule import MovedClock, longest_gap
from tests.realparts.oidc import Client, OpenIdProvider
from tests.realparts.parts import need
from tests.storage_site import free_port
from tests.world import World

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
VERIFIER = "v" * 43
Issuers = tuple[OpenIdProvider, OpenIdProvider]


@dataclass
class Site:
    """A served application whose VOs belle and gridpp have a provider each."""

    url: str
    deployment: Deployment
    client: httpx2.AsyncClient
    owner_url: str
    registered: dict[str, Client]
    """What we are to each VO's provider."""
    clock: MovedClock
    queue: str
    """The database, as workers reach it."""

    def bearer(self, vo: str, account: str = "root") -> dict[str, str]:
        claims = {"sub": f"{vo}:{account}", "aud": self.url, "scope": "sancho"}
        return {"authorization": f"Bearer {self.deployment.signer.sign(claims, timedelta(hours=1))}"}

    async def apply(self, vo: str, name: str, by: str | None = None, **spec: Any) -> httpx2.Response:
        document = {"kind": "IdentityProvider", "name": name, "vo": vo, "spec": spec}
        body = {"documents": [document]}
        return await self.client.post("/v1/configuration/apply", json=body, headers=self.bearer(by or "instance"))

    async def begin(self, vo: str, **more: str) -> dict[str, Any]:
        answer = await self.client.post("/v1/auth/device_authorization", data={"vo": vo, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def finish(self, begun: dict[str, Any]) -> httpx2.Response:
        form = {"grant_type": DEVICE, "device_code": begun["device_code"]}
        return await self.client.post("/v1/auth/token", data=form)

    async def me(self, token: str) -> httpx2.Response:
        return await self.client.get("/v1/whoami", headers={"authorization": f"Bearer {token}"})

    async def log_in(self, vo: str, issuer: OpenIdProvider, user: str) -> httpx2.Response:
        """Log in on a device, with a browser that goes to the provider and comes back; what the token endpoint says."""
        begun = await self.begin(vo)
        page = await self.at_provider(begun, issuer, user, vo)
        assert "set-cookie" not in page.headers
        answer = await self.finish(begun)
        return answer if answer.status_code == 200 else page

    async def at_provider(self, begun: dict[str, Any], issuer: OpenIdProvider, user: str, vo: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser:
            page = await browser.get(begun["verification_uri_complete"])
            hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
            sent = await browser.post(page.url, data={**hidden, "choice": "provider:iam"}, follow_redirects=False)
            assert sent.status_code == 303, sent.text
            back = await asyncio.to_thread(issuer.log_in, sent.headers["location"], user)
            return await browser.get(f"{self.url}/v1/auth/callback/{vo}/iam", params=back)


@pytest.fixture
async def site(databases: Databases, tmp_path: Path, issuers: Issuers, world: World) -> AsyncIterator[Site]:
    del world  # it only has to be there
    name, port = await asyncio.to_thread(databases.clone), free_port()
    url, vault = f"http://127.0.0.1:{port}", tmp_path / "secrets"
    settings = Settings(
        database_url=databases.url(name), state_dir=tmp_path, public_url=url,  # pyright: ignore[reportArgumentType]
        secrets=SecretSettings(folder=vault),
    )  # fmt: skip
    ensure_key(settings.keys)
    clock = MovedClock()
    deployment = replace(make_deployment(settings), signer=Issuer(settings.keys, url, clock=clock), clock=clock)
    server = uvicorn.Server(uvicorn.Config(create_app(settings, deployment), port=port, log_config=None))
    serving = asyncio.create_task(server.serve())
    async with httpx2.AsyncClient(base_url=url, trust_env=False) as client:
        await eventually(lambda: server.started)
        made = Site(url, deployment, client, databases.url(name, "sancho_owner"), {}, clock, databases.url(name))
        for vo, issuer in zip(("belle", "gridpp"), issuers, strict=True):
            registered = made.registered[vo] = issuer.register(f"{url}/v1/auth/callback/{vo}/iam")
            (vault / vo).mkdir(parents=True, mode=0o700)
            vault.chmod(0o700)
            (vault / vo / "iam").write_text(registered.secret or "")
            (vault / vo / "iam").chmod(0o400)
            spec: dict[str, Any] = {
                "issuer": issuer.issuer, "title": f"{vo} login",
                "settings": {
                    "client_id": registered.client_id, "client_secret": "iam", "profile": "iam", "allow_http": True,
                    "scim": vo == "belle",
                },
            }  # fmt: skip
            answer = await made.apply(vo, "iam", **spec)
            assert answer.status_code == 200, answer.text
        yield made
    server.should_exit = True
    await serving
    with contextlib.suppress(Exception):
        await asyncio.to_thread(databases.drop, name)


async def test_a_person_appears_at_the_first_login_and_is_the_same_at_the_next(site: Site, issuers: Issuers) -> None:
    first = await site.log_in("belle", issuers[0], "alice")
    second = await site.log_in("belle", issuers[0], "alice")

    people = [(await site.me(answer.json()["access_token"])).json() for answer in (first, second)]
    # The name alice is taken in belle by somebody else, who came by a password.
    assert [(p["vo"], p["account"], p["groups"]) for p in people] == [("belle", "alice-2", ["users"])] * 2
    shown = await site.client.get("/v1/accounts/alice-2", headers=site.bearer("belle"))
    assert (shown.json()["kind"], shown.json()["email"]) == ("user", "alice@example.org")
    with psycopg.connect(site.owner_url) as conn:
        kept = conn.execute("SELECT count(*) FROM sancho.identity WHERE kind = 'O'").fetchone()
        scopes = conn.execute("SELECT count(*) FROM sancho.scope WHERE name = 'user.alice-2'").fetchone()
    assert (kept, scopes) == ((1,), (1,))


async def test_groups_follow_the_provider_and_nobody_is_an_administrator_by_name(site: Site, issuers: Issuers) -> None:
    document = {"kind": "Group", "name": "production", "vo": "belle", "spec": {"permissions": ["jobs:create"]}}
    await site.client.post("/v1/configuration/apply", json={"documents": [document]}, headers=site.bearer("belle"))
    before = issuers[0]
    try:
        before.change_user("alice", **{"wlcg.groups": ["/belle", "/belle/production", "/belle/admins"]})
        token = (await site.log_in("belle", before, "alice")).json()["access_token"]
        assert (await site.me(token)).json()["groups"] == ["production", "users"]
        before.change_user("alice", **{"wlcg.groups": ["/belle"]})
        token = (await site.log_in("belle", before, "alice")).json()["access_token"]
        assert (await site.me(token)).json()["groups"] == ["users"]
    finally:
        before.change_user("alice", **{"wlcg.groups": ["/belle", "/belle/production"]})


async def test_a_suspended_person_is_out_within_one_look_at_the_list_and_comes_back(
    site: Site, issuers: Issuers
) -> None:
    given = (await site.log_in("belle", issuers[0], "carol")).json()
    try:
        issuers[0].change_user("carol", active=False)
        await follow(site.deployment)
        renewed = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        assert (await site.client.post("/v1/auth/token", data=renewed)).status_code == 401
        shown = await site.client.get("/v1/accounts/carol", headers=site.bearer("belle"))
        assert shown.json()["state"] == "suspended"
        refused = await site.log_in("belle", issuers[0], "carol")
        assert (refused.status_code, "is suspended" in refused.text) == (403, True)
    finally:
        issuers[0].change_user("carol", active=True)
    await follow(site.deployment)
    assert (await site.log_in("belle", issuers[0], "carol")).status_code == 200


async def test_a_token_of_who_is_suspended_by_the_provider_is_void_within_a_minute(
    site: Site, issuers: Issuers
) -> None:
    """The worst case: suspended right after a look at the list, and the token looked up right before the next one."""
    app = make_app(site.queue, TASKS)
    token = (await site.log_in("belle", issuers[0], "carol")).json()["access_token"]

    async def look_at_the_list() -> None:
        async with site.deployment.database.transaction([0]) as conn:
            await defer(conn, "identity:follow")
        await work(app, site.deployment, concurrency=4, wait=False)

    await look_at_the_list()
    try:
        issuers[0].change_user("carol", active=False)
        site.clock.later(longest_gap(app, "identity:follow"))
        assert (await site.me(token)).status_code == 200
        await look_at_the_list()
        assert (await site.me(token)).status_code == 200  # it is remembered
        site.clock.later(REMEMBERED)
        assert (await site.me(token)).status_code == 403
        assert site.clock.by < timedelta(minutes=1)
    finally:
        issuers[0].change_user("carol", active=True)


async def test_a_provider_that_does_not_answer_keeps_no_other_waiting(site: Site, issuers: Issuers) -> None:
    await site.log_in("belle", issuers[0], "carol")
    asked, enough = asyncio.Event(), asyncio.Event()

    async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await enough.wait()
        writer.close()

    async def is_suspended() -> bool:
        shown = await site.client.get("/v1/accounts/carol", headers=site.bearer("belle"))
        return shown.json()["state"] == "suspended"

    port = free_port()
    async with await asyncio.start_server(say_nothing, "127.0.0.1", port):
        settings = {
            "client_id": "x", "client_secret": "iam", "profile": "iam", "allow_http": True, "scim": True,
            "timeout": "PT1M",
        }  # fmt: skip
        issuer = f"http://127.0.0.1:{port}"
        assert (
            await site.apply("belle", "absent", issuer=issuer, title="Absent", settings=settings)
        ).status_code == 200
        try:
            issuers[0].change_user("carol", active=False)
            following = asyncio.ensure_future(follow(site.deployment))
            await asked.wait()
            await eventually(is_suspended)
            assert not following.done()
        finally:
            issuers[0].change_user("carol", active=True)
            enough.set()
        await following


async def test_whom_an_administrator_has_suspended_no_provider_lets_in_again(site: Site, issuers: Issuers) -> None:
    await site.log_in("belle", issuers[0], "carol")

    async def state(verb: str) -> str:
        answer = await site.client.post(f"/v1/accounts/carol/{verb}", headers=site.bearer("belle"))
        return answer.json()["state"]

    try:
        for first in ("suspend", None):  # before the provider does, and after it
            if first:
                assert await state(first) == "suspended"
            issuers[0].change_user("carol", active=False)
            await follow(site.deployment)
            assert await state("suspend") == "suspended"
            issuers[0].change_user("carol", active=True)
            await follow(site.deployment)
            shown = await site.client.get("/v1/accounts/carol", headers=site.bearer("belle"))
            assert shown.json()["state"] == "suspended"
            assert await state("activate") == "active"
    finally:
        issuers[0].change_user("carol", active=True)


async def test_an_issuer_vouches_for_one_vo_only(site: Site, issuers: Issuers) -> None:
    settings = {"client_id": "x", "allow_http": True}
    taken = await site.apply("gridpp", "other", issuer=issuers[0].issuer, settings=settings)
    assert (taken.status_code, taken.json()["code"]) == (409, "issuer_taken")
    with psycopg.connect(site.owner_url) as conn, pytest.raises(psycopg.errors.IntegrityError):
        conn.execute(
            """
            INSERT INTO sancho.identity_provider (vo, issuer_vo, name, title, issuer, plugin)
            VALUES (2, 1, 'x', 'x', %s, 'oidc')
            """,
            [issuers[0].issuer],
        )
    with psycopg.connect(site.owner_url) as conn, pytest.raises(psycopg.errors.IntegrityError):
        conn.execute(
            """
            INSERT INTO sancho.identity (vo, kind, account_id, subject, issuer)
            SELECT 2, 'O', account_id, %s || ' x', %s FROM sancho.account WHERE vo = 2 LIMIT 1
            """,
            [issuers[0].issuer, issuers[0].issuer],
        )


async def test_a_shared_issuer_needs_to_be_told_who_the_members_are(site: Site, issuers: Issuers) -> None:
    shared = "https://checkin.example.org"
    settings = {"client_id": "x"}
    assert (await site.apply("instance", "checkin", issuer=shared, settings=settings)).status_code == 200
    without = await site.apply("belle", "checkin", issuer=shared, settings=settings)
    assert (without.status_code, without.json()["code"]) == (422, "document_invalid")
    for vo in ("belle", "gridpp"):
        answer = await site.apply(vo, "checkin", issuer=shared, members=[f"/{vo}"], settings=settings)
        assert answer.status_code == 200, answer.text


async def test_a_code_of_one_login_opens_no_other_vo(site: Site, issuers: Issuers) -> None:
    """The mix-up of issuers, and a login that was begun for one VO and ends in another (rucio#8707)."""
    begun = await site.begin("belle")
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        page = await browser.get(begun["verification_uri_complete"])
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        sent = await browser.post(page.url, data={**hidden, "choice": "provider:iam"}, follow_redirects=False)
        back = await asyncio.to_thread(issuers[0].log_in, sent.headers["location"], "alice")
        elsewhere = f"{site.url}/v1/auth/callback/gridpp/iam"
        assert (await browser.get(elsewhere, params=back)).status_code == 400
        sent = await browser.post(page.url, data={**hidden, "choice": "provider:iam"}, follow_redirects=False)
        back = await asyncio.to_thread(issuers[0].log_in, sent.headers["location"], "alice")
        mixed = await browser.get(f"{site.url}/v1/auth/callback/belle/iam", params={**back, "iss": issuers[1].issuer})
        assert mixed.status_code == 403
        again = await browser.get(f"{site.url}/v1/auth/callback/belle/iam", params=back)
        assert again.status_code == 400
        async with httpx2.AsyncClient(trust_env=False) as other:
            stranger = await other.get(f"{site.url}/v1/auth/callback/belle/iam", params=back)
            assert stranger.status_code == 400
    assert (await site.finish(begun)).json()["error"] == "authorization_pending"


async def test_a_token_of_the_provider_is_exchanged_for_ours_in_its_vo_only(site: Site, issuers: Issuers) -> None:
    first, scope = issuers[0], "openid profile wlcg"
    stranger = first.register(None, public=True)
    ours = await asyncio.to_thread(first.device_token, site.registered["belle"], "alice", scope=scope)
    others = await asyncio.to_thread(first.device_token, stranger, "alice", scope=scope)

    async def exchanged(vo: str, token: str) -> httpx2.Response:
        form = {"grant_type": EXCHANGE, "subject_token": token, "vo": vo, "scope": "jobs:create"}
        return await site.client.post("/v1/auth/token", data=form)

    given = await exchanged("belle", ours["id_token"])
    assert (await site.me(given.json()["access_token"])).json()["permissions"] == ["jobs:create"]
    assert "refresh_token" not in given.json()
    # A token that another program was given opens nothing here, nor does one in the VO of another issuer.
    assert (await exchanged("belle", others["id_token"])).json()["error"] == "invalid_grant"
    assert (await exchanged("gridpp", ours["id_token"])).json()["error"] == "invalid_grant"


async def test_a_provider_that_is_away_is_named_and_tokens_given_before_go_on(site: Site, issuers: Issuers) -> None:
    token = (await site.log_in("belle", issuers[0], "alice")).json()["access_token"]
    nowhere = f"http://127.0.0.1:{free_port()}"
    settings = {"client_id": "x", "allow_http": True}
    assert (await site.apply("belle", "away", issuer=nowhere, title="Away", settings=settings)).status_code == 200
    begun = await site.begin("belle")
    async with httpx2.AsyncClient(trust_env=False, follow_redirects=True) as browser:
        page = await browser.get(begun["verification_uri_complete"])
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        said = await browser.post(page.url, data={**hidden, "choice": "provider:away"})
    assert (said.status_code, "Away does not answer" in said.text) == (503, True)
    assert (await site.me(token)).status_code == 200


@pytest.fixture
def chromium() -> str:
    return need("chromium", "chromium")


async def test_a_real_browser_logs_in_and_comes_back_with_a_code_or_to_the_web_page(
    site: Site, issuers: Issuers, chromium: str
) -> None:
    back = f"http://127.0.0.1:{free_port()}/back"
    query = {
        "response_type": "code", "client_id": "sancho", "vo": "belle", "redirect_uri": back, "state": "s",
        "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip

    def by_provider(page: Page) -> None:
        page.get_by_role("button", name="Continue with belle login").click()
        page.locator("[name=user]").fill("alice")
        page.locator("[type=submit], button").first.click()

    def browse() -> str:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
            )
            page = browser.new_page()
            page.route(f"{back}*", lambda route: route.fulfill(status=200, body="back"))
            page.goto(f"{site.url}/v1/auth/authorize?{urlencode(query)}")
            assert page.get_by_role("heading").inner_text() == "Log in to belle"
            by_provider(page)
            page.wait_for_url(f"{back}*")
            url = page.url
            if web.built():
                page.goto(f"{site.url}/ui/data")
                page.get_by_label("Virtual organisation").fill("belle")
                page.get_by_role("button", name="Continue").click()
                by_provider(page)
                page.get_by_text("alice-2 of belle").wait_for()
            browser.close()
            return url

    url = httpx2.URL(await asyncio.to_thread(browse))
    form = {
        "grant_type": "authorization_code", "code": url.params["code"], "redirect_uri": back, "code_verifier": VERIFIER,
    }  # fmt: skip
    given = await site.client.post("/v1/auth/token", data=form)
    assert (await site.me(given.json()["access_token"])).json()["vo"] == "belle"

"""Logins in a browser and on a device, from the first request to tokens, and everything that must not work."""

from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from sancho.identity.service.logins import challenge_of
from sancho.identity.tasks import tidy
from sancho.kit.db import all_vos, fetch_value
from tests.identity.browser import Browser
from tests.identity.helpers import PASSWORD, URL, Installation

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:5000/back"
ASKED = {
    "response_type": "code", "client_id": "sancho", "vo": "belle", "redirect_uri": BACK, "state": "s t&a",
    "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
}  # fmt: skip
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
async def here(installation: Installation) -> AsyncIterator[Browser]:
    """The browser of alice, who has a password."""
    await installation.with_password(1, "alice")
    async with installation.client() as client:
        yield Browser(client)


@pytest.fixture
async def elsewhere(installation: Installation) -> AsyncIterator[Browser]:
    """Somebody else's browser."""
    async with installation.client() as client:
        yield Browser(client)


async def tokens(browser: Browser, **form: str) -> httpx2.Response:
    return await browser.client.post("/v1/auth/token", data=form)


async def redeemed(browser: Browser, code: str, **other: str) -> httpx2.Response:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": VERIFIER}
    return await tokens(browser, **{**form, **other})


async def a_code(browser: Browser, **asked: str) -> str:
    await browser.get("/v1/auth/authorize", **{**ASKED, **asked})
    answer = await browser.log_in()
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def a_device(browser: Browser, **said: str) -> dict[str, Any]:
    answer = await browser.client.post("/v1/auth/device_authorization", data={"vo": "belle", **said})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def who(browser: Browser, token: str) -> httpx2.Response:
    return await browser.client.get("/v1/whoami", headers={"authorization": f"Bearer {token}"})


def error(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_a_browser_logs_in_and_its_program_gets_tokens(here: Browser) -> None:
    page = await here.get("/v1/auth/authorize", **ASKED)
    assert page.status_code == 200
    assert "<strong>belle</strong>" in page.text
    assert "all that you may do there" in page.text

    answer = await here.log_in()

    back = urlsplit(answer.headers["location"])
    said = {name: values[0] for name, values in parse_qs(back.query).items()}
    assert f"{back.scheme}://{back.netloc}{back.path}" == BACK
    assert (said["state"], said["iss"]) == ("s t&a", URL)
    given = (await redeemed(here, said["code"])).json()
    me = (await who(here, given["access_token"])).json()
    assert (me["vo"], me["account"], me["groups"]) == ("belle", "alice", ["users"])
    again = await tokens(here, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert again.json()["scope"] == given["scope"] == "sancho"


async def test_the_page_says_which_permissions_are_asked_and_the_token_has_no_others(here: Browser) -> None:
    page = await here.get("/v1/auth/authorize", **ASKED, scope="rules:create openid group:users")
    assert "<code>rules:create</code>" in page.text
    assert "group <strong>users</strong>" in page.text
    assert "all that you may do" not in page.text
    answer = await here.log_in()

    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    given = (await redeemed(here, code)).json()

    assert (await who(here, given["access_token"])).json()["permissions"] == ["rules:create"]
    renewed = (await tokens(here, grant_type="refresh_token", refresh_token=given["refresh_token"])).json()
    assert (await who(here, renewed["access_token"])).json()["permissions"] == ["rules:create"]


async def test_an_id_token_comes_with_openid_and_says_the_nonce(here: Browser) -> None:
    given = (await redeemed(here, await a_code(here, scope="openid", nonce="n-1"))).json()

    keys = KeySet.import_key_set((await here.client.get("/.well-known/jwks.json")).json())
    said = jwt.decode(given["id_token"], keys, algorithms=["Ed25519"])
    assert (said.claims["aud"], said.claims["nonce"], said.claims["sub"]) == ("sancho", "n-1", "belle:alice")
    assert (await who(here, given["id_token"])).status_code == 401


async def test_pages_may_not_be_framed_load_nothing_and_show_what_they_are_given_as_text(here: Browser) -> None:
    page = await here.get("/v1/auth/authorize", **{**ASKED, "vo": "<script>alert(1)</script>"})
    assert page.status_code == 404
    assert "<script>" not in page.text
    await here.get("/v1/auth/authorize", **ASKED)
    answer = await here.log_in("<b>alice</b>")
    for each in (page, answer):
        assert "default-src 'none'" in each.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in each.headers["content-security-policy"]
        assert each.headers["cache-control"] == "no-store"
    cookie = here.client.cookies.jar
    assert [(c.name, c.path, c.secure, c.has_nonstandard_attr("HttpOnly")) for c in cookie] == [
        ("__Host-sancho_login", "/", True, True)
    ]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"redirect_uri": "https://evil.example/"}, "may not have its users sent"),
        ({"redirect_uri": "http://127.0.0.1:80@evil.example/"}, "may not have its users sent"),
        ({"redirect_uri": "http://localhost:80/"}, "may not have its users sent"),
        ({"redirect_uri": "http://127.0.0.1.evil.example:80/"}, "may not have its users sent"),
        ({"redirect_uri": "javascript:alert(1)"}, "may not have its users sent"),
        ({"redirect_uri": "http://127.0.0.1:99999/"}, "may not have its users sent"),
        ({"redirect_uri": BACK + "#x"}, "may not have its users sent"),
        ({"client_id": "nobody"}, "No client is known here"),
        ({"code_challenge_method": "plain"}, "lacks a code challenge"),
        ({"code_challenge": ""}, "lacks a code challenge"),
        ({"code_challenge": "short"}, "lacks a code challenge"),
        ({"response_type": "token"}, "response_type=code"),
        ({"scope": "everything"}, "cannot be for everything"),
        ({"vo": "nowhere"}, "VO nowhere does not exist"),
    ],
)
async def test_a_login_that_cannot_be_sends_the_browser_nowhere(
    here: Browser, other: Mapping[str, str], said: str
) -> None:
    page = await here.get("/v1/auth/authorize", **{**ASKED, **other})

    assert page.status_code in (400, 404)
    assert "location" not in page.headers
    assert said in page.text


async def test_a_form_of_another_site_or_browser_is_refused(here: Browser, elsewhere: Browser) -> None:
    await here.get("/v1/auth/authorize", **ASKED)
    form = {**here.hidden, "choice": "password", "account": "alice", "password": PASSWORD}

    for browser, said in (
        (here, form | {"proof": "x"}),
        (here, form | {"proof": ""}),
        (here, form | {"proof": "é"}),
        (elsewhere, form),
    ):
        answer = await browser.client.post("/v1/auth/login", data=said)
        assert (answer.status_code, "location" in answer.headers) == (403, False)
    page = await elsewhere.client.get("/v1/auth/login", params={"login": form["login"]})
    assert page.status_code == 403
    assert (await here.log_in()).status_code == 303


@pytest.mark.parametrize("login", ["", "1", "1.x", "99999.00000000-0000-4000-8000-000000000000", "0.' OR 1=1 --"])
async def test_a_login_that_is_none_is_over(here: Browser, login: str) -> None:
    page = await here.client.get("/v1/auth/login", params={"login": login})
    assert page.status_code == 400
    assert "took too long" in page.text


async def test_a_wrong_password_can_be_said_again_and_many_are_too_many(here: Browser) -> None:
    await here.get("/v1/auth/authorize", **ASKED)
    statuses = [(await here.log_in("guessed", "wrong horse")).status_code for _ in range(21)]
    assert statuses == [401] * 20 + [429]
    assert "proof" in here.hidden


async def test_a_code_is_good_once_and_a_second_use_voids_what_came_of_it(here: Browser) -> None:
    code = await a_code(here)
    given = (await redeemed(here, code)).json()
    assert (await who(here, given["access_token"])).status_code == 200

    assert error(await redeemed(here, code)) == (400, "invalid_grant")

    assert (await who(here, given["access_token"])).status_code == 401
    refused = await tokens(here, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert error(refused) == (401, "invalid_grant")


@pytest.mark.parametrize(
    "other",
    [
        {"code_verifier": "w" * 43}, {"code_verifier": "v"}, {"client_id": "rucio"}, {"code": "sc-1-" + "x" * 43},
        {"redirect_uri": "http://127.0.0.1:5001/back"}, {"code": "sc-99999-" + "x" * 43},
        {"code": "'; DROP TABLE login"},
    ],
)  # fmt: skip
async def test_a_stolen_code_is_of_no_use(here: Browser, other: Mapping[str, str]) -> None:
    code = await a_code(here)
    assert error(await redeemed(here, **{"code": code, **other})) == (400, "invalid_grant")
    assert (await redeemed(here, code)).status_code == 200


async def test_a_code_does_not_keep(here: Browser, installation: Installation) -> None:
    code = await a_code(here)
    installation.later(timedelta(minutes=11))
    assert error(await redeemed(here, code)) == (400, "invalid_grant")


async def test_whoever_cancels_gives_nothing(here: Browser) -> None:
    await here.get("/v1/auth/authorize", **ASKED)
    answer = await here.submit(choice="deny")
    said = parse_qs(urlsplit(answer.headers["location"]).query)
    assert (said["error"], said["state"], "code" in said) == (["access_denied"], ["s t&a"], False)
    assert (await here.client.get("/v1/auth/login", params={"login": "1.x"})).status_code == 400


async def test_a_device_gets_its_tokens_once_somebody_has_approved(here: Browser, installation: Installation) -> None:
    device = await a_device(here, scope="jobs:create")
    form = {"grant_type": DEVICE, "device_code": device["device_code"]}
    assert error(await tokens(here, **form)) == (400, "authorization_pending")
    assert error(await tokens(here, **form)) == (400, "slow_down")
    typed = f"{device['user_code'][:4].lower()} - {device['user_code'][4:]}"
    page = await here.get("/v1/auth/device", user_code=typed)
    assert f"{device['user_code'][:4]}-{device['user_code'][4:]}" in page.text
    assert "You can close this window" in (await here.log_in()).text
    installation.later(timedelta(seconds=5))

    given = await tokens(here, **form)

    assert (await who(here, given.json()["access_token"])).json()["permissions"] == ["jobs:create"]
    assert error(await tokens(here, **form)) == (400, "invalid_grant")
    assert (await who(here, given.json()["access_token"])).status_code == 401


async def test_a_device_code_in_other_hands_opens_nothing(here: Browser, elsewhere: Browser) -> None:
    device = await a_device(here)
    stolen = {"grant_type": DEVICE, "device_code": device["device_code"], "client_id": "rucio"}
    assert error(await tokens(elsewhere, **stolen)) == (400, "invalid_grant")
    assert error(await tokens(elsewhere, grant_type=DEVICE, device_code="sd-1-" + "x" * 43)) == (400, "invalid_grant")
    await here.get("/v1/auth/device", user_code=device["user_code"])
    assert (await elsewhere.get("/v1/auth/device", user_code=device["user_code"])).status_code == 403


async def test_a_device_is_told_of_a_refusal_and_of_the_end(here: Browser, installation: Installation) -> None:
    denied, late = await a_device(here), await a_device(here)
    await here.get("/v1/auth/device", user_code=denied["user_code"])
    await here.submit(choice="deny")
    assert error(await tokens(here, grant_type=DEVICE, device_code=denied["device_code"])) == (400, "access_denied")
    installation.later(timedelta(minutes=11))
    assert error(await tokens(here, grant_type=DEVICE, device_code=late["device_code"])) == (400, "expired_token")
    assert "Begin it again" in (await here.get("/v1/auth/device", user_code=late["user_code"])).text
    assert "Begin it again" in (await here.get("/v1/auth/device", user_code="BCDF")).text
    assert "Type the code" in (await here.get("/v1/auth/device")).text


async def test_a_suspended_account_gets_nothing_for_an_approved_login(
    here: Browser, installation: Installation
) -> None:
    code = await a_code(here)
    async with installation.client() as client:
        answer = await client.post("/v1/accounts/alice/suspend", headers=installation.bearer("belle", "root"))
    assert answer.status_code == 200
    assert error(await redeemed(here, code)) == (400, "invalid_grant")


async def test_what_was_given_up_is_forgotten(here: Browser, installation: Installation) -> None:
    await a_device(here)
    installation.later(timedelta(hours=2))
    await tidy(installation.deployment)
    async with installation.database.transaction(await all_vos(installation.database)) as conn:
        assert await fetch_value(conn, "SELECT count(*) FROM login") == 0

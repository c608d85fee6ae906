"""DiracX's routes one by one, as their clients and others may call them."""

import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import psycopg
import pytest
from fastapi.routing import APIRoute

from sancho.app import create_app
from sancho.compat.diracx.api import ROUTERS
from sancho.compat.diracx.endpoints import OPERATIONS, Support
from sancho.identity.service.logins import challenge_of
from sancho.settings import DiracxSettings
from tests.identity.browser import Browser
from tests.served import Served, settings_for

CLIENT = {"client_id": "myDIRACClientID"}
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
BACK = "http://127.0.0.1:5000/back"
VERIFIER = "v" * 43
KEY = b"a key of DIRAC's services of belle"
IDENTITYS = {"/.well-known/openid-configuration", "/.well-known/jwks.json"}


@pytest.fixture
async def here(served: Served) -> Browser:
    """The browser of alice, who has a password."""
    await served.give_password("belle", "alice")
    return Browser(served.client)


def let_bob_administer(served: Served) -> None:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=1") as conn:
        bob, admins = served.world.account[1, "bob"], served.world.group[1, "admins"]
        conn.execute("INSERT INTO membership (vo, group_id, account_id) VALUES (1, %s, %s)", [admins, bob])


async def begun(here: Browser, scope: str = "vo:belle") -> dict[str, Any]:
    answer = await here.client.post("/api/auth/device", params={**CLIENT, "scope": scope})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def approved(here: Browser, begun: dict[str, Any], account: str = "alice") -> httpx2.Response:
    page = await here.client.get(begun["verification_uri_complete"])
    assert page.status_code == 307
    await here.get(page.headers["location"])
    assert "You can close this window" in (await here.log_in(account)).text
    return await tokens(here, grant_type=DEVICE, device_code=begun["device_code"])


async def tokens(here: Browser, **form: str) -> httpx2.Response:
    return await here.client.post("/api/auth/token", data={**CLIENT, **form})


async def who(here: Browser, token: str) -> Any:
    return (await here.client.get("/api/auth/userinfo", headers={"authorization": f"Bearer {token}"})).json()


@asynccontextmanager
async def with_settings(served: Served, **changed: Any) -> AsyncIterator[httpx2.AsyncClient]:
    settings = settings_for(served.url, served.folder).model_copy(update=changed)
    transport = httpx2.ASGITransport(app=create_app(settings, served.deployment))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


def test_every_operation_is_told_and_each_one_that_is_told_has_a_route() -> None:
    served = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]
    routes = {(method, route.path) for route in served for method in route.methods or ()}
    told = {(operation.method, operation.path) for operation in OPERATIONS}
    assert len(OPERATIONS) == len(told) == 42
    assert {each for each in told if each[1] not in IDENTITYS} == routes


async def test_what_is_not_served_says_so(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token()}"}
    for operation in OPERATIONS:
        if operation.support is Support.REFUSED:
            answer = await served.client.request(operation.method, operation.path, headers=headers)
            said = f"Sancho does not serve {operation.method} {answer.url.path} of DiracX."
            assert (answer.status_code, answer.json()) == (501, {"detail": said})
    answer = await served.client.get("/api/nothing", headers=headers)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_a_client_finds_what_it_needs_before_it_logs_in(served: Served) -> None:
    document = (await served.client.get("/.well-known/openid-configuration")).json()
    assert document["token_endpoint"] == "http://testserver/v1/auth/token"
    assert document["token_endpoint_auth_signing_alg_values_supported"] == ["Ed25519"]
    said = (await served.client.get("/.well-known/dirac-metadata")).json()["virtual_organizations"]
    assert list(said) == ["belle", "gridpp"]
    assert said["belle"]["groups"]["users"] == {"properties": ["NormalUser", "StageAllowed"]}
    assert said["belle"]["default_group"] == "users"
    assert said["belle"]["support"].keys() == {"message", "webpage", "email"}
    for probe, status in (("live", "live"), ("ready", "ready"), ("startup", "startup complete")):
        assert (await served.client.get(f"/api/health/{probe}")).json() == {"status": status}


async def test_weaknesses_are_reported_to_whom_the_operator_names(served: Served) -> None:
    answer = await served.client.get("/.well-known/security.txt")
    assert (answer.status_code, answer.json().keys()) == (404, {"detail"})
    async with with_settings(served, security_contact="mailto:security@sancho.test") as client:
        text = await client.get("/.well-known/security.txt")
        string = await client.get("/.well-known/security.txt", headers={"accept": "application/json"})
    assert text.headers["content-type"].startswith("text/plain")
    assert text.text.startswith("Contact: mailto:security@sancho.test\nExpires: ")
    assert string.json().startswith("Contact: mailto:security@sancho.test\n")


async def test_a_device_waits_however_often_it_asks_and_gets_its_tokens_once(here: Browser) -> None:
    device = await begun(here)
    assert device.keys() == {
        "user_code", "device_code", "verification_uri", "verification_uri_complete", "expires_in",
    }  # fmt: skip
    for _ in range(3):
        answer = await tokens(here, grant_type=DEVICE, device_code=device["device_code"])
        assert (answer.status_code, answer.json()) == (400, {"error": "authorization_pending"})

    given = await approved(here, device)

    assert (given.status_code, given.json()["token_type"]) == (200, "Bearer")
    assert given.json().keys() == {"access_token", "expires_in", "token_type", "refresh_token"}
    again = await tokens(here, grant_type=DEVICE, device_code=device["device_code"])
    assert (again.status_code, again.json().keys()) == (400, {"detail"})
    assert (await who(here, given.json()["access_token"])) == {"detail": "Invalid JWT"}


async def test_a_device_whose_user_says_no_is_told(here: Browser) -> None:
    device = await begun(here)
    await here.get("/v1/auth/device", user_code=device["user_code"])
    await here.submit(choice="deny")
    answer = await tokens(here, grant_type=DEVICE, device_code=device["device_code"])
    assert (answer.status_code, answer.json()) == (400, {"error": "access_denied"})


async def test_the_page_says_which_group_a_program_wants(here: Browser) -> None:
    for scope, said in (
        ("vo:belle", "in your primary group"),
        ("vo:belle group:users property:JobAdministrator", "<code>jobs:manage</code>"),
    ):
        device = await begun(here, scope)
        page = await here.get("/v1/auth/device", user_code=device["user_code"])
        assert "A DiracX client" in page.text
        assert said in page.text


@pytest.mark.parametrize(
    ("scope", "group", "properties"),
    [
        ("vo:belle", "users", ["NormalUser", "StageAllowed"]),
        ("vo:belle group:users", "users", ["NormalUser", "StageAllowed"]),
        ("vo:belle property:NormalUser", "users", ["NormalUser", "StageAllowed"]),
        ("vo:belle property:JobAdministrator", "users", ["JobAdministrator", "NormalUser", "StageAllowed"]),
        ("vo:belle group:admins", "admins", None),
    ],
)
async def test_a_token_has_its_group_and_the_properties_that_were_added(
    here: Browser, served: Served, scope: str, group: str, properties: list[str] | None
) -> None:
    let_bob_administer(served)
    await served.give_password("belle", "bob")

    given = (await approved(here, await begun(here, scope), "bob")).json()

    said = await who(here, given["access_token"])
    assert (said["sub"], said["dirac_group"], said["policies"]) == ("belle:bob", group, {})
    assert said["properties"] == properties or (properties is None and "CSAdministrator" in said["properties"])
    renewed = (await tokens(here, grant_type="refresh_token", refresh_token=given["refresh_token"])).json()
    assert (await who(here, renewed["access_token"])) == said


@pytest.mark.parametrize("scope", ["vo:belle group:admins", "vo:belle property:JobAdministrator"])
async def test_what_an_account_does_not_hold_is_not_given(here: Browser, scope: str) -> None:
    answer = await approved(here, await begun(here, scope))
    assert (answer.status_code, answer.json().keys()) == (403, {"detail"})


async def test_a_login_that_cannot_be_is_refused_at_once(here: Browser) -> None:
    for query, status in (
        ({"scope": "vo:nowhere"}, 400),
        ({"scope": "vo:belle group:strangers"}, 400),
        ({"scope": "vo:belle openid"}, 400),
        ({"scope": "vo:belle property:TrustedHost"}, 403),
        ({"scope": "vo:" + "x" * 2000}, 422),
        ({"scope": "vo:'; DROP TABLE login --"}, 400),
        ({}, 422),
    ):
        for send, path in ((here.client.post, "/api/auth/device"), (here.client.get, "/api/auth/authorize")):
            answer = await send(path, params={**CLIENT, **query})
            assert (answer.status_code, answer.json().keys()) == (status, {"detail"}), query
    answer = await here.client.post("/api/auth/device", params={"client_id": "nobody", "scope": "vo:belle"})
    assert (answer.status_code, answer.json().keys()) == (400, {"detail"})


async def test_a_browser_logs_in_for_a_program_that_waits_for_a_code(here: Browser) -> None:
    asked = {
        **CLIENT, "response_type": "code", "scope": "vo:belle group:users", "redirect_uri": BACK, "state": "s",
        "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    answer = await here.client.get("/api/auth/authorize", params=asked)
    assert answer.status_code == 307
    await here.get(answer.headers["location"])
    code = parse_qs(urlsplit((await here.log_in()).headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}

    assert (await tokens(here, **form, code_verifier="w" * 43)).status_code == 400
    given = await tokens(here, **form, code_verifier=VERIFIER)

    assert (await who(here, given.json()["access_token"]))["dirac_group"] == "users"


async def test_browsers_are_sent_on_to_our_pages_and_to_no_others(served: Served) -> None:
    for path, to in (
        ("device?user_code=BCDF%26x", "device?user_code=BCDF%26x"),
        ("device", "device"),
        ("device/complete?code=c&state=s", "login"),
        ("authorize/complete?code=c&state=%2F%2Fevil.example", "login"),
    ):
        answer = await served.client.get(f"/api/auth/{path}")
        assert (answer.status_code, answer.headers["location"]) == (307, f"http://testserver/v1/auth/{to}")
    page = await served.client.get("/api/auth/device/complete/finished")
    assert "<h1>Please close the window</h1>" in page.text


async def test_a_refresh_token_says_when_it_ends_and_is_good_at_both_endpoints(here: Browser) -> None:
    given = (await approved(here, await begun(here))).json()
    for path in ("/v1/auth/token", "/api/auth/token"):
        header, body, _ = given["refresh_token"].split(".")
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        assert said["exp"] - said["iat"] == 7 * 86_400
        assert json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["typ"] == "rt+jwt"
        assert (await who(here, given["refresh_token"])) == {"detail": "Invalid JWT"}
        form = {**CLIENT, "grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        given = (await here.client.post(path, data=form)).json()
    assert (await who(here, given["access_token"]))["sub"] == "belle:alice"


async def test_a_refresh_token_that_is_none_is_refused(here: Browser) -> None:
    for token in ("x", "a.b.c", "a.W10.c", "a.eyJyZWZyZXNoX3Rva2VuIjoxfQ.c", "é.é.é", "a." + "W1" * 2000 + ".c"):
        answer = await tokens(here, grant_type="refresh_token", refresh_token=token)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid refresh token"})
        assert (await here.client.post("/api/auth/revoke", data={**CLIENT, "token": token})).status_code == 200
    answer = await tokens(here, grant_type="refresh_token")
    assert (answer.status_code, answer.json()) == (400, {"detail": "refresh_token is missing."})


async def test_other_grants_are_not_given(here: Browser) -> None:
    for grant in ("password", "client_credentials", ""):
        answer = await tokens(here, grant_type=grant, username="alice", password="x", vo="belle")
        assert answer.status_code in (400, 422)
        assert answer.json().keys() == {"detail"}


async def test_a_logout_voids_the_tokens_of_its_login(here: Browser) -> None:
    given = (await approved(here, await begun(here))).json()

    answer = await here.client.post("/api/auth/revoke", data={**CLIENT, "token": given["refresh_token"]})

    assert (answer.status_code, answer.json()) == (200, "Refresh token revoked")
    assert (await who(here, given["access_token"])) == {"detail": "Invalid JWT"}
    again = await tokens(here, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert (again.status_code, again.json()) == (401, {"detail": "Invalid refresh token"})


async def test_logins_are_listed_to_their_owner_and_ended_by_them_or_by_who_manages_accounts(
    here: Browser, served: Served
) -> None:
    given = (await approved(here, await begun(here))).json()

    def as_(account: str, vo: str = "belle") -> dict[str, str]:
        return {"authorization": f"Bearer {served.token(vo, account)}"}

    async def listed(account: str) -> Any:
        return (await here.client.get("/api/auth/refresh-tokens", headers=as_(account))).json()

    (mine,) = await listed("alice")
    scope = "vo:belle group:users"
    assert (mine["scope"], mine["sub"], mine["status"]) == (scope, "belle:alice", "CREATED")
    assert await listed("root") == [mine]
    assert await listed("bob") == []
    path = f"/api/auth/refresh-tokens/{mine['jti']}"
    assert (await here.client.delete(path, headers=as_("bob"))).status_code == 404
    assert (await here.client.delete(path, headers=as_("root", "gridpp"))).status_code == 404
    answer = await here.client.delete(path, headers=as_("root"))
    assert (answer.status_code, answer.json()) == (200, "Refresh token revoked")
    assert (await who(here, given["access_token"])) == {"detail": "Invalid JWT"}
    assert await listed("alice") == []


async def test_a_token_of_ours_is_good_for_dirac_s_clients_too(served: Served, here: Browser) -> None:
    said = await who(here, served.token("belle", "root"))
    assert (said["dirac_group"], "JobAdministrator" in said["properties"]) == ("admins", True)


async def test_services_of_a_vo_get_tokens_for_its_accounts_with_its_key(served: Served) -> None:
    keys = DiracxSettings(legacy_exchange_keys={"belle": hashlib.sha256(KEY).hexdigest()})
    shown = {"authorization": f"Bearer diracx:legacy:{base64.urlsafe_b64encode(KEY).decode()}"}
    async with with_settings(served, diracx=keys) as client:

        async def exchanged(headers: dict[str, str] = shown, **query: Any) -> httpx2.Response:
            asked = {"preferred_username": "alice", "scope": "vo:belle group:users", **query}
            return await client.get("/api/auth/legacy-exchange", params=asked, headers=headers)

        given = await exchanged(expires_minutes=120)
        assert (given.status_code, given.json()["expires_in"], given.json()["refresh_token"]) == (200, 7200, None)
        headers = {"authorization": f"Bearer {given.json()['access_token']}"}
        said = (await client.get("/api/auth/userinfo", headers=headers)).json()
        assert (said["sub"], said["dirac_group"]) == ("belle:alice", "users")
        wrong = {"authorization": f"Bearer diracx:legacy:{base64.urlsafe_b64encode(b'guessed').decode()}"}
        for answer, status in (
            (await exchanged({}), 400),
            (await exchanged({"authorization": f"Bearer {served.token()}"}), 400),
            (await exchanged(wrong), 401),
            (await exchanged(scope="vo:gridpp"), 401),
            (await exchanged(scope="vo:nowhere"), 401),
            (await exchanged(scope="alice"), 400),
            (await exchanged(preferred_username="nobody"), 400),
            (await exchanged(scope="vo:belle group:admins"), 403),
            (await exchanged(expires_minutes=100_000), 422),
        ):
            assert (answer.status_code, answer.json().keys()) == (status, {"detail"})
    off = await served.client.get(
        "/api/auth/legacy-exchange", params={"preferred_username": "alice", "scope": "vo:belle"}, headers=shown
    )
    assert (off.status_code, int(off.headers["retry-after"]) > 0) == (503, True)


async def test_what_services_of_a_vo_get_and_what_they_are_refused_is_in_its_audit_log(served: Served) -> None:
    keys = DiracxSettings(legacy_exchange_keys={"belle": hashlib.sha256(KEY).hexdigest()})
    assert (await served.send("POST", "/accounts/bob/suspend", account="root")).status_code == 200
    async with with_settings(served, diracx=keys) as client:
        for account, key, scope in (
            ("alice", KEY, "vo:belle"), ("bob", KEY, "vo:belle"), ("nobody", KEY, "vo:belle"),
            ("alice", b"guessed", "vo:belle"), ("alice", KEY, "vo:gridpp"), ("alice", KEY, "vo:nowhere"),
            ("alice", KEY, "vo:belle group:admins"),
        ):  # fmt: skip
            shown = {"authorization": f"Bearer diracx:legacy:{base64.urlsafe_b64encode(key).decode()}"}
            asked = {"preferred_username": account, "scope": scope}
            await client.get("/api/auth/legacy-exchange", params=asked, headers=shown)

    noted: dict[str, list[tuple[str, bool, str]]] = {}
    for vo in ("belle", "gridpp"):
        wanted = {"permission": "tokens:issue"}
        found = (await served.send("GET", "/audit", vo=vo, account="root", params=wanted)).json()["items"]
        assert {row["route"] for row in found} == {"GET /api/auth/legacy-exchange"}
        noted[vo] = [(row["account"], row["allowed"], row["why"]) for row in reversed(found)]
    asking, wrong = "A service of the VO asked for a token", "The key of a service of the VO was wrong."
    assert noted == {
        "belle": [
            ("alice", True, f"{asking} for client myDIRACClientID."),
            ("bob", False, f"{asking} of an account that is suspended."),
            ("-", False, f"{asking} of an account that does not exist."),
            ("-", False, wrong),
        ],
        "gridpp": [("-", False, wrong)],
    }


async def test_a_suspended_account_gets_no_token_from_services(served: Served) -> None:
    assert (await served.send("POST", "/accounts/alice/suspend", account="root")).status_code == 200
    keys = DiracxSettings(legacy_exchange_keys={"belle": hashlib.sha256(KEY).hexdigest()})
    shown = {"authorization": f"Bearer diracx:legacy:{base64.urlsafe_b64encode(KEY).decode()}"}
    async with with_settings(served, diracx=keys) as client:
        asked = {"preferred_username": "alice", "scope": "vo:belle"}
        answer = await client.get("/api/auth/legacy-exchange", params=asked, headers=shown)
    assert answer.status_code == 403


async def test_a_refusal_before_any_route_is_said_in_diracx_s_way_too(served: Served) -> None:
    long = await served.client.post("/api/auth/token", content=b"x" * 33_000_000)
    assert (long.status_code, long.json().keys()) == (413, {"detail"})
    await served.deployment.database.close()
    away = await served.client.get("/api/auth/userinfo", headers={"authorization": f"Bearer {served.token()}"})
    assert (away.status_code, away.json()) == (503, {"detail": "The database does not answer."})
    assert int(away.headers["retry-after"]) > 0

"""The audit log names every token that a user was given, by which proof, and every proof that was refused."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest

from sancho.app import create_app
from sancho.identity import store
from sancho.identity.model import NewRefreshToken
from sancho.identity.service.codes import challenge_of
from sancho.identity.service.tokens import hash_of
from sancho.kit.db import fetch_value
from sancho.settings import Settings
from tests.conftest import eventually
from tests.identity.browser import Browser
from tests.identity.helpers import PASSWORD
from tests.served import Served

VERIFIER = "v" * 43
BACK = "http://127.0.0.1:5000/back"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


async def tokens(served: Served, **form: str) -> dict[str, Any]:
    return (await served.client.post("/v1/auth/token", data=form)).json()


async def rows(served: Served, *, vo: str = "belle") -> list[tuple[str, bool, str, str | None]]:
    """What was noted of tokens in a VO, the newest last: account, allowed, why, login."""
    answer = await served.send("GET", "/audit", vo=vo, account="root", params={"permission": "tokens:issue"})
    assert answer.status_code == 200, answer.text
    return [(r["account"], r["allowed"], r["why"], r["on"]) for r in reversed(answer.json()["items"])]


@pytest.fixture
async def alice(served: Served) -> Served:
    """The application, and alice has a password."""
    await served.give_password("belle", "alice")
    return served


async def by_password(served: Served, account: str = "alice", password: str = PASSWORD) -> dict[str, Any]:
    return await tokens(served, grant_type="password", vo="belle", username=account, password=password)


async def test_a_login_is_noted_once_however_often_it_is_renewed(alice: Served) -> None:
    given = await by_password(alice)
    for _ in range(3):
        given = await tokens(alice, grant_type="refresh_token", refresh_token=given["refresh_token"])

    (noted,) = await rows(alice)
    assert noted[:3] == ("alice", True, "A password gave tokens to client sancho.")
    assert noted[3] is not None
    assert noted[3].startswith("login:")
    assert await rows(alice, vo="gridpp") == []


async def test_a_client_behind_a_proxy_of_ours_is_noted_where_it_is(alice: Served) -> None:
    proxied = replace(alice.deployment, trusted_proxies=(ip_network("127.0.0.1/32"),))
    settings = Settings(state_dir=alice.folder, public_url="http://testserver")
    transport = httpx2.ASGITransport(app=create_app(settings, proxied))
    headers = {"x-forwarded-for": "192.0.2.1, 203.0.113.7"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        form = {"grant_type": "password", "vo": "belle", "username": "alice", "password": PASSWORD}
        assert (await client.post("/v1/auth/token", data=form, headers=headers)).status_code == 200

    found = (await alice.send("GET", "/audit", account="root")).json()["items"]
    assert [row["client"] for row in found] == ["203.0.113.7"]


async def test_a_wrong_password_is_noted_and_what_was_typed_for_an_account_is_not(alice: Served) -> None:
    await by_password(alice, password="wrong horse")
    await by_password(alice, account="my-password")

    why = "A password was wrong, or its account may not act."
    assert await rows(alice) == [("alice", False, why, None), ("-", False, why, None)]


async def test_a_token_in_a_header_of_rucio_is_noted_though_the_request_reads(alice: Served) -> None:
    headers = {"x-rucio-vo": "belle", "x-rucio-username": "alice", "x-rucio-password": PASSWORD}
    assert (await alice.client.get("/rucio/auth/userpass", headers=headers)).status_code == 200

    assert await rows(alice) == [("alice", True, "A password gave a token to client rucio.", None)]


async def test_an_exchange_is_noted_and_one_for_more_is_noted_as_refused(alice: Served) -> None:
    own = await by_password(alice)
    less = await tokens(alice, grant_type=EXCHANGE, subject_token=own["access_token"], scope="rules:create")
    await tokens(alice, grant_type=EXCHANGE, subject_token=less["access_token"], scope="sancho")

    assert [(allowed, why) for _, allowed, why, _ in await rows(alice)][1:] == [
        (True, "A token was exchanged for one of scope rules:create."),
        (False, "A token was to be exchanged for one that allows more."),
    ]


async def test_a_secret_of_a_service_is_noted_right_or_wrong(alice: Served) -> None:
    document = {"kind": "Account", "name": "robot", "vo": "belle", "spec": {"kind": "service", "groups": ["users"]}}
    sent = {"documents": [document]}
    assert (await alice.send("POST", "/configuration/apply", account="root", json=sent)).status_code == 200
    made = (await alice.send("POST", "/accounts/robot/secret", account="root")).json()

    await tokens(alice, grant_type="client_credentials", **made)
    await tokens(alice, grant_type="client_credentials", **{**made, "client_secret": "guessed"})

    assert [row[:3] for row in await rows(alice)] == [
        ("robot", True, "Its secret gave a token to a service."),
        ("robot", False, "The secret of a service was wrong."),
    ]


async def a_code(served: Served) -> str:
    browser = Browser(served.client)
    asked = {
        "response_type": "code", "client_id": "sancho", "vo": "belle", "redirect_uri": BACK,
        "code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256",
    }  # fmt: skip
    await browser.get("/v1/auth/authorize", **asked)
    answer = await browser.log_in()
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


async def redeemed(served: Served, code: str) -> dict[str, Any]:
    return await tokens(
        served, grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER
    )  # fmt: skip


async def test_a_stolen_code_is_noted_with_the_login_that_it_ended(alice: Served) -> None:
    code = await a_code(alice)
    await redeemed(alice, code)
    await redeemed(alice, code)

    begun, ended = await rows(alice)
    assert begun[:3] == ("alice", True, "A login in a browser gave tokens to client sancho.")
    assert ended == ("alice", False, "The code of a login came back: all of it is void.", begun[3])


async def test_no_renewal_under_way_escapes_when_a_code_comes_back(alice: Served) -> None:
    code = await a_code(alice)
    given = await redeemed(alice, code)
    now, old, new = alice.deployment.clock.now(), hash_of(given["refresh_token"]), f"sr-1-{'n' * 43}"

    async def waits() -> bool:
        async with alice.deployment.database.transaction([1]) as conn:
            query = """
                SELECT EXISTS (SELECT FROM pg_stat_activity
                                WHERE wait_event_type = 'Lock' AND datname = current_database())
                """
            return bool(await fetch_value(conn, query, {}))

    async with alice.deployment.database.transaction([1]) as conn:  # a renewal, which holds the account
        await store.lock_owner(conn, 1, old)
        known = await store.refresh_token(conn, 1, old)
        assert known is not None
        replay = asyncio.create_task(redeemed(alice, code))
        await eventually(waits)
        noted = NewRefreshToken(
            account_id=known.account_id, family=UUID(known.family), token_hash=hash_of(new), issued_at=now,
            expires_at=now + timedelta(days=1), client="sancho", token_scope="sancho",
        )  # fmt: skip
        await store.add_refresh_token(conn, 1, noted)
    assert (await replay)["error"] == "invalid_grant"

    assert (await tokens(alice, grant_type="refresh_token", refresh_token=new))["error"] == "invalid_grant"

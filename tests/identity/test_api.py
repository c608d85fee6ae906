"""The routes of identity, as a client meets them."""

from typing import Any

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from sancho.identity.kinds import KINDS
from sancho.kit.db import execute
from sancho.vos.kinds import KINDS as VOS
from tests.identity.helpers import PASSWORD, URL, Installation

PROBLEM = "application/problem+json"
LOGIN = {"grant_type": "password", "vo": "belle", "username": "alice", "password": PASSWORD}


async def post_form(installation: Installation, path: str, form: Any) -> httpx2.Response:
    async with installation.client() as client:
        return await client.post(path, data=form)


async def get(installation: Installation, path: str, *, vo: str = "belle", account: str = "alice") -> httpx2.Response:
    async with installation.client() as client:
        return await client.get(path, headers=installation.bearer(vo, account))


async def post(
    installation: Installation, path: str, body: Any = None, *, vo: str = "belle", account: str = "root"
) -> httpx2.Response:
    async with installation.client() as client:
        return await client.post(path, json=body, headers=installation.bearer(vo, account))


async def test_a_client_logs_in_and_says_who_it_is(installation: Installation) -> None:
    await installation.with_password(1, "alice")

    answer = await post_form(installation, "/v1/auth/token", LOGIN | {"client_id": "cli", "scope": "openid"})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    assert tokens["token_type"] == "Bearer"
    async with installation.client() as client:
        who = await client.get("/v1/whoami", headers={"authorization": f"bearer {tokens['access_token']}"})
    assert who.json() == {
        "vo": "belle", "account": "alice", "groups": ["users"],
        "permissions": ["dids:create", "jobs:create", "rules:create", "uploads:create"],
    }  # fmt: skip


async def test_a_client_refreshes_and_logs_out(installation: Installation) -> None:
    await installation.with_password(1, "alice")
    first = (await post_form(installation, "/v1/auth/token", LOGIN)).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = (await post_form(installation, "/v1/auth/token", form)).json()

    assert (await post_form(installation, "/v1/auth/revoke", {"token": second["refresh_token"]})).status_code == 200
    refused = await post_form(installation, "/v1/auth/token", form | {"refresh_token": second["refresh_token"]})
    assert (refused.status_code, refused.json()["code"]) == (401, "refresh_refused")


@pytest.mark.parametrize(
    ("form", "status", "code", "field"),
    [
        ({}, 422, "invalid_request", "grant_type"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type", "grant_type"),
        ({"grant_type": "password", "vo": "belle"}, 400, "grant_incomplete", "username"),
        ({"grant_type": "password", "vo": "belle", "username": "alice"}, 400, "grant_incomplete", "password"),
        ({"grant_type": "refresh_token"}, 400, "grant_incomplete", "refresh_token"),
        (LOGIN | {"password": "x" * 2000}, 422, "invalid_request", "password"),
        (LOGIN | {"password": "wrong horse"}, 401, "login_refused", None),
        (LOGIN | {"username": "\x00"}, 401, "login_refused", None),
    ],
)
async def test_a_bad_request_for_tokens_is_answered_with_a_problem(
    installation: Installation, form: dict[str, str], status: int, code: str, field: str | None
) -> None:
    answer = await post_form(installation, "/v1/auth/token", form)

    assert (answer.status_code, answer.json()["code"], answer.json().get("field")) == (status, code, field)
    assert answer.headers["content-type"] == ("application/json" if "error" in answer.json() else PROBLEM)
    assert "www-authenticate" in answer.headers or status != 401


async def test_a_form_that_is_not_text_is_refused(installation: Installation) -> None:
    async with installation.client() as client:
        answer = await client.post(
            "/v1/auth/token", content=b"grant_type=password&vo=\xff\xfe&username=\xc3\x28&password=%FF%00",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip

    assert 400 <= answer.status_code < 500


async def test_anybody_finds_out_where_tokens_come_from_and_checks_them(installation: Installation) -> None:
    async with installation.client() as client:
        document = (await client.get("/.well-known/openid-configuration")).json()
        key, for_storages = (await client.get(document["jwks_uri"])).json()["keys"]

    assert document["issuer"] == URL
    assert document["token_endpoint"] == f"{URL}/v1/auth/token"
    token = installation.bearer("belle", "alice")["authorization"].removeprefix("Bearer ")
    assert jwt.decode(token, OKPKey.import_key(key), algorithms=["Ed25519"]).claims["sub"] == "belle:alice"
    assert "d" not in key | for_storages


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "no_token"), ({"authorization": "Basic eA=="}, "no_token"), ({"authorization": "Bearer x"}, "token_invalid")],
)
async def test_without_a_good_token_nothing_is_said(
    installation: Installation, headers: dict[str, str], code: str
) -> None:
    async with installation.client() as client:
        for path in ("/v1/whoami", "/v1/accounts", "/v1/accounts/alice", "/v1/groups"):
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, code)


async def test_accounts_are_listed_and_shown_without_the_addresses_of_others(installation: Installation) -> None:
    async with installation.database.transaction([1]) as conn:
        await execute(conn, "UPDATE account SET email = name || '@example.org'")

    mine = (await get(installation, "/v1/accounts")).json()
    assert [(a["name"], a["kind"], a["state"], a["email"]) for a in mine] == [
        ("alice", "user", "active", "alice@example.org"),
        ("bob", "user", "active", None),
        ("root", "user", "active", None),
    ]
    assert [a["name"] for a in (await get(installation, "/v1/accounts?after=alice&limit=1")).json()] == ["bob"]
    bob = (await get(installation, "/v1/accounts/bob", account="root")).json()
    assert (bob["email"], bob["groups"]) == ("bob@example.org", ["users"])
    assert [g["name"] for g in (await get(installation, "/v1/groups")).json()] == ["users", "admins"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/accounts/nobody", 404), ("/v1/accounts/al%00ice", 404), ("/v1/accounts/%FF", 404),
        ("/v1/accounts?after=%00", 422), ("/v1/accounts?limit=0", 422), ("/v1/accounts?limit=x", 422),
        ("/v1/accounts?vo=gridpp", 404), ("/v1/groups?vo=nowhere", 404), ("/v1/accounts?vo=%00", 404),
    ],
)  # fmt: skip
async def test_a_bad_request_is_answered_with_a_problem(installation: Installation, path: str, status: int) -> None:
    answer = await get(installation, path)

    assert answer.status_code == status
    assert answer.json()["code"]


async def test_an_administrator_of_the_installation_acts_in_any_vo(installation: Installation) -> None:
    seen = await get(installation, "/v1/accounts?vo=gridpp", vo="instance", account="root")
    assert [a["name"] for a in seen.json()] == ["alice", "bob", "root"]

    answer = await post(installation, "/v1/accounts/root/suspend?vo=gridpp", vo="instance")
    assert answer.json()["state"] == "suspended"
    assert (await get(installation, "/v1/whoami", vo="gridpp", account="root")).status_code == 403
    assert (await get(installation, "/v1/whoami", account="root")).status_code == 200


async def test_an_account_is_suspended_and_activated(installation: Installation) -> None:
    assert (await post(installation, "/v1/accounts/alice/suspend")).json()["state"] == "suspended"
    barred = await get(installation, "/v1/whoami")
    assert (barred.status_code, barred.json()["code"]) == (403, "account_suspended")
    assert (await post(installation, "/v1/accounts/alice/activate")).json()["state"] == "active"
    assert (await post(installation, "/v1/accounts/nobody/suspend")).status_code == 404
    assert (await post(installation, "/v1/accounts/root/suspend", account="alice")).status_code == 403


async def test_a_password_is_set(installation: Installation) -> None:
    assert (await post(installation, "/v1/accounts/alice/password", {"password": "new horse"})).status_code == 204
    form = LOGIN | {"password": "new horse"}
    assert (await post_form(installation, "/v1/auth/token", form)).status_code == 200

    own = {"password": "newest horse", "current_password": "wrong"}
    answer = await post(installation, "/v1/accounts/alice/password", own, account="alice")
    assert (answer.status_code, answer.json()["field"]) == (403, "current_password")
    answer = await post(installation, "/v1/accounts/alice/password", {"password": "short"})
    assert (answer.status_code, answer.json()["field"]) == (422, "password")


async def test_what_is_said_of_a_suspended_account_does_not_let_it_in(installation: Installation) -> None:
    assert (await post(installation, "/v1/accounts/alice/suspend")).json()["state"] == "suspended"
    async with installation.client(kinds=(*VOS, *KINDS)) as client:
        root, said = installation.bearer("belle", "root"), {"attributes": {"left": True}}
        changed = (await client.patch("/v1/accounts/alice", json=said, headers=root)).json()
    assert (changed["state"], changed["attributes"]) == ("suspended", {"left": True})
    assert (await post(installation, "/v1/accounts/alice/activate")).json()["state"] == "active"


async def test_attributes_are_changed_one_by_one_and_rights_are_none(installation: Installation) -> None:
    async def change(
        name: str, said: Any, *, account: str = "root", vo: str = "belle", of: str = ""
    ) -> httpx2.Response:
        path = f"/v1/accounts/{name}{of}"
        async with installation.client(kinds=(*VOS, *KINDS)) as client:
            return await client.patch(path, json={"attributes": said}, headers=installation.bearer(vo, account))

    before = (await get(installation, "/v1/accounts/alice")).json()
    assert (await change("alice", {"country": "AT", "floor": 3})).json()["attributes"] == {"country": "AT", "floor": 3}
    other = await change("alice", {"floor": None, "*": None}, account="root", vo="instance", of="?vo=belle")
    assert other.json()["attributes"] == {"country": "AT"}
    assert (await get(installation, "/v1/accounts/alice")).json() == before | {"attributes": {"country": "AT"}}

    for name, said, account, code in (
        ("alice", {"country": "FR"}, "alice", "permission_missing"),
        ("nobody", {"country": "FR"}, "root", "account_not_found"),
        ("alice", {"a b": 1}, "root", "document_invalid"),
        ("alice", {}, "root", "invalid_request"),
        ("alice", {"x": [1]}, "root", "document_invalid"),
    ):
        assert (await change(name, said, account=account)).json()["code"] == code

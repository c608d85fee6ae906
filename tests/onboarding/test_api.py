"""A VO comes in by one request, is there at once, and is checked."""

from typing import Any

import pytest

from tests.realparts.oidc import OpenIdProvider
from tests.served import Served

ADMIN: dict[str, Any] = {"vo": "instance", "account": "root"}
FULL: dict[str, Any] = {
    "name": "eic.example.org", "alias": "eic", "share": 2, "admin": "ada", "email": "ada@example.org",
    "groups": {"production": {"permissions": ["jobs:create", "rules:create"], "share": 3}},
    "quotas": {"total": {"rse_expression": "*", "size": "10 TB"}},
    "scopes": ["mc"],
    "grants": [{"kind": "RSE", "name": "A-DISK"}, {"kind": "ComputeElement", "name": "A-CE"}],
}  # fmt: skip


async def checks(served: Served, name: str, **who: Any) -> dict[str, str]:
    answer = await served.send("GET", f"/vos/{name}/check", **(who or ADMIN))
    assert answer.status_code == 200, answer.text
    return {one["what"]: one["outcome"] for one in answer.json()}


async def test_a_vo_comes_in_with_all_that_it_needs_and_its_administrator_logs_in(served: Served) -> None:
    answer = await served.send("POST", "/vos", json=FULL, **ADMIN)

    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    kinds = [(c["kind"], c["name"]) for c in made["changes"]]
    assert ("VO", "eic.example.org") in kinds
    assert ("Grant", "eic.example.org.RSE.A-DISK") in kinds
    assert {kind for kind, _ in kinds} == {"VO", "Account", "Group", "Quota", "Scope", "Grant"}
    login = made["administrator"]
    form = {
        "grant_type": "password", "vo": "eic.example.org", "username": login["account"], "password": login["password"]
    }  # fmt: skip
    tokens = await served.client.post("/v1/auth/token", data=form)
    assert tokens.status_code == 200, tokens.text
    token = tokens.json()["access_token"]
    me = (await served.send("GET", "/whoami", token=token)).json()
    assert (me["vo"], me["account"], me["permissions"]) == ("eic.example.org", "ada", ["*"])
    assert [r["name"] for r in (await served.send("GET", "/rses", token=token)).json()] == ["A-DISK"]
    assert [q["size"] for q in (await served.send("GET", "/quotas", token=token)).json()["items"]] == [10**13]
    answer = await served.send("GET", "/vos/eic.example.org/check", token=token)
    outcomes = {one["what"]: one["outcome"] for one in answer.json()}
    assert outcomes == {
        "identity provider": "advised", "administrator": "ok", "groups": "ok", "quota": "ok", "rse": "ok", "ce": "ok"
    }  # fmt: skip


async def test_the_password_is_in_the_answer_and_nowhere_else(served: Served) -> None:
    made = (await served.send("POST", "/vos", json={"name": "small"}, **ADMIN)).json()

    password = made["administrator"]["password"]
    assert password not in str(made["changes"])
    history = await served.send("GET", f"/configuration/versions/{made['version']}", **ADMIN)
    assert password not in history.text


async def test_what_a_vo_lacks_is_said_with_what_to_do_next(served: Served) -> None:
    await served.send("POST", "/vos", json={"name": "bare"}, **ADMIN)

    answer = await served.send("GET", "/vos/bare/check", **ADMIN)

    missing = {one["what"]: one["next"] for one in answer.json() if one["outcome"] == "missing"}
    assert set(missing) == {"rse", "ce"}
    assert all("bare" in advice for advice in missing.values())


async def test_a_vo_without_an_administrator_or_a_default_group_is_told_so(served: Served) -> None:
    await served.send("POST", "/vos", json={"name": "headless"}, **ADMIN)
    gone = [
        {"kind": "Account", "name": "admin", "vo": "headless", "remove": True},
        {"kind": "Group", "name": "users", "vo": "headless", "spec": {}},
    ]
    applied = await served.send("POST", "/configuration/apply", json={"documents": gone}, **ADMIN)
    assert applied.status_code == 200, applied.text
    remove = [{"kind": "Group", "name": "users", "vo": "headless", "remove": True}]
    await served.send("POST", "/configuration/apply", json={"documents": remove}, **ADMIN)

    found = await checks(served, "headless")

    assert (found["administrator"], found["groups"]) == ("missing", "missing")


async def test_an_identity_provider_is_asked_whether_it_answers(
    served: Served, issuers: tuple[OpenIdProvider, OpenIdProvider]
) -> None:
    for name, issuer, outcome in (("alive", issuers[0].issuer, "ok"), ("dead", "http://127.0.0.1:1", "missing")):
        settings = {"client_id": "sancho", "allow_http": True}
        body = {"name": name, "providers": {"login": {"issuer": issuer, "settings": settings}}}
        answer = await served.send("POST", "/vos", json=body, **ADMIN)
        assert answer.status_code == 201, answer.text
        assert (await checks(served, name))["identity provider"] == outcome


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "belle"}, 409, "vo_exists"),
        ({"name": "new", "alias": "too long"}, 422, "invalid_request"),
        ({"name": "new", "grants": [{"kind": "RSE", "name": "NONE"}]}, 422, "reference_unknown"),
        ({"name": "new", "quotas": {"q": {"rse_expression": "*", "size": 1}}}, 422, "rse_expression_empty"),
        ({"name": "new", "scopes": ["NOT A SCOPE"]}, 422, "document_invalid"),
    ],
)
async def test_what_cannot_be_made_is_refused_and_nothing_is_made(
    served: Served, body: dict[str, Any], status: int, code: str
) -> None:
    answer = await served.send("POST", "/vos", json=body, **ADMIN)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert "new" not in [vo["name"] for vo in (await served.send("GET", "/vos", **ADMIN)).json()]


async def test_only_administrators_of_the_installation_let_a_vo_in(served: Served) -> None:
    for account, code in (("alice", "permission_missing"), ("root", "not_your_configuration")):
        answer = await served.send("POST", "/vos", json={"name": "mine"}, account=account)
        assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_a_vo_is_checked_by_its_own_administrators_and_is_not_there_for_others(served: Served) -> None:
    assert (await checks(served, "belle", account="root"))["rse"] == "ok"
    for vo, name, account, code in (
        ("gridpp", "belle", "root", "vo_not_found"),
        ("gridpp", "none", "root", "vo_not_found"),
        ("belle", "belle", "alice", "permission_missing"),
    ):
        answer = await served.send("GET", f"/vos/{name}/check", vo=vo, account=account)
        assert answer.json()["code"] == code


async def test_a_vo_without_passwords_comes_in_and_its_administrator_has_none(served: Served) -> None:
    made = await served.send("POST", "/vos", json={"name": "sworn", "passwords": False}, **ADMIN)

    assert made.status_code == 201, made.text
    assert made.json()["administrator"] == {"account": "admin", "password": None}
    answer = await served.send("GET", "/vos/sworn/check", **ADMIN)
    (login,) = [one for one in answer.json() if one["what"] == "identity provider"]
    assert (login["outcome"], login["found"]) == ("missing", "none, and no passwords")
    form = {"grant_type": "password", "vo": "sworn", "username": "admin", "password": "correct horse"}
    refused = await served.client.post("/v1/auth/token", data=form)
    assert (refused.status_code, refused.json()["code"]) == (403, "passwords_off")

"""A VO without passwords: whatever takes one refuses it before a hash is computed, and everything else goes on."""

from collections.abc import Iterator
from typing import Any, Literal

import argon2
import httpx2
import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel

from sancho.app import ROUTERS
from sancho.compat.diracx import api as diracx_api
from sancho.compat.rucio import api as rucio_api
from sancho.identity import api as identity_api
from sancho.identity.service import passwords
from sancho.identity.service.logins import challenge_of
from sancho.parts import KINDS
from tests.identity.browser import Browser
from tests.identity.helpers import PASSWORD, hashed
from tests.served import Served

ASKED = {
    "response_type": "code", "client_id": "sancho", "vo": "belle", "redirect_uri": "http://127.0.0.1:5000/back",
    "code_challenge": challenge_of("v" * 43), "code_challenge_method": "S256",
}  # fmt: skip
GRANT = {"grant_type": "password", "vo": "belle", "username": "alice", "password": PASSWORD}
RUCIO = {
    "x-rucio-vo": "belle", "x-rucio-account": "alice", "x-rucio-username": "alice", "x-rucio-password": PASSWORD
}  # fmt: skip
HASHING = {
    "POST /v1/auth/token": 403, "POST /v1/auth/login": 403, "POST /v1/accounts/{name}/password": 403,
    "GET /rucio/auth/userpass": 401,
}  # fmt: skip
"""The routes that compute a hash when a VO has passwords, and their refusals when it has none."""


class Counting(argon2.PasswordHasher):
    """Argon2 as it is, and how many hashes were computed."""

    computed = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 - argon2's name
        self.computed += 1
        return super().verify(hash, password)

    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.computed += 1
        return super().hash(password, salt=salt)


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> Counting:
    passwords._nobodys_hash()  # which is computed once
    made = Counting()
    monkeypatch.setattr(passwords, "_hasher", made)
    return made


def names_in(kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield name
            yield from names_in(field.annotation)


def takes_a_password(route: APIRoute) -> bool:
    todo, names = [route.dependant], set[str]()
    while todo:
        one = todo.pop()
        todo += one.dependencies
        for field in (*one.body_params, *one.header_params, *one.query_params, *one.path_params):
            names |= {field.name, field.alias, *names_in(field.field_info.annotation)}
    return any("password" in name and name != "passwords" for name in names)


def routes() -> dict[str, APIRoute]:
    """Every route that takes a password."""
    routers = (*ROUTERS, *identity_api.PUBLIC_ROUTERS, *rucio_api.ROUTERS, *diracx_api.ROUTERS)
    return {
        f"{method} {route.path}": route
        for router in routers for route in router.routes
        if isinstance(route, APIRoute) and takes_a_password(route) for method in sorted(route.methods or ())
    }  # fmt: skip


TAKING = sorted(routes())


async def ask(served: Served, route: str) -> httpx2.Response:
    """Say the password of alice to a route, as it wants it."""
    method, _, path = route.partition(" ")
    if path == "/v1/auth/login":
        browser = Browser(served.client)
        await browser.get("/v1/auth/authorize", **ASKED)
        return await browser.log_in()
    if path.startswith("/rucio/"):
        return await served.client.request(method, path, headers=RUCIO)
    if path == "/v1/auth/token":
        return await served.client.post(path, data=GRANT)
    body = {"password": "red lorry, yellow lorry", "current_password": PASSWORD}
    return await served.send(method, path.removeprefix("/v1").replace("{name}", "alice"), json=body)


async def switch(served: Served, *, passwords: bool) -> None:
    document = {"kind": "VO", "name": "belle", "spec": {"passwords": passwords}}
    answer = await served.send(
        "POST", "/configuration/apply", vo="instance", account="root", json={"documents": [document]}
    )
    assert answer.status_code == 200, answer.text


def gives_nothing(answer: httpx2.Response) -> bool:
    given = {"access_token" in answer.text, bool(answer.headers.get("x-rucio-auth-token"))}
    return given == {False} and "code=" not in answer.headers.get("location", "")


def test_routes_that_take_passwords_are_found() -> None:
    assert set(HASHING) <= set(TAKING)


@pytest.mark.parametrize("route", TAKING)
async def test_no_route_takes_a_password_of_a_vo_without(served: Served, hasher: Counting, route: str) -> None:
    await served.give_password("belle", "alice")
    await switch(served, passwords=False)

    answer = await ask(served, route)

    assert hasher.computed == 0
    if route in HASHING:
        assert (answer.status_code, "Accounts of VO belle have no passwords" in answer.text) == (HASHING[route], True)
        assert gives_nothing(answer), route

    await switch(served, passwords=True)
    await ask(served, route)
    assert (hasher.computed > 0) == (route in HASHING)


async def test_tokens_of_before_go_on_and_the_administrators_of_the_installation_log_in(served: Served) -> None:
    for vo, account in (("belle", "alice"), ("instance", "root"), ("gridpp", "bob")):
        await served.give_password(vo, account)
    given = (await served.client.post("/v1/auth/token", data=GRANT)).json()

    await switch(served, passwords=False)

    assert (await served.send("GET", "/whoami", token=given["access_token"])).status_code == 200
    again = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
    assert (await served.client.post("/v1/auth/token", data=again)).status_code == 200
    for vo, account in (("instance", "root"), ("gridpp", "bob")):
        form = GRANT | {"vo": vo, "username": account}
        assert (await served.client.post("/v1/auth/token", data=form)).status_code == 200


async def test_oauth_hears_its_own_word_and_tries_are_not_counted(served: Served) -> None:
    await switch(served, passwords=False)

    answers = [await served.client.post("/v1/auth/token", data=GRANT) for _ in range(25)]

    assert {(a.status_code, a.json()["error"], a.json()["code"]) for a in answers} == {
        (403, "unauthorized_client", "passwords_off")
    }


async def test_the_ways_and_the_page_show_no_password(served: Served) -> None:
    browser = Browser(served.client)
    page = await browser.get("/v1/auth/authorize", **ASKED)
    assert 'type="password"' in page.text

    await switch(served, passwords=False)

    ways = await served.client.get("/v1/auth/ways", params={"vo": "belle"})
    assert ways.json() == {"vo": "belle", "passwords": False, "providers": []}
    page = await browser.get("/v1/auth/authorize", **ASKED)
    assert 'type="password"' not in page.text
    assert "nobody can log in here" in page.text


async def test_an_administrator_sets_none_and_no_document_does(served: Served) -> None:
    await switch(served, passwords=False)

    answer = await served.send("POST", "/accounts/alice/password", account="root", json={"password": "red lorry!"})
    assert (answer.status_code, answer.json()["code"]) == (403, "passwords_off")
    (kind,) = [
        kind for kind in KINDS if any("password" in name and name != "passwords" for name in names_in(kind.model))
    ]
    assert kind.name == "Account"
    spec = {"groups": ["users"], "password_hash": hashed(PASSWORD)}
    documents = [{"kind": "Account", "name": "carol", "vo": "belle", "spec": spec}]
    answer = await served.send("POST", "/configuration/apply", account="root", json={"documents": documents})
    assert (answer.status_code, answer.json()["code"]) == (403, "passwords_off")
    assert answer.json()["field"] == "documents.0.spec.password_hash"
    del spec["password_hash"]
    answer = await served.send("POST", "/configuration/apply", account="root", json={"documents": documents})
    assert answer.status_code == 200, answer.text


async def test_the_vo_instance_keeps_its_passwords(served: Served) -> None:
    document = {"kind": "VO", "name": "instance", "spec": {"passwords": False}}

    answer = await served.send(
        "POST", "/configuration/apply", vo="instance", account="root", json={"documents": [document]}
    )

    assert (answer.status_code, answer.json()["field"]) == (422, "documents.0.spec.passwords")


async def test_a_refused_password_is_in_the_audit_log(served: Served) -> None:
    await switch(served, passwords=False)

    await served.client.post("/v1/auth/token", data=GRANT)

    await served.run_tasks()
    log = await served.send("GET", "/audit", account="root", params={"account": "-"})
    assert "the VO has none" in log.text

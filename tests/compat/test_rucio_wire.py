"""Rucio's wire by itself: its headers, its errors, what it refuses, and that no VO sees another by it."""

import ast
import asyncio
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx2
import structlog
from fastapi.routing import APIRoute

from sancho.app import PUBLIC_PATHS
from sancho.compat.rucio import translate
from sancho.compat.rucio.api import ROUTERS
from sancho.compat.rucio.dialect import LONGEST_HEADER, render
from sancho.compat.rucio.endpoints import ENDPOINTS
from sancho.identity import store
from sancho.identity.errors import TooManyLogins
from sancho.kit.errors import BadRequest
from tests.identity.helpers import PASSWORD, hashed
from tests.served import Served

ROUTES = [r for router in ROUTERS for r in router.routes if isinstance(r, APIRoute)]
EXAMPLES = {"{scope}": "mc", "{name}": "a/b", "[/]": ""}


async def ask(
    served: Served, path: str, *, method: str = "GET", token: str | None = None, client: Any = None, **headers: str
) -> httpx2.Response:
    said = {f"x-rucio-{name.replace('_', '-')}": value for name, value in headers.items()}
    said |= {} if token is None else {"x-rucio-auth-token": token}
    return await (client or served.client).request(method, f"/rucio{path}", headers=said)


def complaint(answer: httpx2.Response) -> tuple[int, str, str]:
    """Status, class and message of an error, which headers and body must agree on."""
    assert answer.headers["content-type"] == "application/octet-stream"
    body = json.loads(answer.content)
    assert set(body) == {"ExceptionClass", "ExceptionMessage"}
    assert answer.headers["ExceptionClass"] == body["ExceptionClass"]
    short = body["ExceptionMessage"].encode("ascii", "replace").decode()
    assert answer.headers["ExceptionMessage"].removesuffix("...") == short[:LONGEST_HEADER]
    return answer.status_code, body["ExceptionClass"], body["ExceptionMessage"]


async def with_password(served: Served, vo: int = 1, account: str = "alice") -> None:
    async with served.deployment.database.transaction([vo]) as conn:
        (known,) = await store.list_accounts(conn, vo, names=[account])
        await store.put_passwords(
            conn, vo, account_ids=[known.account_id], names=[account], hashes=[hashed(PASSWORD)],
            now=served.deployment.clock.now(),
        )  # fmt: skip


async def test_a_password_becomes_a_token_in_headers(served: Served) -> None:
    await with_password(served)

    answer = await ask(served, "/auth/userpass", vo="belle", username="alice", password=PASSWORD, appid="x")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-rucio-auth-account"] == "alice"
    left = translate.read_date(answer.headers["x-rucio-auth-token-expires"]) - served.deployment.clock.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    token = answer.headers["x-rucio-auth-token"]
    mine = await ask(served, "/accounts/alice", token=token)
    assert (mine.headers["content-type"], mine.json()["account"]) == ("application/json", "alice")
    native = await served.client.get("/v1/whoami", headers={"authorization": f"Bearer {token}"})
    assert native.json()["account"] == "alice"


async def test_whoami_leads_to_ones_own_account(served: Served) -> None:
    answer = await ask(served, "/accounts/whoami", token=served.token())
    assert (answer.status_code, answer.headers["location"]) == (303, "alice")


async def test_an_address_is_shown_to_its_owner_and_to_who_manages_accounts(served: Served) -> None:
    spec = {"groups": ["users"], "email": "bob@example.org"}
    document = {"kind": "Account", "name": "bob", "vo": "belle", "spec": spec}
    await served.send("POST", "/configuration/apply", account="root", json={"documents": [document]})
    seen = {
        who: (await ask(served, "/accounts/bob", token=served.token("belle", who))).json()["email"]
        for who in ("alice", "bob", "root")
    }
    assert seen == {"alice": None, "bob": "bob@example.org", "root": "bob@example.org"}


async def test_ping_needs_no_token_and_says_the_release(served: Served) -> None:
    for path in ("/ping", "/ping/"):
        answer = await ask(served, path)
        assert (answer.status_code, answer.json()["version"][:5]) == (200, "41.5.")


ERRORS: list[tuple[str, Mapping[str, str], tuple[int, str, str]]] = [
    ("/accounts/alice", {}, (400, "ValueError", "Token must be set.")),
    ("/accounts/alice", {"auth_token": "x"}, (401, "CannotAuthenticate", "Cannot authenticate with given")),
    ("/accounts/alice", {"auth_token": "a.b.c"}, (401, "CannotAuthenticate", "Cannot authenticate with given")),
    ("/auth/userpass", {"vo": "belle"}, (401, "CannotAuthenticate", "Cannot authenticate with given")),
    ("/auth/userpass", {"vo": "mars"}, (404, "VONotFound", "No VO mars is here")),
    ("/auth/userpass", {}, (404, "VONotFound", "No VO def is here")),
    ("/auth/userpass", {"vo": "x" * 2001}, (400, "InputValidationError", "x-rucio-vo: String should have")),
    ("/auth/gss", {"vo": "belle"}, (401, "CannotAuthenticate", "There is no Kerberos here")),
    ("/auth/x509", {"vo": "belle"}, (401, "CannotAuthenticate", "Cannot get DN")),
    ("/auth/x509_proxy", {"vo": "belle"}, (401, "CannotAuthenticate", "Cannot get DN")),
    ("/auth/validate", {}, (400, "ValueError", "Token must be set.")),
    ("/auth/oidc_refresh", {}, (400, "ValueError", "Token must be set.")),
    ("/auth/oidc", {"vo": "belle", "client_authorize_scope": "x:y"}, (400, "InvalidObject", "A token cannot be")),
    ("/auth/oidc_redirect?x", {}, (401, "CannotAuthenticate", "This code is not valid any more")),
    ("/auth/oidc_code?error=access_denied", {}, (401, "CannotAuthenticate", "This login was denied")),
]


async def test_an_error_is_said_as_rucio_says_it(served: Served) -> None:
    for path, headers, (status, name, begins) in ERRORS:
        said = complaint(await ask(served, path, **headers))
        assert (said[0], said[1], said[2].startswith(begins)) == (status, name, True), (path, said)


async def test_errors_of_the_token_of_the_route_and_of_the_gate_are_rucios_too(served: Served) -> None:
    token = served.token()
    assert complaint(await ask(served, "/accounts/nobody", token=token))[:2] == (404, "AccountNotFound")
    assert complaint(await ask(served, "/nonsense", token=token))[:2] == (404, "RucioException")
    assert complaint(await ask(served, "/ping", method="PATCH"))[:2] == (405, "UnsupportedOperation")
    assert complaint(await ask(served, "/accounts/a%00b", token=token))[:2] == (400, "InputValidationError")
    unacceptable = await served.client.get("/rucio/ping", headers={"accept": "text/html, image/*;q=0.5"})
    assert complaint(unacceptable)[:2] == (406, "UnsupportedRequestedContentType")
    bearer = await served.client.get("/rucio/accounts/alice", headers={"authorization": f"Bearer {token}"})
    assert complaint(bearer)[:2] == (400, "ValueError")
    await served.deployment.database.close()
    away = await ask(served, "/accounts/alice", token=served.token("belle", "bob"))
    assert complaint(away)[:2] == (503, "DatabaseException")
    assert int(away.headers["retry-after"]) > 0


def test_a_bug_tells_nothing_of_itself_and_a_long_message_is_cut_in_the_header() -> None:
    assert b"secret" not in render(RuntimeError("secret")).body
    said = render(BadRequest(reason="a\nb – " + "c" * 200))
    assert said.headers["ExceptionMessage"] == "a b ? " + "c" * 119 + "..."
    assert json.loads(bytes(said.body))["ExceptionMessage"] == "a\nb – " + "c" * 200


def test_who_guesses_is_told_when_to_come_back() -> None:
    said = render(TooManyLogins(retry_after=7))
    assert (said.status_code, said.headers["ExceptionClass"]) == (429, "ResourceTemporaryUnavailable")
    assert said.headers["retry-after"] == "7"


async def test_a_report_is_taken_from_anybody_and_its_gist_alone_is_logged(served: Served) -> None:
    report = {"eventType": "upload", "scope": "mc", "remoteSite": "A" * 1000}
    for path in ("/traces/", "/nongrid_traces/"):
        with structlog.testing.capture_logs() as logged:
            answer = await served.client.post(f"/rucio{path}", content=json.dumps(report))
        assert (answer.status_code, answer.text) == (201, "Created")
        (line,) = [line for line in logged if line["event"] == "rucio_trace"]
        assert (line["eventType"], line["remoteSite"], "scope" in line) == ("upload", "A" * 100, False)
        bad = await served.client.post(f"/rucio{path}", content="[1]")
        assert complaint(bad)[:2] == (400, "InputValidationError")


async def test_a_suspended_account_is_told_so(served: Served) -> None:
    token = served.token("belle", "bob")
    await served.send("POST", "/accounts/bob/suspend", account="root")
    status, name, message = complaint(await ask(served, "/accounts/bob", token=token))
    assert (status, name, "suspended" in message) == (401, "CannotAuthenticate", True)


def filled(path: str) -> str:
    """A path that a client might ask for."""
    for mark, example in EXAMPLES.items():
        path = path.replace(mark, example)
    while "{" in path:
        head, _, rest = path.partition("{")
        path = f"{head}1{rest.partition('}')[2]}"
    return path


async def test_every_endpoint_of_rucio_is_served_or_refused_in_its_words(served: Served) -> None:
    token = served.token()
    for endpoint in ENDPOINTS:
        answer = await ask(served, filled(endpoint.path), method=endpoint.method, token=token)
        if endpoint.state == "refused":
            status, name, _ = complaint(answer)
            assert (status, name) in {(409, "UnsupportedOperation"), (401, "CannotAuthenticate")}, endpoint
        else:
            assert answer.headers.get("ExceptionClass") != "UnsupportedOperation", endpoint


def test_what_the_list_calls_served_has_a_route_and_no_other_has() -> None:
    paths = [re.sub(r":\w+}", "}", r.path.removeprefix("/rucio")).rstrip("/") for r in ROUTES]
    routes = {(min(r.methods or ()), path) for r, path in zip(ROUTES, paths, strict=True)}
    listed = {(e.method, e.path.removesuffix("[/]").rstrip("/")) for e in ENDPOINTS if e.state != "refused"}
    lifetime = ("POST", "/dids/{scope}/{name}/meta/lifetime")  # the one key with a route of its own
    assert routes - listed == {("DELETE", "/{path}"), ("GET", "/accounts/whoami"), ("GET", "/auth/gss"), lifetime}
    assert listed <= routes


async def test_lists_come_line_by_line_and_names_as_they_are_written(served: Served) -> None:
    token = served.token()
    headers = {"x-rucio-auth-token": token}
    for name in ("a/b", "a/c+d"):
        made = await served.send("POST", "/dids", json={"did": f"mc:{name}", "kind": "dataset"})
        assert made.status_code == 201
    listed = await ask(served, "/dids/mc/", token=token)
    assert (listed.headers["content-type"], listed.text.count("\n")) == ("application/x-json-stream", 2)
    empty = await ask(served, "/dids/mc/a%2Fb/dids", token=token)
    assert (empty.status_code, empty.headers["content-type"], empty.text) == (200, "application/x-json-stream", "")
    for path in ("/dids/mc/a%2Fb", "/dids/mc/a/b", "/dids/mc/a/b/status", "/dids/mc/a/c%2Bd"):
        assert (await ask(served, path, token=token)).headers["content-type"] == "application/json", path
    assert complaint(await ask(served, "/dids/mc/a/c+d", token=token))[:2] == (400, "InvalidObject")
    assert complaint(await ask(served, "/dids/mc/a/b/rules/history", token=token))[1] == "DataIdentifierNotFound"
    found = await ask(served, "/dids/mc/dids/search?name=a/*&long=true&created_before=x", token=token)
    assert complaint(found)[1:] == (
        "InvalidObject", "These filters are not understood: created_before cannot be 'x'."
    )  # fmt: skip
    assert (await ask(served, "/dids/mc/dids/search?name=a/*&limit=1", token=token)).text == '"a/b"\n'
    for body, kind in ((b"", "ValueError"), (b"{", "ValueError"), (b"[1]", "InputValidationError")):
        sent = await served.client.post("/rucio/dids", headers=headers, content=body)
        assert complaint(sent)[:2] == (400, kind)


async def test_without_a_good_token_no_route_answers(served: Served) -> None:
    public = {path.replace(":path}", "}") for path in PUBLIC_PATHS}
    for endpoint in ENDPOINTS:
        if f"/rucio{endpoint.path.removesuffix('[/]')}" in public:
            continue
        bare = await ask(served, filled(endpoint.path), method=endpoint.method)
        assert complaint(bare)[:2] == (400, "ValueError"), endpoint
        bad = await ask(served, filled(endpoint.path), method=endpoint.method, token="nonsense")
        expected = (200, "") if endpoint.path == "/auth/oidc_refresh" else (401, "CannotAuthenticate")
        assert (bad.status_code, bad.headers.get("ExceptionClass", "")) == expected, endpoint


async def test_each_follows_for_itself_and_who_does_is_listed(served: Served) -> None:
    await served.send("POST", "/dids", json={"did": "mc:a/b", "kind": "dataset"})

    async def send(method: str, name: str = "a%2Fb", by: str = "alice", **body: str) -> httpx2.Response:
        headers = {"x-rucio-auth-token": served.token("belle", by)}
        path, content = f"/rucio/dids/mc/{name}/follow", None if method == "GET" else json.dumps(body)
        return await served.client.request(method, path, headers=headers, content=content)

    for made in (await send("POST"), await send("POST", by="bob", account="bob")):
        assert (made.status_code, made.text) == (201, "Created")
    listed = await send("GET")
    assert (listed.headers["content-type"], listed.text) == (
        "application/x-json-stream", '{"user": "alice"}\n{"user": "bob"}\n'
    )  # fmt: skip
    for method in ("POST", "DELETE"):
        assert complaint(await send(method, account="bob"))[:2] == (401, "AccessDenied")
    assert (await send("DELETE")).status_code == 200
    assert (await send("GET", "a/b")).text == '{"user": "bob"}\n'
    for method in ("GET", "POST"):
        assert complaint(await send(method, "no"))[:2] == (404, "DataIdentifierNotFound")


async def test_a_token_for_somebody_else_or_for_something_else_opens_nothing(served: Served) -> None:
    signer = served.deployment.signer
    for claims in (
        {"sub": "belle:alice", "aud": "https://storage", "scope": "storage.read:/"},
        {
            "sub": "pilot:x",
            "aud": f"{signer.issuer}/pilot",
            "scope": "sancho.pilot",
            "pilot_id": 1,
            "vo_id": 0,
            "vos": [1],
        },
    ):
        answer = await ask(served, "/accounts/alice", token=signer.sign(claims, timedelta(hours=1)))
        assert complaint(answer)[0] == 401


async def test_a_vo_in_a_header_changes_nothing_for_who_has_a_token(served: Served) -> None:
    """`tests/journeys/test_rucio_isolation.py` walks over all endpoints."""
    token = served.token("belle", "root")
    assert (await ask(served, "/accounts/whoami", token=token, vo="gridpp")).headers["location"] == "root"
    assert "'vo': 'belle'" in (await ask(served, "/auth/validate", token=token, vo="gridpp")).text


async def test_validate_says_what_a_token_is_good_for(served: Served) -> None:
    answer = await ask(served, "/auth/validate", token=served.token())
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/octet-stream")
    said = ast.parse(answer.text, mode="eval").body
    assert isinstance(said, ast.Dict)
    assert "'account': 'alice'" in answer.text
    assert "datetime.datetime(" in answer.text


# ---- logins in a browser


async def approved(served: Served, url: str, account: str = "alice") -> httpx2.Response:
    """Do the login to which an address leads."""
    page = await served.client.get(url, follow_redirects=True)
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    form = {**hidden, "choice": "password", "account": account, "password": PASSWORD}
    return await served.client.post("/v1/auth/login", data=form, follow_redirects=True)


async def begun(served: Served, *, polling: bool = True, scope: str = "openid profile") -> str:
    """Where the client is told to send its user."""
    await with_password(served)
    answer = await ask(
        served, "/auth/oidc", vo="belle", client_authorize_polling=str(polling), client_authorize_scope=scope
    )
    assert (answer.status_code, answer.content) == (200, b"")
    return answer.headers["x-rucio-oidc-auth-url"].removeprefix(served.deployment.public_url)


async def fetched(served: Served, url: str, **headers: str) -> httpx2.Response:
    return await ask(served, url.removeprefix("/rucio"), client_fetch_token="True", **headers)


async def renewed(served: Served, token: str) -> tuple[str, str]:
    answer = await ask(served, "/auth/oidc_refresh", token=token)
    assert (answer.status_code, answer.content) == (200, b"")
    return answer.headers["x-rucio-auth-token"], answer.headers["x-rucio-auth-token-expires"]


async def test_a_polling_client_waits_for_the_browser_and_gets_the_token_once(served: Served) -> None:
    url = await begun(served)
    assert complaint(await fetched(served, url))[:2] == (401, "CannotAuthenticate")
    browser = await served.client.get(url)
    assert (browser.status_code, "no-referrer" in browser.headers["referrer-policy"]) == (303, True)
    await approved(served, url)

    given = await fetched(served, url)

    assert (given.status_code, given.headers["x-rucio-auth-account"]) == (200, "alice")
    token = given.headers["x-rucio-auth-token"]
    assert (await ask(served, "/accounts/alice", token=token)).status_code == 200
    assert await renewed(served, token) == ("", "")
    assert complaint(await fetched(served, url))[:2] == (401, "CannotAuthenticate")
    assert complaint(await ask(served, "/accounts/alice", token=token))[:2] == (401, "CannotAuthenticate")


async def test_a_shown_code_is_good_once_and_for_the_client_alone(served: Served) -> None:
    page = await approved(served, await begun(served, polling=False))
    assert page.headers["content-type"].startswith("text/plain")
    assert page.headers["cache-control"] == "no-store"
    code = page.text.splitlines()[-1]
    assert complaint(await ask(served, f"/auth/oidc_redirect?{code}"))[:2] == (401, "CannotAuthenticate")
    altered = code[:-1] + ("A" if code[-1] != "A" else "B")
    assert complaint(await fetched(served, f"/auth/oidc_redirect?{altered}"))[:2] == (401, "CannotAuthenticate")
    assert (await fetched(served, f"/auth/oidc_redirect?{code}")).status_code == 200
    assert complaint(await fetched(served, f"/auth/oidc_redirect?{code}"))[:2] == (401, "CannotAuthenticate")


async def test_a_login_of_another_account_than_was_asked_for_gives_nothing(served: Served) -> None:
    url = await begun(served, scope="offline_access")
    await approved(served, url)
    assert complaint(await fetched(served, url, account="bob"))[:2] == (401, "CannotAuthenticate")
    assert (await served.send("GET", "/auth/logins")).json() == []


async def test_a_login_goes_on_while_it_may_and_not_after_it_was_ended(served: Served) -> None:
    url = await begun(served, scope="openid offline_access")
    await approved(served, url)
    token = (await fetched(served, url)).headers["x-rucio-auth-token"]

    following, until = await renewed(served, token)

    left = int(until) - served.deployment.clock.now().timestamp()
    assert 3500 < left <= 3600
    assert (await ask(served, "/accounts/alice", token=following)).status_code == 200
    assert (await renewed(served, following))[0] not in {"", token, following}
    (login,) = (await served.send("GET", "/auth/logins")).json()
    assert login["client"] == "rucio"
    await served.send("DELETE", f"/auth/logins/{login['login_id']}")
    assert await renewed(served, following) == ("", "")
    assert complaint(await ask(served, "/accounts/alice", token=following))[:2] == (401, "CannotAuthenticate")


async def test_a_token_that_was_narrowed_is_not_renewed_to_what_it_came_from(served: Served) -> None:
    url = await begun(served, scope="openid offline_access")
    await approved(served, url)
    token = (await fetched(served, url)).headers["x-rucio-auth-token"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "subject_token": token,
        "scope": "jobs:create offline_access",
    }  # fmt: skip
    narrow = (await served.client.post("/v1/auth/token", data=form)).json()["access_token"]
    assert await renewed(served, narrow) == ("", "")


async def test_who_asks_too_often_is_told_so_as_rucio_says_it(served: Served) -> None:
    answers = await asyncio.gather(*(ask(served, "/auth/gss", vo="belle") for _ in range(400)))
    (refused, *_) = [answer for answer in answers if answer.status_code == 429]
    assert complaint(refused)[1] == "ResourceTemporaryUnavailable"
    assert int(refused.headers["retry-after"]) > 0

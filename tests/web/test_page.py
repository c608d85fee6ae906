"""The page: its files, the policy they come with, and the session that no script can read."""

import gzip
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import ValidationError

from sancho.settings import PageSettings
from sancho.web.service import page as files
from tests.identity.helpers import PASSWORD
from tests.served import Served
from tests.web.signing_in import MARK, VERIFIER, sign_in

SESSION = "/ui/session"


@pytest.fixture
async def browser(served: Served) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that keeps cookies."""
    await served.give_password("belle", "alice")
    transport = httpx2.ASGITransport(app=served.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        yield client


async def whoami(browser: httpx2.AsyncClient, given: dict[str, Any]) -> int:
    headers = {"authorization": f"Bearer {given['access_token']}"}
    return (await browser.get("/v1/whoami", headers=headers)).status_code


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page that was built."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Sancho</title>")
    (tmp_path / "assets" / "index-Ab_1.js").write_text("plain")
    (tmp_path / "assets" / "index-Ab_1.js.gz").write_bytes(gzip.compress(b"packed"))
    for name in ("icon-1.svg", "icon-1.svg.gz"):
        (tmp_path / "assets" / name).write_bytes(gzip.compress(b"<svg/>") if name.endswith("gz") else b"<svg/>")
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    return tmp_path


async def test_every_path_below_the_page_is_the_page_and_its_policy_lets_nothing_in(served: Served, page: Path) -> None:
    assert (await served.client.get("/")).headers["location"] == "/ui/"
    for path in ("/ui/", "/ui/jobs/17", "/ui/no/such/thing"):
        answer = await served.client.get(path)
        assert (answer.status_code, "<title>Sancho" in answer.text) == (200, True)
        policy = answer.headers["content-security-policy"]
        assert {"default-src 'none'", "frame-ancestors 'none'"} <= set(policy.split("; "))
        assert "connect-src 'self'" in policy.split("; ")
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-cache"


async def test_the_page_reaches_the_storages_that_the_operator_names_and_no_other(served: Served, page: Path) -> None:
    named = replace(served.deployment, page_storages=("https://se.example.org:8443",))
    served.app.state.deployment = named
    policy = (await served.client.get("/ui/")).headers["content-security-policy"]
    assert "connect-src 'self' https://se.example.org:8443" in policy.split("; ")


@pytest.mark.parametrize("origin", ["https://se.example.org; script-src *", "https://se.example.org/x", "*", "'self'"])
def test_what_is_no_origin_is_no_setting(origin: str) -> None:
    with pytest.raises(ValidationError):
        PageSettings(storages=(origin,))


async def test_files_of_the_page_are_packed_and_kept_for_ever(served: Served, page: Path) -> None:
    packed = await served.client.get("/ui/assets/index-Ab_1.js", headers={"accept-encoding": "gzip"})
    assert (packed.text, packed.headers["content-encoding"]) == ("packed", "gzip")
    icon = await served.client.get("/ui/assets/icon-1.svg", headers={"accept-encoding": "gzip"})
    assert (icon.text, icon.headers["content-type"]) == ("<svg/>", "image/svg+xml")
    plain = await served.client.get("/ui/assets/index-Ab_1.js", headers={"accept-encoding": "identity"})
    assert plain.text == "plain"
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")


@pytest.mark.parametrize("name", ["nothing.js", "..%2Findex.html", "%2e%2e", "index-Ab_1.js%00"])
async def test_no_other_file_is_served(served: Served, page: Path, name: str) -> None:
    answer = await served.client.get(f"/ui/assets/{name}")
    assert 400 <= answer.status_code < 500 or "<title>" in answer.text


async def test_a_page_that_was_not_built_says_what_to_do(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FOLDER", tmp_path)
    answer = await served.client.get("/ui/")
    assert (answer.status_code, "make web" in answer.text) == (503, True)


async def test_a_login_begins_a_session_that_renews_itself_until_it_is_ended(browser: httpx2.AsyncClient) -> None:
    answer = await sign_in(browser, "belle", "alice", PASSWORD)
    cookie = answer.headers["set-cookie"]
    assert re.search(r"; HttpOnly; .*Path=/ui/session; SameSite=strict", cookie)
    assert "refresh" not in answer.text
    assert await whoami(browser, answer.json()) == 200

    renewed = await browser.post(f"{SESSION}/renewal", headers=MARK)
    assert await whoami(browser, renewed.json()) == 200

    assert (await browser.delete(SESSION, headers=MARK)).status_code == 204
    assert (await browser.post(f"{SESSION}/renewal", headers=MARK)).status_code == 204
    assert await whoami(browser, renewed.json()) == 401


@pytest.mark.parametrize("headers", [{}, {**MARK, "sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_another_site_gets_nothing_of_a_session(browser: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    await sign_in(browser, "belle", "alice", PASSWORD)
    for method, path in (("POST", "/renewal"), ("DELETE", ""), ("POST", "")):
        answer = await browser.request(method, SESSION + path, headers=headers, json={"code": "x", "verifier": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "not_from_page")
    assert (await browser.post(f"{SESSION}/renewal", headers=MARK)).status_code == 200


async def test_a_code_needs_its_verifier_and_codes_go_to_our_page_alone(browser: httpx2.AsyncClient) -> None:
    refused = await sign_in(browser, "belle", "alice", PASSWORD, verifier="y" * 43)
    assert (refused.status_code, "set-cookie" in refused.headers) == (400, False)
    away = await browser.get(
        "/v1/auth/authorize",
        params={
            "response_type": "code", "client_id": "sancho-web", "vo": "belle", "state": "s",
            "redirect_uri": "https://evil.example/ui/signed-in", "code_challenge": VERIFIER,
            "code_challenge_method": "S256",
        },
    )  # fmt: skip
    assert away.status_code == 400

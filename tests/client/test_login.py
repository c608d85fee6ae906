"""Logging in on the pages of a real server: on a device, in a browser of this machine, and what ends it."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from sancho_client import Client
from sancho_client.calls import identity
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, Problem
from sancho_client.logins import LoginFailed, in_browser, on_device
from sancho_client.models.identity import DeviceLogin
from sancho_client.tokens import NO_TOKEN, GivenToken, account_of, vo_of
from tests.client.conftest import PASSWORD, Grid, Variables


@pytest.fixture
def nobody(grid: Grid) -> Iterator[Client]:
    """A client that is not logged in."""
    with Client(grid.url, tokens=NO_TOKEN, environment=Environment(config_home=grid.folder / "nowhere")) as client:
        yield client


def approve(page_url: str, **said: str) -> httpx2.Response:
    """Do what a person does: open the page, fill in the form, follow where it leads."""
    with httpx2.Client(follow_redirects=True, trust_env=False) as browser:
        page = browser.get(page_url)
        assert page.status_code == 200, page.text
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
        form = {"choice": "password", "account": "alice", "password": PASSWORD, **hidden, **said}
        return browser.post(page.url, data=form)


def test_a_device_logs_in_when_a_person_has_approved_somewhere_else(grid: Grid, nobody: Client) -> None:
    pauses: list[float] = []

    def show(begun: DeviceLogin) -> None:
        assert begun.verification_uri_complete.startswith(grid.url)
        pauses.append(begun.interval)

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            approve(shown[0].verification_uri_complete)

    shown: list[DeviceLogin] = []
    tokens = on_device(nobody, "belle", "jobs:create", lambda begun: (shown.append(begun), show(begun))[1], sleep=pause)

    assert (vo_of(tokens.access_token), account_of(tokens.access_token)) == ("belle", "alice")
    with Client(grid.url, tokens=GivenToken(tokens.access_token)) as client:
        assert client.send(identity.whoami()).permissions == ("jobs:create",)


def test_a_denied_login_says_so(nobody: Client) -> None:
    with pytest.raises(Problem) as denied:
        on_device(
            nobody, "belle", None, lambda begun: approve(begun.verification_uri_complete, choice="deny") and None,
            sleep=lambda _: None,
        )  # fmt: skip
    assert denied.value.code == "login_denied"


def test_a_browser_of_this_machine_comes_back_with_a_code(nobody: Client) -> None:
    threads: list[threading.Thread] = []

    def open_page(url: str) -> bool:
        threads.append(threading.Thread(target=approve, args=[url]))
        threads[0].start()
        return True

    tokens = in_browser(nobody, "belle", None, open_page, wait=30)

    threads[0].join()
    assert account_of(tokens.access_token) == "alice"
    assert tokens.refresh_token is not None


def test_without_a_browser_or_a_person_the_login_fails_with_a_hint(nobody: Client) -> None:
    with pytest.raises(BadInput, match="No browser"):
        in_browser(nobody, "belle", None, lambda _url: False)
    with pytest.raises(LoginFailed, match="No browser came back"):
        in_browser(nobody, "belle", None, lambda _url: True, wait=0)


def test_a_lost_laptop_is_logged_out_from_another(grid: Grid, nobody: Client) -> None:
    lost = nobody.send(identity.login("belle", "alice", PASSWORD))
    listed = grid.json("logins")
    assert {one["account"] for one in listed} == {"alice"}
    for one in listed:
        assert grid.sancho("logins", "--end", one["login_id"]).exit_code == 0
    with Client(grid.url, tokens=GivenToken(lost.access_token)) as client, pytest.raises(Problem):
        client.send(identity.whoami())
    assert "account" in grid.sancho("logins").output or grid.json("logins") == []


def test_a_password_login_can_be_for_less(grid: Grid) -> None:
    home = {"SANCHO_TOKEN": None, "SANCHO_CONFIG_HOME": str(grid.folder / "less")}
    done = grid.sancho(
        "login", "--vo", "belle", "-a", "alice", "--password-stdin", "--scope", "rules:create", stdin=PASSWORD + "\n",
        variables=home,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "rules:create" in grid.sancho("whoami", variables=home).output
    assert "jobs:create" not in grid.sancho("whoami", variables=home).output


def test_what_is_no_certificate_with_a_key_is_not_shown_to_anybody(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "proxy").write_text("nonsense")

    for file in ("proxy", "nowhere"):
        variables: Variables = {"X509_USER_PROXY": str(tmp_path / file), "SANCHO_CONFIG_HOME": str(tmp_path)}
        ended = grid.sancho("login", "--certificate", "--vo", "belle", variables=variables)
        assert ended.exit_code == 1
        assert "no certificate with its key" in ended.stderr
        assert "X509_USER_PROXY" in ended.stderr

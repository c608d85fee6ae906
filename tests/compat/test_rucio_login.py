"""The unmodified command of Rucio logs in here by every way it knows."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from tests.compat.rucio_client import Online, address_said, fields, log_in_at, online
from tests.conftest import Databases
from tests.identity.helpers import PASSWORD
from tests.realparts.parts import need, run

pytestmark = pytest.mark.xdist_group("rucio_login")  # one server for all


@pytest.fixture(scope="module")
async def server(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Online]:
    """A grid on the loopback address, which all tests use."""
    name = await asyncio.to_thread(databases.clone)
    async with online(databases.url(name), tmp_path_factory.mktemp("grid")) as made:
        yield made
    await asyncio.to_thread(databases.drop, name)


@pytest.fixture
async def grid(server: Online, tmp_path: Path) -> AsyncIterator[Online]:
    """The grid as somebody sees it who has never talked to it before."""
    mine = replace(server, folder=tmp_path, started=[])
    yield mine
    await mine.stop_clients()


async def test_ping_and_whoami_work_with_a_password(grid: Online) -> None:
    mine = grid.configure(auth_type="userpass", username="alice", password=PASSWORD)

    code, said = await grid.run("ping", environment=mine)
    assert (code, said.splitlines()[-1].startswith("41.")) == (0, True), said

    code, said = await grid.run("whoami", environment=mine)
    assert code == 0, said
    shown = fields(said)
    assert (shown["account"], shown["account_type"], shown["status"]) == ("alice", "USER", "ACTIVE")


async def test_the_only_vo_needs_no_name_and_others_are_found_by_alias(grid: Online) -> None:
    mine = grid.configure(auth_type="userpass", username="alice", password=PASSWORD, vo="")
    code, said = await grid.run("whoami", environment=mine)
    assert (code, "No VO def is here" in said) == (1, True), said

    headers = {"authorization": f"Bearer {grid.token('instance:root')}"}
    document = {"kind": "VO", "name": "belle", "spec": {"alias": "bel"}}
    async with httpx2.AsyncClient(base_url=grid.url, headers=headers) as root:
        answer = await root.post("/v1/configuration/apply", json={"documents": [document]})
    assert answer.status_code == 200, answer.text
    mine = grid.configure(auth_type="userpass", username="alice", password=PASSWORD, vo="bel")
    code, said = await grid.run("whoami", environment=mine)
    assert (code, fields(said)["account"]) == (0, "alice"), said


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"password": "wrong horse"}, "Cannot authenticate with given credentials"),
        ({"username": "nobody", "account": "nobody"}, "Cannot authenticate with given credentials"),
        ({"account": "bob"}, "not those of account bob"),
    ],
)
async def test_the_command_says_why_it_was_refused(grid: Online, wrong: dict[str, str], complaint: str) -> None:
    said = {"username": "alice", "password": PASSWORD, **wrong}
    code, output = await grid.run("whoami", environment=grid.configure(auth_type="userpass", **said))
    assert (code, complaint in output) == (1, True), output


async def test_the_command_says_that_a_vo_has_no_passwords(grid: Online) -> None:
    headers = {"authorization": f"Bearer {grid.token('instance:root')}"}
    document = {"kind": "VO", "name": "sworn", "spec": {"alias": "swo", "passwords": False}}
    async with httpx2.AsyncClient(base_url=grid.url, headers=headers) as root:
        assert (await root.post("/v1/configuration/apply", json={"documents": [document]})).status_code == 200
    mine = grid.configure(auth_type="userpass", username="alice", password=PASSWORD, vo="swo")

    code, said = await grid.run("whoami", environment=mine)

    assert (code, "Accounts of VO sworn have no passwords" in said) == (1, True), said


async def test_a_token_that_has_expired_is_replaced_by_the_client(grid: Online, tmp_path: Path) -> None:
    cached, stale = tmp_path / "token", grid.token("belle:alice", timedelta(hours=-1))
    cached.write_text(stale)
    mine = grid.configure(auth_type="userpass", username="alice", password=PASSWORD, auth_token_file_path=str(cached))

    code, said = await grid.run("whoami", environment=mine)

    assert (code, fields(said)["account"]) == (0, "alice"), said
    assert cached.read_text() != stale


async def test_a_native_token_in_the_environment_serves_the_client_too(grid: Online) -> None:
    async with httpx2.AsyncClient(base_url=grid.url) as client:
        form = {"grant_type": "password", "vo": "belle", "username": "alice", "password": PASSWORD}
        token = (await client.post("/v1/auth/token", data=form)).json()["access_token"]
    mine = {**grid.configure(auth_type="oidc"), "BEARER_TOKEN": token}
    code, said = await grid.run("whoami", environment=mine)
    assert (code, fields(said)["account"]) == (0, "alice"), said


async def test_a_login_in_a_browser_reaches_the_polling_client(grid: Online) -> None:
    started = await grid.start(["whoami"], grid.configure(auth_type="oidc", oidc_polling="true"))

    page = await log_in_at(await address_said(started))

    assert "You can close this window" in page.text
    said, _ = await started.communicate()
    assert (started.returncode, fields(said.decode())["account"]) == (0, "alice"), said


async def test_a_code_that_the_browser_shows_can_be_typed_into_the_client(grid: Online) -> None:
    started = await grid.start(["whoami"], grid.configure(auth_type="oidc"))

    page = await log_in_at(await address_said(started))

    said, _ = await started.communicate(page.text.splitlines()[-1].encode() + b"\n")
    assert (started.returncode, fields(said.decode())["account"]) == (0, "alice"), said


async def test_the_owner_of_a_key_logs_in_by_ssh_until_it_is_removed(grid: Online, tmp_path: Path) -> None:
    mine, others = str(tmp_path / "mine"), str(tmp_path / "others")
    for file in (mine, others):
        run(need("openssh-client", "ssh-keygen"), "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", file)
    key = {"kind": "ssh_key", "subject": run("cat", f"{mine}.pub")}
    added = await grid.send("POST", "/accounts/alice/identities", json=key)
    assert added.status_code == 201, added.text

    code, said = await grid.run("whoami", environment=grid.configure(auth_type="ssh", ssh_private_key=mine))
    assert (code, fields(said)["account"]) == (0, "alice"), said

    for who in ({"ssh_private_key": others}, {"ssh_private_key": mine, "account": "bob"}):
        code, said = await grid.run("whoami", environment=grid.configure(auth_type="ssh", **who))
        assert (code, "Cannot authenticate" in said) == (1, True), said
    subject = {"subject": added.json()["subject"]}
    assert (await grid.send("DELETE", "/accounts/alice/identities", params=subject)).status_code == 204
    code, said = await grid.run("whoami", environment=grid.configure(auth_type="ssh", ssh_private_key=mine))
    assert (code, "Cannot authenticate" in said) == (1, True), said


async def test_a_login_that_the_client_may_renew_is_renewed_before_it_ends(grid: Online, tmp_path: Path) -> None:
    cached = tmp_path / "token"
    mine = {
        "auth_type": "oidc", "oidc_polling": "true", "oidc_scope": "openid offline_access",
        "auth_oidc_refresh_active": "true", "auth_oidc_refresh_before_exp": "90", "auth_token_file_path": str(cached),
    }  # fmt: skip
    environment = grid.configure(**mine)
    started = await grid.start(["whoami"], environment)
    await log_in_at(await address_said(started))
    said, _ = await started.communicate()
    assert started.returncode == 0, said
    first = cached.read_text()

    code, output = await grid.run("whoami", environment=environment)

    assert (code, fields(output)["account"]) == (0, "alice"), output
    assert cached.read_text() != first

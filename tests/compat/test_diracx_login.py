"""The unmodified `dirac` of DiracX logs in, says who it is, renews its tokens and logs out."""

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.compat.diracx_client import BIN, Dirac, dirac_at
from tests.realparts.parts import lack

NORMAL = ["NormalUser", "StageAllowed"]


@pytest.fixture
async def dirac(database_url: str, tmp_path: Path) -> AsyncIterator[Dirac]:
    """`dirac` in a shell of alice, and a server."""
    if not (BIN / "dirac").exists():
        lack("DiracX's clients are missing: make .venv-compat")
    async with dirac_at(database_url, tmp_path) as made:
        yield made


async def test_somebody_logs_in_says_who_they_are_and_logs_out(dirac: Dirac) -> None:
    status, said = await dirac.log_in("belle")
    assert (status, "Login successful" in said) == (0, True), said

    assert await dirac.whoami() == {
        "sub": "belle:alice", "vo": "belle", "dirac_group": "users", "policies": {}, "properties": NORMAL,
        "preferred_username": "alice",
    }  # fmt: skip
    kept = dirac.said_tokens()
    status, said = await dirac.run("dirac", "logout")
    assert (status, "Logout successful" in said, "Error" in said) == (0, True, False), said
    assert not dirac.credentials.exists()
    dirac.credentials.write_text(json.dumps(kept))
    _, said = await dirac.run("dirac", "whoami")  # it ends with 0 even so
    assert "You are not authenticated" in said


async def test_a_client_renews_its_tokens_by_itself(dirac: Dirac) -> None:
    await dirac.log_in("belle", "--group", "users")
    before = dirac.said_tokens()
    dirac.age()

    assert (await dirac.whoami())["dirac_group"] == "users"

    after = dirac.said_tokens()
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    body = after["refresh_token"].split(".")[1]
    ends = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["exp"]
    assert 0 < ends - after["expires_on"] < 7 * 86_400


async def test_what_a_login_may_not_ask_is_refused_at_once_or_when_somebody_has_approved_it(dirac: Dirac) -> None:
    status, said = await dirac.run("dirac", "login", "nowhere")
    assert status != 0
    assert "Unknown VO nowhere" in said
    status, said = await dirac.run("dirac", "login", "belle", "--group", "strangers")
    assert status != 0
    assert "strangers is not a group of VO belle" in said

    status, said = await dirac.log_in("belle", "--group", "admins")

    assert status != 0
    assert "group:admins" in said
    assert not dirac.credentials.exists()


async def test_a_refusal_in_the_browser_ends_the_login(dirac: Dirac) -> None:
    status, said = await dirac.log_in("belle", choice="deny")
    assert status != 0
    assert "access_denied" in said

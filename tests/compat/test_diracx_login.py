"""The unmodified `dirac` of DiracX logs in, says who it is, renews its tokens and logs out."""

import base64
import json

from tests.compat.diracx_client import CONTACT, Dirac

NORMAL = ["NormalUser", "StageAllowed"]


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


CALLS = """
import json
from diracx.client.sync import SyncDiracClient
with SyncDiracClient() as api:
    vos = api.well_known.get_installation_metadata().virtual_organizations
    document = api.well_known.get_openid_configuration()
    (login,) = api.auth.get_refresh_tokens()
    try:
        api.jobs.get_job_sandboxes(1)
    except Exception as e:
        refused = f"{type(e).__name__} {e}"
    print(json.dumps({
        "vos": {name: [vo.default_group, vo.groups[vo.default_group].properties] for name, vo in vos.items()},
        "same issuer": document.jwks_uri.startswith(document.issuer),
        "keys": len(api.well_known.get_jwks()["keys"]) > 0,
        "contact": api.well_known.get_security_txt().partition("\\n")[0],
        "me": api.auth.userinfo().sub,
        "scope": login["scope"],
        "ended": api.auth.revoke_refresh_token_by_jti(login["jti"]),
        "refused": refused,
    }))
"""


async def test_the_client_library_reads_all_that_it_is_answered(dirac: Dirac) -> None:
    await dirac.log_in("belle", "--property", "StageAllowed")

    status, said = await dirac.run("python", "-c", CALLS)

    assert status == 0, said
    answers = json.loads(said)
    assert "Not all of these jobs are yours" in answers.pop("refused")
    assert answers == {
        "vos": {"belle": ["users", NORMAL], "gridpp": ["users", NORMAL]},
        "same issuer": True, "keys": True, "contact": f"Contact: {CONTACT}", "me": "belle:alice",
        "scope": "vo:belle group:users", "ended": "Refresh token revoked",
    }  # fmt: skip

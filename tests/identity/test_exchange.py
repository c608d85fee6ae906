"""Tokens for tokens and for programs: they only get narrower, and end when they are told to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from sancho.identity import service
from sancho.kit.db import fetch_rows
from sancho.vos import service as vos
from sancho.vos.model import Document
from tests.identity import helpers
from tests.identity.helpers import PASSWORD, ROOT, Installation
from tests.identity.kinds import KINDS
from tests.world import World

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


async def post(installation: Installation, path: str, form: Mapping[str, str], **more: object) -> httpx2.Response:
    async with installation.client() as client:
        return await client.post(path, data=form, **more)  # pyright: ignore[reportArgumentType]


async def token(installation: Installation, **form: str) -> httpx2.Response:
    return await post(installation, "/v1/auth/token", form)


async def login(installation: Installation, **more: str) -> dict[str, str]:
    await installation.with_password(1, "alice")
    form = {"grant_type": "password", "vo": "belle", "username": "alice", "password": PASSWORD, **more}
    answer = await token(installation, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def permissions(installation: Installation, access_token: str) -> list[str] | int:
    async with installation.client() as client:
        answer = await client.get("/v1/whoami", headers={"authorization": f"Bearer {access_token}"})
    return answer.json()["permissions"] if answer.status_code == 200 else answer.status_code


def error(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def robot(installation: Installation) -> dict[str, str]:
    """A service account of belle, and the secret that was just made for it."""
    async with installation.database.transaction([0, 1, 2]) as conn:
        spec = {"kind": "service", "groups": ["users"]}
        await vos.apply(conn, ROOT, [Document(kind="Account", name="robot", vo="belle", spec=spec)], KINDS)
    async with installation.client() as client:
        answer = await client.post("/v1/accounts/robot/secret", headers=installation.bearer("belle", "root"))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_token_is_exchanged_for_a_narrower_one_that_ends_with_it(installation: Installation) -> None:
    own = await login(installation)
    installation.later(timedelta(minutes=50))

    answer = await token(
        installation, grant_type=EXCHANGE, subject_token=own["access_token"], scope="rules:create group:users"
    )

    given = answer.json()
    assert (given["expires_in"], "refresh_token" in given) == (600, False)
    assert given["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    assert await permissions(installation, given["access_token"]) == ["rules:create"]
    await post(installation, "/v1/auth/revoke", {"token": own["refresh_token"]})
    assert await permissions(installation, given["access_token"]) == 401


@pytest.mark.parametrize(
    "scope", ["sancho", "rules:create jobs:create", "rules:create dids:create", "x:y", "group:admins"]
)
async def test_no_exchange_gives_more_than_was_shown(installation: Installation, scope: str) -> None:
    own = await login(installation, scope="rules:create group:users")

    answer = await token(installation, grant_type=EXCHANGE, subject_token=own["access_token"], scope=scope)

    assert error(answer) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "shown",
    ["", "x", "a.b.c", "e30.e30.x", "a.eyJpc3MiOjF9.c", "a.eyJpc3MiOiJodHRwczovL2V2aWwifQ.c", "a." + "[" * 9000],
)
async def test_what_is_no_token_of_anybody_known_is_refused(installation: Installation, shown: str) -> None:
    answer = await token(installation, grant_type=EXCHANGE, subject_token=shown, vo="belle")
    assert answer.status_code == 400
    assert answer.json()["error"] in {"invalid_grant", "invalid_request"}


async def test_tokens_of_a_pilot_and_for_strangers_are_not_exchanged(installation: Installation, world: World) -> None:
    own = await login(installation)
    pilot_id, minutes = await helpers.pilot(installation, world, "p", b"last"), timedelta(minutes=5)
    issuer = installation.issuer
    holder = service.PilotHolder(pilot_id=pilot_id, ce_id=1, stamp="p", vo=0, vos=[1], login=b"last".hex())
    pilot = service.pilot_token(issuer, holder, minutes)
    ended = service.pilot_token(issuer, replace(holder, pilot_id=10**9), minutes)
    job = service.job_token(issuer, vo=1, vo_name="belle", job_id=1, attempt_id=1, lifetime=minutes)
    for machine in (ended, job):
        assert error(await token(installation, grant_type=EXCHANGE, subject_token=machine)) == (400, "invalid_grant")
    assert error(await token(installation, grant_type=EXCHANGE, subject_token=pilot)) == (400, "invalid_grant")
    form = {"grant_type": EXCHANGE, "subject_token": own["access_token"], "audience": "https://evil.example"}
    assert error(await token(installation, **form)) == (400, "invalid_target")


async def test_a_service_gets_tokens_by_its_secret(installation: Installation) -> None:
    made = await robot(installation)

    for form, headers in (
        (made, {}),
        ({}, {"authorization": httpx2.BasicAuth(made["client_id"], made["client_secret"])._auth_header}),
    ):
        answer = await post(
            installation, "/v1/auth/token", {"grant_type": "client_credentials", "scope": "jobs:create", **form},
            headers=headers,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json()
        assert await permissions(installation, answer.json()["access_token"]) == ["jobs:create"]

    async with installation.database.transaction([1]) as conn:
        kept = await fetch_rows(conn, "SELECT * FROM identity WHERE kind = 'C'")
    assert made["client_secret"] not in str(kept)


@pytest.mark.parametrize("other", [{"client_secret": "x"}, {"client_id": "robot@gridpp"}, {"client_id": "alice@belle"}])
async def test_a_wrong_secret_gives_nothing(installation: Installation, other: Mapping[str, str]) -> None:
    made = await robot(installation)
    answer = await token(installation, grant_type="client_credentials", **{**made, **other})
    assert error(answer) == (401, "invalid_client")


async def test_a_new_secret_replaces_the_old_and_people_have_none(installation: Installation) -> None:
    old, new = await robot(installation), await robot(installation)
    assert error(await token(installation, grant_type="client_credentials", **old)) == (401, "invalid_client")
    assert (await token(installation, grant_type="client_credentials", **new)).status_code == 200
    async with installation.client() as client:
        person = await client.post("/v1/accounts/alice/secret", headers=installation.bearer("belle", "root"))
        other = await client.post("/v1/accounts/robot/secret", headers=installation.bearer("belle", "alice"))
    assert (person.status_code, person.json()["code"]) == (403, "not_a_service")
    assert (other.status_code, other.json()["code"]) == (403, "permission_missing")


async def test_an_access_token_can_be_revoked_alone(installation: Installation) -> None:
    first, second = await login(installation), await login(installation)
    assert await permissions(installation, first["access_token"]) != 401

    await post(installation, "/v1/auth/revoke", {"token": first["access_token"]})

    assert await permissions(installation, first["access_token"]) == 401
    assert await permissions(installation, second["access_token"]) != 401
    renewed = await token(installation, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert renewed.status_code == 200
    installation.later(timedelta(hours=2))
    for gone in ("nonsense", first["access_token"]):
        assert (await post(installation, "/v1/auth/revoke", {"token": gone})).status_code == 200


async def test_logins_are_listed_and_ended(installation: Installation) -> None:
    own, other = await login(installation), installation.bearer("belle", "bob")
    mine = {"authorization": f"Bearer {own['access_token']}"}
    async with installation.client() as client:
        (one,) = (await client.get("/v1/auth/logins", headers=mine)).json()
        assert (one["account"], one["client"], one["scope"]) == ("alice", "sancho", "sancho")
        assert (await client.get("/v1/auth/logins?everybody=true", headers=other)).json() == []
        refused = await client.delete(f"/v1/auth/logins/{one['login_id']}", headers=other)
        assert (refused.status_code, refused.json()["code"]) == (404, "login_not_found")
        assert (await client.delete(f"/v1/auth/logins/{one['login_id']}", headers=mine)).status_code == 204
    assert await permissions(installation, own["access_token"]) == 401


async def test_a_token_is_explained_to_its_vo_only(installation: Installation) -> None:
    own = await login(installation, scope="rules:create")

    async def said(vo: str, account: str, shown: str) -> dict[str, object]:
        headers = installation.bearer(vo, account)
        return (await post(installation, "/v1/auth/introspect", {"token": shown}, headers=headers)).json()

    told = await said("belle", "bob", own["access_token"])
    assert (told["active"], told["sub"], told["permissions"]) == (True, "belle:alice", ["rules:create"])
    for vo, account, shown in (("gridpp", "alice", own["access_token"]), ("belle", "bob", "x")):
        assert await said(vo, account, shown) == {"active": False}

"""The routes of RSEs, as a client meets them."""

from urllib.parse import quote

import httpx2
import pytest

from sancho.rses.api import router
from tests.identity.helpers import Installation


async def get(installation: Installation, path: str) -> httpx2.Response:
    async with installation.client(router) as client:
        return await client.get(f"/v1{path}", headers=installation.bearer("belle", "alice"))


async def test_rses_are_shown_without_the_settings_of_their_plugins(installation: Installation) -> None:
    assert [r["name"] for r in (await get(installation, "/rses")).json()] == ["A-DISK", "B-DISK"]
    assert (await get(installation, "/rses/A-DISK")).json() == {
        "name": "A-DISK", "site": "SITE-A", "plugin": "posix", "prefix": "file:///nowhere/a-disk",
        "audience": "https://a-disk.test", "attributes": {"tier": 1, "country": "JP"}, "readable": True,
        "writable": True, "deletable": True, "distances": {"B-DISK": 1},
    }  # fmt: skip


async def test_an_expression_is_resolved(installation: Installation) -> None:
    found = await get(installation, f"/rses:resolve?expression={quote('*&(tier=1|country=UK)')}")

    assert [r["name"] for r in found.json()] == ["A-DISK", "B-DISK"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/rses/NOWHERE", 404, "rse_not_found"),
        ("/rses/%00", 404, "rse_not_found"),
        ("/rses:resolve", 422, "invalid_request"),
        ("/rses:resolve?expression=tier%3D7", 422, "rse_expression_empty"),
        ("/rses:resolve?expression=tier%3D", 422, "rse_expression_invalid"),
        ("/rses:resolve?expression=%00", 422, "rse_expression_invalid"),
        ("/rses:resolve?expression=%FF", 422, "rse_expression_invalid"),
        ("/rses:resolve?expression={}", 422, "rse_expression_invalid"),
    ],
)
async def test_a_bad_request_is_answered_with_a_problem(
    installation: Installation, path: str, status: int, code: str
) -> None:
    answer = await get(installation, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["field"] in {"name", "expression"}

"""The routes of RSEs, as a client meets them."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from sancho.replicas.api import storages
from sancho.rses.api import router
from tests.identity.helpers import Installation


async def get(installation: Installation, path: str) -> httpx2.Response:
    async with installation.client(router) as client:
        return await client.get(f"/v1{path}", headers=installation.bearer("belle", "alice"))


async def test_rses_are_shown_without_the_settings_of_their_plugins(installation: Installation) -> None:
    assert [r["name"] for r in (await get(installation, "/rses")).json()] == ["A-DISK", "B-DISK"]
    ranks = {"read": 1, "write": 1, "delete": 1}
    domains = {"lan": ranks, "wan": {**ranks, "third_party_copy_read": 1, "third_party_copy_write": 1}}
    assert (await get(installation, "/rses/A-DISK")).json() == {
        "name": "A-DISK", "site": "SITE-A", "plugin": "posix", "prefix": "file:///nowhere/a-disk",
        "protocols": [{"plugin": "posix", "prefix": "file:///nowhere/a-disk", "domains": domains}],
        "audience": "https://a-disk.test", "attributes": {"tier": 1, "country": "JP"}, "readable": True,
        "writable": True, "deletable": True, "own": False, "distances": {"B-DISK": 1},
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


async def test_what_storages_report_is_kept_and_shown(installation: Installation) -> None:
    admin, alice = installation.bearer("instance", "root"), installation.bearer("belle", "alice")
    async with installation.client(router, storages.router) as client:

        async def report(**said: Any) -> int:
            return (await client.post("/v1/rses/A-DISK/reports", headers=admin, json=said)).status_code

        async def show(path: str) -> Any:
            return (await client.get(f"/v1/rses/A-DISK{path}", headers=alice)).json()

        assert await report(source="srm", used=5) == 204
        installation.clock.advance(timedelta(seconds=10))
        assert await report(source="srm", used=6, free=4, files=2) == 204
        assert await report(source="dump", used=7) == 204
        assert await report(source="srm", used=-1) == 422

        usage = await show("/usage")
        assert (usage["rse"], usage["files"], usage["size"]) == ("A-DISK", 0, 0)
        assert [(r["source"], r["used"], r["free"]) for r in usage["reports"]] == [("dump", 7, None), ("srm", 6, 4)]
        every = (await client.get("/v1/rses:usage", headers=installation.bearer("belle", "alice"))).json()
        assert [one["rse"] for one in every] == ["A-DISK", "B-DISK"]
        assert every[0] == usage
        history = await show("/reports?source=srm")
        assert [r["used"] for r in history] == [6, 5]
        older = await show(f"/reports?before={quote(history[0]['reported_at'])}")
        assert [r["used"] for r in older] == [5]


async def test_only_the_owner_of_an_rse_reports_what_is_there(installation: Installation) -> None:
    async with installation.client(router) as client:
        for vo, account, code in (("belle", "alice", "permission_missing"), ("belle", "root", "rse_of_others")):
            answer = await client.post(
                "/v1/rses/A-DISK/reports", headers=installation.bearer(vo, account), json={"source": "srm", "used": 1}
            )
            assert (answer.status_code, answer.json()["code"]) == (403, code)

"""The routes of the topology, as a client meets them."""

import httpx2
import pytest

from sancho.kit.db import execute
from sancho.sites.api import router
from tests.identity.helpers import Installation


async def get(installation: Installation, path: str, *, vo: str = "belle") -> httpx2.Response:
    async with installation.client(router) as client:
        return await client.get(f"/v1{path}", headers=installation.bearer(vo, "alice"))


async def test_sites_and_ces_are_shown(installation: Installation) -> None:
    assert [s["name"] for s in (await get(installation, "/sites")).json()] == ["SITE-A", "SITE-B"]
    site = {"name": "SITE-A", "enabled": True, "attributes": {}, "own": False}
    assert (await get(installation, "/sites/SITE-A")).json() == site
    assert [c["name"] for c in (await get(installation, "/ces")).json()] == ["A-CE", "B-CE"]
    assert (await get(installation, "/ces/A-CE")).json() == {
        "name": "A-CE", "site": "SITE-A", "plugin": "local", "cores": 1, "memory": 2_000_000_000, "walltime": "PT1H",
        "max_pilots": 4, "tags": ["env:demo"], "machine": {}, "price": None, "carbon": None,
        "enabled": True, "own": False,
    }  # fmt: skip


async def test_a_vo_is_shown_what_it_may_use(installation: Installation) -> None:
    async with installation.database.transaction([0]) as conn:
        await execute(conn, "DELETE FROM resource_grant WHERE to_vo = 2")

    for path in ("/sites", "/ces"):
        assert (await get(installation, path, vo="gridpp")).json() == []
        assert len((await get(installation, path)).json()) == 2


@pytest.mark.parametrize("path", ["/sites/NOWHERE", "/ces/NOWHERE", "/sites/%00", "/ces/%FF%00"])
async def test_what_does_not_exist_is_not_found(installation: Installation, path: str) -> None:
    answer = await get(installation, path)

    assert (answer.status_code, answer.json()["field"]) == (404, "name")

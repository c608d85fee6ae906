"""Rucio's client says what is wrong with replicas, and asks what came of it."""

from typing import Any

import httpx2
import pytest

from tests.compat.rucio_client import Online, PythonClient, refused
from tests.identity.helpers import PASSWORD

pytestmark = pytest.mark.xdist_group("rucio_troubles")  # one server for all


def file(name: str) -> dict[str, Any]:
    return {"scope": "mc", "name": name, "bytes": 10, "adler32": "0a1b2c3d"}


async def given(root: PythonClient, *names: str, rse: str = "A-DISK") -> list[str]:
    """Files on an RSE; returns their URLs."""
    await root.call("add_replicas", rse, [file(name) for name in names])
    found = await root.call("list_replicas", [{"scope": "mc", "name": name} for name in names])
    urls = {one["name"]: one["rses"][rse][0] for one in found}
    return [urls[name] for name in names]


async def state(client: PythonClient, name: str) -> str:
    (one,) = await client.call("list_replicas", [{"scope": "mc", "name": name}], all_states=True)
    return one["states"]["A-DISK"]


async def asked(rucio: Online, path: str, **query: Any) -> httpx2.Response:
    """What a web page asks, with a token of root."""
    async with httpx2.AsyncClient(base_url=f"{rucio.url}/rucio") as client:
        who = {"x-rucio-vo": "belle", "x-rucio-account": "root", "x-rucio-username": "root"}
        login = await client.get("/auth/userpass", headers={**who, "x-rucio-password": PASSWORD})
        token = {"x-rucio-auth-token": login.headers["x-rucio-auth-token"]}
        return await client.get(path, params=query, headers=token)


async def lines(rucio: Online, path: str, **query: Any) -> list[dict[str, Any]]:
    answer = await asked(rucio, path, **query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-json-stream"), answer.text
    return [httpx2.Response(200, text=line).json() for line in answer.text.splitlines()]


async def test_suspicious_replicas_are_counted_and_listed(rucio: Online, root: PythonClient) -> None:
    once, often = await given(root, "odd/once", "odd/often")
    unknown = "root://elsewhere//x"

    assert await root.call("declare_suspicious_file_replicas", [once, often], "slow") == {}
    assert await root.call("declare_suspicious_file_replicas", [often, unknown], "slow") == {"unknown": [unknown]}

    async def listed(**named: Any) -> dict[str, int]:
        return {one["name"]: one["cnt"] for one in await root.call("list_suspicious_replicas", **named)}

    assert await listed() == {"odd/once": 1, "odd/often": 2}
    assert await listed(rse_expression="A-DISK", nattempts=2) == {"odd/often": 2}
    assert await listed(rse_expression="B-DISK") == {}
    assert await listed(younger_than="2100-01-01T00:00:00") == {}
    assert await state(root, "odd/often") == "AVAILABLE"
    await refused(root, "InvalidRSEExpression", "list_suspicious_replicas", rse_expression="tier=")
    await refused(root, "InputValidationError", "list_suspicious_replicas", younger_than="yesterday")


async def test_replicas_are_unavailable_for_a_time_and_bad_with_a_reason(rucio: Online, root: PythonClient) -> None:
    away, bad, fine = await given(root, "away", "broken", "fine")

    assert await root.call("add_bad_pfns", [away], "moved", "TEMPORARY_UNAVAILABLE", "2100-01-01T00:00:00") is True
    assert await root.call("add_bad_pfns", [bad], "broke", "BAD", None) is True
    assert await root.call("add_bad_pfns", [fine], "slow", "SUSPICIOUS", None) is True

    assert await state(root, "away") == "TEMPORARY_UNAVAILABLE"
    assert await state(root, "broken") == "BAD"
    assert await state(root, "fine") == "AVAILABLE"
    (one,) = await root.call("list_replicas", [{"scope": "mc", "name": "away"}])
    assert one["rses"] == {}
    said = {one["name"]: one for one in await lines(rucio, "/replicas/bad/states", rse="A-DISK")}
    assert [said[name]["state"] for name in ("away", "broken", "fine")] == [
        "TEMPORARY_UNAVAILABLE", "BAD", "SUSPICIOUS"
    ]  # fmt: skip
    assert (said["broken"]["reason"], said["broken"]["account"]) == ("broke", "root")
    assert said["away"]["expires_at"] == "Fri, 01 Jan 2100 00:00:00 UTC"
    assert await root.call("add_bad_pfns", [away], "back", "AVAILABLE", None) is True
    assert await state(root, "away") == "AVAILABLE"
    await refused(root, "InputValidationError", "add_bad_pfns", [bad], "x", "BAD", "2100-01-01T00:00:00")
    await refused(root, "InputValidationError", "add_bad_pfns", [bad], "x", "GONE", None)
    await refused(root, "InputValidationError", "add_bad_pfns", [bad], "x", "TEMPORARY_UNAVAILABLE", "soon")


async def test_what_came_of_declarations_is_listed_and_summed_up(rucio: Online, root: PythonClient) -> None:
    urls = await given(root, "sum/1", "sum/2", "sum/3", rse="B-DISK")
    await root.call("declare_bad_file_replicas", urls[:2], "summed")
    await root.call("declare_suspicious_file_replicas", urls[2:], "summed")

    bad = await lines(rucio, "/replicas/bad/states", state="BAD", rse="B-DISK")
    assert {one["name"] for one in bad} == {"sum/1", "sum/2"}
    assert len(await lines(rucio, "/replicas/bad/states/", rse="B-DISK", limit=1)) == 1
    assert await lines(rucio, "/replicas/bad/states", rse="B-DISK", younger_than="2100-01-01T00:00:00") == []
    sums = await lines(rucio, "/replicas/bad/summary", rse_expression="B-DISK")
    assert [{k: one[k] for k in one if k.isupper()} for one in sums] == [{"BAD": 2}, {"SUSPICIOUS": 1}]
    assert {one["reason"] for one in sums} == {"summed"}
    assert await lines(rucio, "/replicas/bad/summary", to_date="2020-01-01T00:00:00") == []
    assert (await asked(rucio, "/replicas/bad/states", state="SAD")).status_code == 400
    assert (await asked(rucio, "/replicas/bad/states", rse="NO-DISK")).status_code == 404
    pfns = await lines(rucio, "/replicas/bad/states", state="BAD", rse="B-DISK", list_pfns="true")
    assert sorted(map(str, pfns)) == sorted(urls[:2])


async def test_who_may_not_manage_replicas_and_another_vo_say_nothing_of_them(
    alice: PythonClient, gridpp: PythonClient, root: PythonClient
) -> None:
    (url,) = await given(root, "theirs")
    await refused(alice, "AccessDenied", "declare_suspicious_file_replicas", [url], "x")
    await refused(alice, "AccessDenied", "add_bad_pfns", [url], "x", "TEMPORARY_UNAVAILABLE", None)
    assert await gridpp.call("list_suspicious_replicas") == []
    assert await state(root, "theirs") == "AVAILABLE"


async def test_files_that_nobody_knows_are_quarantined(rucio: Online, root: PythonClient, alice: PythonClient) -> None:
    (url,) = await given(root, "known")
    area = url.partition("/belle/")[0] + "/belle/"
    dark = [{"path": f"{area}old", "scope": "mc", "name": "old"}, {"path": "/belle/older"}]
    assert await root.call("quarantine_replicas", dark, rse="A-DISK") is None
    async with rucio.deployment.database.transaction([1]) as conn:
        rows = await (await conn.execute("SELECT path FROM dark_file ORDER BY path")).fetchall()
    assert rows == [("/belle/old",), ("/belle/older",)]
    await refused(root, "UnsupportedOperation", "quarantine_replicas", [{"path": url}], rse="A-DISK")
    await refused(root, "InvalidPath", "quarantine_replicas", [{"path": "/gridpp/x"}], rse="A-DISK")
    await refused(root, "RSENotFound", "quarantine_replicas", dark, rse="NO-DISK")
    await refused(root, "RSENotFound", "quarantine_replicas", dark, rse_id="f" * 32)
    await refused(alice, "AccessDenied", "quarantine_replicas", dark, rse="A-DISK")

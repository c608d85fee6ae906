"""The unmodified clients of DiracX register pilots, say how they fare, find and count them, each in its own VO."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sancho.compat.diracx.pilots_translate import COLUMNS
from sancho.kit.db import fetch_value
from sancho.pilots import service as pilots
from sancho.pilots import store
from tests.compat.diracx_client import Dirac
from tests.compat.test_diracx_search import call, spec
from tests.jobs.given import started, submitted
from tests.served import Served
from tests.world import World

ASYNC = """
import asyncio, json, sys
from diracx.client import models
from diracx.client.aio import AsyncDiracClient

async def one(api, call):
    ranged = lambda _, rows, headers: [rows, headers.get("Content-Range")]
    try:
        if call["do"] == "register":
            return await api.pilots.register_pilot(**call["with"])
        if call["do"] == "change":
            said = {stamp: models.PilotMetadata(**more) for stamp, more in call["with"].items()}
            return await api.pilots.update_pilot_metadata(said)
        if call["do"] == "summary":
            return await api.pilots.summary(**call["with"])
        return await api.pilots.search(cls=ranged, **call["with"])
    except Exception as e:
        return [type(e).__name__, e.status_code]

async def main():
    async with AsyncDiracClient() as api:
        print("ANSWER" + json.dumps([await one(api, call) for call in json.loads(sys.argv[1])]))
asyncio.run(main())
"""
SYNC = """
import json, sys
from diracx.client import models
from diracx.client.sync import SyncDiracClient
with SyncDiracClient() as api:
    api.pilots.register_pilot(pilot_stamp="sync", vo="belle")
    api.pilots.update_pilot_metadata({"sync": models.PilotMetadata(status="Done")})
    rows = api.pilots.search(search=[{"parameter": "PilotStamp", "operator": "eq", "value": "sync"}])
    print("ANSWER" + json.dumps([rows, api.pilots.summary(grouping=["Status"])]))
"""


def register(stamp: str, **more: Any) -> dict[str, Any]:
    return {"do": "register", "with": {"pilot_stamp": stamp, "vo": "belle", **more}}


def find(*specs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"do": "search", "with": {"parameters": ["PilotStamp"], "search": list(specs), **more}}


async def let_in(dirac: Dirac, vo: str, account: str = "root") -> Dirac:
    """Let the shell speak for an account of a VO; administrators may report of pilots, as factories do."""
    claims = {"sub": f"{vo}:{account}", "aud": dirac.deployment.signer.issuer, "scope": "sancho"}
    token = dirac.deployment.signer.sign(claims, timedelta(hours=1))
    said = {"access_token": token, "refresh_token": "none", "expires_on": 2**31 - 1}
    await asyncio.to_thread(dirac.credentials.write_text, json.dumps(said))
    return dirac


async def other_shell(dirac: Dirac, folder: Path, vo: str, account: str = "root") -> Dirac:
    """Another user's shell."""
    await asyncio.to_thread(folder.mkdir)
    return await let_in(Dirac(dirac.deployment, dirac.url, folder), vo, account)


async def own_pilot(dirac: Dirac, world: World, stamp: str) -> int:
    """A pilot that this server has made for A-CE, which both VOs use."""
    async with dirac.deployment.database.transaction([0]) as conn:
        return await fetch_value(
            conn,
            "INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)"
            " VALUES (0, 'R', %(ce)s, %(site)s, %(stamp)s, '') RETURNING pilot_id",
            {"ce": world.resource["A-CE"], "site": world.resource["SITE-A"], "stamp": stamp},
        )  # fmt: skip


async def test_clients_register_pilots_say_how_they_fare_and_find_them(dirac: Dirac, world: World) -> None:
    pilot_id = await own_pilot(dirac, world, "ours")
    async with dirac.deployment.database.transaction([1]) as conn:
        (job,) = (await submitted(conn, world)).job_ids
        await started(conn, world, pilot_id=pilot_id)
    await let_in(dirac, "belle")

    answers = await call(
        dirac, ASYNC,
        register("one"), register("two", grid_type="CREAM", pilot_reference="https://ce/2", pilot_status="Running"),
        register("one"), register("ours"), register("three", vo="gridpp"),
        {"do": "change", "with": {"one": {"status": "Running", "current_job_id": job, "bench_mark": 11.5},
                                  "two": {"status": "Done", "status_reason": "ended", "queue": "long",
                                          "accounting_sent": True, "grid_site": "LCG.X"}}},
        {"do": "change", "with": {"one": {"status": "Failed"}, "nothing": {"status": "Done"}}},
        {"do": "change", "with": {"ours": {"status": "Done"}}},
        {"do": "search", "with": {"sort": [{"parameter": "PilotStamp", "direction": "asc"}]}},
    )  # fmt: skip

    assert answers[:2] == [None, None]
    assert answers[2:5] == [["ResourceExistsError", 409], ["ResourceExistsError", 409], ["HttpResponseError", 403]]
    assert answers[5] is None
    assert answers[6:8] == [["ResourceNotFoundError", 404], ["ResourceExistsError", 409]]
    (one, ours, two), ranged = answers[8]
    assert ranged is None
    assert list(one) == list(COLUMNS)
    assert {name: one[name] for name in ("PilotStamp", "Status", "CurrentJobID", "BenchMark", "GridType", "GridSite",
                                         "DestinationSite", "PilotJobReference", "VO", "Queue", "AccountingSent")} == {
        "PilotStamp": "one", "Status": "Running", "CurrentJobID": job, "BenchMark": 11.5, "GridType": "DIRAC",
        "GridSite": "Unknown", "DestinationSite": "NotAssigned", "PilotJobReference": "one", "VO": "belle",
        "Queue": "Unknown", "AccountingSent": False,
    }  # fmt: skip
    assert (two["Status"], two["StatusReason"], two["Queue"], two["AccountingSent"], two["GridSite"]) == (
        "Done", "ended", "long", True, "LCG.X",
    )  # fmt: skip
    assert (ours["PilotID"], ours["Status"], ours["GridSite"], ours["Queue"], ours["CurrentJobID"]) == (
        pilot_id, "Running", "SITE-A", "A-CE", job,
    )  # fmt: skip
    rows, counted = await call(dirac, SYNC)
    assert [row["Status"] for row in rows] == ["Done"]
    assert {row["Status"]: row["count"] for row in counted} == {"Done": 2, "Running": 2}


async def test_clients_search_pilots_by_every_operator_and_page(dirac: Dirac, world: World) -> None:
    await own_pilot(dirac, world, "ours")
    async with dirac.deployment.database.transaction([1]) as conn:
        (job,) = (await submitted(conn, world)).job_ids
    await let_in(dirac, "belle")
    changed = {"a1": {"current_job_id": job, "bench_mark": 9.5, "accounting_sent": True}, "a2": {"status": "Aborted"}}
    await call(dirac, ASYNC, *(register(stamp) for stamp in ("a1", "a2", "b1")), {"do": "change", "with": changed})
    asked: list[tuple[dict[str, Any], set[str]]] = [
        (spec("PilotStamp", "eq", "a1"), {"a1"}),
        (spec("PilotStamp", "neq", "a1"), {"a2", "b1", "ours"}),
        (spec("PilotStamp", "like", "a%"), {"a1", "a2"}),
        (spec("PilotStamp", "not like", "a%"), {"b1", "ours"}),
        (spec("PilotStamp", "regex", "^.1$"), {"a1", "b1"}),
        (spec("PilotStamp", "in", ["a1", "b1", "x"]), {"a1", "b1"}),
        (spec("PilotStamp", "not in", ["a1", "b1"]), {"a2", "ours"}),
        (spec("Status", "eq", "Submitted"), {"a1", "b1"}),
        (spec("Status", "gt", "R"), {"a1", "b1", "ours"}),
        (spec("GridType", "eq", "local"), {"ours"}),
        (spec("CurrentJobID", "eq", job), {"a1"}),
        (spec("BenchMark", "gt", "9.4"), {"a1"}),
        (spec("BenchMark", "lt", 9), set()),
        (spec("AccountingSent", "eq", "True"), {"a1"}),
        (spec("AccountingSent", "eq", 0), {"a2", "b1", "ours"}),
        (spec("VO", "eq", "belle"), {"a1", "a2", "b1", "ours"}),
        (spec("VO", "eq", "gridpp"), set()),
        (spec("SubmissionTime", "gt", "2020"), {"a1", "a2", "b1", "ours"}),
        (spec("LastUpdateTime", "lt", "2020-01-01"), set()),
        (spec("JobID", "eq", job), {"a1"}),
        (spec("JobID", "in", [job, 10**9]), {"a1"}),
        (spec("JobID", "in", []), set()),
        (spec("Queue", "eq", "Unknown"), {"a1", "a2", "b1"}),
    ]
    for (one, wanted), (rows, _) in zip(asked, await call(dirac, ASYNC, *(find(one) for one, _ in asked)), strict=True):
        assert {row["PilotStamp"] for row in rows} == wanted, one

    by_stamp = {"sort": [{"parameter": "PilotStamp", "direction": "asc"}]}
    first, second = await call(
        dirac, ASYNC, find(per_page=3, page=1, **by_stamp), find(per_page=3, page=2, **by_stamp)
    )  # fmt: skip
    assert first == [[{"PilotStamp": "a1"}, {"PilotStamp": "a2"}, {"PilotStamp": "b1"}], "pilots 0-2/4"]
    assert second == [[{"PilotStamp": "ours"}], "pilots 3-3/4"]
    assert await call(dirac, ASYNC, find(page=9)) == [["HttpResponseError", 416]]
    for bad in (spec("JobID", "gt", job), spec("Nothing", "eq", "x"), spec("AccountingSent", "like", "x"),
                spec("BenchMark", "eq", "x"), spec("PilotID", "eq", "x")):  # fmt: skip
        assert await call(dirac, ASYNC, find(bad)) == [["HttpResponseError", 400]], bad


async def test_nobody_sees_or_changes_pilots_of_another_vo_and_few_may_report(
    dirac: Dirac, world: World, tmp_path: Path
) -> None:
    await own_pilot(dirac, world, "ours")
    await let_in(dirac, "belle")
    await call(dirac, ASYNC, register("same"), register("belles"))
    gridpp = await other_shell(dirac, tmp_path / "gridpp", "gridpp")
    mine = {"do": "register", "with": {"pilot_stamp": "same", "vo": "gridpp"}}
    registered, changed, found, summed = await call(
        gridpp, ASYNC, mine, {"do": "change", "with": {"belles": {"status": "Done"}}}, find(),
        {"do": "summary", "with": {"grouping": ["VO", "Status"]}},
    )  # fmt: skip
    assert (registered, changed) == (None, ["ResourceNotFoundError", 404])
    assert {row["PilotStamp"] for row in found[0]} == {"same", "ours"}
    assert {(row["VO"], row["Status"], row["count"]) for row in summed} == {
        ("gridpp", "Submitted", 1), ("gridpp", "Running", 1)
    }  # fmt: skip

    user = await other_shell(dirac, tmp_path / "alice", "belle", "alice")
    refused = await call(user, ASYNC, register("new"), {"do": "change", "with": {"same": {"status": "Done"}}}, find())
    assert refused == [["HttpResponseError", 403]] * 3


async def test_a_registered_pilot_disturbs_no_pilot_of_ours(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token('belle', 'root')}"}
    body = {"pilot_stamp": "theirs", "vo": "belle", "pilot_status": "Running"}
    assert (await served.client.post("/api/pilots/", json=body, headers=headers)).status_code == 201
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        assert {(busy, idle) for _, _, busy, idle, *_ in await store.pilots_of_ces(conn)} == {(0, 0)}
        assert [await store.list_alive(conn, ce.ce_id) for ce in await store.list_ces(conn)] == [[], []]
    assert await pilots.retire_lost(served.deployment) == 0
    listed = await served.send("GET", "/pilots", account="root")
    assert listed.json()["items"] == []
    login = await served.client.post("/v1/pilot/login", json={"stamp": "theirs", "secret": ""})
    assert login.status_code == 401
    found = await served.client.post("/api/pilots/search", json={"parameters": ["Status"]}, headers=headers)
    assert found.json() == [{"Status": "Running"}]
    second = await served.client.post("/api/pilots/", json=body | {"pilot_stamp": "another"}, headers=headers)
    assert second.status_code == 201
    distinct = {"parameters": ["Status", "VO"], "distinct": True}
    found = await served.client.post("/api/pilots/search", json=distinct, headers=headers)
    assert found.json() == [{"VO": "belle", "Status": "Running"}]
    for grouping, wanted in (([], [{"count": 2}]), (["VO"], [{"VO": "belle", "count": 2}])):
        summed = await served.client.post("/api/pilots/summary", json={"grouping": grouping}, headers=headers)
        assert summed.json() == wanted


HOSTILE = ["", "x" * 33, "\0", "a\nb", "\ud800", None, 1, [], {}, True]


@pytest.mark.parametrize("value", HOSTILE, ids=repr)
async def test_hostile_values_are_refused(served: Served, value: Any) -> None:
    headers = {"authorization": f"Bearer {served.token('belle', 'root')}", "content-type": "application/json"}

    async def status(method: str, path: str, body: Any) -> int:
        sent = json.dumps(body).encode()
        return (await served.client.request(method, f"/api/pilots/{path}", content=sent, headers=headers)).status_code

    good = {"pilot_stamp": "one", "vo": "belle"}
    assert await status("POST", "", good | {"pilot_stamp": value}) == 422
    assert await status("POST", "", good | {"vo": value}) in (403, 422)
    assert await status("POST", "", good | {"pilot_status": value}) == 422
    assert await status("POST", "", good) == 201
    for name in ("Status", "BenchMark", "CurrentJobID", "Queue", "GridType", "AccountingSent"):
        assert await status("PATCH", "metadata", {"one": {name: value}}) in (204, 422), name
    assert await status("PATCH", "metadata", {"one": {"Nothing": 1}}) == 422
    assert await status("PATCH", "metadata", value) in (204, 422)
    assert await status("PATCH", "metadata", {str(value): {}}) in (404, 422)
    for name in COLUMNS:
        for operator in ("eq", "gt", "like", "regex"):
            asked = {"search": [{"parameter": name, "operator": operator, "value": value}]}
            assert await status("POST", "search", asked) in (200, 400, 422), (name, operator)
    assert await status("POST", "summary", {"grouping": [value]}) in (400, 422)


async def test_numbers_that_are_too_large_are_refused(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token('belle', 'root')}"}
    made = await served.client.post("/api/pilots/", json={"pilot_stamp": "one", "vo": "belle"}, headers=headers)
    assert made.status_code == 201
    for change in ({"CurrentJobID": 2**63}, {"CurrentJobID": -1}, {"BenchMark": "inf"}, {"BenchMark": "NaN"}):
        answer = await served.client.patch("/api/pilots/metadata", json={"one": change}, headers=headers)
        assert answer.status_code == 422, (change, answer.text)
    many = {f"stamp{n}": {} for n in range(10_001)}
    assert (await served.client.patch("/api/pilots/metadata", json=many, headers=headers)).status_code == 422
    page = await served.client.post("/api/pilots/search", params={"page": 2**62, "per_page": 10_000}, headers=headers)
    assert page.status_code == 400

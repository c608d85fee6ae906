"""The unmodified clients of DiracX tell how jobs go, give signs of life for them, and hear what they are to do."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sancho.compat.diracx.status_translate import reports_of, signs_of
from sancho.compat.diracx.status_wire import HeartbeatData, StatusUpdate
from sancho.jobs import service
from sancho.jobs.model import JobState
from sancho.kit.db import fetch_rows
from tests.compat.diracx_client import Dirac
from tests.compat.test_diracx_search import other_shell
from tests.jobs.given import SIMULATION, started, submitted, taken
from tests.jobs.test_silent import age, lose, run_by_others
from tests.served import Served
from tests.world import World

SYNC = """
import json, sys
from diracx.client.sync import SyncDiracClient
def raw(answer, _, headers):
    return answer.http_response.json()
def one(api, call):
    try:
        return getattr(api.jobs, call["do"])(cls=raw, **call["with"])
    except Exception as e:
        return [e.status_code, json.loads(e.response.text())["detail"]]
with SyncDiracClient() as api:
    print("ANSWER" + json.dumps([one(api, call) for call in json.loads(sys.argv[1])]))
"""
ASYNC = """
import asyncio, json, sys
from diracx.client.aio import AsyncDiracClient
from diracx.client import models
async def one(api, call):
    found = await getattr(api.jobs, call["do"])(**call["with"])
    return [each.serialize() for each in found] if isinstance(found, list) else found.serialize()
async def main():
    async with AsyncDiracClient() as api:
        print("ANSWER" + json.dumps([await one(api, call) for call in json.loads(sys.argv[1])]))
asyncio.run(main())
"""


async def ask(dirac: Dirac, program: str, *calls: dict[str, Any]) -> list[Any]:
    status, said = await dirac.run("python", "-c", program, json.dumps(calls))
    assert status == 0, said
    return json.loads(said.partition("ANSWER")[2])


def at(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


def tell(job: int, *updates: tuple[float, dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"do": "set_job_statuses", "with": {"body": {str(job): {at(n): one for n, one in updates}}, **more}}


def beat(*jobs: int, **said: Any) -> dict[str, Any]:
    return {"do": "add_heartbeat", "with": {"body": {str(job): said for job in jobs}}}


def show(job: int, *names: str) -> dict[str, Any]:
    only = [{"parameter": "JobID", "operator": "eq", "value": job}]
    return {"do": "search", "with": {"search": only, "parameters": list(names)}}


async def jobs_of_alice(dirac: Dirac, world: World, count: int, **more: Any) -> list[int]:
    async with dirac.deployment.database.transaction([1]) as conn:
        return (await submitted(conn, world, count=count, **more)).job_ids


async def test_statuses_are_set_in_any_order_and_logged(dirac: Dirac, world: World) -> None:
    (job,) = await jobs_of_alice(dirac, world, 1)
    await dirac.log_in("belle")
    first, late, searched, by_default, _, other = await ask(
        dirac, SYNC,
        tell(job, (2, {"MinorStatus": "Staging", "ApplicationStatus": "event 5", "Source": "JobWrapper"})),
        tell(job, (1, {"MinorStatus": "older", "Source": "JobWrapper"})),
        {"do": "search", "with": {
            "search": [{"parameter": "MinorStatus", "operator": "eq", "value": "Staging"},
                       {"parameter": "ApplicationStatus", "operator": "like", "value": "event%"},
                       {"parameter": "HeartBeatTime", "operator": "gt", "value": "2020"}],
            "sort": [{"parameter": "MinorStatus", "direction": "asc"}],
        }},
        {"do": "search", "with": {
            "search": [{"parameter": "MinorStatus", "operator": "eq", "value": "Pilot Agent Submission"}]}},
        tell(job, (3, {"Status": "Staging"})),
        show(job, "LoggingInfo"),
    )  # fmt: skip
    told = first["success"][str(job)]
    assert (told["Status"], told["MinorStatus"], told["ApplicationStatus"]) == ("Waiting", "Staging", "event 5")
    assert told["HeartBeatTime"].endswith("Z")
    assert (first["failed"], late["success"][str(job)]["MinorStatus"]) == ({}, "Staging")
    assert [row["JobID"] for row in searched] == [job]
    assert by_default == []
    assert [(one["Status"], one["MinorStatus"], one["Source"]) for one in other[0]["LoggingInfo"]] == [
        ("Waiting", "Pilot Agent Submission", "Sancho"), ("Waiting", "older", "JobWrapper"),
        ("Waiting", "Staging", "JobWrapper"), ("Staging", "Staging", "Unknown"),
    ]  # fmt: skip


async def test_a_job_that_no_pilot_of_ours_runs_is_run_by_the_wire(dirac: Dirac, world: World) -> None:
    one, two = await jobs_of_alice(dirac, world, 2)
    await dirac.log_in("belle")
    matched, beats, running, kept, done, killed, told, once, still = await ask(
        dirac, ASYNC,
        tell(one, (1, {"Status": "Matched", "MinorStatus": "Assigned", "Source": "Matcher"})),
        beat(one, LoadAverage=1.5, MemoryUsed=1000.0, Vsize=2000.0, AvailableDiskSpace=5.0, CPUConsumed=10.0,
             WallClockTime=11.0, StandardOutput="hello"),
        tell(one, (5, {"MinorStatus": "Application", "Source": "JobWrapper"})),
        tell(one, (6, {"Status": "Waiting"})),
        tell(one, (7, {"Status": "Completing"}), (8, {"Status": "Done", "MinorStatus": "All good"})),
        tell(two, (1, {"Status": "Killed"})), beat(one, two), beat(one, two), tell(two, (9, {"Status": "Running"})),
    )  # fmt: skip
    assert matched["success"][str(one)]["Status"] == "Matched"
    assert beats == []
    assert running["success"][str(one)]["Status"] == "Running"
    assert kept["success"][str(one)]["Status"] == "Running"
    assert (done["success"][str(one)]["Status"], done["success"][str(one)]["MinorStatus"]) == ("Done", "All good")
    assert killed["success"][str(two)]["Status"] == "Killed"
    assert told == [{"job_id": two, "command": "Kill", "arguments": ""}]
    assert (once, still["success"][str(two)]["Status"]) == ([], "Killed")
    async with dirac.deployment.database.transaction([1]) as conn:
        assert await taken(conn, world) is None
        assert await fetch_rows(conn, "SELECT job_id, memory, disk, cpu, tail FROM job_heartbeat ORDER BY 1") == [
            (one, 1_024_000, 5 * 1024**2, 10.0, "hello")
        ]


async def test_what_our_pilot_runs_is_killed_or_left_alone(dirac: Dirac, world: World) -> None:
    (job,) = await jobs_of_alice(dirac, world, 1)
    async with dirac.deployment.database.transaction([1]) as conn:
        attempt = await started(conn, world)
        await service.begin(conn, 1, attempt.attempt_id, pilot_id=1)
        (lost,) = (await submitted(conn, world)).job_ids
        await run_by_others(conn, world, lost)
        await age(conn, 7, lost)
        assert await lose(conn) == [lost]
        await started(conn, world)
    await dirac.give_password(1, "root")
    await dirac.log_in("belle", "--group", "admins", account="root")
    done, forced, deleted, told, late = await ask(
        dirac, SYNC, tell(job, (1, {"Status": "Done"})), tell(job, (1, {"Status": "Failed"}), force=True),
        tell(job, (2, {"Status": "Deleted"})),
        beat(lost), tell(lost, (1, {"Status": "Done", "MinorStatus": "over", "Source": "JobWrapper"})),
    )  # fmt: skip
    assert told == [{"job_id": lost, "command": "Kill", "arguments": ""}]
    assert (late["success"], late["failed"][str(lost)]["detail"][:31]) == ({}, "This job was taken away from wh")
    assert [one["success"][str(job)]["Status"] for one in (done, forced, deleted)] == ["Running", "Running", "Killed"]
    async with dirac.deployment.database.transaction([1]) as conn:
        assert await service.find_attempt(conn, 1, attempt.attempt_id) is None


async def test_what_is_wrong_is_said_as_diracx_does(dirac: Dirac, world: World, tmp_path: Path) -> None:
    (job,) = await jobs_of_alice(dirac, world, 1, description=SIMULATION)
    await dirac.log_in("belle")
    naive = {"do": "set_job_statuses", "with": {"body": {str(job): {"2026-01-01T00:00:00": {"MinorStatus": "x"}}}}}
    told = {"MinorStatus": "x"}
    answers = await ask(
        dirac, SYNC, naive, tell(job, (0, told), force=True), tell(job + 1, (0, told)), beat(job, job + 1),
        tell(job, (0, {"Status": "Scouting"})), tell(job, (0, {"MinorStatus": "x" * 300})),
    )  # fmt: skip
    assert [one[0] for one in answers] == [400, 403, 403, 403, 422, 422], answers

    there = await other_shell(dirac, tmp_path / "gridpp")
    answers = await ask(there, SYNC, tell(job, (0, told)), beat(job))
    assert [one[0] for one in answers] == [403, 403]
    await dirac.give_password(1, "root")
    await dirac.log_in("belle", "--group", "admins", account="root")
    mixed = {"do": "set_job_statuses", "with": {"body": {str(n): {at(1): told} for n in (job, job + 1)}}}
    none, missing, some, promised = await ask(
        dirac, SYNC, tell(job + 1, (0, told)), beat(job + 1), mixed, tell(job, (1, {"Status": "Done"}), force=True)
    )
    failed = {str(job + 1): {"detail": "Not found"}}
    assert none == [404, {"success": {}, "failed": failed}]
    assert missing[0] == 404
    assert (list(some["success"]), some["failed"]) == ([str(job)], failed)
    assert promised["success"][str(job)]["Status"] == "Waiting"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("status", {}), ("status", {"1": {}}), ("status", {"x": {}}), ("status", {"1": {"never": {}}}),
        ("status", {"1": {"0001-01-01T00:00:00+23:59": {}}}), ("status", {"1": {"9999-12-31T23:59:59Z": {}}}),
        ("status", {str(2**70): {}}), ("status", []), ("status", {"1": {"2026-01-01T00:00:00Z": {"Status": "\0"}}}),
        ("status", {"1": {"2026-01-01T00:00:00Z": {"MinorStatus": "\ud800"}}}), ("heartbeat", {"-1": {}}),
        ("heartbeat", {"1": {"Nonsense": 1}}),
        ("status", {"1": {f"2026-01-01T00:00:00.{n:06}Z": {} for n in range(10_001)}}),
        ("heartbeat", {"1": {"LoadAverage": 1e400}}), ("heartbeat", {"1": {"CPUConsumed": -1}}),
        ("heartbeat", {"1": {"StandardOutput": "\0"}}), ("heartbeat", {"1": {"Vsize": "NaN"}}),
        ("heartbeat", {"1": {"StandardOutput": "x" * 1_000_001}}),
        ("heartbeat", {str(n): {} for n in range(1, 10_003)}),
    ],
)  # fmt: skip
async def test_nothing_that_is_told_makes_a_server_fail(served: Served, path: str, body: Any) -> None:
    headers = {"authorization": f"Bearer {served.token('belle', 'root')}", "content-type": "application/json"}
    answer = await served.client.patch(f"/api/jobs/{path}", headers=headers, content=json.dumps(body))
    assert 400 <= answer.status_code < 500, answer.text


def test_words_and_units_are_translated() -> None:
    now = datetime.now(UTC)
    deleted = StatusUpdate.model_validate({"Status": "Deleted", "MinorStatus": "", "Source": ""})
    (report,) = reports_of({7: {now: deleted}})
    assert (report.state, report.asked, report.minor, report.source) == (JobState.KILLED, "Deleted", None, "Unknown")
    (stalled,) = reports_of({7: {now: StatusUpdate.model_validate({"Status": "Stalled"})}})
    assert (stalled.state, stalled.asked) == (None, "Stalled")
    (sign,) = signs_of({7: HeartbeatData.model_validate({"MemoryUsed": 1, "AvailableDiskSpace": 1e12})})
    assert (sign.memory, sign.disk, sign.load) == (1024, 2**20 * 10**12, None)

"""The unmodified clients of DiracX find jobs, count them and say something of them, each in its own VO."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sancho.jobs import service
from sancho.jobs.model import Reason, Result
from tests.compat.diracx_client import Dirac
from tests.jobs.given import PLAIN, started, submitted, user
from tests.served import Served
from tests.world import World

SYNC = """
import json, sys
from diracx.client.sync import SyncDiracClient
from diracx.core.models import JobStatus
said = json.loads(sys.argv[1])
def one(api, call):
    try:
        return getattr(api.jobs, call["do"])(**call.get("with", {}))
    except Exception as e:
        return f"{type(e).__name__} {e}"
with SyncDiracClient() as api:
    print("ANSWER" + json.dumps([one(api, call) for call in said]))
"""
ASYNC = """
import asyncio, json, sys
from diracx.client.aio import AsyncDiracClient
async def main():
    async with AsyncDiracClient() as api:
        ranged = lambda _, rows, headers: [rows, headers.get("Content-Range")]
        calls = json.loads(sys.argv[1])
        found = [await getattr(api.jobs, call["do"])(cls=ranged, **call.get("with", {})) for call in calls]
        print("ANSWER" + json.dumps(found))
asyncio.run(main())
"""


async def call(dirac: Dirac, program: str, *calls: dict[str, Any]) -> list[Any]:
    status, said = await dirac.run("python", "-c", program, json.dumps(calls))
    assert status == 0, said
    assert "ANSWER" in said, said
    return json.loads(said.partition("ANSWER")[2])


async def given_jobs(dirac: Dirac, world: World) -> list[int]:
    """Of belle: one that is done, one that failed, three that wait."""
    async with dirac.deployment.database.transaction([1]) as conn:
        ids = (await submitted(conn, world, count=2)).job_ids
        for reason in (None, Reason.PAYLOAD_FAILED):
            attempt = await started(conn, world)
            await service.finish(conn, 1, attempt.attempt_id, Result(reason=reason), pilot_id=1, checksums={})
        ids += (await submitted(conn, world, replace(PLAIN, name="merge", priority=3), count=3)).job_ids
    return ids


async def other_shell(dirac: Dirac, folder: Path) -> Dirac:
    """The shell of alice of gridpp."""
    await dirac.give_password(2, "alice")
    await asyncio.to_thread(folder.mkdir)
    made = Dirac(dirac.deployment, dirac.url, folder)
    status, said = await made.log_in("gridpp")
    assert status == 0, said
    return made


def spec(parameter: str, operator: str, value: Any) -> dict[str, Any]:
    return {"parameter": parameter, "operator": operator, "values" if isinstance(value, list) else "value": value}


def find(*specs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"do": "search", "with": {"parameters": ["JobID"], "search": list(specs), **more}}


async def test_clients_search_by_every_operator(dirac: Dirac, world: World) -> None:
    done, failed, *waiting = await given_jobs(dirac, world)
    await dirac.log_in("belle")
    asked: list[tuple[dict[str, Any], set[int]]] = [
        (spec("Status", "eq", "Done"), {done}),
        (spec("Status", "neq", "Waiting"), {done, failed}),
        (spec("Status", "like", "%e%"), {done, failed}),
        (spec("Status", "not like", "W%"), {done, failed}),
        (spec("Status", "regex", "^(Done|Failed)$"), {done, failed}),
        (spec("Status", "in", ["Done", "Stalled"]), {done}),
        (spec("Status", "not in", ["Done", "Failed"]), set(waiting)),
        (spec("MinorStatus", "eq", "Execution Complete"), {done}),
        (spec("JobID", "gt", failed), set(waiting)),
        (spec("JobID", "lt", str(failed)), {done}),
        (spec("JobID", "in", [done, failed]), {done, failed}),
        (spec("JobID", "like", f"{done}"), {done}),
        (spec("JobName", "eq", "merge"), set(waiting)),
        (spec("JobName", "like", "m_rg%"), set(waiting)),
        (spec("JobName", "regex", "^pl.*n$"), {done, failed}),
        (spec("Site", "eq", "SITE-A"), {done, failed}),
        (spec("Site", "eq", "ANY"), set(waiting)),
        (spec("Site", "like", "AN%"), set(waiting)),
        (spec("Owner", "eq", "alice"), {done, failed, *waiting}),
        (spec("Owner", "eq", "bob"), set()),
        (spec("OwnerGroup", "eq", "users"), {done, failed, *waiting}),
        (spec("VO", "eq", "belle"), {done, failed, *waiting}),
        (spec("VO", "eq", "gridpp"), set()),
        (spec("JobType", "eq", "User"), {done, failed, *waiting}),
        (spec("UserPriority", "gt", 0), set(waiting)),
        (spec("RescheduleCounter", "eq", 0), {done, failed, *waiting}),
        (spec("SubmissionTime", "gt", "2020"), {done, failed, *waiting}),
        (spec("SubmissionTime", "eq", "2020-01-01"), set()),
        (spec("EndExecTime", "gt", "2020-01-01 10:00"), {done, failed}),
        (spec("StartExecTime", "lt", "2020-01-01T10:00:00"), set()),
        (spec("PilotStamp", "eq", "nowhere"), set()),
    ]

    answers = await call(dirac, SYNC, *(find(one) for one, _ in asked))

    for (one, wanted), rows in zip(asked, answers, strict=True):
        assert isinstance(rows, list), (one, rows)
        assert {row["JobID"] for row in rows} == wanted, one


async def test_clients_page_sort_and_choose_what_is_shown(dirac: Dirac, world: World) -> None:
    done, failed, *waiting = await given_jobs(dirac, world)
    await dirac.log_in("belle")
    by_id = {"sort": [{"parameter": "JobID", "direction": "asc"}]}
    by_status = {"sort": [{"parameter": "Status", "direction": "desc"}, {"parameter": "JobID", "direction": "asc"}]}

    first, second, past, whole, sorted_, distinct, logged = await call(
        dirac, ASYNC,
        find(per_page=2, page=1, **by_id), find(per_page=2, page=3, **by_id), find(per_page=5, page=1, **by_id),
        {"do": "search", "with": {"search": [spec("JobID", "eq", done)]}}, find(**by_status),
        {"do": "search", "with": {"parameters": ["Status", "VO"]}},
        {"do": "search", "with": {"parameters": ["JobID", "LoggingInfo"], "search": [spec("JobID", "eq", failed)]}},
    )  # fmt: skip

    assert first == [[{"JobID": done}, {"JobID": failed}], "jobs 0-1/5"]
    assert second == [[{"JobID": waiting[2]}], "jobs 4-4/5"]
    assert past == [[{"JobID": job} for job in (done, failed, *waiting)], None]
    (row,), _ = whole
    assert list(row) == [
        "JobID", "JobType", "JobGroup", "Site", "JobName", "Owner", "OwnerGroup", "VO", "SubmissionTime",
        "RescheduleTime", "LastUpdateTime", "StartExecTime", "HeartBeatTime", "EndExecTime", "Status", "MinorStatus",
        "ApplicationStatus", "UserPriority", "RescheduleCounter", "VerifiedFlag", "AccountedFlag",
    ]  # fmt: skip
    assert (row["Status"], row["Site"], row["Owner"], row["VO"]) == ("Done", "SITE-A", "alice", "belle")
    assert [one["JobID"] for one in sorted_[0]] == [*waiting, failed, done]
    assert len(distinct[0]) == 5
    (last,) = logged[0]
    assert [one["Status"] for one in last["LoggingInfo"]] == ["Waiting", "Matched", "Failed"]


async def test_nobody_sees_jobs_of_another_vo(dirac: Dirac, world: World, tmp_path: Path) -> None:
    mine = await given_jobs(dirac, world)
    await dirac.log_in("belle")
    there = await other_shell(dirac, tmp_path / "gridpp")
    calls = (
        find(), find(spec("VO", "eq", "belle")), find(spec("JobID", "in", mine)), find(spec("VO", "neq", "gridpp")),
        {"do": "summary", "with": {"grouping": ["Status"], "search": []}},
    )  # fmt: skip
    assert len((await call(dirac, SYNC, calls[0]))[0]) == 5
    assert await call(there, SYNC, *calls) == [[], [], [], [], []]
    (refused,) = await call(there, SYNC, {"do": "patch_metadata", "with": {"body": {mine[0]: {"HostName": "x"}}}})
    assert "Not all of these jobs are yours" in refused
    status, said = await there.run("dirac", "jobs", "search", "--all")
    assert (status, "No jobs found" in said or "[]" in said) == (0, True), said


async def test_clients_count_jobs_and_say_something_of_them(dirac: Dirac, world: World) -> None:
    done, failed, *waiting = await given_jobs(dirac, world)
    await dirac.log_in("belle")
    own = {"HostName": "wn1", "CPUNormalizationFactor": 10, "NormCPUTime(s)": 5}
    said = {done: own, failed: {"Pilot_Reference": "p"}}

    written, fixed, by_status, by_two, whole = await call(
        dirac, SYNC,
        {"do": "patch_metadata", "with": {"body": said}},
        {"do": "patch_metadata", "with": {"body": {done: {"JobName": "other"}}}},
        {"do": "summary", "with": {"grouping": ["Status", "AccountedFlag"], "search": []}},
        {"do": "summary", "with": {"grouping": ["JobName"], "search": [spec("Status", "eq", "Waiting")]}},
        {"do": "summary", "with": {"grouping": ["VO"], "search": [spec("JobID", "gt", failed)]}},
    )  # fmt: skip

    assert written is None
    assert "JobName of a job cannot be set here" in fixed
    assert sorted(by_status, key=lambda row: row["Status"]) == [
        {"Status": "Done", "AccountedFlag": True, "count": 1}, {"Status": "Failed", "AccountedFlag": True, "count": 1},
        {"Status": "Waiting", "AccountedFlag": False, "count": 3},
    ]  # fmt: skip
    assert by_two == [{"JobName": "merge", "count": 3}]
    assert whole == [{"VO": "belle", "count": len(waiting)}]
    async with dirac.deployment.database.transaction([1]) as conn:
        detail = await service.get(conn, user(world), done)
    assert detail.said == own


async def test_the_command_line_searches(dirac: Dirac, world: World) -> None:
    done, *_ = await given_jobs(dirac, world)
    await dirac.log_in("belle")

    status, said = await dirac.run(
        "dirac", "jobs", "search", "--condition", "Status eq Done", "--parameter", "JobID", "--parameter", "Status"
    )
    assert (status, str(done) in said, "Done" in said) == (0, True, True), said
    status, said = await dirac.run("dirac", "jobs", "search", "--per-page", "2", "--parameter", "JobID")
    assert (status, "0-1" in said or "JobID" in said) == (0, True), said
    status, said = await dirac.run("dirac", "jobs", "search", "--condition", 'JobID in ["1"')
    assert status != 0


async def search(served: Served, body: Any, **query: Any) -> tuple[int, Any, str | None]:
    headers = {"authorization": f"Bearer {served.token()}"}
    answer = await served.client.post("/api/jobs/search", json=body, params=query, headers=headers)
    return answer.status_code, answer.json(), answer.headers.get("content-range")


async def test_behind_the_last_page_there_is_none(served: Served) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        await submitted(conn, served.world, count=3)
    assert await search(served, {}, page=2, per_page=3) == (416, [], "jobs */3")
    status, rows, said = await search(served, {}, page=1, per_page=3)
    assert (status, len(rows), said) == (200, 3, None)
    assert (await search(served, {"distinct": True, "parameters": ["Status"]}))[:2] == (200, [{"Status": "Waiting"}])
    assert (await search(served, {}, page=10**12))[0] == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"search": [spec("Nothing", "eq", "x")]}, 400, "Unknown column Nothing"),
        ({"parameters": ["HostName"]}, 400, "Unknown column HostName"),
        ({"sort": [{"parameter": "x' DESC; --", "direction": "asc"}]}, 400, "Unknown column"),
        ({"search": [spec("JobName", "regex", "(")]}, 400, "pattern cannot be used"),
        ({"search": [spec("Status", "regex", "[")]}, 400, "pattern cannot be used"),
        ({"search": [spec("JobName", "like", "plai\\")]}, 400, "pattern cannot be used"),
        ({"search": [spec("Status", "like", "\x00")]}, 422, ""),
        ({"search": [spec("JobName", "eq", "\x00")]}, 422, ""),
        ({"search": [spec("JobID", "eq", "9" * 30)]}, 400, "is no number"),
        ({"search": [spec("JobID", "eq", 10**18)]}, 200, ""),
        ({"search": [spec("SubmissionTime", "gt", "2024-01-01 00:00:00+00:00")]}, 400, "is no date"),
        ({"search": [spec("JobName", "eq", ["x"])]}, 422, ""),
        ({"search": [{"parameter": "JobID", "operator": "in", "value": 1}]}, 422, ""),
        ({"search": [spec("JobID", "in", [])]}, 200, ""),
        ({"search": [spec("JobID", "gte", 1)]}, 422, ""),
        ({"search": [spec("JobName", "eq", "'; DROP TABLE job; --")]}, 200, ""),
    ],
)
async def test_hostile_searches_are_refused_or_find_nothing(served: Served, body: Any, status: int, said: str) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        await submitted(conn, served.world)
    answered, rows, _ = await search(served, body)
    assert answered == status, rows
    assert said in str(rows)
    assert status != 200 or rows == []


async def test_a_pattern_that_never_ends_is_given_up(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sancho.jobs.service.searching.LONGEST_SEARCH", 1)
    async with served.deployment.database.transaction([1]) as conn:
        await submitted(conn, served.world, replace(PLAIN, name="a" * 128))
    status, said, _ = await search(served, {"search": [spec("JobName", "regex", r"^(a|a(?=.*\1))*\1{60}b$")]})
    assert status in (200, 400), said


async def test_metadata_of_what_is_not_ones_own_is_refused(served: Served) -> None:
    async with served.deployment.database.transaction([1]) as conn:
        (job,) = (await submitted(conn, served.world)).job_ids

    async def say(body: Any, account: str = "alice") -> int:
        headers = {"authorization": f"Bearer {served.token(account=account)}"}
        return (await served.client.patch("/api/jobs/metadata", json=body, headers=headers)).status_code

    assert await say({job: {"HostName": "x", "n": 1.5, "o": {"a": [1]}, "gone": None}}) == 204
    assert await say({job: {"HostName": "x"}}, "bob") == 403
    assert await say({job + 1: {"HostName": "x"}}) == 403
    assert await say({job + 1: {"HostName": "x"}}, "root") == 404
    assert await say({job: {"Status": "Done"}}) == 400
    assert await say({job: {"Site": "SITE-B"}}) == 400
    assert await say({job: {"a b": 1}}) == 400
    assert await say({job: {"HostName": "\x00"}}) == 422
    assert await say({job: {"x": "y" * 5000}}) == 400
    assert await say({job: {f"p{n}": n for n in range(201)}}) == 413
    assert await say({"x": {}}) == 422
    assert await say([]) == 422

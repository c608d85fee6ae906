"""The unmodified clients of DiracX put jobs back to their start, and see those that are held."""

import json
from pathlib import Path
from typing import Any

from sancho.jobs import service
from sancho.jobs.model import JobState, Reason, Result
from tests.compat.diracx_client import Dirac
from tests.compat.test_diracx_search import SYNC, call, find, other_shell, spec
from tests.jobs.given import PLAIN, started, submitted, user
from tests.served import Served
from tests.world import World

RESCHEDULE = """
import asyncio, json, sys
from azure.core.exceptions import HttpResponseError
from diracx.client.aio import AsyncDiracClient
from diracx.client.models import BodyJobsRescheduleJobs
from diracx.client.sync import SyncDiracClient

calls = json.loads(sys.argv[1])

def failure(e):
    return [e.status_code, json.loads(e.response.text() if callable(e.response.text) else e.response.body())]

async def asynchronously(call):
    async with AsyncDiracClient() as api:
        return await api.jobs.reschedule_jobs(BodyJobsRescheduleJobs(job_ids=call["ids"]), reset_jobs=call["reset"])

found = []
for call in calls:
    try:
        if call["async"]:
            found.append([200, asyncio.run(asynchronously(call))])
        else:
            with SyncDiracClient() as api:
                body = BodyJobsRescheduleJobs(job_ids=call["ids"])
                found.append([200, api.jobs.reschedule_jobs(body, reset_jobs=call["reset"])])
    except HttpResponseError as e:
        found.append(failure(e))
print("ANSWER" + json.dumps(found))
"""


def go(*job_ids: int, reset: bool = False, asynchronous: bool = False) -> dict[str, Any]:
    return {"ids": list(job_ids), "reset": reset, "async": asynchronous}


async def test_clients_put_jobs_back_and_hear_which_could_not_be(dirac: Dirac, world: World, tmp_path: Path) -> None:
    async with dirac.deployment.database.transaction([1]) as conn:
        done, failed, running, held, killed = (await submitted(conn, world, count=5)).job_ids
        for reason in (None, Reason.PAYLOAD_FAILED):
            attempt = await started(conn, world)
            await service.finish(conn, 1, attempt.attempt_id, Result(reason=reason), pilot_id=1, checksums={})
        await started(conn, world, pilot_id=2)
        await service.hold(conn, user(world), [held])
        await service.kill(conn, user(world), [killed])
        (bobs,) = (await service.submit(conn, user(world, "bob"), PLAIN, [{}])).job_ids
    await dirac.log_in("belle")

    (rows,) = await call(dirac, SYNC, find(spec("Status", "eq", "Received")))
    assert rows == [{"JobID": held}]
    first, again, alone, nobodys, reset, nothing = await call(
        dirac, RESCHEDULE,
        go(done, failed, running, held, killed), go(failed, asynchronous=True), go(done, asynchronous=True),
        go(failed, 999_999), go(failed, reset=True), go(),
    )  # fmt: skip

    status, said = first
    assert (status, sorted(said["success"], key=int)) == (200, [str(failed), str(held), str(killed)])
    assert said["success"][str(failed)] == {
        "Status": "Waiting", "MinorStatus": "Pilot Agent Submission", "RescheduleCounter": 1
    }  # fmt: skip
    assert {job: why["detail"].partition(";")[0] for job, why in said["failed"].items()} == {
        str(done): f"Job {done} is done", str(running): f"Job {running} is matched"
    }  # fmt: skip
    assert again[1]["success"][str(failed)]["RescheduleCounter"] == 2
    assert (alone[0], list(alone[1]["detail"]["failed"]), alone[1]["detail"]["success"]) == (400, [str(done)], {})
    assert nobodys == [403, {"detail": "Not all of these jobs are yours."}]
    assert reset[0] == 403
    assert nothing == [200, {"failed": {}, "success": {}}]

    over, beyond, of_bob = await call(dirac, RESCHEDULE, go(failed), go(failed), go(bobs))
    assert over[1]["success"][str(failed)]["RescheduleCounter"] == 3
    assert (beyond[0], "3 times" in beyond[1]["detail"]["failed"][str(failed)]["detail"]) == (400, True)
    assert of_bob[0] == 403
    fields = {"parameters": ["RescheduleCounter", "RescheduleTime"], "search": [spec("JobID", "in", [failed, done])]}
    by_id = {"sort": [{"parameter": "JobID", "direction": "asc"}]}
    (rows,) = await call(dirac, SYNC, {"do": "search", "with": {**fields, **by_id}})
    assert [row["RescheduleCounter"] for row in rows] == [0, 3]
    assert [row["RescheduleTime"] is None for row in rows] == [True, False]

    gridpp = await other_shell(dirac, tmp_path / "gridpp")
    assert await call(gridpp, RESCHEDULE, go(held)) == [[403, {"detail": "Not all of these jobs are yours."}]]
    async with dirac.deployment.database.transaction([1]) as conn:
        assert [row.state for row in await service.list_jobs(conn, 1, [held])] == [JobState.WAITING]


async def test_what_makes_no_sense_is_refused(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token('belle', 'root')}"}
    for body, status in (
        ({}, 422), ({"job_ids": "x"}, 422), ({"job_ids": [2**70]}, 422), ({"job_ids": [-1]}, 422),
        ({"job_ids": [1] * 10_001}, 422), ({"job_ids": [None]}, 422), ([], 422), ({"job_ids": [1]}, 404),
        ({"job_ids": []}, 200),
    ):  # fmt: skip
        answer = await served.client.post("/api/jobs/reschedule", json=body, headers=headers)
        assert answer.status_code == status, (body, answer.text)
    for query in ("maybe", "\0", "1" * 9999):
        answer = await served.client.post(
            "/api/jobs/reschedule", params={"reset_jobs": query}, json={"job_ids": [1]}, headers=headers
        )  # fmt: skip
        assert answer.status_code == 422, answer.text
    assert json.loads(answer.text)["detail"]

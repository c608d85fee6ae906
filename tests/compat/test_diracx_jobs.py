"""The unmodified clients of DiracX submit JDL, which runs to its end: `dirac`, and the library, sync and async."""

import asyncio
import hashlib
import json
from typing import Any

import httpx2

from sancho.compat.diracx.jdl_translate import Surroundings, read
from sancho.jobs.model import fill
from sancho.kit.db import execute, fetch_rows
from tests.compat.diracx_client import Dirac

JDL = """
[
  // what a user of DIRAC writes
  Executable = "/bin/echo";
  Arguments = "hello '%s and' %n of %j {x}";
  JobName = "Test_%n"; JobGroup = "tests"; JobType = "User";
  Parameters = {"one", "two"};
  StdOutput = "std.out"; StdError = "std.err"; OutputSandbox = {"std.out", "std.err", "*.txt"};
  CPUTime = 3000; Site = "SITE-A"; BannedSites = {"SITE-B"}; Priority = 1;
]
"""
CALLS = """
import asyncio, json
from diracx.client.aio import AsyncDiracClient
from diracx.client.sync import SyncDiracClient

def told(jobs):
    return [[job.job_id, job.status, job.minor_status, job.time_stamp.tzinfo is not None] for job in jobs]

async def asynchronously():
    async with AsyncDiracClient() as api:
        return told(await api.jobs.submit_jdl_jobs(["Executable = date; Parameters = 3; Arguments = %n;"]))

with SyncDiracClient() as api:
    said = {"sync": told(api.jobs.submit_jdl_jobs(['Executable = "/bin/true";', "[Executable = date]"]))}
    for name, jdls in {"syntax": ["Executable = "], "mixed": ["Executable = a", "Executable = a; Parameters = 2"],
                       "many": ["Executable = a; Parameters = 10001"], "none": []}.items():
        try:
            api.jobs.submit_jdl_jobs(jdls)
        except Exception as e:
            said[name] = [e.status_code, str(e)]
print(json.dumps({**said, "async": asyncio.run(asynchronously())}))
"""


SPREAD = """
import json, sys
from DIRACCommon.Core.Utilities.ClassAd.ClassAdLight import ClassAd
from DIRACCommon.WorkloadManagementSystem.Utilities.ParametricJob import generateParametricJobs
print(json.dumps([
    [ClassAd(job).getAttributeString("Arguments") for job in generateParametricJobs(ClassAd(jdl))["Value"]]
    for jdl in json.loads(sys.argv[1])
]))
"""
PARAMETRIC = [
    'Arguments = "%s %n %j"; Parameters = 3',
    'Arguments = "%s %n"; Parameters = 3; ParameterStart = 10; ParameterStep = 2',
    'Arguments = "%s %n"; Parameters = 3; ParameterStart = 10; ParameterStep = 2; ParameterFactor = 1.5',
    'Arguments = "%s"; Parameters = 4; ParameterStart = 3; ParameterStep = -1; ParameterFactor = 2',
    'Arguments = "%s %n"; Parameters = {"a", "b", 007, 1.50}',
    """Arguments = "%(A)s %(B)s %(C)s %s 100% %d"; Parameters = 2; Parameters.A = {"x", "y"};
       ParameterStart.B = 5; ParameterStep.B = 3; ParameterFactor.B = 2""",
]  # fmt: skip
"""Parametric forms that DIRAC itself spreads out."""


async def jobs_of(dirac: Dirac, vo: int) -> dict[int, str]:
    """The jobs of a VO, and the letters of their states."""
    async with dirac.deployment.database.transaction([vo]) as conn:
        rows = await fetch_rows(conn, "SELECT job_id, state FROM job WHERE vo = %(vo)s", {"vo": vo})
    return {row[0]: row[1] for row in rows}


async def run_next(dirac: Dirac, stamp: str) -> tuple[int, str]:
    """Be a pilot of SITE-A that runs one job to its end; return the job, and what it wrote."""
    async with dirac.deployment.database.transaction([0]) as conn:
        await execute(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            SELECT 0, 'S', resource_id, site_id, %(stamp)s, %(hash)s FROM resource WHERE name = 'A-CE'
            """,
            {"stamp": stamp, "hash": hashlib.sha256(b"secret").digest()},
        )
    async with httpx2.AsyncClient(base_url=f"{dirac.url}/v1/pilot") as pilot:

        async def post(path: str, body: Any) -> Any:
            answer = await pilot.post(path, json=body)
            assert answer.is_success, answer.text
            return answer.json() if answer.content else None

        token = (await post("/login", {"stamp": stamp, "secret": "secret"}))["token"]
        pilot.headers["authorization"] = f"Bearer {token}"
        offer = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"], "held": []}
        given = await post("/match", offer)
        attempt = f"/attempts/{given['attempt_id']}"
        await post(f"{attempt}/start", {})
        payload = await asyncio.create_subprocess_exec(*given["command"], stdout=asyncio.subprocess.PIPE)
        written, _ = await payload.communicate()
        await post(f"{attempt}/finish", {"outcome": "done", "exit_code": payload.returncode})
    return given["job_id"], written.decode()


async def test_dirac_submits_files_of_jdl_whose_jobs_run_to_their_end(dirac: Dirac) -> None:
    (dirac.folder / "test.jdl").write_text(JDL)
    (dirac.folder / "plain.jdl").write_text('Executable = "/bin/true";')
    plain = str(dirac.folder / "plain.jdl")
    await dirac.log_in("belle")

    status, said = await dirac.run("dirac", "jobs", "submit", str(dirac.folder / "test.jdl"))
    assert (status, "Inserted 2 jobs with ids: 1,2" in said) == (0, True), said
    status, said = await dirac.run("dirac", "jobs", "submit", plain, plain)
    assert (status, "Inserted 2 jobs with ids: 3,4" in said) == (0, True), said

    ran = [await run_next(dirac, f"stamp-{n}") for n in range(4)]
    assert sorted(ran) == [(1, "hello one and 0 of 1 {x}\n"), (2, "hello two and 1 of 2 {x}\n"), (3, ""), (4, "")]
    assert await jobs_of(dirac, 1) == dict.fromkeys((1, 2, 3, 4), "D")


async def test_a_file_that_is_no_jdl_is_told_where(dirac: Dirac) -> None:
    (dirac.folder / "bad.jdl").write_text('[\n  Executable = "/bin/echo"\n  Arguments = "x";\n]')
    await dirac.log_in("belle")

    _, said = await dirac.run("dirac", "jobs", "submit", str(dirac.folder / "bad.jdl"))

    assert "line 3, column 3" in said.replace("\n", " ")
    assert await jobs_of(dirac, 1) == {}


async def test_the_library_submits_for_the_vo_that_it_is_logged_in_to(dirac: Dirac) -> None:
    await dirac.log_in("gridpp")

    status, said = await dirac.run("python", "-c", CALLS)

    assert status == 0, said
    answers = json.loads(said)
    assert answers["sync"] == [[1, "Received", "Job accepted", True], [2, "Received", "Job accepted", True]]
    assert answers["async"] == [[n, "Submitting", "Bulk transaction confirmation", True] for n in (3, 4, 5)]
    expected = {
        "syntax": "JDL syntax error at line 1, column", "mixed": "You cannot submit parametric jobs in a bulk fashion",
        "many": "You cannot submit more than 10000 jobs at once", "none": "JDL syntax error",
    }  # fmt: skip
    for name, text in expected.items():
        assert answers[name][0] == 400
        assert text in answers[name][1]
    assert (await jobs_of(dirac, 1), await jobs_of(dirac, 2)) == ({}, dict.fromkeys((1, 2, 3, 4, 5), "W"))


async def test_parameters_are_spread_out_as_dirac_does(dirac: Dirac) -> None:
    jdls = [f'[ Executable = "/bin/echo"; {one} ]' for one in PARAMETRIC]

    status, said = await dirac.run("python", "-c", SPREAD, json.dumps(jdls))

    assert status == 0, said
    around = Surroundings(vo_names=("belle",), account="alice", group=None, groups=(), benchmark=10, folder="new")
    for jdl, theirs in zip(jdls, json.loads(said), strict=True):
        ((one,), _) = read([jdl], around)
        ours = [" ".join(fill(w, {"job_id": "%j", **row}) for w in one.description.command[1:]) for row in one.rows]
        assert ours == theirs

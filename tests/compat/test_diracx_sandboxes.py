"""Sandboxes by the unmodified clients of DiracX, and what their jobs are given by a real pilot."""

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from sancho.kit.db import execute, fetch_rows, fetch_value
from sancho_pilot.build import build_zipapp
from tests.compat.diracx_client import Dirac
from tests.conftest import eventually
from tests.jobs.given import user
from tests.world import World

LIBRARY = """
import asyncio, json, sys
from pathlib import Path
from diracx.api.jobs import create_sandbox, download_sandbox
from diracx.client.aio import AsyncDiracClient
from diracx.client.sync import SyncDiracClient

def told(call):
    try:
        return call()
    except Exception as e:
        return f"{type(e).__name__} {e}"

async def main(do, *args):
    async with AsyncDiracClient() as api:
        if do == "create":
            return await create_sandbox([Path(one) for one in args], client=api)
        if do == "download":
            return await download_sandbox(args[0], Path(args[1]), client=api)
        return await getattr(api.jobs, do)(*args)

def sync(do, *args):
    with SyncDiracClient() as api:
        return getattr(api.jobs, do)(*args)

calls = json.loads(sys.argv[1])
print("ANSWER" + json.dumps([
    told(lambda: sync(*one[1:]) if one[0] == "sync" else asyncio.run(main(*one))) for one in calls
], default=lambda answer: answer.as_dict()))
"""


async def call(dirac: Dirac, *calls: list[Any]) -> list[Any]:
    """Let DiracX's library do something; what it answers, or raises."""
    status, said = await dirac.run("python", "-c", LIBRARY, json.dumps(calls))
    assert status == 0, said
    return json.loads(said.partition("ANSWER")[2])


def given_files(folder: Path) -> list[str]:
    """A script and a folder for a sandbox."""
    (folder / "tools" / "deep").mkdir(parents=True)
    (folder / "run.sh").write_text("#!/bin/sh\necho run $1; cat tools/deep/data; touch made.txt\n")
    (folder / "tools" / "deep" / "data").write_text("of the sandbox\n")
    return [str(folder / "run.sh"), str(folder / "tools")]


async def rows(dirac: Dirac, vo: int) -> list[Any]:
    async with dirac.deployment.database.transaction([vo]) as conn:
        return await fetch_rows(conn, "SELECT format, packed IS NOT NULL FROM sandbox WHERE vo = %(vo)s", {"vo": vo})


async def run_pilot(dirac: Dirac, folder: Path, job_id: int) -> None:
    """Run a real pilot at SITE-A, with nothing but the standard library, until a job is done."""
    async with dirac.deployment.database.transaction([0, 1]) as conn:
        await execute(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            SELECT 0, 'S', resource_id, site_id, 'stamp', %(hash)s FROM resource WHERE name = 'A-CE'
            """,
            {"hash": hashlib.sha256(b"secret").digest()},
        )
    folder.mkdir()
    config = {
        "url": dirac.url, "ca_file": None, "stamp": "stamp", "secret_file": str(folder / "secret"),
        "workdir": str(folder / "work"), "slot": {"cores": 1, "memory": 2_000_000_000, "walltime": 7200},
        "tags": ["env:demo"], "environments": {}, "idle": 5, "site": "SITE-A",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "secret").write_text("secret")
    (folder / "secret").chmod(0o600)
    build_zipapp(str(folder / "pilot.pyz"))
    with (folder / "log").open("wb") as log:
        pilot = await asyncio.create_subprocess_exec(
            sys.executable, "-I", "-S", str(folder / "pilot.pyz"), str(folder / "config.json"),
            stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip

    async def ended() -> bool:
        async with dirac.deployment.database.transaction([1]) as conn:
            state = await fetch_value(conn, "SELECT state FROM job WHERE job_id = %(id)s AND vo = 1", {"id": job_id})
        assert state not in ("F", "K"), (folder / "log").read_text()[-4000:]
        return state == "D"

    try:
        await eventually(ended, within=60)
    finally:
        if pilot.returncode is None:
            pilot.terminate()
        await pilot.wait()


async def test_a_job_has_the_files_that_diracxs_library_packed_and_gives_back_what_it_made(
    dirac: Dirac, tmp_path: Path
) -> None:
    files = given_files(tmp_path)
    await dirac.log_in("belle")
    pfn, again = await call(dirac, ["create", *files], ["create", *files])
    assert pfn.startswith("SB:SandboxSE|/S3/sandboxes/belle/users/alice/sha256:"), pfn
    assert (again, pfn[-8:]) == (pfn, ".tar.zst")

    (tmp_path / "test.jdl").write_text(
        f'Executable = "run.sh"; Arguments = "now"; InputSandbox = {{"{pfn}"}}; OutputSandbox = {{"*.txt"}};'
    )
    status, said = await dirac.run("dirac", "jobs", "submit", str(tmp_path / "test.jdl"))
    assert (status, "Inserted 1 jobs with ids: 1" in said) == (0, True), said
    await run_pilot(dirac, tmp_path / "pilot", 1)

    both, inputs, outputs = await call(
        dirac, ["get_job_sandboxes", 1], ["sync", "get_job_sandbox", 1, "input"], ["get_job_sandbox", 1, "output"]
    )
    assert both == {"Input": [pfn], "Output": outputs}
    assert inputs == [pfn]
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    fetched = await call(
        dirac, ["download", pfn, str(tmp_path / "in")], ["download", outputs[0], str(tmp_path / "out")]
    )
    assert fetched == [None, None]
    assert (tmp_path / "in" / "tools" / "deep" / "data").read_text() == "of the sandbox\n"
    assert (tmp_path / "out" / "stdout").read_text() == "run now\nof the sandbox\n"
    assert (tmp_path / "out" / "made.txt").exists()
    assert sorted(await rows(dirac, 1)) == [("tar.gz", False), ("tar.gz", False), ("tar.zst", True)]


async def test_sandboxes_are_given_to_jobs_and_taken_from_them(dirac: Dirac, tmp_path: Path) -> None:
    files = given_files(tmp_path)
    await dirac.log_in("belle")
    pfn, other = await call(dirac, ["create", *files], ["create", files[0]])
    await call(dirac, ["submit_jdl_jobs", [f'Executable = "run.sh"; InputSandbox = "{pfn}"'] * 3])

    given = await call(
        dirac, ["assign_sandbox_to_job", 1, json.dumps(other)], ["get_job_sandboxes", 1],
        ["unassign_job_sandboxes", 1], ["get_job_sandboxes", 1],
        ["sync", "unassign_bulk_jobs_sandboxes", {"job_ids": [2, 3]}], ["get_job_sandboxes", 3],
    )  # fmt: skip

    nothing = {"Input": [], "Output": []}
    assert given == [None, {"Input": [pfn], "Output": [other]}, None, nothing, None, nothing]


async def test_a_sandbox_of_somebody_else_is_not_to_be_had(dirac: Dirac, tmp_path: Path, world: World) -> None:
    files = given_files(tmp_path)
    await dirac.log_in("belle")
    (pfn,) = await call(dirac, ["create", *files])
    await call(dirac, ["submit_jdl_jobs", [f'Executable = "run.sh"; InputSandbox = "{pfn}"']])
    assert user(world).account == "alice"
    named = [
        pfn.replace("/alice/", "/bob/"), pfn.replace("/belle/", "/gridpp/"), pfn.replace("/users/", "/admins/"),
        "SB:SandboxSE|/S3/x", pfn.replace(".tar.zst", ".zip"), pfn[:-72] + "0" * 64 + ".tar.zst",
    ]  # fmt: skip
    refused = await call(dirac, *(["download", one, str(tmp_path)] for one in named))
    for said, text in zip(
        refused, ["no name of a sandbox of alice in VO belle"] * 3 + ["no name of a sandbox"] * 2 + ["not been uploaded"],
        strict=True,
    ):  # fmt: skip
        assert text in str(said), (said, text)

    await dirac.run("dirac", "logout")
    await dirac.log_in("gridpp")
    mine = pfn.replace("/belle/", "/gridpp/")
    unknown, unseen, (new, *_), untaken = await call(
        dirac, ["download", mine, str(tmp_path)], ["get_job_sandboxes", 1], ["create", *files],
        ["unassign_job_sandboxes", 1],
    )  # fmt: skip
    assert "not been uploaded" in unknown
    assert "Not all of these jobs are yours" in unseen
    assert "Not all of these jobs are yours" in untaken
    assert new == "S"
    assert [one[0] for one in await rows(dirac, 2)] == ["tar.zst"], "it was sent: what belle has is not known here"

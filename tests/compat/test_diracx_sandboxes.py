"""Sandboxes by the unmodified clients of DiracX, and what their jobs are given by a real pilot."""

import asyncio
import hashlib
import json
import os
import sys
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx2
import pytest
import zstandard

from sancho.kit.db import execute, fetch_rows, fetch_value
from sancho_pilot.build import build_zipapp
from tests.compat.diracx_client import Dirac
from tests.conftest import eventually
from tests.served import Served

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
    (tmp_path / "pilot").mkdir()
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
        dirac, ["assign_sandbox_to_job", 1, json.dumps(pfn)], ["assign_sandbox_to_job", 1, other],
        ["get_job_sandboxes", 1],
        ["unassign_job_sandboxes", 1], ["get_job_sandboxes", 1],
        ["sync", "unassign_bulk_jobs_sandboxes", {"job_ids": [2, 3]}], ["get_job_sandboxes", 3],
    )  # fmt: skip

    nothing = {"Input": [], "Output": []}
    assert given == [None, None, {"Input": [pfn], "Output": [other]}, None, nothing, None, nothing]


async def test_a_sandbox_of_somebody_else_is_not_to_be_had(dirac: Dirac, tmp_path: Path) -> None:
    files = given_files(tmp_path)
    await dirac.log_in("belle")
    (pfn,) = await call(dirac, ["create", *files])
    await call(dirac, ["submit_jdl_jobs", [f'Executable = "run.sh"; InputSandbox = "{pfn}"']])
    named = [
        pfn.replace("/alice/", "/bob/"), pfn.replace("/belle/", "/gridpp/"), pfn.replace("/users/", "/admins/"),
        "SB:SandboxSE|/S3/x", pfn.replace(".tar.zst", ".zip"), pfn[:-72] + "0" * 64 + ".tar.zst",
    ]  # fmt: skip
    refused = await call(dirac, *(["download", one, str(tmp_path)] for one in named))
    texts = ["no name of a sandbox of alice in VO belle"] * 3 + ["no name of a sandbox"] * 2 + ["not been uploaded"]
    for said, text in zip(refused, texts, strict=True):
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


# ---- what goes wrong, told to whoever speaks the wire without a client


def packed(files: Mapping[str, bytes], packing: str = "zst") -> bytes:
    """An archive as DiracX's clients make it."""
    raw = BytesIO()
    with tarfile.open(fileobj=raw, mode="w:bz2" if packing == "bz2" else "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, BytesIO(content))
    return raw.getvalue() if packing == "bz2" else zstandard.ZstdCompressor().compress(raw.getvalue())


async def ask(served: Served, method: str, path: str, *, vo: str = "belle", account: str = "alice", **more: Any) -> Any:
    headers = {"authorization": f"Bearer {served.token(vo, account)}"}
    return await served.client.request(method, f"/api/jobs{path}", headers=headers, **more)


async def announce(served: Served, content: bytes, *, packing: str = "tar.zst", who: str = "alice", **lies: Any) -> Any:
    said = {
        "checksum_algorithm": "sha256", "checksum": hashlib.sha256(content).hexdigest(), "size": len(content),
        "format": packing, **lies,
    }  # fmt: skip
    return await ask(served, "POST", "/sandbox", json=said, account=who)


async def send(served: Served, said: Any, content: bytes) -> httpx2.Response:
    return await served.client.post(said["url"], data=said["fields"], files={"file": ("file", content)})


async def submit(served: Served, pfn: str, **who: Any) -> Any:
    return await ask(
        served, "POST", "/jdl", json=[f'Executable = "run.sh"; InputSandbox = "{pfn}"; MaxRAM = 1;'], **who
    )


@pytest.mark.parametrize("packing", ["zst", "bz2"])
async def test_either_format_becomes_what_pilots_unpack(served: Served, packing: str) -> None:
    content = packed({"run.sh": b"echo x"}, packing)
    said = (await announce(served, content, packing=f"tar.{packing}")).json()
    assert (await send(served, said, content)).status_code == 204
    assert (await submit(served, said["pfn"])).status_code == 201

    other = (await announce(served, content, packing="tar.bz2", who="bob")).json()

    objects, of_jobs = served.deployment.objects, (await served.send("GET", "/jobs/1")).json()["description"]["sandbox"]
    await objects.delete([f"sandboxes/1/{of_jobs}.tar.gz"])
    assert (await submit(served, said["pfn"])).status_code == 201, "what was lost is made again"
    assert (other["url"], other["pfn"]) == (None, said["pfn"].replace("/alice/", "/bob/"))
    job = (await served.send("GET", "/jobs/1")).json()
    key = f"sandboxes/1/{job['description']['sandbox']}.tar.gz"
    made = b"".join([chunk async for chunk in served.deployment.objects.read(key)])
    with tarfile.open(fileobj=BytesIO(made), mode="r:gz") as tar:
        assert tar.getnames() == ["run.sh"]


async def test_what_is_not_sent_as_announced_is_not_kept(served: Served) -> None:
    content = packed({"file": b"x" * 1000})
    said = (await announce(served, content)).json()
    for sent, text in (
        (content[:-1], "were announced"), (content + b"x", "were announced"),
        (b"x" * len(content), "not what its name says"),
    ):  # fmt: skip
        answer = await send(served, said, sent)
        assert (answer.status_code, text in answer.json()["detail"]) == (400, True), answer.text
    for body in (b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\nhalf'):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = await served.client.post(said["url"], content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) in ((400, "form_unfit"), (400, "size_differs"))
    assert (await served.client.post(said["url"], content=content)).json()["code"] == "form_unfit"
    answer = await served.client.post(said["url"], data={"file": "text"}, files={"other": ("file", content)})
    assert answer.json()["code"] == "form_unfit"
    missing = await submit(served, said["pfn"])
    assert (missing.status_code, "has not been uploaded" in missing.json()["detail"]) == (400, True)
    assert (await ask(served, "GET", "/sandbox", params={"pfn": said["pfn"]})).status_code == 404
    assert (await send(served, said, content)).status_code == 204
    assert (await submit(served, said["pfn"])).status_code == 201


async def test_a_signature_is_good_for_one_thing_until_it_expires(served: Served) -> None:
    content = packed({"file": b"x"})
    said = (await announce(served, content)).json()
    url = str(said["url"])
    for other in (url.replace("expires=1", "expires=2"), url.replace("size=", "size=1"), url.replace("/1/", "/2/")):
        assert (await send(served, {**said, "url": other}, content)).json()["code"] == "signature_wrong"
    assert (await served.client.put(url, content=content)).json()["code"] == "signature_wrong"
    assert (await served.client.get(url)).json()["code"] == "signature_wrong"


async def test_a_size_that_was_a_lie_does_not_stay_in_the_way(served: Served) -> None:
    content = packed({"file": b"x"})
    lied = (await announce(served, content, size=4, who="bob")).json()
    assert (await send(served, lied, content)).status_code == 400
    assert (await send(served, lied, b"four")).status_code == 400

    said = (await announce(served, content)).json()
    assert (await send(served, said, content)).status_code == 204

    assert (await submit(served, said["pfn"])).status_code == 201
    again = await announce(served, content, size=4, who="bob")
    assert (again.status_code, "has" in again.json()["detail"]) == (400, True)


@pytest.mark.parametrize(("content", "text"), [
    (b"not an archive", "none of tar.zst"),
    (zstandard.ZstdCompressor().compress(b"x" * 3000), "cannot be read"),
    (packed({"../out": b"x"}), "leads outside"),
    (packed({"/etc/passwd": b"x"}), "leads outside"),
    (packed({"file": b"x" * 2000})[:-9], "cannot be read"),
])  # fmt: skip
async def test_an_archive_of_no_use_is_refused_when_it_is_named(served: Served, content: bytes, text: str) -> None:
    said = (await announce(served, content)).json()
    assert (await send(served, said, content)).status_code == 204

    answer = await submit(served, said["pfn"])

    assert (answer.status_code, text in answer.json()["detail"]) == (400, True), answer.text


@pytest.mark.parametrize(("lies", "status"), [
    ({"size": 0}, 422), ({"size": 100 * 1024**2 + 1}, 400), ({"size": 2**70}, 422), ({"format": "zip"}, 422),
    ({"checksum": "0"}, 422), ({"checksum_algorithm": "md5"}, 422),
])  # fmt: skip
async def test_what_is_no_sandbox_is_not_announced(served: Served, lies: dict[str, Any], status: int) -> None:
    answer = await announce(served, b"x", **lies)
    assert (answer.status_code, "detail" in answer.json()) == (status, True)


async def test_what_is_no_name_is_refused(served: Served) -> None:
    for body in (b"", b'"x"', b"[1]", b'{"pfn": 1}', b'"' + b"x" * 10_000 + b'"', b"null"):
        answer = await ask(served, "PATCH", "/1/sandbox/output", content=body)
        assert (answer.status_code, "no name of a sandbox" in answer.json()["detail"]) == (400, True), body
    assert (await ask(served, "GET", "/1/sandbox/both")).status_code == 422
    assert (await ask(served, "GET", "/sandbox", params={"pfn": "x" * 1000})).status_code == 422
    assert (await ask(served, "POST", "/sandbox/unassign", json={"job_ids": []})).status_code == 422


async def test_only_owners_and_who_manages_jobs_have_to_do_with_a_jobs_sandboxes(served: Served) -> None:
    content = packed({"run.sh": b"echo x"})
    said = (await announce(served, content)).json()
    await send(served, said, content)
    await submit(served, said["pfn"])
    tries: list[tuple[str, str, Mapping[str, Any]]] = [
        ("GET", "/1/sandbox", {}), ("GET", "/1/sandbox/input", {}), ("DELETE", "/1/sandbox", {}),
        ("POST", "/sandbox/unassign", {"json": {"job_ids": [1]}}), ("GET", "/2/sandbox", {}),
        ("PATCH", "/1/sandbox/output", {"json": said["pfn"].replace("/alice/", "/bob/")}),
    ]  # fmt: skip
    for method, path, more in tries:
        assert (await ask(served, method, path, account="bob", **more)).status_code == 403, path
        assert (await ask(served, method, path, vo="gridpp", **more)).status_code == 403, path
    assert (await ask(served, "GET", "/1/sandbox", account="root")).json()["Input"] == [said["pfn"]]
    assert (await ask(served, "GET", "/2/sandbox", account="root")).status_code == 404
    assert (await ask(served, "GET", "/sandbox", account="root", params={"pfn": said["pfn"]})).status_code == 200
    assert (await ask(served, "DELETE", "/1/sandbox", account="root")).status_code == 200
    assert (await ask(served, "GET", "/1/sandbox")).json() == {"Input": [], "Output": []}

"""DiracX's submission as a route: what is answered, what is refused, and what comes of it."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx2
import psycopg
import pytest

from sancho.compat.diracx.jdl_translate import MOST_DESCRIPTIONS
from sancho.kit.db import execute
from tests.served import Served

RUN = 'Executable = "/bin/run"; MaxRAM = 1;'


async def submit(served: Served, *jdls: Any, vo: str = "belle", account: str = "alice") -> httpx2.Response:
    headers = {"authorization": f"Bearer {served.token(vo, account)}"}
    return await served.client.post("/api/jobs/jdl", json=list(jdls), headers=headers)


async def ids(served: Served, *jdls: str, vo: str = "belle") -> list[int]:
    answer = await submit(served, *jdls, vo=vo)
    assert answer.status_code == 201, answer.text
    return [job["JobID"] for job in answer.json()]


async def show(served: Served, job_id: int, vo: str = "belle") -> Any:
    return (await served.send("GET", f"/jobs/{job_id}", vo=vo)).json()


def count(served: Served) -> int:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=1,2") as conn:
        (found,) = conn.execute("SELECT count(*) FROM job").fetchone() or (0,)
        return found


class Pilot:
    """A pilot played by the test."""

    def __init__(self, served: Served, token: str) -> None:
        self.served, self.token = served, token

    @classmethod
    async def at(cls, served: Served, stamp: str) -> "Pilot":
        """A pilot that was submitted to A-CE and has logged in."""
        where = served.world.resource
        async with served.deployment.database.transaction([0]) as conn:
            await execute(
                conn,
                """
                INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
                VALUES (0, 'S', %(ce)s, %(site)s, %(stamp)s, %(hash)s)
                """,
                {"ce": where["A-CE"], "site": where["SITE-A"], "stamp": stamp, "hash": hashlib.sha256(b"s").digest()},
            )
        answer = await served.send("POST", "/pilot/login", token="none", json={"stamp": stamp, "secret": "s"})
        return cls(served, answer.json()["token"])

    async def match(self) -> Any:
        offer = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"], "held": []}
        return (await self.served.send("POST", "/pilot/match", token=self.token, json=offer)).json()


async def test_plain_jdls_are_submitted_and_their_jobs_answered_in_order(served: Served) -> None:
    answer = await submit(served, f'{RUN} Arguments = "a b";', "[ Executable = two ]", f'{RUN} Arguments = "a b";')

    assert answer.status_code == 201, answer.text
    jobs = answer.json()
    assert [{**job, "JobID": 0, "TimeStamp": ""} for job in jobs] == [
        {"JobID": 0, "Status": "Received", "MinorStatus": "Job accepted", "TimeStamp": ""}
    ] * 3
    assert all(job["TimeStamp"].endswith("Z") for job in jobs)
    shown = [await show(served, job["JobID"]) for job in jobs]
    assert [one["description"]["command"] for one in shown] == [["/bin/run", "a", "b"], ["two"], ["/bin/run", "a", "b"]]
    assert [one["state"] for one in shown] == ["waiting"] * 3
    assert len({one["submission_id"] for one in shown}) == 2


async def test_a_parametric_jdl_becomes_jobs_with_their_parameters_and_numbers(served: Served) -> None:
    answer = await submit(
        served, f'{RUN} Arguments = "%s %n %(X)s %j {{}} {{s}}"; Parameters = 2; ParameterStart = 5;'
        'Parameters.X = {a, b}; Environment = "ID=%j"; OutputSandbox = {"log_%n_%j"}; CPUTime = 3000',
    )  # fmt: skip

    jobs = answer.json()
    assert {(job["Status"], job["MinorStatus"]) for job in jobs} == {("Submitting", "Bulk transaction confirmation")}
    for n, (job, x) in enumerate(zip(jobs, "ab", strict=True)):
        given = await (await Pilot.at(served, f"stamp-{n}")).match()
        number = str(job["JobID"])
        assert given["job_id"] == job["JobID"]
        assert given["command"] == ["/bin/run", "5", str(n), x, number, "{}", "{s}"]
        assert given["environment"] == {"ID": number}
        assert given["output_sandbox"] == [f"log_{n}_{number}"]
        assert given["walltime"] == 300


async def test_paths_are_the_dids_of_the_callers_vo_by_its_name_and_its_alias(served: Served) -> None:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=0,1,2") as conn:
        conn.execute("UPDATE vo SET alias = 'bel' WHERE name = 'belle'")
    for name in ("mc:run7", "mc:run8"):
        await served.send("POST", "/dids", account="root", json={"did": name, "kind": "dataset"})

    (job,) = await ids(served, f'{RUN} InputData = {{"LFN:/belle/mc/run7", "/bel/mc/run8"}};')

    found = await show(served, job)
    assert (found["inputs"], found["state"]) == (["mc:run7", "mc:run8"], "pending")
    refused = await submit(served, f'{RUN} InputData = "/belle/mc/run7"', vo="gridpp")
    assert refused.status_code == 400
    assert "belle/mc:run7" in refused.json()["detail"]


async def test_outputs_are_promised_with_a_rule_at_the_places_that_were_named(served: Served) -> None:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=1") as conn:
        alice = served.world.account[1, "alice"]
        conn.execute("INSERT INTO scope (vo, shared, account_id, name) VALUES (1, false, %s, 'user.alice')", [alice])
    where = 'OutputPath = "/belle/user.alice/run"; OutputSE = "A-DISK"'
    made = await ids(served, f'{RUN} Parameters = 2; OutputData = "out_%n.root"; {where}')

    shown = [await show(served, job) for job in made]
    assert [one["outputs"][0]["did"] for one in shown] == ["user.alice:run/out_0.root", "user.alice:run/out_1.root"]
    assert shown[0]["description"]["outputs"][0]["rule"]["rse_expression"] == "rse=A-DISK"
    again = await submit(served, f'{RUN} OutputData = "out_0.root"; OutputPath = "/belle/user.alice/run"')
    assert again.status_code == 400
    assert "promised by another job" in again.json()["detail"]
    first, second = await ids(served, *[f'{RUN} OutputData = "x"'] * 2)
    new = [(await show(served, job))["outputs"][0]["did"] for job in (first, second)]
    assert len(set(new)) == 2
    assert all(one.startswith("user.alice:jobs/") for one in new)


async def test_all_jobs_are_submitted_or_none(served: Served) -> None:
    answer = await submit(served, RUN, 'Executable = "x"; Site = "NOWHERE"')
    assert (answer.status_code, count(served)) == (400, 0)
    assert "NOWHERE" in answer.json()["detail"]


@pytest.mark.parametrize(("jdls", "said"), [
    ([], "JDL syntax error: there is no JDL."),
    (["Executable = "], "JDL syntax error at line 1, column"),
    ([RUN, "[[["], "JDL 2: JDL syntax error at line 1, column 2"),
    ([RUN, f"{RUN} Parameters = 2"], "You cannot submit parametric jobs in a bulk fashion"),
    ([f"{RUN} Parameters = 10001"], "more than 10000 jobs at once; these are 10001. Submit them in parts."),
    ([RUN] * 10_001, "You cannot submit more than 10000 jobs at once"),
    ([f"{RUN} Parameters = {{1, 2}}; Parameters.A = {{1}}"], "Parameters.a has 1 values where another has 2"),
    ([f"{RUN} Tags = {{gpu}}"], "No site can ever run this job"),
    ([f"{RUN} NumberOfProcessors = 4000"], "No site can ever run this job"),
    ([f"{RUN} MaxRAM2 = 9"], None),
    ([f"{RUN} InputData = mc:nothing"], "mc:nothing"),
    ([f'{RUN} InputSandbox = "SB:S|/S3/b/belle/users/alice/sha256:{"0" * 64}.tar.zst"'], "has not been uploaded"),
    ([f'{RUN} InputSandbox = "run.sh"'], "Upload a sandbox of it first"),
    ([f"{RUN} OutputData = x; OutputPath = /belle/mc; OutputSE = NOWHERE"], "NOWHERE"),
    ([f"{RUN} OutputData = x; OutputPath = /belle/nowhere"], "nowhere"),
    ([f'{RUN} OutputData = "a b"'], "white space"),
])  # fmt: skip
async def test_what_cannot_be_submitted_is_a_400_with_its_reason(
    served: Served, jdls: list[str], said: str | None
) -> None:
    answer = await submit(served, *jdls)

    if said is None:
        assert answer.status_code == 201
        return
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["detail"]
    assert count(served) == 0


@pytest.mark.parametrize("body", [{"jdl": RUN}, [RUN, 3], "x", [[RUN]], None])
async def test_what_is_no_list_of_texts_is_a_422(served: Served, body: Any) -> None:
    headers = {"authorization": f"Bearer {served.token()}"}
    answer = await served.client.post("/api/jobs/jdl", json=body, headers=headers)
    assert (answer.status_code, "detail" in answer.json()) == (422, True)


async def test_text_that_nothing_can_keep_is_refused(served: Served) -> None:
    headers = {"authorization": f"Bearer {served.token()}", "content-type": "application/json"}
    for content, status in ((rb'["Executable = \"\u0000\""]', 422), (rb'["\ud800"]', 422), (b'["\xff"]', 400)):
        answer = await served.client.post("/api/jobs/jdl", content=content, headers=headers)
        assert (answer.status_code, "detail" in answer.json()) == (status, True)


async def test_the_group_that_a_token_names_is_that_of_its_jobs(served: Served) -> None:
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=1") as conn:
        bob, admins = served.world.account[1, "bob"], served.world.group[1, "admins"]
        conn.execute("INSERT INTO membership (vo, group_id, account_id) VALUES (1, %s, %s)", [admins, bob])
    claims = {"sub": "belle:bob", "aud": served.deployment.signer.issuer, "scope": "group:admins"}
    token = served.deployment.signer.sign(claims, timedelta(hours=1))

    answer = await served.client.post("/api/jobs/jdl", json=[RUN], headers={"authorization": f"Bearer {token}"})

    (job,) = answer.json()
    assert (await show(served, job["JobID"]))["description"]["group"] == "admins"


async def test_who_may_submit_is_asked_as_everywhere(served: Served) -> None:
    assert (await served.client.post("/api/jobs/jdl", json=[RUN])).status_code == 401
    with psycopg.connect(served.owner_url, options="-c search_path=sancho -c sancho.vo=1") as conn:
        conn.execute("UPDATE account_group SET permissions = '{dids:create}' WHERE vo = 1 AND name = 'users'")
    answer = await submit(served, RUN)
    assert (answer.status_code, "jobs:create" in answer.json()["detail"]) == (403, True)


async def test_jobs_belong_to_the_vo_of_who_submits_them(served: Served) -> None:
    (ours,), (theirs,) = await ids(served, RUN), await ids(served, RUN, vo="gridpp")

    assert (await served.send("GET", f"/jobs/{theirs}")).status_code == 404
    assert (await served.send("GET", f"/jobs/{ours}", vo="gridpp")).status_code == 404
    assert (await show(served, theirs, vo="gridpp"))["account"] == "alice"


async def test_a_sandbox_of_another_vo_is_none(served: Served) -> None:
    content = b"a sandbox of belle"
    sha256 = hashlib.sha256(content).hexdigest()
    made = await served.send("POST", "/sandboxes", json={"sha256": sha256, "size": len(content)})
    assert (await served.client.put(made.json()["url"], content=content)).is_success
    jdl = f'{RUN} InputSandbox = "SB:SandboxSE|/S3/b/belle/users/alice/sha256:{sha256}.tar.gz"'

    (job,) = await ids(served, jdl)
    refused = await submit(served, jdl, vo="gridpp")
    unknown = await submit(served, jdl.replace("/belle/", "/gridpp/"), vo="gridpp")

    assert (await show(served, job))["description"]["sandbox"] == sha256
    assert (refused.status_code, "no name of a sandbox of alice in VO gridpp" in refused.json()["detail"]) == (
        403,
        True,
    )
    assert (unknown.status_code, "has not been uploaded" in unknown.json()["detail"]) == (400, True)


async def test_as_many_jobs_as_may_be_are_submitted_at_once(served: Served) -> None:
    assert len(await ids(served, f'{RUN} Parameters = 10000; Arguments = "%n"')) == 10_000
    many = await ids(served, *[f'{RUN} Arguments = "{n}"' for n in range(MOST_DESCRIPTIONS)])
    assert len(set(many)) == MOST_DESCRIPTIONS
    assert (await show(served, many[-1]))["description"]["command"][1] == str(MOST_DESCRIPTIONS - 1)

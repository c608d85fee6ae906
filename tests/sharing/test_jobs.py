"""A job reads a dataset of another VO: near its copies, with tokens for its files alone, until it is withdrawn."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jws

from sancho.jobs import service as jobs
from sancho.kit import db
from sancho.kit.db import execute, fetch_value, fetch_values
from tests.served import Served
from tests.sharing.given import grant, register, withdraw

OFFER = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"], "held": []}
BELLE, GRIDPP = 1, 2


@pytest.fixture
async def sharing(served: Served) -> Served:
    """Belle has two closed datasets, most of them at B; gridpp may read the first, and alone uses the CEs."""
    await register(served, "A-DISK", "mc:run1", "mc:small")
    await register(served, "B-DISK", "mc:run1", "mc:large", size=1000)
    await register(served, "B-DISK", "mc:run2", "mc:neighbour")
    for name in ("mc:run1", "mc:run2"):
        await set_open(served, name, is_open=False)
    assert (await grant(served)).status_code == 200
    async with served.deployment.database.transaction([0]) as conn:
        ces = [served.world.resource[name] for name in ("A-CE", "B-CE")]
        await execute(
            conn,
            "DELETE FROM resource_grant WHERE to_vo = 1 AND resource_id = ANY(%(ces)s)",
            {"ces": ces},
        )
    return served


async def set_open(served: Served, name: str, *, is_open: bool) -> None:
    changed = await served.send("PATCH", f"/dids/{name}", account="root", json={"open": is_open})
    assert changed.status_code == 200


async def submit(served: Served, *inputs: str, **more: Any) -> Any:
    description = {"name": "reader", "command": ["true"], "requirements": {"memory": "1 MB"}, "inputs": inputs} | more
    return await served.send("POST", "/jobs", vo="gridpp", json={"description": description})


async def submitted(served: Served, *inputs: str, **more: Any) -> int:
    answer = await submit(served, *inputs, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["job_ids"][0]


async def job(served: Served, job_id: int) -> Any:
    return (await served.send("GET", f"/jobs/{job_id}", vo="gridpp")).json()


async def pilot(served: Served, site: str = "B") -> str:
    """The token of a pilot at a site."""
    async with served.deployment.database.transaction([0]) as conn:
        await execute(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            VALUES (0, 'S', %(ce)s, %(site)s, %(stamp)s, %(hash)s)
            """,
            {
                "ce": served.world.resource[f"{site}-CE"], "site": served.world.resource[f"SITE-{site}"],
                "stamp": f"stamp-{site}", "hash": hashlib.sha256(b"secret").digest(),
            },
        )  # fmt: skip
    answer = await served.send("POST", "/pilot/login", json={"stamp": f"stamp-{site}", "secret": "secret"})
    return answer.json()["token"]


async def match(served: Served, token: str) -> Any:
    return await served.send("POST", "/pilot/match", token=token, json=OFFER)


async def look_again(served: Served) -> None:
    async with served.deployment.database.transaction([GRIDPP]) as conn:
        await jobs.look_again(conn, GRIDPP, every=timedelta())


def claims(token: str) -> Any:
    return json.loads(jws.extract_compact(token.encode()).payload)


async def test_a_job_reads_it_where_most_of_its_bytes_are(sharing: Served) -> None:
    job_id = await submitted(sharing, "belle/mc:run1")
    assert (await match(sharing, await pilot(sharing, "A"))).status_code == 204

    given = (await match(sharing, await pilot(sharing, "B"))).json()

    assert given["job_id"] == job_id
    assert [(i["did"], i["name"], i["size"]) for i in given["inputs"]] == [
        ("belle/mc:small", "small", 10), ("belle/mc:large", "large", 1000),
    ]  # fmt: skip
    assert [[s["rse"] for s in i["sources"]] for i in given["inputs"]] == [["A-DISK"], ["B-DISK"]]


async def test_its_tokens_open_its_files_and_no_others(sharing: Served) -> None:
    job_id = await submitted(sharing, "belle/mc:run1")
    given = (await match(sharing, await pilot(sharing))).json()

    for file in given["inputs"]:
        (source,) = file["sources"]
        said = claims(source["token"])
        path = source["url"].removeprefix(f"file://{sharing.storages[source['rse']]}")
        assert path.startswith("/belle/mc/")
        assert said["scope"] == f"storage.read:{path}"
        assert said["sub"] == f"belle:job:{job_id}@gridpp"
        assert said["exp"] - said["iat"] == 15 * 60
    own = await sharing.send("GET", "/job/inputs", token=given["token"])
    assert [i["did"] for i in own.json()] == ["belle/mc:small", "belle/mc:large"]
    for path in ("/shared/access/belle/mc:run1", "/shared/access/belle/mc:run2", "/dids/mc:neighbour"):
        assert (await sharing.send("GET", path, token=given["token"])).status_code in (401, 403, 404), path


async def test_own_inputs_and_those_of_others_are_read_together(sharing: Served) -> None:
    file = {"did": "mc:own", "size": 5000, "adler32": "0000000a"}
    body = {"rse": "A-DISK", "files": [file]}
    assert (await sharing.send("POST", "/replicas", vo="gridpp", account="root", json=body)).status_code == 201
    await submitted(sharing, "mc:own", "belle/mc:run1")

    assert (await match(sharing, await pilot(sharing, "B"))).status_code == 204
    given = (await match(sharing, await pilot(sharing, "A"))).json()

    assert [i["did"] for i in given["inputs"]] == ["mc:own", "belle/mc:small", "belle/mc:large"]
    assert "/gridpp/mc/" in given["inputs"][0]["sources"][0]["url"]
    assert claims(given["inputs"][0]["sources"][0]["token"])["sub"] == f"gridpp:job:{given['job_id']}"


@pytest.mark.parametrize("name", ["belle/mc:run2", "belle/mc:none", "nobody/mc:run1", "instance/mc:run1", "mc:run1"])
async def test_what_is_not_shared_is_refused_as_what_is_not_there(sharing: Served, name: str) -> None:
    answer = await submit(sharing, name)
    said = answer.json()
    assert (answer.status_code, said["code"], said["field"]) == (404, "did_not_found", "description.inputs")
    assert name in said["detail"]


async def test_a_job_waits_until_the_dataset_is_closed_and_while_a_file_is_nowhere(sharing: Served) -> None:
    await set_open(sharing, "mc:run1", is_open=True)
    job_id = await submitted(sharing, "belle/mc:run1")
    said = await job(sharing, job_id)
    assert (said["state"], said["reason"]) == ("pending", "dataset belle/mc:run1 is still open")

    await set_open(sharing, "mc:run1", is_open=False)
    async with sharing.deployment.database.transaction([GRIDPP]) as conn:
        await jobs.resolve_all(conn, GRIDPP)
    assert (await job(sharing, job_id))["state"] == "waiting"

    async with sharing.deployment.database.transaction([BELLE]) as conn:
        await execute(conn, "UPDATE replica SET state = 'B' WHERE size = 1000")
    await look_again(sharing)
    assert (await job(sharing, job_id))["reason"] == "belle/mc:large has no available replica"
    assert (await match(sharing, await pilot(sharing))).status_code == 204


@pytest.mark.parametrize("is_open", [True, False])
async def test_jobs_that_wait_are_refused_when_it_is_withdrawn(sharing: Served, is_open: bool) -> None:
    await set_open(sharing, "mc:run1", is_open=is_open)
    job_id = await submitted(sharing, "belle/mc:run1")
    await withdraw(sharing)

    async with sharing.deployment.database.transaction([GRIDPP]) as conn:
        await jobs.resolve_all(conn, GRIDPP)
    await look_again(sharing)

    said = await job(sharing, job_id)
    why = "Input belle/mc:run1 is not shared with VO gridpp any more, or is gone."
    assert (said["state"], said["detail"]) == ("failed", why)
    assert (await submit(sharing, "belle/mc:run1")).json()["code"] == "did_not_found"
    assert (await match(sharing, await pilot(sharing))).status_code == 204


async def test_a_job_that_was_refused_runs_when_it_is_shared_again(sharing: Served) -> None:
    job_id = await submitted(sharing, "belle/mc:run1")
    await withdraw(sharing)
    await look_again(sharing)
    assert (await grant(sharing)).status_code == 200

    answer = await sharing.send("POST", "/jobs/reschedule", vo="gridpp", json={"job_ids": [job_id]})
    assert answer.status_code == 200, answer.text
    await look_again(sharing)

    assert (await match(sharing, await pilot(sharing))).json()["job_id"] == job_id


async def test_a_pilot_is_not_given_a_job_whose_input_was_withdrawn_a_moment_ago(sharing: Served) -> None:
    job_id = await submitted(sharing, "belle/mc:run1")
    token = await pilot(sharing)
    await withdraw(sharing)

    assert (await match(sharing, token)).status_code == 204
    assert (await match(sharing, token)).status_code == 204
    assert (await job(sharing, job_id))["attempts"] == 1
    await sharing.run_tasks()

    said = await job(sharing, job_id)
    assert (said["state"], said["attempts"]) == ("failed", 1)
    assert "not shared with VO gridpp any more" in said["detail"]


async def test_a_job_that_runs_gets_no_fresh_tokens_once_it_is_withdrawn(sharing: Served) -> None:
    await submitted(sharing, "belle/mc:run1")
    token = await pilot(sharing)
    given = (await match(sharing, token)).json()
    await withdraw(sharing)

    for path, who in ((f"/pilot/attempts/{given['attempt_id']}", token), ("/job/inputs", given["token"])):
        answer = await sharing.send("GET", path, token=who)
        assert (answer.status_code, answer.json()["code"]) == (409, "input_withdrawn"), path


async def test_a_part_of_a_transaction_serves_another_vo_and_then_its_own_again(served: Served) -> None:
    query = "SELECT vo FROM scope ORDER BY vo"
    async with served.deployment.database.transaction([GRIDPP]) as conn:
        with pytest.raises(ZeroDivisionError):
            async with db.serving(conn, [BELLE]):
                assert await fetch_values(conn, query) == [BELLE]
                raise ZeroDivisionError
        assert await fetch_values(conn, query) == [GRIDPP]
        assert await fetch_value(conn, "SELECT current_setting('sancho.vo')") == str(GRIDPP)

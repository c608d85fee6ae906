"""The protocol between server and pilot, spoken by hand: every answer is one that `protocol.json` knows."""

import asyncio
import hashlib
import zlib
from typing import Any

import pytest

from sancho.kit.db import execute, fetch_value
from tests.protocol import CALLS, PROTOCOL, NotInProtocol, check_exchange, check_request
from tests.served import Served

OFFER = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"]}
DESCRIPTION: dict[str, Any] = {
    "name": "simulation",
    "command": ["simulate", "{number}"],
    "requirements": {"memory": "1 MB", "tags": ["env:demo"]},
    "outputs": [
        {
            "path": "out.root",
            "did": "mc:sim_{number}",
            "dataset": "mc:sim",
            "rule": {"copies": 2, "rse_expression": "*"},
        }
    ],
    "close_datasets": True,
}
CONTENT = b"ROOT" * 100
ADLER = f"{zlib.adler32(CONTENT):08x}"


class Pilot:
    """A pilot played by the test."""

    def __init__(self, served: Served, stamp: str, secret: str) -> None:
        self.served, self.stamp, self.secret, self.token = served, stamp, secret, ""
        self.calls: set[tuple[str, int]] = set()
        """The calls that were made, with the statuses of their answers."""

    async def login(self) -> Any:
        answer = await self.post("/login", {"stamp": self.stamp, "secret": self.secret})
        if answer.status_code == 200:
            self.token, self.secret = answer.json()["token"], answer.json()["next_secret"]
        return answer

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.send("POST", path, body or {})

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.served.send(method, f"/pilot{path}", token=self.token or "none", json=body)
        said = answer.json() if answer.content else None
        name = check_exchange(method, f"/v1/pilot{path}", body, answer.status_code, said)
        self.calls.add((name, answer.status_code))
        return answer

    async def match(self, held: list[int] | None = None) -> Any:
        return await self.post("/match", {**OFFER, "held": held or []})

    async def uploads(self, attempt: int) -> Any:
        made = [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]
        return await self.post(f"/attempts/{attempt}/outputs", {"outputs": made})

    async def finish(self, attempt: int, **more: Any) -> Any:
        return await self.post(f"/attempts/{attempt}/finish", {"outcome": "done", "exit_code": 0, **more})


@pytest.fixture
async def pilot(served: Served) -> Pilot:
    """A pilot that was submitted to A-CE and has logged in."""
    made = Pilot(served, "stamp-1", "secret-1")
    async with served.deployment.database.transaction([0]) as conn:
        await execute(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            VALUES (0, 'S', %(ce)s, %(site)s, %(stamp)s, %(hash)s)
            """,
            {
                "ce": served.world.resource["A-CE"], "site": served.world.resource["SITE-A"], "stamp": made.stamp,
                "hash": hashlib.sha256(b"secret-1").digest(),
            },
        )  # fmt: skip
    assert (await made.login()).status_code == 200
    return made


async def submit(served: Served, count: int = 1, **change: Any) -> Any:
    answer = await served.send(
        "POST", "/jobs", json={"description": DESCRIPTION | change, "parameters": {"count": count}}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()["job_ids"]


async def test_a_job_goes_from_submit_to_a_second_copy(served: Served, pilot: Pilot) -> None:
    (job_id,) = await submit(served)
    given = (await pilot.match()).json()
    assert (given["job_id"], given["command"], given["environments"]) == (job_id, ["simulate", "1"], ["demo"])
    attempt = given["attempt_id"]
    assert (await pilot.post(f"/attempts/{attempt}/start")).status_code == 204
    upload = (await pilot.uploads(attempt)).json()["uploads"][0]
    assert upload["rse"] == "A-DISK"
    served.put(upload["url"], CONTENT)
    done = await pilot.finish(attempt, intents=[upload["intent_id"]])
    assert (done.status_code, done.json()) == (200, {"state": "done"})
    await served.run_tasks()

    copies = [p for folder in served.storages.values() for p in folder.rglob("sim_1") if p.read_bytes() == CONTENT]
    assert len(copies) == 2
    async with served.deployment.database.transaction([1]) as conn:
        assert await fetch_value(conn, "SELECT state FROM rule") == "O"
        assert await fetch_value(conn, "SELECT open FROM did WHERE kind = 'D'") is False


async def test_a_lost_answer_to_a_match_is_given_again(served: Served, pilot: Pilot) -> None:
    await submit(served, 2)
    first, again = (await pilot.match()).json(), (await pilot.match()).json()
    assert again["attempt_id"] == first["attempt_id"]
    other = (await pilot.match(held=[first["attempt_id"]])).json()
    assert other["attempt_id"] != first["attempt_id"]


async def test_a_pilot_that_asks_many_times_at_once_gets_one_job(served: Served, pilot: Pilot) -> None:
    await submit(served, 8)
    answers = await asyncio.gather(*(pilot.match() for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["attempt_id"] for answer in answers}) == 1


async def test_an_attempt_that_the_pilot_has_forgotten_goes_to_another(served: Served, pilot: Pilot) -> None:
    await submit(served)
    first = (await pilot.match()).json()
    await pilot.post(f"/attempts/{first['attempt_id']}/start")
    again = (await pilot.match()).json()
    assert (again["job_id"], again["number"]) == (first["job_id"], 2)


async def test_without_work_the_answer_is_empty_and_says_when_to_ask_again(served: Served, pilot: Pilot) -> None:
    answer = await pilot.match()
    assert (answer.status_code, answer.content, answer.headers["retry-after"]) == (204, b"", "2")


async def test_a_secret_is_good_until_its_successor_was_used(served: Served, pilot: Pilot) -> None:
    pilot.secret, pilot.token = "secret-1", ""
    assert (await pilot.login()).status_code == 200
    assert (await pilot.login()).status_code == 200
    pilot.secret = "secret-1"
    answer = await pilot.login()
    assert (answer.status_code, answer.json()["code"]) == (401, "pilot_unknown")


@pytest.mark.parametrize(("stamp", "secret"), [("stamp-1", "wrong"), ("unknown", "secret-1")])
async def test_a_wrong_stamp_or_secret_gets_the_same_answer(
    served: Served, pilot: Pilot, stamp: str, secret: str
) -> None:
    answer = await Pilot(served, stamp, secret).login()
    assert (answer.status_code, answer.json()["code"]) == (401, "pilot_unknown")


async def test_people_may_not_use_the_routes_of_pilots_nor_pilots_those_of_people(served: Served, pilot: Pilot) -> None:
    as_person = await served.send("POST", "/pilot/match", json=OFFER)
    assert (as_person.status_code, as_person.json()["code"]) == (403, "not_a_pilot")
    as_pilot = await served.send("POST", "/jobs", token=pilot.token, json={"description": DESCRIPTION})
    assert as_pilot.status_code == 403


async def test_a_finish_before_the_bytes_are_there_changes_nothing(served: Served, pilot: Pilot) -> None:
    await submit(served)
    attempt = (await pilot.match()).json()["attempt_id"]
    upload = (await pilot.uploads(attempt)).json()["uploads"][0]
    for content, why in ((None, "not there"), (CONTENT[:-1], "bytes"), (b"X" * len(CONTENT), "adler32")):
        if content is not None:
            served.put(upload["url"], content)
        answer = await pilot.finish(attempt, intents=[upload["intent_id"]])
        assert (answer.status_code, answer.json()["code"]) == (409, "upload_incomplete")
        assert why in answer.json()["detail"]
    served.put(upload["url"], CONTENT)
    assert (await pilot.finish(attempt, intents=[upload["intent_id"]])).json() == {"state": "done"}


async def test_a_job_whose_outputs_are_over_quota_fails_at_once_and_says_so(served: Served, pilot: Pilot) -> None:
    small = {"account": "alice", "rse_expression": "*", "size": 1}
    documents = [{"kind": "Quota", "vo": "belle", "name": "small", "spec": small}]
    applied = await served.send("POST", "/configuration/apply", account="root", json={"documents": documents})
    assert applied.status_code == 200, applied.text
    (job_id,) = await submit(served)
    attempt = (await pilot.match()).json()["attempt_id"]

    refused = await pilot.uploads(attempt)
    assert (refused.status_code, refused.json()["code"]) == (409, "quota_exceeded")
    detail = refused.json()["detail"]
    ended = await pilot.finish(attempt, outcome="failed", reason="quota_exceeded", detail=detail)

    assert ended.json() == {"state": "failed"}
    assert detail in (await served.send("GET", f"/jobs/{job_id}")).json()["detail"]


async def test_the_same_outputs_get_the_same_places(served: Served, pilot: Pilot) -> None:
    await submit(served)
    attempt = (await pilot.match()).json()["attempt_id"]
    first, again = (await pilot.uploads(attempt)).json(), (await pilot.uploads(attempt)).json()
    assert first["uploads"][0]["intent_id"] == again["uploads"][0]["intent_id"]


async def test_a_killed_job_is_told_with_the_next_sign_of_life(served: Served, pilot: Pilot) -> None:
    (job_id,) = await submit(served)
    attempt = (await pilot.match()).json()["attempt_id"]
    sign = {"attempt_id": attempt, "state": "running", "at": "2026-01-01T00:00:00Z", "tail": "hello", "log_size": 5}
    assert (await pilot.post("/beat", {"beats": [sign]})).json()["attempts"] == {str(attempt): "known"}
    assert (await served.send("GET", f"/jobs/{job_id}/log")).json()["tail"] == "hello"
    assert (await served.send("POST", "/jobs/kill", json={"job_ids": [job_id]})).json() == {"changed": [job_id]}
    assert (await pilot.post("/beat", {"beats": [sign]})).json()["attempts"] == {str(attempt): "ended"}
    answer = await pilot.finish(attempt)
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt_ended")


async def test_the_output_sandbox_comes_back_to_its_owner(served: Served, pilot: Pilot) -> None:
    (job_id,) = await submit(served, outputs=[])
    attempt = (await pilot.match()).json()["attempt_id"]
    body = {"size": 3, "sha256": hashlib.sha256(b"tar").hexdigest()}
    url = (await pilot.post(f"/attempts/{attempt}/sandbox", body)).json()["url"]
    assert (await served.client.put(url, content=b"tar")).status_code == 201
    assert (await pilot.post(f"/attempts/{attempt}/sandbox", body)).json() == {"url": None}
    await pilot.finish(attempt, sandbox=body["sha256"])
    there = (await served.send("GET", f"/jobs/{job_id}/sandbox")).json()["url"]
    assert (await served.client.get(there)).content == b"tar"
    changed = there.replace("expires=", "expires=9")
    assert (await served.client.get(changed)).status_code == 403


async def test_a_retired_pilot_gives_its_work_back(served: Served, pilot: Pilot) -> None:
    (job_id,) = await submit(served)
    await pilot.match()
    assert (await pilot.post("/retire", {"reason": "slot ends"})).status_code == 204
    assert (await served.send("GET", f"/jobs/{job_id}")).json()["state"] == "waiting"
    assert (await pilot.match()).status_code == 401


async def test_a_job_of_the_other_vo_is_run_with_its_own_storage_area(served: Served, pilot: Pilot) -> None:
    answer = await served.send("POST", "/jobs", vo="gridpp", json={"description": DESCRIPTION})
    assert answer.status_code == 201
    attempt = (await pilot.match()).json()["attempt_id"]
    upload = (await pilot.uploads(attempt)).json()["uploads"][0]
    assert "/gridpp/mc/" in upload["url"]
    assert (await served.send("GET", "/jobs")).json()["items"] == []


BODIES: dict[str, Any] = {
    "login": {"stamp": "stamp-1", "secret": "wrong"},
    "match": OFFER,
    "beat": {"beats": []},
    "outputs": {"outputs": [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]},
    "sandbox": {"size": 3, "sha256": "0" * 64},
    "finish": {"outcome": "failed"},
    "retire": {"reason": "idle"},
}


def asked(call: str) -> tuple[str, str]:
    """Method and path of a call, as it is made for an attempt that this pilot never had."""
    method, _, path = PROTOCOL["$defs"][call]["title"].partition(" /v1/pilot")
    return method, path.replace("{attempt_id}", "1")


async def test_every_call_of_the_protocol_succeeds_as_it_says(served: Served, pilot: Pilot) -> None:
    await submit(served)
    attempt = (await pilot.match()).json()["attempt_id"]
    assert (await pilot.match([attempt])).status_code == 204
    await pilot.send("GET", f"/attempts/{attempt}")
    await pilot.post(f"/attempts/{attempt}/start")
    await pilot.post("/beat", {"beats": [{"attempt_id": attempt, "state": "running", "at": "2026-01-01T00:00:00Z"}]})
    upload = (await pilot.uploads(attempt)).json()["uploads"][0]
    served.put(upload["url"], CONTENT)
    await pilot.post(f"/attempts/{attempt}/sandbox", {"size": 3, "sha256": "0" * 64})
    await pilot.finish(attempt, intents=[upload["intent_id"]])
    await pilot.post("/retire", {"reason": "idle"})
    succeeded = {(name, 204 if name in {"begin", "retire"} else 200) for name in CALLS}
    assert pilot.calls == succeeded | {("match", 204)}


@pytest.mark.parametrize("call", CALLS)
async def test_a_stranger_is_refused_as_the_protocol_says(served: Served, call: str) -> None:
    stranger = Pilot(served, "stamp-1", "wrong")
    await stranger.send(*asked(call), BODIES.get(call))
    assert stranger.calls == {(call, 401)}


@pytest.mark.parametrize("call", [name for name in CALLS if "attempts" in asked(name)[1]])
async def test_an_attempt_that_is_not_the_pilots_has_ended_for_it(served: Served, pilot: Pilot, call: str) -> None:
    answer = await pilot.send(*asked(call), BODIES.get(call))
    assert (answer.status_code, answer.json()["code"]) == (409, "attempt_ended")


@pytest.mark.parametrize("call", sorted(BODIES))
async def test_what_the_protocol_does_not_know_the_server_does_not_either(
    served: Served, pilot: Pilot, call: str
) -> None:
    method, path = asked(call)
    body = {**BODIES[call], "unheard": 1}
    with pytest.raises(NotInProtocol, match="unheard"):
        check_request(method, f"/v1/pilot{path}", body)
    answer = await served.send(method, f"/pilot{path}", token=pilot.token, json=body)
    assert (answer.status_code, answer.json()["field"]) == (422, "unheard")


@pytest.mark.parametrize(
    "warm",
    [
        {"vo": "belle", "dids": ["nothing"]}, {"vo": "belle", "dids": ["mc:a\n"]}, {"vo": "B", "dids": []},
        {"vo": "belle", "dids": ["mc:a"] * 101}, {"vo": "belle", "dids": ["mc:" + "a" * 231]}, {"vo": "belle"}, [],
    ],
)  # fmt: skip
async def test_what_a_pilot_says_that_it_has_is_read_strictly(served: Served, pilot: Pilot, warm: Any) -> None:
    answer = await served.send("POST", "/pilot/match", token=pilot.token, json={**OFFER, "held": [], "warm": warm})
    assert answer.status_code == 422


async def test_what_a_pilot_says_that_it_has_lets_it_read_nothing(served: Served, pilot: Pilot) -> None:
    (job_id,) = await submit(served)
    warm = {"vo": "gridpp", "dids": ["mc:secret", "mc:sim"]}
    given = (await pilot.post("/match", {**OFFER, "held": [], "warm": warm})).json()
    assert (given["job_id"], given["inputs"], given["vo"]) == (job_id, [], "belle")

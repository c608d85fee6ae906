"""What pilots and jobs prove themselves with, what a thief can do with it, and when it is void."""

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any

import pytest

from sancho.kit.db import execute, fetch_rows
from tests.served import Served

OFFER = {"cores": 1, "memory": 2_000_000_000, "walltime": 3600.0, "tags": ["env:demo"], "held": []}
CONTENT = b"ROOT" * 100
MADE = {"number": 0, "size": len(CONTENT), "adler32": f"{zlib.adler32(CONTENT):08x}"}
DESCRIPTION = {
    "name": "simulation",
    "command": ["simulate", "{number}"],
    "requirements": {"memory": "1 MB", "tags": ["env:demo"]},
    "outputs": [{"path": "out.root", "did": "mc:sim_{number}", "dataset": "mc:sim"}],
}


@dataclass
class Holder:
    """Whoever has a secret, be it the pilot or a thief."""

    served: Served
    stamp: str
    secret: str
    token: str = ""

    def robbed(self) -> "Holder":
        """Somebody who has what this one has now."""
        return Holder(self.served, self.stamp, self.secret, self.token)

    async def login(self) -> Any:
        proof = {"stamp": self.stamp, "secret": self.secret}
        answer = await self.served.client.post("/v1/pilot/login", json=proof)
        if answer.status_code == 200:
            self.token, self.secret = answer.json()["token"], answer.json()["next_secret"]
        return answer

    async def post(self, path: str, body: Any = None) -> Any:
        return await self.served.send("POST", f"/pilot{path}", token=self.token or "none", json=body or {})

    async def match(self) -> Any:
        return await self.post("/match", OFFER)


async def submitted(served: Served, stamp: str, ce: str = "A-CE") -> Holder:
    """A pilot that a CE was given."""
    made = Holder(served, stamp, f"secret-of-{stamp}")
    async with served.deployment.database.transaction([0]) as conn:
        await execute(
            conn,
            """
            INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
            VALUES (0, 'S', %(ce)s, %(site)s, %(stamp)s, %(hash)s)
            """,
            {
                "ce": served.world.resource[ce], "site": served.world.resource["SITE-A"], "stamp": stamp,
                "hash": hashlib.sha256(made.secret.encode()).digest(),
            },
        )  # fmt: skip
    return made


@pytest.fixture
async def pilot(served: Served) -> Holder:
    return await submitted(served, "stamp-1")


async def submit(served: Served, **more: Any) -> int:
    answer = await served.send("POST", "/jobs", json={"description": DESCRIPTION}, **more)
    assert answer.status_code == 201, answer.text
    return answer.json()["job_ids"][0]


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def audited(served: Served) -> list[tuple[Any, ...]]:
    async with served.deployment.database.transaction([0]) as conn:
        return await fetch_rows(
            conn, "SELECT account, allowed, why FROM audit_row WHERE permission = 'pilots:report' ORDER BY audit_id", {}
        )


async def state(served: Served, stamp: str) -> tuple[Any, ...]:
    async with served.deployment.database.transaction([0]) as conn:
        (row,) = await fetch_rows(conn, "SELECT state, detail FROM pilot WHERE stamp = %(s)s", {"s": stamp})
    return row


# ---- secrets of pilots


async def test_a_secret_is_accepted_again_while_its_answer_may_have_been_lost(pilot: Holder) -> None:
    lost = pilot.robbed()
    assert (await lost.login()).status_code == 200
    assert (await pilot.login()).status_code == 200
    assert (await pilot.match()).status_code == 204
    assert (await pilot.login()).status_code == 200


async def test_a_pilot_that_restarts_before_it_used_its_token_goes_on_with_the_newest_secret(pilot: Holder) -> None:
    for _ in range(3):
        assert (await pilot.login()).status_code == 200
    assert (await pilot.match()).status_code == 204


async def test_a_secret_taken_at_the_ce_is_useless_after_its_pilot_used_it_and_ends_the_pilot(
    served: Served, pilot: Holder
) -> None:
    job_id, thief = await submit(served), pilot.robbed()
    await pilot.login()
    assert (await pilot.match()).json()["job_id"] == job_id

    assert refused(await thief.login()) == (401, "pilot_unknown")

    assert await state(served, "stamp-1") == ("F", "its secret came a second time: it is in other hands too")
    assert refused(await pilot.match()) == (401, "pilot_unknown")
    assert refused(await pilot.login()) == (401, "pilot_unknown")
    assert (await served.send("GET", f"/jobs/{job_id}")).json()["state"] == "waiting"
    account, allowed, why = (await audited(served))[-1]
    assert (account, allowed) == ("pilot:stamp-1", False)
    assert why == "The pilot was ended: its secret came a second time: it is in other hands too."


async def test_a_thief_who_was_first_is_found_out_when_the_pilot_begins(served: Served, pilot: Holder) -> None:
    job_id, thief = await submit(served), pilot.robbed()
    await thief.login()
    assert (await thief.match()).json()["job_id"] == job_id

    assert refused(await pilot.login()) == (401, "pilot_unknown")

    assert refused(await thief.match()) == (401, "pilot_unknown")
    assert (await served.send("GET", f"/jobs/{job_id}")).json()["state"] == "waiting"


async def test_a_token_that_a_thief_keeps_for_later_is_void_once_the_pilot_has_logged_in(
    served: Served, pilot: Holder
) -> None:
    thief = pilot.robbed()
    await thief.login()
    await pilot.login()
    await submit(served)

    assert (await pilot.match()).status_code == 200
    assert refused(await thief.match()) == (401, "machine_ended")
    assert refused(await thief.login()) == (401, "pilot_unknown")
    assert (await state(served, "stamp-1"))[0] == "R", "that secret never was the pilot's"


async def test_every_secret_of_a_pilots_life_that_comes_back_ends_it(served: Served, pilot: Holder) -> None:
    await pilot.login()
    await pilot.match()
    thief = pilot.robbed()
    for _ in range(3):
        await pilot.login()
        assert (await pilot.match()).status_code == 204

    assert refused(await thief.login()) == (401, "pilot_unknown")
    assert (await state(served, "stamp-1"))[0] == "F"


async def test_a_secret_opens_no_other_stamp(served: Served, pilot: Holder) -> None:
    other = await submitted(served, "stamp-2")
    await other.login()

    assert refused(await Holder(served, "stamp-2", pilot.secret).login()) == (401, "pilot_unknown")

    assert (await state(served, "stamp-2"))[0] == "R", "a wrong secret ends nobody"
    assert (await other.match()).status_code == 204


@pytest.mark.parametrize("ended", ["D", "F"])
async def test_the_secret_of_an_ended_pilot_opens_nothing(served: Served, pilot: Holder, ended: str) -> None:
    await pilot.login()
    async with served.deployment.database.transaction([0]) as conn:
        await execute(conn, "UPDATE pilot SET state = %(s)s, ended_at = now() WHERE stamp = 'stamp-1'", {"s": ended})

    assert refused(await pilot.login()) == (401, "pilot_unknown")
    assert refused(await pilot.match()) == (401, "machine_ended")


async def test_a_secret_serves_the_vos_of_its_ce_and_no_other(served: Served, pilot: Holder) -> None:
    """A-CE is taken away from gridpp: what was stolen there gets nothing of gridpp's."""
    async with served.deployment.database.transaction([0, 1, 2]) as conn:
        ce = {"ce": served.world.resource["A-CE"]}
        await execute(conn, "DELETE FROM resource_grant WHERE resource_id = %(ce)s AND to_vo = 2", ce)
    await submit(served, vo="gridpp")

    await pilot.login()
    assert (await pilot.match()).status_code == 204
    mine = await submit(served)
    assert (await pilot.match()).json()["job_id"] == mine


# ---- tokens of jobs


async def test_a_job_asks_with_its_own_token_what_it_is_and_where_its_outputs_go(served: Served, pilot: Holder) -> None:
    job_id = await submit(served)
    await pilot.login()
    given = (await pilot.match()).json()

    own = await served.send("GET", "/job", token=given["token"])
    place = await served.send("POST", "/job/outputs", token=given["token"], json={"outputs": [MADE]})

    assert own.json() == {
        "job_id": job_id, "attempt_id": given["attempt_id"], "number": 1, "vo": "belle", "name": "simulation",
        "parameters": {"number": 1},
        "outputs": [{"number": 0, "path": "out.root", "did": "mc:sim_1"}],
    }  # fmt: skip
    assert (await served.send("GET", "/job/inputs", token=given["token"])).json() == []
    upload = place.json()["uploads"][0]
    served.put(upload["url"], CONTENT)
    path = f"/attempts/{given['attempt_id']}"
    again = (await pilot.post(f"{path}/outputs", {"outputs": [MADE]})).json()["uploads"][0]
    assert again["intent_id"] == upload["intent_id"], "its pilot finds the same place"
    done = await pilot.post(f"{path}/finish", {"outcome": "done", "intents": [upload["intent_id"]]})
    assert done.json() == {"state": "done"}


async def test_a_job_may_put_nothing_that_it_has_not_promised(served: Served, pilot: Holder) -> None:
    await submit(served)
    await pilot.login()
    token = (await pilot.match()).json()["token"]

    answer = await served.send("POST", "/job/outputs", token=token, json={"outputs": [MADE | {"number": 1}]})

    assert refused(answer) == (422, "output_unknown")


@pytest.mark.parametrize("how", ["done", "failed", "killed", "lost"])
async def test_a_jobs_token_dies_with_its_attempt(served: Served, pilot: Holder, how: str) -> None:
    job_id = await submit(served)
    await pilot.login()
    given = (await pilot.match()).json()
    token, path = given["token"], f"/attempts/{given['attempt_id']}"
    assert (await served.send("GET", "/job", token=token)).status_code == 200, "and the answer is remembered for 30 s"

    if how == "killed":
        await served.send("POST", "/jobs/kill", json={"job_ids": [job_id]})
    elif how == "lost":
        await pilot.post("/retire", {"reason": "slot ends"})
    elif how == "failed":
        await pilot.post(f"{path}/finish", {"outcome": "failed", "exit_code": 1})
    else:
        upload = (await pilot.post(f"{path}/outputs", {"outputs": [MADE]})).json()["uploads"][0]
        served.put(upload["url"], CONTENT)
        await pilot.post(f"{path}/finish", {"outcome": "done", "intents": [upload["intent_id"]]})

    for method, more, body in (("GET", "", None), ("GET", "/inputs", None), ("POST", "/outputs", {"outputs": [MADE]})):
        answer = await served.send(method, f"/job{more}", token=token, json=body)
        assert refused(answer) == (409, "attempt_ended"), more


async def test_a_suspended_accounts_jobs_have_no_token_that_is_good(served: Served, pilot: Holder) -> None:
    await submit(served)
    await pilot.login()
    token = (await pilot.match()).json()["token"]
    await served.send("POST", "/accounts/alice/suspend", account="root")

    assert refused(await served.send("GET", "/job", token=token)) == (401, "machine_ended")


async def test_people_and_pilots_may_not_use_the_routes_of_jobs(served: Served, pilot: Holder) -> None:
    await pilot.login()
    for token in (None, pilot.token):
        assert refused(await served.send("GET", "/job", token=token)) == (403, "not_a_job")

"""What pilots and jobs say while a payload runs, and what they are told until they have heard it."""

from datetime import UTC, datetime
from typing import Any

from sancho.kit.db import fetch_rows
from tests.pilots.test_api import OFFER, Pilot, pilot, submit
from tests.protocol import check_request
from tests.served import Served

__all__ = ["pilot"]


async def running(served: Served, pilot: Pilot) -> tuple[int, int, str]:
    """A job that runs: its number, its attempt's, and its own token."""
    (job,) = await submit(served, outputs=[])
    given = (await pilot.post("/match", OFFER)).json()
    assert (await pilot.post(f"/attempts/{given['attempt_id']}/start")).status_code == 204
    return job, given["attempt_id"], given["token"]


def sign(attempt: int, tail: str = "") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    return {"attempt_id": attempt, "state": "running", "at": now, "tail": tail, "log_size": len(tail), "memory": 5}


async def test_a_kill_is_said_until_the_pilot_has_heard_it(served: Served, pilot: Pilot) -> None:
    job, attempt, _ = await running(served, pilot)
    beats = {"beats": [sign(attempt)]}
    assert (await pilot.post("/beat", beats)).json() == {
        "commands": [], "attempts": {str(attempt): "known"}, "beat_every": None
    }  # fmt: skip
    assert (await served.send("POST", "/jobs/kill", json={"job_ids": [job]})).json() == {"changed": [job]}
    first, again = [(await pilot.post("/beat", beats)).json() for _ in range(2)]
    assert first == again
    assert [(c["attempt_id"], c["command"]) for c in first["commands"]] == [(attempt, "kill")]
    heard = {"beats": [], "acknowledged": [first["commands"][0]["command_id"], 999]}
    check_request("POST", "/v1/pilot/beat", heard)
    assert (await pilot.post("/beat", heard)).json()["commands"] == []
    last = (await pilot.post("/beat", beats)).json()
    assert (last["commands"], last["attempts"]) == ([], {str(attempt): "ended"})
    async with served.deployment.database.transaction([1]) as conn:
        rows = await fetch_rows(conn, "SELECT delivered_at <= acknowledged_at FROM job_command")
    assert rows == [(True,)]


async def test_a_pilot_hurries_while_somebody_reads_along(served: Served, pilot: Pilot) -> None:
    job, attempt, _ = await running(served, pilot)
    assert (await served.send("GET", f"/jobs/{job}/log")).json()["tail"] == ""
    assert (await pilot.post("/beat", {"beats": [sign(attempt, "one\n")]})).json()["beat_every"] is None
    log = (await served.send("GET", f"/jobs/{job}/log", params={"follow": True})).json()
    assert (log["tail"], log["final"]) == ("one\n", False)
    assert (await pilot.post("/beat", {"beats": [sign(attempt, "one\ntwo\n")]})).json()["beat_every"] == 1.0
    assert (await served.send("GET", f"/jobs/{job}/log", params={"follow": True})).json()["log_size"] == 8
    assert (await served.send("GET", f"/jobs/{job}/log", params={"follow": True}, vo="gridpp")).status_code == 404
    shown = (await served.send("GET", f"/jobs/{job}")).json()
    assert shown["heartbeat"]["memory"] == 5
    assert (await pilot.finish(attempt, tail="one\ntwo\nend\n", log_size=12)).status_code == 200
    log = (await served.send("GET", f"/jobs/{job}/log", params={"follow": True})).json()
    assert (log["tail"], log["final"], log["state"]) == ("one\ntwo\nend\n", True, "done")


async def test_a_job_says_how_it_goes_with_its_own_token_until_it_ends(served: Served, pilot: Pilot) -> None:
    job, _, token = await running(served, pilot)
    (other,) = await submit(served, outputs=[])
    said = {"minor": "Application", "application": "event 7"}
    assert (await served.send("PATCH", "/job/status", token=token, json=said)).status_code == 204
    used = {"load": 0.5, "tail": "hello"}
    assert (await served.send("PATCH", "/job/heartbeat", token=token, json=used)).status_code == 204
    shown = (await served.send("GET", f"/jobs/{job}")).json()
    assert (shown["minor"]["text"], shown["minor"]["source"], shown["application"]["text"]) == (
        "Application", "job", "event 7"
    )  # fmt: skip
    assert shown["heartbeat"]["load"] == 0.5
    statuses = {"statuses": [{"job_id": other, "minor": "x"}]}
    assert (await served.send("PATCH", "/jobs/statuses", token=token, json=statuses)).status_code == 403
    assert (await served.send("PATCH", "/job/status", json=said)).status_code == 403
    await served.send("POST", "/jobs/kill", json={"job_ids": [job]})
    assert (await served.send("PATCH", "/job/status", token=token, json=said)).status_code in (401, 409)

"""Good requests for the routes of jobs and pilots."""

from collections.abc import Iterator
from typing import Any

from tests.journeys.ask import Ask, ask
from tests.journeys.given import ADLER, CONTENT, OFFER, SHA256, Filled, description


def jobs(filled: Filled) -> Iterator[Ask]:
    more: dict[str, Any] = {
        "environment": {"A": "b"}, "sandbox": SHA256, "close_datasets": True, "output_sandbox": ["*.log"],
        "max_attempts": 2, "retry": {"site": 1, "data": 1, "job": 1, "temporary": [75], "permanent": [2]},
        "priority": 1,
        "type": "simulation", "job_group": "spring", "start_with": "100%",
        "requirements": {
            "cores": 1, "max_cores": 4096, "memory": "1 MB", "memory_per_core": "1 MB", "memory_limit": "2 GB",
            "walltime": "1 min", "cpu_work": 1000.0, "scratch": 0, "io": 0, "system": None, "architecture": None,
            "min_microarchitecture": None, "max_microarchitecture": None, "gpus": None,
            "tags": ["env:demo", "env:demo | ~site:SITE-B"], "sites": ["SITE-A"], "banned_sites": ["SITE-B"],
            "far": False,
        },
    }  # fmt: skip
    # What no CE of this world has; so each of these may be spoilt without the job becoming one that can run.
    gpus = {"count": 1, "vendor": "nvidia", "memory": "8 GB", "min_capability": "7.5", "max_capability": "9.0"}
    more["alternatives"] = [{
        **more["requirements"], "scratch": "1 GB", "io": "1 MB", "system": "linux", "architecture": "x86_64",
        "min_microarchitecture": 2, "max_microarchitecture": 4, "gpus": gpus,
    }]  # fmt: skip
    said, changes, first = (description(name, **more) for name in ("new", "again", "first"))
    for one in (said, changes, first):
        one["outputs"][0]["rule"]["lifetime"] = "1 d"
        one["outputs"][0]["dataset"] = "mc:new_out"
    yield from _submitted(filled, said, first)
    query = {
        "state": ["waiting"], "name": "waiting", "mine": True, "submission": filled.ids["submission_waiting"],
        "cursor": "1000000", "limit": 10, "where": "param.HostName = wn1 & site exists", "sort": "-id",
        "columns": ["site", "param.HostName"],
    }  # fmt: skip
    yield ask("GET /jobs", query=query)
    counted = {"submission": filled.ids["submission_waiting"], "where": "state = waiting", "by": ["state", "site"]}
    yield ask("GET /jobs/summary", query=counted)
    yield from _reported(filled)
    yield ask("GET /jobs/views")
    yield ask("GET /events", query={"everybody": True})
    view = {"where": "state = failed", "sort": "-changed_at", "columns": ["error"]}
    yield ask("PUT /jobs/views/{name}", name="mine", body=view)
    yield ask("DELETE /jobs/views/{name}", name=f"view-{filled.vo}")
    search: dict[str, Any] = {"where": None, "cursor": None}
    yield ask("POST /jobs/kill", body={"job_ids": [filled.ids["job_waiting"]], **search})
    yield ask("POST /jobs/hold", body={"job_ids": [filled.ids["job_waiting"]], **search})
    yield ask("POST /jobs/release", body={"job_ids": [filled.ids["job_held"]], **search})
    killed = [filled.ids["job_killed"]]
    yield ask("POST /jobs/reschedule", body={"job_ids": killed, "force": False, "anew": False, **search})
    cloned: dict[str, Any] = {"job_ids": killed, "changes": changes, "parameters": {"seed": 2}}
    yield ask("POST /jobs/clone", body=cloned | {"idempotency_key": "key-clone"})
    yield ask("GET /demand", "root", query={"all": True, "cursor": "1_1", "limit": 10})
    yield ask("POST /jobs/producers", body={"dids": ["mc:done_1"]})
    yield ask("GET /jobs/{job_id}", job_id=filled.ids["job_running"])
    yield ask("GET /jobs/{job_id}/log", job_id=filled.ids["job_running"], query={"attempt": 1, "follow": True})
    yield ask("GET /jobs/{job_id}/sandbox", job_id=filled.ids["job_done"])
    yield ask("POST /sandboxes", body={"sha256": "0" * 64, "size": 10})
    put = {"expires": 1, "signature": "0" * 64, "size": 1}
    yield ask("GET /objects/{key:path}", None, key="sandboxes/1/x", query=put)
    yield ask("PUT /objects/{key:path}", None, key="sandboxes/1/x", query=put)
    yield ask("POST /objects/{key:path}", None, key="sandboxes/1/x", query=put)


def _submitted(filled: Filled, said: dict[str, Any], first: dict[str, Any]) -> Iterator[Ask]:
    yield ask(
        "POST /jobs",
        body={
            "description": said, "parameters": [{"seed": 1}], "idempotency_key": "key-good", "anyway": False,
            "after": [filled.ids["job_waiting"], {
                "job_id": filled.ids["job_held"], "name": None, "number": None, "job": 1, "which": "all",
                "when": "ended"}],
        },
    )  # fmt: skip
    tool: dict[str, Any] = {"class": "CommandLineTool", "cwlVersion": "v1.2", "baseCommand": "true", "outputs": []}
    tool["inputs"] = {"x": "int"}
    cwl: dict[str, Any] = {"tool": tool, "job_order": {"x": 1}, "idempotency_key": "key-of-cwl", "anyway": False}
    yield ask("POST /jobs/cwl", body={**cwl, "after": []})
    own = {"job_id": None, "name": "first", "number": None, "job": 1, "which": "previous", "when": "done"}
    other = {**own, "number": 1, "which": "all"}
    parts: list[dict[str, Any]] = [
        {"description": first, "parameters": {"count": 2}, "after": [own], "idempotency_key": "key-graph",
         "anyway": False},
        {"description": description("last"), "after": [other, "first"], "idempotency_key": "key-last"},
    ]  # fmt: skip
    yield ask("POST /jobs/graph", body={"submissions": parts})


def _reported(filled: Filled) -> Iterator[Ask]:
    said = [{"job_id": filled.ids["job_waiting"], "parameters": {"HostName": "wn2", "events": 5, "gone": None}}]
    yield ask("PATCH /jobs/parameters", body={"jobs": said})
    said = {"at": "2026-01-01T00:00:00Z", "source": "wrapper", "minor": "Staging in", "application": "event 7"}
    yield ask("PATCH /jobs/statuses", body={"statuses": [{"job_id": filled.ids["job_waiting"], **said}]})
    signs = {"load": 1.5, "memory": 10, "virtual": 20, "disk": 30, "cpu": 1.5, "wall": 2.5, "tail": "hello"}
    sign = {"job_id": filled.ids["job_waiting"], **signs}
    yield ask("PATCH /jobs/heartbeats", body={"beats": [sign], "acknowledged": [1]})
    yield ask("PATCH /job/status", "job", body=said)
    yield ask("PATCH /job/heartbeat", "job", body=signs)


def pilots(filled: Filled) -> Iterator[Ask]:
    attempt = filled.ids["attempt_running"]
    sign = {
        "attempt_id": attempt, "state": "running", "at": "2026-01-01T00:00:00Z", "log_size": 10, "tail": "hello",
        "cpu_seconds": 1.5, "memory": 10,
    }  # fmt: skip
    finish = {
        "outcome": "done", "exit_code": 0, "reason": None, "detail": "well", "intents": [filled.ids["intent_running"]],
        "usage": {"wall_seconds": 1, "cpu_seconds": 1, "max_memory": 10}, "tail": "x", "log_size": 1, "sandbox": SHA256,
    }  # fmt: skip
    made = {"number": 0, "size": len(CONTENT), "adler32": ADLER}
    yield ask("POST /pilot/login", None, body={"stamp": filled.pilot.stamp, "secret": filled.pilot.secret})
    yield ask(
        "POST /pilot/match",
        "pilot",
        body=OFFER
        | {
            "held": [attempt],
            "answered": True,
            "warm": {"vo": "belle", "dids": ["mc:a"]},
            "whole": {"cores": 4, "memory": 10**10},
        },
    )
    yield ask("GET /pilot/attempts/{attempt_id}", "pilot", attempt_id=attempt)
    yield ask("POST /pilot/beat", "pilot", body={"beats": [sign], "acknowledged": [1]})
    yield ask("POST /pilot/attempts/{attempt_id}/start", "pilot", attempt_id=attempt)
    yield ask("POST /pilot/attempts/{attempt_id}/outputs", "pilot", attempt_id=attempt, body={"outputs": [made]})
    yield ask("GET /job", "job")
    yield ask("GET /job/inputs", "job")
    yield ask("PATCH /job/parameters", "job", body={"parameters": {"events": 7}})
    yield ask("POST /job/outputs", "job", body={"outputs": [made]})
    box = {"size": 3, "sha256": "1" * 64}
    yield ask("POST /pilot/attempts/{attempt_id}/sandbox", "pilot", attempt_id=attempt, body=box)
    yield ask("POST /pilot/attempts/{attempt_id}/finish", "pilot", attempt_id=attempt, body=finish)
    yield ask("POST /pilot/retire", "pilot", body={"reason": "slot ends"})
    yield ask("GET /pilots/summary", "root", query={"hours": 1})
    yield ask("GET /pilots", "root", query={"alive": True, "cursor": 10**6, "limit": 10})
    found = {"where": "status = Submitted & job exists", "cursor": 10**6, "limit": 10}
    yield ask("GET /pilots/registered", "root", query=found)

"""One trace from the request that submits a job to the replica that arrives, in spans, logs and problems; no secrets.

A whole run by hand: logins, a sandbox, a job, its pilot, a second copy, and every kind of refusal on the way.
"""

import base64
import io
import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import httpx2
import pytest
import structlog
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sancho.kit import faults, telemetry
from sancho.kit.db import fetch_rows
from tests.journeys.given import ADLER, CONTENT, OFFER, PASSWORD, Contents, Filled, description, fill
from tests.journeys.refused import check_refused
from tests.served import Served

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@dataclass
class Seen:
    """What a run has left for others to read, and what must not be in it."""

    log: io.StringIO
    spans: InMemorySpanExporter
    problems: list[str] = field(default_factory=list[str])
    secrets: set[str] = field(default_factory=set[str])

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The log lines about an event."""
        lines = [json.loads(line) for line in self.log.getvalue().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def traced(self) -> set[str]:
        """The names of the spans of the one trace."""
        return {s.name for s in self.spans.get_finished_spans() if s.context and f"{s.context.trace_id:032x}" == TRACE}

    def all(self) -> str:
        """Everything that could be read."""
        return "\n".join([self.log.getvalue(), *self.problems, *(s.to_json() for s in self.spans.get_finished_spans())])

    async def look(self, request: httpx2.Request) -> None:
        """Remember the token of a request."""
        self.secrets.add(request.headers.get("authorization", "Bearer ").removeprefix("Bearer "))

    async def read(self, response: httpx2.Response) -> None:
        """Remember a problem."""
        if response.status_code >= 400:
            await response.aread()
            self.problems.append(response.text + str(dict(response.headers)))


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture) -> Iterator[Seen]:
    """Everything that this process logs and traces from now on, in detail."""
    log, spans = io.StringIO(), InMemorySpanExporter()
    handler = logging.StreamHandler(log)
    handler.addFilter(lambda record: not record.name.startswith("httpx2"))  # the test's own client
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    telemetry.configure(level="DEBUG", service="test", stream=log)
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    yield Seen(log=log, spans=spans)
    root.setLevel(before)
    root.removeHandler(handler)
    spans.shutdown()
    structlog.reset_defaults()


async def test_one_trace_leads_from_the_submit_to_the_replica_that_arrives(served: Served, seen: Seen) -> None:
    belle = (await fill(served, served.owner_url))["belle"]
    seen.spans.clear()

    said = description("traced", inputs=[])
    rule = {"copies": 2, "rse_expression": "A-DISK|B-DISK"}
    said["outputs"][0] |= {"dataset": "mc:traced", "rule": rule}
    answer = await served.send("POST", "/jobs", json={"description": said}, headers=PARENT)
    job_id = answer.json()["job_ids"][0]
    given = await run(belle, job_id)
    await served.run_tasks()

    assert TRACE in given["traceparent"], "the payload can go on with it"
    assert (await served.send("GET", f"/jobs/{job_id}")).json()["trace_id"] == TRACE
    async with served.deployment.database.transaction([1]) as conn:
        arrived = await fetch_rows(
            conn,
            """
            SELECT rse.name, r.state FROM did d JOIN replica r USING (did_id, vo) JOIN rse USING (rse_id)
             WHERE d.name = 'traced_1' ORDER BY 1
            """,
        )
    assert arrived == [("A-DISK", "A"), ("B-DISK", "A")]
    assert seen.traced() >= {
        "POST /v1/jobs", "pilots.assign", "pilots.begin", "pilots.outputs", "pilots.finish", "transfers.carry",
        "rules:settle",
    }  # fmt: skip
    for event in ("jobs submitted", "attempt ended", "file arrived"):
        assert TRACE in {line.get("trace_id") for line in seen.lines(event)}, event


async def run(filled: Filled, job_id: int) -> dict[str, Any]:
    """Run jobs as their pilot until this one is done; return its assignment."""
    held = [filled.ids["attempt_running"]]
    while True:
        given = await filled.report("/match", OFFER | {"held": held})
        attempt = given["attempt_id"]
        held.append(attempt)
        if given["job_id"] == job_id:
            break
    await filled.report(f"/attempts/{attempt}/start", status=204)
    made = {"outputs": [{"number": 0, "size": len(CONTENT), "adler32": ADLER}]}
    (upload,) = (await filled.report(f"/attempts/{attempt}/outputs", made))["uploads"]
    filled.served.put(upload["url"], CONTENT)
    finish = {"outcome": "done", "exit_code": 0, "intents": [upload["intent_id"]]}
    await filled.report(f"/attempts/{attempt}/finish", finish)
    return given


async def test_a_problem_names_the_trace_of_its_request(served: Served, seen: Seen) -> None:
    answer = await served.send("GET", "/jobs/999", headers=PARENT)
    assert check_refused(answer)["trace_id"] == TRACE


async def test_secrets_are_in_no_log_no_span_no_problem_and_no_table(served: Served, seen: Seen) -> None:
    served.client.event_hooks = {"request": [seen.look], "response": [seen.read]}
    both = await fill(served, served.owner_url)
    await refuse_everything(served, both["belle"], seen)
    await served.run_tasks()
    seen.secrets |= both["belle"].secrets | both["gridpp"].secrets | own_secrets(served)

    secrets = {secret for secret in seen.secrets if secret}
    assert min(map(len, secrets)) > 7
    written = seen.all()
    assert len(seen.problems) > 10
    assert written.count("\n") > 100
    assert [secret for secret in secrets if secret in written] == []
    contents = Contents(served.owner_url)
    kept = contents.text()
    contents.close()
    # The code that a device shows is for everybody's eyes; the page on which somebody agrees shows it again.
    hidden = {secret for secret in secrets if not re.fullmatch("[A-Z]{8}", secret)}
    assert len(hidden) == len(secrets) - 2
    assert [secret for secret in hidden if any(spelt in kept for spelt in spellings(secret))] == []
    assert [secret for secret in hidden if any(spelt in written for spelt in spellings(secret))] == []


def spellings(secret: str) -> set[str]:
    """How a secret would look in clear, in a bytea column, in a URL, and in a header of basic authentication."""
    raw = secret.encode()
    return {
        secret,
        raw.hex(),
        quote(secret, safe=""),
        quote_plus(secret),
        base64.b64encode(raw)[:-4].decode().rstrip("="),
    }


def own_secrets(served: Served) -> set[str]:
    """What the installation itself must keep: the private parts of its signing keys, and what signs its URLs."""
    keys = [json.loads(path.read_text()) for path in (served.folder / "keys").glob("*.jwk")]
    assert keys
    return {key["d"] for key in keys} | {(served.folder / "objects.key").read_bytes().hex()}


async def refuse_everything(served: Served, belle: Filled, seen: Seen) -> None:
    """Ask for trouble, with secrets that are right in places where they are not."""
    client, password = served.client, f"{PASSWORD} belle"
    login = {"grant_type": "password", "vo": "belle", "username": "carol", "password": password}
    tokens = (await client.post("/v1/auth/token", data=login)).json()
    refreshed = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    following = (await client.post("/v1/auth/token", data=refreshed)).json()
    seen.secrets |= {
        tokens["access_token"],
        tokens["refresh_token"],
        *map(following.get, ("access_token", "refresh_token")),
    }
    await client.post("/v1/auth/revoke", data={"token": following["refresh_token"]})
    for form in (
        refreshed, login | {"username": "nobody"}, login | {"username": "carol\0"}, login | {"grant_type": password},
        {"grant_type": following["refresh_token"]}, {"password": password}, login | {"password": f"\ud7ff{password}"},
    ):  # fmt: skip
        await client.post("/v1/auth/token", data=form)
    secret = belle.pilot.secret
    for body in (
        {"stamp": "x", "secret": secret},
        {"stamp": belle.pilot.stamp, "secret": secret, "colour": secret},
        [secret],
    ):
        await client.post("/v1/pilot/login", json=body)
    await client.post(
        "/v1/pilot/login", content=f'{{"secret": "{secret}'.encode(), headers={"content-type": "application/json"}
    )
    for token in (
        belle.pilot.token + "x",
        belle.pilot.token[:-9],
        tokens["refresh_token"],
        following["access_token"][::-1],
    ):
        for path in ("/jobs", f"/jobs/{token}"):
            await served.send("GET", path, token=token)
    change = {"password": f"{password}\0", "current_password": password}
    await served.send("POST", "/accounts/carol/password", account="carol", json=change)
    spec = {"password_hash": password, "groups": ["users"]}
    document = {"kind": "Account", "name": "dave", "spec": spec}
    await served.send("POST", "/configuration/apply", account="root", json={"documents": [document]})
    sandbox = (await served.send("POST", "/sandboxes", json={"sha256": "8" * 64, "size": 3})).json()["url"]
    seen.secrets.add(sandbox.partition("signature=")[2].partition("&")[0])
    for url in (f"{sandbox}0", sandbox.replace("8", "9"), sandbox.replace("size=3", "size=4"), sandbox):
        await client.put(url, content=b"x")
    faults.install(stumble)
    try:
        with pytest.raises(RuntimeError, match="stumbled"):
            await served.send("POST", "/jobs", json={"description": description("bug")})
    finally:
        faults.install(None)


def stumble(name: str) -> None:
    """A bug of ours."""
    raise RuntimeError(f"stumbled over {name}")

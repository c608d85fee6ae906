"""Traces reach a collector, and what a worker counts can be scraped: real programs, a real receiver of OTLP."""

import gzip
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sancho.kit import telemetry
from sancho.kit.db import Database
from sancho.kit.tasks import defer
from tests.conftest import eventually
from tests.local.running import free_port
from tests.stubs import sancho_stub

pytestmark = pytest.mark.xdist_group("telemetry")  # what its programs read is read once

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@dataclass
class Receiver:
    """A small collector: what it was sent, as (service, trace id, name of the span, attributes)."""

    url: str
    spans: list[tuple[str, str, str, dict[str, str]]] = field(
        default_factory=list[tuple[str, str, str, dict[str, str]]]
    )

    def take(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    said = {a.key: a.value.string_value or str(a.value.int_value) for a in span.attributes}
                    self.spans.append((service, span.trace_id.hex(), span.name, said))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    received = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                received.take(gzip.decompress(body) if self.headers.get("content-encoding") == "gzip" else body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        received.url = f"http://127.0.0.1:{server.server_address[1]}"
        listening = threading.Thread(target=server.serve_forever)
        listening.start()
        yield received
        server.shutdown()
        listening.join()


@contextmanager
def running(verb: str, database_url: str, folder: Path, **settings: str) -> "Iterator[subprocess.Popen[str]]":
    """A program of the server, with these settings; ended by SIGTERM."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SANCHO_", "OTEL_"))}
    given = {"SANCHO_DATABASE_URL": database_url, "SANCHO_STATE_DIR": str(folder), **settings}
    command = [sancho_stub("sancho.cli.serve", "sancho.cli.server"), *verb.split()]
    with subprocess.Popen(command, env=clean | given, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.communicate(timeout=40)


async def answers(url: str, process: "subprocess.Popen[str]") -> str:
    """What a program answers, once it listens."""
    said: list[str] = []
    async with httpx2.AsyncClient() as client:

        async def asked() -> bool:
            assert process.poll() is None, "the program has ended"
            try:
                said[:] = [(await client.get(url)).raise_for_status().text]
            except httpx2.TransportError:
                return False
            return True

        await eventually(asked, within=40)
    return said[0]


async def test_the_span_of_a_request_reaches_the_collector_before_the_server_is_gone(
    database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    port = free_port()
    settings = {"SANCHO_PORT": str(port), "SANCHO_OTLP_ENDPOINT": receiver.url}
    with running("serve", database_url, tmp_path, **settings) as server:
        await answers(f"http://127.0.0.1:{port}/v1/health/live", server)
        async with httpx2.AsyncClient() as client:
            asked = await client.get(f"http://127.0.0.1:{port}/v1/jobs/7", headers={"traceparent": PARENT})
        assert asked.json()["trace_id"] == TRACE

    (mine,) = [span for span in receiver.spans if span[1] == TRACE]
    assert mine[0] == "sancho-api"
    assert mine[2] == "GET /v1/jobs/{job_id}"
    assert mine[3]["http.response.status_code"] == "401"


async def test_the_span_of_a_task_reaches_the_collector_that_the_standard_variable_names(
    database: Database, database_url: str, tmp_path: Path, receiver: Receiver
) -> None:
    telemetry.configure(service="test")
    async with database.transaction([1]) as conn:
        with telemetry.span("asking", traceparent=PARENT):
            await defer(conn, "jobs:wake_all")
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    with running("worker --until-idle", database_url, tmp_path, **settings) as worker:
        worker.wait(40)

    assert ("sancho-worker", TRACE, "jobs:wake_all") in [span[:3] for span in receiver.spans]


def test_without_an_endpoint_nothing_runs_that_could_send() -> None:
    code = "from sancho.kit import telemetry as t; t.configure(service='x'); t.flush(); import threading as h; "
    code += "print([one.name for one in h.enumerate()])"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SANCHO_", "OTEL_"))}
    said = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['MainThread']"


async def test_a_collector_that_is_away_holds_nobody_up(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    nobody = f"http://127.0.0.1:{free_port()}"
    with running("serve", database_url, tmp_path, SANCHO_PORT=str(port), SANCHO_OTLP_ENDPOINT=nobody) as server:
        await answers(f"http://127.0.0.1:{port}/v1/health/live", server)
        server.send_signal(signal.SIGTERM)
        server.wait(15)  # the patience is 5 s; who stops a server grants it 20


def test_a_port_that_is_taken_is_said_by_its_setting(database_url: str, tmp_path: Path, receiver: Receiver) -> None:
    taken = receiver.url.rpartition(":")[2]
    with running("worker", database_url, tmp_path, SANCHO_WORKER__METRICS_PORT=taken) as worker:
        _, said = worker.communicate(timeout=40)
    assert worker.returncode == 2
    assert "SANCHO_WORKER__METRICS_PORT" in said


async def test_a_worker_tells_what_it_has_done_on_a_port_of_its_own(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    async with database.transaction([1]) as conn:
        await defer(conn, "jobs:wake_all")
    with running("worker", database_url, tmp_path, SANCHO_WORKER__METRICS_PORT=str(port)) as worker:

        async def counted() -> bool:
            said = await answers(f"http://127.0.0.1:{port}/metrics", worker)
            return 'sancho_tasks_total{outcome="done",task="jobs:wake_all"}' in said

        await eventually(counted, within=40)

"""Logs as JSON lines, OpenTelemetry traces, Prometheus metrics: one trace id from submit to replica.

A trace begins at the request that submits a job or asks for a rule; its W3C `traceparent` is stored with what was
asked for, travels with deferred tasks, to the pilot and back, and appears in every log line on the way.
"""

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Histogram, start_http_server

PATIENCE = 5.0
"""Seconds that the end of a process waits for a collector of traces."""

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("sancho")

REQUESTS = Counter("sancho_requests_total", "Requests answered", ["route", "method", "status"])
LATENCY = Histogram(
    "sancho_request_seconds", "Time to answer", ["route", "method"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)  # fmt: skip
REFUSED = Counter("sancho_refused_total", "Requests refused, to be fair to others", ["vo", "limit"])
LISTS_NOT_FOLLOWED = Counter(
    "sancho_lists_not_followed_total", "Lists of people that would have suspended nearly everybody", ["vo", "provider"]
)
TASKS = Counter("sancho_tasks_total", "Runs of background tasks that ended", ["task", "outcome"])


def log(name: str) -> Any:
    """A logger: `log(__name__).info("rule placed", rule_id=7)`."""
    return structlog.get_logger(name)


def configure(
    *, level: str = "INFO", service: str, stream: TextIO | None = None, otlp_endpoint: str | None = None
) -> None:
    """Set up logging and tracing of this process; call once.

    With `otlp_endpoint`, spans go to that collector in batches, from a thread of their own. Call `flush` at the end.
    """
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
        if otlp_endpoint is not None:
            exporter = OTLPSpanExporter(endpoint=f"{otlp_endpoint.rstrip('/')}/v1/traces")
            provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            _add_trace,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, stream=stream or sys.stderr, format="%(levelname)s %(name)s %(message)s")


def flush() -> None:
    """Send the spans that wait to be sent, at the end of a process; a collector that is away is not waited for long."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        # The exporter's own patience is longer than that of those who stop us, and it cannot be told.
        sending = threading.Thread(target=provider.force_flush, name="last-spans", daemon=True)
        sending.start()
        sending.join(PATIENCE)


def serve_metrics(port: int) -> None:
    """Serve /metrics of this process on a port of the loopback address until it ends; raises `OSError`."""
    start_http_server(port, addr="127.0.0.1")


def _add_trace(_logger: Any, _method: str, event: Any) -> Any:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event["trace_id"] = f"{context.trace_id:032x}"
    return event


def bind(**facts: Any) -> None:
    """Add facts to every later log line of this request or task."""
    structlog.contextvars.bind_contextvars(**facts)


@contextmanager
def span(name: str, *, traceparent: str | None = None, **attributes: Any) -> Iterator[None]:
    """Trace a piece of work; with `traceparent`, as part of the trace that asked for it."""
    context = _propagator.extract({"traceparent": traceparent}) if traceparent else None
    with _tracer.start_as_current_span(name, context=context, attributes=attributes):
        yield


def name_span(name: str, **attributes: Any) -> None:
    """Give the current span the name that is known only now, and further attributes."""
    current = trace.get_current_span()
    current.update_name(name)
    current.set_attributes(attributes)


def trace_id(traceparent: str | None) -> str | None:
    """The id of the trace, 32 hex digits, that a stored `traceparent` belongs to."""
    return None if traceparent is None else traceparent.split("-")[1]


def traceparent() -> str | None:
    """The current trace in W3C form, to be stored or sent along; None outside a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")

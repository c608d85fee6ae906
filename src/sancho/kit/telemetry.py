"""Logs as JSON lines, OpenTelemetry traces, Prometheus metrics: one trace id from submit to replica.

A trace begins at the request that submits a job or asks for a rule; its W3C `traceparent` is stored with what was
asked for, travels with deferred tasks, to the pilot and back, and appears in every log line on the way.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

import structlog
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import Counter, Histogram

_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("sancho")

REQUESTS = Counter("sancho_requests_total", "Requests answered", ["route", "method", "status"])
LATENCY = Histogram(
    "sancho_request_seconds", "Time to answer", ["route", "method"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)  # fmt: skip
TASKS = Counter("sancho_tasks_total", "Background tasks that ended", ["task", "outcome"])


def log(name: str) -> Any:
    """A logger: `log(__name__).info("rule placed", rule_id=7)`."""
    return structlog.get_logger(name)


def configure(*, level: str = "INFO", service: str, stream: TextIO | None = None) -> None:
    """Set up logging and tracing of this process; call once."""
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider(resource=Resource.create({"service.name": service})))
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


def traceparent() -> str | None:
    """The current trace in W3C form, to be stored or sent along; None outside a trace."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")

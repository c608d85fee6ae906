"""How trouble is said: every error leaves as `application/problem+json` (RFC 9457).

`type` is a stable URN, `code` the error class, `field` what to blame in the request, `hint` what to do next,
`trace_id` what to quote when asking for help. Anything unexpected is a bug and says so, without its details.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from starlette.exceptions import HTTPException

from sancho.kit import telemetry
from sancho.kit.errors import SanchoError, TooMany, Unavailable

MEDIA_TYPE = "application/problem+json"
JSON_HINT = "Send a JSON object in UTF-8, with `content-type: application/json`; /docs describes it."
_log = telemetry.log(__name__)

Dialect = Callable[[Exception], Response]
"""How a foreign API says errors: ours, FastAPI's of requests, Starlette's of HTTP, and bugs without their details."""
Handler = Callable[[Request, Exception], Awaitable[Response]]
Dialects = Mapping[str, Dialect]
"""Dialects by the prefix of the paths where they are spoken."""


def problems(*errors: type[SanchoError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for OpenAPI: `responses=problems(QuotaExceeded)`."""
    by_status: dict[int | str, dict[str, Any]] = {}
    for error in errors:
        schema: dict[str, Any] = {"type": "object", "properties": {"code": {"enum": []}}}
        said = by_status.setdefault(error.status, {"description": "", "content": {MEDIA_TYPE: {"schema": schema}}})
        said["description"] = f"{said['description']} `{error.code}`: {(error.__doc__ or '').strip()}".strip()
        said["content"][MEDIA_TYPE]["schema"]["properties"]["code"]["enum"].append(error.code)
    return by_status


def _render(status: int, code: str, detail: str, **more: Any) -> Response:
    context = trace.get_current_span().get_span_context()
    body = {"type": f"urn:sancho:problem:{code}", "title": code.replace("_", " "), "status": status, "code": code,
            "detail": detail, **{k: v for k, v in more.items() if v is not None}}  # fmt: skip
    if context.is_valid:
        body["trace_id"] = f"{context.trace_id:032x}"
    return JSONResponse(body, status, media_type=MEDIA_TYPE)


def render(error: SanchoError) -> Response:
    """Say one of our own errors."""
    facts = {k: v for k, v in error.facts.items() if isinstance(v, str | int | float | bool)}
    oauth = {} if error.oauth is None else {"error": error.oauth, "error_description": str(error)}
    response = _render(
        error.status, error.code, str(error), field=error.field, hint=error.hint, facts=facts or None, **oauth
    )
    if oauth:  # OAuth's clients look for nothing else
        response.headers["content-type"] = "application/json"
        response.headers["cache-control"] = "no-store"
    if error.status == 401:
        response.headers["www-authenticate"] = "Bearer"
    if isinstance(error, TooMany | Unavailable):
        response.headers["retry-after"] = str(error.retry_after)
    return response


async def _expected(_request: Request, error: Exception) -> Response:
    return render(cast(SanchoError, error))


async def _invalid(_request: Request, error: Exception) -> Response:
    faults = cast(RequestValidationError, error).errors()
    if faults[0]["type"] == "json_invalid":
        where = f"{faults[0]['ctx']['error']}, at character {int(faults[0]['loc'][1]) + 1}"
        return _render(400, "not_json", f"The body is not JSON: {where}.", field="body", hint=JSON_HINT)
    fields = [{"field": _field(f["loc"]), "reason": f["msg"]} for f in faults]
    said = "; ".join(f"{f['field']}: {f['reason']}" for f in fields[:5])
    return _render(
        422, "invalid_request", f"The request is not valid: {said}", field=fields[0]["field"], errors=fields[:50],
        hint=JSON_HINT if fields[0]["field"] == "body" else "Correct the named fields; /docs describes them.",
    )  # fmt: skip


def _field(place: Sequence[int | str]) -> str:
    """The path to a field: without the tag of a union's member, in parentheses, and the mark of a key, in brackets."""
    parts = [str(part) for part in place[1:]]
    return ".".join(part for part in parts if part[:1] + part[-1:] not in ("()", "[]")) or str(place[0])


async def _http(request: Request, error: Exception) -> Response:
    e = cast(HTTPException, error)
    code = {404: "not_found", 405: "method_not_allowed"}.get(e.status_code, "http_error")
    said = str(e.detail) if code == "http_error" else f"There is no route {request.method} {request.url.path}."
    response = _render(e.status_code, code, said, hint="See /docs for the routes and what they take.")
    response.headers.update(e.headers or {})
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("unexpected error", path=request.url.path, exc_info=error)
    return _render(500, "bug", "This is a bug in Sancho.", hint="Report it with the trace id.")


def say(error: SanchoError, path: str, dialects: Dialects) -> Response:
    """Say one of our own errors as it is said below a path."""
    foreign = _dialect(path, dialects)
    return render(error) if foreign is None else foreign(error)


def _dialect(path: str, dialects: Dialects) -> Dialect | None:
    return next((dialect for prefix, dialect in dialects.items() if path.startswith(prefix)), None)


def install(app: FastAPI, dialects: Dialects | None = None) -> None:
    """Render every error of an application as a problem, and below some paths in a dialect."""

    def spoken(handler: Handler) -> Handler:
        async def speak(request: Request, error: Exception) -> Response:
            said = await handler(request, error)
            foreign = _dialect(request.url.path, dialects or {})
            return said if foreign is None else foreign(error)

        return speak

    app.add_exception_handler(SanchoError, spoken(_expected))
    app.add_exception_handler(RequestValidationError, spoken(_invalid))
    app.add_exception_handler(HTTPException, spoken(_http))
    app.add_exception_handler(Exception, spoken(_unexpected))

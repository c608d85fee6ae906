"""What Rucio's clients report of their reads and writes: the log has the gist of it, and nothing is kept.

They send no token and wait for no answer, so what they say proves nothing: usage is counted where it is charged.
"""

from typing import Any

from fastapi import APIRouter, Response

from sancho.kit import telemetry

grid = APIRouter(prefix="/rucio/traces", include_in_schema=False, strict_content_type=False)
elsewhere = APIRouter(prefix="/rucio/nongrid_traces", include_in_schema=False, strict_content_type=False)
TOLD = ("eventType", "clientState", "protocol", "remoteSite", "localSite")
"""What of a report is logged."""
LONGEST = 100

_log = telemetry.log(__name__)


@grid.post("/", status_code=201)
@elsewhere.post("/", status_code=201)
async def note(report: dict[str, Any]) -> Response:
    """Take a report. Needs no token."""
    _log.info("rucio_trace", **{key: str(report[key])[:LONGEST] for key in TOLD if key in report})
    return Response("Created", 201)

"""Rucio's path of measurements for Prometheus."""

from fastapi import Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from sancho.kit.web import Branch

router = Branch(prefix="/rucio/metrics", include_in_schema=False)


@router.get("", response_class=PlainTextResponse)
@router.get("/", response_class=PlainTextResponse)
async def metrics() -> Response:
    """Measurements of this process, as `/metrics` gives them. Needs no token."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

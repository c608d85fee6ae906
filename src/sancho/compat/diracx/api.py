"""All of DiracX's routes that are served, and how errors are said on them."""

from collections.abc import Sequence

from fastapi import APIRouter

from sancho.compat.diracx import (
    auth,
    config,
    health,
    jobs_search,
    pilots,
    refused,
    rescheduling,
    rss,
    sandboxes,
    status,
    submitting,
    well_known,
)
from sancho.compat.diracx.answers import Answers
from sancho.compat.diracx.errors import render
from sancho.kit.problem import Dialects

ROUTERS: Sequence[APIRouter] = (
    well_known.router, auth.router, config.router, rss.router, health.router, submitting.router, jobs_search.router,
    sandboxes.router, status.router, rescheduling.router, pilots.router, refused.router,
)  # fmt: skip
"""Served as they are."""

DIALECTS: Dialects = dict.fromkeys(("/api/", "/.well-known/dirac-metadata", "/.well-known/security.txt"), render)

PUBLIC_PATHS = frozenset({
    "/.well-known/dirac-metadata", "/.well-known/security.txt", "/api/auth/authorize", "/api/auth/authorize/complete",
    "/api/auth/device", "/api/auth/device/complete", "/api/auth/device/complete/finished",
    "/api/auth/legacy-exchange", "/api/auth/revoke", "/api/auth/token", "/api/health/live", "/api/health/ready",
    "/api/health/startup",
})  # fmt: skip
"""Routes that need no token."""

__all__ = ["DIALECTS", "PUBLIC_PATHS", "ROUTERS", "Answers"]

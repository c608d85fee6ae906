"""DiracX's routes, a module for each of its resources."""

from collections.abc import Sequence

from fastapi import APIRouter

from sancho.compat.diracx.api import auth, health, refused, well_known

ROUTERS: Sequence[APIRouter] = (well_known.router, auth.router, health.router, refused.router)
"""Served as they are, below /api and /.well-known."""

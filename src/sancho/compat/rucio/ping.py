"""Whether anybody is there."""

from importlib.metadata import version

from fastapi import APIRouter, Depends

from sancho.compat.rucio.caller import gives
from sancho.compat.rucio.wire import Ping

router = APIRouter(prefix="/rucio", include_in_schema=False, dependencies=[Depends(gives("application/json"))])

COMPATIBLE = "41.5.1"
"""The release of Rucio whose wire this is."""


@router.get("/ping")
@router.get("/ping/")
async def ping() -> Ping:
    """Say which release of Rucio this is compatible with. Needs no token."""
    return Ping(version=f"{COMPATIBLE}+sancho.{version('sancho-grid')}")

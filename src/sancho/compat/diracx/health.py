"""DiracX's probes."""

from fastapi import APIRouter

from sancho.compat.diracx.wire import Status
from sancho.kit.access import INSTANCE
from sancho.kit.web import Deployed
from sancho.vos import service as vos

router = APIRouter(prefix="/api/health", include_in_schema=False)


@router.get("/live")
async def live() -> Status:
    """Say that this process runs."""
    return Status(status="live")


@router.get("/ready")
async def ready(deployment: Deployed) -> Status:
    """Say that this process can serve: the database answers."""
    async with deployment.database.transaction([INSTANCE]) as conn:
        await vos.list_vos(conn)
    return Status(status="ready")


@router.get("/startup")
async def startup() -> Status:
    """Say that this process has started."""
    return Status(status="startup complete")

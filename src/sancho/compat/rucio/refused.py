"""What of Rucio is not served: every other path answers so, as Rucio would."""

from typing import NoReturn

from fastapi import APIRouter, Request

from sancho.compat.rucio.caller import RucioCaller
from sancho.compat.rucio.endpoints import ENDPOINTS
from sancho.compat.rucio.errors import NotServed, PathUnknown

router = APIRouter(prefix="/rucio", include_in_schema=False)


@router.api_route("/{path:path}", methods=["GET", "POST", "PUT", "DELETE"], response_model=None)
async def refuse(request: Request, path: str, caller: RucioCaller) -> NoReturn:  # noqa: ARG001 - it needs a token
    """Say that this is not served here, or that Rucio has no such path."""
    known = any(endpoint.matches(request.method, f"/{path}") for endpoint in ENDPOINTS)
    raise (NotServed if known else PathUnknown)(method=request.method, path=f"/{path[:200]}")

"""What of DiracX's API is not served says so, to those who have logged in."""

from fastapi import APIRouter, Request

from sancho.compat.diracx.endpoints import OPERATIONS, Support
from sancho.compat.diracx.errors import NotServed
from sancho.kit.web import Caller

router = APIRouter(prefix="/api", include_in_schema=False)


async def refuse(request: Request, caller: Caller) -> None:  # noqa: ARG001 - only callers are told what there is
    """Say that an operation is not served."""
    raise NotServed(method=request.method, path=request.url.path)


for operation in OPERATIONS:
    if operation.support is Support.REFUSED:
        router.add_api_route(operation.path.removeprefix("/api"), refuse, methods=[operation.method])

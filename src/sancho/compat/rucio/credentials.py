"""Rucio's signed URLs, for the storages that know such."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from sancho.compat.rucio.caller import RucioCaller, RucioTransaction
from sancho.compat.rucio.errors import PartNotServed
from sancho.compat.rucio.replicas_wire import Count, Pfn, RseName
from sancho.kit.web import Deployed
from sancho.replicas import service

router = APIRouter(prefix="/rucio/credentials", include_in_schema=False)


class Asked(BaseModel, extra="forbid"):
    """Which URL to sign, and for what."""

    rse: RseName
    url: Pfn
    op: Literal["read", "write", "delete"] = "read"
    lifetime: Count = 600
    svc: Annotated[str, Field(max_length=50)] = ""
    """Clients say here what the RSE says of itself: whose signatures it knows."""


@router.get("/signur")
@router.get("/signurl")
async def sign(
    query: Annotated[Asked, Query()], caller: RucioCaller, conn: RucioTransaction, deployment: Deployed
) -> Response:
    """Sign a URL of an RSE, to read the file there or to put one there; for longer than an hour it is for an hour."""
    if query.op == "delete":
        raise PartNotServed(part="The operation delete", what="signed URLs")
    sign = service.sign_writing if query.op == "write" else service.sign_reading
    [signed] = await sign(conn, caller, deployment, query.rse, [query.url], timedelta(seconds=query.lifetime))
    return Response(signed, media_type="text/plain", headers={"Cache-Control": "no-store"})

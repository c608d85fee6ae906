"""Rucio's heartbeats: which programs are alive, and how services of a VO say that they are."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from sancho.compat.rucio.caller import RucioCaller, RucioTransaction, gives
from sancho.compat.rucio.translate import date_of
from sancho.kit.web import Deployed
from sancho.programs import service
from sancho.programs.model import Beat, Program

router = APIRouter(prefix="/rucio/heartbeats", include_in_schema=False, strict_content_type=False)
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._:@-]{0,199}$")]


class HeartbeatIn(BaseModel, extra="forbid"):
    """A program that is alive. How old others must be to be forgotten is not for it to say: a day."""

    executable: Word
    hostname: Word
    pid: Annotated[int, Field(ge=0, lt=2**31)]
    older_than: Annotated[int, Field(ge=0)] | None = None
    payload: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


def heartbeat_of(program: Program) -> list[Any]:
    """A program in Rucio's words, whose order says what they are; times are when it was heard of last, and first."""
    return [
        program.name, program.host, program.pid, program.thread, date_of(program.seen_at), date_of(program.started_at),
        program.detail,
    ]  # fmt: skip


@router.get("", dependencies=[Depends(gives("application/json"))])
@router.get("/", dependencies=[Depends(gives("application/json"))])
async def list_heartbeats(caller: RucioCaller, conn: RucioTransaction, deployment: Deployed) -> list[list[Any]]:
    """List the programs that are alive."""
    return [heartbeat_of(one) for one in await service.alive(conn, caller, deployment.clock.now())]


@router.post("")
@router.post("/")
async def report(body: HeartbeatIn, caller: RucioCaller, conn: RucioTransaction, deployment: Deployed) -> Response:
    """Report that a service of the VO is alive."""
    beat = Beat(name=body.executable, host=body.hostname, pid=body.pid, detail=body.payload)
    await service.report(conn, caller, beat, deployment.clock.now())
    return Response(None, 200)

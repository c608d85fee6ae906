"""Native routes of programs."""

from typing import Annotated

from pydantic import BaseModel, Field

from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.programs import service
from sancho.programs.errors import TooManyPrograms
from sancho.programs.model import Beat, Program

router = native("/programs", tags=["programs"])
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._:@-]{0,199}$")]


class BeatIn(BaseModel, extra="forbid"):
    """A service of the VO that is alive, and what it says of itself."""

    name: Annotated[Word, Field(examples=["importer"])]
    host: Annotated[Word, Field(examples=["vobox.example.org"])]
    pid: Annotated[int, Field(ge=0, lt=2**31)]
    thread: Annotated[str, Field(max_length=100, pattern=r"^[^\x00-\x1f]*$")] = ""
    detail: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


@router.get("")
async def programs(caller: Caller, conn: Transaction, deployment: Deployed) -> list[Program]:
    """List the VO's services that reported in the last day; administrators of the installation see its own too."""
    return await service.alive(conn, caller, deployment.clock.now())


@router.post("", status_code=204, responses=problems(PermissionMissing, TooManyPrograms))
async def report(body: BeatIn, caller: Caller, conn: Transaction, deployment: Deployed) -> None:
    """Report that a service of the VO is alive."""
    await service.report(conn, caller, Beat(**body.model_dump()), deployment.clock.now())

"""The route that lists what jobs want of data."""

from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.errors import CursorMalformed
from sancho.kit.db import TooSlow
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native
from sancho.rules.model import Demanded, Doing

router = native(tags=["jobs"])


class AtOut(BaseModel):
    """How much of it an RSE has."""

    rse: str
    tape: bool
    files: int
    size: int


class MissingOut(BaseModel):
    """What of it is on no disk.

    `coming` files are on their way to one, of those `recalled` from a tape; `nowhere` are those that no tape has.
    """

    files: int
    size: int
    on_tape: int
    coming: int
    recalled: int
    nowhere: int


class DemandOut(BaseModel):
    """A DID that jobs want, that wait or run; `doing` is what is done about it, `rule_id` what pins it, if anything.

    `missing` is null where it has too many files to look at each. Jobs wait while it is `open`, too.
    """

    did: str
    kind: str
    open: bool
    waiting: int
    running: int
    files: int
    size: int
    since: datetime
    at: list[AtOut]
    missing: MissingOut | None
    doing: list[Doing]
    rule_id: int | None


class DemandsOut(BaseModel):
    """A page of what jobs want; `next` is the cursor of the following page, which may be there after an empty one."""

    items: list[DemandOut]
    next: str | None


class DemandsWanted(BaseModel, extra="forbid"):
    """Whether `all` that jobs want is listed, or only what is not all there."""

    all: bool = False
    cursor: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 100


@router.get("/demand", responses=problems(CursorMalformed, TooSlow))
async def list_demand(
    caller: Caller, conn: Transaction, wanted: Annotated[DemandsWanted, Query()]
) -> DemandsOut:  # fmt: skip
    """What jobs of your VO want of data and that is not all there, the longest wanted first; for administrators.

    It was counted at most half a minute ago. What other VOs share with yours is not among it: its owners see to it.
    """
    found, following = await service.list_demand(conn, caller, cursor=wanted.cursor, limit=wanted.limit)
    return DemandsOut(items=[_out(one) for one in found if wanted.all or not one.there], next=following)


def _out(one: Demanded) -> DemandOut:
    missing = one.lacking
    return DemandOut(
        did=one.did, kind=one.kind.word, open=one.open, waiting=one.waiting, running=one.running, files=one.files,
        size=one.size, since=one.since, doing=list(one.doing), rule_id=one.rule_id,
        at=[AtOut(rse=at.rse, tape=at.tape, files=at.files, size=at.size) for at in one.at],
        missing=missing and MissingOut(
            files=missing.files, size=missing.size, on_tape=missing.on_tape, coming=missing.coming,
            recalled=missing.recalled, nowhere=missing.nowhere,
        ),
    )  # fmt: skip

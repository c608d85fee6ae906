"""Jobs killed, held, released and put back to their start: by their ids, or by a search."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from sancho.jobs import service
from sancho.jobs.api.searching import SEARCHED, Where
from sancho.jobs.errors import CursorMalformed, JobNotFound, NotReschedulable, OutputPromisedTwice, RescheduledTooOften
from sancho.jobs.model import MAX_ROWS, JobState
from sancho.jobs.service.rescheduling import AT_WORK, HOLDABLE, RESCHEDULABLE
from sancho.kit.access import NotYours, Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.query import parse
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

CHANGED = (JobNotFound, NotYours, CursorMalformed, *SEARCHED)
ALIVE = frozenset(state for state in JobState if not state.final)
JobIds = Annotated[list[Id], Field(min_length=1, max_length=MAX_ROWS)]


class JobsChosen(BaseModel, extra="forbid"):
    """Jobs by their ids; or those that a search finds, a thousand at a time from the lowest id.

    A search finds jobs that the change is possible for, and your own alone unless you may manage those of others.
    """

    job_ids: JobIds | None = None
    where: Where | None = None
    cursor: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """`next` of the call before, to go on with a search."""

    @model_validator(mode="after")
    def _either(self) -> Self:
        if (self.job_ids is None) == (self.where is None):
            raise ValueError("say job_ids or where, and not both")
        if self.cursor is not None and self.where is None:
            raise ValueError("a cursor goes with where")
        return self


class JobsRescheduled(JobsChosen):
    """Jobs that go back to their start."""

    force: bool = False
    """For administrators: jobs that a pilot has as well; their attempts are given up."""
    anew: bool = False
    """For administrators: begin to count how often it was done."""


class RangeOut(BaseModel):
    """Jobs with all the ids from the first to the last."""

    first: int
    last: int


class ChangedOut(BaseModel):
    """The jobs that were changed; `next`, where a search goes on, which may have found more.

    Jobs of a large submission to which nothing of their own has happened yet are in `ranges` instead.
    """

    changed: list[int]
    ranges: list[RangeOut] | None = None
    next: str | None = None


Change = Callable[[Connection, Principal, list[int]], Awaitable[list[int]]]


@dataclass(frozen=True, kw_only=True)
class How:
    """What a change does to the jobs in one of `states`; those that have no rows it may just put into a state."""

    states: Collection[JobState]
    by: Change
    to: JobState | None = None


async def change(
    conn: Connection, caller: Principal, deployment: Deployment, body: JobsChosen, how: How
) -> ChangedOut:  # fmt: skip
    """Change the jobs that are meant; a search finds those that the change is possible for."""
    if body.where is None:
        return ChangedOut(changed=await how.by(conn, caller, body.job_ids or []))
    query, more = parse(body.where), deployment.job_lookups
    ranges: list[RangeOut] = []
    if how.to is not None and body.cursor is None:
        moved = await service.change_ranges(conn, caller, query, more, states=how.states, state=how.to)
        ranges = [RangeOut(first=first, last=last) for first, last in moved]
    found, following = await service.chosen(conn, caller, query, more, states=how.states, cursor=body.cursor)
    changed = await how.by(conn, caller, found) if found else []
    return ChangedOut(changed=changed, ranges=ranges or None, next=following)


KILL = How(states=ALIVE, by=service.kill, to=JobState.KILLED)
HOLD = How(states=HOLDABLE, by=service.hold, to=JobState.HELD)
RELEASE = How(states={JobState.HELD}, by=service.release, to=JobState.WAITING)


@router.post("/jobs/kill", response_model_exclude_none=True, responses=problems(*CHANGED))
async def kill_jobs(body: JobsChosen, caller: Caller, conn: Transaction, deployment: Deployed) -> ChangedOut:
    """Kill jobs that have not ended."""
    return await change(conn, caller, deployment, body, KILL)


@router.post("/jobs/hold", response_model_exclude_none=True, responses=problems(*CHANGED))
async def hold_jobs(body: JobsChosen, caller: Caller, conn: Transaction, deployment: Deployed) -> ChangedOut:
    """Hold jobs that wait: no pilot gets them until they are released."""
    return await change(conn, caller, deployment, body, HOLD)


@router.post("/jobs/release", response_model_exclude_none=True, responses=problems(*CHANGED))
async def release_jobs(body: JobsChosen, caller: Caller, conn: Transaction, deployment: Deployed) -> ChangedOut:
    """Put jobs that are held back into their queues."""
    return await change(conn, caller, deployment, body, RELEASE)


@router.post(
    "/jobs/reschedule",
    response_model_exclude_none=True,
    responses=problems(*CHANGED, NotReschedulable, RescheduledTooOften, OutputPromisedTwice, PermissionMissing),
)
async def reschedule_jobs(body: JobsRescheduled, caller: Caller, conn: Transaction, deployment: Deployed) -> ChangedOut:
    """Put jobs that wait, are held, have failed or were killed back to their start: all that are named, or none.

    Of those that a search finds, the ones that may not go back stay as they are.
    """

    async def by(conn: Connection, caller: Principal, job_ids: list[int]) -> list[int]:
        if body.where is None:
            return await service.reschedule(conn, caller, job_ids, force=body.force, anew=body.anew)
        return (await service.reschedule_each(conn, caller, job_ids, force=body.force, anew=body.anew))[0]

    states = RESCHEDULABLE | AT_WORK if body.force else RESCHEDULABLE
    return await change(conn, caller, deployment, body, How(states=states, by=by))

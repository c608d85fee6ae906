"""What jobs report while they run: how it goes, and that they are alive."""

from typing import Annotated

from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.errors import AttemptEnded, JobNotFound
from sancho.jobs.model import LONGEST_SOURCE, LONGEST_STATUS, MAX_ROWS, Heartbeat, Report
from sancho.kit.access import NotAJob, NotYours
from sancho.kit.problem import problems
from sancho.kit.units import Amount, Id, Seconds, Time
from sancho.kit.web import Caller, Deployed, JobCaller, JobTransaction, Transaction, native

router = native(tags=["jobs"])

MOST_BEATS = 1000
"""Signs of life in one call."""
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_STATUS)]
Source = Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE)]
Load = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]
Tail = Annotated[str, Field(max_length=65_536)]


class SaidIn(BaseModel, extra="forbid"):
    """How it goes: a `minor` status, what the `application` says, or both; without a time it is so now."""

    at: Time | None = None
    source: Source | None = None
    minor: Text | None = None
    application: Text | None = None


class StatusIn(SaidIn):
    """The same of one of several jobs."""

    job_id: Id


class StatusesIn(BaseModel, extra="forbid"):
    """Reports, of one job too as many as there are, in any order."""

    statuses: Annotated[list[StatusIn], Field(min_length=1, max_length=MAX_ROWS)]


class MeasuredIn(BaseModel, extra="forbid"):
    """What a job uses: bytes and seconds, `disk` what is free; `tail` is the last part of what it prints."""

    load: Load | None = None
    memory: Amount | None = None
    virtual: Amount | None = None
    disk: Amount | None = None
    cpu: Seconds | None = None
    wall: Seconds | None = None
    tail: Tail | None = None


class BeatIn(MeasuredIn):
    """The same of one of several jobs."""

    job_id: Id


class BeatsIn(BaseModel, extra="forbid"):
    """Signs of life, the last of a job counts; `acknowledged` are commands that were heard."""

    beats: Annotated[list[BeatIn], Field(min_length=1, max_length=MOST_BEATS)]
    acknowledged: Annotated[list[Amount], Field(max_length=MOST_BEATS)] = []


class CommandOut(BaseModel):
    """Something to do about a job: told again until it is acknowledged; number 0, until who has lost it ends."""

    command_id: int
    job_id: int
    command: str


class CommandsOut(BaseModel):
    """What is to be done about the jobs that gave a sign of life."""

    commands: list[CommandOut]


@router.patch("/jobs/statuses", status_code=204, responses=problems(JobNotFound, NotYours))
async def report_statuses(body: StatusesIn, caller: Caller, conn: Transaction, deployment: Deployed) -> None:
    """Report how jobs go: of all of them or of none. What is older than what is known is history alone.

    So is what comes from those who ran a job over DiracX's wire and have lost it; heartbeats tell them to end it.
    """
    now = deployment.clock.now()
    reports = [
        Report(
            job_id=one.job_id, at=one.at or now, source=one.source or caller.account, minor=one.minor,
            application=one.application,
        )
        for one in body.statuses
    ]  # fmt: skip
    await service.report(conn, caller, reports, now=now)


@router.patch("/jobs/heartbeats", responses=problems(JobNotFound, NotYours))
async def report_heartbeats(body: BeatsIn, caller: Caller, conn: Transaction) -> CommandsOut:
    """Give signs of life of jobs; the answer says what is to be done about them, until it is acknowledged."""
    signs = {one.job_id: Heartbeat(**one.model_dump()) for one in body.beats}
    given = await service.beat(conn, caller, list(signs.values()), body.acknowledged)
    return CommandsOut(
        commands=[CommandOut(command_id=one.command_id, job_id=one.job_id, command="kill") for one in given]
    )


@router.patch("/job/status", tags=["job"], status_code=204, responses=problems(NotAJob, AttemptEnded))
async def report_own_status(body: SaidIn, caller: JobCaller, conn: JobTransaction, deployment: Deployed) -> None:
    """Report how the job that calls goes."""
    job_id, now = await service.require_running(conn, caller), deployment.clock.now()
    said = Report(
        job_id=job_id, at=body.at or now, source=body.source or "job", minor=body.minor, application=body.application
    )
    await service.report_own(conn, caller.vo, [said], now=now)


@router.patch("/job/heartbeat", tags=["job"], status_code=204, responses=problems(NotAJob, AttemptEnded))
async def report_own_heartbeat(body: MeasuredIn, caller: JobCaller, conn: JobTransaction) -> None:
    """Give a sign of life of the job that calls. When it is killed, its token ends with it: there is no command."""
    job_id = await service.require_running(conn, caller)
    await service.beat_own(conn, caller.vo, [Heartbeat(job_id=job_id, **body.model_dump())])

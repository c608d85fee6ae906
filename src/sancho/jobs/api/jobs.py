"""Jobs shown."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.api.searching import JobOut, row
from sancho.jobs.api.submitting import DidText
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import Awaited, StatusKind
from sancho.jobs.service.views import JobDetail
from sancho.kit.errors import NotFound
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])


class TransitionOut(BaseModel):
    """One line of a job's history; with a `source` it is what was reported, `asked` a state that was asked for."""

    state: str
    at: datetime
    site: str | None
    attempt: int
    detail: str | None
    source: str | None = None
    minor: str | None = None
    application: str | None = None
    asked: str | None = None


class StatusOut(BaseModel):
    """A text that is reported beside the state; `at` is when it was so, as `source` says."""

    text: str
    at: datetime
    source: str


class LastBeatOut(BaseModel):
    """The last sign of life: bytes, seconds; `disk` is what is free."""

    at: datetime
    load: float | None
    memory: int | None
    virtual: int | None
    disk: int | None
    cpu: float | None
    wall: float | None


class AttemptOut(BaseModel):
    """One run of a job; `wall` and `cpu` are seconds, `max_memory` bytes."""

    attempt_id: int
    number: int
    state: str
    site: str
    pilot_id: int
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    wall: float | None
    cpu: float | None
    max_memory: int | None
    detail: str | None


class OutputOut(BaseModel):
    """A promised output."""

    number: int
    path: str
    did: str
    dataset: str | None
    committed: bool


class BeforeOut(BaseModel):
    """A job that has to be `done`, or to have `ended`, before."""

    job_id: int
    state: str
    when: str


class AfterOut(BaseModel):
    """What a job waits for: how many jobs in all, how many still, a few of those; and how many wait for it."""

    jobs: int
    awaited: int
    first: list[BeforeOut]
    waiting_for_it: int


class JobDetailOut(JobOut):
    """Everything about one job; `reason` says why it does not run yet, `trace_id` what to look for in traces.

    `parameters` are those that it was submitted with, `said` is what it says of itself. A `minor` status is of the
    state that the job is in, what the `application` says of its attempt.
    """

    minor: StatusOut | None
    application: StatusOut | None
    heartbeat: LastBeatOut | None

    after: AfterOut
    description: dict[str, Any]
    said: dict[str, Any]
    parameters: dict[str, Any]
    history: list[TransitionOut]
    attempt_list: list[AttemptOut]
    inputs: list[str]
    outputs: list[OutputOut]
    reason: str | None
    trace_id: str | None


class LogOut(BaseModel):
    """The last part of what an attempt printed; `log_size` counts all of it, in bytes."""

    attempt: int | None
    state: str
    tail: str
    log_size: int
    final: bool


class GetUrlOut(BaseModel):
    """A presigned URL to GET from."""

    url: str


class DidsIn(BaseModel, extra="forbid"):
    """Files by DID."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=1000)]


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _status(view: JobDetail, kind: StatusKind) -> StatusOut | None:
    one = view.statuses.get(kind)
    return None if one is None else StatusOut(text=one.said, at=one.at, source=one.source)


def _after(after: Awaited) -> AfterOut:
    return AfterOut(
        jobs=after.all, awaited=after.open, waiting_for_it=after.waiting_for_it,
        first=[BeforeOut(job_id=job_id, state=state.word, when=when.word) for job_id, state, when in after.first],
    )  # fmt: skip


@router.post("/jobs/producers")
async def find_producers(body: DidsIn, caller: Caller, conn: Transaction) -> dict[str, int]:
    """The job that made each of these files, where one did."""
    return await service.producers(conn, caller, body.dids)


@router.get("/jobs/{job_id}", responses=problems(JobNotFound))
async def get_job(job_id: Id, caller: Caller, conn: Transaction) -> JobDetailOut:
    """Everything about one job."""
    view = await service.get(conn, caller, job_id)
    paths = [o["path"] for o in view.description["outputs"]]
    return JobDetailOut(
        **row(view.job), said=dict(view.said),
        description=dict(view.description), parameters=dict(view.parameters), reason=view.reason,
        trace_id=view.trace_id, minor=_status(view, StatusKind.MINOR),
        application=_status(view, StatusKind.APPLICATION),
        heartbeat=None if view.heartbeat is None else LastBeatOut(**asdict(view.heartbeat)),
        inputs=list(view.description["inputs"]), after=_after(view.after),
        history=[
            TransitionOut(
                state=h.state.word, at=h.at, site=h.site, attempt=h.attempt, detail=h.detail, source=h.source,
                minor=h.minor, application=h.application, asked=h.asked,
            )
            for h in view.history
        ],
        attempt_list=[
            AttemptOut(
                attempt_id=a.attempt_id, number=a.number, state=a.state.word, site=a.site, pilot_id=a.pilot_id,
                started_at=a.started_at, ended_at=a.ended_at, exit_code=a.exit_code, max_memory=a.max_memory,
                wall=_seconds(a.wall), cpu=_seconds(a.cpu), detail=a.detail,
            )
            for a in view.attempts
        ],
        outputs=[
            OutputOut(number=n, path=paths[n], did=did, dataset=dataset, committed=did_id is not None)
            for n, did, dataset, did_id, *_ in view.outputs
        ],
    )  # fmt: skip


@router.get("/jobs/{job_id}/log", responses=problems(JobNotFound))
async def get_job_log(
    job_id: Id, caller: Caller, conn: Transaction, attempt: Annotated[int | None, Query(ge=1, lt=2**15)] = None,
    follow: bool = False,
) -> LogOut:  # fmt: skip
    """The last part of what a job prints, while it runs and after; who will ask again says `follow`."""
    state = (await service.get_spec(conn, caller.vo, job_id)).state
    tail = await service.log(conn, caller, job_id, attempt, follow=follow)
    if tail is None:
        said = await service.own_tail(conn, caller.vo, job_id) or ""
        size = len(said.encode())
        return LogOut(attempt=None, state=state.word, tail=said, log_size=size, final=state.final)
    return LogOut(attempt=tail.attempt, state=state.word, tail=tail.tail, log_size=tail.log_size, final=state.final)


@router.get("/jobs/{job_id}/sandbox", responses=problems(JobNotFound))
async def get_job_sandbox(job_id: Id, caller: Caller, deployment: Deployed) -> GetUrlOut:
    """A presigned URL of the output sandbox, a tar.gz: stdout, stderr and what the description asked for."""
    url = await service.find_output_url(deployment, caller, job_id)
    if url is None:
        raise NotFound(what=f"The output sandbox of job {job_id}", hint="It comes with the end of an attempt.")
    return GetUrlOut(url=url)

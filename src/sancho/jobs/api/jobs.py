"""Jobs shown, killed and rescheduled."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.api.submitting import DidText, Name
from sancho.jobs.errors import JobNotFound, NotReschedulable
from sancho.jobs.model import MAX_ROWS, JobState
from sancho.jobs.store.views import JobRow
from sancho.kit.errors import NotFound
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])


class JobOut(BaseModel):
    """A job as lists show it."""

    job_id: int
    name: str
    state: str
    account: str
    site: str | None
    attempts: int
    submission_id: int
    number: int
    submitted_at: datetime
    changed_at: datetime
    detail: str | None


class JobsOut(BaseModel):
    """A page of jobs; `next` is the cursor of the following page."""

    items: list[JobOut]
    next: int | None


class TransitionOut(BaseModel):
    """One line of a job's history."""

    state: str
    at: datetime
    site: str | None
    attempt: int
    detail: str | None


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


class JobDetailOut(JobOut):
    """Everything about one job; `reason` says why it does not run yet, `trace_id` what to look for in traces."""

    description: dict[str, Any]
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


class StateCount(BaseModel):
    """How many jobs are in a state."""

    state: str
    count: int


class JobIds(BaseModel, extra="forbid"):
    """Jobs by id."""

    job_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ROWS)]


class ChangedOut(BaseModel):
    """The jobs that were changed."""

    changed: list[int]


class GetUrlOut(BaseModel):
    """A presigned URL to GET from."""

    url: str


class DidsIn(BaseModel, extra="forbid"):
    """Files by DID."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=1000)]


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _row(job: JobRow) -> dict[str, Any]:
    return {
        "job_id": job.job_id, "name": job.name, "state": job.state.word, "account": job.account, "site": job.site,
        "attempts": job.attempts, "submission_id": job.submission_id, "number": job.number,
        "submitted_at": job.submitted_at, "changed_at": job.changed_at, "detail": job.detail,
    }  # fmt: skip


class JobsWanted(BaseModel, extra="forbid"):
    """Which jobs a list shows."""

    state: list[Literal["pending", "waiting", "matched", "running", "completing", "done", "failed", "killed"]] = []
    name: Name | None = None
    mine: bool = False
    submission: Id | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.get("/jobs")
async def list_jobs(caller: Caller, conn: Transaction, wanted: Annotated[JobsWanted, Query()]) -> JobsOut:
    """Jobs of your VO, newest first."""
    letters = {s.word: s.value for s in JobState}
    said = {
        "states": [letters[w] for w in wanted.state] or None, "name": wanted.name, "before": wanted.cursor,
        "account_id": caller.account_id if wanted.mine else None, "submission_id": wanted.submission,
        "limit": wanted.limit,
    }  # fmt: skip
    rows = await service.list_jobs(conn, caller, said)
    more = rows[-1].job_id if len(rows) == wanted.limit else None
    return JobsOut(items=[JobOut(**_row(j)) for j in rows], next=more)


@router.get("/jobs/summary")
async def summarise_jobs(caller: Caller, conn: Transaction, submission: Id | None = None) -> list[StateCount]:
    """Jobs by state, of your VO or of one submission."""
    return [StateCount(state=s.word, count=n) for s, n in await service.summarise(conn, caller, submission)]


@router.post("/jobs/kill", responses=problems(JobNotFound))
async def kill_jobs(body: JobIds, caller: Caller, conn: Transaction) -> ChangedOut:
    """Kill jobs that have not ended."""
    return ChangedOut(changed=await service.kill(conn, caller, body.job_ids))


@router.post("/jobs/reschedule", responses=problems(JobNotFound, NotReschedulable))
async def reschedule_jobs(body: JobIds, caller: Caller, conn: Transaction) -> ChangedOut:
    """Put failed or killed jobs back into their queues."""
    return ChangedOut(changed=await service.reschedule(conn, caller, body.job_ids))


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
        **_row(view.job),
        description=dict(view.description), parameters=dict(view.parameters), reason=view.reason,
        trace_id=view.trace_id,
        inputs=list(view.description["inputs"]),
        history=[
            TransitionOut(state=h.state.word, at=h.at, site=h.site, attempt=h.attempt, detail=h.detail)
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
    job_id: Id, caller: Caller, conn: Transaction, attempt: Annotated[int | None, Query(ge=1, lt=2**15)] = None
) -> LogOut:
    """The last part of what a job prints, while it runs and after."""
    state = (await service.get_spec(conn, caller.vo, job_id)).state
    tail = await service.log(conn, caller, job_id, attempt)
    if tail is None:
        return LogOut(attempt=None, state=state.word, tail="", log_size=0, final=state.final)
    return LogOut(attempt=tail.attempt, state=state.word, tail=tail.tail, log_size=tail.log_size, final=state.final)


@router.get("/jobs/{job_id}/sandbox", responses=problems(JobNotFound))
async def get_job_sandbox(job_id: Id, caller: Caller, conn: Transaction, deployment: Deployed) -> GetUrlOut:
    """A presigned URL of the output sandbox: stdout, stderr and what the description asked for."""
    tail = await service.log(conn, caller, job_id, None)
    if tail is None or tail.sandbox is None:
        raise NotFound(what=f"The output sandbox of job {job_id}", hint="It comes with the end of an attempt.")
    return GetUrlOut(url=await service.sandbox_url(deployment, caller.vo, tail.sandbox))

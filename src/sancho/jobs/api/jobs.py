"""Jobs shown."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.api.searching import JobOut, row
from sancho.jobs.api.submitting import DidText
from sancho.jobs.errors import JobNotFound
from sancho.kit.errors import NotFound
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])


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
    """Everything about one job; `reason` says why it does not run yet, `trace_id` what to look for in traces.

    `parameters` are those that it was submitted with, `said` is what it says of itself.
    """

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

"""Native routes of jobs."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Discriminator, Field, Tag

from sancho.jobs import service
from sancho.jobs.errors import (
    JobNotFound,
    KeyUsed,
    NoSiteCanRun,
    NotReschedulable,
    OutputOutside,
    OutputPromisedTwice,
    ParameterMissing,
    SandboxMissing,
    TooManyInputs,
    TooManyOutputs,
)
from sancho.jobs.model import (
    MAX_ROWS,
    Description,
    JobState,
    Output,
    Requirement,
    RuleWish,
    Submission,
    leads_outside,
)
from sancho.jobs.store.views import JobRow
from sancho.kit.errors import NotFound
from sancho.kit.problem import problems
from sancho.kit.units import Duration, Id, Scalar, Size
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=4096)]
DidText = Annotated[str, Field(min_length=3, max_length=300)]


def _inside(path: str) -> str:
    if leads_outside(path):
        raise ValueError("must be a path inside the job's folder")
    return path


class RequirementIn(BaseModel, extra="forbid"):
    """What the job needs of a slot. Sizes are bytes or "2 GB", durations seconds or "1 h 30 min"."""

    cores: Annotated[int, Field(ge=1, le=4096)] = 1
    memory: Size = 2_000_000_000
    walltime: Duration = timedelta(hours=1)
    tags: Annotated[list[Name], Field(max_length=100)] = []
    sites: Annotated[list[Name], Field(max_length=1000)] = []
    banned_sites: Annotated[list[Name], Field(max_length=1000)] = []


class RuleIn(BaseModel, extra="forbid"):
    """The rule that holds an output: on its dataset, or on the file when it has none."""

    copies: Annotated[int, Field(ge=1, le=100)] = 1
    rse_expression: Annotated[str, Field(min_length=1, max_length=3000)]
    lifetime: Duration | None = None


class OutputIn(BaseModel, extra="forbid"):
    """A file the job promises."""

    path: Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_inside)]
    did: DidText
    dataset: DidText | None = None
    rule: RuleIn | None = None


class DescriptionIn(BaseModel, extra="forbid"):
    """What to compute; `{name}` in command, environment and outputs is filled in from each job's parameters."""

    name: Name
    command: Annotated[list[Text], Field(min_length=1, max_length=1000)]
    group: Name | None = None
    environment: dict[Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)], Text] = {}
    sandbox: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    inputs: Annotated[list[DidText], Field(max_length=10_000)] = []
    outputs: Annotated[list[OutputIn], Field(max_length=1000)] = []
    close_datasets: bool = False
    output_sandbox: Annotated[list[Text], Field(max_length=100)] = []
    requirements: RequirementIn = RequirementIn()
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 3
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0

    def description(self) -> Description:
        """The same as a value of ours."""
        need = self.requirements
        return Description(
            name=self.name, command=tuple(self.command), group=self.group, environment=self.environment,
            sandbox=self.sandbox, inputs=tuple(self.inputs), outputs=tuple(_output(o) for o in self.outputs),
            close_datasets=self.close_datasets, output_sandbox=tuple(self.output_sandbox),
            requirements=Requirement(
                cores=need.cores, memory=need.memory, walltime=need.walltime, tags=tuple(need.tags),
                sites=tuple(need.sites), banned_sites=tuple(need.banned_sites),
            ),
            max_attempts=self.max_attempts, priority=self.priority,
        )  # fmt: skip


class Count(BaseModel, extra="forbid"):
    """So many jobs that differ only in their `number`, from 1."""

    count: Annotated[int, Field(ge=1, le=MAX_ROWS)]


Row = dict[Annotated[str, Field(pattern="^[a-z_][a-z0-9_]*$", max_length=128)], Scalar]
Rows = Annotated[list[Row], Field(min_length=1, max_length=MAX_ROWS)]


def _rows_or_count(value: Any) -> str:
    return "(count)" if isinstance(value, dict | Count) else "(rows)"


class SubmitIn(BaseModel, extra="forbid"):
    """Jobs to submit together; sent again with the same `idempotency_key`, they are not submitted twice."""

    description: DescriptionIn
    parameters: Annotated[
        Annotated[Rows, Tag("(rows)")] | Annotated[Count, Tag("(count)")], Discriminator(_rows_or_count)
    ] = Count(count=1)
    """A row of parameters for each job, whose names begin with a small letter; or how many jobs."""
    idempotency_key: Annotated[str, Field(min_length=8, max_length=128)] | None = None


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


class SandboxIn(BaseModel, extra="forbid"):
    """A sandbox to come: tar.gz, named by its content."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=100_000_000)]


class PutUrlOut(BaseModel):
    """A presigned URL to PUT to; null when nothing is to be sent."""

    url: str | None


class GetUrlOut(BaseModel):
    """A presigned URL to GET from."""

    url: str


class DidsIn(BaseModel, extra="forbid"):
    """Files by DID."""

    dids: Annotated[list[DidText], Field(min_length=1, max_length=1000)]


def _output(output: OutputIn) -> Output:
    rule = output.rule and RuleWish(
        copies=output.rule.copies, rse_expression=output.rule.rse_expression, lifetime=output.rule.lifetime
    )
    return Output(path=output.path, did=output.did, dataset=output.dataset, rule=rule)


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _row(job: JobRow) -> dict[str, Any]:
    return {
        "job_id": job.job_id, "name": job.name, "state": job.state.word, "account": job.account, "site": job.site,
        "attempts": job.attempts, "submission_id": job.submission_id, "number": job.number,
        "submitted_at": job.submitted_at, "changed_at": job.changed_at, "detail": job.detail,
    }  # fmt: skip


@router.post(
    "/jobs",
    status_code=201,
    responses=problems(
        ParameterMissing, NoSiteCanRun, SandboxMissing, OutputOutside, OutputPromisedTwice, TooManyInputs,
        TooManyOutputs, KeyUsed,
    ),
)  # fmt: skip
async def submit_jobs(body: SubmitIn, caller: Caller, conn: Transaction, deployment: Deployed) -> Submission:
    """Submit jobs: all of them or none."""
    if body.description.sandbox is not None:
        await service.check_sandbox(deployment, conn, caller.vo, body.description.sandbox)
    rows: list[dict[str, Any]] = [{}] * body.parameters.count if isinstance(body.parameters, Count) else body.parameters
    return await service.submit(conn, caller, body.description.description(), rows, key=body.idempotency_key)


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


@router.post("/sandboxes", status_code=201)
async def announce_sandbox(body: SandboxIn, caller: Caller, conn: Transaction, deployment: Deployed) -> PutUrlOut:
    """Announce an input sandbox; PUT it to the URL unless that is null."""
    sha256 = bytes.fromhex(body.sha256)
    return PutUrlOut(url=await service.announce_sandbox(deployment, conn, caller, sha256, body.size))

"""Jobs submitted, and the sandboxes that go with them."""

from datetime import timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Discriminator, Field, Tag, model_validator

from sancho.jobs import service
from sancho.jobs.api.after import Afters, afters
from sancho.jobs.errors import (
    AfterUnfit,
    BeforeFailed,
    Circular,
    JobNotFound,
    KeyUsed,
    NoSiteCanRun,
    OutputOutside,
    OutputPromisedTwice,
    ParameterMissing,
    RangesNotYet,
    SandboxDiffers,
    SandboxLeaving,
    SandboxMissing,
    TooManyEdges,
    TooManyInputs,
    TooManyJobs,
    TooManyOutputs,
)
from sancho.jobs.model import (
    CAPABILITY,
    MAX_ROWS,
    MOST_COUNTED,
    MOST_PARTS,
    MOST_RETRIES,
    Description,
    Output,
    Part,
    Requirement,
    Retry,
    RuleWish,
    Submission,
    leads_outside,
)
from sancho.jobs.model.sandboxes import LARGEST_SANDBOX, Announced
from sancho.kit.documents import read
from sancho.kit.problem import problems
from sancho.kit.tags import LONGEST, TagsMalformed
from sancho.kit.units import Duration, Scalar, Size
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

Name = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=4096)]
DidText = Annotated[str, Field(min_length=3, max_length=300)]


def _inside(path: str) -> str:
    if leads_outside(path):
        raise ValueError("must be a path inside the job's folder")
    return path


TagWish = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,50}$")]
Capability = Annotated[str, Field(pattern=CAPABILITY)]


class GpusIn(BaseModel, extra="forbid"):
    """The GPUs that the job needs; memory of each."""

    count: Annotated[int, Field(ge=1, le=1000)] = 1
    vendor: Word | None = None
    memory: Size = 0
    min_capability: Capability | None = None
    max_capability: Capability | None = None


class RequirementIn(BaseModel, extra="forbid"):
    """What the job needs of a slot. Sizes are bytes or "2 GB", durations seconds or "1 h 30 min"."""

    cores: Annotated[int, Field(ge=1, le=4096)] = 1
    max_cores: Annotated[int | None, Field(ge=1, le=4096)] = None
    """It gets up to so many, where a slot has them."""
    memory: Size = 2_000_000_000
    memory_per_core: Size = 0
    """So much more for each core that it gets."""
    memory_limit: Size | None = None
    """Where it is stopped; if it is not said, at what it needs."""
    walltime: Duration = timedelta(hours=1)
    cpu_work: Annotated[float | None, Field(gt=0, le=1e15)] = None
    """HEPscore23 seconds of all cores: on a slot of known power it needs no longer than that takes."""
    scratch: Size = 0
    io: Size = 0
    """Bytes a second that it reads from storage."""
    system: Word | None = None
    architecture: Word | None = None
    min_microarchitecture: Annotated[int | None, Field(ge=1, le=1000)] = None
    max_microarchitecture: Annotated[int | None, Field(ge=1, le=1000)] = None
    gpus: GpusIn | None = None
    tags: Annotated[list[TagWish], Field(max_length=100)] = []
    """Each a tag, or a wish such as `os:el9 | os:ubuntu26` or `~site:X`."""
    sites: Annotated[list[Name], Field(max_length=1000)] = []
    banned_sites: Annotated[list[Name], Field(max_length=1000)] = []
    far: bool | None = None
    """It rather reads its inputs from other sites than waits for a slot at one that has most of them."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for least, most, what in (
            (self.cores, self.max_cores, "max_cores"),
            (self.min_microarchitecture, self.max_microarchitecture, "max_microarchitecture"),
        ):
            if least is not None and most is not None and most < least:
                raise ValueError(f"{what} is less than what is needed")
        return self

    def requirement(self) -> Requirement:
        """The same as a value of ours."""
        return read(Requirement, {**self.model_dump(), "far": self.far or None})


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


StartWith = Annotated[
    str,
    BeforeValidator(_as_text, json_schema_input_type=int | str),
    Field(pattern=r"^(?:[1-9][0-9]{0,3}|10000|[1-9][0-9]?%|100%)$", examples=["80%"]),
]


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


Retries = Annotated[int, Field(ge=0, le=MOST_RETRIES)]


ExitCodes = Annotated[tuple[Annotated[int, Field(ge=1, le=255)], ...], Field(min_length=1, max_length=255)]


class RetryIn(BaseModel, extra="forbid"):
    """How often the job is tried again, by whose fault it failed."""

    site: Retries | None = None
    """Of the site: its nodes and storage, a pilot that fell silent. By default as often as `max_attempts` lets."""
    data: Retries = 1
    """An input that was nowhere to be had."""
    job: Retries = 0
    """The payload's own fault: its exit code, or more than it asked for."""
    temporary: ExitCodes | None = None
    """Exit codes with which the payload says that it may fare better the next time: tried again while `max_attempts`
    allows, whatever `job` says."""
    permanent: ExitCodes | None = None
    """Exit codes with which it says that it would fail again: never tried again."""

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if both := set(self.temporary or ()) & set(self.permanent or ()):
            raise ValueError(f"exit code {min(both)} is temporary and permanent")
        return self

    @property
    def attempts(self) -> int:
        """How many attempts there may be, when nothing else bounds them."""
        return max(3, 1 + (self.site or 0) + self.data + self.job)


class DescriptionIn(BaseModel, extra="forbid"):
    """What to compute; `{name}` in command, environment and outputs is filled in from each job's parameters."""

    name: Name
    command: Annotated[list[Text], Field(min_length=1, max_length=1000)]
    group: Name | None = None
    type: Name | None = None
    """What kind of job it is; limits may count by it."""
    job_group: Name | None = None
    """A name for jobs that belong together, to find them by."""
    environment: dict[Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)], Text] = {}
    sandbox: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    inputs: Annotated[list[DidText], Field(max_length=10_000)] = []
    start_with: StartWith | None = None
    """It may start when so many of its input files are there, `40`, or that part of them, `80%`; by default all."""
    outputs: Annotated[list[OutputIn], Field(max_length=1000)] = []
    close_datasets: bool = False
    output_sandbox: Annotated[list[Text], Field(max_length=100)] = []
    requirements: RequirementIn = RequirementIn()
    alternatives: Annotated[list[RequirementIn], Field(max_length=7)] = []
    """Other ways in which the job can run as well."""
    max_attempts: Annotated[int | None, Field(ge=1, le=100)] = None
    """All attempts together; if it is not said 3, or as many as `retry` asks for."""
    retry: RetryIn = RetryIn()
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0

    def description(self) -> Description:
        """The same as a value of ours."""
        return Description(
            name=self.name, command=tuple(self.command), group=self.group, type=self.type,
            job_group=self.job_group, environment=self.environment,
            sandbox=self.sandbox, inputs=tuple(self.inputs),
            start_with=self.start_with,
            outputs=tuple(_output(o) for o in self.outputs),
            close_datasets=self.close_datasets, output_sandbox=tuple(self.output_sandbox),
            requirements=self.requirements.requirement(),
            alternatives=tuple(way.requirement() for way in self.alternatives),
            max_attempts=min(self.max_attempts or self.retry.attempts, 100), retry=Retry(**self.retry.model_dump()),
            priority=self.priority,
        )  # fmt: skip


class Count(BaseModel, extra="forbid"):
    """So many jobs that differ only in their `number`, from 1. More than 10 000 have neither inputs nor outputs."""

    count: Annotated[int, Field(ge=1, le=MOST_COUNTED)]


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
    anyway: bool = False
    """Wait for a site that can run them, though none can ever now."""
    after: Afters = []
    """Jobs that come before: by their ids, or by the name of a description of this call."""

    @property
    def count(self) -> int:
        """How many jobs these are."""
        return self.parameters.count if isinstance(self.parameters, Count) else len(self.parameters)

    def part(self) -> Part:
        """The same as a value of ours."""
        rows = self.parameters.count if isinstance(self.parameters, Count) else self.parameters
        return Part(
            description=self.description.description(), parameters=rows, key=self.idempotency_key, anyway=self.anyway,
            after=afters(self.after),
        )  # fmt: skip


class GraphIn(BaseModel, extra="forbid"):
    """Submissions that are made together, all or none; jobs of one may wait for those of another."""

    submissions: Annotated[list[SubmitIn], Field(min_length=1, max_length=MOST_PARTS)]

    @model_validator(mode="after")
    def _few(self) -> Self:
        if sum(one.count for one in self.submissions) > MAX_ROWS:
            raise ValueError(f"these are more than {MAX_ROWS} jobs")
        return self


class GraphOut(BaseModel):
    """What was submitted, in the order of the request."""

    submissions: list[Submission]


class SandboxIn(BaseModel, extra="forbid"):
    """A sandbox to come: tar.gz, named by its content."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    size: Annotated[int, Field(ge=1, le=LARGEST_SANDBOX)]


class PutUrlOut(BaseModel):
    """A presigned URL to PUT to; null when nothing is to be sent."""

    url: str | None


def _output(output: OutputIn) -> Output:
    rule = output.rule and RuleWish(
        copies=output.rule.copies, rse_expression=output.rule.rse_expression, lifetime=output.rule.lifetime
    )
    return Output(path=output.path, did=output.did, dataset=output.dataset, rule=rule)


SUBMITTED = (
    ParameterMissing, TagsMalformed, NoSiteCanRun, SandboxMissing, OutputOutside, OutputPromisedTwice, TooManyInputs,
    TooManyOutputs, TooManyJobs, RangesNotYet,
)  # fmt: skip
"""What may be wrong with a description."""


AWAITING = (AfterUnfit, Circular, TooManyEdges, JobNotFound, BeforeFailed)
"""What may be wrong with what jobs wait for."""


@router.post("/jobs", status_code=201, responses=problems(*SUBMITTED, KeyUsed, *AWAITING))
async def submit_jobs(body: SubmitIn, caller: Caller, conn: Transaction, deployment: Deployed) -> Submission:
    """Submit jobs: all of them or none; the answer says how many sites could run them."""
    if body.description.sandbox is not None:
        await service.check_sandbox(deployment, conn, caller.vo, body.description.sandbox)
    if body.count > deployment.most_jobs:
        raise TooManyJobs(count=body.count, limit=deployment.most_jobs)
    return await service.submit_part(conn, caller, body.part())


@router.post("/jobs/graph", status_code=201, responses=problems(*SUBMITTED, KeyUsed, *AWAITING))
async def submit_graph(body: GraphIn, caller: Caller, conn: Transaction, deployment: Deployed) -> GraphOut:
    """Submit jobs of several descriptions, of which some wait for others: all of them or none."""
    for sandbox in sorted({one.description.sandbox for one in body.submissions if one.description.sandbox}):
        await service.check_sandbox(deployment, conn, caller.vo, sandbox)
    made = await service.submit_all(conn, caller, [one.part() for one in body.submissions])
    return GraphOut(submissions=made)


@router.post("/sandboxes", status_code=201, responses=problems(SandboxDiffers, SandboxLeaving))
async def announce_sandbox(body: SandboxIn, caller: Caller, deployment: Deployed) -> PutUrlOut:
    """Announce an input sandbox; PUT it to the URL unless that is null."""
    sandbox = Announced(sha256=bytes.fromhex(body.sha256), size=body.size)
    _, target = await service.announce_sandbox(deployment, caller, sandbox)
    return PutUrlOut(url=target and target.url)

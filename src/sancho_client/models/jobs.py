"""Jobs: what is submitted, and what the server says about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import Field

from sancho_client.models.base import Answer, Duration, Request, Size, Strings

FINAL = frozenset({"done", "failed", "killed"})
"""States in which nothing more happens by itself."""


class RuleWish(Request):
    """The rule that holds an output: on its dataset, or on the file when it has none."""

    copies: int = 1
    rse_expression: str
    lifetime: Duration | None = None


class Output(Request):
    """A file that the job promises: its path in the job's folder, its DID, the dataset it joins, the rule."""

    path: str
    did: str
    dataset: str | None = None
    rule: RuleWish | None = None


class Gpus(Request):
    """The GPUs that the job needs; memory of each."""

    count: int = 1
    vendor: str | None = None
    memory: Size = 0
    min_capability: str | None = None
    max_capability: str | None = None


class Requirements(Request):
    """What the job needs of a slot; no `sites` means any. It gets up to `max_cores`, where a slot has them.

    `cpu_work` is in HEPscore23 seconds of all cores; `io` in bytes a second. Each of the `tags` is a tag, or a wish
    such as `os:el9 | os:ubuntu26`.
    """

    cores: int = 1
    max_cores: int | None = None
    memory: Size = "2 GB"
    memory_per_core: Size = 0
    memory_limit: Size | None = None
    walltime: Duration = 3600.0
    cpu_work: float | None = None
    scratch: Size = 0
    io: Size = 0
    system: str | None = None
    architecture: str | None = None
    min_microarchitecture: int | None = None
    max_microarchitecture: int | None = None
    gpus: Gpus | None = None
    tags: list[str] = Field(default_factory=list[str])
    sites: list[str] = Field(default_factory=list[str])
    banned_sites: list[str] = Field(default_factory=list[str])
    far: bool | None = None
    """It rather reads its inputs from other sites than waits for a slot at one that has most of them."""


class Retry(Request):
    """How often the job is tried again, by whose fault it failed; no `site`: as often as `max_attempts` allows."""

    site: int | None = None
    data: int = 1
    job: int = 0
    temporary: list[int] | None = None
    """Exit codes with which the payload asks to be tried again, while `max_attempts` allows."""
    permanent: list[int] | None = None
    """Exit codes with which it says that it would fail again."""


class JobDescription(Request):
    """What to compute. `{name}` in command, environment and outputs is filled in from each job's parameters."""

    name: str
    command: list[str]
    group: str | None = None
    type: str | None = None
    job_group: str | None = None
    environment: dict[str, str] = Field(default_factory=dict[str, str])
    sandbox: str | None = None
    inputs: list[str] = Field(default_factory=list[str])
    start_with: int | str | None = None
    """It may start when so many of its input files are there, `40`, or that part of them, `80%`; by default all."""
    outputs: list[Output] = Field(default_factory=list[Output])
    close_datasets: bool = False
    output_sandbox: list[str] = Field(default_factory=list[str])
    requirements: Requirements = Field(default_factory=Requirements)
    alternatives: list[Requirements] = Field(default_factory=list[Requirements])
    """Other ways in which the job can run as well."""
    max_attempts: int | None = None
    """All attempts together; if it is not said 3, or as many as `retry` asks for."""
    retry: Retry = Field(default_factory=Retry)
    priority: int = 0


class InsertedJob(Answer):
    """A job that came of a JDL."""

    job_id: int = Field(validation_alias="JobID")


class Job(Answer):
    """A job as it stands in a list; `attempts` counts them, `number` is its place in its submission.

    `values` are those of the columns that were asked for.
    """

    job_id: int
    name: str
    state: str
    account: str
    site: str | None = None
    attempts: int = 0
    submission_id: int
    number: int
    submitted_at: datetime
    changed_at: datetime
    detail: str | None = None
    values: Mapping[str, Any] = Field(default_factory=dict[str, Any])

    @property
    def over(self) -> bool:
        """True when nothing more happens by itself."""
        return self.state in FINAL


class Change(Answer):
    """One line of a job's history; with a `source` it is what was reported, `asked` a state that was asked for."""

    state: str
    at: datetime
    site: str | None = None
    attempt: int | None = None
    detail: str | None = None
    source: str | None = None
    minor: str | None = None
    application: str | None = None
    asked: str | None = None


class JobReport(Request):
    """How a job goes: a `minor` status, what the `application` says, or both; without a time it is so now."""

    job_id: int
    minor: str | None = None
    application: str | None = None
    source: str | None = None
    at: datetime | None = None


class JobBeat(Request):
    """A sign of life of a job: bytes and seconds, `disk` what is free; `tail` is the last part of what it prints."""

    job_id: int
    load: float | None = None
    memory: int | None = None
    virtual: int | None = None
    disk: int | None = None
    cpu: float | None = None
    wall: float | None = None
    tail: str | None = None


class JobCommand(Answer):
    """Something to do about a job, which is said again until it is acknowledged."""

    command_id: int
    job_id: int
    command: str


class JobCommands(Answer):
    """What is to be done about jobs that gave a sign of life."""

    commands: tuple[JobCommand, ...] = ()


class JobStatus(Answer):
    """A text that is reported beside the state; `at` is when it was so, as `source` says."""

    text: str
    at: datetime
    source: str


class LastBeat(Answer):
    """The last sign of life of a job: bytes, seconds; `disk` is what is free."""

    at: datetime
    load: float | None = None
    memory: int | None = None
    virtual: int | None = None
    disk: int | None = None
    cpu: float | None = None
    wall: float | None = None


class Attempt(Answer):
    """One run of a job on one pilot; durations in seconds, memory in bytes."""

    attempt_id: int
    number: int
    state: str
    site: str | None = None
    pilot_id: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    wall: float | None = None
    cpu: float | None = None
    max_memory: int | None = None
    detail: str | None = None


class JobOutput(Answer):
    """A promised file, and whether it is in the catalogue."""

    number: int
    path: str
    did: str
    dataset: str | None = None
    committed: bool


class Before(Answer):
    """A job that has to be `done`, or to have `ended`, before."""

    job_id: int
    state: str
    when: str


class Awaits(Answer):
    """What a job waits for: how many jobs in all, how many still, a few of those; and how many wait for it."""

    jobs: int = 0
    awaited: int = 0
    first: tuple[Before, ...] = ()
    waiting_for_it: int = 0


class JobDetail(Job):
    """All that is known about a job; `reason` says why it does not run yet, `trace_id` what to look for in traces.

    `parameters` are those that it was submitted with, `said` is what it says of itself.
    """

    minor: JobStatus | None = None
    application: JobStatus | None = None
    heartbeat: LastBeat | None = None
    after: Awaits = Field(default_factory=Awaits)
    description: Mapping[str, Any]
    said: Mapping[str, Any] = Field(default_factory=dict[str, Any])
    parameters: Mapping[str, Any] | None = None
    history: tuple[Change, ...] = ()
    attempt_list: tuple[Attempt, ...] = ()
    outputs: tuple[JobOutput, ...] = ()
    inputs: Strings = ()
    reason: str | None = None
    trace_id: str | None = None


class JobCount(Answer, extra="allow"):
    """How many jobs have some values, which stand beside the number by the names of their fields."""

    count: int

    @property
    def values(self) -> Mapping[str, Any]:
        """What they have in common."""
        return self.model_extra or {}

    @property
    def state(self) -> str:
        """The state, of those that were counted by it."""
        return str(self.values["state"])


class JobView(Answer):
    """A search that an account has named."""

    name: str
    where: str = ""
    sort: str = "-id"
    columns: Strings = ()
    changed_at: datetime | None = None


class Log(Answer):
    """The end of an attempt's output; `log_size` counts the bytes written so far, of which `tail` is the last part.

    `state` is the job's, and `final` says that nothing more comes by itself.
    """

    attempt: int | None = None
    tail: str = ""
    log_size: int = 0
    state: str
    final: bool = False


class JobRange(Answer):
    """Jobs with all the ids from the first to the last."""

    first: int
    last: int


class Changed(Answer):
    """The jobs that were killed, held, released or rescheduled; `next`, where a search for such jobs goes on.

    Jobs of a large submission to which nothing of their own has happened yet are in `ranges` instead.
    """

    changed: tuple[int, ...]
    ranges: tuple[JobRange, ...] | None = None
    next: str | None = None


class Clone(Answer):
    """A job, and the one that is its clone."""

    job_id: int
    clone_id: int


class Clones(Answer):
    """Clones, in order of the jobs' numbers; `repeated` when an earlier call of the same key made them."""

    clones: tuple[Clone, ...]
    repeated: bool = False


class DemandAt(Answer):
    """How much of what jobs want an RSE has."""

    rse: str
    tape: bool
    files: int
    size: int


class Missing(Answer):
    """What of it is on no disk: on tape, on its way to a disk (recalled from a tape, some of it), or nowhere."""

    files: int
    size: int
    on_tape: int
    coming: int
    recalled: int
    nowhere: int


class Demand(Answer):
    """A DID that jobs want: how many that wait and that run, since when, where it is, and what is done about it.

    `missing` is None where it has too many files to look at each.
    """

    did: str
    kind: str
    open: bool
    waiting: int
    running: int
    files: int
    size: int
    since: datetime
    at: tuple[DemandAt, ...]
    missing: Missing | None = None
    doing: tuple[str, ...]
    rule_id: int | None = None


class SandboxUpload(Answer):
    """Where to PUT an input sandbox; None when the server has it already."""

    url: str | None = None


class SandboxLink(Answer):
    """Where to GET an output sandbox."""

    url: str

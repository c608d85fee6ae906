"""Descriptions, states with their transitions, attempts and how they end."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sancho.jobs.model.requirements import Requirement
from sancho.jobs.model.retrying import Reason, Retry

MAX_ROWS = 10_000
LATE = 100
"""Jobs of one submission that differ in their number alone have no rows at first, if there are more than so many."""
MOST_COUNTED = 100_000_000
"""So many jobs one submission can have at all; how many it may have is a setting."""
"""Jobs in one call."""
MOST_INPUTS = 10_000
"""Files that one job may read: a pilot is told where each of them is."""
MOST_OUTPUTS = 100_000
"""Outputs that the jobs of one call promise together."""
PARAMETER_NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,99}(?:\([A-Za-z0-9_%/]{1,20}\))?"
"""What the name of something that is said of a job looks like, a unit in parentheses included: `CPUTime(s)`.

It can be searched for as `param.NAME`.
"""
MOST_PARAMETERS = 200
"""Parameters that one job may have."""
LONGEST_WORD = 200
"""Characters of a text that can be searched for; longer ones are shown alone."""
LARGEST_OBJECT = 4096
"""Bytes of an object, as JSON."""
TAIL = 16_384
"""Bytes of stdout kept per attempt."""


class JobState(Enum):
    """Where a job is in its life; the value is its letter in the database."""

    PENDING = "P"
    WAITING = "W"
    HELD = "H"
    MATCHED = "M"
    RUNNING = "R"
    COMPLETING = "C"
    DONE = "D"
    FAILED = "F"
    KILLED = "K"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()

    @property
    def final(self) -> bool:
        """True when nothing more happens by itself."""
        return self in (JobState.DONE, JobState.FAILED, JobState.KILLED)


TRANSITIONS: Mapping[JobState, frozenset[JobState]] = {
    JobState.PENDING: frozenset({JobState.WAITING, JobState.HELD, JobState.KILLED, JobState.FAILED}),
    JobState.WAITING: frozenset({JobState.MATCHED, JobState.HELD, JobState.KILLED, JobState.PENDING, JobState.FAILED}),
    JobState.HELD: frozenset({JobState.WAITING, JobState.PENDING, JobState.KILLED}),
    JobState.MATCHED: frozenset(
        {JobState.RUNNING, JobState.COMPLETING, JobState.DONE, JobState.WAITING, JobState.FAILED, JobState.KILLED}
    ),
    JobState.RUNNING: frozenset(
        {JobState.COMPLETING, JobState.DONE, JobState.WAITING, JobState.FAILED, JobState.KILLED}
    ),
    JobState.COMPLETING: frozenset({JobState.DONE, JobState.WAITING, JobState.FAILED, JobState.KILLED}),
    JobState.DONE: frozenset(),
    JobState.FAILED: frozenset({JobState.WAITING, JobState.PENDING}),
    JobState.KILLED: frozenset({JobState.WAITING, JobState.PENDING}),
}
"""From each state, those a job may go to; back to WAITING or PENDING is a retry, a release or a reschedule."""


UNTAKEN = frozenset({JobState.PENDING, JobState.WAITING, JobState.HELD})
"""States of a job that nobody runs, and that has not ended."""


class AttemptState(Enum):
    """Where an attempt is in its life; LOST means its pilot was not heard of any more."""

    MATCHED = "M"
    RUNNING = "R"
    COMPLETING = "C"
    DONE = "D"
    FAILED = "F"
    KILLED = "K"
    LOST = "L"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


@dataclass(frozen=True, kw_only=True)
class RuleWish:
    """The rule that holds an output: on its dataset, or on the file when it has none."""

    copies: int = 1
    rse_expression: str
    lifetime: timedelta | None = None


@dataclass(frozen=True, kw_only=True)
class Output:
    """A file that a job promises: its path in the job's folder, its DID, the dataset it joins, its rule."""

    path: str
    did: str
    dataset: str | None = None
    rule: RuleWish | None = None


@dataclass(frozen=True, kw_only=True)
class Description:
    """What to compute. `{name}` in command, environment and outputs is filled in from each job's parameters."""

    name: str
    command: tuple[str, ...]
    group: str | None = None
    type: str | None = None
    """What kind of job this is, such as `simulation`: limits may count by it."""
    job_group: str | None = None
    """A name for jobs that belong together; it means nothing else."""
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    sandbox: str | None = None
    inputs: tuple[str, ...] = ()
    start_with: str | None = None
    """How many of the input files have to be there, `40`, or which part of them, `80%`; None: all."""
    outputs: tuple[Output, ...] = ()
    close_datasets: bool = False
    output_sandbox: tuple[str, ...] = ()
    requirements: Requirement = field(default_factory=Requirement)
    alternatives: tuple[Requirement, ...] = ()
    """Other ways in which it can run as well, for example without a GPU but for longer."""
    max_attempts: int = 3
    retry: Retry = field(default_factory=Retry)
    priority: int = 0

    @property
    def ways(self) -> tuple[Requirement, ...]:
        """Every way in which it can run."""
        return (self.requirements, *self.alternatives)


JOB_ID = "job_id"
"""What a job's own number is called in its command, environment and output sandbox: it is known only when it runs."""
PLACEHOLDER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


def placeholders(texts: Sequence[str]) -> set[str]:
    """Names of the parameters that these texts want."""
    return {name for text in texts for name in PLACEHOLDER.findall(text)}


def fill(text: str, parameters: Mapping[str, Any]) -> str:
    """Put parameters in place of `{name}`; nothing else in the text means anything."""
    return PLACEHOLDER.sub(lambda m: str(parameters[m[1]]) if m[1] in parameters else m[0], text)


def leads_outside(path: str) -> bool:
    """Say whether a path leads out of the job's folder, or to nowhere."""
    return not path or path.startswith("/") or ".." in path.split("/")


@dataclass(frozen=True, kw_only=True)
class Submission:
    """The answer to a submit: ids in the order of the parameters; `repeated` when the key was seen before.

    `sites` says how many sites could run the jobs, those that are switched off for now included; not of the repeated.
    More than 10 000 jobs are not listed: their ids are the `count` from `first` on.
    """

    submission_id: int
    job_ids: list[int]
    count: int
    first: int
    repeated: bool = False
    sites: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Started:
    """An attempt that a pilot has, and what it is to compute, as it was submitted."""

    vo: int
    vo_name: str
    task_queue_id: int
    job_id: int
    attempt_id: int
    number: int
    way: int
    """Which of the ways of its job it is, and the cores that it has."""
    cores: int
    description: Mapping[str, Any]
    parameters: Mapping[str, Any]
    traceparent: str | None
    has_inputs: bool

    @property
    def partial(self) -> bool:
        """Whether it reads the files that were there at its match, which may not be all of its inputs."""
        return "start_with" in self.description


@dataclass(frozen=True, kw_only=True, slots=True)
class InputFile:
    """A file that a job reads; bytes, packed checksum, and the RSEs where it is available, nearest first."""

    did_id: int
    scope: str
    name: str
    size: int
    adler32: int | None
    rse_ids: list[int]
    paths: list[str | None]
    """Where it lies on each of them, when that does not follow from its id."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedInput:
    """Datasets of another VO among the inputs of jobs: who reads them, whose they are, and their names there."""

    input_set_id: int
    reader: str
    owner: str
    names: list[str]


@dataclass(frozen=True, kw_only=True)
class OpenAttempt:
    """An attempt that has not ended, with its job."""

    vo: int
    attempt_id: int
    job_id: int
    pilot_id: int
    site_id: int
    account_id: int
    number: int
    state: AttemptState
    started_at: datetime


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an attempt used: seconds and bytes, measured by the pilot."""

    wall: timedelta = timedelta()
    cpu: timedelta = timedelta()
    max_memory: int = 0


@dataclass(frozen=True, kw_only=True)
class Result:
    """How an attempt ended, as its pilot tells it; `reason` is None when all went well."""

    reason: Reason | None = None
    exit_code: int | None = None
    detail: str | None = None
    intents: tuple[int, ...] = ()
    usage: Usage = Usage()
    tail: str = ""
    log_size: int = 0
    sandbox: bytes | None = None


class SaidBy(Enum):
    """Who said something of a job."""

    OWNER = "O"
    JOB = "J"
    SYSTEM = "S"


@dataclass(frozen=True, kw_only=True, slots=True)
class JobView:
    """A search that an account has named: which jobs, in which order, and what is shown of them."""

    name: str
    query: str
    sort: str
    columns: list[str]
    changed_at: datetime

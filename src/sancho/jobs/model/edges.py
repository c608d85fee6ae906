"""Jobs that wait for other jobs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sancho.jobs.model.life import Description, JobState

MOST_EDGES = 100_000
"""Pairs of a job and one that it waits for, in one call."""
MOST_PARTS = 100
"""Descriptions in one call."""


class When(Enum):
    """What must hold of a job before those that wait for it may start; the value is its letter in the database."""

    DONE = "D"
    ENDED = "E"

    @property
    def word(self) -> str:
        """The name used outside."""
        return self.name.lower()


class Which(Enum):
    """Which jobs of those with a name are waited for."""

    ALL = "all"
    SAME = "same"
    """The one with the same place among the jobs of its submission."""
    PREVIOUS = "previous"
    """The one that has the place before."""


@dataclass(frozen=True, kw_only=True, slots=True)
class After:
    """What jobs of a submission wait for: a job by its id, or jobs of the same call by the name of their description.

    `job` says which of the own jobs waits, None all of them; `number` which one of those with the name is waited for.
    Both count from 1.
    """

    job_id: int | None = None
    name: str | None = None
    number: int | None = None
    job: int | None = None
    which: Which = Which.ALL
    when: When = When.DONE


@dataclass(frozen=True, kw_only=True)
class Part:
    """One submission of a call that has several: what to compute, a row of parameters for each job, what they await."""

    description: Description
    parameters: Sequence[Mapping[str, Any]] | int
    """A number: so many jobs that differ in their number alone."""
    after: Sequence[After] = ()
    clones_of: Sequence[int] = ()
    """Jobs of which these, in their order, are clones: they wait for the same, or for clones of that of this call."""
    key: str | None = None
    sent_with: Sequence[str] = ()
    """What else has to be the same when the key comes again."""
    anyway: bool = False

    @property
    def count(self) -> int:
        """How many jobs these are."""
        return self.parameters if isinstance(self.parameters, int) else len(self.parameters)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edge:
    """A job that waits for another."""

    before_id: int
    job_id: int
    when: When


@dataclass(frozen=True, kw_only=True, slots=True)
class Ending:
    """An edge whose first job has ended; `state` is where that job is now."""

    before_id: int
    job_id: int
    when: When
    state: JobState


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """What a job waits for: how many jobs in all, how many still, and a few of those; and how many wait for it."""

    all: int
    open: int
    first: Sequence[tuple[int, JobState, When]] = ()
    waiting_for_it: int = 0

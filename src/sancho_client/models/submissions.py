"""What is submitted together, and what comes of it."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from sancho_client.models.base import Answer, Request, Strings
from sancho_client.models.jobs import JobDescription


class After(Request):
    """A job by its id, or jobs of the same call by the `name` of their description, that come before.

    `which` of those with the name: all, the one with the `same` number, or the `previous` one; or that with a `number`.
    With `job` only that one of the own jobs waits. They have to be `done`, or to have `ended`, whatever their end.
    """

    job_id: int | None = None
    name: str | None = None
    number: int | None = None
    job: int | None = None
    which: str = "all"
    when: str = "done"


class JobPart(Request):
    """One submission of a call that has several."""

    description: JobDescription
    parameters: list[dict[str, Any]] | dict[str, int] | None = None
    idempotency_key: str | None = None
    anyway: bool | None = None
    after: list[int | str | After] = Field(default_factory=list[int | str | After])


class Submission(Answer):
    """The jobs of one submission, in the order of the parameters; `repeated` when its key had been seen before.

    `sites` is how many sites could run them; unknown when it is repeated. More than 10 000 jobs are not in `job_ids`:
    they are the `count` from `first` on, which older servers do not say.
    """

    submission_id: int
    job_ids: tuple[int, ...]
    count: int | None = None
    first: int | None = None
    repeated: bool = False
    sites: int | None = None

    @property
    def ids(self) -> Sequence[int]:
        """All jobs, those too that are not in `job_ids` since they are so many."""
        return self.job_ids or range(self.first or 0, (self.first or 0) + (self.count or 0))


class CwlSubmission(Submission):
    """The job of a CWL tool, and what of the tool was ignored."""

    warnings: Strings = ()


class Graph(Answer):
    """What was submitted together, in the order of the call."""

    submissions: tuple[Submission, ...]

"""What is said of jobs by name."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.errors import JobNotFound, ParameterUnfit, TooManyParameters
from sancho.jobs.model import MAX_ROWS, MOST_PARAMETERS, PARAMETER_NAME
from sancho.kit.access import NotYours
from sancho.kit.problem import problems
from sancho.kit.units import Id, Json
from sancho.kit.web import Caller, Transaction, native

router = native(tags=["jobs"])

Said = Annotated[
    dict[Annotated[str, Field(pattern=f"^{PARAMETER_NAME}$")], Json],
    Field(min_length=1, max_length=MOST_PARAMETERS),
]
"""Values by name: a text, a number, a boolean, a small object or list; null takes a parameter away."""


class SaidOfJobIn(BaseModel, extra="forbid"):
    """What is said of one job; what was said by other names stays."""

    job_id: Id
    parameters: Said


class SaidIn(BaseModel, extra="forbid"):
    """What is said of jobs: in all, at most so many parameters as jobs may be in one call."""

    jobs: Annotated[list[SaidOfJobIn], Field(min_length=1, max_length=MAX_ROWS)]


@router.patch(
    "/jobs/parameters", status_code=204, responses=problems(JobNotFound, NotYours, ParameterUnfit, TooManyParameters)
)
async def set_parameters(body: SaidIn, caller: Caller, conn: Transaction) -> None:
    """Say something of jobs, by which they are then found: of all of them or of none."""
    said: dict[int, dict[str, Any]] = {}
    for one in body.jobs:
        said.setdefault(one.job_id, {}).update(one.parameters)
    await service.set_parameters(conn, caller, said)

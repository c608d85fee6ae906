"""Jobs submitted again, with something changed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError

from sancho.jobs import service
from sancho.jobs.api.submitting import SUBMITTED, DescriptionIn, Name, Row, Text
from sancho.jobs.errors import JobNotFound, KeyUsed, TooDifferentToClone
from sancho.jobs.model import MAX_ROWS, Part
from sancho.jobs.store.views import SpecRow
from sancho.kit.errors import SanchoError
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

MOST_SUBMISSIONS = 100


class ChangesIn(DescriptionIn):
    """What is changed of a description: what is not said stays. Of `requirements`, too, only what is said changes.

    Where `retry` is said, `max_attempts` follows from it unless it is said as well.
    """

    name: Name | None = None  # pyright: ignore[reportIncompatibleVariableOverride]
    command: Annotated[list[Text], Field(min_length=1, max_length=1000)] | None = None  # pyright: ignore[reportIncompatibleVariableOverride]


class CloneIn(BaseModel, extra="forbid"):
    """Jobs to submit again, as the caller's own; `parameters` are put over those that each of them has."""

    job_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_ROWS)]
    changes: ChangesIn = ChangesIn()
    parameters: Row = {}
    idempotency_key: Annotated[str, Field(min_length=8, max_length=128)] | None = None
    """Sent again with it, the same gives the same clones."""


class CloneOut(BaseModel):
    """A job, and its clone."""

    job_id: int
    clone_id: int


class ClonesOut(BaseModel):
    """The clones, in order of the jobs' ids; `repeated` when they were made by an earlier call of the same key."""

    clones: list[CloneOut]
    repeated: bool = False


def described(stored: Mapping[str, Any], changes: ChangesIn) -> DescriptionIn:
    """A description as it was stored, with changes; raises what a request does that is not valid."""
    said = changes.model_dump(exclude_unset=True)
    merged = {**stored, **said}
    if "requirements" in said:
        merged["requirements"] = {**stored["requirements"], **said["requirements"]}
    if "retry" in said and "max_attempts" not in said:
        merged.pop("max_attempts", None)
    try:
        return DescriptionIn.model_validate(merged)
    except ValidationError as e:
        faults = [{**fault, "loc": ("body", "changes", *fault["loc"])} for fault in e.errors(include_url=False)]
        raise RequestValidationError(faults) from e


@contextmanager
def blaming_changes() -> Iterator[None]:
    """What is wrong with a description is to be put right in the changes: there is no other in the request."""
    try:
        yield
    except SanchoError as e:
        e.field = e.field and re.sub(r"^description", "changes", re.sub(r"^submissions\.[0-9]+\.", "", e.field))
        raise


@router.post("/jobs/clone", status_code=201, responses=problems(JobNotFound, *SUBMITTED, TooDifferentToClone, KeyUsed))
async def clone_jobs(body: CloneIn, caller: Caller, conn: Transaction, deployment: Deployed) -> ClonesOut:
    """Submit jobs again, with what is changed: all of them or none. The jobs themselves stay as they are.

    Clones wait for what their jobs wait for, or for the clones of that which are made in the same call.
    """
    groups: dict[int, list[SpecRow]] = {}
    for spec in await service.list_specs(conn, caller.vo, body.job_ids):
        groups.setdefault(spec.submission_id, []).append(spec)
    if len(groups) > MOST_SUBMISSIONS:
        raise TooDifferentToClone(count=len(groups), limit=MOST_SUBMISSIONS)
    parts = [_part(body, specs, n) for n, specs in enumerate(groups.values())]
    with blaming_changes():
        for sandbox in sorted({part.description.sandbox for part in parts if part.description.sandbox}):
            await service.check_sandbox(deployment, conn, caller.vo, sandbox)
        made = await service.submit_all(conn, caller, parts)
    clones = {
        old: new
        for part, one in zip(parts, made, strict=True)
        for old, new in zip(part.clones_of, one.job_ids, strict=True)
    }
    return ClonesOut(
        clones=[CloneOut(job_id=job_id, clone_id=clones[job_id]) for job_id in sorted(clones)],
        repeated=all(one.repeated for one in made),
    )


def _part(body: CloneIn, specs: Sequence[SpecRow], number: int) -> Part:
    """The clones of jobs that were submitted together; a key holds for the call, and each part needs one of its own."""
    key = body.idempotency_key
    return Part(
        description=described(specs[0].description, body.changes).description(),
        parameters=[{**spec.parameters, **body.parameters} for spec in specs],
        clones_of=[spec.job_id for spec in specs],
        key=key if key is None or number == 0 else f"{key} {number + 1}",
        sent_with=() if key is None else [f"clones of {sorted(set(body.job_ids))}"],
    )

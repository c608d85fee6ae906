"""DiracX's way to put jobs back to their start."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from sancho.compat.diracx import states_wire as states
from sancho.compat.diracx.errors import NotAllYours
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import MAX_ROWS
from sancho.kit.access import NotYours
from sancho.kit.errors import SanchoError
from sancho.kit.units import Id
from sancho.kit.web import Caller, Transaction

router = APIRouter(prefix="/api/jobs", include_in_schema=False)


class JobsToReschedule(BaseModel):
    """Jobs by their ids."""

    job_ids: Annotated[list[Id], Field(max_length=MAX_ROWS)]


@router.post("/reschedule")
async def reschedule(
    body: JobsToReschedule, caller: Caller, conn: Transaction, reset_jobs: bool = False
) -> JSONResponse:
    """Put jobs back to their start, those that may be; 400 when none of them may.

    `reset_jobs` begins to count how often, and is for administrators.
    """
    failed: Mapping[int, SanchoError] = {}
    changed: list[int] = []
    try:
        if body.job_ids:
            changed, failed = await jobs.reschedule_each(conn, caller, body.job_ids, anew=reset_jobs)
    except (JobNotFound, NotYours) as e:
        if isinstance(e, JobNotFound) and caller.may("jobs:manage"):
            raise
        raise NotAllYours from e
    fields = ["id", "state", "reschedules"]
    success = {
        str(job_id): {"Status": states.STATUS[state], "MinorStatus": states.MINOR[state], "RescheduleCounter": number}
        for job_id, state, number in await jobs.values(conn, caller.vo, changed, fields)
    }
    said: dict[str, Any] = {
        "failed": {str(job_id): {"detail": str(e)} for job_id, e in failed.items()},
        "success": success,
    }
    return JSONResponse(said) if changed or not failed else JSONResponse({"detail": said}, 400)

"""CWL CommandLineTools submitted."""

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from sancho.jobs import service
from sancho.jobs.api.after import Afters, afters
from sancho.jobs.api.submitting import AWAITING, SUBMITTED, DescriptionIn
from sancho.jobs.cwl.translate import translate
from sancho.jobs.errors import CwlUnfit, KeyUsed
from sancho.jobs.model import Part
from sancho.kit.errors import SanchoError
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native

router = native(tags=["jobs"])


class CwlIn(BaseModel, extra="forbid"):
    """A CWL v1.2 CommandLineTool, and its input object; both as JSON."""

    tool: dict[str, Any]
    job_order: dict[str, Any] = {}
    """Values of the tool's inputs; a file is `{class: File, location: "sancho://SCOPE:NAME"}`."""
    idempotency_key: Annotated[str, Field(min_length=8, max_length=128)] | None = None
    anyway: bool = False
    after: Afters = []


class CwlOut(BaseModel):
    """The job, how many sites could run it, and what of the tool was ignored."""

    submission_id: int
    job_ids: list[int]
    count: int
    first: int
    repeated: bool
    sites: int | None
    warnings: list[str]


@router.post("/jobs/cwl", status_code=201, responses=problems(CwlUnfit, *SUBMITTED, KeyUsed, *AWAITING))
async def submit_cwl(body: CwlIn, caller: Caller, conn: Transaction) -> CwlOut:
    """Submit a CWL CommandLineTool as a job; what it asks for and we cannot do is refused by name."""
    read = await asyncio.to_thread(translate, body.tool, body.job_order)
    try:
        description = DescriptionIn.model_validate(read.description).description()
    except ValidationError as e:
        first = e.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise CwlUnfit(reason=f"{where[:200]} of the job: {first['msg']}.", field="tool") from None
    part = Part(
        description=description, parameters=[read.parameters], key=body.idempotency_key, anyway=body.anyway,
        after=afters(body.after),
    )  # fmt: skip
    try:
        made = await service.submit_part(conn, caller, part)
    except SanchoError as e:
        e.field = "tool" if e.field is not None and e.field.startswith("description") else e.field
        raise
    return CwlOut(
        submission_id=made.submission_id, job_ids=made.job_ids, count=made.count, first=made.first,
        repeated=made.repeated, sites=made.sites, warnings=read.warnings,
    )  # fmt: skip

"""Jobs found: lists, and counts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.api.submitting import Name
from sancho.jobs.errors import CursorMalformed, NotToBeShown, TooManyGroups
from sancho.jobs.model import JobState
from sancho.jobs.store.views import JobRow
from sancho.kit.db import TooSlow
from sancho.kit.problem import problems
from sancho.kit.query import LONGEST, All, Predicate, QueryMalformed, parse
from sancho.kit.query import Query as Test
from sancho.kit.search import SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

StateWord = Literal["pending", "waiting", "held", "matched", "running", "completing", "done", "failed", "killed"]
FieldName = Annotated[str, Field(min_length=1, max_length=120, examples=["site", "param.HostName"])]
Where = Annotated[str, Field(max_length=LONGEST, examples=["state = failed & site like LCG.* & param.events > 1000"])]
Sort = Literal["id", "-id", "submitted_at", "-submitted_at", "changed_at", "-changed_at"]
GroupName = Annotated[
    str,
    Field(
        pattern="^(state|site|account|group|name|type|job_group|submission|priority|attempts|error|minor"
        r"|application|param\.[A-Za-z][A-Za-z0-9_.-]{0,99})$",
        examples=["state", "param.HostName"],
    ),
]
SEARCHED = (
    QueryMalformed, SearchFieldUnknown, SearchOperatorUnfit, SearchValueUnfit, NotToBeShown, TooSlow,
)  # fmt: skip


class JobOut(BaseModel):
    """A job as lists show it; `values` are those of the columns that were asked for."""

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
    values: dict[str, Any] = {}


class JobsOut(BaseModel):
    """A page of jobs; `next` is the cursor of the following page."""

    items: list[JobOut]
    next: str | None


class JobsWanted(BaseModel, extra="forbid"):
    """Which jobs a list shows: those that are all of this, and that the query `where` finds.

    `sort` is a field, with a `-` from the highest. `columns` are more fields to show, `param.NAME` among them.
    """

    where: Where | None = None
    state: list[StateWord] = []
    name: Name | None = None
    mine: bool = False
    submission: Id | None = None
    sort: Sort = "-id"
    columns: Annotated[list[FieldName], Field(max_length=50)] = []
    cursor: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class JobCount(BaseModel, extra="allow"):
    """How many jobs have some values, which stand beside the number by the names of their fields."""

    count: int


class CountsWanted(BaseModel, extra="forbid"):
    """Which jobs are counted, and by what."""

    where: Where | None = None
    submission: Id | None = None
    by: Annotated[list[GroupName], Field(min_length=1, max_length=5)] = ["state"]


def row(job: JobRow) -> dict[str, Any]:
    """A job, field by field."""
    return {
        "job_id": job.job_id, "name": job.name, "state": job.state.word, "account": job.account, "site": job.site,
        "attempts": job.attempts, "submission_id": job.submission_id, "number": job.number,
        "submitted_at": job.submitted_at, "changed_at": job.changed_at, "detail": job.detail,
    }  # fmt: skip


def _query(where: str | None, tests: Sequence[Predicate]) -> Test | None:
    terms: list[Test] = [*tests, *([parse(where)] if where is not None else [])]
    return terms[0] if len(terms) == 1 else All(tuple(terms)) if terms else None


def _plain(value: Any) -> Any:
    return value.word if isinstance(value, JobState) else value


@router.get("/jobs", responses=problems(CursorMalformed, *SEARCHED))
async def list_jobs(
    caller: Caller, conn: Transaction, deployment: Deployed, wanted: Annotated[JobsWanted, Query()]
) -> JobsOut:
    """Jobs of your VO that a search finds, newest first unless you say otherwise."""
    tests = [
        *([Predicate("state", "in", tuple(wanted.state))] if wanted.state else []),
        *([Predicate("name", "=", (wanted.name,))] if wanted.name is not None else []),
        *([Predicate("account:id", "=", (str(caller.account_id),))] if wanted.mine else []),
        *([Predicate("submission", "=", (str(wanted.submission),))] if wanted.submission is not None else []),
    ]
    query = _query(wanted.where, tests)
    page = (wanted.cursor, wanted.limit)
    ids, following = await service.search_page(
        conn, caller.vo, query, deployment.job_lookups, sort=wanted.sort, page=page
    )  # fmt: skip
    rows = await service.list_jobs(conn, caller.vo, ids)
    more = await service.values(conn, caller.vo, ids, wanted.columns)
    return JobsOut(
        items=[
            JobOut(**row(job), values={name: _plain(v) for name, v in zip(wanted.columns, said, strict=True)})
            for job, said in zip(rows, more, strict=True)
        ],
        next=following,
    )


@router.get("/jobs/summary", responses=problems(TooManyGroups, *SEARCHED))
async def summarise_jobs(
    caller: Caller, conn: Transaction, deployment: Deployed, wanted: Annotated[CountsWanted, Query()]
) -> list[JobCount]:
    """Count the jobs of your VO that a search finds: `count`, beside the values that it is counted by."""
    tests = [Predicate("submission", "=", (str(wanted.submission),))] if wanted.submission is not None else []
    query = _query(wanted.where, tests)
    by = list(dict.fromkeys(wanted.by))
    found = await service.summarise(conn, caller.vo, query, deployment.job_lookups, by=by)
    return [
        JobCount.model_validate({**dict(zip(by, map(_plain, values), strict=True)), "count": number})
        for values, number in found
    ]

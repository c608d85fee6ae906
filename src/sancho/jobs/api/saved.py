"""Searches for jobs that an account has named."""

from datetime import datetime
from typing import Annotated

from fastapi import Path
from pydantic import BaseModel, Field

from sancho.jobs import service
from sancho.jobs.api.searching import SEARCHED, FieldName, Sort
from sancho.jobs.errors import TooManyViews, ViewNotFound
from sancho.jobs.model import JobView
from sancho.kit.problem import problems
from sancho.kit.query import LONGEST
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native(tags=["jobs"])

ViewName = Annotated[str, Path(pattern="^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$")]


class JobViewIn(BaseModel, extra="forbid"):
    """A search: which jobs, in which order, and which columns are shown beside the usual ones."""

    where: Annotated[str, Field(max_length=LONGEST)] = ""
    sort: Sort = "-id"
    columns: Annotated[list[FieldName], Field(max_length=50)] = []


class JobViewOut(JobViewIn):
    """A search by its name."""

    name: str
    changed_at: datetime


def _told(view: JobView) -> JobViewOut:
    return JobViewOut.model_validate(
        {
            "name": view.name, "where": view.query, "sort": view.sort, "columns": view.columns,
            "changed_at": view.changed_at,
        }
    )  # fmt: skip


@router.get("/jobs/views")
async def list_views(caller: Caller, conn: Transaction) -> list[JobViewOut]:
    """Your views, by name."""
    return [_told(view) for view in await service.list_views(conn, caller)]


@router.put("/jobs/views/{name}", responses=problems(TooManyViews, *SEARCHED))
async def save_view(
    name: ViewName, body: JobViewIn, caller: Caller, conn: Transaction, deployment: Deployed
) -> JobViewOut:
    """Keep a search of yours under a name, in place of the one that had it."""
    view = JobView(name=name, query=body.where, sort=body.sort, columns=body.columns, changed_at=deployment.clock.now())
    return _told(await service.save_view(conn, caller, view, deployment.job_lookups))


@router.delete("/jobs/views/{name}", status_code=204, responses=problems(ViewNotFound))
async def delete_view(name: ViewName, caller: Caller, conn: Transaction) -> None:
    """Forget a view of yours."""
    await service.delete_view(conn, caller, name)

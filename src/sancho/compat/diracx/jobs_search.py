"""Jobs found, counted and described on DiracX's wire. Whoever asks sees the jobs of their own VO alone."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response

from sancho.compat.diracx import jobs_translate as translate
from sancho.compat.diracx.errors import AttributeFixed, NotAllYours
from sancho.compat.diracx.jobs_wire import Row, SearchParams, SummaryParams
from sancho.compat.diracx.search_answers import Page, PerPage, answer, counted, first_of, query_of
from sancho.compat.diracx.search_columns import sort_rows
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.query import Query as Test
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction

router = APIRouter(prefix="/api/jobs", include_in_schema=False)


@router.post("/search")
async def search(
    caller: Caller, conn: Transaction, deployment: Deployed, body: SearchParams | None = None, page: Page = 1,
    per_page: PerPage = 100,
) -> Response:  # fmt: skip
    """Find jobs: 200 when all are in the answer, else 206 with how many there are; 416 behind the last page."""
    asked = body or SearchParams()
    first = first_of(page, per_page)
    query = await query_of(conn, translate.JOBS, asked.search, caller.vo_name)
    names = translate.shown(asked.parameters)
    order = translate.order_of([(one.parameter, one.direction) for one in asked.sort])
    if asked.distinct and "JobID" not in names:
        rows = await _distinct(conn, caller, deployment, query, names)
        rows = sort_rows(rows, [(one.parameter, one.direction) for one in asked.sort])
        return answer("jobs", rows[first : first + per_page], first, len(rows))
    more = deployment.job_lookups
    found = await jobs.search_part(conn, caller.vo, query, more, order=order, part=(first, per_page))
    total = first + len(found)
    if len(found) == per_page or (not found and first):
        total = await jobs.count(conn, caller.vo, query, more)
    logging = translate.LOGGING in (asked.parameters or ())
    return answer("jobs", await _rows(conn, caller, found, names, logging=logging), first, total)


async def _rows(
    conn: Connection, caller: Principal, job_ids: Sequence[int], names: Sequence[str], *, logging: bool
) -> list[Row]:
    fields = translate.fields_of(names)
    values = await jobs.values(conn, caller.vo, job_ids, fields)
    rows = [translate.row_of(names, dict(zip(fields, one, strict=True)), caller.vo_name) for one in values]
    if logging:
        histories = await jobs.histories(conn, caller.vo, job_ids)
        for job_id, row in zip(job_ids, rows, strict=True):
            row[translate.LOGGING] = translate.logged(histories.get(job_id, []))
    return rows


async def _distinct(
    conn: Connection, caller: Principal, deployment: Deployment, query: Test | None, names: Sequence[str]
) -> list[Row]:
    """Rows that differ, in the order of their values."""
    fields = translate.fields_of(names)
    groups = await jobs.summarise(conn, caller.vo, query, deployment.job_lookups, by=fields)
    rows = [translate.row_of(names, dict(zip(fields, one, strict=True)), caller.vo_name) for one, _ in groups]
    return list({tuple(row.values()): row for row in rows}.values())


@router.post("/summary")
async def summary(body: SummaryParams, caller: Caller, conn: Transaction, deployment: Deployed) -> list[Row]:
    """Count jobs by some columns."""
    names = translate.shown(body.grouping) if body.grouping else []
    query = await query_of(conn, translate.JOBS, body.search, caller.vo_name)
    fields = translate.fields_of(names)
    more = deployment.job_lookups
    if fields:
        groups = await jobs.summarise(conn, caller.vo, query, more, by=fields)
    else:
        number = await jobs.count(conn, caller.vo, query, more)
        groups = [(list[Any](), number)] if number or not names else []
    return counted(names, groups, translate.JOBS, caller.vo_name)


@router.patch("/metadata", status_code=204)
async def set_metadata(body: dict[Id, dict[str, Any]], caller: Caller, conn: Transaction) -> None:
    """Say something of jobs: what is no attribute of theirs is a parameter."""
    for document in body.values():
        fixed = next((name for name in document if name in translate.COLUMNS and name != "Site"), None)
        if fixed is not None:
            raise AttributeFixed(name=fixed)
    placed = {job_id: document["Site"] for job_id, document in body.items() if "Site" in document}
    if placed:
        await _check_sites(conn, caller, placed)
    said = {job_id: {k: v for k, v in document.items() if k != "Site"} for job_id, document in body.items()}
    try:
        await jobs.set_parameters(conn, caller, said)
    except JobNotFound as e:
        if caller.may("jobs:manage") or caller.may("pilots:report"):
            raise
        raise NotAllYours from e


async def _check_sites(conn: Connection, caller: Principal, placed: dict[int, Any]) -> None:
    """A job is where it was matched to: to say so again changes nothing, to say something else is refused."""
    ids = list(placed)
    for job_id, site in await jobs.values(conn, caller.vo, ids, ["id", "site"]):
        if placed[job_id] != site:
            raise AttributeFixed(name="Site")

"""Pilots registered, changed, found and counted on DiracX's wire.

Whoever asks sees the pilots that their own VO has registered, and those of this server at CEs that it may use.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response
from pydantic import Field

from sancho.compat.diracx.errors import PilotOfOtherVo
from sancho.compat.diracx.jobs_wire import Row, SearchParams, SummaryParams
from sancho.compat.diracx.pilots_translate import PILOTS
from sancho.compat.diracx.pilots_wire import MOST_PILOTS, PilotMetadata, PilotRegistration, Stamp
from sancho.compat.diracx.search_answers import Page, PerPage, answer, counted, first_of, query_of
from sancho.compat.diracx.search_columns import sort_rows
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.query import Query as Test
from sancho.kit.web import Caller, Transaction
from sancho.pilots import service as pilots
from sancho.pilots.model import Registration

router = APIRouter(prefix="/api/pilots", include_in_schema=False)
Changes = Annotated[dict[Stamp, PilotMetadata], Body(), Field(max_length=MOST_PILOTS)]
OURS = {"bench_mark": "benchmark", "current_job_id": "job_id"}
"""Where a field of ours has another name."""


@router.post("/", status_code=201)
async def register(body: PilotRegistration, caller: Caller, conn: Transaction) -> None:
    """Note a pilot that another factory manages; 409 when there is one of its stamp."""
    if body.vo != caller.vo_name:
        raise PilotOfOtherVo(vo=body.vo, own=caller.vo_name)
    reference = body.pilot_reference or body.pilot_stamp
    pilot = Registration(
        stamp=body.pilot_stamp, reference=reference, status=body.pilot_status.value,
        destination_site=body.destination_site, grid_site=body.grid_site, grid_type=body.grid_type,
    )  # fmt: skip
    await pilots.register(conn, caller, pilot)


@router.patch("/metadata", status_code=204)
async def change(
    body: Annotated[dict[Stamp, PilotMetadata], Body(), Field(max_length=MOST_PILOTS)],
    caller: Caller,
    conn: Transaction,
) -> None:
    """Change registered pilots by their stamps: all of them or none."""
    said = {stamp: one.model_dump(mode="json", exclude_none=True) for stamp, one in body.items()}
    await pilots.update(
        conn, caller, {stamp: {OURS.get(k, k): v for k, v in one.items()} for stamp, one in said.items()}
    )


@router.post("/search")
async def search(
    caller: Caller, conn: Transaction, body: SearchParams | None = None, page: Page = 1, per_page: PerPage = 100
) -> Response:
    """Find pilots: 200 when all are in the answer, else 206 with how many there are; 416 behind the last page."""
    asked = body or SearchParams()
    first = first_of(page, per_page)
    query = await query_of(conn, PILOTS, asked.search, caller.vo_name)
    names = PILOTS.shown(asked.parameters)
    sort = [(one.parameter, one.direction) for one in asked.sort]
    order = [(field, down) for field, down in PILOTS.order_of(sort) if isinstance(field, str)]
    fields = PILOTS.fields_of(names)
    if asked.distinct and "PilotID" not in names:
        rows = sort_rows(await _distinct(conn, caller, query, names), sort)
        return answer("pilots", rows[first : first + per_page], first, len(rows))
    part = (first, per_page)
    found = await pilots.search_part(conn, caller, query, shown=fields or ["id"], order=order, part=part)
    total = first + len(found)
    if len(found) == per_page or (not found and first):
        total = await pilots.count(conn, caller, query)
    rows = [PILOTS.row_of(names, dict(zip(fields, one, strict=False)), caller.vo_name) for one in found]
    return answer("pilots", rows, first, total)


async def _distinct(conn: Connection, caller: Principal, query: Test | None, names: list[str]) -> list[Row]:
    """Rows that differ, in the order of their values."""
    return [{k: v for k, v in row.items() if k != "count"} for row in await _counted(conn, caller, query, names)]


async def _counted(conn: Connection, caller: Principal, query: Test | None, names: list[str]) -> list[Row]:
    fields = PILOTS.fields_of(names)
    if fields:
        return counted(names, await pilots.summarise(conn, caller, query, by=fields), PILOTS, caller.vo_name)
    number = await pilots.count(conn, caller, query)
    groups = [(list[Any](), number)] if number or not names else []
    return counted(names, groups, PILOTS, caller.vo_name)


@router.post("/summary")
async def summary(body: SummaryParams, caller: Caller, conn: Transaction) -> list[Row]:
    """Count pilots by some columns."""
    names = PILOTS.shown(body.grouping) if body.grouping else []
    query = await query_of(conn, PILOTS, body.search, caller.vo_name)
    return await _counted(conn, caller, query, names)

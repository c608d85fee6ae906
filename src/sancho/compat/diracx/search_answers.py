"""How DiracX pages through what a search has found, and asks the database which words a pattern fits."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from sancho.compat.diracx.errors import TooManyPages
from sancho.compat.diracx.jobs_wire import Row, Spec
from sancho.compat.diracx.search_columns import Table
from sancho.jobs import service as jobs
from sancho.kit.db import Connection
from sancho.kit.query import Query as Test

LAST_LOOKED_AT = 1_000_000_000
"""No page is looked for behind so many things."""
Page = Annotated[int, Query(ge=1)]
PerPage = Annotated[int, Query(ge=1, le=10_000)]
RANGE = "content-range"


def first_of(page: int, per_page: int) -> int:
    """How many things come before a page; raises `TooManyPages`."""
    first = (page - 1) * per_page
    if first > LAST_LOOKED_AT:
        raise TooManyPages(last=LAST_LOOKED_AT)
    return first


async def query_of(conn: Connection, table: Table, specs: Sequence[Spec], vo: str) -> Test | None:
    """A search as ours; raises `ColumnUnknown`, `SearchUnfit`, `PatternUnfit`."""
    fitting = {
        place: await jobs.matching(conn, operator, pattern, words)
        for place, operator, pattern, words in table.patterns(specs, vo)
    }
    return table.query_of(specs, vo, fitting)


def answer(what: str, rows: list[Row], first: int, total: int) -> Response:
    """200 when all are in the answer, else 206 with how many there are; 416 behind the last page."""
    if not rows and first:
        return JSONResponse([], 416, {RANGE: f"{what} */{total}"})
    if len(rows) == total:
        return JSONResponse(rows)
    return JSONResponse(rows, 206, {RANGE: f"{what} {first}-{first + len(rows) - 1}/{total}"})


def counted(names: Sequence[str], groups: Sequence[tuple[Any, int]], table: Table, vo: str) -> list[Row]:
    """A summary: rows of some columns with how many things have them, those that look alike counted together."""
    fields = table.fields_of(names)
    found: dict[tuple[Any, ...], Row] = {}
    for values, number in groups:
        row = table.row_of(names, dict(zip(fields, values, strict=True)), vo)
        found.setdefault(tuple(row.values()), {**row, "count": 0})["count"] += number
    return list(found.values())

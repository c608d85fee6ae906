"""Native routes of transfers."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.kit.units import Amount
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.transfers import service
from sancho.transfers.model import LinkNow, Request, RequestState

router = native("/transfers", tags=["transfers"])

LISTED_AT_ONCE = 1000
StateWord = Literal["waiting", "active", "done", "failed", "stuck"]


class RequestQuery(BaseModel, extra="forbid"):
    """Which transfer requests to list."""

    state: StateWord | None = None
    rse: Annotated[str | None, Field(max_length=200, examples=["A-DISK"])] = None
    cursor: Amount = 0
    limit: Annotated[int, Field(ge=1, le=LISTED_AT_ONCE)] = 100


class RequestOut(BaseModel):
    """One wish to bring a file to an RSE. `not_before`: when it is tried next; `source`: of the newest attempt."""

    request_id: int
    did: str
    size: int
    rse: str
    source: str | None
    state: StateWord
    tries: int
    activity: str
    created_at: datetime
    not_before: datetime | None
    error: str | None

    @classmethod
    def of(cls, request: Request) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "request_id": request.request_id, "did": request.did, "size": request.size, "rse": request.rse,
                "source": request.source, "state": request.state.word, "tries": request.tries,
                "activity": request.activity, "created_at": request.created_at, "not_before": request.not_before,
                "error": request.error,
            }
        )  # fmt: skip


class RequestPage(BaseModel):
    """A page of requests; `next` is the cursor of the following page."""

    items: list[RequestOut]
    next: int | None


@router.get("")
async def list_requests(query: Annotated[RequestQuery, Query()], caller: Caller, conn: Transaction) -> RequestPage:
    """List the VO's transfer requests, oldest first; one that is done is gone as soon as its rules have settled."""
    state = RequestState[query.state.upper()] if query.state else None
    page = (query.cursor, query.limit)
    found = await service.list_requests(conn, caller.vo, state=state, rse=query.rse, page=page)
    full = len(found) == query.limit
    return RequestPage(items=[RequestOut.of(one) for one in found], next=found[-1].request_id if full else None)


@router.get("/links")
async def links(
    caller: Caller, conn: Transaction, deployment: Deployed,
    hours: Annotated[int, Query(ge=1, le=168, description="How far back failures are counted.")] = 24,
) -> list[LinkNow]:  # fmt: skip
    """Show what is under way between RSEs, and what failed there of late of that which is still wanted.

    What has arrived is in the accounting: `GET /accounting?by=source&by=rse`.
    """
    return await service.links(conn, caller.vo, deployment.clock.now() - timedelta(hours=hours))

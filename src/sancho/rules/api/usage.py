"""Native routes of what accounts locked over time."""

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.identity import service as identity
from sancho.identity.errors import AccountNotFound
from sancho.kit.problem import problems
from sancho.kit.web import Caller, Transaction, native
from sancho.rses import service as rses
from sancho.rses.errors import RseNotFound
from sancho.rules import service

router = native("/usage/history", tags=["rules"])


class HistoryQuery(BaseModel, extra="forbid"):
    """Whose usage, and where."""

    account: Annotated[str, Field(max_length=100, examples=["alice"])]
    rse: Annotated[str, Field(max_length=128, examples=["A-DISK"])]
    before: date | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


class UsageOnOut(BaseModel):
    """What an account locked on an RSE at the end of a day."""

    day: date
    files: int
    size: int


@router.get("", responses=problems(AccountNotFound, RseNotFound))
async def usage_history(query: Annotated[HistoryQuery, Query()], caller: Caller, conn: Transaction) -> list[UsageOnOut]:
    """List what an account locked on an RSE, by the days on which it changed, newest first.

    `before` the last day seen gives the next page. The last two years are kept.
    """
    account = await identity.get_account(conn, caller.vo, query.account)
    rse = await rses.get(conn, query.rse, field="rse")
    found = await service.usage_history(
        conn, caller.vo, account.account_id, rse.rse_id, before=query.before, limit=query.limit
    )
    return [UsageOnOut(day=one.day, files=one.files, size=one.size) for one in found]

"""Native routes of lifetime exceptions: asked for, listed, approved, rejected."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.dids import service
from sancho.dids.api.catalogue import LISTED_AT_ONCE, DidText, KindWord
from sancho.dids.api.lives import DidsIn
from sancho.dids.errors import (
    DidMalformed,
    DidNotFound,
    ErasureBegun,
    LifetimeExceptionDecided,
    LifetimeExceptionNotFound,
    UntilPast,
)
from sancho.dids.model import Kept, LifetimeException, LifetimeExceptionState
from sancho.identity.errors import AccountNotFound
from sancho.kit.db import Connection
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Id, Time
from sancho.kit.web import Caller, Deployed, Transaction, native

router = native("/lifetime-exceptions", tags=["dids"])

Words = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*$")]
StateWord = Literal["waiting", "approved", "rejected"]


class LifetimeExceptionIn(DidsIn):
    """DIDs that are to be kept, until when, and why."""

    until: Time
    reason: Words


class DecisionIn(BaseModel, extra="forbid"):
    """What to say to the account that asks."""

    answer: Words | None = None


class LifetimeExceptionQuery(BaseModel, extra="forbid"):
    """Which lifetime exceptions to list; `account` is who asks."""

    state: StateWord | None = None
    account: Annotated[str | None, Field(max_length=100, examples=["alice"])] = None
    did: DidText | None = None
    cursor: Id | None = None
    limit: Annotated[int, Field(ge=1, le=LISTED_AT_ONCE)] = 100


class LifetimeExceptionOut(BaseModel):
    """A wish that DIDs be kept until a time, and what was decided about it."""

    exception_id: int
    account: str
    state: StateWord
    until: datetime
    reason: str | None
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    answer: str | None
    number: int
    """How many DIDs it is about."""

    @classmethod
    def of(cls, one: LifetimeException) -> Self:
        """The same as the API says it."""
        return cls.model_validate(cls.fields_of(one))

    @staticmethod
    def fields_of(one: LifetimeException) -> dict[str, object]:
        """Its fields by name."""
        return {
            "exception_id": one.exception_id, "account": one.account, "state": one.state.word, "until": one.until,
            "reason": one.reason, "created_at": one.created_at, "decided_at": one.decided_at,
            "decided_by": one.decided_by, "answer": one.answer, "number": one.dids,
        }  # fmt: skip


class KeptOut(BaseModel):
    """A DID, and when it is to be erased as things are: null when never, or when it has been."""

    did: str
    kind: KindWord
    ends_at: datetime | None
    erased: bool


class LifetimeExceptionDetail(LifetimeExceptionOut):
    """A lifetime exception with its DIDs."""

    dids: list[KeptOut]

    @classmethod
    def with_dids(cls, one: LifetimeException, dids: list[Kept]) -> Self:
        """The same as the API says it."""
        about = [
            {"did": did.did, "kind": did.kind.word, "ends_at": did.ends_at, "erased": did.erased} for did in dids
        ]  # fmt: skip
        return cls.model_validate({**cls.fields_of(one), "dids": about})


class LifetimeExceptionPage(BaseModel):
    """A page of lifetime exceptions; `next` is the cursor of the following page."""

    items: list[LifetimeExceptionOut]
    next: int | None


@router.post(
    "", status_code=201, responses=problems(UntilPast, DidMalformed, DidNotFound, ErasureBegun, PermissionMissing)
)
async def ask(
    body: LifetimeExceptionIn, caller: Caller, conn: Transaction, deployment: Deployed
) -> LifetimeExceptionDetail:
    """Ask that DIDs be kept until a time: all of them or none. Nothing changes before somebody approves.

    A DID without a lifetime may be named too: nothing ends it. Files that go with their dataset are kept by naming
    the dataset.
    """
    now = deployment.clock.now()
    made = await service.ask_exception(conn, caller, body.dids, until=body.until, reason=body.reason, now=now)
    return await _whole(conn, caller.vo, made)


@router.get("", responses=problems(AccountNotFound, DidMalformed, DidNotFound))
async def list_exceptions(
    query: Annotated[LifetimeExceptionQuery, Query()], caller: Caller, conn: Transaction
) -> LifetimeExceptionPage:
    """List the VO's lifetime exceptions, newest first."""
    found = await service.list_exceptions(
        conn, caller.vo, account=query.account, did=query.did,
        state=LifetimeExceptionState[query.state.upper()] if query.state else None, page=(query.cursor, query.limit),
    )  # fmt: skip
    full = len(found) == query.limit
    return LifetimeExceptionPage(
        items=[LifetimeExceptionOut.of(one) for one in found], next=found[-1].exception_id if full else None
    )


@router.get("/{exception_id}", responses=problems(LifetimeExceptionNotFound))
async def show(exception_id: Id, caller: Caller, conn: Transaction) -> LifetimeExceptionDetail:
    """Show a lifetime exception and its DIDs, as they are now."""
    return await _whole(conn, caller.vo, await service.get_exception(conn, caller.vo, exception_id))


@router.post(
    "/{exception_id}/approve",
    responses=problems(
        LifetimeExceptionNotFound, LifetimeExceptionDecided, UntilPast, DidNotFound, ErasureBegun, PermissionMissing
    ),
)
async def approve(
    exception_id: Id, body: DecisionIn, caller: Caller, conn: Transaction, deployment: Deployed
) -> LifetimeExceptionDetail:
    """Let those of its DIDs that end earlier end when it says: all of them or none.

    It moves their ends once: whoever may erase them still can.
    """
    now = deployment.clock.now()
    done = await service.approve_exception(conn, caller, exception_id, answer=body.answer, now=now)
    return await _whole(conn, caller.vo, done)


@router.post(
    "/{exception_id}/reject",
    responses=problems(LifetimeExceptionNotFound, LifetimeExceptionDecided, PermissionMissing),
)
async def reject(exception_id: Id, body: DecisionIn, caller: Caller, conn: Transaction) -> LifetimeExceptionDetail:
    """Let its DIDs end when they would."""
    done = await service.reject_exception(conn, caller, exception_id, answer=body.answer)
    return await _whole(conn, caller.vo, done)


async def _whole(conn: Connection, vo: int, one: LifetimeException) -> LifetimeExceptionDetail:
    return LifetimeExceptionDetail.with_dids(one, await service.kept(conn, vo, one.exception_id))

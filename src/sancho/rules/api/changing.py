"""Native routes of what becomes of rules: moved, reduced, approved, denied, tried again; and their history."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Amount, Duration, Id
from sancho.kit.web import Caller, Transaction, native
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import service
from sancho.rules.api.rules import Activity, Expression, Limit, RuleOut, StateWord
from sancho.rules.errors import (
    NotFewerCopies,
    QuotaExceeded,
    RuleLocked,
    RuleMoving,
    RuleNotFound,
    RuleNotInForce,
    RuleNotWaiting,
    TooFewRses,
)
from sancho.rules.model import Change, RuleEvent

router = native(tags=["rules"])


class MoveIn(BaseModel, extra="forbid"):
    """Where the copies are to be instead; what is not said stays. A lifetime counts from now on; null: for ever."""

    rse_expression: Expression
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    lifetime: Duration | None = None
    activity: Activity = "default"
    comment: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


class ReduceIn(BaseModel, extra="forbid"):
    """How many copies are to stay, and where none."""

    copies: Annotated[int, Field(ge=1, le=100)]
    exclude: Expression | None = None


class DenyIn(BaseModel, extra="forbid"):
    """Why a rule is denied."""

    reason: Annotated[str | None, Field(max_length=1000, pattern=r"^[^\x00]*$")] = None


class HistoryQuery(BaseModel, extra="forbid"):
    """Which part of a history to list."""

    cursor: Amount = 0
    limit: Limit = 100


class DidHistoryQuery(HistoryQuery):
    """The rules of which DID to list the history of."""

    did: Annotated[str, Field(max_length=300)]


class EventOut(BaseModel):
    """What was done to a rule, by whom (null: it happened by itself), and what the rule was then."""

    event_id: int
    kind: Literal["made", "changed", "approved", "denied", "moved", "reduced", "withdrawn", "replaced", "ended"]
    at: datetime
    by: str | None
    rule_id: int
    did: str
    account: str
    state: StateWord
    copies: int
    rse_expression: str
    detail: str | None

    @classmethod
    def of(cls, event: RuleEvent) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "event_id": event.event_id, "kind": event.kind.word, "at": event.at, "by": event.by,
                "rule_id": event.rule_id, "did": event.did, "account": event.account, "state": event.state.word,
                "copies": event.copies, "rse_expression": event.rse_expression, "detail": event.detail,
            }
        )  # fmt: skip


class EventPage(BaseModel):
    """A page of a history; `next` is the cursor of the following page."""

    items: list[EventOut]
    next: int | None

    @classmethod
    def of(cls, found: list[RuleEvent], limit: int) -> Self:
        """The page of these events."""
        full = len(found) == limit
        return cls(items=[EventOut.of(event) for event in found], next=found[-1].event_id if full else None)


@router.get("/rules/history", responses=problems(DidMalformed, DidNotFound))
async def did_history(query: Annotated[DidHistoryQuery, Query()], caller: Caller, conn: Transaction) -> EventPage:
    """List what was done to the rules on a DID, oldest first; to those too that are gone."""
    did = await dids.get(conn, caller.vo, query.did)
    page = (query.cursor, query.limit)
    return EventPage.of(await service.history(conn, caller.vo, did_id=did.did_id, page=page), query.limit)


@router.get("/rules/{rule_id}/history", responses=problems(RuleNotFound))
async def rule_history(
    rule_id: Id, query: Annotated[HistoryQuery, Query()], caller: Caller, conn: Transaction
) -> EventPage:
    """List what was done to a rule, oldest first, also when it is gone."""
    page = (query.cursor, query.limit)
    return EventPage.of(await service.history(conn, caller.vo, rule_id=rule_id, page=page), query.limit)


@router.post(
    "/rules/{rule_id}/move",
    status_code=201,
    responses=problems(
        RuleNotFound, NotYours, RuleLocked, RuleNotInForce, RuleMoving, RseExpressionInvalid, RseExpressionEmpty,
        TooFewRses, QuotaExceeded, ReplicaBeingDeleted,
    ),
)  # fmt: skip
async def move(rule_id: Id, body: MoveIn, caller: Caller, conn: Transaction) -> RuleOut:
    """Have the copies of a rule elsewhere: a new rule is made, and the old one goes once the new one is ok."""
    said = frozenset(body.model_fields_set - {"rse_expression"})
    instead = Change(said, body.lifetime, body.comment, body.activity, copies=body.copies)
    return RuleOut.of(await service.move(conn, caller, rule_id, body.rse_expression, instead))


@router.post(
    "/rules/{rule_id}/reduce",
    responses=problems(
        RuleNotFound, NotYours, RuleLocked, RuleNotInForce, NotFewerCopies, TooFewRses, RseExpressionInvalid,
        RseExpressionEmpty,
    ),
)  # fmt: skip
async def reduce(rule_id: Id, body: ReduceIn, caller: Caller, conn: Transaction) -> RuleOut:
    """Ask for fewer copies, or for none on some RSEs; what is let go may be deleted."""
    return RuleOut.of(await service.reduce(conn, caller, rule_id, body.copies, exclude=body.exclude))


@router.post("/rules/{rule_id}/approve", responses=problems(RuleNotFound, RuleNotWaiting, PermissionMissing))
async def approve(rule_id: Id, caller: Caller, conn: Transaction) -> RuleOut:
    """Let a rule that waits for approval be in force."""
    return RuleOut.of(await service.approve(conn, caller, rule_id))


@router.post(
    "/rules/{rule_id}/deny", status_code=204, responses=problems(RuleNotFound, RuleNotWaiting, PermissionMissing)
)
async def deny(rule_id: Id, body: DenyIn, caller: Caller, conn: Transaction) -> None:
    """Remove a rule that waits for approval; its history says why."""
    await service.deny(conn, caller, rule_id, body.reason)


@router.post("/rules/{rule_id}/retry", responses=problems(RuleNotFound, NotYours))
async def retry(rule_id: Id, caller: Caller, conn: Transaction) -> RuleOut:
    """Try now what of a rule is stuck, and do not wait for its time."""
    return RuleOut.of(await service.retry(conn, caller, rule_id))

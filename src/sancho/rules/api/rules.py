"""Native routes of rules, their locks, quotas and usage."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import Query
from pydantic import BaseModel, Field

from sancho.dids import service as dids
from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.identity import service as identity
from sancho.identity.errors import AccountNotFound
from sancho.kit.access import NotYours
from sancho.kit.errors import PermissionMissing
from sancho.kit.problem import problems
from sancho.kit.units import Duration, Id
from sancho.kit.web import Caller, Transaction, native
from sancho.replicas.errors import ReplicaBeingDeleted
from sancho.rses.errors import RseExpressionEmpty, RseExpressionInvalid
from sancho.rules import service
from sancho.rules.errors import QuotaExceeded, RuleLocked, RuleNotFound, TooFewRses
from sancho.rules.model import Change, Lock, Quota, Rule, RuleRequest, RuleState, Usage

router = native(tags=["rules"])

LISTED_AT_ONCE = 1000
PRINTABLE = r"^[^\x00-\x1f]*$"
StateWord = Literal["waiting", "injecting", "replicating", "ok", "stuck"]
Expression = Annotated[str, Field(min_length=1, max_length=4000, examples=["tier=1&country=UK"])]
Limit = Annotated[int, Field(ge=1, le=LISTED_AT_ONCE)]
Activity = Annotated[str, Field(min_length=1, max_length=100, pattern=PRINTABLE)]
AccountName = Annotated[str | None, Field(max_length=100, examples=["alice"])]
Cursor = Annotated[str | None, Field(pattern=r"^\d{1,10}\.\d{1,18}$")]


class RuleIn(BaseModel, extra="forbid"):
    """What should exist where. The lifetime is in seconds, or such as "30 d"; without one the rule holds for ever."""

    did: Annotated[str, Field(max_length=300, examples=["mc:run7"])]
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    rse_expression: Expression
    lifetime: Duration | None = None
    activity: Activity = "default"
    comment: Annotated[str | None, Field(max_length=1000)] = None
    ask_approval: bool = False


class RuleChangeIn(BaseModel, extra="forbid"):
    """What to change of a rule; what is not said stays. A lifetime counts from now on; null: for ever.

    A locked rule is not withdrawn, moved, reduced or removed at its end. `account` is who shall have it.
    """

    lifetime: Duration | None = None
    comment: Annotated[str | None, Field(max_length=1000)] = None
    activity: Activity = "default"
    locked: bool = False
    account: AccountName = None


class RuleQuery(BaseModel, extra="forbid"):
    """Which rules to list."""

    did: Annotated[str | None, Field(max_length=300)] = None
    account: AccountName = None
    state: StateWord | None = None
    cursor: Id | None = None
    limit: Limit = 100


class LockQuery(BaseModel, extra="forbid"):
    """Which locks of a rule to list."""

    cursor: Cursor = None
    limit: Limit = 100


class QuotaQuery(BaseModel, extra="forbid"):
    """Which quotas to list: those that apply to an account, or all."""

    account: AccountName = None
    cursor: Annotated[str, Field(max_length=100, pattern=PRINTABLE)] = ""
    limit: Limit = 100


class UsageQuery(BaseModel, extra="forbid"):
    """Whose usage to list: an account's, or everybody's."""

    account: AccountName = None
    cursor: Cursor = None
    limit: Limit = 100


class RuleOut(BaseModel):
    """A rule and how far it is carried out: how many of its locks are ok, replicating and stuck.

    It may go for another, `replaces`, once it is ok.

    `error` says why it is stuck; of a single rule that is replicating, also what trouble a transfer is in.
    """

    rule_id: int
    did: str
    account: str
    state: StateWord
    copies: int
    rse_expression: str
    rses: list[str]
    activity: str
    ok: int
    replicating: int
    stuck: int
    created_at: datetime
    expires_at: datetime | None
    comment: str | None
    error: str | None
    locked: bool
    replaces: int | None
    replaced_by: int | None

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """The same as the API says it."""
        return cls.model_validate(
            {
                "rule_id": rule.rule_id, "did": rule.did, "account": rule.account, "state": rule.state.word,
                "copies": rule.copies, "rse_expression": rule.rse_expression, "rses": rule.rses,
                "activity": rule.activity, "ok": rule.ok, "replicating": rule.replicating, "stuck": rule.stuck,
                "created_at": rule.created_at, "expires_at": rule.expires_at, "comment": rule.comment,
                "error": rule.error, "locked": rule.locked, "replaces": rule.replaces, "replaced_by": rule.replaced_by,
            }
        )  # fmt: skip


class WithdrawIn(BaseModel, extra="forbid"):
    """The DID to give up."""

    did: Annotated[str, Field(max_length=300, examples=["mc:run7"])]


class HolderOut(BaseModel):
    """A rule that holds something, whose it is, and the DID it is on."""

    rule_id: int
    account: str
    did: str


class WithdrawnOut(BaseModel):
    """Rules that are gone, and the first that still hold the DID or files in it.

    `looked_at`: so many files of each dataset were looked at for these, and one has more, so a rule on a later file
    alone is not named; null: all were.
    """

    withdrawn: list[int]
    held_by: list[HolderOut]
    looked_at: int | None


class RulePage(BaseModel):
    """A page of rules; `next` is the cursor of the following page."""

    items: list[RuleOut]
    next: int | None


class LockOut(BaseModel):
    """One rule's hold on one replica; `error` is what its transfer last ran into."""

    did: str
    rse: str
    size: int
    state: Literal["ok", "replicating", "stuck"]
    error: str | None

    @classmethod
    def of(cls, lock: Lock) -> Self:
        """The same as the API says it."""
        return cls(did=lock.did, rse=lock.rse, size=lock.size, state=lock.state.value, error=lock.error)


class LockPage(BaseModel):
    """A page of locks."""

    items: list[LockOut]
    next: str | None


class QuotaOut(BaseModel):
    """Bytes that an account, or without one all of the VO together, may lock; `room` is what is left of them."""

    name: str
    account: str | None
    rse_expression: str
    size: int
    used: int
    room: int

    @classmethod
    def of(cls, quota: Quota) -> Self:
        """The same as the API says it."""
        return cls(
            name=quota.name, account=quota.account, rse_expression=quota.rse_expression, size=quota.limit,
            used=quota.charged, room=quota.room,
        )  # fmt: skip


class QuotaPage(BaseModel):
    """A page of quotas."""

    items: list[QuotaOut]
    next: str | None


class UsageOut(BaseModel):
    """What an account locks on an RSE, and what is held for its uploads under way."""

    account: str
    rse: str
    files: int
    size: int
    held: int

    @classmethod
    def of(cls, usage: Usage) -> Self:
        """The same as the API says it."""
        return cls(account=usage.account, rse=usage.rse, files=usage.files, size=usage.size, held=usage.held)


class UsagePage(BaseModel):
    """A page of usage."""

    items: list[UsageOut]
    next: str | None


@router.post(
    "/rules",
    status_code=201,
    responses=problems(
        DidMalformed, DidNotFound, RseExpressionInvalid, RseExpressionEmpty, TooFewRses, QuotaExceeded,
        ReplicaBeingDeleted, PermissionMissing,
    ),
)  # fmt: skip
async def create(rule: RuleIn, caller: Caller, conn: Transaction) -> RuleOut:
    """Ask for copies of a DID on the RSEs that match an expression."""
    return RuleOut.of(await service.create(conn, caller, RuleRequest(**rule.model_dump())))


@router.get("/rules", responses=problems(DidNotFound, AccountNotFound))
async def list_rules(query: Annotated[RuleQuery, Query()], caller: Caller, conn: Transaction) -> RulePage:
    """List rules, newest first."""
    found = await service.list_rules(
        conn,
        caller.vo,
        account_id=await _account_id(conn, caller.vo, query.account),
        did_id=(await dids.get(conn, caller.vo, query.did)).did_id if query.did else None,
        state=RuleState[query.state.upper()] if query.state else None,
        page=(query.cursor, query.limit),
    )
    full = len(found) == query.limit
    return RulePage(items=[RuleOut.of(rule) for rule in found], next=found[-1].rule_id if full else None)


@router.get("/rules/{rule_id}", responses=problems(RuleNotFound))
async def show(rule_id: Id, caller: Caller, conn: Transaction) -> RuleOut:
    """Show a rule and how far it is carried out."""
    return RuleOut.of(await service.show(conn, caller.vo, rule_id))


@router.patch("/rules/{rule_id}", responses=problems(RuleNotFound, NotYours, AccountNotFound, QuotaExceeded))
async def change(rule_id: Id, body: RuleChangeIn, caller: Caller, conn: Transaction) -> RuleOut:
    """Change how long a rule lives, what is said of it, whether it is locked, or whose it is."""
    said = Change(
        frozenset(body.model_fields_set), body.lifetime, body.comment, body.activity, body.locked, body.account
    )
    return RuleOut.of(await service.change(conn, caller, rule_id, said))


@router.get("/rules/{rule_id}/locks", responses=problems(RuleNotFound))
async def list_locks(rule_id: Id, query: Annotated[LockQuery, Query()], caller: Caller, conn: Transaction) -> LockPage:
    """List the locks of a rule by RSE and file."""
    found = await service.list_locks(conn, caller.vo, rule_id, after=_pair(query.cursor), limit=query.limit)
    full = len(found) == query.limit
    following = f"{found[-1].rse_id}.{found[-1].did_id}" if full else None
    return LockPage(items=[LockOut.of(lock) for lock in found], next=following)


@router.delete("/rules/{rule_id}", status_code=204, responses=problems(RuleNotFound, NotYours, RuleLocked))
async def delete(rule_id: Id, caller: Caller, conn: Transaction) -> None:
    """Withdraw a rule; replicas that nothing else holds are deleted from storage later."""
    await service.delete(conn, caller, rule_id)


@router.post("/rules/withdraw", responses=problems(DidMalformed, DidNotFound))
async def withdraw(body: WithdrawIn, caller: Caller, conn: Transaction) -> WithdrawnOut:
    """Give up a DID: your rules on it go, and those that came with your uploads on the files in it."""
    done = await service.withdraw(conn, caller, body.did)
    return WithdrawnOut(
        withdrawn=done.withdrawn,
        held_by=[HolderOut(rule_id=h.rule_id, account=h.account, did=h.did) for h in done.held_by],
        looked_at=done.looked_at,
    )


@router.get("/quotas", responses=problems(AccountNotFound))
async def list_quotas(query: Annotated[QuotaQuery, Query()], caller: Caller, conn: Transaction) -> QuotaPage:
    """List quotas with the room they have, by name."""
    account_id = await _account_id(conn, caller.vo, query.account)
    found = await service.list_quotas(conn, caller.vo, account_id, page=(query.cursor, query.limit))
    full = len(found) == query.limit
    return QuotaPage(items=[QuotaOut.of(quota) for quota in found], next=found[-1].name if full else None)


@router.get("/usage", responses=problems(AccountNotFound))
async def list_usage(query: Annotated[UsageQuery, Query()], caller: Caller, conn: Transaction) -> UsagePage:
    """List what accounts lock on RSEs."""
    account_id = await _account_id(conn, caller.vo, query.account)
    found = await service.usage(conn, caller.vo, account_id, page=(*_pair(query.cursor), query.limit))
    full = len(found) == query.limit
    following = f"{found[-1].account_id}.{found[-1].rse_id}" if full else None
    return UsagePage(items=[UsageOut.of(one) for one in found], next=following)


async def _account_id(conn: Transaction, vo: int, name: str | None) -> int | None:
    return None if name is None else (await identity.get_account(conn, vo, name)).account_id


def _pair(cursor: str | None) -> tuple[int, int]:
    first, _, second = (cursor or "0.0").partition(".")
    return int(first), int(second)

"""Native routes of decisions: what one may do, and the audit log."""

from datetime import datetime
from typing import Annotated, cast

from fastapi import Query, Request
from pydantic import BaseModel

from sancho.decisions import service
from sancho.decisions.errors import HeadMalformed, PermissionUnknown
from sancho.decisions.model import AuditRow, Explanation, Verdict
from sancho.identity.errors import AccountNotFound
from sancho.kit.access import Directory
from sancho.kit.errors import PermissionMissing
from sancho.kit.policy import PathUnfit
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction, native
from sancho.vos import service as vos
from sancho.vos.errors import VoNotFound

router = native(tags=["decisions"])

Text = Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$")]


class DecisionOut(BaseModel):
    """A decision, as the audit log has it; `on` is the first of `items` things."""

    audit_id: int
    at: datetime
    account: str
    pilot_id: int | None
    permission: str
    on: str | None
    items: int
    allowed: bool
    why: str
    route: str | None
    trace_id: str | None
    client: str | None

    @classmethod
    def of(cls, row: AuditRow) -> "DecisionOut":
        """Render a row."""
        return cls(
            audit_id=row.audit_id, at=row.at, account=row.account, pilot_id=row.pilot_id, permission=row.permission,
            on=row.thing, items=row.items, allowed=row.allowed, why=row.why, route=row.route, trace_id=row.trace_id,
            client=row.client,
        )  # fmt: skip


class DecisionsOut(BaseModel):
    """A page of decisions, newest first; `next` is the cursor of the following page."""

    items: list[DecisionOut]
    next: int | None


class Searched(BaseModel, extra="forbid"):
    """What a search of the log is for; what is left out is anything."""

    since: datetime | None = None
    until: datetime | None = None
    account: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None
    permission: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None
    allowed: bool | None = None
    on: Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$", description="How the thing begins.")] = None
    vo: Annotated[str | None, Query(max_length=100, description="A VO other than one's own.")] = None
    cursor: Id | None = None
    limit: Annotated[int, Query(ge=1, le=1000)] = 100


@router.get("/can", responses=problems(PermissionMissing, PermissionUnknown, AccountNotFound, PathUnfit))
async def can(
    request: Request,
    caller: Caller,
    conn: Transaction,
    permission: Annotated[str, Query(max_length=100)],
    account: Annotated[str | None, Query(max_length=100, description="By default, oneself.")] = None,
    on: Text = None,
) -> Explanation:
    """Say whether an account may use a permission on something, why, and what would be needed."""
    authenticator = cast(Directory, request.app.state.authenticator)
    facts = cast(service.Facts, request.app.state.facts)
    return await service.explain(conn, caller, authenticator, (account or caller.account, permission, on), facts)


@router.get("/audit", responses=problems(PermissionMissing, PathUnfit, VoNotFound))
async def audit(caller: Caller, deployment: Deployed, wanted: Annotated[Searched, Query()]) -> DecisionsOut:
    """Search the audit log of the VO, newest first; administrators of the installation may name another VO."""
    reader = await vos.acting(deployment, caller, wanted.vo)
    filters: service.Filter = {
        "before": wanted.cursor, "since": wanted.since, "until": wanted.until, "account": wanted.account,
        "permission": wanted.permission, "allowed": wanted.allowed, "on": service.prefix_of(reader, wanted.on),
    }  # fmt: skip
    async with deployment.database.transaction([reader.vo]) as conn:
        rows = await service.search(conn, reader, filters, wanted.limit)
    return DecisionsOut(
        items=[DecisionOut.of(row) for row in rows], next=rows[-1].audit_id if len(rows) == wanted.limit else None
    )


@router.get("/audit/verify", responses=problems(PermissionMissing, HeadMalformed, VoNotFound))
async def verify(
    caller: Caller,
    deployment: Deployed,
    head: Annotated[str | None, Query(max_length=100, description="A batch an earlier check named.")] = None,
    vo: Annotated[str | None, Query(max_length=100, description="A VO other than one's own.")] = None,
) -> Verdict:
    """Compute the chain of the VO's audit log anew, and say where it first breaks, if it does."""
    remembered = service.head_of(head)
    reader = await vos.acting(deployment, caller, vo)
    async with deployment.database.snapshot([reader.vo]) as conn:
        return await service.check(conn, reader, remembered)

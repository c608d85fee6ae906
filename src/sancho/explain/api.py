"""Native routes that explain."""

from datetime import datetime
from typing import Self

from fastapi import Request
from pydantic import BaseModel

from sancho.dids.errors import DidMalformed, DidNotFound
from sancho.explain import service
from sancho.explain.errors import NotAFile
from sancho.explain.model import Explanation, Fact, Start
from sancho.jobs.errors import JobNotFound
from sancho.kit.db import TooSlow
from sancho.kit.problem import problems
from sancho.kit.units import Id
from sancho.kit.web import Caller, Transaction, native
from sancho.pilots.errors import PilotNotFound
from sancho.rules.errors import RuleNotFound

router = native("/explain", tags=["explain"])


class BlockerOut(BaseModel):
    """Something that keeps a thing from going on; `cause` is a word for its kind, `things` a few that it is about."""

    cause: str
    says: str
    hint: str | None
    things: list[str]


class ChangeOut(BaseModel):
    """What would have to be otherwise: which part, and how."""

    part: str
    says: str


class WouldOut(BaseModel):
    """What would happen if all these changes were made, at a compute element and its site where it is about one."""

    says: str
    changes: list[ChangeOut]
    ce: str | None
    site: str | None


class StartOut(BaseModel):
    """When a job may start, between two times: reckoned from what happened of late, and never a promise.

    Where enough happens evenly it is right within a factor of two. Times are null when they cannot be known; `says`
    tells how it was reckoned, or why not.
    """

    earliest: datetime | None
    latest: datetime | None
    says: str


class ExplanationOut(BaseModel):
    """Why a thing is as it is: blockers in the order in which they have to be out of the way, and what would help."""

    kind: str
    name: str
    state: str
    says: str
    blockers: list[BlockerOut]
    would: list[WouldOut]
    facts: dict[str, Fact]
    expected_start: StartOut | None

    @classmethod
    def of(cls, explanation: Explanation) -> Self:
        """The same as the API says it."""
        return cls(
            kind=explanation.kind, name=explanation.name, state=explanation.state, says=explanation.says,
            blockers=[
                BlockerOut(cause=each.cause.value, says=each.says, hint=each.hint, things=list(each.things))
                for each in explanation.blockers
            ],
            would=[
                WouldOut(
                    says=each.says, ce=each.ce, site=each.site,
                    changes=[ChangeOut(part=change.part, says=change.says) for change in each.changes],
                )
                for each in explanation.would
            ],
            facts=dict(explanation.facts), expected_start=_start(explanation.start),
        )  # fmt: skip


def _start(start: Start | None) -> StartOut | None:
    return None if start is None else StartOut(earliest=start.earliest, latest=start.latest, says=start.says)


@router.get("/job/{job_id}", responses=problems(JobNotFound))
async def explain_job(job_id: Id, caller: Caller, conn: Transaction, request: Request) -> ExplanationOut:
    """Why a job does not run, what would start it, and when it may start."""
    return ExplanationOut.of(await service.explain_job(conn, caller, request.app.state.matcher, job_id))


@router.get("/rule/{rule_id}", responses=problems(RuleNotFound, TooSlow))
async def explain_rule(rule_id: Id, caller: Caller, conn: Transaction) -> ExplanationOut:
    """Why a rule is not ok, and what would make it so."""
    return ExplanationOut.of(await service.explain_rule(conn, caller, rule_id))


@router.get("/pilot/{pilot_id}", responses=problems(PilotNotFound))
async def explain_pilot(pilot_id: Id, caller: Caller, conn: Transaction, request: Request) -> ExplanationOut:
    """What a pilot offers, and why it gets no job of the VO."""
    return ExplanationOut.of(await service.explain_pilot(conn, caller, request.app.state.matcher, pilot_id))


@router.get("/file/{did:path}", responses=problems(DidMalformed, DidNotFound, NotAFile))
async def explain_file(did: str, caller: Caller, conn: Transaction) -> ExplanationOut:
    """Where a file can be read, or why it cannot, what holds it, and what becomes of it."""
    return ExplanationOut.of(await service.explain_file(conn, caller, did))

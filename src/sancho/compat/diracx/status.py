"""How jobs go, told in DiracX's words: statuses, signs of life, and commands in answer to them."""

from collections.abc import Collection, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.exceptions import HTTPException

from sancho.compat.diracx import jobs_translate, status_translate
from sancho.compat.diracx.errors import NotAllYours, TooManyUpdates
from sancho.compat.diracx.status_wire import Heartbeats, JobCommand, StatusUpdates
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import MAX_ROWS
from sancho.kit.access import Principal
from sancho.kit.db import Connection
from sancho.kit.web import Caller, Deployed, Transaction

router = APIRouter(prefix="/api/jobs", include_in_schema=False)

MISSING = {"detail": "Not found"}
LOST = {
    "detail": "This job was taken away from whoever reports this, after no sign of life came or it was killed: end it"
}


@router.patch("/status")
async def set_statuses(
    body: StatusUpdates, caller: Caller, conn: Transaction, deployment: Deployed, force: bool = False
) -> dict[str, Any]:
    """Tell how jobs go, each at times; the answer has each job as it is then.

    Minor and application status are kept as they are told, unless later ones are known. A state moves a job that none
    of our pilots runs: from Waiting to Matched, Running, Completing, Done or Failed, as DIRAC's own agents do; not to
    Done while it promises outputs that are not there. What a pilot of ours runs is moved by its pilot alone, for there
    must never be two that run it. Killed, and Deleted, kill any job that has not ended; jobs are never deleted. All
    other states, and those that a job cannot go to, are written into its history, and the answer has the state that it
    keeps. With `force`, for who manages jobs, states may be left out in between. What comes from those who ran a job
    that they have lost changes nothing of it, and the answer says so, among what has failed.
    """
    _check_number(sum(map(len, body.values())))
    missing = await _missing(conn, caller, list(body))
    known = {job_id: updates for job_id, updates in body.items() if job_id not in missing}
    failed = {str(job_id): MISSING for job_id in sorted(missing)}
    if not known:
        raise HTTPException(404, {"success": {}, "failed": failed})  # pyright: ignore[reportArgumentType]
    reports = status_translate.reports_of(known)
    lost: set[int] = set()
    if reports or force:
        lost = await jobs.report(conn, caller, reports, now=deployment.clock.now(), force=force)
    if signs := [one for one in status_translate.alive(reports) if one.job_id not in lost]:
        await jobs.beat_own(conn, caller.vo, signs)
    failed |= {str(job_id): LOST for job_id in sorted(lost)}
    return {"success": await _told(conn, caller, [one for one in known if one not in lost]), "failed": failed}


async def _missing(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> Collection[int]:
    """Those of these ids that no job has; who may not manage others' jobs is not told which."""
    missing = set(job_ids) - await jobs.existing(conn, caller.vo, job_ids)
    if missing and not caller.may("jobs:manage") and not caller.may("pilots:report"):
        raise NotAllYours
    return missing


async def _told(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> dict[str, Any]:
    fields = jobs_translate.fields_of(status_translate.SHOWN)
    rows = await jobs.values(conn, caller.vo, job_ids, ["id", *fields])
    return {
        str(row[0]): jobs_translate.row_of(
            status_translate.SHOWN, dict(zip(fields, row[1:], strict=True)), caller.vo_name
        )
        for row in rows
    }


def _check_number(number: int) -> None:
    if number > MAX_ROWS:
        raise TooManyUpdates(limit=MAX_ROWS)


@router.patch("/heartbeat")
async def add_heartbeats(body: Heartbeats, caller: Caller, conn: Transaction) -> list[JobCommand]:
    """Take signs of life of jobs; the answer has what they are told to do.

    It is told again a minute later if they go on: the answer may not have arrived. Whoever ran a job that they have
    lost is told at each sign of life, and the sign counts for nothing.
    """
    _check_number(len(body))
    try:
        given = await jobs.beat_once(conn, caller, status_translate.signs_of(body))
    except JobNotFound as e:
        if caller.may("jobs:manage") or caller.may("pilots:report"):
            raise
        raise NotAllYours from e
    return [JobCommand(job_id=one.job_id, command="Kill") for one in given]

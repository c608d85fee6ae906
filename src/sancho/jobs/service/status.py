"""What is reported of jobs: minor and application status, and, for jobs that no pilot of ours runs, their states.

Reports carry the time at which they were so. They may come late, twice and in any order: all are history, and the
latest counts. What our pilots run is moved by its attempts alone (`life`); a report can do no more to it than kill it.
Whoever ran a job that waits again, or is another's, says nothing of it any more but for history.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sancho.jobs import plan
from sancho.jobs.model import UNTAKEN, Heartbeat, JobState, Report, Standing, Status
from sancho.jobs.service.ending import follow_soon
from sancho.jobs.service.life import kill
from sancho.jobs.service.reporting import require_reporter
from sancho.jobs.store import heartbeats, life, status, takings
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.tasks import defer

LATE = timedelta(minutes=10)
"""What is reported so long after it was so says nothing in history of who reports it being alive now."""


async def existing(conn: Connection, vo: int, job_ids: Sequence[int]) -> set[int]:
    """Those of these ids that jobs of a VO have."""
    return await status.existing(conn, vo, job_ids)


async def report(
    conn: Connection, caller: Principal, reports: Sequence[Report], *, now: datetime, force: bool = False
) -> set[int]:
    """Take reports of jobs, all or none: for their owners, who manages jobs, and who reports for pilots.

    A state that may not be reported of a job is written into its history and changes nothing; `plan.may_report` says
    which those are. Nor does what is said by those who ran a job that they have lost, and is not theirs now; those jobs
    are returned. `force` is for who manages jobs. Raises `JobNotFound`, `NotYours`, `PermissionMissing`.
    """
    if force:
        require(caller, "jobs:manage")
    job_ids = sorted({one.job_id for one in reports})
    await require_reporter(conn, caller, job_ids, field="statuses")
    ordered = plan.bounded(reports, now)
    standings = await _lock(conn, caller.vo, ordered)
    strays = await _strays(conn, caller, ordered, standings, force=force)
    heard = [one for one in ordered if one not in strays] if strays else ordered
    killed = await _move(conn, caller, heard, standings, force=force)
    await _keep(conn, caller.vo, ordered, heard, killed)
    if late := {one.job_id for one in heard if one.at < now - LATE}:  # whoever sends them lives now
        others = await status.run_by_others(conn, caller.vo, late)
        await heartbeats.put(conn, caller.vo, [Heartbeat(job_id=job_id) for job_id in others])
    return {one.job_id for one in strays}


async def report_own(conn: Connection, vo: int, reports: Sequence[Report], *, now: datetime) -> None:
    """Take reports of a job that has shown that it is theirs; they say nothing of its state."""
    ordered = plan.bounded(reports, now)
    await _keep(conn, vo, ordered, ordered, [])


async def statuses(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Status]:
    """The texts that jobs have now."""
    return await status.of_jobs(conn, vo, job_ids)


async def _keep(
    conn: Connection, vo: int, reports: Sequence[Report], heard: Sequence[Report], killed: Sequence[int]
) -> None:  # fmt: skip
    """Write all reports into history, and let jobs have the texts of those that are `heard`."""
    told = [one for one in dict.fromkeys(reports) if one.minor or one.application or one.asked]
    if told:
        await status.log(conn, vo, told)
    if said := plan.latest(heard):
        await status.put(conn, vo, said, killed)


async def _lock(conn: Connection, vo: int, reports: Sequence[Report]) -> dict[int, Standing]:
    """Lock the jobs that reports may move, and say how they stand."""
    wanted = sorted({one.job_id for one in reports if one.state is not None})
    return {one.job_id: one for one in await status.lock(conn, vo, wanted)} if wanted else {}


async def _strays(
    conn: Connection, caller: Principal, reports: Sequence[Report], standings: Mapping[int, Standing], *, force: bool
) -> set[Report]:
    """Those of these reports that are said by whoever lost the job that they are of."""
    lost = await takings.given_up(conn, caller.vo, sorted({one.job_id for one in reports}), caller.account_id)
    found: set[Report] = set()
    for job_id, said in groupby((one for one in reports if one.job_id in lost), key=lambda one: one.job_id):
        found.update(plan.from_strays(standings.get(job_id), list(said), force=force))
    return found


async def _move(
    conn: Connection, caller: Principal, reports: Sequence[Report], standings: Mapping[int, Standing], *, force: bool
) -> list[int]:
    """Move the jobs that may be moved; return those that were killed."""
    wanted = {
        job_id: list(group)
        for job_id, group in groupby((one for one in reports if one.state is not None), key=lambda one: one.job_id)
    }
    moved = {
        job_id: move
        for job_id in wanted
        if job_id in standings and (move := plan.walk(standings[job_id], wanted[job_id], force=force)) is not None
    }
    killed = [job_id for job_id, (state, _) in moved.items() if state is JobState.KILLED]
    others = {job_id: move for job_id, move in moved.items() if move[0] is not JobState.KILLED}
    if killed:
        await kill(conn, caller, killed)
    if taken := [
        job_id
        for job_id, (state, _) in others.items()
        if standings[job_id].state in UNTAKEN and state is not JobState.FAILED
    ]:
        await takings.note(conn, caller.vo, taken, caller.account_id)
    if others:
        await _carry_on(conn, caller.vo, others)
    return killed


async def _carry_on(conn: Connection, vo: int, moved: Mapping[int, tuple[JobState, datetime]]) -> None:
    """Put locked jobs, which no pilot of ours runs, into states; a match that is taking one now passes it over."""
    await life.leave_queues(conn, vo, list(moved))
    if await status.move(conn, vo, moved):
        await follow_soon(conn, vo)
    if any(state is JobState.DONE for state, _ in moved.values()):
        await defer(conn, "jobs:wake", vo=vo)

"""What is reported of jobs: minor and application status, and, for jobs that no pilot of ours runs, their states.

Reports carry the time at which they were so. They may come late, twice and in any order: all are history, and the
latest counts. What our pilots run is moved by its attempts alone (`life`); a report can do no more to it than kill it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from sancho.jobs import plan
from sancho.jobs.model import Heartbeat, JobState, Report, Status
from sancho.jobs.service.ending import follow_soon
from sancho.jobs.service.life import kill
from sancho.jobs.service.reporting import require_reporter
from sancho.jobs.store import heartbeats, life, status
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
) -> None:
    """Take reports of jobs, all or none: for their owners, who manages jobs, and who reports for pilots.

    A state that may not be reported of a job is written into its history and changes nothing; `plan.may_report` says
    which those are. `force` is for who manages jobs. Raises `JobNotFound`, `NotYours`, `PermissionMissing`.
    """
    if force:
        require(caller, "jobs:manage")
    await require_reporter(conn, caller, sorted({one.job_id for one in reports}), field="statuses")
    ordered = plan.bounded(reports, now)
    killed = await _move(conn, caller, ordered, force=force)
    await _keep(conn, caller.vo, ordered, killed)
    if late := {one.job_id for one in ordered if one.at < now - LATE}:  # whoever sends them lives now
        others = await status.run_by_others(conn, caller.vo, late)
        await heartbeats.put(conn, caller.vo, [Heartbeat(job_id=job_id) for job_id in others])


async def report_own(conn: Connection, vo: int, reports: Sequence[Report], *, now: datetime) -> None:
    """Take reports of a job that has shown that it is theirs; they say nothing of its state."""
    await _keep(conn, vo, plan.bounded(reports, now), [])


async def statuses(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[Status]:
    """The texts that jobs have now."""
    return await status.of_jobs(conn, vo, job_ids)


async def _keep(conn: Connection, vo: int, reports: Sequence[Report], killed: Sequence[int]) -> None:
    told = [one for one in dict.fromkeys(reports) if one.minor or one.application or one.asked]
    if told:
        await status.log(conn, vo, told)
    if said := plan.latest(reports):
        await status.put(conn, vo, said, killed)


async def _move(conn: Connection, caller: Principal, reports: Sequence[Report], *, force: bool) -> list[int]:
    """Move the jobs that may be moved; return those that were killed."""
    wanted = {
        job_id: list(group)
        for job_id, group in groupby((one for one in reports if one.state is not None), key=lambda one: one.job_id)
    }
    if not wanted:
        return []
    standings = {one.job_id: one for one in await status.lock(conn, caller.vo, list(wanted))}
    moved = {
        job_id: move
        for job_id, standing in standings.items()
        if (move := plan.walk(standing, wanted[job_id], force=force)) is not None
    }
    killed = [job_id for job_id, (state, _) in moved.items() if state is JobState.KILLED]
    others = {job_id: move for job_id, move in moved.items() if move[0] is not JobState.KILLED}
    if killed:
        await kill(conn, caller, killed)
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

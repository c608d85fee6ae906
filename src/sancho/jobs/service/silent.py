"""Jobs that others run, as DiracX's wire lets them: they have no pilot that would be missed, so they have a lease.

A heartbeat or a report of theirs renews it. When it has ended they are tried again, or have failed, just as jobs of a
pilot of ours that fell silent.
"""

from datetime import timedelta

from sancho.jobs.model import JobState, Reason, Status, StatusKind
from sancho.jobs.service.retrying import after_failures
from sancho.jobs.store import commands, life, rescheduling, silent, status
from sancho.kit import faults, telemetry
from sancho.kit.clock import Clock
from sancho.kit.db import Connection

AT_ONCE = 1000
STALLED = "Stalled: no sign of life"
"""The minor status of a job that has failed so."""
_lost = faults.point("jobs.silent-lost")
_log = telemetry.log(__name__)


async def lose_silent(conn: Connection, vo: int, lease: timedelta, clock: Clock) -> list[int]:
    """Give up what others run and have said nothing of for so long; return those jobs, a thousand at most.

    What comes back later finds its job ended, or in a queue: its reports are history, as all that come out of order.
    Whoever runs a job that has failed so is told to end it.
    """
    found = await silent.list_silent(conn, vo, lease, AT_ONCE)
    if not found:
        return []
    await rescheduling.keep_inputs(conn, vo, found)
    await life.lock_jobs(conn, vo, found)
    lost = await silent.still_silent(conn, vo, lease, found)
    if not lost:
        return []
    await silent.note(conn, vo, lost)
    states = await after_failures(conn, vo, lost, Reason.PILOT_LOST, f"no sign of life for {lease}")
    failed = [job_id for job_id, state in states.items() if state is JobState.FAILED]
    if failed:
        await commands.give_kill(conn, vo, failed)
        minor = [
            Status(job_id=job_id, kind=StatusKind.MINOR, at=clock.now(), said=STALLED, source="lease")
            for job_id in failed
        ]
        await status.put(conn, vo, minor, failed)
    _lost()
    _log.info("jobs fell silent", jobs=len(lost), failed=len(failed))
    return lost

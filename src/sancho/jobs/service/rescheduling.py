"""Jobs that somebody holds, releases, or puts back to their start; each change is checked under a lock.

A job that goes back has its attempts anew; the old ones stay in its history. Its outputs are made once: a promise is
kept in the transaction that ends the job, and a job that has kept its promises does not go back.
"""

from collections.abc import Sequence

from sancho.jobs.errors import NotReschedulable, OutputPromisedTwice, RescheduledTooOften
from sancho.jobs.model import AttemptState, JobState, Reason
from sancho.jobs.service.life import lock_own
from sancho.jobs.service.promises import promise_again, taken
from sancho.jobs.service.retrying import back_home, left_alone, requeue
from sancho.jobs.store import life, rescheduling, submitting, views
from sancho.kit import faults
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.errors import SanchoError
from sancho.uploads import service as uploads

_rescheduled = faults.point("jobs.rescheduled")
HOLDABLE = frozenset({JobState.PENDING, JobState.WAITING})
AT_WORK = frozenset({JobState.MATCHED, JobState.RUNNING, JobState.COMPLETING})
RESCHEDULABLE = frozenset({*HOLDABLE, JobState.HELD, JobState.FAILED, JobState.KILLED})


async def hold(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> list[int]:
    """Let jobs that wait wait no more until they are released; return them. Others stay as they are.

    Raises `JobNotFound`, `NotYours`.
    """
    await rescheduling.keep_inputs(conn, caller.vo, job_ids)
    locked = await lock_own(conn, caller, job_ids)
    waiting = [job_id for job_id, state, *_ in locked if state in HOLDABLE]
    await life.leave_queues(conn, caller.vo, waiting)
    await life.move(conn, caller.vo, waiting, JobState.HELD, detail=f"held by {caller.account}")
    return waiting


async def release(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> list[int]:
    """Put jobs that are held back into their queues; return them. Raises `JobNotFound`, `NotYours`."""
    await rescheduling.keep_inputs(conn, caller.vo, job_ids)
    locked = await lock_own(conn, caller, job_ids)
    held = await left_alone(conn, caller.vo, [job_id for job_id, state, *_ in locked if state is JobState.HELD])
    if held:
        await requeue(conn, caller.vo, held, f"released by {caller.account}")
    return held


async def reschedule(
    conn: Connection, caller: Principal, job_ids: Sequence[int], *, force: bool = False, anew: bool = False
) -> list[int]:  # fmt: skip
    """Put jobs back to their start, all of them or none; return them.

    Raises what `reschedule_each` does, and for the first job that cannot go back what is wrong with it.
    """
    changed, refused = await reschedule_each(conn, caller, job_ids, force=force, anew=anew)
    if refused:
        raise refused[min(refused)]
    return changed


async def reschedule_each(
    conn: Connection, caller: Principal, job_ids: Sequence[int], *, force: bool = False, anew: bool = False
) -> tuple[list[int], dict[int, SanchoError]]:  # fmt: skip
    """Put those jobs back to their start that may be; return them, and why the others may not.

    Jobs go back that wait, are held, have failed or were killed, as often as their VO says. With `force`, which is for
    administrators, also those that a pilot has: it hears with its next sign of life that its attempt was given up.
    `anew` begins to count how often, and is for them too. The reasons are `NotReschedulable`, `RescheduledTooOften`
    and, for a killed job, `OutputPromisedTwice`. Raises `JobNotFound`, `NotYours`, `PermissionMissing`.
    """
    vo = caller.vo
    if force or anew:
        require(caller, "jobs:manage", on=[f"job:{job_id}" for job_id in job_ids])
    await rescheduling.keep_inputs(conn, vo, job_ids)
    locked = {job_id: state for job_id, state, *_ in await lock_own(conn, caller, job_ids)}
    refused = await _refused(conn, vo, locked, force=force, anew=anew)
    going = [job_id for job_id in locked if job_id not in refused]
    await _give_up(conn, vo, [job_id for job_id in going if locked[job_id] in AT_WORK])
    await life.leave_queues(conn, vo, [job_id for job_id in going if locked[job_id] in HOLDABLE])
    changed = await back_home(conn, vo, going, f"rescheduled by {caller.account}")
    await rescheduling.note(conn, vo, changed, anew=anew)
    await submitting.release_promises(conn, vo, [j for j in set(going) - set(changed) if locked[j] is JobState.KILLED])
    refused |= {
        job_id: NotReschedulable(job_id=job_id, state=JobState.MATCHED.word) for job_id in set(going) - set(changed)
    }
    _rescheduled()
    return changed, refused


async def _refused(
    conn: Connection, vo: int, locked: dict[int, JobState], *, force: bool, anew: bool
) -> dict[int, SanchoError]:
    """Why some of these locked jobs may not go back; killed ones that may have promised their outputs again."""
    most, numbers = await rescheduling.most(conn, vo), await rescheduling.numbers(conn, vo, list(locked))
    refused: dict[int, SanchoError] = {}
    for job_id, state in locked.items():
        if state not in RESCHEDULABLE and not (force and state in AT_WORK):
            refused[job_id] = NotReschedulable(job_id=job_id, state=state.word)
        elif numbers.get(job_id, 0) >= most and not anew:
            refused[job_id] = RescheduledTooOften(job_id=job_id, number=numbers.get(job_id, 0))
    killed = [job_id for job_id, state in locked.items() if state is JobState.KILLED and job_id not in refused]
    if killed:
        specs = await views.list_specs(conn, vo, killed)
        names = await taken(conn, vo, specs)
        refused |= {job_id: OutputPromisedTwice(did=name) for job_id, name in names.items()}
        await promise_again(conn, vo, [spec for spec in specs if spec.job_id not in names])
    return refused


async def _give_up(conn: Connection, vo: int, job_ids: Sequence[int]) -> None:
    """End the attempts at these locked jobs."""
    attempts = await life.open_attempts_of_jobs(conn, vo, job_ids) if job_ids else []
    if attempts:
        await life.lock_attempts(conn, vo, attempts)
        await life.end_attempts(conn, vo, attempts, AttemptState.LOST, Reason.PILOT_LOST)
        await uploads.give_up_attempts(conn, vo, attempts)

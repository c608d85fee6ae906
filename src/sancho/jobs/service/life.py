"""The life of jobs after submission: start, progress, end, kill. Every change is checked under a lock."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, LiteralString

from sancho.accounting import service as accounting
from sancho.accounting.model import Entry, EntryKind
from sancho.identity import service as identity
from sancho.jobs.errors import AttemptEnded, JobNotFound, OutputsDiffer
from sancho.jobs.model import (
    TAIL,
    AttemptState,
    JobState,
    OpenAttempt,
    Progress,
    Reason,
    Result,
    Started,
    Usage,
)
from sancho.jobs.service.ending import end
from sancho.jobs.service.ranges import write_members
from sancho.jobs.service.retrying import after_failures
from sancho.jobs.store import claiming, commands, inputs, life, provenance, submitting, views
from sancho.jobs.store.claiming import Ranged
from sancho.kit import faults
from sancho.kit.access import Principal, require_owner
from sancho.kit.db import Connection, Database
from sancho.kit.tasks import defer
from sancho.uploads import service as uploads

TOO_FEW = "of its inputs too few were available any more"
LOOKS = 3
"""How often a range is looked for anew because the one that was found has been used up meanwhile."""
_claimed = faults.point("jobs.claimed")
_finished = faults.point("jobs.finished")


async def start(
    conn: Connection, choice: LiteralString, params: Mapping[str, Any], *, pilot_id: int, site_id: int
) -> Started | None:
    """Give a pilot the first waiting job of the first task queue that has one, or None.

    `choice` is a query, with its parameters, for the queues (vo, task_queue_id, has_inputs, way, cores) in the order to
    try them. Which files a job reads that starts with a part of its inputs is fixed here, too. One statement, and one
    more for such a job, or when the job has no row yet.
    """
    for _ in range(LOOKS):
        found = await claiming.claim(conn, choice, params, pilot_id=pilot_id, site_id=site_id)
        if isinstance(found, Ranged):
            found = await claiming.claim_of_range(conn, found, pilot_id=pilot_id, site_id=site_id)
            if found is None:
                continue
        part = found is not None and found.partial and found.has_inputs
        if found is not None and part and not await inputs.fix(conn, found.vo, found.attempt_id):
            await lose(conn, found.vo, [found.attempt_id], reason=Reason.INPUT_UNAVAILABLE, detail=TOO_FEW)
            return None
        _claimed()
        return found
    return None


async def start_at_once(
    database: Database, vos: Iterable[int], choice: LiteralString, params: Mapping[str, Any], *, first: LiteralString
) -> Started | None:
    """As `start`, in a transaction of its own that others may share: only for queues whose jobs read nothing.

    `first` is a query that goes before it; `params` have `pilot_id` and `site_id`, too. None, and nothing is done, also
    when a job could be had that has no row yet.
    """
    started = await claiming.claim_at_once(database, vos, choice, params, first=first)
    if started is not None:
        _claimed()
    return started


async def rest(conn: Connection, vo: int) -> None:
    """Put the empty task queues of a VO to sleep, so that whoever matches passes them by; a new job wakes one."""
    await life.put_to_sleep(conn, vo, await life.lock_empty(conn, vo))


async def begin(conn: Connection, vo: int, attempt_id: int, *, pilot_id: int) -> None:
    """The payload starts. Repeated calls change nothing; raises `AttemptEnded`."""
    attempt = await _lock(conn, vo, attempt_id, pilot_id)
    if attempt.state is AttemptState.MATCHED:
        await life.set_attempt_state(conn, vo, attempt_id, AttemptState.RUNNING)
        await life.move(conn, vo, [attempt.job_id], JobState.RUNNING)


async def complete(conn: Connection, vo: int, attempt_id: int, *, pilot_id: int) -> None:
    """The payload has ended and its outputs are being uploaded. Raises `AttemptEnded`."""
    attempt = await _lock(conn, vo, attempt_id, pilot_id)
    if attempt.state is not AttemptState.COMPLETING:
        await life.set_attempt_state(conn, vo, attempt_id, AttemptState.COMPLETING)
        await life.move(conn, vo, [attempt.job_id], JobState.COMPLETING)


async def progress(conn: Connection, vo: int, said: Sequence[Progress]) -> bool:
    """Keep what running payloads print and use, nothing of attempts that have ended; whether somebody reads along."""
    return await life.write_progress(conn, vo, [replace(one, tail=_clean(one.tail)) for one in said])


async def finish(
    conn: Connection, vo: int, attempt_id: int, result: Result, *, pilot_id: int, checksums: dict[int, str]
) -> JobState:
    """End an attempt and, with it, its job: outputs, rules, provenance, usage and state in this one transaction.

    With `result.reason` the attempt has failed: the job goes back to a queue as often as its description says of
    such a fault. The same call again gives the same answer. Raises `AttemptEnded` when the attempt was given up,
    `OutputsDiffer` when a promised output is missing.
    """
    if (state := await life.ended_state(conn, vo, attempt_id, pilot_id)) is not None:
        if state in (AttemptState.KILLED, AttemptState.LOST):
            raise AttemptEnded(attempt_id=attempt_id)
        return await _state_of(conn, vo, attempt_id)
    attempt = await _lock(conn, vo, attempt_id, pilot_id)
    if result.reason is None:
        await _commit_outputs(conn, attempt, result, checksums)
    await life.write_result(conn, vo, attempt_id, _cleaned(result))
    await accounting.record(conn, [_bill(attempt, result.usage)])
    if result.reason is None:
        await life.end_attempts(conn, vo, [attempt_id], AttemptState.DONE)
        await end(conn, vo, [attempt.job_id], JobState.DONE)
        await defer(conn, "jobs:wake", vo=vo)
        _finished()
        return JobState.DONE
    reason = await _told_apart(conn, attempt, result.reason)
    await life.end_attempts(conn, vo, [attempt_id], AttemptState.FAILED, reason)
    await uploads.give_up_attempts(conn, vo, [attempt_id])
    states = await after_failures(conn, vo, [attempt.job_id], reason, result.detail)
    _finished()
    return states[attempt.job_id]


async def _told_apart(conn: Connection, attempt: OpenAttempt, reason: Reason) -> Reason:
    """A pilot knows that it could not read an input; whether it can be read anywhere, we know."""
    vo, attempt_id = attempt.vo, attempt.attempt_id
    spec = await views.find_spec(conn, vo, attempt.job_id) if reason is Reason.INPUT_UNAVAILABLE else None
    if spec is None or spec.input_set_id is None:
        return reason
    missing, *_ = await views.unavailable(conn, vo, spec.input_set_id, attempt_id)
    return Reason.INPUT_GONE if missing else reason


async def _commit_outputs(conn: Connection, attempt: OpenAttempt, result: Result, checksums: dict[int, str]) -> None:
    vo = attempt.vo
    promised = await views.outputs(conn, vo, attempt.job_id)
    committed = await uploads.commit(conn, vo, result.intents, checksums) if result.intents else []
    made = [(c.scope_id, c.name, c.did_id) for c in committed]
    kept = await provenance.fulfil_promises(conn, vo, attempt.job_id, made) if made else 0
    if kept != len(promised):
        raise OutputsDiffer(attempt_id=attempt.attempt_id, promised=len(promised), brought=kept)
    if made:
        await provenance.insert_provenance(conn, vo, attempt.attempt_id, [c.did_id for c in committed])


async def lose(conn: Connection, vo: int, attempt_ids: Sequence[int], *, reason: Reason, detail: str) -> list[int]:
    """End attempts whose pilot is gone; their jobs go back to a queue while tries are left. Returns the jobs."""
    await life.lock_jobs(conn, vo, await life.jobs_of_attempts(conn, vo, attempt_ids))
    lost = await life.lock_attempts(conn, vo, attempt_ids)
    await life.end_attempts(conn, vo, [a.attempt_id for a in lost], AttemptState.LOST, reason)
    await uploads.give_up_attempts(conn, vo, [a.attempt_id for a in lost])
    job_ids = [a.job_id for a in lost]
    if job_ids:
        await after_failures(conn, vo, job_ids, reason, detail)
    return job_ids


async def kill(conn: Connection, caller: Principal, job_ids: Sequence[int]) -> list[int]:
    """Kill jobs that have not ended; return those that were. Whoever runs them is told until they have heard it."""
    await life.leave_queues(conn, caller.vo, job_ids)
    locked = await lock_own(conn, caller, job_ids)
    await life.leave_queues(conn, caller.vo, job_ids)
    alive = [job_id for job_id, state, *_ in locked if not state.final]
    await commands.give_kill(conn, caller.vo, alive)
    attempts = await life.open_attempts_of_jobs(conn, caller.vo, alive)
    await life.lock_attempts(conn, caller.vo, attempts)
    await life.end_attempts(conn, caller.vo, attempts, AttemptState.KILLED)
    await uploads.give_up_attempts(conn, caller.vo, attempts)
    await end(conn, caller.vo, alive, JobState.KILLED, detail=f"killed by {caller.account}")
    await submitting.release_promises(conn, caller.vo, alive)
    await defer(conn, "jobs:wake", vo=caller.vo)
    return alive


async def open_attempts(conn: Connection, pilot_ids: Sequence[int]) -> list[tuple[int, int, int]]:
    """Attempts of these pilots that have not ended: (vo, attempt_id, pilot_id)."""
    return await life.open_attempts_of_pilots(conn, pilot_ids)


async def vo_of_attempt(conn: Connection, attempt_id: int, *, pilot_id: int) -> int:
    """The VO of a pilot's attempt; raises `AttemptEnded` when the pilot never had it."""
    vo = await life.vo_of_attempt(conn, attempt_id, pilot_id)
    if vo is None:
        raise AttemptEnded(attempt_id=attempt_id)
    return vo


async def find_started(conn: Connection, vo: int, attempt_id: int) -> Started:
    """An attempt that has not ended, with what it is to compute; raises `AttemptEnded`."""
    started = await life.find_started(conn, vo, attempt_id)
    if started is None:
        raise AttemptEnded(attempt_id=attempt_id)
    return started


async def find_attempt(conn: Connection, vo: int, attempt_id: int) -> OpenAttempt | None:
    """An attempt that has not ended; not locked."""
    return await life.find_attempt(conn, vo, attempt_id)


async def _lock(conn: Connection, vo: int, attempt_id: int, pilot_id: int) -> OpenAttempt:
    await life.lock_jobs(conn, vo, await life.jobs_of_attempts(conn, vo, [attempt_id]))
    found = await life.lock_attempts(conn, vo, [attempt_id])
    if not found or found[0].pilot_id != pilot_id:
        raise AttemptEnded(attempt_id=attempt_id)
    return found[0]


async def lock_own(
    conn: Connection, caller: Principal, job_ids: Sequence[int]
) -> list[tuple[int, JobState, int, int, int]]:
    """Lock jobs that the caller may change: (job_id, state, attempts, account_id, task_queue_id) under the lock.

    Raises `JobNotFound` or `NotYours` for the first that there is not, or that is somebody else's.
    """
    locked = await life.lock_jobs(conn, caller.vo, job_ids)
    if missing := set(job_ids) - {job_id for job_id, *_ in locked}:
        await write_members(conn, caller.vo, sorted(missing))
        locked = sorted([*locked, *await life.lock_jobs(conn, caller.vo, sorted(missing))], key=lambda row: row[0])
    if missing := set(job_ids) - {job_id for job_id, *_ in locked}:
        raise JobNotFound(job_id=min(missing), field="job_ids")
    others = {account_id for _, _, _, account_id, _ in locked} - {caller.account_id}
    owners = await identity.accounts(conn, caller.vo, others) if others else {}
    for job_id, _, _, account_id, _ in locked:
        owner = owners[account_id].name if account_id in owners else caller.account
        require_owner(caller, account_id, "jobs:manage", what=f"Job {job_id}", owner=owner, on=f"job:{job_id}")
    return locked


async def _state_of(conn: Connection, vo: int, attempt_id: int) -> JobState:
    jobs = await life.lock_jobs(conn, vo, await life.jobs_of_attempts(conn, vo, [attempt_id]))
    return jobs[0][1]


def _bill(attempt: OpenAttempt, usage: Usage) -> Entry:
    return Entry(
        vo=attempt.vo, kind=EntryKind.ATTEMPT, account_id=attempt.account_id, site_id=attempt.site_id,
        job_id=attempt.job_id, wall=usage.wall, cpu=usage.cpu,
    )  # fmt: skip


def _clean(text: str) -> str:
    return text[-TAIL:].replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _cleaned(result: Result) -> Result:
    return Result(
        reason=result.reason, exit_code=result.exit_code, detail=result.detail and _clean(result.detail),
        intents=result.intents, usage=result.usage, tail=_clean(result.tail), log_size=result.log_size,
        sandbox=result.sandbox,
    )  # fmt: skip

"""What follows when attempts have failed: jobs are tried again, elsewhere if they can be, or have failed."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sancho.jobs import plan
from sancho.jobs.model import AVOIDED, Failure, JobState, Reason, Requirement, Retry, slot_of, ways_of
from sancho.jobs.service.ending import end
from sancho.jobs.store import life, retrying, submitting, views
from sancho.jobs.store.views import SpecRow
from sancho.kit.db import Connection
from sancho.kit.documents import read

FORGIVEN_AT_ONCE = 1000


async def after_failures(
    conn: Connection, vo: int, job_ids: Sequence[int], reason: Reason, detail: str | None
) -> dict[int, JobState]:
    """Put locked jobs whose attempts have just failed back into a queue, or end them; say which state each is in.

    A job that a site failed waits in a queue in which that site is banned, if another could run it; `forgive` ends
    that. A fixed number of statements, however many jobs.
    """
    specs = await views.list_specs(conn, vo, job_ids)
    past = await retrying.failures(conn, vo, job_ids)
    before = await retrying.attempts_before(conn, vo, job_ids)
    decided = {
        spec.job_id: plan.after_failure(
            past[spec.job_id], _retry(spec),
            attempts=spec.attempts - before.get(spec.job_id, 0) + sum(one.site is None for one in past[spec.job_id]),
            max_attempts=int(spec.description.get("max_attempts", 1)),
        )
        for spec in specs
    }  # fmt: skip
    said = f"{reason.value}: {detail}" if detail else reason.value
    failed = [job_id for job_id, state in decided.items() if state is JobState.FAILED]
    if failed:
        await end(conn, vo, failed, JobState.FAILED, detail=said)
    again = [spec for spec in specs if decided[spec.job_id] is not JobState.FAILED]
    if again:
        await _turn_away(conn, vo, again, past)
        decided |= await requeue(conn, vo, [spec.job_id for spec in again], said)
    return decided


def _retry(spec: SpecRow) -> Retry:
    return read(Retry, spec.description.get("retry", {}))


async def _turn_away(
    conn: Connection, vo: int, specs: Sequence[SpecRow], past: Mapping[int, Sequence[Failure]]
) -> None:  # fmt: skip
    """Let jobs belong to queues in which the sites that failed them are banned, where that leaves any."""
    slots = [slot_of(row) for row in await submitting.list_slots(conn, vo)]
    homes = await retrying.homes(conn, vo, [spec.job_id for spec in specs])
    wanted: dict[int, int | bytes] = {}
    queues: dict[bytes, tuple[int, Sequence[Requirement]]] = {}
    for spec in specs:
        home = homes[spec.job_id]
        site_ids = plan.to_avoid(past[spec.job_id], ways_of(spec.description), slots)
        wanted[spec.job_id] = home.task_queue_id
        if site_ids:
            ways = plan.elsewhere([read(Requirement, way) for way in home.requirements], site_ids)
            digest = plan.queue_digest({"instead_of": home.task_queue_id}, ways, home.input_set_id)
            queues[digest] = (home.task_queue_id, ways)
            wanted[spec.job_id] = digest
    made = await retrying.make_queues(conn, vo, queues) if queues else {}
    await retrying.put_into(
        conn, vo, {job_id: made[queue] if isinstance(queue, bytes) else queue for job_id, queue in wanted.items()}
    )


async def requeue(conn: Connection, vo: int, job_ids: Sequence[int], detail: str) -> dict[int, JobState]:
    """Put locked jobs into the queues that they belong to; say which wait, and which are pending.

    Pending are those whose inputs are not complete, and those that other jobs have to come before.
    """
    waiting = await let_in(conn, vo, job_ids, detail)
    pending = sorted(set(job_ids) - set(waiting))
    if pending:
        await life.move(conn, vo, pending, JobState.PENDING, detail=detail)
    return {**dict.fromkeys(waiting, JobState.WAITING), **dict.fromkeys(pending, JobState.PENDING)}


async def let_in(conn: Connection, vo: int, job_ids: Sequence[int], detail: str) -> list[int]:
    """Put those of these locked jobs that nothing keeps from it into their queues; return them."""
    locked = await life.lock_jobs(conn, vo, job_ids)
    await submitting.wake_queues(conn, vo, [queue for *_, queue in locked])
    counts, pending = await life.enter(conn, vo, job_ids)
    waiting = sorted(set(job_ids) - set(pending))
    if waiting:
        await life.move(conn, vo, waiting, JobState.WAITING, detail=detail)
    if counts:
        await submitting.count_waiting(conn, vo, counts)
    return waiting


async def forgive(conn: Connection, vo: int, *, after: timedelta = AVOIDED) -> list[int]:
    """Let jobs that have avoided a site for so long wait for any site again; return them, a thousand at most."""
    job_ids = await retrying.list_avoiding(conn, vo, after, FORGIVEN_AT_ONCE)
    if not job_ids:
        return []
    locked = await life.lock_jobs(conn, vo, job_ids)
    still = [job_id for job_id, state, *_ in locked if state is JobState.WAITING]
    await life.leave_queues(conn, vo, still)
    return await back_home(conn, vo, still, "any site will do again")


async def left_alone(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[int]:
    """Those of these locked jobs, which have left their queues, that no match takes at this moment.

    A match that has the row of a job in its queue waits for the job; to put another there would be to wait for it.
    """
    taken = set(await retrying.being_taken(conn, vo, job_ids))
    return [job_id for job_id in job_ids if job_id not in taken]


async def back_home(conn: Connection, vo: int, job_ids: Sequence[int], detail: str) -> list[int]:
    """Put locked jobs that wait nowhere into the queues that they came from; return them.

    One that a match takes at this moment is left to it.
    """
    free = await left_alone(conn, vo, job_ids)
    if free:
        homes = await retrying.homes(conn, vo, free)
        await retrying.put_into(conn, vo, {job_id: home.task_queue_id for job_id, home in homes.items()})
        await requeue(conn, vo, free, detail)
    return free

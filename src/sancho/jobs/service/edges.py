"""Jobs that wait for other jobs: they are pending until what they want of those has come true.

Whoever ends a job notes, in its transaction, that others wait for it. The notes are worked off in batches (`follow`),
each in a transaction of its own: what is met is noted for good, jobs that nothing keeps any more enter their queues,
and those that wait in vain fail, with all below them. A note goes when all that wait have heard of it.
"""

from collections.abc import Mapping, Sequence

from sancho.jobs.errors import BeforeFailed, JobNotFound
from sancho.jobs.model import Awaited, Edge, JobState, When
from sancho.jobs.plan import edges as plan
from sancho.jobs.plan.edges import Wait
from sancho.jobs.service.ranges import write_members
from sancho.jobs.service.retrying import let_in
from sancho.jobs.store import edges, life, rescheduling
from sancho.kit.db import Connection

NOTES_AT_ONCE = 500
EDGES_AT_ONCE = 5000
FORGOTTEN_AT_ONCE = 1000
TOLD = 5
"""Jobs that are told of those that a job waits for."""
COUNTED = 100_000
"""Jobs that wait for one, as far as they are counted."""


async def lock_before(conn: Connection, vo: int, found: Sequence[Wait], fields: Mapping[int, str]) -> None:
    """Keep the jobs that are named by their ids as they are until we commit.

    Raises `JobNotFound`, and `BeforeFailed` for one that is to be done and will not be by itself.
    """
    states = await edges.lock_before(conn, vo, list(fields)) if fields else {}
    if unwritten := sorted(fields.keys() - states.keys()):
        await write_members(conn, vo, unwritten)
        states |= await edges.lock_before(conn, vo, unwritten)
    if missing := [job_id for job_id in fields if job_id not in states]:
        raise JobNotFound(job_id=missing[0], field=fields[missing[0]])
    for _, before, when in found:
        if isinstance(before, int) and plan.met(when, states[before]) is False:
            raise BeforeFailed(job_id=before, state=states[before].word, field=fields[before])


async def wait_for(conn: Connection, vo: int, found: Sequence[Edge]) -> None:
    """Let new, pending jobs wait for others, which `lock_before` has locked or which are new as well."""
    if found:
        await edges.insert(conn, vo, found)


async def awaiting(conn: Connection, vo: int, job_ids: Sequence[int]) -> set[int]:
    """Those of these jobs that wait for others, or have waited; what they still wait for stays as it is meanwhile."""
    have, before = await edges.awaiting(conn, vo, job_ids)
    if before:
        await edges.lock_before(conn, vo, list(before))
    return have


async def wait_as(conn: Connection, vo: int, clones: Mapping[int, int]) -> None:
    """Let clones, which are pending, wait for what their jobs wait for, or for the clones of that."""
    await edges.copy(conn, vo, clones)


async def follow(conn: Connection, vo: int) -> bool:
    """See to some of the jobs that wait for jobs that have ended; say whether there may be more to see to.

    Safe to be called at the same time elsewhere, for other jobs.
    """
    notes = await edges.claim_notes(conn, vo, NOTES_AT_ONCE)
    if not notes:
        return False
    reached: dict[int, int] = {}
    for _, before_id, so_far in notes:
        reached[before_id] = min(so_far, reached.get(before_id, so_far))
    most = max(EDGES_AT_ONCE // len(reached), 1)
    endings = await edges.lock_endings(conn, vo, reached, most)
    true, vain = plan.sorted_out(endings)
    if true:
        await edges.meet(conn, vo, true)
    if endings:
        await _see_to(conn, vo, sorted({one.job_id for one in true}), vain)
    further = plan.further(endings, most)
    await edges.tear_off(conn, vo, [note_id for note_id, before_id, _ in notes if before_id not in further])
    if further:
        left = {note_id: further[before_id] for note_id, before_id, _ in notes if before_id in further}
        await edges.reach(conn, vo, left)
    return True


async def _see_to(conn: Connection, vo: int, glad: Sequence[int], vain: Mapping[int, int]) -> None:
    """Let in those jobs that nothing keeps any more, and end those that wait in vain, with all below them."""
    below = await edges.list_below(conn, vo, list(vain), EDGES_AT_ONCE) if vain else []
    touched = sorted({*glad, *vain, *(job_id for _, job_id in below)})
    await rescheduling.keep_inputs(conn, vo, touched)
    pending = {job_id for job_id, state, *_ in await life.lock_jobs(conn, vo, touched) if state is JobState.PENDING}
    doomed = plan.doomed(below, vain, pending)
    if doomed:
        await life.leave_queues(conn, vo, list(doomed))
        await edges.fail(conn, vo, doomed)
    free = await edges.list_free(conn, vo, [job_id for job_id in glad if job_id in pending and job_id not in doomed])
    if free:
        await let_in(conn, vo, free, "the jobs before it have ended")


async def recall(conn: Connection, vo: int) -> int:
    """Note again what nobody has heard of that waits for it; return how many jobs that was."""
    return await edges.note_forgotten(conn, vo, FORGOTTEN_AT_ONCE)


async def awaited(conn: Connection, vo: int, job_id: int) -> Awaited:
    """What a job waits for, and how many wait for it."""
    every, still = await edges.count(conn, vo, job_id)
    return Awaited(
        all=every,
        open=still,
        first=await edges.list_open(conn, vo, job_id, TOLD) if still else (),
        waiting_for_it=await edges.count_waiting_for(conn, vo, job_id, COUNTED),
    )


def in_words(found: Awaited) -> str | None:
    """Say what a job still waits for; None when for no other job."""
    if not found.open:
        return None
    named = ", ".join(f"{job_id} ({state.word})" for job_id, state, _ in found.first)
    rest = f" and {found.open - len(found.first)} more" if found.open > len(found.first) else ""
    verb = "end" if all(when is When.ENDED for *_, when in found.first) else "be done"
    return f"it waits for job{'' if found.open == 1 else 's'} {named}{rest} to {verb}"

"""Inputs that other VOs share: where they are, whether they may still be read, and what becomes of jobs if not.

What is the owner's is read in a part of the transaction that serves the owner alone, after a look at its grant. A
match serves no owner: for it we note, for each set of inputs, whether they are complete and how much is where.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from sancho.dids import service as dids
from sancho.dids.errors import DidNotFound
from sancho.jobs.errors import InputWithdrawn, TooManyInputs
from sancho.jobs.model import MOST_INPUTS, InputFile, JobState, Reason, SharedInput, Started
from sancho.jobs.service.ending import end
from sancho.jobs.service.life import lose
from sancho.jobs.store import inputs, life, shared
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.sharing import service as sharing
from sancho.sharing.model import Lent

LOOK_EVERY = timedelta(seconds=30)
"""So often a job in its queue is told from where its shared inputs are, and whether they are still shared."""
REFUSED_AT_ONCE = 1000
OBSTACLES = {
    "open": "dataset {did} is still open",
    "tape": "{did} is on tape only, from which it is recalled in its turn",
    "nowhere": "{did} has no available replica",
    "packed": "{did} lies in an archive only; a job reads the archive when its inputs name that",
}


def in_words(obstacle: tuple[str, str] | None, owner: str = "") -> str | None:
    """Say what keeps inputs from being complete; None when nothing does."""
    return None if obstacle is None else OBSTACLES[obstacle[1]].format(did=f"{owner}{obstacle[0]}")


async def check_number(conn: Connection, vo: int, roots: Sequence[int]) -> None:
    """Raise `TooManyInputs` if a job cannot be told of all files among and below these DIDs.

    They are counted by the tallies of datasets, so a file that is in two counts twice.
    """
    below = await dids.tallies(conn, vo, roots)
    if (count := sum(max(1, tally.files) for tally in below.values())) > MOST_INPUTS:
        raise TooManyInputs(count=count, limit=MOST_INPUTS)


@asynccontextmanager
async def lent(conn: Connection, wanted: SharedInput) -> AsyncIterator[Lent]:
    """Serve the owner of shared inputs, and it alone, while the block lasts; raises `InputWithdrawn`."""
    try:
        async with sharing.lent(conn, wanted.reader, wanted.owner, wanted.names) as opened:
            yield opened
    except DidNotFound as e:
        raise InputWithdrawn(did=str(e.facts["did"]), reader=wanted.reader) from e


async def shared_inputs(conn: Connection, vo: int, job_id: int) -> list[SharedInput]:
    """What a job reads of other VOs, by owner."""
    return await shared.of_job(conn, vo, job_id)


async def shared_files(conn: Connection, opened: Lent, *, site_id: int) -> list[InputFile]:
    """The files of inputs that are lent, and where each is available, nearest to a site first."""
    return await shared.files_below(conn, opened.vo, [did.did_id for did in opened.dids], site_id)


async def locate(conn: Connection, vo: int, input_set_id: int) -> str | None:
    """Note where the shared inputs of a set are; return what keeps them from being complete, in words.

    Raises `InputWithdrawn`, or `TooManyInputs` when they have grown.
    """
    found: list[tuple[SharedInput, str | None, list[tuple[int, int]]]] = []
    for wanted in await shared.of_set(conn, vo, input_set_id):
        async with lent(conn, wanted) as opened:
            roots = [did.did_id for did in opened.dids]
            await check_number(conn, opened.vo, roots)
            detail = in_words(await inputs.first_obstacle(conn, opened.vo, roots), f"{wanted.owner}/")
            found.append((wanted, detail, await shared.list_places(conn, opened.vo, roots)))
    for wanted, detail, places in found:
        await shared.note_places(conn, vo, wanted, places, available=detail is None)
    return next((detail for _, detail, _ in found if detail is not None), None)


async def look_again(conn: Connection, vo: int, *, every: timedelta = LOOK_EVERY) -> None:
    """See to the jobs in queues whose shared inputs were not looked at for a while; refuse those that lost them."""
    for input_set_id in await shared.list_stale(conn, vo, every):
        try:
            await inputs.note_obstacle(conn, vo, input_set_id, await locate(conn, vo, input_set_id))
        except (InputWithdrawn, TooManyInputs) as e:
            await refuse(conn, vo, input_set_id, str(e))


async def refuse(conn: Connection, vo: int, input_set_id: int, why: str) -> None:
    """Fail the jobs that wait with inputs that they may not read any more: a thousand now, the others in time."""
    job_ids = await shared.list_unstarted(conn, vo, input_set_id, REFUSED_AT_ONCE)
    await life.leave_queues(conn, vo, job_ids)
    locked = await life.lock_jobs(conn, vo, job_ids)
    await life.leave_queues(conn, vo, job_ids)
    waiting = [job_id for job_id, state, *_ in locked if state in (JobState.PENDING, JobState.WAITING)]
    await end(conn, vo, waiting, JobState.FAILED, detail=why)
    await shared.doubt(conn, vo, input_set_id)


async def take_back(conn: Connection, started: Started, why: str) -> None:
    """End an attempt whose shared inputs were withdrawn before its pilot heard of it; jobs that wait are seen to."""
    vo = started.vo
    for wanted in await shared.of_job(conn, vo, started.job_id):
        await shared.doubt(conn, vo, wanted.input_set_id)
    await lose(conn, vo, [started.attempt_id], reason=Reason.INPUT_UNAVAILABLE, detail=why)
    await defer(conn, "jobs:wake", vo=vo)

"""Inputs: when a set is complete its jobs may be matched; when a dataset has all promised outputs it closes."""

from collections.abc import Sequence

from sancho.dids import service as dids
from sancho.jobs.errors import InputWithdrawn, TooManyInputs
from sancho.jobs.model import JobState
from sancho.jobs.plan import enough
from sancho.jobs.service.retrying import let_in
from sancho.jobs.service.shared import check_number, in_words, locate, refuse
from sancho.jobs.store import inputs, life
from sancho.kit import telemetry
from sancho.kit.db import Connection

_log = telemetry.log(__name__)


async def resolve(conn: Connection, vo: int, input_set_id: int) -> bool:
    """Ready an input set if it is complete, and let its jobs wait for a match; say whether it is ready now."""
    found = await inputs.lock_input_set(conn, vo, input_set_id)
    if found is None:
        return False
    roots, start_with = found
    try:
        await check_number(conn, vo, roots)
        detail, least = await _lacking(conn, vo, roots, start_with)
        detail = detail or await locate(conn, vo, input_set_id)
    except (InputWithdrawn, TooManyInputs) as e:
        await refuse(conn, vo, input_set_id, str(e))
        return False
    if detail is not None:
        await inputs.note_obstacle(conn, vo, input_set_id, detail, least)
        return False
    await inputs.freeze(conn, vo, input_set_id, roots)
    await inputs.mark_ready(conn, vo, input_set_id, least)
    job_ids = await inputs.take_pending(conn, vo, input_set_id)
    locked = await life.lock_jobs(conn, vo, job_ids)
    pending = [job_id for job_id, state, *_ in locked if state is JobState.PENDING]
    if pending:
        await let_in(conn, vo, pending, "inputs complete")
    return True


async def _lacking(
    conn: Connection, vo: int, roots: Sequence[int], start_with: str | None
) -> tuple[str | None, int | None]:
    """What keeps inputs from being complete enough, in words, and how many files are enough; None: all of them."""
    obstacle = await inputs.first_obstacle(conn, vo, roots)
    if start_with is None or (obstacle is not None and obstacle[1] == "open"):
        return in_words(obstacle), None
    files, there = await inputs.count_there(conn, vo, roots)
    least = enough(start_with, files)
    if there >= least:
        return None, least
    return f"{there} of {files} files are available, and {least} are enough: {in_words(obstacle)}", least


async def resolve_all(conn: Connection, vo: int) -> int:
    """Look at every set that pending jobs of a VO wait for; say how many became ready."""
    unready = await inputs.list_unready(conn, vo)
    return sum([await resolve(conn, vo, input_set_id) for input_set_id in unready])


async def close_datasets(conn: Connection, vo: int, dataset_ids: Sequence[int] | None = None) -> list[int]:
    """Close the datasets that wish it and have every promised output; return those that were closed."""
    closed: list[int] = []
    for dataset_id in await inputs.list_closable(conn, vo, dataset_ids):
        # Lock, then look again: an output promised meanwhile keeps the dataset open.
        if await inputs.lock_closing(conn, vo, dataset_id) and await inputs.list_closable(conn, vo, [dataset_id]):
            await dids.close(conn, vo, dataset_id)
            await inputs.forget_closing(conn, vo, dataset_id)
            closed.append(dataset_id)
    return closed

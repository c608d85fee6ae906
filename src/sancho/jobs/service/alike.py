"""Submit many descriptions that differ in what they compute, and in little else, as JDLs in one call do."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from sancho.jobs import plan
from sancho.jobs.model import Description, JobState, Part
from sancho.jobs.service.inputs import resolve
from sancho.jobs.service.submitting import Rows, make_queue, submit, submitted
from sancho.jobs.store import submitting
from sancho.kit import telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.tasks import defer
from sancho.vos import service as vos

Wanted = Sequence[tuple[Description, Sequence[Mapping[str, Any]]]]
_log = telemetry.log(__name__)


async def submit_many(conn: Connection, caller: Principal, wanted: Wanted, *, anyway: bool = False) -> list[list[int]]:
    """Submit several descriptions as `submit` does, or none of them; the ids of the jobs of each.

    Those without outputs that need the same of slots, and of data, take no more statements than one. Queues are taken
    in an order that is the same whoever asks.
    """
    alike: dict[str, list[int]] = {}
    for place, (description, _) in enumerate(wanted):
        alike.setdefault(plan.likeness(description), []).append(place)
    found: dict[int, list[int]] = {}
    for _, places in sorted(alike.items()):
        several = [wanted[place] for place in places]
        if len(several) == 1 or several[0][0].outputs:
            for place, (description, parameters) in zip(places, several, strict=True):
                found[place] = (await submit(conn, caller, description, parameters, anyway=anyway)).job_ids
        else:
            found |= zip(places, await _submit_alike(conn, caller, several, anyway=anyway), strict=True)
    return [found[place] for place in range(len(wanted))]


async def _submit_alike(conn: Connection, caller: Principal, wanted: Wanted, *, anyway: bool) -> list[list[int]]:
    """Submit descriptions of one `plan.likeness`, without outputs."""
    rows = [Rows(Part(description=one, parameters=parameters), early=True) for one, parameters in wanted]
    for (description, _), own in zip(wanted, rows, strict=True):
        plan.check_placeholders(description, own.samples)
    first = wanted[0][0]
    plan.check_tags(first.ways)
    require(caller, "jobs:create", on=plan.things(first.ways, []))
    documents = [submitting.description_document(description) for description, _ in wanted]
    submission_ids = await submitting.insert_submissions(
        conn, caller.vo, caller.account_id,
        said={"version": await vos.current_version(conn), "traceparent": telemetry.traceparent()},
        each=[(own.count, said, next(own.digests(said))) for said, own in zip(documents, rows, strict=True)],
    )  # fmt: skip
    _, task_queue_id, input_set_id, complete = await make_queue(conn, caller, first, anyway=anyway)
    job_ids = await submitting.insert_jobs(
        conn, caller.vo,
        said={
            "account_id": caller.account_id, "task_queue_id": task_queue_id, "priority": first.priority,
            "input_set_id": None if complete else input_set_id,
            "state": JobState.WAITING if complete else JobState.PENDING,
        },
        parameters={submission_id: own.texts for submission_id, own in zip(submission_ids, rows, strict=True)},
    )  # fmt: skip
    if complete:
        await submitting.count_waiting(conn, caller.vo, {task_queue_id: len(job_ids)})
    elif input_set_id is not None:
        await resolve(conn, caller.vo, input_set_id)
    if input_set_id is not None:
        await defer(conn, "jobs:want", once=f"jobs:want:{caller.vo}", vo=caller.vo)
    submitted()
    _log.info("jobs submitted", submissions=len(rows), first=submission_ids[0], jobs=len(job_ids))
    left = iter(job_ids)
    return [list(islice(left, own.count)) for own in rows]

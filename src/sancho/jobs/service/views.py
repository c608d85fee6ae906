"""What people and pilots may see of jobs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sancho.dids import service as dids
from sancho.jobs import plan
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model import Awaited, InputFile, JobState, OpenAttempt, Status, StatusKind, slot_of, ways_of
from sancho.jobs.service.edges import awaited, in_words
from sancho.jobs.store import heartbeats, inputs, parameters, status, submitting, views
from sancho.jobs.store.heartbeats import LastBeat
from sancho.jobs.store.views import AttemptRow, JobRow, LogTail, SpecRow, Transition
from sancho.kit import telemetry
from sancho.kit.access import Principal
from sancho.kit.db import Connection

WATCHED = 30
"""Seconds for which a pilot hurries after somebody has asked for what a job prints."""


@dataclass(frozen=True, kw_only=True)
class JobDetail:
    """Everything about one job; `parameters` are those it was submitted with, `said` is what it says of itself."""

    job: JobRow
    said: Mapping[str, Any]
    description: Mapping[str, Any]
    parameters: Mapping[str, Any]
    history: list[Transition]
    attempts: list[AttemptRow]
    outputs: list[tuple[Any, ...]]
    reason: str | None
    trace_id: str | None
    statuses: Mapping[StatusKind, Status]
    heartbeat: LastBeat | None
    after: Awaited


async def list_jobs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[JobRow]:
    """Jobs as lists show them, in the order of their ids as they are given."""
    return await views.list_jobs(conn, vo, job_ids)


async def owners(conn: Connection, vo: int, name: str) -> set[int]:
    """The account of a job, by its number as text; none when there is no such job."""
    if not re.fullmatch("[0-9]{1,18}", name, re.ASCII):
        return set()
    return {job.account_id for job in await views.list_jobs(conn, vo, [int(name)])}


async def get(conn: Connection, caller: Principal, job_id: int) -> JobDetail:
    """Everything about one job; raises `JobNotFound`."""
    spec = await get_spec(conn, caller.vo, job_id)
    after = await awaited(conn, caller.vo, job_id)
    return JobDetail(
        job=(await views.list_jobs(conn, caller.vo, [job_id]))[0],
        said=(await parameters.of_jobs(conn, caller.vo, [job_id])).get(job_id, {}),
        description=spec.description,
        parameters=spec.parameters,
        history=await views.history(conn, caller.vo, job_id),
        attempts=await views.attempts(conn, caller.vo, job_id),
        outputs=await views.outputs(conn, caller.vo, job_id),
        after=after,
        reason=await _reason(conn, caller.vo, spec, after),
        trace_id=telemetry.trace_id(spec.traceparent),
        statuses={one.kind: one for one in await status.of_jobs(conn, caller.vo, [job_id])},
        heartbeat=await heartbeats.last(conn, caller.vo, job_id),
    )


async def _reason(conn: Connection, vo: int, spec: SpecRow, after: Awaited) -> str | None:
    """Why a job does not run yet, in words."""
    if spec.state is JobState.PENDING and (waits := in_words(after)) is not None:
        return waits
    if spec.state is JobState.PENDING and spec.input_set_id is not None:
        return await views.obstacle(conn, vo, spec.input_set_id) or "its inputs are being looked up"
    if spec.state is not JobState.WAITING:
        return None
    if spec.input_set_id is not None:
        missing, files, least = await views.unavailable(conn, vo, spec.input_set_id)
        if files - missing < least:
            be = "is" if missing == 1 else "are"
            return f"{missing} of its {files} input files {be} nowhere available at the moment"
        if (detail := await views.obstacle(conn, vo, spec.input_set_id)) is not None:
            return detail
    return plan.why_waiting(ways_of(spec.description), [slot_of(row) for row in await submitting.list_slots(conn, vo)])


async def get_spec(conn: Connection, vo: int, job_id: int) -> SpecRow:
    """What a job is to compute; raises `JobNotFound`."""
    spec = await views.find_spec(conn, vo, job_id)
    if spec is None:
        raise JobNotFound(job_id=job_id)
    return spec


async def list_specs(conn: Connection, vo: int, job_ids: Sequence[int]) -> list[SpecRow]:
    """What these jobs are to compute, in order of their ids; raises `JobNotFound` for the first that there is not."""
    specs = await views.list_specs(conn, vo, job_ids)
    if missing := set(job_ids) - {spec.job_id for spec in specs}:
        raise JobNotFound(job_id=min(missing), field="job_ids")
    return specs


async def traceparent(conn: Connection, vo: int, attempt_id: int) -> str | None:
    """The trace of the request that submitted an attempt's job: what is done for the attempt is part of it."""
    return await views.traceparent(conn, vo, attempt_id)


async def log(
    conn: Connection, caller: Principal, job_id: int, attempt: int | None, *, follow: bool = False
) -> LogTail | None:
    """What an attempt of a job printed last; None before the first attempt. Raises `JobNotFound`.

    Who wants to `follow` it asks again: meanwhile the pilot hurries.
    """
    await get_spec(conn, caller.vo, job_id)
    if follow:
        await heartbeats.watch(conn, caller.vo, job_id, WATCHED)
    return await views.log_tail(conn, caller.vo, job_id, attempt)


async def promised(conn: Connection, attempt: OpenAttempt) -> list[tuple[Any, ...]]:
    """Outputs an attempt must bring: (number, did, dataset, did_id, scope_id, name, dataset_id)."""
    return await views.outputs(conn, attempt.vo, attempt.job_id)


async def input_files(conn: Connection, vo: int, job_id: int, *, site_id: int) -> list[InputFile]:
    """Files that a job reads, and where each is available, nearest to a site first."""
    return await inputs.input_files(conn, vo, job_id, site_id)


async def producers(conn: Connection, caller: Principal, names: list[str]) -> dict[str, int]:
    """The job that made each of these files, where one did."""
    found = await dids.resolve(conn, caller.vo, names)
    made = await views.producers(conn, caller.vo, [d.did_id for d in found])
    return {d.did: made[d.did_id] for d in found if d.did_id in made}

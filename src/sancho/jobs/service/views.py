"""What people and pilots may see of jobs."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sancho.dids import service as dids
from sancho.jobs import plan
from sancho.jobs.errors import JobNotFound, SandboxMissing
from sancho.jobs.model import InputFile, JobState, OpenAttempt, slot_of, ways_of
from sancho.jobs.store import inputs, parameters, submitting, views
from sancho.jobs.store.views import AttemptRow, JobRow, LogTail, SpecRow, Transition
from sancho.kit import telemetry
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.objects import Method

SANDBOX_LIFETIME = timedelta(hours=1)


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
    return JobDetail(
        job=(await views.list_jobs(conn, caller.vo, [job_id]))[0],
        said=(await parameters.of_jobs(conn, caller.vo, [job_id])).get(job_id, {}),
        description=spec.description,
        parameters=spec.parameters,
        history=await views.history(conn, caller.vo, job_id),
        attempts=await views.attempts(conn, caller.vo, job_id),
        outputs=await views.outputs(conn, caller.vo, job_id),
        reason=await _reason(conn, caller.vo, spec),
        trace_id=telemetry.trace_id(spec.traceparent),
    )


async def _reason(conn: Connection, vo: int, spec: SpecRow) -> str | None:
    """Why a job does not run yet, in words."""
    if spec.state is JobState.PENDING and spec.input_set_id is not None:
        return await views.obstacle(conn, vo, spec.input_set_id) or "its inputs are being looked up"
    if spec.state is not JobState.WAITING:
        return None
    if spec.input_set_id is not None:
        missing, files = await views.unavailable(conn, vo, spec.input_set_id)
        if missing:
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


async def log(conn: Connection, caller: Principal, job_id: int, attempt: int | None) -> LogTail | None:
    """What an attempt of a job printed last; None before the first attempt. Raises `JobNotFound`."""
    await get_spec(conn, caller.vo, job_id)
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


def sandbox_key(vo: int, sha256: bytes) -> str:
    """Where a sandbox lies in the object store."""
    return f"sandboxes/{vo}/{sha256.hex()}.tar.gz"


async def announce_sandbox(
    deployment: Deployment, conn: Connection, caller: Principal, sha256: bytes, size: int
) -> str | None:
    """Announce a sandbox; a URL to PUT it to, or None when its content is there already."""
    require(caller, "jobs:create")
    await submitting.insert_sandbox(conn, caller.vo, caller.account_id, sha256, size)
    return await _upload_url(deployment, caller.vo, sha256, size)


async def announce_output_sandbox(
    deployment: Deployment, conn: Connection, attempt: OpenAttempt, sha256: bytes, size: int
) -> str | None:
    """Announce what an attempt leaves behind, as its job's owner; a URL to PUT it to, or None."""
    await submitting.insert_sandbox(conn, attempt.vo, attempt.account_id, sha256, size)
    return await _upload_url(deployment, attempt.vo, sha256, size)


async def check_sandbox(deployment: Deployment, conn: Connection, vo: int, sha256: str) -> None:
    """Raise `SandboxMissing` unless a sandbox, named by 64 hex digits, was announced and has arrived whole."""
    digest = bytes.fromhex(sha256)
    size = await submitting.find_sandbox(conn, vo, digest)
    if size is None or await deployment.objects.size(sandbox_key(vo, digest)) != size:
        raise SandboxMissing(sha256=sha256)


async def _upload_url(deployment: Deployment, vo: int, sha256: bytes, size: int) -> str | None:
    key = sandbox_key(vo, sha256)
    if await deployment.objects.size(key) == size:
        return None
    return await deployment.objects.presign("PUT", key, lifetime=SANDBOX_LIFETIME, size=size)


async def sandbox_url(deployment: Deployment, vo: int, sha256: bytes, method: Method = "GET") -> str:
    """A presigned URL of a sandbox."""
    return await deployment.objects.presign(method, sandbox_key(vo, sha256), lifetime=SANDBOX_LIFETIME)


async def sandbox_size(conn: Connection, vo: int, sha256: bytes) -> int | None:
    """Bytes of an announced sandbox."""
    return await submitting.find_sandbox(conn, vo, sha256)

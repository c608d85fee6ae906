"""Jobs: submit, look, kill, fetch."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sancho_client.call import Call, Pages, body
from sancho_client.models.jobs import (
    Changed,
    Job,
    JobDescription,
    JobDetail,
    Log,
    SandboxLink,
    SandboxUpload,
    StateCount,
    Submission,
)


def submit(
    description: JobDescription,
    *,
    parameters: Sequence[Mapping[str, Any]] | None = None,
    count: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Submission]:
    """Submit one job for each row of parameters, or `count` jobs that differ by `{number}` alone, or just one.

    Without a key the call makes one of its own, so carrying out the same call twice never submits twice.
    """
    rows = {"count": count} if count is not None else list(parameters) if parameters is not None else None
    sent = body(description=description, parameters=rows, idempotency_key=idempotency_key or str(uuid4()))
    return Call(method="POST", path="/v1/jobs", answer=Submission, json=sent, repeatable=True)


def list_jobs(
    *,
    state: str | None = None,
    name: str | None = None,
    submission: int | None = None,
    mine: bool = False,
    limit: int | None = None,
) -> Pages[Job]:
    """The jobs of the VO, newest first; `mine` are the caller's own."""
    query = {"state": state, "name": name, "submission": submission, "mine": mine or None}
    return Pages(path="/v1/jobs", item=Job, query=query, page_size=500, limit=limit)


def show(job_id: int) -> Call[JobDetail]:
    """All that is known about a job."""
    return Call(method="GET", path=f"/v1/jobs/{job_id}", answer=JobDetail)


def summary(submission: int | None = None) -> Call[list[StateCount]]:
    """How many jobs are in each state."""
    return Call(method="GET", path="/v1/jobs/summary", answer=list[StateCount], query={"submission": submission})


def log(job_id: int, attempt: int | None = None) -> Call[Log]:
    """The end of the output of a job's last attempt, or of another."""
    return Call(method="GET", path=f"/v1/jobs/{job_id}/log", answer=Log, query={"attempt": attempt})


def kill(job_ids: Sequence[int]) -> Call[Changed]:
    """Kill jobs; those that are over stay as they are."""
    sent = body(job_ids=list(job_ids))
    return Call(method="POST", path="/v1/jobs/kill", answer=Changed, json=sent, repeatable=True)


def reschedule(job_ids: Sequence[int]) -> Call[Changed]:
    """Try failed and killed jobs again."""
    return Call(method="POST", path="/v1/jobs/reschedule", answer=Changed, json=body(job_ids=list(job_ids)))


def producers(dids: Sequence[str]) -> Call[dict[str, int]]:
    """The jobs that made these files, where jobs did."""
    sent = body(dids=list(dids))
    return Call(method="POST", path="/v1/jobs/producers", answer=dict[str, int], json=sent, repeatable=True)


def new_sandbox(sha256: str, size: int) -> Call[SandboxUpload]:
    """Announce an input sandbox; the answer says where to PUT it, unless it is there already."""
    sent = body(sha256=sha256, size=size)
    return Call(method="POST", path="/v1/sandboxes", answer=SandboxUpload, json=sent, repeatable=True)


def sandbox(job_id: int) -> Call[SandboxLink]:
    """Where to GET the output sandbox of a job."""
    return Call(method="GET", path=f"/v1/jobs/{job_id}/sandbox", answer=SandboxLink)

"""Jobs: submit, look, kill, fetch."""

from collections.abc import Mapping, Sequence
from types import NoneType
from typing import Any
from uuid import uuid4

from sancho_client.call import Call, Pages, body, segment
from sancho_client.models.jobs import (
    Changed,
    Clones,
    Demand,
    Job,
    JobBeat,
    JobCommands,
    JobCount,
    JobDescription,
    JobDetail,
    JobReport,
    JobView,
    Log,
    SandboxLink,
    SandboxUpload,
)
from sancho_client.models.submissions import After, CwlSubmission, Graph, JobPart, Submission


def submit(
    description: JobDescription,
    *,
    parameters: Sequence[Mapping[str, Any]] | None = None,
    count: int | None = None,
    idempotency_key: str | None = None,
    anyway: bool = False,
    after: Sequence[int | str | After] = (),
) -> Call[Submission]:
    """Submit one job for each row of parameters, or `count` jobs that differ by `{number}` alone, or just one.

    What no site can ever run is refused, unless it is to wait `anyway`.
    Without a key the call makes one of its own, so carrying out the same call twice never submits twice. Jobs that
    come before may be named by their ids.
    """
    rows = (
        {"count": count} if count is not None else [dict(row) for row in parameters] if parameters is not None else None
    )
    key = idempotency_key or str(uuid4())
    part = JobPart(
        description=description, parameters=rows, idempotency_key=key, anyway=anyway or None, after=list(after)
    )
    return Call(method="POST", path="/v1/jobs", answer=Submission, json=_sent(part), repeatable=True)


def _sent(part: JobPart) -> dict[str, Any]:
    return body(
        description=part.description, parameters=part.parameters, idempotency_key=part.idempotency_key,
        anyway=part.anyway, after=part.after or None,
    )  # fmt: skip


def submit_graph(parts: Sequence[JobPart]) -> Call[Graph]:
    """Submit several descriptions, all or none; jobs of one may wait for those of another, by its name.

    The call may be carried out twice when each part has a key.
    """
    repeatable = all(part.idempotency_key for part in parts)
    return Call(
        method="POST",
        path="/v1/jobs/graph",
        answer=Graph,
        json={"submissions": [_sent(one) for one in parts]},
        repeatable=repeatable,
    )


def submit_cwl(
    tool: Mapping[str, Any],
    job_order: Mapping[str, Any] | None = None,
    *,
    idempotency_key: str | None = None,
    anyway: bool = False,
    after: Sequence[int | str | After] = (),
) -> Call[CwlSubmission]:
    """Submit a CWL CommandLineTool with its input object; carried out twice, it is submitted once."""
    sent = body(
        tool=dict(tool), job_order=dict(job_order or {}), idempotency_key=idempotency_key or str(uuid4()),
        anyway=anyway or None, after=list(after) or None,
    )  # fmt: skip
    return Call(method="POST", path="/v1/jobs/cwl", answer=CwlSubmission, json=sent, repeatable=True)


def list_jobs(
    *,
    where: str | None = None,
    state: str | None = None,
    name: str | None = None,
    submission: int | None = None,
    mine: bool = False,
    sort: str | None = None,
    columns: Sequence[str] = (),
    limit: int | None = None,
) -> Pages[Job]:
    """The jobs of the VO that a search finds, newest first; `mine` are the caller's own.

    `where` is a query such as `state = failed & site like LCG.*`, `sort` one of id, submitted_at and changed_at, with
    a `-` from the highest; `columns` are fields to show beside the usual ones, such as `param.HostName`.
    """
    query = {
        "where": where, "state": state, "name": name, "submission": submission, "mine": mine or None, "sort": sort,
        "columns": list(columns) or None,
    }  # fmt: skip
    return Pages(path="/v1/jobs", item=Job, query=query, page_size=500, limit=limit)


def show(job_id: int) -> Call[JobDetail]:
    """All that is known about a job."""
    return Call(method="GET", path=f"/v1/jobs/{job_id}", answer=JobDetail)


def summary(
    submission: int | None = None, *, by: Sequence[str] = ("state",), where: str | None = None
) -> Call[list[JobCount]]:
    """How many jobs that a search finds have each combination of values of some fields."""
    query = {"by": list(by), "where": where, "submission": submission}
    return Call(method="GET", path="/v1/jobs/summary", answer=list[JobCount], query=query)


def say(said: Mapping[int, Mapping[str, Any]]) -> Call[None]:
    """Say something of jobs, by name: texts, numbers, booleans, small objects; None takes it back."""
    jobs = [{"job_id": job_id, "parameters": dict(document)} for job_id, document in said.items()]
    return Call(method="PATCH", path="/v1/jobs/parameters", answer=NoneType, json={"jobs": jobs}, repeatable=True)


def views() -> Call[list[JobView]]:
    """The searches that the caller has named."""
    return Call(method="GET", path="/v1/jobs/views", answer=list[JobView])


def save_view(name: str, where: str = "", *, sort: str | None = None, columns: Sequence[str] = ()) -> Call[JobView]:
    """Keep a search under a name, in place of the one that had it."""
    sent = body(where=where, sort=sort, columns=list(columns) or None)
    return Call(method="PUT", path=f"/v1/jobs/views/{segment(name)}", answer=JobView, json=sent)


def delete_view(name: str) -> Call[None]:
    """Forget a search that was named."""
    return Call(method="DELETE", path=f"/v1/jobs/views/{segment(name)}", answer=NoneType)


def log(job_id: int, attempt: int | None = None, *, follow: bool = False) -> Call[Log]:
    """The end of the output of a job's last attempt, or of another; who asks again and again says `follow`."""
    query = {"attempt": attempt, "follow": follow or None}
    return Call(method="GET", path=f"/v1/jobs/{job_id}/log", answer=Log, query=query)


def report(statuses: Sequence[JobReport]) -> Call[None]:
    """Report how jobs go, in any order: what is older than what is known is history alone."""
    return Call(
        method="PATCH", path="/v1/jobs/statuses", answer=NoneType, json=body(statuses=list(statuses)), repeatable=True
    )


def beat(beats: Sequence[JobBeat], acknowledged: Sequence[int] = ()) -> Call[JobCommands]:
    """Give signs of life of jobs; the answer says what is to be done about them, until that is acknowledged."""
    sent = body(beats=list(beats), acknowledged=list(acknowledged))
    return Call(method="PATCH", path="/v1/jobs/heartbeats", answer=JobCommands, json=sent, repeatable=True)


def kill(job_ids: Sequence[int] | None = None, *, where: str | None = None, cursor: str | None = None) -> Call[Changed]:
    """Kill jobs; those that are over stay as they are.

    In place of ids `where` finds those that may be changed so, a thousand at a time: the answer says where to go on.
    """
    return _change("kill", body(job_ids=_ids(job_ids), where=where, cursor=cursor), repeatable=True)


def hold(job_ids: Sequence[int] | None = None, *, where: str | None = None, cursor: str | None = None) -> Call[Changed]:
    """Hold jobs that wait, until they are released; chosen as `kill` does."""
    return _change("hold", body(job_ids=_ids(job_ids), where=where, cursor=cursor), repeatable=True)


def release(
    job_ids: Sequence[int] | None = None, *, where: str | None = None, cursor: str | None = None
) -> Call[Changed]:
    """Let jobs that are held wait again; chosen as `kill` does."""
    return _change("release", body(job_ids=_ids(job_ids), where=where, cursor=cursor), repeatable=True)


def reschedule(
    job_ids: Sequence[int] | None = None,
    *,
    where: str | None = None,
    cursor: str | None = None,
    force: bool = False,
    anew: bool = False,
) -> Call[Changed]:
    """Put jobs that wait, failed or were killed back to their start; chosen as `kill` does.

    Administrators may give up what a pilot has, by `force`, and begin to count `anew` how often it was done.
    """
    sent = body(
        job_ids=_ids(job_ids), where=where, cursor=cursor, force=force or None, anew=anew or None
    )  # fmt: skip
    return _change("reschedule", sent)


def clone(
    job_ids: Sequence[int],
    changes: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, Any] | None = None,
    idempotency_key: str | None = None,
) -> Call[Clones]:
    """Submit jobs again, with some fields of their descriptions changed, and parameters put over theirs.

    Without a key the call makes one of its own: carried out twice, it makes the clones once.
    """
    sent = body(
        job_ids=list(job_ids), changes=changes, parameters=parameters, idempotency_key=idempotency_key or str(uuid4())
    )
    return Call(method="POST", path="/v1/jobs/clone", answer=Clones, json=sent, repeatable=True)


def _ids(job_ids: Sequence[int] | None) -> list[int] | None:
    return None if job_ids is None else list(job_ids)


def _change(verb: str, sent: dict[str, Any], *, repeatable: bool = False) -> Call[Changed]:
    return Call(method="POST", path=f"/v1/jobs/{verb}", answer=Changed, json=sent, repeatable=repeatable)


def demand(*, everything: bool = False, limit: int | None = None) -> Pages[Demand]:
    """What jobs of the VO want of data and is not all there, the longest wanted first; or `everything` that they want.

    For administrators.
    """
    return Pages(path="/v1/demand", item=Demand, query={"all": everything or None}, page_size=100, limit=limit)


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

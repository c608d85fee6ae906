"""Sandboxes on DiracX's wire: named by their owner and their content, sent as a form, fetched by a presigned URL."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from sancho.compat.diracx import translate
from sancho.compat.diracx.errors import NotAllYours, SandboxTooLarge
from sancho.compat.diracx.sandboxes_grammar import Pfn, check_own, names_of
from sancho.compat.diracx.sandboxes_wire import JobIds, SandboxDownload, SandboxInfo, SandboxType, SandboxUpload
from sancho.identity import service as identity
from sancho.identity.service.tokens import unproven
from sancho.jobs import service as jobs
from sancho.jobs.errors import JobNotFound
from sancho.jobs.model.sandboxes import Announced, JobSandboxes
from sancho.kit.access import Principal, require
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.kit.units import Id
from sancho.kit.web import Caller, Deployed, Transaction
from sancho.settings import Settings

router = APIRouter(prefix="/api/jobs", include_in_schema=False)
LONGEST = 512
Name = Annotated[str, Query(max_length=LONGEST)]


def check(caller: Principal, pfn: Pfn) -> None:
    """Raise `SandboxNotYours` unless a sandbox is named as the caller's own, or as of the VO whose jobs they manage.

    The group may be any of the account's, also when its token is for another.
    """
    if pfn.vo == caller.vo_name and pfn.account != caller.account and caller.may("jobs:manage"):
        require(caller, "jobs:manage")
        return
    check_own(pfn, caller.vo_name, caller.account, translate.groups_of(caller))


@router.post("/sandbox")
async def announce(info: SandboxInfo, request: Request, caller: Caller, deployment: Deployed) -> SandboxUpload:
    """Announce a sandbox; it is sent as the `file` of a form, unless it is there already."""
    settings: Settings = request.app.state.settings
    if info.size > settings.objects.max_size:
        raise SandboxTooLarge(size=info.size, limit=settings.objects.max_size)
    group = await _group(request, caller, deployment)
    sandbox = Announced(sha256=bytes.fromhex(info.checksum), size=info.size, format=info.format.value)
    packing, form = await jobs.announce_sandbox(deployment, caller, sandbox, as_form=True)
    pfn = str(Pfn(caller.vo_name, group, caller.account, sandbox.sha256, packing))
    return SandboxUpload(pfn=pfn) if form is None else SandboxUpload(pfn=pfn, url=form.url, fields=dict(form.fields))


async def _group(request: Request, caller: Principal, deployment: Deployment) -> str:
    """The group in whose name the caller acts."""
    said = str(unproven(request.headers["authorization"].split()[1]).get("scope", ""))
    async with deployment.database.transaction(caller.vos) as conn:
        wanted = translate.group_of(said)
        return (await identity.primary_group(conn, caller.vo, caller.account_id, wanted)).name


@router.get("/sandbox")
async def fetch(pfn: Name, caller: Caller, deployment: Deployed) -> SandboxDownload:
    """Where a sandbox can be fetched from."""
    named = Pfn.of(pfn)
    check(caller, named)
    url = await jobs.find_sandbox_url(deployment, caller, named.sha256)
    return SandboxDownload(url=url, expires_in=int(jobs.SANDBOX_LIFETIME.total_seconds()))


@router.post("/sandbox/unassign", status_code=204)
async def take_from_many(body: JobIds, caller: Caller, conn: Transaction) -> None:
    """Take their sandboxes from jobs."""
    await _take(conn, caller, body.job_ids)


@router.get("/{job_id}/sandbox")
async def show(job_id: Id, caller: Caller, conn: Transaction) -> dict[str, list[str]]:
    """The sandboxes of a job, by their kinds."""
    return names_of(caller.vo_name, await _owned(conn, caller, job_id))


@router.get("/{job_id}/sandbox/{sandbox_type}")
async def show_kind(job_id: Id, sandbox_type: SandboxType, caller: Caller, conn: Transaction) -> list[str]:
    """Those of one kind."""
    return names_of(caller.vo_name, await _owned(conn, caller, job_id))[sandbox_type.value.capitalize()]


@router.patch("/{job_id}/sandbox/output")
async def give(
    job_id: Id, request: Request, caller: Caller, conn: Transaction
) -> None:  # fmt: skip
    """Make a sandbox the output of a job; the body is its name, a string of JSON.

    DiracX's own client sends it without quotes, and calls it JSON.
    """
    named = Pfn.of((await request.body()).decode().strip().removeprefix('"').removesuffix('"'))
    check(caller, named)
    try:
        await jobs.give_output_sandbox(conn, caller, job_id, named.sha256)
    except JobNotFound as e:
        raise _unseen(caller, e) from e


@router.delete("/{job_id}/sandbox")
async def take(job_id: Id, caller: Caller, conn: Transaction) -> None:
    """Take its sandboxes from a job."""
    await _take(conn, caller, [job_id])


async def _take(conn: Connection, caller: Principal, job_ids: list[int]) -> None:
    try:
        await jobs.take_sandboxes(conn, caller, job_ids)
    except JobNotFound as e:
        raise _unseen(caller, e) from e


async def _owned(conn: Connection, caller: Principal, job_id: int) -> JobSandboxes:
    try:
        (job,) = await jobs.check_owned(conn, caller, [job_id])
    except JobNotFound as e:
        raise _unseen(caller, e) from e
    return job


def _unseen(caller: Principal, error: JobNotFound) -> Exception:
    """What is said of a job that is not there: who may not see those of others is not told that."""
    return error if caller.may("jobs:manage") or caller.may("pilots:report") else NotAllYours()

"""The smoke test of a VO, as one of its accounts: a tiny file goes to a storage and back, a tiny job runs on a CE."""

import secrets
import tempfile
import time
from pathlib import Path

from sancho_client.calls import data, identity, jobs, rules
from sancho_client.cli.following import Pauses
from sancho_client.cli.verbs import Session
from sancho_client.client import Client
from sancho_client.data import download, upload
from sancho_client.errors import ClientError
from sancho_client.models.jobs import JobDescription, JobDetail, Requirements
from sancho_client.models.vos import Check

FILE = "smoke test"
JOB = "smoke job"
PATIENCE = 60.0
"""Seconds for which the job is waited for; a batch system may take longer."""
TINY = JobDescription(
    name="smoke", command=["true"], requirements=Requirements(memory="1 MB", walltime=300.0), max_attempts=1
)


def smoke(session: Session, client: Client, patience: float) -> list[Check]:
    """Do both as who `client` is. The job is waited for no longer than `patience` seconds, then killed."""
    return [_file(client), _job(session, client, patience)]


def _file(client: Client) -> Check:
    """Upload a tiny file, read it back, give it up."""
    me = client.send(identity.whoami())
    own = [s.name for s in client.pages(data.scopes()) if s.account == me.account or s.shared]
    if not own:
        advice = f"Apply a Scope of {me.account}, or a shared one."
        return Check(what=FILE, outcome="missing", found="no scope to upload to", next=advice)
    did, content = f"{own[0]}:smoke-{secrets.token_hex(8)}", secrets.token_bytes(100)
    with tempfile.TemporaryDirectory() as folder:
        (sent := Path(folder) / "sent").write_bytes(content)
        try:
            (put,) = upload.put(client, [upload.LocalFile(path=sent, did=did)])
            (got,) = download.get(client, [did], Path(folder) / "read")
            client.send(rules.withdraw(did))
        except ClientError as e:
            return Check(what=FILE, outcome="missing", found=e.message, next=e.hint)
        if got.error is not None:
            return Check(what=FILE, outcome="missing", found=got.error.message, next=got.error.hint)
        if got.path.read_bytes() != content:
            return Check(what=FILE, outcome="missing", found=f"{put.rse} gave other bytes back")
    return Check(what=FILE, outcome="ok", found=f"a file was written to {put.rse}, read back and given up")


def _job(session: Session, client: Client, patience: float) -> Check:
    """Let a pilot run a job that does nothing; or say why none has."""
    try:
        made = client.send(jobs.submit(TINY))
        (job_id,) = made.job_ids
        job = _waited(session, client, job_id, patience if made.sites else 0.0)
        if not job.over:
            client.send(jobs.kill([job_id]))
    except ClientError as e:
        return Check(what=JOB, outcome="missing", found=e.message, next=e.hint)
    if job.state == "done":
        return Check(what=JOB, outcome="ok", found=f"a pilot at {job.site} ran job {job_id}")
    if job.over:
        advice = f"`sancho job show {job_id}` and `sancho job logs {job_id}`"
        return Check(what=JOB, outcome="missing", found=f"job {job_id} {job.state}: {job.detail}", next=advice)
    if not made.sites:
        found = f"no site can run job {job_id}: {job.reason or 'nobody says why'}"
        return Check(what=JOB, outcome="missing", found=found, next="Grant a compute element to the VO.")
    found = f"job {job_id} was {job.state} after {patience:.0f} s: {job.reason or job.detail or 'nobody says why'}"
    advice = "Pilots wait in the queues of batch systems: check again, with a longer `--wait`."
    return Check(what=JOB, outcome="advised", found=found, next=advice)


def _waited(session: Session, client: Client, job_id: int, patience: float) -> JobDetail:
    """A job, once it is over or has been waited for long enough."""
    deadline, pauses = time.monotonic() + patience, Pauses(session)
    while not (job := client.send(jobs.show(job_id))).over and time.monotonic() < deadline:
        pauses.sleep(deadline)
    return job

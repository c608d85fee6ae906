"""What there is when the work is done, asked of the catalogue, and whether it is as it should be."""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel

from sancho.local.demonstration.workload import COPIES, PICTURE, SIMULATED, Work, results_of
from sancho_client.call import Call
from sancho_client.calls import data, jobs, rules
from sancho_client.client import Client
from sancho_client.errors import Problem
from sancho_client.models.data import Did, FileReplicas
from sancho_client.models.jobs import JobDetail
from sancho_client.models.rules import Rule


class FoundFile(BaseModel, frozen=True):
    """A file: where it is, the state of the rule that keeps it there, and the job that made it."""

    did: str
    size: int
    adler32: str | None
    replicas: tuple[str, ...]
    """Names of the RSEs with a good replica."""
    rule: str | None
    job: int | None
    site: str | None
    """Where the job ran."""


class Found(BaseModel, frozen=True):
    """What one VO has."""

    vo: str
    account: str
    jobs: Mapping[str, int]
    files: tuple[FoundFile, ...]


class Refusal(BaseModel, frozen=True):
    """What a VO was told when it asked for something of another's."""

    asking: str
    of: str
    what: str
    status: int


def gather(work: Work) -> Found:
    """Ask what a VO has."""
    client = work.client
    made = [one for n in (work.simulate, work.analyse) for one in client.pages(jobs.list_jobs(submission=n))]
    sites = {job.job_id: job.site for job in made}
    states = {rule.did: rule.state for rule in client.pages(rules.list_rules())}
    listed = [(d, one) for d in (SIMULATED, results_of(work.vo)) for one in client.lines(data.replicas(d))]
    producers = client.send(jobs.producers([one.did for _, one in listed])) if listed else {}
    files = [_found(one, states.get(d), producers.get(one.did), sites) for d, one in listed]
    counts = {state: sum(job.state == state for job in made) for state in sorted({job.state for job in made})}
    return Found(vo=work.vo, account=work.account, jobs=counts, files=tuple(sorted(files, key=_by_number)))


def _found(file: FileReplicas, rule: str | None, job: int | None, sites: Mapping[int, str | None]) -> FoundFile:
    places = tuple(sorted(replica.rse for replica in file.replicas if replica.state == "available"))
    site = None if job is None else sites.get(job)
    return FoundFile(
        did=file.did, size=file.size, adler32=file.adler32, replicas=places, rule=rule, job=job, site=site
    )  # fmt: skip


def _by_number(file: FoundFile) -> tuple[int, str]:
    return file.job or 0, file.did


def trespass(works: Sequence[Work]) -> list[Refusal]:
    """Have each VO ask for what is another's: a dataset, a job, a rule."""
    told: list[Refusal] = []
    for asking in works:
        for other in (one for one in works if one is not asking):
            rule = next(iter(other.client.pages(rules.list_rules(limit=1))))
            job = next(iter(other.client.pages(jobs.list_jobs(submission=other.analyse))))
            told += [
                _ask(asking, other, f"dataset {results_of(other.vo)}", data.did(results_of(other.vo))),
                _ask(asking, other, f"job {job.job_id}", jobs.show(job.job_id)),
                _ask(asking, other, f"rule {rule.rule_id}", rules.show(rule.rule_id)),
            ]
    return told


def _ask(asking: Work, other: Work, what: str, call: Call[Did] | Call[JobDetail] | Call[Rule]) -> Refusal:
    status = _status(asking.client, call)
    return Refusal(asking=asking.vo, of=other.vo, what=what, status=status)


def _status(client: Client, call: Call[Did] | Call[JobDetail] | Call[Rule]) -> int:
    try:
        client.send(call)
    except Problem as problem:
        return problem.status
    return 200


def faults(found: Sequence[Found], refusals: Sequence[Refusal], jobs_each: int) -> Iterator[str]:
    """Say what is not as it should be."""
    for one in found:
        if one.jobs != {"done": jobs_each}:
            yield f"the jobs of {one.vo} are {dict(one.jobs)}, not {jobs_each} done"
        if len(one.files) != jobs_each:
            yield f"{one.vo} has {len(one.files)} files, not {jobs_each}"
        if not any(file.did == PICTURE for file in one.files):
            yield f"{one.vo} has no {PICTURE}"
        for file in one.files:
            if len(file.replicas) != COPIES:
                yield f"{file.did} of {one.vo} has {len(file.replicas)} replicas, not {COPIES}"
            if file.rule != "ok":
                yield f"the rule of {file.did} of {one.vo} is {file.rule}"
            if file.job is None:
                yield f"nobody knows which job of {one.vo} made {file.did}"
    for refusal in refusals:
        if refusal.status != 404:
            yield f"{refusal.asking} asked for {refusal.what} of {refusal.of} and was answered {refusal.status}"

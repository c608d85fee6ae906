"""What a pilot must know to run a job: command, inputs with sources and tokens, outputs, limits."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sancho.dids.model import unpack_adler32
from sancho.identity import service as identity
from sancho.jobs import service as jobs
from sancho.jobs.model import JOB_ID, InputFile, Requirement, Started, fill, memory_for, ways_of
from sancho.kit import telemetry
from sancho.kit.db import Connection, narrow
from sancho.kit.deployment import Deployment
from sancho.kit.issuer import LONGEST_TOKEN
from sancho.kit.tags import parse
from sancho.kit.tags import wanted as tags_wanted
from sancho.pilots import store
from sancho.rses import service as rses
from sancho.rses.model import Operation, Place, Rse

READ_LIFETIME = timedelta(hours=1)
SHARED_LIFETIME = timedelta(minutes=15)
"""For what another VO shares: so long a token outlives the grant. A pilot that needs longer asks for fresh ones."""
READYING = timedelta(hours=6)
"""How much longer than its walltime a job's token lives, for inputs to be fetched first; it ends with the attempt."""
PATHS_PER_TOKEN = 40
"""A token names each path it opens, and must fit into a header."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """One replica of an input: where, and the token that opens it."""

    rse: str
    url: str
    token: str


@dataclass(frozen=True, kw_only=True)
class Input:
    """A file to be had before the payload starts; `adler32` as 8 hex digits; nearest source first."""

    did: str
    name: str
    size: int
    adler32: str | None
    sources: list[Source]


@dataclass(frozen=True, kw_only=True)
class SandboxRef:
    """An archive (tar.gz) to be unpacked into the job's folder."""

    url: str
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class PromisedOutput:
    """A file that the payload must leave at `path`."""

    number: int
    path: str
    did: str


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Everything a pilot needs to run an attempt; `walltime` in seconds, `memory` in bytes."""

    attempt_id: int
    job_id: int
    number: int
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict[str, str])
    environments: list[str] = field(default_factory=list[str])
    cores: int
    walltime: float
    memory: int
    input_sandbox: SandboxRef | None
    inputs: list[Input]
    outputs: list[PromisedOutput]
    output_sandbox: list[str]
    traceparent: str | None
    token: str
    """What the payload may show to us: good for its job's own inputs and outputs, until the attempt ends."""
    vo: str
    """Whose job it is: of what a pilot keeps of inputs, it gives a job only what it fetched for the same VO."""


@dataclass(frozen=True, kw_only=True)
class Files:
    """What a job reads and must leave, as far as the database has to be asked for it."""

    sandbox: SandboxRef | None = None
    inputs: list[Input] = field(default_factory=list[Input])
    outputs: list[PromisedOutput] = field(default_factory=list[PromisedOutput])


def has_files(started: Started) -> bool:
    """Whether there are files that an assignment must tell of."""
    return started.has_inputs or bool(started.description["sandbox"] or started.description["outputs"])


async def assign(
    conn: Connection, deployment: Deployment, started: Started, *, site_id: int, tags: Collection[str] | None = None
) -> Assignment:  # fmt: skip
    """Write the assignment of an attempt, with fresh tokens. From here on the transaction serves its VO alone.

    `tags` are those of the slot, as far as they are known.
    """
    files, said = Files(), started.description
    with _span(started):
        if has_files(started):
            await narrow(conn, [started.vo])
            files = Files(
                sandbox=await _sandbox(conn, deployment, started.vo, said["sandbox"]),
                inputs=await list_inputs(conn, deployment, started, site_id) if started.has_inputs else [],
                outputs=await list_promised(conn, started) if said["outputs"] else [],
            )
        return _assignment(deployment, started, tags, files)


def assign_without_files(deployment: Deployment, started: Started, tags: Collection[str]) -> Assignment:
    """The same for an attempt that `has_files` denies; the database is not asked."""
    with _span(started):
        return _assignment(deployment, started, tags, Files())


def _span(started: Started) -> AbstractContextManager[None]:
    named = {"job_id": started.job_id, "attempt_id": started.attempt_id}
    return telemetry.span("pilots.assign", traceparent=started.traceparent, **named)


def _assignment(
    deployment: Deployment, started: Started, tags: Collection[str] | None, files: Files
) -> Assignment:  # fmt: skip
    said, parameters = started.description, {JOB_ID: started.job_id, **started.parameters}
    need = ways_of(said)[started.way]
    return Assignment(
        attempt_id=started.attempt_id, job_id=started.job_id, number=started.number,
        command=[fill(word, parameters) for word in said["command"]],
        environment={k: fill(v, parameters) for k, v in said["environment"].items()},
        environments=_environments(need, tags), cores=started.cores,
        walltime=need.walltime.total_seconds(), memory=need.memory_limit or memory_for(need, started.cores),
        input_sandbox=files.sandbox, inputs=files.inputs, outputs=files.outputs,
        output_sandbox=[fill(pattern, parameters) for pattern in said["output_sandbox"]],
        traceparent=started.traceparent,
        token=_job_token(deployment, started, need.walltime), vo=started.vo_name,
    )  # fmt: skip


def _environments(need: Requirement, tags: Collection[str] | None) -> list[str]:
    """Which of the environments that a job may want are to be set up: those that the slot has."""
    wanted = dict.fromkeys(tag for wish in need.tags for tag in tags_wanted(parse(wish)) if tag.startswith("env:"))
    return [tag.removeprefix("env:") for tag in wanted if tags is None or tag in tags]


def _job_token(deployment: Deployment, started: Started, walltime: timedelta) -> str:
    return identity.job_token(
        deployment.signer, vo=started.vo, vo_name=started.vo_name, job_id=started.job_id,
        attempt_id=started.attempt_id, lifetime=min(walltime + READYING, LONGEST_TOKEN),
    )  # fmt: skip


async def list_promised(conn: Connection, started: Started) -> list[PromisedOutput]:
    """The files that an attempt's payload must leave."""
    outputs = started.description["outputs"]
    return [
        PromisedOutput(number=n, path=fill(outputs[n]["path"], started.parameters), did=did)
        for n, did in await store.promises(conn, started.vo, started.job_id)
    ]


async def _sandbox(conn: Connection, deployment: Deployment, vo: int, sha256: str | None) -> SandboxRef | None:
    if sha256 is None:
        return None
    digest = bytes.fromhex(sha256)
    size = await jobs.sandbox_size(conn, vo, digest)
    return SandboxRef(url=await jobs.sandbox_url(deployment, vo, digest), sha256=sha256, size=size or 0)


async def list_inputs(conn: Connection, deployment: Deployment, started: Started, site_id: int) -> list[Input]:
    """The files that an attempt reads, each with the tokens that open its replicas, nearest first."""
    vo, vo_name, subject = started.vo, started.vo_name, f"{started.vo_name}:job:{started.job_id}"
    files = await jobs.input_files(conn, vo, started.job_id, site_id=site_id)
    inputs = await _readable(conn, deployment, Lender(vo_name, "", subject, READ_LIFETIME), files)
    for shared in await jobs.shared_inputs(conn, vo, started.job_id):
        async with jobs.lent(conn, shared) as lent:
            files = await jobs.shared_files(conn, lent, site_id=site_id)
            subject = f"{shared.owner}:job:{started.job_id}@{vo_name}"
            lender = Lender(shared.owner, f"{shared.owner}/", subject, SHARED_LIFETIME)
            inputs += await _readable(conn, deployment, lender, files)
    return inputs


@dataclass(frozen=True)
class Lender:
    """Whose files a job reads: the owner's name, what is put before its DIDs, and how tokens for them are made out."""

    vo_name: str
    prefix: str
    subject: str
    lifetime: timedelta


async def _readable(
    conn: Connection, deployment: Deployment, owner: Lender, files: Sequence[InputFile]
) -> list[Input]:  # fmt: skip
    seen = await rses.by_id(conn, {rse_id for file in files for rse_id in file.rse_ids})
    known = rses.reached([rse for rse in seen.values() if rse.readable], Operation.READ)
    places = {
        (file.did_id, rse_id): rses.place(known[rse_id], owner.vo_name, file.scope, file.did_id, file.name, path)
        for file in files
        for rse_id, path in zip(file.rse_ids, file.paths, strict=True)
        if rse_id in known
    }
    tokens = read_tokens(deployment, places, known, subject=owner.subject, lifetime=owner.lifetime)
    return [
        Input(
            did=f"{owner.prefix}{file.scope}:{file.name}", name=file.name, size=file.size,
            adler32=None if file.adler32 is None else unpack_adler32(file.adler32),
            sources=[
                Source(rse=known[r].name, url=places[file.did_id, r].url, token=tokens[file.did_id, r])
                for r in file.rse_ids
                if r in known
            ],
        )
        for file in files
    ]  # fmt: skip


def read_tokens(
    deployment: Deployment,
    places: Mapping[tuple[int, int], Place],
    known: Mapping[int, Rse],
    *,
    subject: str,
    lifetime: timedelta = READ_LIFETIME,
) -> dict[tuple[int, int], str]:
    """Tokens that open these places, by (file, RSE): each is good for some tens of paths of one RSE."""
    tokens: dict[tuple[int, int], str] = {}
    for rse_id in {rse_id for _, rse_id in places}:
        keys = sorted(k for k in places if k[1] == rse_id)
        for chunk in _chunks(keys):
            paths = [places[k].path for k in chunk]
            token = rses.token(deployment.signer, known[rse_id], subject=subject, lifetime=lifetime, read=paths)
            tokens.update(dict.fromkeys(chunk, token))
    return tokens


def _chunks(keys: Sequence[Any]) -> list[Sequence[Any]]:
    return [keys[i : i + PATHS_PER_TOKEN] for i in range(0, len(keys), PATHS_PER_TOKEN)]

"""What a job that runs may ask for itself, with its own token: what it is, what it reads, where its outputs go.

Whoever has the token can do no more, and that only while the attempt lasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sancho.jobs import service as jobs
from sancho.jobs.errors import AttemptEnded
from sancho.jobs.model import OpenAttempt, SaidBy, Started
from sancho.kit.access import NotAJob, Principal
from sancho.kit.db import Connection
from sancho.kit.deployment import Deployment
from sancho.pilots.service.assigning import Input, PromisedOutput, list_inputs, list_promised
from sancho.pilots.service.serving import Made, grant_outputs
from sancho.uploads.model import Upload


@dataclass(frozen=True, kw_only=True)
class OwnJob:
    """A job as its payload sees it."""

    job_id: int
    attempt_id: int
    number: int
    vo: str
    name: str
    parameters: Mapping[str, Any]
    outputs: list[PromisedOutput]


async def own_job(conn: Connection, caller: Principal) -> OwnJob:
    """The job that calls; raises `AttemptEnded`."""
    started, _ = await _running(conn, caller)
    return OwnJob(
        job_id=started.job_id, attempt_id=started.attempt_id, number=started.number, vo=started.vo_name,
        name=started.description["name"], parameters=started.parameters, outputs=await list_promised(conn, started),
    )  # fmt: skip


async def own_inputs(conn: Connection, deployment: Deployment, caller: Principal) -> list[Input]:
    """What the job that calls reads, with fresh tokens; raises `AttemptEnded`."""
    started, attempt = await _running(conn, caller)
    return await list_inputs(conn, deployment, started, attempt.site_id) if started.has_inputs else []


async def own_outputs(
    conn: Connection, deployment: Deployment, caller: Principal, made: Sequence[Made]
) -> list[tuple[int, Upload]]:
    """Where the job that calls may put outputs that it promised; raises `AttemptEnded`, `OutputUnknown`.

    Its pilot, which commits them when the payload has ended, finds the same places.
    """
    _, attempt = await _running(conn, caller)
    return await grant_outputs(conn, deployment, attempt, made)


async def own_parameters(conn: Connection, caller: Principal, said: Mapping[str, Any]) -> None:
    """Let the job that calls say something of itself; raises `AttemptEnded` and what `jobs.service.say` does."""
    started, _ = await _running(conn, caller)
    await jobs.say(conn, caller.vo, {started.job_id: said}, SaidBy.JOB)


async def _running(conn: Connection, caller: Principal) -> tuple[Started, OpenAttempt]:
    if caller.job_id is None or caller.attempt_id is None:
        raise NotAJob
    started = await jobs.find_started(conn, caller.vo, caller.attempt_id)
    attempt = await jobs.find_attempt(conn, caller.vo, caller.attempt_id)
    if attempt is None or attempt.job_id != caller.job_id:
        raise AttemptEnded(attempt_id=caller.attempt_id)
    return started, attempt

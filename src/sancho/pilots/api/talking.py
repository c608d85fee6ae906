"""The routes that pilots talk to, and their payloads.

The models of `/pilot` are the protocol (`sancho_pilot/protocol.json`).
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sancho.dids.errors import CollectionClosed, DidExists
from sancho.jobs.errors import (
    AttemptEnded,
    InputWithdrawn,
    OutputsDiffer,
    OutputUnknown,
    ParameterUnfit,
    TooManyParameters,
)
from sancho.jobs.model import MOST_PARAMETERS, PARAMETER_NAME, Reason, Result, Usage
from sancho.kit.access import NotAJob, NotAPilot
from sancho.kit.problem import problems
from sancho.kit.units import Amount, FileSize, Id, Json, Seconds, Time
from sancho.kit.web import (
    Deployed,
    JobCaller,
    JobTransaction,
    PilotCaller,
    PilotTransaction,
    native,
)
from sancho.pilots import service
from sancho.pilots.errors import PilotUnknown
from sancho.pilots.model import WATCHED_EVERY, Login
from sancho.pilots.service.assigning import Assignment, Input
from sancho.pilots.service.serving import Made, Sign
from sancho.pilots.service.working import OwnJob
from sancho.rules.errors import QuotaExceeded
from sancho.uploads.errors import IntentGivenUp, IntentNotFound, NoRseForUpload, StorageAway, UploadIncomplete
from sancho.uploads.model import Upload

public_router = native("/pilot", tags=["pilot"])
router = native(tags=["pilot"])

Tail = Annotated[str, Field(max_length=65_536)]


class LoginIn(BaseModel, extra="forbid"):
    """How a pilot proves itself."""

    stamp: Annotated[str, Field(max_length=64)]
    secret: Annotated[str, Field(max_length=128)]


class SignIn(BaseModel, extra="forbid"):
    """A payload's sign of life."""

    attempt_id: Id
    state: Literal["running", "completing"]
    at: Time
    log_size: Amount = 0
    tail: Tail = ""
    cpu_seconds: Seconds = 0
    memory: Amount = 0


class BeatIn(BaseModel, extra="forbid"):
    """A pilot's sign of life, with those of its payloads."""

    beats: Annotated[list[SignIn], Field(max_length=1000)] = []
    acknowledged: Annotated[list[Id], Field(max_length=1000)] = []
    """Commands that it has heard; until then they are said again."""


class Command(BaseModel):
    """Something a pilot must do about an attempt."""

    attempt_id: int
    command: Literal["kill"]
    command_id: int


class BeatOut(BaseModel):
    """What the server says of the attempts: `ended` ones are not wanted any more.

    With `beat_every` the next sign of life is to come after so many seconds: somebody reads along.
    """

    commands: list[Command]
    attempts: dict[int, Literal["known", "ended"]]
    beat_every: float | None


class MadeIn(BaseModel, extra="forbid"):
    """An output that the payload left."""

    number: Annotated[int, Field(ge=0, lt=2**15)]
    size: FileSize
    adler32: Annotated[str, Field(pattern="^[0-9a-f]{8}$")]


class OutputsIn(BaseModel, extra="forbid"):
    """All outputs that the payload left."""

    outputs: Annotated[list[MadeIn], Field(min_length=1, max_length=1000)]

    def made(self) -> list[Made]:
        """The same as values of ours."""
        return [Made(number=o.number, size=o.size, adler32=o.adler32) for o in self.outputs]


class UploadOut(BaseModel):
    """Where to PUT an output, with the token for exactly that path."""

    number: int
    intent_id: int
    rse: str
    url: str
    token: str


class UploadsOut(BaseModel):
    """Where to PUT the outputs."""

    uploads: list[UploadOut]

    @classmethod
    def of(cls, granted: list[tuple[int, Upload]]) -> "UploadsOut":
        """What is granted, as it is answered."""
        return cls(
            uploads=[
                UploadOut(number=n, intent_id=u.intent_id, rse=u.rse, url=u.url, token=u.token) for n, u in granted
            ]
        )


class SandboxIn(BaseModel, extra="forbid"):
    """The archive of what the payload leaves behind."""

    size: Annotated[int, Field(ge=1, le=100_000_000)]
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class UrlOut(BaseModel):
    """A presigned URL; null when nothing is to be sent."""

    url: str | None


class UsageIn(BaseModel, extra="forbid"):
    """What the payload used."""

    wall_seconds: Seconds = 0
    cpu_seconds: Seconds = 0
    max_memory: Amount = 0


class FinishIn(BaseModel, extra="forbid"):
    """How an attempt ended."""

    outcome: Literal["done", "failed"]
    exit_code: Annotated[int, Field(ge=-(2**31), lt=2**31)] | None = None
    reason: Annotated[str, Field(max_length=100)] | None = None
    detail: Annotated[str, Field(max_length=4096)] | None = None
    intents: Annotated[list[Id], Field(max_length=1000)] = []
    usage: UsageIn = UsageIn()
    tail: Tail = ""
    log_size: Amount = 0
    sandbox: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None

    def result(self) -> Result:
        """The same as a value of ours; a reason we do not know is the payload's fault."""
        known = {r.value: r for r in Reason}
        return Result(
            reason=None if self.outcome == "done" else known.get(self.reason or "", Reason.PAYLOAD_FAILED),
            exit_code=self.exit_code, detail=self.detail, intents=tuple(self.intents), tail=self.tail,
            log_size=self.log_size, sandbox=bytes.fromhex(self.sandbox) if self.sandbox else None,
            usage=Usage(
                wall=timedelta(seconds=self.usage.wall_seconds), cpu=timedelta(seconds=self.usage.cpu_seconds),
                max_memory=self.usage.max_memory,
            ),
        )  # fmt: skip


class StateOut(BaseModel):
    """The state that the job is in now."""

    state: str


class RetireIn(BaseModel, extra="forbid"):
    """Why a pilot ends."""

    reason: Annotated[str, Field(max_length=256)]


class ParametersIn(BaseModel, extra="forbid"):
    """What a job says of itself, by name; what it said by other names stays."""

    parameters: Annotated[
        dict[Annotated[str, Field(pattern=f"^{PARAMETER_NAME}$")], Json],
        Field(min_length=1, max_length=MOST_PARAMETERS),
    ]


@public_router.post("/login", responses=problems(PilotUnknown))
async def login(body: LoginIn, deployment: Deployed) -> Login:
    """Let a pilot in; its secret is replaced by `next_secret`."""
    return await service.login(deployment, body.stamp, body.secret)


@router.get("/pilot/attempts/{attempt_id}", responses=problems(NotAPilot, AttemptEnded, InputWithdrawn))
async def reassign(attempt_id: Id, caller: PilotCaller, conn: PilotTransaction, deployment: Deployed) -> Assignment:
    """An open attempt's assignment again, with fresh tokens."""
    return await service.reassign(conn, deployment, caller, attempt_id)


@router.post("/pilot/beat", responses=problems(NotAPilot))
async def beat(body: BeatIn, caller: PilotCaller, conn: PilotTransaction) -> BeatOut:
    """Give a sign of life."""
    signs = [
        Sign(attempt_id=b.attempt_id, state=b.state, tail=b.tail, log_size=b.log_size, cpu_seconds=b.cpu_seconds,
             memory=b.memory)
        for b in body.beats
    ]  # fmt: skip
    heard = await service.beat(conn, caller, signs, body.acknowledged)
    return BeatOut(
        commands=[
            Command(attempt_id=one.attempt_id, command="kill", command_id=one.command_id)
            for one in heard.commands
            if one.attempt_id is not None
        ],
        attempts={a: "known" if alive else "ended" for a, alive in heard.wanted.items()},
        beat_every=WATCHED_EVERY.total_seconds() if heard.watched else None,
    )


@router.post("/pilot/attempts/{attempt_id}/start", status_code=204, responses=problems(NotAPilot, AttemptEnded))
async def begin(attempt_id: Id, caller: PilotCaller, conn: PilotTransaction) -> None:
    """The payload starts."""
    await service.begin(conn, caller, attempt_id)


@router.post(
    "/pilot/attempts/{attempt_id}/outputs",
    responses=problems(NotAPilot, AttemptEnded, QuotaExceeded, OutputUnknown, NoRseForUpload),
)
async def outputs(
    attempt_id: Id, body: OutputsIn, caller: PilotCaller, conn: PilotTransaction, deployment: Deployed
) -> UploadsOut:
    """Ask where to put the outputs; the same outputs get the same places."""
    return UploadsOut.of(await service.outputs(conn, deployment, caller, attempt_id, body.made()))


@router.post("/pilot/attempts/{attempt_id}/sandbox", responses=problems(NotAPilot, AttemptEnded))
async def sandbox(
    attempt_id: Id, body: SandboxIn, caller: PilotCaller, conn: PilotTransaction, deployment: Deployed
) -> UrlOut:
    """Ask where to put stdout, stderr and what else the job leaves behind."""
    sha256 = bytes.fromhex(body.sha256)
    url = await service.sandbox(conn, deployment, caller, attempt_id, sha256=sha256, size=body.size)
    return UrlOut(url=url)


@router.post(
    "/pilot/attempts/{attempt_id}/finish",
    responses=problems(
        NotAPilot,
        AttemptEnded,
        IntentNotFound,
        IntentGivenUp,
        UploadIncomplete,
        StorageAway,
        OutputsDiffer,
        DidExists,
        CollectionClosed,
    ),
)
async def finish(attempt_id: Id, body: FinishIn, caller: PilotCaller, deployment: Deployed) -> StateOut:
    """End an attempt: its outputs and its job are committed at once."""
    return StateOut(state=(await service.finish(deployment, caller, attempt_id, body.result())).word)


@router.post("/pilot/retire", status_code=204, responses=problems(NotAPilot, PilotUnknown))
async def retire(body: RetireIn, caller: PilotCaller, conn: PilotTransaction) -> None:
    """Say good-bye."""
    await service.retire(conn, caller, body.reason)


@router.get("/job", tags=["job"], responses=problems(NotAJob, AttemptEnded))
async def own_job(caller: JobCaller, conn: JobTransaction) -> OwnJob:
    """The job that asks, with its own token."""
    return await service.own_job(conn, caller)


@router.get("/job/inputs", tags=["job"], responses=problems(NotAJob, AttemptEnded, InputWithdrawn))
async def own_inputs(caller: JobCaller, conn: JobTransaction, deployment: Deployed) -> list[Input]:
    """What the job that asks reads: the replicas of each file, nearest first, with fresh tokens."""
    return await service.own_inputs(conn, deployment, caller)


@router.post(
    "/job/outputs",
    tags=["job"],
    responses=problems(NotAJob, AttemptEnded, QuotaExceeded, OutputUnknown, NoRseForUpload),
)
async def own_outputs(body: OutputsIn, caller: JobCaller, conn: JobTransaction, deployment: Deployed) -> UploadsOut:
    """Where the job that asks may put outputs that it has promised, before it ends; its pilot commits them."""
    return UploadsOut.of(await service.own_outputs(conn, deployment, caller, body.made()))


@router.patch(
    "/job/parameters",
    tags=["job"],
    status_code=204,
    responses=problems(NotAJob, AttemptEnded, ParameterUnfit, TooManyParameters),
)
async def own_parameters(body: ParametersIn, caller: JobCaller, conn: JobTransaction) -> None:
    """Say something of the job that calls, by which it is then found."""
    await service.own_parameters(conn, caller, body.parameters)

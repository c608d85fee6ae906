"""What the machine wants done. Those with a `step` are answered by an event with the same number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Tuple

from sancho_pilot.model import Attempt, Input, Output, Packed, Product, Report, Slot, Work


@dataclass(frozen=True)
class Instruction:
    """Something is to be done; instructions are carried out in order."""


@dataclass(frozen=True)
class Exit(Instruction):
    """Leave. What is in the spool stays there."""

    code: int
    reason: str


@dataclass(frozen=True)
class Record(Instruction):
    """Write the attempt to the spool before anything else is done."""

    attempt: Attempt


@dataclass(frozen=True)
class Clean(Instruction):
    """Remove all that is left of an attempt, its record last. `accepted`: the server has its report."""

    attempt_id: int
    accepted: bool


@dataclass(frozen=True)
class Cancel(Instruction):
    """Nobody wants the attempt's step that is under way any more."""

    attempt_id: int


@dataclass(frozen=True)
class StopPayload(Instruction):
    """Tell the payload to end; `hard` leaves it no choice."""

    attempt_id: int
    hard: bool


@dataclass(frozen=True)
class Step(Instruction):
    """Something that is answered; the base of all those."""

    step: int


@dataclass(frozen=True)
class Login(Step):
    """Become known to the server: Welcomed."""


@dataclass(frozen=True)
class Match(Step):
    """Ask for work for what is free of the slot: Matched, NoWork."""

    free: Slot
    held: Tuple[int, ...]
    whole: Slot


@dataclass(frozen=True)
class Beat(Step):
    """Show a sign of life for ourselves and for (attempt, `running` or `completing`): BeatAnswered."""

    attempts: Tuple[Tuple[int, str], ...]


@dataclass(frozen=True)
class Retire(Step):
    """Say good-bye: Retired."""

    reason: str


@dataclass(frozen=True)
class AttemptStep(Step):
    """A step of one attempt; the base of all those. Any of them may be answered by StepFailed."""

    attempt_id: int


@dataclass(frozen=True)
class Refresh(AttemptStep):
    """Ask for the assignment again, for fresh tokens: Refreshed."""


@dataclass(frozen=True)
class Unpack(AttemptStep):
    """Bring and unpack the input sandbox: Unpacked."""


@dataclass(frozen=True)
class Fetch(AttemptStep):
    """Bring one input from one of its sources, unless it is here: Fetched."""

    wanted: Input
    index: int
    source: int


@dataclass(frozen=True)
class Start(AttemptStep):
    """Tell the server that the payload starts: StartConfirmed."""


@dataclass(frozen=True)
class Launch(AttemptStep):
    """Start the payload: Launched or LaunchFailed; later Exceeded, PayloadEnded."""

    work: Work


@dataclass(frozen=True)
class Sweep(AttemptStep):
    """End whatever a former pilot's payload has left running: Swept."""


@dataclass(frozen=True)
class Collect(AttemptStep):
    """Look for declared outputs and pack the output sandbox: Collected."""

    outputs: Tuple[Output, ...]
    globs: Tuple[str, ...]


@dataclass(frozen=True)
class Declare(AttemptStep):
    """Tell the server what will be uploaded: Declared."""

    products: Tuple[Product, ...]


@dataclass(frozen=True)
class PutProduct(AttemptStep):
    """Upload one product: Uploaded. `look_first`: an earlier try may have succeeded unnoticed."""

    product: Product
    look_first: bool


@dataclass(frozen=True)
class SendSandbox(AttemptStep):
    """Send the output sandbox: SandboxSent."""

    packed: Packed


@dataclass(frozen=True)
class Finish(AttemptStep):
    """Send the report, which is in the spool already: Finished."""

    report: Report

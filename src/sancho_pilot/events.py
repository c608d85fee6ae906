"""What the machine is told. `at` is monotonic time in seconds: the machine has no clock of its own.

An event that answers an instruction carries the instruction's `step`; an answer to a step that is no longer wanted
is ignored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from sancho_pilot.model import Attempt, Failure, Packed, Product, Slot, Upload, Usage, Work


@dataclass(frozen=True)
class Event:
    """Something happened."""

    at: float


@dataclass(frozen=True)
class Began(Event):
    """The pilot process began, `age` seconds after its slot did, and found these attempts in its spool."""

    slot: Slot
    seed: str
    age: float = 0.0
    restored: Tuple[Attempt, ...] = ()


@dataclass(frozen=True)
class Tick(Event):
    """Time has passed: sent when `Machine.next_at` is reached."""


@dataclass(frozen=True)
class StopAsked(Event):
    """The batch system wants its slot back (SIGTERM)."""


@dataclass(frozen=True)
class Answer(Event):
    """An instruction was carried out; the base of all answers."""

    step: int


@dataclass(frozen=True)
class Failed(Answer):
    """An instruction that is not about an attempt failed."""

    failure: Failure


@dataclass(frozen=True)
class Welcomed(Answer):
    """The server knows us and wants to hear from us this often."""

    beat_every: float


@dataclass(frozen=True)
class Matched(Answer):
    """There is work."""

    work: Work


@dataclass(frozen=True)
class NoWork(Answer):
    """There is none; ask again after so many seconds."""

    retry_after: float


@dataclass(frozen=True)
class BeatAnswered(Answer):
    """The server heard us, wants these attempts killed, has given those up, and perhaps wants to hear more soon."""

    kill: Tuple[int, ...] = ()
    ended: Tuple[int, ...] = ()
    beat_every: Optional[float] = None


@dataclass(frozen=True)
class Retired(Answer):
    """The server knows that we leave."""


@dataclass(frozen=True)
class AttemptAnswer(Answer):
    """A step of one attempt was carried out; the base of all those answers."""

    attempt_id: int


@dataclass(frozen=True)
class StepFailed(AttemptAnswer):
    """A step of an attempt failed."""

    failure: Failure


@dataclass(frozen=True)
class Refreshed(AttemptAnswer):
    """The attempt is still ours; there are fresh tokens for it."""

    work: Work


@dataclass(frozen=True)
class Unpacked(AttemptAnswer):
    """The input sandbox is in place."""


@dataclass(frozen=True)
class Fetched(AttemptAnswer):
    """One more input is here, and it is what it should be."""


@dataclass(frozen=True)
class StartConfirmed(AttemptAnswer):
    """The server knows that the payload starts."""


@dataclass(frozen=True)
class Launched(AttemptAnswer):
    """The payload runs."""


@dataclass(frozen=True)
class LaunchFailed(AttemptAnswer):
    """The payload's command could not be run at all."""

    exit_code: int
    detail: str


@dataclass(frozen=True)
class Exceeded(AttemptAnswer):
    """The payload uses more than it may of `what`: memory or log."""

    what: str
    used: int


@dataclass(frozen=True)
class PayloadEnded(AttemptAnswer):
    """The payload ended and nothing of it runs any more. A signal n counts as exit code 128 + n."""

    exit_code: int
    usage: Usage


@dataclass(frozen=True)
class Swept(AttemptAnswer):
    """Nothing of a former pilot's payload runs any more."""


@dataclass(frozen=True)
class Collected(AttemptAnswer):
    """These products exist, those paths are missing, the sandbox is packed (or cannot be)."""

    products: Tuple[Product, ...] = ()
    missing: Tuple[str, ...] = ()
    packed: Optional[Packed] = None


@dataclass(frozen=True)
class Declared(AttemptAnswer):
    """The products may be uploaded."""

    uploads: Tuple[Upload, ...]


@dataclass(frozen=True)
class Uploaded(AttemptAnswer):
    """One more product is on its storage."""


@dataclass(frozen=True)
class SandboxSent(AttemptAnswer):
    """The output sandbox is where it belongs."""


@dataclass(frozen=True)
class Finished(AttemptAnswer):
    """The server has accepted the report."""

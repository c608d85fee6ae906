"""The words of the pilot: values without behaviour, written to disk and to the log as they are.

Nothing in here is secret: tokens, presigned URLs and the payload's command and
environment stay in `wire.Access`, in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Optional, Tuple


class Phase(str, Enum):
    """Where an attempt is in its life within the pilot."""

    CLAIMING = "claiming"
    """After a restart: is it still ours?"""
    FETCHING = "fetching"
    STARTING = "starting"
    """All is here; tell the server that the payload starts."""
    RUNNING = "running"
    STOPPING = "stopping"
    """The payload was told to end."""
    SWEEPING = "sweeping"
    """After a restart: end what the last payload has left behind."""
    COLLECTING = "collecting"
    """The payload has ended; look at what it made."""
    DECLARING = "declaring"
    UPLOADING = "uploading"
    PACKING = "packing"
    """Send the output sandbox."""
    FINISHING = "finishing"
    """The report is on disk; the server has to accept it."""
    DROPPING = "dropping"
    """The server has given it up: stop, clean, say nothing."""


class Trouble(str, Enum):
    """What kind of failure: it decides whether to wait, to ask anew, to look elsewhere or to give up."""

    AWAY = "away"
    """Nobody answers, or somebody who says `later`."""
    REFUSED = "refused"
    """The server does not accept this pilot's credential."""
    ENDED = "ended"
    """The server has given the attempt up."""
    REJECTED = "rejected"
    """Understood, and no; the same again would be no again."""
    DENIED = "denied"
    """A storage does not accept the token: a fresh one may help."""
    BROKEN = "broken"
    """Missing, or not what was promised: another source may be better."""


@dataclass(frozen=True)
class Failure:
    """Why something did not work."""

    trouble: Trouble
    detail: str
    code: str = ""
    retry_after: Optional[float] = None

    def __post_init__(self) -> None:
        """Accept the word of a trouble, as it is read from a file."""
        object.__setattr__(self, "trouble", Trouble(self.trouble))


class CallFailed(Exception):
    """A call to the server or to a storage did not work, and the machine must decide what that means."""

    def __init__(self, failure: Failure) -> None:
        """Say why."""
        super().__init__(failure.detail)
        self.failure = failure


@dataclass(frozen=True)
class Slot:
    """What the batch system gave us, and how long to wait in it for work."""

    cores: int
    memory: int
    walltime: float
    tags: Tuple[str, ...]
    idle: float


@dataclass(frozen=True)
class Input:
    """A file that the payload wants to read."""

    did: str
    name: str
    size: int
    adler32: Optional[str]
    sources: int


@dataclass(frozen=True)
class Output:
    """A file that the payload was to make."""

    number: int
    path: str


@dataclass(frozen=True)
class Work:
    """An attempt as the server gave it, without its secrets."""

    attempt_id: int
    job_id: int
    number: int
    walltime: float
    memory: Optional[int]
    sandbox: bool
    inputs: Tuple[Input, ...] = ()
    outputs: Tuple[Output, ...] = ()
    globs: Tuple[str, ...] = ()
    cores: int = 1


@dataclass(frozen=True)
class Verdict:
    """How an attempt ends: `done` or `failed`, with a code and words for people."""

    outcome: str
    reason: Optional[str] = None
    detail: str = ""


@dataclass(frozen=True)
class Product:
    """A declared output that exists, as it will be uploaded."""

    number: int
    path: str
    size: int
    adler32: str


@dataclass(frozen=True)
class Upload:
    """The server's leave to upload one product."""

    number: int
    intent_id: int


@dataclass(frozen=True)
class Packed:
    """The output sandbox, packed and ready to be sent."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Usage:
    """What a payload used: seconds, seconds, bytes."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True)
class Report:
    """What the server is told at the end of an attempt; the tail of the log is added when it is sent."""

    outcome: str
    exit_code: Optional[int]
    reason: Optional[str]
    detail: str
    intents: Tuple[int, ...]
    usage: Usage
    sandbox: Optional[str]


@dataclass(frozen=True)
class Attempt:
    """What must survive the pilot: this is the record in the spool."""

    work: Work
    phase: Phase = Phase.FETCHING
    stop: Optional[Verdict] = None
    """Why the payload was told to end, if it was."""
    exit_code: Optional[int] = None
    usage: Usage = field(default_factory=Usage)
    products: Tuple[Product, ...] = ()
    uploads: Tuple[Upload, ...] = ()
    uploaded: int = 0
    packed: Optional[Packed] = None
    sent: bool = False
    """The output sandbox is where it belongs."""
    verdict: Optional[Verdict] = None

    def __post_init__(self) -> None:
        """Accept the word of a phase, as it is read from a file."""
        object.__setattr__(self, "phase", Phase(self.phase))

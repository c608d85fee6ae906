"""The contract of compute elements: doors to batch systems, behind which our pilots get slots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Protocol

from pydantic import BaseModel


class CEUnavailable(Exception):
    """The CE cannot be reached or takes nothing now; the caller tries again later. Its text holds no secret."""


class PilotState(Enum):
    """How a pilot fares, as its CE sees it; UNKNOWN: the CE has forgotten it, or never knew it."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class PilotSpec:
    """A pilot to be started: who it is, where it reports, and what slot it wants (bytes of memory)."""

    stamp: str
    secret: str = field(repr=False)
    """With it the pilot proves that it is this stamp; it must reach the pilot through a file only its user can read."""
    url: str
    """Base URL of the API."""
    ca_file: str | None = None
    """CA certificates to trust `url` with; None: the system's."""
    cores: int
    memory: int
    walltime: timedelta
    """How long payloads may run; the slot must last some ten minutes longer, for the pilot to begin and to deliver."""
    tags: tuple[str, ...] = ()
    """What the slot offers; `env:NAME` are software environments that the plugin's settings describe."""
    idle: timedelta
    """How long the pilot waits for work before it ends."""
    site: str


class ComputeElement(Protocol):
    """A door to one batch system: it starts pilots and says how they fare.

    Made as `Plugin(settings, secret)`, with a `SecretReader` of the VO that owns the CE: what a batch system wants to
    see of us, a token or a password, is named in the settings, and never said.

    The caller keeps every reference and may ask about it from another process after a restart, so an implementation
    holds no state of its own. All methods may be called at once. A CE that cannot be reached raises `CEUnavailable`;
    the caller retries, so never retry inside.
    """

    Settings: type[BaseModel]

    async def submit(self, pilots: Sequence[PilotSpec]) -> Mapping[str, str]:
        """Start pilots; map each accepted stamp to the CE's own reference, in which there is no secret."""
        ...

    async def states(self, references: Sequence[str]) -> Mapping[str, PilotState]:
        """Say how pilots fare. A reference the CE forgot is `UNKNOWN`."""
        ...

    async def kill(self, references: Sequence[str]) -> None:
        """Stop pilots: SIGTERM first, so that they can report. Killing one that has ended or is unknown is no error."""
        ...

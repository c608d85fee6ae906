"""By whose fault an attempt failed, and how often a job is tried again for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

AVOIDED = timedelta(hours=1)
"""How long a site that failed a job is not given that job again, if it can run elsewhere."""
MOST_RETRIES = 100
"""What a description may ask for."""


class Reason(Enum):
    """Why an attempt failed; `FAULTS` says by whose fault."""

    PAYLOAD_FAILED = "payload_failed"
    OUTPUT_MISSING = "output_missing"
    WALLTIME_EXCEEDED = "walltime_exceeded"
    MEMORY_EXCEEDED = "memory_exceeded"
    LOG_EXCEEDED = "log_exceeded"
    KILLED = "killed"
    COMMAND_UNKNOWN = "command_unknown"
    INPUT_UNAVAILABLE = "input_unavailable"
    INPUT_GONE = "input_gone"
    UPLOAD_FAILED = "upload_failed"
    QUOTA_EXCEEDED = "quota_exceeded"
    SANDBOX_UNAVAILABLE = "sandbox_unavailable"
    PILOT_STOPPED = "pilot_stopped"
    PILOT_LOST = "pilot_lost"


class Fault(Enum):
    """Whose fault it is that an attempt failed."""

    SITE = "site"
    """The node, what it reads from and writes to, or the pilot that fell silent."""
    DATA = "data"
    """An input is nowhere to be had."""
    JOB = "job"
    """The payload itself: it failed, or took more than it asked for."""
    USER = "user"
    """Somebody stopped it, or has no room left: nothing is tried again."""


FAULTS: Mapping[Reason, Fault] = {
    Reason.PAYLOAD_FAILED: Fault.JOB, Reason.OUTPUT_MISSING: Fault.JOB, Reason.WALLTIME_EXCEEDED: Fault.JOB,
    Reason.MEMORY_EXCEEDED: Fault.JOB, Reason.LOG_EXCEEDED: Fault.JOB, Reason.COMMAND_UNKNOWN: Fault.JOB,
    Reason.KILLED: Fault.USER, Reason.QUOTA_EXCEEDED: Fault.USER, Reason.INPUT_GONE: Fault.DATA,
    Reason.INPUT_UNAVAILABLE: Fault.SITE, Reason.UPLOAD_FAILED: Fault.SITE, Reason.SANDBOX_UNAVAILABLE: Fault.SITE,
    Reason.PILOT_STOPPED: Fault.SITE, Reason.PILOT_LOST: Fault.SITE,
}  # fmt: skip
"""Whose fault each reason is."""


@dataclass(frozen=True, kw_only=True)
class Retry:
    """How often a job is tried again, by whose fault it failed."""

    site: int | None = None
    """None: as often as all attempts together allow."""
    data: int = 1
    job: int = 0
    temporary: tuple[int, ...] | None = None
    """Exit codes of a payload that may fare better the next time: tried again as often as all attempts allow."""
    permanent: tuple[int, ...] | None = None
    """Exit codes of a payload that would fail again: never tried again."""

    def most(self, fault: Fault) -> int | None:
        """How often it is tried again for a fault."""
        return {Fault.SITE: self.site, Fault.DATA: self.data, Fault.JOB: self.job, Fault.USER: 0}[fault]

    def said_by(self, failure: "Failure") -> bool | None:
        """What a payload said by its exit code: True that it may be tried again, False that not, None nothing."""
        if failure.reason is not Reason.PAYLOAD_FAILED:
            return None
        if failure.exit_code in (self.permanent or ()):
            return False
        return True if failure.exit_code in (self.temporary or ()) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A failed attempt of a job: why, where, and whether it was of late. Without `reason` it is of an old version.

    Where others than our pilots ran it, nobody knows.
    """

    job_id: int
    reason: Reason | None
    site: str | None
    site_id: int | None
    recent: bool
    exit_code: int | None = None

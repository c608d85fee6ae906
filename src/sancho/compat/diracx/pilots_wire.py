"""DiracX's words about pilots."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal

MOST_PILOTS = 10_000
"""Pilots in one call."""
_NO_CONTROL = r"^[^\x00-\x1f]*$"
Word = Annotated[str, Field(max_length=128, pattern=_NO_CONTROL)]
Short = Annotated[str, Field(max_length=32, pattern=_NO_CONTROL)]
Stamp = Annotated[str, Field(min_length=1, max_length=32, pattern=_NO_CONTROL)]


class PilotStatus(StrEnum):
    """Where a pilot is in its life, as DIRAC has it."""

    SUBMITTED = "Submitted"
    WAITING = "Waiting"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    DELETED = "Deleted"
    ABORTED = "Aborted"
    UNKNOWN = "Unknown"


class PilotRegistration(BaseModel):
    """A pilot that somebody's factory has submitted."""

    pilot_stamp: Stamp
    vo: Annotated[str, Field(min_length=1, max_length=128)]
    grid_type: Short = "DIRAC"
    grid_site: Word = "Unknown"
    destination_site: Word = "NotAssigned"
    pilot_reference: Annotated[str, Field(max_length=255, pattern=_NO_CONTROL)] | None = None
    """If it is not said, the stamp."""
    pilot_status: PilotStatus = PilotStatus.SUBMITTED


class PilotMetadata(BaseModel):
    """What has changed of a pilot; what is not said stays."""

    model_config = ConfigDict(alias_generator=to_pascal, extra="forbid")

    status_reason: Annotated[str, Field(max_length=255, pattern=_NO_CONTROL)] | None = None
    status: PilotStatus | None = None
    bench_mark: Annotated[float, Field(allow_inf_nan=False)] | None = None
    destination_site: Word | None = None
    queue: Word | None = None
    grid_site: Word | None = None
    grid_type: Short | None = None
    accounting_sent: bool | None = None
    current_job_id: Annotated[int | None, Field(alias="CurrentJobID", ge=0, lt=2**63)] = None

"""DiracX's words about how jobs go."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from sancho.kit.units import Id

LONGEST_OUTPUT = 1_000_000
"""Characters of output that may come with a sign of life; the last part is kept."""
Word = Literal[
    "Submitting", "Received", "Checking", "Staging", "Waiting", "Matched", "Rescheduled", "Running", "Stalled",
    "Completing", "Done", "Completed", "Failed", "Deleted", "Killed",
]  # fmt: skip
"""All the states that DIRAC has."""
Text = Annotated[str, Field(max_length=255)]
Number = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False)]


class StatusUpdate(BaseModel, extra="forbid"):
    """How a job was at a time."""

    status: Annotated[Word | None, Field(alias="Status")] = None
    minor_status: Annotated[Text | None, Field(alias="MinorStatus")] = None
    application_status: Annotated[Text | None, Field(alias="ApplicationStatus")] = None
    source: Annotated[str, Field(alias="Source", max_length=100)] = "Unknown"


class HeartbeatData(BaseModel, extra="forbid"):
    """A sign of life: kilobytes, disk in megabytes, seconds."""

    load_average: Annotated[Number | None, Field(alias="LoadAverage")] = None
    memory_used: Annotated[Number | None, Field(alias="MemoryUsed")] = None
    vsize: Annotated[Number | None, Field(alias="Vsize")] = None
    available_disk_space: Annotated[Number | None, Field(alias="AvailableDiskSpace")] = None
    cpu_consumed: Annotated[Number | None, Field(alias="CPUConsumed")] = None
    wall_clock_time: Annotated[Number | None, Field(alias="WallClockTime")] = None
    standard_output: Annotated[str | None, Field(alias="StandardOutput", max_length=LONGEST_OUTPUT)] = None


class JobCommand(BaseModel):
    """What a job is told to do."""

    job_id: int
    command: str
    arguments: str = ""


StatusUpdates = dict[Id, dict[datetime, StatusUpdate]]
"""By job and time."""
Heartbeats = dict[Id, HeartbeatData]
"""By job."""

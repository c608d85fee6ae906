"""How jobs go, in DiracX's words and in ours."""

from collections.abc import Mapping, Sequence

from sancho.compat.diracx import states_wire as states
from sancho.compat.diracx.errors import TimeNaive, TimeOutside
from sancho.compat.diracx.status_wire import HeartbeatData, StatusUpdates
from sancho.jobs.model import Heartbeat, Report

SHOWN = (
    "Status", "MinorStatus", "ApplicationStatus", "HeartBeatTime", "StartExecTime", "EndExecTime", "LastUpdateTime",
)  # fmt: skip
"""What is told of a job whose status was set: as it is then."""
KB, MB = 1024, 1024**2


def reports_of(updates: StatusUpdates) -> list[Report]:
    """Updates as reports; raises `TimeNaive` and `TimeOutside`."""
    found: list[Report] = []
    for job_id, by_time in updates.items():
        for at, one in by_time.items():
            if at.tzinfo is None:
                raise TimeNaive(job_id=job_id, at=at.isoformat())
            if not 1970 <= at.year <= 9000:
                raise TimeOutside(job_id=job_id, at=at.isoformat())
            state = None if one.status is None else states.REPORTED.get(one.status)
            found.append(
                Report(
                    job_id=job_id, at=at, source=one.source or "Unknown", minor=one.minor_status or None,
                    application=one.application_status or None, asked=one.status, state=state,
                )
            )  # fmt: skip
    return found


def alive(reports: Sequence[Report]) -> list[Heartbeat]:
    """The signs of life in reports: those that the jobs themselves make."""
    ids = {one.job_id for one in reports if one.source.startswith("Job") or one.source == "Heartbeat"}
    return [Heartbeat(job_id=job_id) for job_id in sorted(ids)]


def signs_of(beats: Mapping[int, HeartbeatData]) -> list[Heartbeat]:
    """Signs of life; DIRAC's programs measure memory in kB and disks in MB."""
    return [
        Heartbeat(
            job_id=job_id, load=one.load_average, memory=_times(one.memory_used, KB), virtual=_times(one.vsize, KB),
            disk=_times(one.available_disk_space, MB), cpu=one.cpu_consumed, wall=one.wall_clock_time,
            tail=one.standard_output,
        )
        for job_id, one in beats.items()
    ]  # fmt: skip


def _times(said: float | None, unit: int) -> int | None:
    return None if said is None else min(int(said * unit), 2**63 - 1)

"""DiracX's columns of jobs and the fields of ours. Pure.

A column is a field of ours under another name, or follows from the state, or is the same for every job of a VO.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sancho.compat.diracx import states_wire as states
from sancho.compat.diracx.errors import SearchUnfit
from sancho.compat.diracx.jobs_wire import Spec, VectorSpec
from sancho.compat.diracx.search_columns import NEVER, Column, Kind, Table, spell, text
from sancho.jobs.model import JobState, Logged
from sancho.kit.query import Predicate, Query

LOGGING = "LoggingInfo"
STAMP = "PilotStamp"


def _by_state(words: Mapping[JobState, Any]) -> Column:
    return Column(kind=Kind.FIXED, field="state", by_state=words)


def _stamp(spec: Spec) -> Query:
    values = spec.values if isinstance(spec, VectorSpec) else [spec.value]
    if spec.operator not in ("eq", "in"):
        raise SearchUnfit(reason=f"{STAMP} can be asked for with eq and in alone")
    return Predicate("pilot.stamp", "in", tuple(map(str, values))) if values else NEVER


COLUMNS: Mapping[str, Column] = {
    "JobID": Column(kind=Kind.NUMBER, field="id"),
    "JobType": text("type", "User"),
    "JobGroup": text("job_group", "00000000"),
    "Site": text("site", "ANY"),
    "JobName": text("name"),
    "Owner": text("account"),
    "OwnerGroup": text("group"),
    "VO": Column(kind=Kind.FIXED, field="vo"),
    "SubmissionTime": Column(kind=Kind.TIME, field="submitted_at"),
    "RescheduleTime": Column(kind=Kind.TIME, field="rescheduled_at"),
    "LastUpdateTime": Column(kind=Kind.TIME, field="changed_at"),
    "StartExecTime": Column(kind=Kind.TIME, field="started_at"),
    "HeartBeatTime": Column(kind=Kind.TIME, field="heartbeat_at"),
    "EndExecTime": Column(kind=Kind.TIME, field="ended_at"),
    "Status": _by_state(states.STATUS),
    "MinorStatus": Column(kind=Kind.TEXT, field="minor", by_state=states.MINOR),
    "ApplicationStatus": text("application", states.APPLICATION),
    "UserPriority": Column(kind=Kind.NUMBER, field="priority"),
    "RescheduleCounter": Column(kind=Kind.NUMBER, field="reschedules"),
    "VerifiedFlag": Column(kind=Kind.FIXED, value=True),
    "AccountedFlag": _by_state({state: state.final for state in JobState}),
}
"""In the order of DiracX's table, in which rows come."""
JOBS = Table(columns=COLUMNS, special={STAMP: _stamp}, beside=frozenset({LOGGING}))
patterns, query_of, order_of = JOBS.patterns, JOBS.query_of, JOBS.order_of
fields_of, shown, row_of = JOBS.fields_of, JOBS.shown, JOBS.row_of


def logged(history: Sequence[Logged]) -> list[dict[str, Any]]:
    """The life of a job as DiracX shows it; what a report does not say is as it was before."""
    found: list[dict[str, Any]] = []
    minor, application = "", states.APPLICATION
    for line in history:
        if line.source is None:
            minor, application = states.MINOR[line.state], line.detail or states.APPLICATION
        minor, application = line.minor or minor, line.application or application
        found.append(
            {
                "Status": line.asked or states.STATUS[line.state], "MinorStatus": minor,
                "ApplicationStatus": application, "StatusTime": spell(line.at), "Source": line.source or "Sancho",
            }
        )  # fmt: skip
    return found

"""DiracX's columns of pilots and the fields of ours. Pure."""

from collections.abc import Mapping

from sancho.compat.diracx.errors import SearchUnfit
from sancho.compat.diracx.jobs_wire import Spec, VectorSpec
from sancho.compat.diracx.search_columns import NEVER, Column, Kind, Table, text
from sancho.kit.query import Predicate, Query

JOB = "JobID"


def _job(spec: Spec) -> Query:
    values = spec.values if isinstance(spec, VectorSpec) else [spec.value]
    if spec.operator not in ("eq", "in"):
        raise SearchUnfit(reason=f"{JOB} can be asked for with eq and in alone")
    return Predicate("job", "in", tuple(map(str, values))) if values else NEVER


COLUMNS: Mapping[str, Column] = {
    "PilotID": Column(kind=Kind.NUMBER, field="id"),
    "CurrentJobID": Column(kind=Kind.NUMBER, field="current_job"),
    "PilotJobReference": text("reference"),
    "PilotStamp": text("stamp"),
    "DestinationSite": text("destination_site"),
    "Queue": text("queue", "Unknown"),
    "GridSite": text("grid_site"),
    "VO": Column(kind=Kind.FIXED, field="vo"),
    "GridType": text("grid_type"),
    "BenchMark": Column(kind=Kind.FRACTION, field="benchmark"),
    "SubmissionTime": Column(kind=Kind.TIME, field="created_at"),
    "LastUpdateTime": Column(kind=Kind.TIME, field="changed_at"),
    "Status": text("status"),
    "StatusReason": text("status_reason", "Unknown"),
    "AccountingSent": Column(kind=Kind.BOOLEAN, field="accounting_sent"),
}
"""In the order of DIRAC's table of pilots."""
PILOTS = Table(columns=COLUMNS, special={JOB: _job})

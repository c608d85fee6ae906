"""Searches of DiracX's as ours: dates, words by the state, and what cannot be asked."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.diracx import states_wire as states
from sancho.compat.diracx.errors import ColumnUnknown, SearchUnfit
from sancho.compat.diracx.jobs_translate import COLUMNS, query_of, shown
from sancho.compat.diracx.jobs_wire import ScalarSpec, Spec, VectorSpec
from sancho.compat.diracx.search_columns import ALWAYS, NEVER, Column, Kind, period
from sancho.jobs.model import JobState
from sancho.jobs.store.fields import field_of
from sancho.kit.query import All, Either, Not, Predicate, Query

TIMES = st.datetimes(datetime(1970, 1, 1), datetime(9000, 1, 1))  # noqa: DTZ001
FORMS = ["%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%fZ"]


def asked(parameter: str, operator: str, value: str | int | Sequence[str]) -> Query | None:
    return query_of([spec(parameter, operator, value)], "belle", {})


def spec(parameter: str, operator: str, value: str | int | Sequence[str]) -> Spec:
    said = {"parameter": parameter, "operator": operator}
    if isinstance(value, str | int):
        return ScalarSpec.model_validate({**said, "value": value})
    return VectorSpec.model_validate({**said, "values": value})


@given(TIMES, st.sampled_from(FORMS))
def test_a_part_of_a_date_means_all_of_it(at: datetime, form: str) -> None:
    begin, end = period(f"{at:%Y}".zfill(4) + at.strftime(form)[4:])
    assert begin <= at.replace(tzinfo=UTC) < end
    assert timedelta(microseconds=1) <= end - begin <= timedelta(days=366)


@pytest.mark.parametrize(
    "text", ["", "24", "2024-13", "2024-02-30", "2024-01-01+00:00", "2024-01-01 25", "9999", "x" * 999, "٢٠٢٤"]
)
def test_what_is_no_date_is_said(text: str) -> None:
    with pytest.raises(SearchUnfit, match="is no date"):
        period(text)


def test_after_a_part_of_a_date_is_after_all_of_it() -> None:
    assert asked("SubmissionTime", "gt", "2026-02") == Predicate("submitted_at", ">=", ("2026-03-01T00:00:00+00:00",))
    assert asked("SubmissionTime", "lt", "2026-02") == Predicate("submitted_at", "<", ("2026-02-01T00:00:00+00:00",))


@pytest.mark.parametrize("words", [states.STATUS, states.MINOR])
def test_every_state_has_a_word_of_its_own(words: dict[JobState, str]) -> None:
    assert set(words) == set(JobState)
    assert [states.states_of(words, word) for word in words.values()] == [(state,) for state in words]


def test_states_are_asked_for_by_their_words() -> None:
    assert asked("Status", "eq", "Done") == Predicate("state", "in", ("done",))
    assert asked("Status", "neq", "Done") == Not(Predicate("state", "in", ("done",)))
    assert asked("Status", "in", ["Done", "Failed"]) == Predicate("state", "in", ("done", "failed"))
    assert asked("Status", "eq", "Stalled") == NEVER
    assert asked("Status", "not in", ["Stalled"]) == ALWAYS
    assert asked("AccountedFlag", "eq", 1) == Predicate("state", "in", ("done", "failed", "killed"))
    assert query_of([spec("Status", "like", "D%")], "belle", {0: ["Done"]}) == Predicate("state", "in", ("done",))


def test_what_is_the_same_for_all_finds_all_or_none() -> None:
    assert asked("VO", "eq", "belle") == ALWAYS
    assert asked("VO", "in", ["gridpp", "belle"]) == Either((NEVER, ALWAYS))
    assert asked("VO", "neq", "belle") == NEVER
    assert asked("VerifiedFlag", "eq", "true") == ALWAYS


def test_what_has_no_value_has_a_word_in_dirac() -> None:
    nowhere = Not(Predicate("site", "exists", ()))
    assert asked("Site", "eq", "ANY") == Either((Predicate("site", "=", ("ANY",)), nowhere))
    assert asked("Site", "eq", "LCG.CERN.ch") == Predicate("site", "=", ("LCG.CERN.ch",))


def test_several_tests_are_all_met() -> None:
    both = query_of([spec("JobID", "gt", 5), spec("Owner", "eq", "alice")], "belle", {})
    assert both == All((Predicate("id", ">", ("5",)), Predicate("account", "=", ("alice",))))
    assert query_of([], "belle", {}) is None


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(ColumnUnknown, match="Unknown column Nothing"):
        asked("Nothing", "eq", "x")
    with pytest.raises(SearchUnfit, match="is no number"):
        asked("JobID", "eq", "seven")
    with pytest.raises(SearchUnfit, match="no pattern fits"):
        asked("SubmissionTime", "like", "2026%")
    with pytest.raises(SearchUnfit, match="eq and in alone"):
        asked("PilotStamp", "neq", "x")
    with pytest.raises(ColumnUnknown):
        shown(["JobID", "HostName"])


@pytest.mark.parametrize("column", [column for column in COLUMNS.values() if column.kind is not Kind.FIXED])
def test_every_column_is_a_field_that_can_be_shown(column: Column) -> None:
    field = field_of(column.field)
    assert field is not None
    assert field.shown is not None

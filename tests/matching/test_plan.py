"""In which order a pilot tries the queues that fit."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sancho.matching.model import PATIENCE, Candidate
from sancho.matching.plan import order

CANDIDATE = st.builds(
    Candidate,
    vo=st.integers(1, 3),
    task_queue_id=st.integers(1, 99),
    has_inputs=st.booleans(),
    here=st.integers(0, 5),
    best=st.integers(0, 5),
    missing=st.integers(0, 1),
    waited=st.timedeltas(min_value=timedelta(0), max_value=2 * PATIENCE),
)


def test_a_job_goes_where_most_of_its_bytes_are() -> None:
    here = Candidate(vo=1, task_queue_id=1, has_inputs=True, here=5, best=5)
    elsewhere = Candidate(vo=1, task_queue_id=2, has_inputs=True, here=4, best=5)
    assert order([elsewhere, here]) == [here]


def test_a_job_that_waited_long_enough_goes_anywhere() -> None:
    elsewhere = Candidate(vo=1, task_queue_id=2, has_inputs=True, here=0, best=5, waited=PATIENCE)
    assert order([elsewhere]) == [elsewhere]


def test_a_job_with_a_missing_file_goes_nowhere() -> None:
    assert order([Candidate(vo=1, task_queue_id=2, has_inputs=True, here=5, best=5, missing=1, waited=PATIENCE)]) == []


@given(st.lists(CANDIDATE))
def test_the_lottery_keeps_its_order_and_jobs_without_inputs_are_never_left_out(candidates: list[Candidate]) -> None:
    ordered = order(candidates)
    assert ordered == [c for c in candidates if c in ordered]
    assert all(c in ordered for c in candidates if not c.has_inputs)

"""How many pilots each CE gets, and which pilot gets no more jobs."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sancho.jobs.model import FAULTS, Fault, Reason
from sancho.pilots.model import CeLoad, Ended, Fit
from sancho.pilots.plan import provision, unfit


def load(
    ce_id: int = 1, *, most: int = 10, busy: int = 0, idle: int = 0, ill: int = 0, queues: list[tuple[int, int, int]]
) -> CeLoad:
    fits = tuple(Fit(vo=vo, task_queue_id=queue, jobs=jobs) for vo, queue, jobs in queues)
    return CeLoad(ce_id=ce_id, max_pilots=most, busy=busy, idle=idle, unfit=ill, queues=fits)


def test_each_waiting_job_calls_for_a_pilot() -> None:
    assert provision([load(queues=[(1, 1, 3), (2, 9, 2)])]) == {1: 5}


def test_a_ce_never_gets_more_than_its_limit() -> None:
    assert provision([load(most=4, busy=2, idle=1, queues=[(1, 1, 100)])]) == {1: 1}


def test_pilots_without_a_payload_answer_the_demand() -> None:
    assert provision([load(idle=3, queues=[(1, 1, 3)])]) == {}


def test_demand_is_shared_among_the_ces_that_fit() -> None:
    assert provision([load(1, queues=[(1, 1, 5)]), load(2, queues=[(1, 1, 5)])]) == {1: 3, 2: 3}


def test_one_pilot_answers_as_many_jobs_as_fit_into_its_slot_at_a_time() -> None:
    eight = CeLoad(ce_id=1, max_pilots=10, busy=0, idle=0, queues=(Fit(vo=1, task_queue_id=1, jobs=17, at_once=8),))
    assert provision([eight]) == {1: 3}


def test_a_ce_whose_pilots_are_unfit_gets_one_at_a_time_until_one_does_well() -> None:
    assert provision([load(ill=3, queues=[(1, 1, 100)])]) == {1: 1}
    assert provision([load(ill=3, idle=1, queues=[(1, 1, 100)])]) == {}
    assert provision([load(ill=3, busy=2, queues=[(1, 1, 100)])]) == {1: 8}


ENDS = st.builds(
    Ended,
    reason=st.none() | st.sampled_from(Reason),
    account_id=st.integers(1, 2),
    seconds=st.sampled_from([5.0, 500.0]),
)


@given(st.lists(ENDS, max_size=3))
def test_who_is_unfit_has_failed_in_a_row_and_not_by_one_owners_jobs(last: list[Ended]) -> None:
    faults = [None if one.reason is None else FAULTS[one.reason] for one in last]
    if unfit(last):
        assert len(last) == 3
        assert set(faults) <= {Fault.SITE, Fault.JOB}
        assert Fault.JOB not in faults or len({one.account_id for one in last}) > 1
    elif len(last) == 3 and set(faults) == {Fault.SITE}:
        assert {one.reason for one in last} & {Reason.PILOT_LOST, Reason.PILOT_STOPPED}


LOADS = st.lists(
    st.builds(
        CeLoad, ce_id=st.integers(1, 9), max_pilots=st.integers(0, 20), busy=st.integers(0, 20),
        idle=st.integers(0, 20),
        queues=st.lists(
            st.builds(
                Fit, vo=st.integers(1, 2), task_queue_id=st.integers(1, 5), jobs=st.integers(1, 1000),
                at_once=st.integers(1, 8), rank=st.none() | st.floats(0, 10),
            ), max_size=4,
        ).map(tuple),
        unfit=st.integers(0, 3),
    ),
    unique_by=lambda ce: ce.ce_id, max_size=5,
)  # fmt: skip


@given(LOADS)
def test_no_plan_starts_pilots_without_demand_or_over_a_limit(loads: list[CeLoad]) -> None:
    wanted = provision(loads)
    for ce in loads:
        new = wanted.get(ce.ce_id, 0)
        assert new >= 0
        assert new == 0 or ce.busy + ce.idle + new <= ce.max_pilots
        assert new <= sum(fit.jobs for fit in ce.queues)


def weighed(ce_id: int, rank: float | None, jobs: int = 6, queue: int = 1, **more: int) -> CeLoad:
    fit = Fit(vo=1, task_queue_id=queue, jobs=jobs, rank=rank)
    return CeLoad(ce_id=ce_id, **{"max_pilots": 10, "busy": 0, "idle": 0, **more}, queues=(fit,))


def test_a_queue_goes_to_its_best_place_and_only_the_rest_to_the_next() -> None:
    assert provision([weighed(1, 9.0), weighed(2, 3.0)]) == {2: 6}
    assert provision([weighed(1, 9.0), weighed(2, 3.0, max_pilots=4)]) == {2: 4, 1: 2}
    assert provision([weighed(1, 9.0), weighed(2, 3.0, idle=6)]) == {}


def test_places_that_are_nearly_alike_share_a_queue() -> None:
    assert provision([weighed(1, 3.0), weighed(2, 3.1)]) == {1: 3, 2: 3}
    assert provision([weighed(1, 3.0, max_pilots=1), weighed(2, 3.1), weighed(3, 4.0)]) == {1: 1, 2: 5}


def test_an_ill_place_keeps_no_demand_from_the_next_best() -> None:
    assert provision([weighed(1, 1.0, unfit=3), weighed(2, 3.0)]) == {1: 1, 2: 5}


def test_who_loses_most_elsewhere_gets_the_room() -> None:
    def fit(queue: int, rank: float) -> Fit:
        return Fit(vo=1, task_queue_id=queue, jobs=4, rank=rank)

    good = CeLoad(ce_id=1, max_pilots=4, busy=0, idle=0, queues=(fit(1, 1.0), fit(2, 1.0)))
    other = CeLoad(ce_id=2, max_pilots=9, busy=0, idle=0, queues=(fit(1, 2.0), fit(2, 9.0)))
    third = CeLoad(ce_id=3, max_pilots=9, busy=0, idle=0, queues=(fit(2, 9.0),))
    assert provision([good, other, third]) == {1: 4, 2: 4}


@given(LOADS, st.integers(-3, 3))
def test_scaling_all_ranks_alike_changes_no_plan(loads: list[CeLoad], power: int) -> None:
    scaled = [
        replace(load, queues=tuple(
            replace(fit, rank=None if fit.rank is None else fit.rank * 2.0**power) for fit in load.queues
        ))
        for load in loads
    ]  # fmt: skip
    assert provision(scaled) == provision(loads)

"""How many pilots each CE gets."""

from hypothesis import given
from hypothesis import strategies as st

from sancho.pilots.model import CeLoad
from sancho.pilots.plan import provision


def load(ce_id: int = 1, *, most: int = 10, busy: int = 0, idle: int = 0, queues: list[tuple[int, int, int]]) -> CeLoad:
    return CeLoad(ce_id=ce_id, max_pilots=most, busy=busy, idle=idle, queues=tuple(queues))


def test_each_waiting_job_calls_for_a_pilot() -> None:
    assert provision([load(queues=[(1, 1, 3), (2, 9, 2)])]) == {1: 5}


def test_a_ce_never_gets_more_than_its_limit() -> None:
    assert provision([load(most=4, busy=2, idle=1, queues=[(1, 1, 100)])]) == {1: 1}


def test_pilots_without_a_payload_answer_the_demand() -> None:
    assert provision([load(idle=3, queues=[(1, 1, 3)])]) == {}


def test_demand_is_shared_among_the_ces_that_fit() -> None:
    assert provision([load(1, queues=[(1, 1, 5)]), load(2, queues=[(1, 1, 5)])]) == {1: 3, 2: 3}


LOADS = st.lists(
    st.builds(
        CeLoad, ce_id=st.integers(1, 9), max_pilots=st.integers(0, 20), busy=st.integers(0, 20),
        idle=st.integers(0, 20),
        queues=st.lists(st.tuples(st.integers(1, 2), st.integers(1, 5), st.integers(1, 1000)), max_size=4).map(tuple),
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
        assert new <= sum(waiting for *_, waiting in ce.queues)

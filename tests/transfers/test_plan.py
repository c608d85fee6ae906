"""Decisions of transfers."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sancho.transfers import plan
from sancho.transfers.model import RequestState, Route

ROUTES = st.lists(st.builds(Route, st.integers(1, 9), st.integers(0, 5)), unique_by=lambda r: r.rse_id)


@given(ROUTES, st.lists(st.integers(1, 9), unique=True))
def test_a_source_is_found_whenever_there_is_one_and_it_does_not_depend_on_order(
    routes: list[Route], failed: list[int]
) -> None:
    chosen = plan.choose_source(routes, failed)

    assert (chosen is None) == (not routes)
    assert chosen == plan.choose_source(routes[::-1], failed)


@given(ROUTES, st.lists(st.integers(1, 9), unique=True))
def test_a_source_that_has_not_failed_goes_before_and_among_those_the_nearest(
    routes: list[Route], failed: list[int]
) -> None:
    chosen = plan.choose_source(routes, failed)

    fresh = [r for r in routes if r.rse_id not in failed]
    if fresh:
        assert chosen == min(fresh, key=lambda r: (r.distance, r.rse_id)).rse_id


def test_when_all_have_failed_the_one_that_failed_last_comes_last() -> None:
    routes = [Route(1, 0), Route(2, 5), Route(3, 5)]

    assert plan.choose_source(routes, [1, 2, 3]) == 3
    assert plan.choose_source(routes[:1], [1]) == 1


def test_the_wait_grows_up_to_a_limit_and_the_eighth_failure_is_the_last() -> None:
    waits = [plan.wait_after(tries) for tries in range(1, 40)]

    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (timedelta(seconds=10), timedelta(minutes=30))
    assert [plan.state_after(n) for n in (7, 8, 9)] == [
        RequestState.WAITING, RequestState.FAILED, RequestState.FAILED,
    ]  # fmt: skip


def test_a_tool_is_told_of_both_storages() -> None:
    settings = plan.tool_settings(
        ("posix", {"roots": ["/a"], "n": 1}), ("posix", {"roots": ["/b", "/a"], "n": 2}), ("webdav", {"ca": "x"})
    )

    assert settings == {"posix": {"roots": ["/a", "/b"], "n": 2}, "webdav": {"ca": "x"}}

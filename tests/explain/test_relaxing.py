"""What would help is true: with it, the matcher gives the job, and without any part of it does not."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.explain.plan.relaxing import PARTS, Case, fewest, helps, relaxed
from sancho.jobs.model import Requirement, Slot, lacks
from sancho.matching.model import Offer, Owner, Queue
from sancho.matching.plan import Board
from tests.matching.test_plan import NOW, SLOTS, WAYS

SITES = {"1": "SITE-1", "2": "SITE-2", "3": "SITE-3"}
SLOT = Slot(ce="CE", site="1", cores=1, memory=1, walltime=timedelta(hours=1), tags=frozenset())
OFFS = st.sampled_from([None, "it is disabled", "site 1 is disabled", "it may have no pilots (max_pilots is 0)"])


@st.composite
def some_case(draw: st.DrawFn) -> Case:
    return Case(need=draw(WAYS), slot=replace(draw(SLOTS), off=draw(OFFS)), near=draw(st.booleans()))


CASES = some_case()


def given_away(case: Case) -> bool:
    """Say whether the matcher, by its board, gives a job of this case to a pilot with its slot."""
    if not case.near or case.slot.off is not None:
        return False
    offer = Offer(pilot_id=1, site_id=int(case.slot.site), vos=(1,), slot=case.slot)
    owner = Owner(vo=1, group_id=1, account_id=1)
    queue = Queue(key=(1, 1), owner=owner, type=None, priority=0, ways=(case.need,), input_set_id=None, waiting=1)
    board = Board()
    board.put(queue)
    board.place({}, NOW)
    chosen = [choice.queue.key for choice in board.choose(offer, most=1)]
    assert bool(chosen) == (not lacks(case.need, offer.slot))
    return bool(chosen)


@given(CASES)
@settings(max_examples=400, deadline=None)
def test_with_what_would_help_the_matcher_gives_the_job_and_without_a_part_of_it_does_not(case: Case) -> None:
    parts = fewest(case)
    assert given_away(case) is (not parts)
    assert given_away(relaxed(case, parts))
    for left_out in parts:
        assert not given_away(relaxed(case, [part for part in parts if part is not left_out]))


@given(st.lists(CASES, min_size=1, max_size=8))
@settings(max_examples=100, deadline=None)
def test_each_help_is_true_of_its_case_and_the_least_comes_first(cases: list[Case]) -> None:
    found = helps(cases)
    assert found
    for each in found:
        assert given_away(each.after)
        assert each.case in cases
        said = [change.says for change in each.changes(SITES)]
        assert len(said) == len(each.parts) == len(set(said))
        assert all(says and "None" not in says for says in said)
    costs = [each.cost for each in found]
    assert costs == sorted(costs)
    assert len({tuple(part.name for part in each.parts) for each in found}) == len(found)
    if any(given_away(case) for case in cases):
        assert not found[0].parts


@given(CASES)
@settings(deadline=None)
def test_relaxing_everything_always_suffices(case: Case) -> None:
    assert given_away(relaxed(case, PARTS))


def test_a_little_less_of_one_thing_is_told_before_much_less_or_two_things() -> None:
    slot = replace(SLOT, cores=4, memory=1000)
    wide = replace(SLOT, ce="WIDE", cores=8, memory=500)
    need = Requirement(cores=8, memory=1000, walltime=SLOT.walltime)
    found = helps([Case(need=need, slot=slot), Case(need=need, slot=wide)])
    assert [(each.case.slot.ce, [part.name for part in each.parts]) for each in found] == [
        ("CE", ["cores"]),
        ("WIDE", ["memory"]),
    ]
    assert [change.says for each in found for change in each.changes(SITES)] == [
        "it asked for at most 4 cores",
        "it asked for at most 500 B of memory",
    ]

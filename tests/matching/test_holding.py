"""A job that needs much of a slot gets one in the end, however many small ones share it; and few places are kept."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.jobs.model import Requirement
from sancho.matching.model import Offer, Owner
from sancho.matching.plan import Board
from sancho.matching.plan.holding import DOUBLED, FIRST, HELD_AFTER, Holding
from tests.matching.test_plan import ANY, NOW, queue

MINUTE = timedelta(minutes=1)
ALL_ASKED = HELD_AFTER + DOUBLED * 6
"""After so long every pilot is asked to keep its place."""
GREEDY = Owner(vo=1, group_id=1, account_id=9)
LONGEST = 50
"""Minutes that a small job may take."""


@dataclass
class Pilot:
    """A slot, and for each job in it how many cores it has and when it ends."""

    number: int
    cores: int
    jobs: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])

    def offer(self) -> Offer:
        free = self.cores - sum(cores for cores, _ in self.jobs)
        whole = replace(ANY.slot, cores=self.cores)
        return replace(ANY, pilot_id=self.number, slot=replace(whole, cores=free), whole=whole)


def small(board: Board, owners: int) -> None:
    for n in range(owners):
        board.put(queue(n, Owner(vo=1, group_id=1, account_id=n), Requirement(memory=1), waiting=1000))


@given(
    sizes=st.lists(st.integers(2, 4), min_size=1, max_size=3), owners=st.integers(1, 3), whose=st.integers(0, 3),
    data=st.data(),
)  # fmt: skip
@settings(max_examples=50, deadline=None)
def test_no_job_starves_that_fits_an_empty_slot(sizes: list[int], owners: int, whose: int, data: st.DataObject) -> None:
    board, random = Board(), data.draw(st.randoms(use_true_random=False))
    pilots = [Pilot(n, cores) for n, cores in enumerate(sizes)]
    small(board, owners)
    need = data.draw(st.integers(2, max(sizes)))
    large = queue(99, Owner(vo=1, group_id=1, account_id=whose), Requirement(cores=need, memory=1), waiting=1)
    end = int((ALL_ASKED + DOUBLED) / MINUTE) + LONGEST + 1
    for minute in range(0, end, 3):
        if minute == 3:
            board.put(large)
        board.place({}, NOW + minute * MINUTE)
        for pilot in pilots:
            pilot.jobs = [job for job in pilot.jobs if job[1] > minute]
            while pilot.offer().slot.cores and (found := board.choose(pilot.offer(), most=1)):
                if found[0].queue.key == large.key:
                    return
                board.give(found[0], 1)
                pilot.jobs.append((found[0].cores, minute + random.randint(1, LONGEST)))
    raise AssertionError(f"it waited for {end} minutes")


def held_back(board: Board, minutes: float, pilots: int = 640) -> int:
    """How many of so many pilots are given nothing, with half of their slots free, so long after all was put."""
    for before in (20, 10, 0):
        board.place({}, NOW + minutes * MINUTE - timedelta(seconds=before))
        offers = [Pilot(n, 8, [(4, 10**6)]).offer() for n in range(pilots)]
        empty = sum(not board.choose(offer, most=1) for offer in offers)
    return empty


def test_few_places_are_kept_at_first_and_all_in_the_end_until_it_has_begun() -> None:
    board = Board()
    small(board, 3)
    large = queue(99, Owner(vo=1, group_id=1, account_id=9), Requirement(cores=8, memory=1), waiting=1)
    board.put(large)
    board.place({}, NOW)
    after = HELD_AFTER / MINUTE
    assert held_back(board, after - 1) == 0
    few = held_back(board, after + 1)
    assert 0 < few < 640 * FIRST * 4
    assert few < held_back(board, after + 15) < held_back(board, after + 29) < 640
    assert held_back(board, after + 31) == 640
    (choice,) = board.choose(replace(Pilot(5, 8).offer()), most=3)
    assert (choice.queue.key, choice.cores) == (large.key, 8)
    board.give(choice, 1)
    assert held_back(board, after + 32) == 0


def test_nothing_is_kept_for_what_no_slot_of_those_who_ask_would_do_nor_by_who_does_not_say_what_it_has() -> None:
    board = Board()
    small(board, 1)
    for n, need in enumerate([Requirement(cores=9, memory=1), Requirement(cores=8, memory=1, sites=("2",))], start=7):
        board.put(queue(n, Owner(vo=1, group_id=1, account_id=n), need, waiting=1))
    board.put(queue(5, Owner(vo=2, group_id=1, account_id=1), Requirement(cores=8, memory=1), waiting=1))
    board.place({}, NOW)
    late = ALL_ASKED + MINUTE
    for before in (20, 10, 0):
        board.place({}, NOW + late - timedelta(seconds=before))
        offer = replace(Pilot(1, 8, [(4, 10**6)]).offer(), vos=(1,))
        assert board.choose(offer, most=1)
        assert board.choose(replace(offer, vos=(1, 2), whole=None), most=1)
    assert not board.choose(replace(offer, vos=(1, 2)), most=1)


def test_who_is_over_the_share_is_kept_one_place_at_a_time_however_many_queues_the_work_is_put_into() -> None:
    board, hours = Board(), 4
    for n in range(3):
        board.put(queue(n, Owner(vo=1, group_id=1, account_id=n), Requirement(memory=1), waiting=10**6))
    for n in range(100, 140):
        need = Requirement(cores=4, memory=1, walltime=timedelta(seconds=n))
        board.put(queue(n, GREEDY, need, waiting=1000))
    board.use({GREEDY: 10.0**6})
    pilots, begun = [Pilot(n, 8) for n in range(10)], 0
    for minute in range(0, 60 * hours, 5):
        board.place({}, NOW + minute * MINUTE)
        for pilot in pilots:
            pilot.jobs = [job for job in pilot.jobs if job[1] > minute]
            while pilot.offer().slot.cores and (found := board.choose(pilot.offer(), most=1)):
                board.give(found[0], 1)
                pilot.jobs.append((found[0].cores, minute + 30 + (7 * pilot.number + minute) % 20))
                begun += found[0].queue.owner == GREEDY
    assert 0 < begun <= 2 * hours


def test_whoever_waits_behind_many_queues_of_one_owner_has_a_place_kept_as_well() -> None:
    board = Board()
    small(board, 1)
    board.use({GREEDY: 10.0**6})
    for n in range(100, 200):
        need = Requirement(cores=8, memory=1, walltime=timedelta(seconds=n))
        board.put(queue(n, GREEDY, need, waiting=1))
    board.place({}, NOW)
    assert held_back(board, (ALL_ASKED + MINUTE) / MINUTE) == 640
    board.give(board.choose(Pilot(1, 8).offer(), most=1)[0], 1)
    board.put(queue(999, Owner(vo=1, group_id=1, account_id=8), Requirement(cores=8, memory=1), waiting=1))
    board.place({}, NOW + ALL_ASKED + 2 * MINUTE)
    assert held_back(board, (2 * ALL_ASKED + 3 * MINUTE) / MINUTE) == 640
    for whose in (GREEDY.account_id, 8):
        (choice,) = board.choose(Pilot(2, 8).offer(), most=3)
        assert choice.queue.owner.account_id == whose
        board.give(choice, 1)
        board.place({}, NOW + 2 * ALL_ASKED + 4 * MINUTE)


def test_places_are_kept_for_all_queues_of_whose_turn_it_is() -> None:
    board = Board()
    board.use({GREEDY: -1000.0})
    for n in range(100, 110):
        board.put(queue(n, GREEDY, Requirement(cores=8, memory=1, walltime=timedelta(seconds=n)), waiting=1))
    small(board, 1)
    board.place({}, NOW)
    assert held_back(board, (ALL_ASKED + MINUTE) / MINUTE) == 640
    for n in range(10):
        (choice,) = board.choose(Pilot(n, 8).offer(), most=3)
        assert choice.queue.owner == GREEDY
        board.give(choice, 1)
    assert held_back(board, (ALL_ASKED + 2 * MINUTE) / MINUTE) == 0


def test_what_was_kept_for_a_queue_is_not_kept_for_the_next_that_has_its_place_on_the_board() -> None:
    board = Board()
    small(board, 3)
    large = queue(99, GREEDY, Requirement(cores=8, memory=1), waiting=1)
    board.put(large)
    board.place({}, NOW)
    assert held_back(board, (ALL_ASKED + MINUTE) / MINUTE) == 640
    board.drop(large.key)
    board.put(queue(98, GREEDY, Requirement(cores=7, memory=1), waiting=1))
    assert board.choose(Pilot(1, 8, [(4, 10**6)]).offer(), most=1)


def test_a_queue_of_which_some_have_begun_elsewhere_is_not_starved() -> None:
    holding, key = Holding(), (1, 1)
    for minute, waiting in ((0, 5), (20, 5), (40, 4), (60, 4)):
        holding.look({key: waiting}, {key: (GREEDY, 1)}, NOW + minute * MINUTE)
        assert not holding.starved
    holding.look({key: 6}, {key: (GREEDY, 1)}, NOW + 70 * MINUTE)
    assert holding.starved == 1
    holding.serve(key)
    assert not holding.starved

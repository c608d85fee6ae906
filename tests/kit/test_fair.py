"""Limits are kept to the request, and places are shared so that nobody is kept out and none stays empty."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from anyio.lowlevel import checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st

from sancho.kit.fair import Crowded, Limiter, Pilots, Shares, Turns, after

MOMENTS = st.lists(st.floats(0, 100), min_size=1, max_size=200).map(sorted)


@settings(deadline=None)
@given(
    moments=MOMENTS, rate=st.floats(0.1, 1000), burst=st.integers(1, 50), weight=st.floats(0.1, 10),
    start=st.floats(0, 1e6),
)  # fmt: skip
def test_no_window_of_time_gives_more_than_the_burst_and_the_rate(
    moments: Sequence[float], rate: float, burst: int, weight: float, start: float
) -> None:
    limiter = Limiter(rate, burst)
    passed = [start + at for at in moments if not limiter.ask("alice", start + at, weight=weight)]

    assert passed  # the first always is
    for i, begin in enumerate(passed):
        for n, end in enumerate(passed[i:], start=1):
            assert n <= max(1.0, burst * weight) + rate * weight * (end - begin) + 1e-3


@settings(deadline=None)
@given(moments=MOMENTS, rate=st.floats(0.1, 1000), burst=st.integers(1, 50))
def test_whoever_comes_back_when_told_to_is_let_in(moments: Sequence[float], rate: float, burst: int) -> None:
    limiter = Limiter(rate, burst)
    for before, at in pairwise([0.0, *moments]):
        assert before <= at
        early = limiter.ask("alice", at)
        if early:
            assert not Limiter(rate, burst).ask("alice", at)
            assert limiter.ask("alice", at + early * 0.5) > 0
            assert limiter.ask("alice", at + early) == 0
            return


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.floats(0, 10)), max_size=300))
def test_a_limiter_remembers_only_so_many(asked: Sequence[tuple[int, float]]) -> None:
    limiter = Limiter(1, 5, most=10)
    for key, now in asked:
        limiter.ask(key, now)
        assert len(limiter) <= 11


def test_one_key_takes_nothing_from_another_and_nothing_is_kept_of_the_quiet() -> None:
    limiter = Limiter(10, 1)

    assert limiter.ask("noisy", 0.0) == 0
    assert limiter.ask("noisy", 0.0) == pytest.approx(0.1)
    assert limiter.ask("quiet", 0.0) == 0
    assert limiter.ask("another", 60.0) == 0
    assert len(limiter) == 1


def test_retry_after_is_in_whole_seconds_and_never_none() -> None:
    assert [after(s) for s in (0.001, 1.0, 1.2)] == [1, 1, 2]


class Crowd:
    """Parties that ask for turns; says who got them, in order, and gives them back when told to."""

    def __init__(self, turns: Turns) -> None:
        self.turns = turns
        self.served: list[object] = []
        self.refused: list[object] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def asks(self, party: object, number: int = 1) -> None:
        self._tasks += [asyncio.create_task(self._one(party)) for _ in range(number)]
        await settled()

    async def _one(self, party: object) -> None:
        try:
            await self.turns.take(party)
        except Crowded:
            self.refused.append(party)
        else:
            self.served.append(party)

    async def ends(self, party: object) -> None:
        self.turns.give_back(party)
        await settled()

    async def goes(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def settled() -> None:
    for _ in range(3):
        await checkpoint()


async def test_a_vo_that_is_alone_gets_everything() -> None:
    crowd = Crowd(Turns(5, room=10))
    await crowd.asks("belle", 5)

    assert crowd.turns.held("belle") == 5
    assert crowd.turns.waiting == 0


async def test_who_wants_little_is_next_however_many_wait_of_another() -> None:
    crowd = Crowd(Turns(4, room=1000))
    await crowd.asks("noisy", 500)
    await crowd.asks("quiet")

    await crowd.ends("noisy")

    assert crowd.served == ["noisy"] * 4 + ["quiet"]
    await crowd.goes()


async def test_with_one_place_parties_take_turns() -> None:
    crowd = Crowd(Turns(1, room=1000))
    await crowd.asks("noisy", 20)
    await crowd.asks("quiet", 3)

    for _ in range(6):
        await crowd.ends(crowd.served[-1])

    assert crowd.served == ["noisy", "quiet", "noisy", "quiet", "noisy", "quiet", "noisy"]
    await crowd.goes()


@settings(deadline=None)
@given(weights=st.lists(st.integers(1, 5), min_size=2, max_size=4), ends=st.lists(st.integers(0, 1000), max_size=150))
def test_shares_follow_the_weights_while_all_want_more(weights: Sequence[int], ends: Sequence[int]) -> None:
    places = 4 * sum(weights)

    async def run() -> None:
        crowd = Crowd(Turns(places, room=10_000, weigh=lambda party: weights[int(str(party))]))
        await crowd.asks(0, places)  # the first was alone, and has everything
        for party in range(len(weights)):
            await crowd.asks(party, 300)
        for end in [*[0] * places, *ends]:
            holding = [party for party in range(len(weights)) if crowd.turns.held(party)]
            party = holding[end % len(holding)] if crowd.turns.held(0) <= 4 * weights[0] else 0
            await crowd.ends(party)
            assert sum(crowd.turns.held(p) for p in range(len(weights))) == places
        for party, weight in enumerate(weights):
            assert abs(crowd.turns.held(party) - 4 * weight) <= 1
        await crowd.goes()

    asyncio.run(run())


async def test_when_the_room_is_full_the_newest_of_the_longest_queue_is_refused() -> None:
    crowd = Crowd(Turns(1, room=3))
    await crowd.asks("noisy", 5)
    assert crowd.refused == ["noisy"]

    await crowd.asks("quiet")

    assert crowd.refused == ["noisy", "noisy"]
    assert crowd.turns.waiting == 3
    await crowd.ends("noisy")
    assert crowd.served == ["noisy", "quiet"]
    await crowd.goes()


async def test_whoever_gives_up_waiting_leaves_no_place_empty() -> None:
    turns = Turns(1, room=10)
    await turns.take("belle")
    with pytest.raises(TimeoutError):
        await turns.take("gridpp", timeout=0)
    late = asyncio.create_task(turns.take("gridpp"))
    await settled()

    turns.give_back("belle")
    late.cancel()  # in the moment in which its turn comes
    with pytest.raises(asyncio.CancelledError):
        await late

    assert (turns.held("gridpp"), turns.waiting) == (0, 0)
    async with turns.turn("belle", timeout=0):
        assert turns.held("belle") == 1
    assert turns.held("belle") == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["take", "give", "leave"]), st.integers(0, 3)), max_size=60))
def test_no_place_is_empty_while_somebody_waits_and_none_is_given_twice(steps: Sequence[tuple[str, int]]) -> None:
    async def run() -> None:
        turns, waiting = Turns(3, room=8), list[tuple[int, asyncio.Task[None]]]()
        for step, party in steps:
            if step == "take":
                waiting.append((party, asyncio.create_task(turns.take(party))))
            elif step == "give" and turns.held(party):
                turns.give_back(party)
            elif step == "leave":
                for other, task in waiting:
                    if other == party and not task.done():
                        task.cancel()
            await settled()
            held = sum(turns.held(p) for p in range(4))
            assert held <= 3
            assert turns.waiting <= 8
            assert held == 3 or turns.waiting == 0
        for _, task in waiting:
            task.cancel()
        await asyncio.gather(*(task for _, task in waiting), return_exceptions=True)

    asyncio.run(run())


def test_a_vo_counts_what_its_document_says_and_machines_more() -> None:
    shares = Shares(machines=4)
    shares.set({1: 0.5})

    assert [shares(p) for p in (1, 2, 0, Pilots(0), Pilots(1), "strangers")] == [0.5, 1, 4, 4, 2, 1]

"""Decisions of rules, for any input that Hypothesis thinks of."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sancho.rules import plan
from sancho.rules.model import SLOTS, Bill, Candidate, Quota, Slot

FILES = 10
SIZES = st.integers(0, 1000)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    return [
        Candidate(n, f"RSE-{n}", draw(st.booleans()), draw(st.integers(0, FILES)), draw(SIZES), draw(SIZES))
        for n in range(draw(st.integers(0, 6)))
    ]


@st.composite
def quotas(draw: st.DrawFn) -> list[Quota]:
    return [
        Quota(
            quota_id=n, name=f"q{n}", account_id=draw(st.sampled_from([None, 1, 2])), account=None, rse_expression="x",
            rse_ids=tuple(draw(st.sets(st.integers(0, 5)))), limit=5000, room=(room := draw(SIZES)),
            over=0 if room else draw(SIZES),
        )
        for n in range(draw(st.integers(0, 4)))
    ]  # fmt: skip


def choice(some: list[Candidate], copies: int, size: int, rooms: list[Quota]) -> plan.Choice:
    return plan.choose(some, copies=copies, files=(FILES, size), account_id=1, quotas=rooms)


@given(candidates(), st.integers(1, 4), SIZES, quotas(), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_what_is_known(
    some: list[Candidate], copies: int, size: int, rooms: list[Quota], random: object
) -> None:
    shuffled = sorted(some, key=lambda c: hash((c.rse_id, id(random))))

    assert choice(some, copies, size, rooms) == choice(shuffled, copies, size, list(reversed(rooms)))


@given(candidates(), st.integers(1, 4), SIZES, quotas())
def test_a_choice_is_of_as_many_different_rses_as_copies_that_can_take_the_files_and_be_paid(
    some: list[Candidate], copies: int, size: int, rooms: list[Quota]
) -> None:
    made = choice(some, copies, size, rooms)

    by_id = {c.rse_id: c for c in some}
    assert len(set(made.rse_ids)) == len(made.rse_ids) in (0, copies)
    assert all(by_id[i].writable or by_id[i].files >= FILES for i in made.rse_ids)
    for quota in rooms:
        charged = sum(size for i in made.rse_ids if quota.covers(1, i))
        assert charged == 0 or charged <= quota.room - quota.over


@given(candidates(), st.integers(1, 4), SIZES)
def test_without_quotas_every_rule_with_enough_rses_gets_those_with_most_bytes(
    some: list[Candidate], copies: int, size: int
) -> None:
    made = choice(some, copies, size, [])

    able = [c for c in some if c.writable or c.files >= FILES]
    assert made.found == len(able)
    if len(able) < copies:
        assert not made.rse_ids
    else:
        least = min(c.size for c in able if c.rse_id in made.rse_ids)
        assert all(c.size <= least for c in able if c.rse_id not in made.rse_ids)


def test_among_equals_the_least_used_is_chosen_and_then_the_first_by_name() -> None:
    some = [Candidate(1, "B", True, 0, 0, 5), Candidate(2, "C", True, 0, 0, 3), Candidate(3, "A", True, 0, 0, 5)]

    assert choice(some, 2, 10, []).rse_ids == (2, 3)


def test_an_rse_that_is_not_writable_serves_if_it_has_everything() -> None:
    full, part = Candidate(1, "A", False, FILES, 900, 0), Candidate(2, "B", False, FILES - 1, 800, 0)

    assert choice([part, full], 1, 900, []).rse_ids == (1,)


def test_a_refusal_names_the_quota_and_what_it_was_asked_for() -> None:
    quota = Quota(7, "all", None, None, "*", (1, 2), 1000, 150, 0)
    some = [Candidate(1, "A", True, 0, 0, 0), Candidate(2, "B", True, 0, 0, 0)]

    assert choice(some, 2, 100, [quota]).refused == (quota, 200)


@given(st.dictionaries(st.integers(1, 5), SIZES, min_size=1), quotas(), SIZES)
def test_rules_that_are_served_never_cost_more_than_there_is(
    sizes: dict[int, int], rooms: list[Quota], freed: int
) -> None:
    demands = {rule: {(1, rule % 3): size} for rule, size in sizes.items()}

    over = plan.affordable(demands, rooms, {(1, 0): freed})

    for quota in rooms:
        spent = sum(
            size
            for rule, demand in demands.items() if rule not in over
            for (account, rse), size in demand.items() if quota.covers(account, rse)
        )  # fmt: skip
        back = freed if quota.covers(1, 0) else 0
        assert spent == 0 or spent <= quota.room - quota.over + back


@given(st.lists(SIZES, min_size=SLOTS, max_size=SLOTS), SIZES, st.integers(-2000, 9000))
def test_a_charge_on_all_slots_takes_exactly_its_size_or_nothing(rooms: list[int], over: int, size: int) -> None:
    slots = [Slot(1, n, room) for n, room in enumerate(rooms)]

    after = plan.charge_all(slots, {1: over}, [Bill(1, size, over > 0)])

    if isinstance(after, Bill):
        assert size > 0
        assert sum(rooms) - over < size
    else:
        left, [(_, over_after)] = after
        assert sum(s.room for s in left) - over_after == sum(rooms) - over - size
        assert all(s.room >= 0 for s in left)
        assert over_after == 0 or sum(s.room for s in left) == 0
        assert max(s.room for s in left) - min(s.room for s in left) <= 1


@given(SIZES, st.integers(-2000, 2000))
def test_a_charge_on_ones_own_slot_never_makes_it_negative(room: int, size: int) -> None:
    after = plan.charge_own([Slot(1, 3, room)], [Bill(1, size, over=False)])

    assert after == ([Slot(1, 3, room - size)] if room >= size else None)


def test_a_quota_that_is_over_its_limit_is_not_charged_slot_by_slot() -> None:
    assert plan.charge_own([Slot(1, 0, 100)], [Bill(1, -5, over=True)]) is None


@given(
    st.lists(st.integers(0, 30), unique=True), st.dictionaries(st.integers(0, 30), st.integers(0, 9)), st.integers(1, 9)
)
def test_parts_are_as_heavy_as_may_be_and_lose_nothing(ids: list[int], weights: dict[int, int], most: int) -> None:
    parts = list(plan.parted(ids, weights, most))
    assert [one for part in parts for one in part] == ids
    assert all(len(part) == 1 or sum(weights.get(one, 0) for one in part) <= most for part in parts)
    for part, following in pairwise(parts):
        assert sum(weights.get(one, 0) for one in [*part, following[0]]) > most

"""The planner of recalls: in tape order, each file once, within quotas and what a tape takes."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from sancho.rules import plan
from sancho.rules.model import Copy, OnTape, Pin, Quota, TapeRse

ME, OTHER = 7, 8
TAPES, DISKS = (1, 2), (11, 12, 13)
files = st.builds(
    OnTape,
    root=st.integers(100, 102), did_id=st.integers(1000, 1015), rse_id=st.sampled_from(TAPES),
    size=st.integers(0, 50), tape=st.sampled_from([None, "L1", "L2"]), position=st.integers(0, 9),
    n=st.integers(1, 40),
)  # fmt: skip
tapes = st.lists(
    st.builds(
        TapeRse, st.sampled_from(TAPES), st.lists(st.sampled_from(DISKS), unique=True).map(tuple), st.integers(-2, 12)
    ),
    unique_by=lambda tape: tape.rse_id,
)


@st.composite
def quotas(draw: st.DrawFn) -> list[Quota]:
    return [
        Quota(
            quota_id=n, name=f"q{n}", account_id=draw(st.sampled_from([None, ME, OTHER])), account=None,
            rse_expression="*", rse_ids=tuple(draw(st.lists(st.sampled_from(DISKS), unique=True))), limit=1000,
            room=draw(st.integers(0, 200)), over=draw(st.sampled_from([0, 0, 30])),
        )
        for n in range(draw(st.integers(0, 4)))
    ]  # fmt: skip


def place(one: OnTape) -> tuple[bool, str, int]:
    return one.tape is None, one.tape or "", one.position or 0


@given(st.lists(files, max_size=40), tapes, quotas())
def test_what_is_recalled_is_wanted_once_in_order_and_within_all_bounds(
    wanted: list[OnTape], known: list[TapeRse], rooms: list[Quota]
) -> None:
    found = plan.recalls(wanted, known, ME, rooms)
    assert len({pin.did_id for pin in found}) == len(found)
    there = {(one.did_id, one.root, one.size) for one in wanted}
    assert all((pin.did_id, pin.root, pin.size) in there for pin in found)
    disks = {disk for tape in known for disk in tape.disk_ids}
    assert all(pin.rse_id in disks for pin in found)
    assert len(found) <= sum(max(tape.free, 0) for tape in known)
    for quota in rooms:
        used = sum(pin.size for pin in found if quota.covers(ME, pin.rse_id))
        assert used <= max(quota.room - quota.over, 0)


@given(st.lists(files, max_size=30, unique_by=lambda one: one.did_id), st.integers(0, 30))
def test_of_one_tape_the_first_go_first(wanted: list[OnTape], free: int) -> None:
    here = [one for one in wanted if one.rse_id == 1]
    found = plan.recalls(wanted, [TapeRse(1, (11,), free)], ME, [])
    assert len(found) == min(free, len(here))
    by_id = {one.did_id: one for one in here}
    places = [place(by_id[pin.did_id]) for pin in found]
    assert places == sorted(places)
    left = [place(one) for one in here if one.did_id not in {pin.did_id for pin in found}]
    assert not left or not places or max(places) <= min(left)


copies = st.builds(
    Copy,
    root=st.integers(1, 3), did_id=st.integers(10, 14), rse_id=st.sampled_from(DISKS), size=st.just(5),
    free=st.booleans(), pinned=st.booleans(),
)  # fmt: skip


@given(st.lists(copies, max_size=40, unique_by=lambda copy: (copy.root, copy.did_id, copy.rse_id)))
def test_nothing_is_pinned_that_nobody_wants_or_that_stays_anyway(seen: list[Copy]) -> None:
    found = plan.pins(seen)
    known = {(copy.root, copy.did_id, copy.rse_id): copy for copy in seen}
    assert all(known[pin.root, pin.did_id, pin.rse_id].free for pin in found)
    per_root = Counter((pin.root, pin.did_id) for pin in found)
    assert all(n == 1 for n in per_root.values())
    kept = {(copy.root, copy.did_id) for copy in seen if copy.pinned}
    assert not kept & per_root.keys()
    assert Pin(0, 0, 0, 0) not in found

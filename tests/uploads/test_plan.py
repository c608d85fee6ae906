"""To which RSE a new file goes."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sancho.rses.model import Protocol, Rse
from sancho.uploads.plan import choose_rse


def rse(number: int, *, scheme: str = "https", site: int = 1, writable: bool = True) -> Rse:
    return Rse(
        rse_id=number, vo=0, name=f"RSE-{number}", site_id=site, site=f"SITE-{site}", audience="a", plugin="p",
        prefix=f"{scheme}://host/{number}", settings={}, attributes={}, readable=True, writable=writable,
        deletable=True, naming="hash",
    )  # fmt: skip


def test_what_clients_cannot_reach_is_chosen_only_when_there_is_nothing_else() -> None:
    posix, dav = rse(1, scheme="file"), rse(2, scheme="davs", site=2)
    assert choose_rse([posix, dav], "mc:a") == dav
    assert choose_rse([posix, dav], "mc:a", wanted=[1]) == dav
    assert choose_rse([posix, dav], "mc:a", site_id=1) == dav
    assert choose_rse([posix], "mc:a") == posix


def test_an_rse_that_clients_reach_by_another_protocol_is_in_reach() -> None:
    dav = Protocol(plugin="p", prefix="davs://host/1", settings={}, domains={"wan": {"write": 1}})
    reading = replace(dav, domains={"wan": {"read": 1}})
    reached = replace(rse(3, scheme="file"), others=(dav,))
    assert choose_rse([rse(2, scheme="file"), reached], "mc:a") == reached
    unreached = replace(rse(3, scheme="file"), others=(reading,))
    assert choose_rse([rse(1), unreached], "mc:a") == rse(1)


def test_the_site_comes_before_the_rule_and_that_before_the_distance() -> None:
    here, wanted, near = rse(1, site=1), rse(2, site=2), rse(3, site=3)
    every, distances = [here, wanted, near], {2: 5, 3: 1}
    assert choose_rse(every, "mc:a", wanted=[2], site_id=1, distances=distances) == here
    assert choose_rse(every, "mc:a", wanted=[2], site_id=9, distances=distances) == wanted
    assert choose_rse(every, "mc:a", site_id=9, distances=distances) == near


def test_nothing_is_chosen_when_nothing_is_writable() -> None:
    assert choose_rse([rse(1, writable=False)], "mc:a") is None


def test_files_are_spread_over_what_suits_equally() -> None:
    every = [rse(n) for n in range(4)]
    taken = Counter(chosen.rse_id for n in range(1000) if (chosen := choose_rse(every, f"mc:run1/{n}.root")))
    assert len(taken) == 4
    assert min(taken.values()) > 150


@given(st.permutations([1, 2, 3, 4]), st.text(max_size=20))
def test_a_file_goes_to_the_same_rse_whatever_the_order(numbers: list[int], name: str) -> None:
    assert choose_rse([rse(n) for n in numbers], name) == choose_rse([rse(n) for n in (1, 2, 3, 4)], name)

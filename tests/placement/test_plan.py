"""Whose inputs are copied, and to where: what holds whatever waits."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sancho.jobs.model import Requirement, Slot, lacks
from sancho.matching.model import Inputs, Owner, Queue
from sancho.placement.model import Copy, Disk, SiteSeen, Wanted
from sancho.placement.plan import place
from sancho.rules.model import Quota

NOW = datetime(2026, 1, 2, tzinfo=UTC)
HOUR = timedelta(hours=1)
SITES = (1, 2, 3, 4)
SLOT = Slot(ce="CE", site="1", cores=4, memory=10**9, walltime=12 * HOUR, tags=frozenset())
ACCOUNT = 7


def slot(site: int, cores: int = 4) -> Slot:
    return replace(SLOT, ce=f"CE-{site}", site=str(site), cores=cores)


def want(number: int, sizes: dict[int, int], *, cores: int = 1, waiting: int = 1, hours: float = 0) -> Wanted:
    queue = Queue(
        key=(1, number), owner=Owner(vo=1, group_id=1, account_id=1), type=None, priority=0,
        ways=(Requirement(cores=cores, memory=1, walltime=HOUR),), input_set_id=number, waiting=waiting,
    )  # fmt: skip
    size = max(sizes.values(), default=0)
    return Wanted(
        queue=queue, did_ids=(number,), inputs=Inputs(site_sizes=sizes, since=NOW - hours * HOUR, size=size)
    )  # fmt: skip


def disk(site: int, far: int = 1) -> Disk:
    return Disk(rse_id=10 * site, name=f"D{site}", site_id=site, distances={one: far for one in SITES if one != site})


def quota(room: int, *rse_ids: int) -> Quota:
    return Quota(1, "q", None, None, "*", rse_ids, room, room, 0)


def chosen(wants: list[Wanted], sites: dict[int, SiteSeen], disks: list[Disk], left: int = 10**6) -> list[str]:
    return [copy.rse for copy in place(wants, sites, disks, room=(left, [], ACCOUNT), now=NOW, full_after=HOUR)]


def test_the_site_with_the_most_free_slots_comes_first_then_the_nearest_then_the_one_that_has_some() -> None:
    sites = {site: SiteSeen(slots=(slot(site),), free=free) for site, free in ((2, 1), (3, 5), (4, 5))}
    data = want(1, {1: 100, 4: 60}, waiting=9)
    assert chosen([data], sites, [disk(2), disk(3), disk(4, 9)]) == ["D3"]
    assert chosen([data], sites, [disk(2), disk(3), disk(4)]) == ["D4"]
    assert chosen([want(1, {1: 100}, waiting=1)], sites, [disk(2), disk(3, 2), disk(4, 2)]) == ["D2"]
    assert chosen([data], sites, [replace(disk(3), distances={})]) == []


def test_full_sites_send_data_only_to_a_site_that_has_slots() -> None:
    sites = {1: SiteSeen(slots=(slot(1),), free=0), 2: SiteSeen(slots=(slot(2),), free=0)}
    assert chosen([want(1, {1: 100}, hours=2)], sites, [disk(2)]) == []
    sites[2] = replace(sites[2], free=1)
    assert chosen([want(1, {1: 100}, hours=0.5)], sites, [disk(2)]) == []
    assert chosen([want(1, {1: 100}, hours=2)], sites, [disk(2)]) == ["D2"]
    assert chosen([want(1, {1: 100}, cores=5, hours=2)], sites, [disk(2)]) == []


WANTS = st.lists(
    st.builds(
        want, st.integers(1, 6), st.dictionaries(st.sampled_from(SITES), st.integers(1, 100), max_size=3),
        cores=st.sampled_from([1, 4, 8]), waiting=st.integers(1, 20), hours=st.sampled_from([0, 2]),
    ),
    max_size=6, unique_by=lambda one: one.queue.key,
)  # fmt: skip
SEEN = st.dictionaries(
    st.sampled_from(SITES), st.tuples(st.sampled_from([1, 4, 8]), st.integers(0, 3)), max_size=4
).map(lambda found: {site: SiteSeen(slots=(slot(site, cores),), free=free) for site, (cores, free) in found.items()})
DISKS = st.lists(st.builds(disk, st.sampled_from(SITES), st.integers(1, 3)), max_size=4, unique_by=lambda one: one.name)


@given(WANTS, SEEN, DISKS, st.integers(0, 300), st.integers(0, 200))
def test_every_copy_is_needed_fits_and_is_made_once(
    wants: list[Wanted], sites: dict[int, SiteSeen], disks: list[Disk], left: int, room: int
) -> None:
    quotas = [quota(room, 10, 20)]

    def placed(some: list[Wanted]) -> list[Copy]:
        return place(some, sites, disks, room=(left, quotas, ACCOUNT), now=NOW, full_after=HOUR)

    found = placed(wants)
    assert found == placed(wants[::-1])
    assert sum(copy.size for copy in found) <= left
    assert sum(copy.size for copy in found if copy.rse_id in (10, 20)) <= room
    assert len({did for copy in found for did in copy.did_ids}) == len(found)
    site_of = {one.rse_id: one.site_id for one in disks}
    for copy in found:
        (one,) = (each for each in wants if each.did_ids == copy.did_ids)
        near = {site for site, size in one.inputs.site_sizes.items() if size == max(one.inputs.site_sizes.values())}
        able = {site for site, seen in sites.items() for each in seen.slots if not lacks(one.queue.ways[0], each)}
        assert site_of[copy.rse_id] in able - near
        assert not near & able or (one.inputs.since == NOW - 2 * HOUR and sites[site_of[copy.rse_id]].free)

"""What places cost, and what that changes: where a queue's pilots go, and which of an owner's queues a slot gets."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from sancho.dids import service as dids
from sancho.jobs.model import Machine, Requirement, Slot
from sancho.kit.db import Connection, execute, fetch_value
from sancho.matching import service
from sancho.matching.model import Bytes, Inputs, Offer, Owner, Place, Rates, Warm, Weights, filled, rank
from sancho.matching.plan import Board
from sancho.replicas import service as replicas
from sancho.replicas.model import ReplicaKey, ReplicaState
from tests.jobs.given import PLAIN, dataset, submitted, user
from tests.matching.test_limits import apply
from tests.matching.test_plan import ANY, NOW, OneBoard, queue
from tests.matching.test_service import match
from tests.world import World

ME = Owner(vo=1, group_id=1, account_id=1)
TIME = Weights(hour=1.0)
PARTS = st.integers(0, 1000).map(float)
WEIGHTS = st.builds(Weights, hour=PARTS, money=PARTS, carbon=PARTS, throughput=st.just(10**8))
RATES = st.builds(Rates, price=PARTS, carbon=PARTS)
SIZES = st.builds(Bytes, far=st.integers(0, 10**12), near=st.integers(0, 10**12))


def slot(*, cores: int = 1, power: float | None = None, io: int | None = None) -> Slot:
    return replace(ANY.slot, cores=cores, machine=Machine(power=power, io=io))


def place(number: int, *, price: float = 0.0, carbon: float = 0.0, power: float | None = None) -> Place:
    return Place(
        ce_id=number, site_id=number, slot=replace(slot(power=power), site=str(number)),
        rates=Rates(price=price, carbon=carbon), vos=frozenset({1}),
    )  # fmt: skip


def at(there: Place) -> Offer:
    return Offer(pilot_id=1, site_id=there.site_id, vos=(1,), slot=there.slot, rates=there.rates)


def chosen(board: Board, offer: Offer) -> int:
    return board.choose(offer, most=1)[0].queue.key[1]


@given(WEIGHTS, RATES, SIZES, PARTS, st.sampled_from(["far", "near", "waiting", "price", "carbon", "walltime", "work"]))
def test_a_rank_grows_with_each_part(weights: Weights, rates: Rates, size: Bytes, waiting: float, which: str) -> None:
    need = Requirement(walltime=timedelta(hours=2), cpu_work=36_000.0)
    there = slot(power=10.0, io=10**8)
    before = rank(weights, rates, need, there, size=size, waiting=waiting)
    if which in ("far", "near"):
        size = replace(size, **{which: getattr(size, which) + 10**9})
    elif which in ("price", "carbon"):
        rates = replace(rates, **{which: getattr(rates, which) + 1})
    elif which == "waiting":
        waiting += 1
    else:
        need = replace(need, **{"walltime": timedelta(hours=3)} if which == "walltime" else {"cpu_work": 72_000.0})
    after = rank(weights, rates, need, there, size=size, waiting=waiting)
    assert after.points >= before.points
    assert after.hours >= before.hours
    assert after.money >= before.money
    assert after.carbon >= before.carbon


@given(WEIGHTS, RATES, RATES, SIZES, SIZES, st.integers(-8, 8))
def test_scaling_all_weights_alike_changes_no_order(
    weights: Weights, one: Rates, other: Rates, here: Bytes, there: Bytes, power: int
) -> None:
    scale = 2.0**power
    scaled = replace(
        weights, hour=weights.hour * scale, money=weights.money * scale, carbon=weights.carbon * scale
    )  # fmt: skip
    need = Requirement(walltime=timedelta(hours=2))
    orders = [
        rank(each, one, need, slot(), size=here).points < rank(each, other, need, slot(), size=there).points
        for each in (weights, scaled)
    ]
    assert orders[0] == orders[1]


def test_the_parts_are_hours_money_and_kilograms() -> None:
    need = Requirement(cores=4, walltime=timedelta(hours=2))
    found = rank(
        Weights(hour=1.0, money=10.0, carbon=5.0), Rates(price=0.5, carbon=200.0), need, slot(cores=4, io=10**6),
        size=Bytes(far=360 * 10**9, near=3600 * 10**6), waiting=3.0,
    )  # fmt: skip
    assert (found.waiting, found.data, found.run) == (3.0, 2.0, 2.0)
    assert (found.money, found.carbon) == (16 * 0.5, 16 * 0.2)
    assert found.points == 7.0 + 80.0 + 16.0


def test_who_does_not_say_what_he_costs_costs_what_others_do() -> None:
    said = filled({1: Rates(price=1.0), 2: Rates(price=3.0, carbon=8.0), 3: Rates()})
    assert said == {1: Rates(price=1.0, carbon=8.0), 2: Rates(price=3.0, carbon=8.0), 3: Rates(price=2.0, carbon=8.0)}
    assert filled({1: Rates()}) == {1: Rates(price=0.0, carbon=0.0)}


def board_of(weights: Weights | None, *places: Place) -> Board:
    board = Board()
    board.ranks.learn({} if weights is None else {1: weights}, places)
    return board


def test_a_dear_place_gets_what_has_no_other_before_what_has() -> None:
    dear, cheap = place(1, price=10.0), place(2, price=1.0)
    for weights, first in ((None, 1), (Weights(money=1.0), 2)):
        board = board_of(weights, dear, cheap)
        board.put(queue(1, ME, Requirement(memory=1)))
        board.put(queue(2, ME, Requirement(memory=1, sites=("1",))))
        assert chosen(board, at(dear)) == first
        assert chosen(board, at(cheap)) == 1


def test_priority_goes_before_rank() -> None:
    dear, cheap = place(1, price=10.0), place(2, price=1.0)
    board = board_of(Weights(money=1.0), dear, cheap)
    board.put(queue(1, ME, Requirement(memory=1), priority=1))
    board.put(queue(2, ME, Requirement(memory=1, sites=("1",))))
    assert chosen(board, at(dear)) == 1


def test_a_slow_place_gets_the_short_work() -> None:
    slow, fast = place(1, power=10.0), place(2, power=20.0)
    board = board_of(TIME, slow, fast)
    board.put(queue(1, ME, Requirement(memory=1, walltime=timedelta(hours=9), cpu_work=72_000.0)))
    board.put(queue(2, ME, Requirement(memory=1, walltime=timedelta(hours=9), cpu_work=3_600.0)))
    assert chosen(board, at(slow)) == 2
    assert chosen(board, at(fast)) == 1


def test_of_two_dear_places_a_queue_runs_where_its_bytes_are() -> None:
    board = board_of(TIME, place(1), place(2))
    board.put(queue(1, ME, Requirement(memory=1, far=True), input_set_id=1))
    board.put(queue(2, ME, Requirement(memory=1, far=True), input_set_id=2))
    board.place({(1, n): Inputs(site_sizes={3 - n: 10**12}, since=NOW, size=10**12) for n in (1, 2)}, NOW)
    assert [chosen(board, at(place(n))) for n in (1, 2)] == [2, 1]


def test_far_jobs_run_anywhere_at_once_those_that_miss_least_first() -> None:
    board = Board()
    board.put(queue(1, ME, Requirement(memory=1), input_set_id=1))
    board.put(queue(2, ME, Requirement(memory=1, far=True), input_set_id=2))
    board.put(queue(3, ME, Requirement(memory=1, far=True), input_set_id=3))
    inputs = {(1, n): Inputs(site_sizes={2: 100, 1: 10 * n}, since=NOW, size=100) for n in (1, 2, 3)}
    board.place(inputs, NOW)
    here = replace(ANY, vos=(1,))
    assert chosen(board, here) == 3
    board.empty((1, 3))
    assert chosen(board, here) == 2
    board.empty((1, 2))
    assert not board.choose(here, most=1), "one that has not said so waits for the site with most of it"


def test_what_is_warm_goes_first_among_equals_and_counts_as_there() -> None:
    for weights in (None, TIME):
        board = board_of(weights, place(1))
        for n in (1, 2, 3):
            board.put(queue(n, ME, Requirement(memory=1), input_set_id=n))
        board.place({(1, n): Inputs(site_sizes={1: 10**6}, since=NOW, size=10**12) for n in (1, 2, 3)}, NOW)
        assert chosen(board, at(place(1))) == 1
        assert chosen(board, replace(at(place(1)), warm={(1, 2): 10**9})) == 2
        assert chosen(board, replace(at(place(1)), warm={(1, 2): 10**9, (1, 3): 10**11})) == 3
        board.put(queue(4, ME, Requirement(memory=1), priority=1))
        assert chosen(board, replace(at(place(1)), warm={(1, 2): 10**9})) == 4, "a pilot's word is no priority"


class OneRankedBoard(OneBoard):
    """The same board while a VO weighs places: who gets something is as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.board.ranks.learn({1: Weights(hour=1.0, money=2.0)}, [place(n, price=float(n)) for n in (1, 2, 3)])


TestOneRankedBoard = OneRankedBoard.TestCase
TestOneRankedBoard.settings = OneBoard.TestCase.settings


async def weigh(conn: Connection, world: World, **spec: object) -> None:
    await apply(conn, user(world, "root"), "RankWeights", "default", spec=spec)


async def test_a_vo_weighs_what_compute_elements_say_that_they_cost(conn: Connection, world: World) -> None:
    await weigh(conn, world, money=1, throughput="1 GB")
    await execute(conn, "SELECT set_config('sancho.vo', '0,1,2', true)")
    await execute(
        conn,
        "UPDATE compute_element SET price = CASE ce_id WHEN %(a)s THEN 4 ELSE 1 END",
        {"a": world.resource["A-CE"]},
    )
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    anywhere = await submitted(conn, world)
    only = replace(PLAIN, requirements=replace(PLAIN.requirements, sites=("SITE-A",)))
    first = await submitted(conn, world, only)
    known = await service.read(conn)
    ce_id = world.resource["A-CE"]
    assert known.places[ce_id].rates == Rates(price=4.0, carbon=0.0)
    found = known.board.rank(next(iter(known.board.queues)), known.places[ce_id])
    assert found is not None
    assert found.points == 4.0 * found.hours
    given_first = await match(conn, world, vos=(1,))
    given_then = await match(conn, world, vos=(1,))
    assert given_first is not None
    assert given_then is not None
    assert [given_first.job_id, given_then.job_id] == [*first.job_ids, *anywhere.job_ids]
    await apply(conn, user(world, "root"), "RankWeights", "default", remove=True)
    assert (await service.read(conn)).places == {}


async def test_two_copies_at_a_site_are_one(conn: Connection, world: World) -> None:
    made = await dataset(conn, world, "mc:d", {"A-DISK": [5, 2]})
    await dids.close(conn, 1, made)
    twice = await fetch_value(conn, "SELECT did_id FROM replica WHERE size = 5")
    await replicas.add(conn, 1, [ReplicaKey(twice, world.resource["B-DISK"])], [5], ReplicaState.AVAILABLE)
    await execute(conn, "SELECT set_config('sancho.vo', '0,1,2', true)")
    await execute(conn, "UPDATE rse SET site_id = %(a)s", {"a": world.resource["SITE-A"]})
    await execute(conn, "SELECT set_config('sancho.vo', '1', true)")
    await submitted(conn, world, replace(PLAIN, inputs=("mc:d",)))
    known = await service.read(conn)
    (key,) = known.board.queues
    looked = await service.look(conn, key)
    assert looked is not None
    assert looked.inputs is not None
    assert (looked.inputs.size, looked.inputs.site_sizes) == (7, {world.resource["SITE-A"]: 7})


async def warmed(conn: Connection, known: service.Matcher, offer: Offer, *dids: str, vo: str = "belle") -> Offer:
    parts = (did.partition(":") for did in dids)
    return await service.warmed(conn, known, offer, Warm(vo=vo, dids=tuple((scope, name) for scope, _, name in parts)))


async def test_files_and_datasets_that_a_pilot_has_are_bytes_of_input_sets(conn: Connection, world: World) -> None:
    for name, sizes in (("mc:one", [5, 2]), ("mc:two", [9])):
        await dids.close(conn, 1, await dataset(conn, world, name, {"A-DISK": sizes}))
        await submitted(conn, world, replace(PLAIN, inputs=(name,)))
    known = await service.read(conn)
    one, two = sorted(known.board.sets(known_offer(known, world)))
    offer = known_offer(known, world)
    assert (await warmed(conn, known, offer, "mc:one_A-DISK_0")).warm == {one: 5}
    assert (await warmed(conn, known, offer, "mc:one", "mc:one_A-DISK_0", "mc:two_A-DISK_0")).warm == {one: 7, two: 9}
    for lie in ({"vo": "gridpp"}, {"vo": "nobody"}):
        assert (await warmed(conn, known, offer, "mc:one", **lie)).warm == {}
    assert (await warmed(conn, known, offer, "mc:nothing", "user.bob:x")).warm == {}
    first = await service.match(conn, known, await warmed(conn, known, offer, "mc:two"))
    assert first is not None
    assert first.description["inputs"] == ["mc:two"]


def known_offer(known: service.Matcher, world: World) -> Offer:
    ce_id = world.resource["A-CE"]
    offer = known.offer(ce_id, 1, (1,), known.slots[ce_id][1])
    assert offer is not None
    return offer

"""The board against a matcher that looks at each queue."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from sancho.jobs.model import GpuNeed, Gpus, Machine, Requirement, Slot, lacks
from sancho.matching.model import PATIENCE, Inputs, Label, Limit, LimitKey, Offer, Owner, Queue, QueueKey
from sancho.matching.plan import Board
from sancho.matching.plan.masks import bits

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SMALL = st.integers(1, 4)
TIMES = SMALL.map(lambda hours: timedelta(hours=hours))
SITES = st.sampled_from(["1", "2", "3"])
WAYS = st.builds(
    Requirement,
    cores=SMALL, max_cores=st.none() | st.integers(4, 8), memory=SMALL, memory_per_core=st.integers(0, 2),
    walltime=TIMES, cpu_work=st.none() | st.sampled_from([3600.0, 36000.0]),
    scratch=st.sampled_from([0, 5]), system=st.none() | st.just("linux"),
    architecture=st.none() | st.sampled_from(["x86_64", "aarch64"]),
    min_microarchitecture=st.none() | SMALL, max_microarchitecture=st.none() | SMALL,
    gpus=st.none() | st.builds(
        GpuNeed, count=st.integers(1, 2), vendor=st.none() | st.just("nvidia"), memory=st.sampled_from([0, 8]),
        min_capability=st.none() | st.sampled_from(["7.5", "8.10"]), max_capability=st.none() | st.just("8.9"),
    ),
    tags=st.lists(st.sampled_from(["a", "b", "a | b", "~c", "arch:x86_64", "~site:2"]), max_size=2).map(tuple),
    sites=st.lists(SITES, max_size=2).map(tuple), banned_sites=st.lists(SITES, max_size=1).map(tuple),
)  # fmt: skip
MACHINES = st.builds(
    Machine,
    system=st.none() | st.just("linux"), architecture=st.none() | st.sampled_from(["x86_64", "aarch64"]),
    microarchitecture=st.none() | SMALL, power=st.none() | st.sampled_from([1.0, 10.0]),
    scratch=st.none() | st.sampled_from([4, 5]),
    gpus=st.lists(st.builds(
        Gpus, count=st.integers(1, 2), vendor=st.none() | st.just("nvidia"), memory=st.sampled_from([0, 8]),
        capability=st.none() | st.sampled_from(["8.6", "8.9", "8.10"]),
    ), max_size=1).map(tuple),
)  # fmt: skip
SLOTS = st.builds(
    Slot, ce=st.just("CE"), site=SITES, cores=st.integers(1, 6), memory=st.integers(1, 12), walltime=TIMES,
    tags=st.frozensets(st.sampled_from("abc")), machine=MACHINES,
)  # fmt: skip


@st.composite
def offers(draw: st.DrawFn) -> Offer:
    slot = draw(SLOTS)
    vos = draw(st.sampled_from([(1,), (2,), (1, 2)]))
    return Offer(pilot_id=1, site_id=int(slot.site), vos=vos, slot=slot)


LIMITS = st.builds(
    Limit, key=st.tuples(st.integers(1, 2), st.sampled_from("pq")), most=st.integers(0, 3),
    site_id=st.none() | st.integers(1, 3), type=st.none() | st.just("merge"), group_id=st.none() | st.integers(1, 2),
)  # fmt: skip
RUNNING = st.dictionaries(
    st.tuples(
        st.builds(Label, vo=st.integers(1, 2), type=st.none() | st.just("merge"), group_id=st.integers(1, 2)),
        st.integers(1, 3),
    ),
    st.integers(1, 2),
)
OWNERS = st.builds(Owner, vo=st.integers(1, 2), group_id=st.integers(1, 2), account_id=st.integers(1, 3))


def queue(number: int, owner: Owner, *ways: Requirement, **more: object) -> Queue:
    said: dict[str, object] = {"type": None, "priority": 0, "input_set_id": None, "waiting": 1, **more}
    return Queue(key=(owner.vo, number), owner=owner, ways=ways, **said)  # pyright: ignore[reportArgumentType]


class OneBoard(RuleBasedStateMachine):
    """Queues come, go, are filled and emptied; the board always says what looking at each of them says."""

    keys: Bundle[QueueKey] = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.board = Board()
        self.known: dict[QueueKey, Queue] = {}
        self.inputs: dict[tuple[int, int], Inputs] = {}
        self.limits: list[Limit] = []
        self.running = Counter[tuple[Label, int]]()

    @rule(
        target=keys, number=st.integers(1, 12), owner=OWNERS, ways=st.lists(WAYS, min_size=1, max_size=3),
        priority=st.integers(0, 2), waiting=st.integers(0, 2), inputs=st.none() | st.integers(1, 3),
        kind=st.none() | st.just("merge"),
    )  # fmt: skip
    def put(
        self, number: int, owner: Owner, ways: list[Requirement], priority: int, waiting: int, inputs: int | None,
        kind: str | None,
    ) -> QueueKey:  # fmt: skip
        new = queue(number, owner, *ways, priority=priority, waiting=waiting, input_set_id=inputs, type=kind)
        old = self.known.get(new.key)
        kept = new if old is None else replace(old, waiting=waiting)
        self.known[new.key] = kept
        self.board.put(kept)
        return new.key

    @rule(key=keys)
    def drop(self, key: QueueKey) -> None:
        self.board.drop(key)
        self.known.pop(key, None)

    @rule(key=keys)
    def empty(self, key: QueueKey) -> None:
        self.board.empty(key)
        if key in self.known:
            self.known[key] = replace(self.known[key], waiting=0)

    @rule(
        sizes=st.dictionaries(st.integers(1, 3), st.dictionaries(st.integers(1, 3), st.integers(1, 2))),
        waited=st.booleans(),
    )
    def place(self, sizes: dict[int, dict[int, int]], waited: bool) -> None:
        since = NOW - PATIENCE if waited else NOW
        self.inputs = {(vo, n): Inputs(site_sizes=found, since=since) for vo in (1, 2) for n, found in sizes.items()}
        self.board.place(self.inputs, NOW)

    @rule(limits=st.lists(LIMITS, max_size=3, unique_by=lambda limit: limit.key), running=RUNNING)
    def limit(self, limits: list[Limit], running: dict[tuple[Label, int], int]) -> None:
        self.limits, self.running = limits, Counter(running)
        self.board.limit(limits, running)

    def rooms(self) -> dict[LimitKey, int]:
        return {
            limit.key: limit.most - sum(n for key, n in self.running.items() if limit.counts(*key))
            for limit in self.limits
        }

    def demanded(self, able: list[Queue], site_id: int) -> list[tuple[QueueKey, int]]:
        rooms, found = self.rooms(), list[tuple[QueueKey, int]]()
        for one in sorted(able, key=lambda one: one.key):
            counted = [limit.key for limit in self.limits if limit.counts(one.label, site_id)]
            number = min([one.waiting, *(rooms[key] for key in counted)])
            rooms |= {key: rooms[key] - number for key in counted}
            found.append((one.key, number))
        return found

    def near(self, one: Queue, site_id: int) -> bool:
        found = None if one.input_set_id is None else self.inputs.get((one.key[0], one.input_set_id))
        if found is None or not found.site_sizes or (found.since is not None and NOW - found.since >= PATIENCE):
            return True
        return found.site_sizes.get(site_id) == max(found.site_sizes.values())

    @rule(offer=offers())
    def give(self, offer: Offer) -> None:
        able = [
            one
            for one in self.known.values()
            if one.waiting > 0
            and one.key[0] in offer.vos
            and self.near(one, offer.site_id)
            and any(not lacks(way, offer.slot) for way in one.ways)
            and not any(
                limit.counts(one.label, offer.site_id) and self.rooms()[limit.key] <= 0 for limit in self.limits
            )
        ]
        assert self.board.demand(offer) == self.demanded(able, offer.site_id)
        chosen = self.board.choose(offer, most=100)
        assert {choice.queue.owner for choice in chosen} == {one.owner for one in able}
        for choice in chosen:
            best = max(one.priority for one in able if one.owner == choice.queue.owner)
            assert choice.queue.priority == best
            way = choice.queue.ways[choice.way]
            assert not lacks(way, offer.slot)
            assert way.cores <= choice.cores <= min(offer.slot.cores, way.max_cores or way.cores)
            assert way.memory + choice.cores * way.memory_per_core <= offer.slot.memory
        if chosen:
            first = chosen[0]
            self.board.give(first, offer.site_id)
            one = self.known[first.queue.key]
            self.running[one.label, offer.site_id] += 1
            self.known[one.key] = replace(one, waiting=one.waiting - 1)

    @invariant()
    def nothing_is_left_behind(self) -> None:
        assert set(self.board.queues) == set(self.known)


TestOneBoard = OneBoard.TestCase
TestOneBoard.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)

ANY = Offer(
    pilot_id=1, site_id=1, vos=(1, 2), slot=Slot(
        ce="CE", site="1", cores=8, memory=10, walltime=timedelta(hours=9), tags=frozenset(), machine=Machine()
    ),
)  # fmt: skip
PLAIN = Requirement(memory=1)


def given_by(board: Board, times: int) -> Counter[Owner]:
    found = Counter[Owner]()
    for _ in range(times):
        choice = board.choose(ANY, most=1)[0]
        board.give(choice, ANY.site_id)
        found[choice.queue.owner] += 1
    return found


def test_one_with_most_of_the_queue_gets_no_more_than_others() -> None:
    owners = [Owner(vo=1, group_id=1, account_id=n) for n in range(200)]
    board = Board()
    for n, owner in enumerate(owners):
        board.put(queue(n, owner, PLAIN, waiting=80_000 if n == 0 else 100))
    given = given_by(board, 2000)
    assert set(given.values()) == {10}


def test_shares_are_of_vos_then_of_groups_then_of_owners() -> None:
    board = Board(weigh=lambda vo: {1: 3.0, 2: 1.0}[vo])
    board.shares = {(1, 1): 1.0, (1, 2): 2.0, (2, 3): 1.0}
    owners = [Owner(vo=1, group_id=1, account_id=1), Owner(vo=1, group_id=2, account_id=2),
              Owner(vo=1, group_id=2, account_id=3), Owner(vo=2, group_id=3, account_id=4)]  # fmt: skip
    for n, owner in enumerate(owners):
        board.put(queue(n, owner, PLAIN, waiting=1000))
    given = given_by(board, 120)
    assert [given[owner] for owner in owners] == [30, 30, 30, 30]


def test_who_had_much_of_late_waits_until_others_have_as_much() -> None:
    often, rarely = (Owner(vo=1, group_id=1, account_id=n) for n in (1, 2))
    board = Board()
    for n, owner in enumerate((often, rarely)):
        board.put(queue(n, owner, PLAIN, waiting=100))
    board.use({often: 30.0})
    assert given_by(board, 30) == {rarely: 30}
    assert given_by(board, 20) == {often: 10, rarely: 10}


def test_work_that_is_known_takes_less_where_a_slot_is_fast() -> None:
    board = Board()
    need = Requirement(memory=1, walltime=timedelta(hours=20), cpu_work=36_000.0)
    board.put(queue(1, Owner(vo=1, group_id=1, account_id=1), need))
    assert board.choose(ANY, most=1) == []
    slow, fast = (replace(ANY, slot=replace(ANY.slot, machine=Machine(power=power))) for power in (1.0, 10.0))
    assert board.choose(slow, most=1) == []
    assert [c.way for c in board.choose(fast, most=1)] == [0]


@given(st.integers(0, 2**70))
def test_the_bits_of_a_mask_make_it_again(mask: int) -> None:
    found = list(bits(mask))
    assert sum(1 << bit for bit in found) == mask
    assert found == sorted(found)

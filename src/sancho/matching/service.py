"""Use cases of matching: keep a board of what waits, choose from it, and give jobs away."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import takewhile
from typing import Any, LiteralString

from sancho.jobs import service as jobs
from sancho.jobs.model import Slot, Started
from sancho.kit.db import Connection, Database
from sancho.matching import store
from sancho.matching.model import (
    FREE,
    HALF_LIFE,
    Choice,
    Inputs,
    Label,
    Limit,
    Looked,
    Offer,
    Place,
    Queue,
    QueueKey,
    Rank,
    Rates,
    Warm,
    filled,
)
from sancho.matching.plan import Board, Ranks
from sancho.matching.store import choosing
from sancho.sites import service as sites

TRIED = 8
"""Task queues that one claim looks at; mostly the first one will do."""
WARMED = 32
"""Input sets of which it is looked how much a pilot has warm."""
ROUNDS = 3
"""How often a match plans anew because what it had planned was gone."""


@dataclass(kw_only=True)
class Matcher:
    """What one process knows of all that waits. While nobody keeps it fresh, each match reads a new one."""

    board: Board
    slots: dict[int, tuple[int, Slot]] = field(default_factory=dict[int, tuple[int, Slot]])
    """The site and the slot of each CE, by its id."""
    off: frozenset[int] = frozenset()
    """CEs that are switched off, or whose sites are: their pilots get no more jobs."""
    places: dict[int, Place] = field(default_factory=dict[int, Place])
    """The same with what a core-hour costs, while any VO weighs that."""
    followed: bool = False
    """True while news of the queues reach it: what is not on the board then is nowhere."""

    def offer(
        self, ce_id: int, pilot_id: int, vos: Sequence[int], said: Slot, whole: tuple[int, int] | None = None
    ) -> Offer | None:  # fmt: skip
        """What a pilot offers: what it says, as far as its CE has that. None for a CE that is not known or is off.

        `whole` are the cores and the memory of its slot, of which it says what is free.
        """
        if ce_id not in self.slots or ce_id in self.off:
            return None
        site_id, slot = self.slots[ce_id]
        offered = replace(
            slot, cores=min(said.cores, slot.cores), memory=min(said.memory, slot.memory),
            walltime=min(said.walltime, slot.walltime), tags=said.tags & slot.tags | _of_site(slot.tags),
        )  # fmt: skip
        rates = self.places[ce_id].rates if ce_id in self.places else FREE
        own = tuple(vo for vo in vos if vo > 0)
        all_of_it = whole and replace(offered, cores=min(whole[0], slot.cores), memory=min(whole[1], slot.memory))
        return Offer(pilot_id=pilot_id, site_id=site_id, vos=own, slot=offered, rates=rates, whole=all_of_it)


@lru_cache(maxsize=10_000)
def _of_site(tags: frozenset[str]) -> frozenset[str]:
    return frozenset(tag for tag in tags if tag.startswith("site:"))


def matcher_of(weigh: Callable[[int], float]) -> Matcher:
    """A matcher that knows nothing yet; `weigh` says what a VO's share is beside other VOs."""
    return Matcher(board=Board(weigh))


@dataclass(frozen=True)
class Gate:
    """A query that has a row when a pilot may have a job, one that locks what that depends on, and their parameters."""

    lock: LiteralString
    query: LiteralString
    params: Mapping[str, Any]


async def match_at_once(
    database: Database, matcher: Matcher, offer: Offer, choices: Sequence[Choice], vos: Iterable[int], gate: Gate
) -> Started | None:  # fmt: skip
    """Give a pilot a job in a transaction of its own that other matches share, if `match` would look at no more.

    That is when the job that the board would give first reads nothing and runs under no limit. None says nothing:
    `match` has to be asked then.
    """
    plain = list(takewhile(lambda choice: choice.queue.input_set_id is None, choices))
    if not plain or matcher.board.limits_of(plain, offer.site_id):
        return None
    params = {
        **choosing.parameters(plain), **gate.params, "pilot_id": offer.pilot_id, "site_id": offer.site_id,
    }  # fmt: skip
    choice_of = choosing.plain_choice(gate.query)
    started = await jobs.start_at_once(database, vos, choice_of, params, first=gate.lock)
    for choice in plain:
        if started is not None and (started.vo, started.task_queue_id) == choice.queue.key:
            matcher.board.give(choice, offer.site_id)
    return started


def choose(matcher: Matcher, offer: Offer) -> list[Choice]:
    """What the board would give for an offer, in order; nothing when nothing fits."""
    return matcher.board.choose(offer, most=TRIED)


async def match(
    conn: Connection, matcher: Matcher, offer: Offer, first: Sequence[Choice] | None = None
) -> Started | None:  # fmt: skip
    """Give a pilot a job that fits its offer, or None; the transaction serves the offer's VOs.

    `first` is what the board was found to give, a moment ago. What is planned from the board is checked by the
    statement that takes the job. A queue of which no job can be had is passed over until the board hears of it again.
    What runs under a limit is counted while nobody else may begin anything under it, until the transaction ends.
    """
    for n in range(ROUNDS):
        choices = first if first is not None and n == 0 else choose(matcher, offer)
        if not choices:
            return None
        if limits := matcher.board.limits_of(choices, offer.site_id):
            await store.lock_limits(conn, limits)
            matcher.board.count(await store.running_under(conn, limits))
            choices = [choice for choice in choices if matcher.board.allows(choice, offer.site_id)]
            if not choices:
                continue
        started = await jobs.start(
            conn, choosing.CHOICE, choosing.parameters(choices), pilot_id=offer.pilot_id, site_id=offer.site_id
        )
        for choice in choices:
            if started is not None and (started.vo, started.task_queue_id) == choice.queue.key:
                matcher.board.give(choice, offer.site_id)
                return started
            matcher.board.empty(choice.queue.key)
    return None


async def warmed(conn: Connection, matcher: Matcher, offer: Offer, warm: Warm) -> Offer:
    """The same offer, with how much of waiting jobs' inputs is in what the pilot says it has; at most one statement.

    What a pilot says changes the order among an owner's queues of one priority, nothing of what it may have or read.
    """
    sets = [key for key in matcher.board.sets(offer) if key[0] in offer.vos][:WARMED]
    return replace(offer, warm=await store.warm(conn, sets, warm.vo, warm.dids)) if sets and warm.dids else offer


async def read(conn: Connection, matcher: Matcher | None = None) -> Matcher:
    """Read everything that waits in the VOs that the transaction serves, into a new matcher or over an old one."""
    matcher = matcher or Matcher(board=Board())
    board = matcher.board
    matcher.slots = await store.slots(conn)
    matcher.off = await store.off(conn)
    weights = await store.weights(conn)
    matcher.places = await _places(conn, matcher.slots) if weights else {}
    board.ranks.learn(weights, matcher.places.values())
    found = await store.queues(conn, board.queues)
    inputs = await store.inputs(conn, sorted({(q.key[0], q.input_set_id) for q in found if q.input_set_id is not None}))
    shares, used = await store.group_shares(conn), await store.used(conn, HALF_LIFE)
    board.keep({queue.key for queue in found})
    for queue in found:
        board.put(queue)
    board.place(inputs, datetime.now(UTC))
    board.shares = shares
    board.use(used)
    await read_limits(conn, matcher)
    return matcher


async def _places(conn: Connection, slots: Mapping[int, tuple[int, Slot]]) -> dict[int, Place]:
    known = {ce.ce_id: ce for ce in await sites.ces(conn) if ce.ce_id in slots}
    rates = filled({ce_id: Rates(price=ce.price, carbon=ce.carbon) for ce_id, ce in known.items()})
    return {
        ce_id: Place(
            ce_id=ce_id, site_id=ce.site_id, slot=slots[ce_id][1], rates=rates[ce_id], vos=frozenset(ce.vos),
            open=ce.enabled and ce.max_pilots > 0,
        )
        for ce_id, ce in known.items()
    }  # fmt: skip


async def read_limits(conn: Connection, matcher: Matcher) -> None:
    """Read anew what limits there are in the VOs that the transaction serves, and what runs."""
    limits = await store.limits(conn)
    matcher.board.limit(limits, await store.running(conn) if limits else {})


async def read_some(conn: Connection, matcher: Matcher, keys: Sequence[QueueKey]) -> None:
    """Read these queues anew."""
    board = matcher.board
    found = await store.queues(conn, board.queues, keys)
    new = {(q.key[0], q.input_set_id) for q in found if q.input_set_id is not None and q.key not in board.queues}
    board.learn(await store.inputs(conn, sorted(new)) if new else {})
    for key in set(keys) - {queue.key for queue in found}:
        board.drop(key)
    for queue in found:
        board.put(queue)


async def look(conn: Connection, key: QueueKey) -> Looked | None:
    """What the matcher knows of one queue, in the VOs that the transaction serves; None when there is none."""
    queue = await store.queue(conn, *key)
    if queue is None:
        return None
    inputs = None if queue.input_set is None else (await store.inputs(conn, [queue.input_set])).get(queue.input_set)
    slots = await store.slots(conn)
    return Looked(
        queue=queue, inputs=inputs, slots=slots, ranks=await _ranks(conn, queue, inputs, slots),
        complete=bool(await choosing.may_be_had(conn, [Choice(queue=queue, way=0, cores=1)])),
    )  # fmt: skip


async def look_at(conn: Connection, keys: Sequence[QueueKey]) -> list[Looked]:
    """The same of several queues in which jobs wait whose inputs are complete; ranks are left out."""
    found = await store.queues(conn, {}, keys)
    known = await store.inputs(conn, sorted({queue.input_set for queue in found if queue.input_set is not None}))
    slots = await store.slots(conn)
    return [
        Looked(queue=queue, inputs=known.get(queue.input_set) if queue.input_set else None, slots=slots, complete=True)
        for queue in found
    ]


async def _ranks(
    conn: Connection, queue: Queue, inputs: Inputs | None, slots: Mapping[int, tuple[int, Slot]]
) -> dict[int, Rank]:
    weights = await store.weights(conn)
    if queue.key[0] not in weights:
        return {}
    ranks = Ranks()
    ranks.learn(weights, ())
    places = await _places(conn, slots)
    return {ce_id: found for ce_id, each in places.items() if (found := ranks.at(queue, inputs, each)) is not None}


async def full_limits(conn: Connection, label: Label) -> list[Limit]:
    """Limits, of the VOs that the transaction serves, under which no job with this label may begin at this moment."""
    found = [limit for limit in await store.limits(conn) if limit.covers(label)]
    running = await store.running_under(conn, [limit.key for limit in found]) if found else {}
    return [limit for limit in found if running[limit.key] >= limit.most]


async def average(conn: Connection) -> None:
    """Let what owners had of late grow and fade up to now, in the VOs that the transaction serves."""
    await store.average(conn, HALF_LIFE)

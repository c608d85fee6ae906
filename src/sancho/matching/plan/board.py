"""Pure decision: which task queues a pilot's next job may come from, over a board of all that have waiting jobs.

    offer ─▶ what fits, by masks ─▶ the VO, group and owner that have the least for their share ─▶ by priority

A *want* is one way of one queue; it has a bit on the board. A want fits when `jobs.fitting.lacks` finds nothing
missing. Shares are hierarchical: VOs share the offer first, then the groups of a VO, then the owners of a group, each
by what it has now and had of late against its share; who has least for its share goes first, so nobody starves.
Of what a limit says that enough of it runs, nothing fits. Among the queues of one owner and priority rank decides,
where the VO weighs anything or the pilot has something warm; else they go in the order of their bits. What has waited
long for more than is ever free of a slot has places kept for it (`holding`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice

from sancho.jobs.model import Requirement, cores_for, every_tag, kind_lacks, lacks, tags_lack
from sancho.matching.model import (
    Choice,
    Inputs,
    Label,
    Limit,
    LimitKey,
    Offer,
    Owner,
    Place,
    Queue,
    QueueKey,
    Rank,
    SetKey,
)
from sancho.matching.plan.holding import Holding
from sancho.matching.plan.masks import NUMBERS, Places, Thresholds, Wants, bits, of_kind
from sancho.matching.plan.ranks import Ranks, missing

GroupKey = tuple[int, int]
"""A group: its VO and its id."""
RANKED = 50
"""Wants of one owner and priority that are ranked for an offer; those for which something is warm are among them."""


class Board:
    """Every task queue with waiting jobs, and what is known about their owners and inputs."""

    def __init__(self, weigh: Callable[[int], float] = lambda _vo: 1.0) -> None:
        """An empty board; `weigh` says what a VO's share is beside other VOs."""
        self._weigh = weigh
        self.queues: dict[QueueKey, Queue] = {}
        self._bits: dict[QueueKey, list[int]] = {}
        self._wants: list[tuple[Queue, int] | None] = []
        self._free: list[int] = []
        self._waiting: dict[QueueKey, int] = {}
        self._rough = 0
        """Wants of which the masks know everything but whether their work fits into the time."""
        self._full = 0
        """Wants whose queue has a waiting job, as far as is known."""
        self._numbers = {name: Thresholds() for name in NUMBERS}
        self._places = Places()
        self._kinds: Wants[Requirement] = Wants()
        self._tags: Wants[tuple[str, ...]] = Wants()
        self._owners: dict[Owner, int] = {}
        self._groups: dict[GroupKey, dict[Owner, int]] = {}
        self._priorities: dict[int, int] = {}
        self._labels: dict[Label, int] = {}
        self._limits: dict[LimitKey, Limit] = {}
        self._running: Counter[LimitKey] = Counter()
        self._anywhere = 0
        """Wants without inputs, or whose inputs are so far from everywhere that any site will do."""
        self._near: dict[int, int] = {}
        self._far = 0
        """Wants that are content to read their inputs from other sites."""
        self._inputs: dict[SetKey, Inputs] = {}
        self._sets: dict[SetKey, int] = {}
        self.ranks = Ranks()
        self.holding = Holding()
        self.shares: Mapping[GroupKey, float] = {}
        self._used: dict[Owner, float] = {}
        self._group_used: dict[GroupKey, float] = {}
        self._vo_used: dict[int, float] = {}

    # ---- what there is

    def put(self, queue: Queue) -> None:
        """Put a queue on the board, or say anew how many of its jobs wait."""
        if queue.key not in self.queues:
            self._bits[queue.key] = [self._add(queue, way) for way in range(len(queue.ways))]
        self.queues[queue.key] = queue
        self._waiting[queue.key] = queue.waiting
        self._mark(queue.key)

    def drop(self, key: QueueKey) -> None:
        """Take a queue off the board."""
        queue = self.queues.pop(key, None)
        if queue is None:
            return
        self.holding.forget(key)  # another queue may get its bits
        del self._waiting[key]
        for way, bit in enumerate(self._bits.pop(key)):
            self._remove(queue, way, bit)

    def keep(self, keys: Collection[QueueKey]) -> None:
        """Take all queues but these off the board."""
        for key in [key for key in self.queues if key not in keys]:
            self.drop(key)

    def learn(self, found: Mapping[SetKey, Inputs]) -> None:
        """Say where input sets are of which queues will be put."""
        self._inputs |= found

    def place(self, found: Mapping[SetKey, Inputs], now: datetime) -> None:
        """Say where input sets (VO, id) are. A set that is not named is as far from everywhere, so goes anywhere."""
        self._inputs = dict(found)
        self._anywhere, self._near = 0, {}
        for key, queue in self.queues.items():
            self._near_or_far(queue, self._mask(key), now)
        self.ranks.keep(self.queues)
        wants = {key: (queue.owner, self._mask(key)) for key, queue in self.queues.items()}
        self.holding.look(self._waiting, wants, now)

    def use(self, cores: Mapping[Owner, float]) -> None:
        """Say how many cores owners have and had of late."""
        self._used, self._group_used, self._vo_used = {}, {}, {}
        for owner, number in cores.items():
            self._charge(owner, number)

    def limit(self, limits: Iterable[Limit], running: Mapping[tuple[Label, int], int]) -> None:
        """Say which limits there are, and how many jobs run by label and site."""
        self._limits = {limit.key: limit for limit in limits}
        self._running = Counter()
        for limit in self._limits.values():
            self._running[limit.key] = sum(n for (label, site), n in running.items() if limit.counts(label, site))

    def count(self, running: Mapping[LimitKey, int]) -> None:
        """Say how many jobs run under these limits."""
        self._running.update({key: n - self._running[key] for key, n in running.items()})

    @property
    def limited(self) -> bool:
        """Whether there are limits at all."""
        return bool(self._limits)

    @property
    def full(self) -> bool:
        """Whether as many jobs run as some limit allows, as far as is known."""
        return any(self._running[limit.key] >= limit.most for limit in self._limits.values())

    # ---- what is given

    def choose(self, offer: Offer, *, most: int) -> list[Choice]:
        """Up to `most` queues whose next job the pilot may have, each of another owner, in the order to try them.

        The one first for which it keeps its place; none while that does not fit yet.
        """
        fitting = self.fitting(offer)
        if self.holding.starved and offer.whole is not None and (held := self._held(offer, fitting)) is not None:
            return held
        found: list[Choice] = []
        for owner in self._in_turn(fitting, offer.vos):
            choice = self._best(fitting & self._owners[owner], offer, owner.vo)
            if choice is not None:
                found.append(choice)
                if len(found) == most:
                    break
        return found

    def fitting(self, offer: Offer) -> int:
        """The wants that an offer may meet, as a mask: all that it meets, and some whose work is too long for it."""
        slot = offer.slot
        found = self._full & self._at(offer.site_id)
        found &= self._numbers["cores"].at_most(slot.cores) & self._numbers["memory"].at_most(slot.memory)
        found &= self._numbers["walltime"].at_most(slot.walltime.total_seconds())
        found &= ~self._shut(offer.site_id)
        if not found:
            return 0
        known = every_tag(slot)
        found &= self._places.at(slot.site)
        found &= self._tags.met(known, lambda wishes: not tags_lack(wishes, known))
        return found & self._kinds.met(slot.machine, lambda want: not kind_lacks(want, slot.machine))

    def near(self, key: QueueKey, site_id: int) -> bool:
        """Say whether the jobs of a queue may run at a site, as far as their inputs go."""
        return any(self._at(site_id) >> bit & 1 for bit in self._bits.get(key, ()))

    def demand(self, offer: Offer) -> list[tuple[QueueKey, int]]:
        """Queues whose jobs a slot such as the one offered could run now, and how many jobs of each."""
        wants = [want for bit in bits(self.fitting(offer)) if (want := self._really(bit, offer)) is not None]
        found = {queue.key: queue for queue, _ in wants if queue.key[0] in offer.vos}
        rooms = {key: limit.most - self._running[key] for key, limit in self._limits.items()}
        demanded: list[tuple[QueueKey, int]] = []
        for key in sorted(found):
            limits = self._limits_of(found[key].label, offer.site_id)
            number = max(0, min([self._waiting[key], *(rooms[limit.key] for limit in limits)]))
            rooms |= {limit.key: rooms[limit.key] - number for limit in limits}
            demanded.append((key, number))
        return demanded

    def rank(self, key: QueueKey, place: Place, *, waiting: float = 0.0) -> Rank | None:
        """What a job of a queue costs at a place; None where its VO weighs nothing, or it does not fit."""
        queue = self.queues[key]
        return self.ranks.at(queue, self._inputs_of(queue), place, waiting=waiting)

    def sets(self, offer: Offer) -> list[SetKey]:
        """Input sets of queues that an offer may meet."""
        fitting = self.fitting(offer)
        return sorted(key for key, mask in self._sets.items() if mask & fitting)

    def limits_of(self, choices: Iterable[Choice], site_id: int) -> list[LimitKey]:
        """Limits under which a job of these would run at a site, in order."""
        return sorted({limit.key for choice in choices for limit in self._limits_of(choice.queue.label, site_id)})

    def allows(self, choice: Choice, site_id: int) -> bool:
        """Whether fewer jobs run than each limit of the choice's allows, as far as is known."""
        limits = self._limits_of(choice.queue.label, site_id)
        return all(self._running[limit.key] < limit.most for limit in limits)

    def give(self, choice: Choice, site_id: int) -> None:
        """Note that a job of a queue was given to a site."""
        key = choice.queue.key
        self._charge(choice.queue.owner, choice.cores)
        self._running.update(self.limits_of([choice], site_id))
        if key in self._waiting:
            self._waiting[key] -= 1
            self._mark(key)
            self.holding.serve(key)

    def empty(self, key: QueueKey) -> None:
        """Note that no job of a queue can be had now."""
        if key in self._waiting:
            self._waiting[key] = 0
            self._mark(key)
            self.holding.forget(key)

    # ---- inside

    def _limits_of(self, label: Label, site_id: int) -> list[Limit]:
        return [limit for limit in self._limits.values() if limit.counts(label, site_id)]

    def _shut(self, site_id: int) -> int:
        """Wants of which enough run."""
        shut = [
            limit for limit in self._limits.values()
            if limit.site_id in (None, site_id) and self._running[limit.key] >= limit.most
        ]  # fmt: skip
        found = 0
        for label, mask in self._labels.items() if shut else ():
            if any(limit.covers(label) for limit in shut):
                found |= mask
        return found

    def _at(self, site_id: int) -> int:
        """The wants that may run at a site, as far as their inputs go."""
        return self._anywhere | self._near.get(site_id, 0)

    def _held(self, offer: Offer, fitting: int) -> list[Choice] | None:
        """What the pilot keeps its place for, as far as that fits now; None when it is for nothing."""
        whole = replace(offer, slot=offer.whole or offer.slot)
        meets = self.fitting(whole)
        able = self.holding.starved & meets
        self.holding.see(able & ~fitting)
        turns = self._in_turn(meets, offer.vos) if self.holding.keeps(able) else ()
        for bit in self.holding.kept(offer.pilot_id, able, next((self._owners[one] for one in turns), 0)):
            want = self._really(bit, whole)
            if want is not None and want[0].key[0] in offer.vos:
                fits = fitting >> bit & 1 and self._really(bit, offer)
                return [_choice(*want, offer)] if fits else []
        return None

    def _in_turn(self, fitting: int, vos: Collection[int]) -> Iterator[Owner]:
        """Owners of fitting wants: of the VO that has the least for its share, of its group that has, and so on."""
        groups = [(key, owners) for key, owners in self._groups.items() if key[0] in vos]
        for vo in sorted({key[0] for key, _ in groups}, key=lambda vo: _ratio(self._vo_used.get(vo), self._weigh(vo))):
            own = [(key, owners) for key, owners in groups if key[0] == vo]
            own.sort(key=lambda one: _ratio(self._group_used.get(one[0]), self.shares.get(one[0], 1.0)))
            for _, owners in own:
                able = [owner for owner, mask in owners.items() if mask & fitting]
                able.sort(key=lambda owner: self._used.get(owner, 0.0))
                yield from able

    def _best(self, fitting: int, offer: Offer, vo: int) -> Choice | None:
        """Of the wants of one owner, of the highest priority of which any really fits, the first or the best ranked."""
        ranked = vo in self.ranks.weights or offer.warm or fitting & self._far
        for priority in sorted(self._priorities, reverse=True):
            able = fitting & self._priorities[priority]
            for bit in self._ranked(able, offer) if ranked and able else bits(able):
                want = self._really(bit, offer)
                if want is not None:
                    return _choice(*want, offer)
        return None

    def _ranked(self, able: int, offer: Offer) -> list[int]:
        """Some wants of one owner and priority: those with most to gain first, then those that miss fewest bytes."""
        warm = 0
        for key in offer.warm:
            warm |= self._sets.get(key, 0)
        found = [*islice(bits(able & warm), RANKED), *islice(bits(able & ~warm), RANKED)][:RANKED]
        places: dict[int, tuple[float, int, int, int]] = {}
        for bit in found:
            want = self._really(bit, offer)
            if want is not None:
                queue, way = want
                excess = self.ranks.excess(queue, way, offer, self._inputs_of(queue))
                at_hand = offer.warm.get(queue.input_set, 0) if queue.input_set else 0
                far = missing(self._inputs, queue, offer) if self._far >> bit & 1 else 0
                places[bit] = (excess, -at_hand, far, bit)
        return sorted(places, key=places.__getitem__) or list(bits(able))

    def _inputs_of(self, queue: Queue) -> Inputs | None:
        return None if queue.input_set is None else self._inputs.get(queue.input_set)

    def _really(self, bit: int, offer: Offer) -> tuple[Queue, int] | None:
        """A want that fits by the masks, unless its work is too long for the slot."""
        want = self._wants[bit]
        if want is None or (self._rough >> bit & 1 and lacks(want[0].ways[want[1]], offer.slot)):
            return None
        return want

    def _add(self, queue: Queue, way: int) -> int:
        if self._free:
            bit = self._free.pop()
            self._wants[bit] = (queue, way)
        else:
            bit = len(self._wants)
            self._wants.append((queue, way))
        need = queue.ways[way]
        for name, value in NUMBERS.items():
            self._numbers[name].add(bit, value(need))
        self._places.add(bit, need.sites, need.banned_sites)
        self._kinds.add(bit, of_kind(need))
        self._tags.add(bit, need.tags)
        mask, owner = 1 << bit, queue.owner
        self._rough |= mask if need.cpu_work is not None else 0
        self._owners[owner] = self._owners.get(owner, 0) | mask
        self._groups.setdefault((owner.vo, owner.group_id), {})[owner] = self._owners[owner]
        self._priorities[queue.priority] = self._priorities.get(queue.priority, 0) | mask
        self._labels[queue.label] = self._labels.get(queue.label, 0) | mask
        if queue.input_set is not None:
            self._sets[queue.input_set] = self._sets.get(queue.input_set, 0) | mask
            self._far |= mask if need.far else 0
        self._near_or_far(queue, mask, None)
        return bit

    def _remove(self, queue: Queue, way: int, bit: int) -> None:
        need, owner, others = queue.ways[way], queue.owner, ~(1 << bit)
        for name, value in NUMBERS.items():
            self._numbers[name].remove(bit, value(need))
        self._places.remove(bit, need.sites, need.banned_sites)
        self._kinds.remove(bit, of_kind(need))
        self._tags.remove(bit, need.tags)
        self._owners[owner] &= others
        group = self._groups[owner.vo, owner.group_id]
        group[owner] = self._owners[owner]
        if not self._owners[owner]:
            del self._owners[owner], group[owner]
        if not group:
            del self._groups[owner.vo, owner.group_id]
        self._priorities[queue.priority] &= others
        if not self._priorities[queue.priority]:
            del self._priorities[queue.priority]
        self._labels[queue.label] &= others
        if not self._labels[queue.label]:
            del self._labels[queue.label]
        if queue.input_set is not None:
            self._sets[queue.input_set] &= others
            if not self._sets[queue.input_set]:
                del self._sets[queue.input_set]
        self._full, self._anywhere, self._rough = self._full & others, self._anywhere & others, self._rough & others
        self._far &= others
        self._near = {site_id: mask & others for site_id, mask in self._near.items()}
        self._wants[bit] = None
        self._free.append(bit)

    def _mask(self, key: QueueKey) -> int:
        return sum(1 << bit for bit in self._bits[key])

    def _mark(self, key: QueueKey) -> None:
        mask = self._mask(key)
        self._full = self._full | mask if self._waiting[key] > 0 else self._full & ~mask

    def _near_or_far(self, queue: Queue, mask: int, now: datetime | None) -> None:
        inputs = self._inputs_of(queue)
        sites = None if inputs is None else inputs.sites(now)
        self._anywhere |= mask if sites is None else mask & self._far
        for site_id in sites or ():
            self._near[site_id] = self._near.get(site_id, 0) | mask

    def _charge(self, owner: Owner, cores: float) -> None:
        group = (owner.vo, owner.group_id)
        self._used[owner] = self._used.get(owner, 0.0) + cores
        self._group_used[group] = self._group_used.get(group, 0.0) + cores
        self._vo_used[owner.vo] = self._vo_used.get(owner.vo, 0.0) + cores


def _choice(queue: Queue, way: int, offer: Offer) -> Choice:
    return Choice(queue=queue, way=way, cores=cores_for(queue.ways[way], offer.slot))


def _ratio(used: float | None, share: float) -> float:
    return (used or 0.0) / max(share, 1e-6)

"""Pure decision: which of queues of equal claim has most to gain from a slot.

What a queue costs here is compared with what it would cost at the best place for it. So a slot goes to whom it suits
best, and not to the shortest jobs, and what can run nowhere else comes before what could.
"""

from collections.abc import Iterable, Mapping, Sequence

from sancho.jobs.model import lacks
from sancho.matching.model import Inputs, Offer, Place, Queue, QueueKey, Rank, SetKey, Weights, rank
from sancho.matching.model.ranking import Bytes

CHEAPEST = 8
"""Places looked at for the best one, of those that are cheapest for a VO by the hour, and as many by the work."""
NEAREST = 3
"""Sites with most of a queue's input whose places are looked at besides."""

_Where = tuple[int, Mapping[int, int]] | None
"""All bytes of an input set, and those at each site."""


class Ranks:
    """What queues cost at places, as far as their VOs weigh that; the best place of each is found once."""

    def __init__(self) -> None:
        """Nothing is weighed yet."""
        self.weights: Mapping[int, Weights] = {}
        self._places: Sequence[Place] = ()
        self._cheapest: dict[int, list[Place]] = {}
        self._at: dict[int, list[Place]] = {}
        self._best: dict[tuple[QueueKey, int], tuple[_Where, float | None]] = {}

    def learn(self, weights: Mapping[int, Weights], places: Iterable[Place]) -> None:
        """Say how VOs weigh and where jobs may run; while both stay as they are, what was found is kept."""
        known = tuple(sorted((place for place in places if place.open), key=lambda place: place.ce_id))
        if weights == self.weights and known == self._places:
            return
        self.weights, self._places = dict(weights), known
        self._cheapest, self._at, self._best = {}, {}, {}
        for place in known:
            self._at.setdefault(place.site_id, []).append(place)

    def keep(self, queues: Mapping[QueueKey, Queue]) -> None:
        """Forget what was found of queues that are no more."""
        if len(self._best) > 2 * len(queues) + 1000:
            self._best = {key: found for key, found in self._best.items() if key[0] in queues}

    def excess(self, queue: Queue, way: int, offer: Offer, inputs: Inputs | None) -> float:
        """How many points more a queue's job costs in the slot offered than at its best place; at least 0."""
        weights = self.weights.get(queue.key[0])
        if weights is None:
            return 0.0
        warm = 0 if queue.input_set is None else offer.warm.get(queue.input_set, 0)
        here = rank(weights, offer.rates, queue.ways[way], offer.slot, size=_bytes(inputs, offer.site_id, warm)).points
        best = self._best_of(queue, way, inputs, weights)
        return 0.0 if best is None else max(0.0, here - best)

    def at(self, queue: Queue, inputs: Inputs | None, place: Place, *, waiting: float = 0.0) -> Rank | None:
        """What a job of a queue costs at a place, in its best way; None when its VO weighs nothing or none fits."""
        weights = self.weights.get(queue.key[0])
        if weights is None:
            return None
        size = _bytes(inputs, place.site_id)
        found = [
            rank(weights, place.rates, need, place.slot, size=size, waiting=waiting)
            for need in queue.ways
            if not lacks(need, place.slot)
        ]
        return min(found, key=lambda each: each.points, default=None)

    def _best_of(self, queue: Queue, way: int, inputs: Inputs | None, weights: Weights) -> float | None:
        key = queue.key, way
        known, where = self._best.get(key), None if inputs is None else (inputs.size, inputs.site_sizes)
        if known is not None and known[0] == where:
            return known[1]
        vo, need = queue.key[0], queue.ways[way]
        near = () if inputs is None else sorted(inputs.site_sizes, key=lambda site: -inputs.site_sizes[site])[:NEAREST]
        places = [*self._cheap(vo, weights), *(place for site in near for place in self._at.get(site, ())[:CHEAPEST])]
        points = [
            rank(weights, place.rates, need, place.slot, size=_bytes(inputs, place.site_id)).points
            for place in places
            if vo in place.vos and not lacks(need, place.slot)
        ]
        self._best[key] = where, min(points, default=None)
        return self._best[key][1]

    def _cheap(self, vo: int, weights: Weights) -> list[Place]:
        if vo not in self._cheapest:
            own = [place for place in self._places if vo in place.vos]

            def by_hour(place: Place) -> float:
                carbon = weights.carbon * (place.rates.carbon or 0.0) / 1000
                return weights.hour + weights.money * (place.rates.price or 0.0) + carbon

            def by_work(place: Place) -> float:
                return by_hour(place) / (place.slot.machine.power or 1.0)

            found = [*sorted(own, key=by_hour)[:CHEAPEST], *sorted(own, key=by_work)[:CHEAPEST]]
            self._cheapest[vo] = list({place.ce_id: place for place in found}.values())
        return self._cheapest[vo]


def _bytes(inputs: Inputs | None, site_id: int, warm: int = 0) -> Bytes:
    return Bytes() if inputs is None else inputs.at(site_id, warm)


def missing(inputs: Mapping[SetKey, Inputs], queue: Queue, offer: Offer) -> int:
    """How many bytes of a queue's input are neither at the site of an offer nor warm there."""
    if queue.input_set is None or queue.input_set not in inputs:
        return 0
    return inputs[queue.input_set].at(offer.site_id, offer.warm.get(queue.input_set, 0)).far

"""What a job costs at a place: the time until it ends there, money and carbon, as its VO weighs them. Pure.

Provisioning asks it where a queue's pilots are sent, a match which of an owner's queues has most to gain from a slot,
and an explanation shows its parts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sancho.jobs.model import Requirement, Slot, cores_for, time_for

HOUR = 3600.0
THROUGHPUT = 100_000_000
"""Bytes a second at which inputs come from other sites, where a VO has not said what its jobs see."""
ALIKE = 0.05
"""Places whose ranks differ by less than this part are as good as each other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Weights:
    """What an hour until a job has ended, a unit of money and a kilogram of CO2 are worth to a VO, in points.

    Points are a unit of the VO's own: of weights only their proportion counts.
    """

    hour: float = 0.0
    money: float = 0.0
    carbon: float = 0.0
    throughput: int = THROUGHPUT


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """What a core-hour costs: `price` in the unit of VOs and operators, `carbon` in grams of CO2. None: not said."""

    price: float | None = None
    carbon: float | None = None


FREE = Rates()


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A CE as somewhere to run: its slot, what a core-hour costs, the VOs that it serves, whether it takes jobs."""

    ce_id: int
    site_id: int
    slot: Slot
    rates: Rates = FREE
    vos: frozenset[int] = frozenset()
    open: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Bytes:
    """A job's inputs as seen from a place: those that come from `far`, and those that its site has."""

    far: int = 0
    near: int = 0


NO_BYTES = Bytes()


@dataclass(frozen=True, kw_only=True, slots=True)
class Rank:
    """What a job costs at a place, less is better: its parts, and in points what they are worth together."""

    waiting: float = 0.0
    """Hours that it takes to get a slot, as far as that is known."""
    data: float = 0.0
    """Hours until its inputs are there."""
    run: float = 0.0
    """Hours that it runs."""
    money: float = 0.0
    carbon: float = 0.0
    """Kilograms of CO2."""
    points: float = field(default=0.0)

    @property
    def hours(self) -> float:
        """All hours until it ends."""
        return self.waiting + self.data + self.run


def rank(
    weights: Weights, rates: Rates, need: Requirement, slot: Slot, *, size: Bytes = NO_BYTES, waiting: float = 0.0
) -> Rank:
    """What a job costs in a slot that fits it; `waiting` is how many hours it takes to get one.

    It grows, or stays, with each of its parts. The time that a job runs is its wall time, or less where its work and
    the slot's power are known; inputs come at the VO's throughput from other sites and at the slot's I/O from its own.
    Cores are paid for from when the inputs are fetched. It is off as far as jobs ask for more time than they take.
    """
    io = slot.machine.io
    data = size.far / weights.throughput / HOUR + (size.near / io / HOUR if io else 0.0)
    run = time_for(need, slot).total_seconds() / HOUR
    core_hours = (data + run) * cores_for(need, slot)
    money, carbon = core_hours * (rates.price or 0.0), core_hours * (rates.carbon or 0.0) / 1000
    points = weights.hour * (waiting + data + run) + weights.money * money + weights.carbon * carbon
    return Rank(waiting=waiting, data=data, run=run, money=money, carbon=carbon, points=points)


def filled(known: Mapping[int, Rates]) -> dict[int, Rates]:
    """The same, where a CE that has not said something costs what others do on average: silence is not cheap."""
    price, carbon = _mean(each.price for each in known.values()), _mean(each.carbon for each in known.values())
    return {
        ce_id: Rates(
            price=price if each.price is None else each.price, carbon=carbon if each.carbon is None else each.carbon
        )
        for ce_id, each in known.items()
    }


def _mean(said: Iterable[float | None]) -> float:
    found = [each for each in said if each is not None]
    return sum(found) / len(found) if found else 0.0

"""Which of many wants an offer meets, as the bits of one number: an `&` of a few of them looks at thousands. Pure.

Each want has a *bit*, its number. A mask is an `int` in which the bits of the wants that are met are 1.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping
from typing import Generic, TypeVar

from sancho.jobs.model import Requirement, memory_for

W = TypeVar("W", bound=Hashable)


class Thresholds:
    """Wants of so much of something."""

    def __init__(self) -> None:
        """None yet."""
        self._masks: dict[float, int] = {}
        self._values: list[float] = []
        self._sums: list[int] | None = None

    def add(self, bit: int, value: float) -> None:
        """A want of so much."""
        if value not in self._masks:
            insort(self._values, value)
        self._masks[value] = self._masks.get(value, 0) | 1 << bit
        self._sums = None

    def remove(self, bit: int, value: float) -> None:
        """A want is no more."""
        left = self._masks[value] & ~(1 << bit)
        if left:
            self._masks[value] = left
        else:
            del self._masks[value]
            self._values.remove(value)
        self._sums = None

    def at_most(self, value: float) -> int:
        """The wants that so much meets."""
        if self._sums is None:
            self._sums, found = [0], 0
            for each in self._values:
                found |= self._masks[each]
                self._sums.append(found)
        return self._sums[bisect_right(self._values, value)]


class Places:
    """Wants of certain sites, or of any but some."""

    def __init__(self) -> None:
        """None yet."""
        self._anywhere = 0
        self._named: dict[str, int] = {}
        self._banned: dict[str, int] = {}

    def add(self, bit: int, sites: Collection[str], banned: Collection[str]) -> None:
        """A want of one of these sites, or of any when none is named, but of none that is banned."""
        mask = 1 << bit
        if not sites:
            self._anywhere |= mask
        for found, names in ((self._named, sites), (self._banned, banned)):
            for name in names:
                found[name] = found.get(name, 0) | mask

    def remove(self, bit: int, sites: Collection[str], banned: Collection[str]) -> None:
        """A want is no more."""
        others = ~(1 << bit)
        self._anywhere &= others
        for found, names in ((self._named, sites), (self._banned, banned)):
            for name in set(names):
                found[name] &= others
                if not found[name]:
                    del found[name]

    def at(self, site: str) -> int:
        """The wants that a site meets."""
        return (self._anywhere | self._named.get(site, 0)) & ~self._banned.get(site, 0)


class Wants(Generic[W]):
    """Wants of a kind, of which many are alike; what meets one is asked once for each kind and each thing offered."""

    MOST = 10_000
    """Offered things whose answers are remembered, and kinds that may have gone before those are forgotten."""

    def __init__(self) -> None:
        """None yet."""
        self._masks: dict[W, int] = {}
        self._kinds: list[W] = []
        """Every kind, in the order in which it came; one that has gone may stand here still."""
        self._met: dict[Hashable, tuple[int, int]] = {}
        """For what was offered: the wants that it meets, of so many of the kinds."""

    def add(self, bit: int, want: W) -> None:
        """A want."""
        alike = self._masks.get(want, 0)
        self._masks[want] = alike | 1 << bit
        if not alike:
            self._come(want)
            return
        for offered, (found, seen) in self._met.items():
            if found & alike:
                self._met[offered] = found | 1 << bit, seen

    def remove(self, bit: int, want: W) -> None:
        """A want is no more."""
        left = self._masks[want] & ~(1 << bit)
        if left:
            self._masks[want] = left
        else:
            del self._masks[want]
        for offered, (found, seen) in self._met.items():
            self._met[offered] = found & ~(1 << bit), seen

    def met(self, offered: Hashable, meets: Callable[[W], bool]) -> int:
        """The wants that are met by something that is offered; `meets` says so of a kind of want."""
        found, seen = self._met.get(offered, (0, 0))
        if seen < len(self._kinds):
            if len(self._met) >= self.MOST:
                self._met.clear()
            for want in self._kinds[seen:]:
                if want in self._masks and meets(want):
                    found |= self._masks[want]
            self._met[offered] = found, len(self._kinds)
        return found

    def _come(self, want: W) -> None:
        """A kind that nothing offered was held against yet."""
        self._kinds.append(want)
        if len(self._kinds) > len(self._masks) + self.MOST:
            self._kinds = list(self._masks)
            self._met.clear()


def bits(mask: int) -> Iterator[int]:
    """The bits of a mask that are 1, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def of_kind(need: Requirement) -> Requirement:
    """Only what a want says about the machine: wants that are alike in it are looked at once."""
    return Requirement(
        system=need.system, architecture=need.architecture, min_microarchitecture=need.min_microarchitecture,
        max_microarchitecture=need.max_microarchitecture, scratch=need.scratch, io=need.io, gpus=need.gpus,
    )  # fmt: skip


def _seconds(need: Requirement) -> float:
    """A want whose work is known may take less than its wall time, so whether it fits is seen later."""
    return 0.0 if need.cpu_work is not None else need.walltime.total_seconds()


NUMBERS: Mapping[str, Callable[[Requirement], float]] = {
    "cores": lambda need: need.cores, "memory": lambda need: memory_for(need, need.cores), "walltime": _seconds,
}  # fmt: skip

"""Which of many wants an offer meets, as the bits of one number: an `&` of a few of them looks at thousands. Pure.

Each want has a *bit*, its number. A mask is an `int` in which the bits of the wants that are met are 1.
"""

from bisect import bisect_right, insort
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

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


class Wants(Generic[W]):
    """Wants of a kind, of which many are alike; what meets one is asked once for each kind and each thing offered."""

    MOST = 10_000
    """Offered things whose answers are remembered."""

    def __init__(self) -> None:
        """None yet."""
        self._masks: dict[W, int] = {}
        self._met: dict[Hashable, int] = {}

    def add(self, bit: int, want: W) -> None:
        """A want."""
        alike = self._masks.get(want, 0)
        self._masks[want] = alike | 1 << bit
        if not alike:
            self._met.clear()
        for offered, found in self._met.items():
            if found & alike:
                self._met[offered] = found | 1 << bit

    def remove(self, bit: int, want: W) -> None:
        """A want is no more."""
        left = self._masks[want] & ~(1 << bit)
        if left:
            self._masks[want] = left
        else:
            del self._masks[want]
        for offered, found in self._met.items():
            self._met[offered] = found & ~(1 << bit)

    def met(self, offered: Hashable, meets: Callable[[W], bool]) -> int:
        """The wants that are met by something that is offered; `meets` says so of a kind of want."""
        found = self._met.get(offered)
        if found is None:
            if len(self._met) >= self.MOST:
                self._met.clear()
            found = 0
            for want, mask in self._masks.items():
                if meets(want):
                    found |= mask
            self._met[offered] = found
        return found


def bits(mask: int) -> Iterator[int]:
    """The bits of a mask that are 1, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest

"""Fair use of what one process has: how often somebody may ask, and whose turn it is.

Two small things, both without a clock of their own and with bounded memory. A *limiter* says of each key (an
account, a VO, an address) whether it may ask once more: `burst` times at once, `rate` times a second after that.
*Turns* hand out places (database connections, requests under way, hashes) to parties: whoever is alone may have
all; when several want one, it goes to whoever holds the fewest for its weight.

    request ──limiter──▶ 429, or ──turns──▶ waits, or has its place ──▶ gives it back
"""

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Callable, Hashable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from sancho.kit.errors import TooMany
from sancho.kit.tenancy import INSTANCE

Party = Hashable
"""Who shares: the id of a VO, an address, a name for a kind of traffic."""


@dataclass(frozen=True)
class Pilots:
    """The pilots of the CEs that a VO owns, as a party."""

    vo: int


asking: ContextVar[Party] = ContextVar("asking", default="")
"""The address on whose behalf something is done; for what is shared before anybody is known."""

ROUNDING = 1e-9
"""Seconds by which sums of times may be wrong."""


class Crowded(TooMany):
    """More requests wait for their turn than this server keeps, most of them of your own kind."""

    code = "crowded"

    def __init__(self) -> None:
        """Ask to come back in a moment."""
        super().__init__(retry_after=1, hint="Send fewer requests at once.")


class Limiter:
    """Counts what each key asks: never more than `burst + rate × t` in any `t` seconds.

    It remembers one number for each key, the moment from which on it will owe nothing (GCRA, the same as a bucket of
    `burst` tokens that is filled at `rate`). A key that owes nothing is forgotten; beyond `most` keys, those that
    have not asked for the longest time.
    """

    def __init__(self, rate: float, burst: int, *, most: int = 20_000) -> None:
        """Allow `rate` a second and `burst` at once to each key."""
        self._rate, self._burst, self._most = rate, burst, most
        self._due: OrderedDict[Hashable, float] = OrderedDict()

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._due)

    def ask(self, key: Hashable, now: float, *, weight: float = 1.0) -> float:
        """Count one and return 0; or count nothing, and return after how many seconds to ask again.

        `now` is in seconds of a clock that never goes back; `weight` multiplies both rate and burst.
        """
        step = 1 / (self._rate * weight)
        due = max(self._due.get(key, now), now) + step
        early = due - now - max(1.0, self._burst * weight) * step
        refused = early > ROUNDING
        self._due[key] = due - step if refused else due
        self._due.move_to_end(key)
        if refused:
            return early
        while len(self._due) > self._most or next(iter(self._due.values())) <= now:
            self._due.popitem(last=False)
        return 0.0


class Shares:
    """What each party counts beside others: 1, or what was said of it. Called with a party, it weighs it."""

    def __init__(self, *, machines: float = 1.0) -> None:
        """`machines` is what pilots, and the VO `instance`, which serves all, count."""
        self._machines = machines
        self._of: dict[int, float] = {}

    def set(self, shares: Mapping[int, float]) -> None:
        """Replace what was said of VOs, by id."""
        self._of = dict(shares)

    def __call__(self, party: Party) -> float:
        """What a party counts: the id of a VO, `Pilots` of a VO's CEs, or anybody else, who counts 1."""
        if isinstance(party, Pilots):
            return self._of.get(party.vo, 1.0) * self._machines
        if isinstance(party, int):
            return self._of.get(party, 1.0) * (self._machines if party == INSTANCE else 1.0)
        return 1.0


class Turns:
    """Shares places between parties, by weight, and leaves none empty while somebody waits.

    A place that is given back goes to the waiting party that holds the fewest for its weight; of equal ones, to the
    one whose last turn is the longest ago. So a party that wants little gets the next place, however many wait of
    another, and how long places are held counts by itself. When `room` wait, a newcomer takes the place in the queue
    of the last one of the party with the longest queue, who is refused with `Crowded`.
    """

    def __init__(self, places: int, *, room: int, weigh: Callable[[Party], float] | None = None) -> None:
        """Share so many `places`; `weigh` says what a party's share is, 1 for everybody when absent."""
        self._free = places
        self._room = room
        self._weigh = weigh or _alike
        self._held: Counter[Party] = Counter()
        self._waiting: dict[Party, deque[asyncio.Future[None]]] = {}
        self._number = 0
        self._turn = 0
        self._last: dict[Party, int] = {}

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._number

    def held(self, party: Party) -> int:
        """How many places a party holds."""
        return self._held[party]

    @asynccontextmanager
    async def turn(self, party: Party, *, timeout: float | None = None) -> AsyncIterator[None]:
        """Hold a place; raises `Crowded`, or `TimeoutError` when it does not come in `timeout` seconds."""
        await self.take(party, timeout=timeout)
        try:
            yield
        finally:
            self.give_back(party)

    async def take(self, party: Party, *, timeout: float | None = None) -> None:
        """Wait for a place; whoever has got it must `give_back`. Raises as `turn` does."""
        if self._free and not self._number:
            self._free -= 1
            self._grant(party)
            return
        waiter = self._queue(party)
        try:
            async with asyncio.timeout(timeout):
                await waiter
        except (asyncio.CancelledError, TimeoutError):
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give_back(party)  # it came in the same moment
            else:
                self._leave(party, waiter)
            raise

    def give_back(self, party: Party) -> None:
        """Give a place back; it is passed on at once."""
        self._held[party] -= 1
        if not self._held[party]:
            del self._held[party]
            if party not in self._waiting:
                self._last.pop(party, None)
        self._free += 1
        while self._free and self._waiting:
            following = min(self._waiting, key=self._claim)
            waiter = self._waiting[following].popleft()
            self._left(following)
            if not waiter.done():
                self._free -= 1
                self._grant(following)
                waiter.set_result(None)

    def _claim(self, party: Party) -> tuple[float, int]:
        """The least goes first."""
        return (self._held[party] + 1) / self._weigh(party), self._last.get(party, -1)

    def _grant(self, party: Party) -> None:
        self._held[party] += 1
        self._turn += 1
        self._last[party] = self._turn

    def check_room(self, party: Party) -> None:
        """Raise `Crowded` if one more of this party could not even wait."""
        if (not self._free or self._number) and self._loser(party) == party:
            raise Crowded

    def _loser(self, party: Party) -> Party | None:
        """Whose last one must go if one more of a party is to wait; None: there is room."""
        if self._number < self._room:
            return None
        longest = max(self._waiting, key=self._length, default=party)
        return party if self._length(party, more=1) >= self._length(longest) else longest

    def _length(self, party: Party, *, more: int = 0) -> float:
        return (len(self._waiting.get(party, ())) + more) / self._weigh(party)

    def _queue(self, party: Party) -> "asyncio.Future[None]":
        longest = self._loser(party)
        if longest == party:
            raise Crowded
        if longest is not None:
            loser = self._waiting[longest].pop()
            self._left(longest)
            if not loser.done():
                loser.set_exception(Crowded())
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(party, deque()).append(waiter)
        self._number += 1
        return waiter

    def _leave(self, party: Party, waiter: "asyncio.Future[None]") -> None:
        queue = self._waiting.get(party)
        if queue is not None and waiter in queue:
            queue.remove(waiter)
            self._left(party)

    def _left(self, party: Party) -> None:
        """One has gone from a party's queue."""
        self._number -= 1
        if not self._waiting[party]:
            del self._waiting[party]
            if not self._held[party]:
                self._last.pop(party, None)


def _alike(_party: Party) -> float:
    return 1.0


def after(seconds: float) -> int:
    """Whole seconds for a `Retry-After`: one at least."""
    return max(1, math.ceil(seconds))

"""When a waiting job may start: a reckoning from what happened of late, never a promise. Pure.

In a steady state, in which as many jobs begin in an hour as in the hour before, it is within a factor of two. It knows
nothing of what will change: pilots that come or end, others' jobs that are submitted, a site that fails.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sancho.explain.model import Start, in_bytes
from sancho.kit.units import in_words
from sancho.matching.model import each_takes

FACTOR = 2.0
"""The error to expect, up or down, when enough has happened of late."""
UNSURE = 3.0
"""So much is added to it for one thing that happened, less with the root of how many did."""
FARTHEST = timedelta(days=365)


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What began of late, of the same queue or owner: how many, since when, how many of those have ended.

    `looked` is the time that was looked at.
    """

    looked: timedelta
    begun: int = 0
    first: datetime | None = None
    ended: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """What is still to come of a job's inputs, how much of it nobody brings, and what came to the same RSEs of late."""

    size: int
    unasked: int = 0
    """Files that are nowhere available and that nothing is about to bring."""
    moved: int = 0
    first: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """What the start of a job is reckoned from; `stopped` is why it cannot start as things are."""

    now: datetime
    pace: Pace
    ahead: int = 0
    """Jobs that go before it: of its queue, and of queues of its owner with a higher priority."""
    more: bool = False
    """There are more than were counted."""
    walltime: timedelta = timedelta(hours=1)
    stopped: str | None = None
    arrival: Arrival | None = None
    coming: int = 0
    """Pilots that were submitted to compute elements that fit, and have not begun."""
    not_before: datetime | None = None
    """From when on there is a place for it, where there is none yet."""


def expect(seen: Outlook) -> Start:
    """Say when a job may start and how that was reckoned, or in words why nobody can know."""
    if seen.stopped is not None:
        return Start(says=f"It cannot be known: {seen.stopped[:1].lower()}{seen.stopped[1:]}")
    if seen.arrival is not None:
        return _after(seen, seen.arrival)
    pace = seen.pace
    if not pace.begun or pace.first is None:
        coming = f"; {_count(seen.coming, 'pilot')} for it may be on the way" if seen.coming else ""
        return Start(says=f"It cannot be known: no pilot took such a job for {in_words(pace.looked)}{coming}.")
    each = each_takes(seen.now - pace.first, pace.begun)
    span = _times(each, seen.ahead + 1)
    soon, late = _between(span, pace.begun)
    if not pace.ended:  # a burst says how many pilots came, not how many will
        late = max(late, _times(seen.walltime, -(-(seen.ahead + 1) // pace.begun)))
    told = in_words(seen.now - pace.first)
    before = f"{_count(seen.ahead, 'other')} {_go(seen)} first"
    says = f"{_count(pace.begun, 'such job')} began in the last {told}, and {before}."
    return Start(earliest=_at(seen, soon), latest=None if seen.more else _at(seen, late), says=says)


def _after(seen: Outlook, arrival: Arrival) -> Start:
    if arrival.unasked:
        be = "file that is" if arrival.unasked == 1 else "files that are"
        what = f"{arrival.unasked} {be} nowhere available, which nothing is about to bring"
        return Start(says=f"It cannot be known: it reads {what}.")
    if not arrival.moved or arrival.first is None or arrival.first >= seen.now:
        looked = in_words(seen.pace.looked)
        return Start(says=f"It cannot be known: its inputs are still to come, and nothing came there for {looked}.")
    rate = arrival.moved / (seen.now - arrival.first).total_seconds()
    soon, late = _between(timedelta(seconds=min(arrival.size / rate, FARTHEST.total_seconds())), 9)
    says = (
        f"{in_bytes(arrival.size)} of its inputs are still to come, at about {rate / 1e6:.3g} MB/s as of late; "
        "after that it needs a slot."
    )
    return Start(earliest=_at(seen, soon), latest=_at(seen, late), says=says)


def _times(span: timedelta, number: int) -> timedelta:
    return timedelta(seconds=min(span.total_seconds() * number, FARTHEST.total_seconds()))


def _between(span: timedelta, happened: int) -> tuple[timedelta, timedelta]:
    factor = max(FACTOR, 1 + UNSURE / happened**0.5)
    return span / factor, span * factor


def _at(seen: Outlook, after: timedelta) -> datetime:
    return max(seen.now, seen.not_before or seen.now) + min(after, FARTHEST)


def _go(seen: Outlook) -> str:
    return "and more go" if seen.more else "goes" if seen.ahead == 1 else "go"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

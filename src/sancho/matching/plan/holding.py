"""Pure decision: which pilots keep a place free for a job that needs more of a slot than is ever free of one.

A slot that small jobs share is never empty while more of them wait: what one leaves the next one takes. So a job that
needs all of it, or much, would wait for ever. When nothing of a queue has begun for `HELD_AFTER` though jobs wait in
it, and pilots whose whole slots would do ask with parts that do not, some of them are given nothing else: one in 64
at first, twice as many each `DOUBLED`, in the end all. Which ones a number says that is made of the pilot and the
queue, so a pilot that keeps its place keeps on, whatever process it asks. When its slot is empty it gets that job.

Whose turn it is by the shares has places kept for each such queue. Of all others one queue at a time: when an owner was
given a place out of turn, the next one is waited for as long as the first, however many queues the work is put into.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from zlib import crc32

from sancho.matching.model import Owner, QueueKey
from sancho.matching.plan.masks import bits

HELD_AFTER = timedelta(minutes=30)
"""So long nothing of a queue may begin before places are kept for it."""
DOUBLED = timedelta(minutes=5)
"""After so long twice as many places are kept."""
FIRST = 1 / 64
"""The part of all pilots that is asked for it at first."""
MOST = 64
"""Wants that are looked at for one offer."""


class Holding:
    """Of which queues nothing has begun for long, as this process has seen it."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._since: dict[QueueKey, datetime] = {}
        self._waiting: dict[QueueKey, int] = {}
        self._masks: dict[QueueKey, int] = {}
        self._seen = 0
        """Of those that are starved, wants that fitted a whole slot and not what was free of it."""
        self._owners: dict[QueueKey, Owner] = {}
        self._turns: dict[Owner, datetime] = {}
        """When an owner was last given a place that was kept."""
        self._given: set[Owner] = set()
        """Owners who were given one since the last look."""
        self._places: dict[int, tuple[datetime, QueueKey, float, float]] = {}
        """By bit, since when nothing of its queue has begun, and the parts of all pilots that keep their places for it:
        when it is its owner's turn, and when it is not."""
        self._kept = 0
        """The bits of those."""
        self._due = 0
        """The bits of those of them for which places are kept out of turn."""
        self.starved = 0
        """The wants of queues of which nothing has begun for long."""

    def look(self, waiting: Mapping[QueueKey, int], wants: Mapping[QueueKey, tuple[Owner, int]], now: datetime) -> None:
        """Say how many jobs wait in which queues now, whose they are and which wants they have."""
        for key, number in waiting.items():
            if number <= 0 or number < self._waiting.get(key, 0):
                self.serve(key)
        self._owners = {key: owner for key, (owner, _) in wants.items()}
        whose = set(self._owners.values())
        self._turns = {owner: at for owner, at in self._turns.items() if owner in whose}
        self._turns |= dict.fromkeys(self._given & whose, now)
        self._given = set()
        self._since = {key: self._since.get(key, now) for key, number in waiting.items() if number > 0}
        self._waiting = dict(waiting)
        self._masks = {key: wants[key][1] for key, since in self._since.items() if now - since >= HELD_AFTER}
        self.starved = sum(self._masks.values())
        self._seen &= self.starved
        self._kept = self._seen
        self._places = {
            bit: (self._since[key], key, _part(now - self._since[key]), part)
            for key, part in self._out_of_turn(now).items()
            for bit in bits(self._masks[key] & self._seen)
        }
        self._due = sum(1 << bit for bit, place in self._places.items() if place[3] > 0)

    def _out_of_turn(self, now: datetime) -> dict[QueueKey, float]:
        """Of each queue that has wants that were seen, the part of all pilots that keep places for it out of turn."""
        seen = sorted((self._since[key], key) for key, mask in self._masks.items() if mask & self._seen)
        found: dict[QueueKey, float] = {}
        had: set[Owner] = set()
        for since, key in seen:
            owner = self._owners[key]
            waited = now - max(since, self._turns.get(owner, since))
            found[key] = _part(waited) if owner not in had and waited >= HELD_AFTER else 0.0
            had.add(owner)
        return found

    def serve(self, key: QueueKey) -> None:
        """Note that a job of a queue has begun."""
        if self._masks.get(key, 0) & self._kept:
            self._given.add(self._owners[key])
        self.forget(key)

    def forget(self, key: QueueKey) -> None:
        """Note that no job of a queue can be had, or that it is gone."""
        self._since.pop(key, None)
        if mask := self._masks.pop(key, 0):
            self.starved &= ~mask
            self._seen &= ~mask
            self._kept &= ~mask

    def see(self, wants: int) -> None:
        """Note wants that fit the whole slot of a pilot that asked, and not what is free of it."""
        self._seen |= wants & self.starved

    def keeps(self, able: int) -> bool:
        """Whether places are kept for any of these wants."""
        return bool(able & self._kept)

    def kept(self, pilot_id: int, able: int, first: int) -> list[int]:
        """The wants, as bits, of those that a pilot's whole slot meets, for which it keeps its place; oldest first.

        `first` are the wants of the owner whose turn it is.
        """
        found: list[tuple[datetime, int]] = []
        for bit in islice(bits(able & self._kept & (self._due | first)), MOST):
            since, (vo, queue_id), in_turn, out_of_turn = self._places[bit]
            part = in_turn if first >> bit & 1 else out_of_turn
            if crc32(f"{pilot_id}.{vo}.{queue_id}".encode()) < part * 2**32:
                found.append((since, bit))
        return [bit for _, bit in sorted(found)]


def _part(waited: timedelta) -> float:
    """The part of all pilots that keep their places for what has waited so long."""
    return min(1.0, FIRST * 2.0 ** ((waited - HELD_AFTER) / DOUBLED))

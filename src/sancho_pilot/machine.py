"""The pilot as a whole: events in, instructions out. Pure: no I/O, no clock, no chance that is not in the seed.

It becomes known to the server, goes on with what a former pilot left in the
spool, asks for work while cores and memory of its slot are free, shows signs of
life for all that it holds, and leaves when there is no more work, time, or
welcome. Each attempt is a `Life`. As many payloads run at a time as fit; the
outputs and reports of earlier ones may still be on their way. State changes in
`handle` and nowhere else.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from typing import Any, Callable, Dict, List, Optional

from sancho_pilot.events import (
    AttemptAnswer,
    BeatAnswered,
    Began,
    Event,
    Failed,
    Matched,
    NoWork,
    Retired,
    StopAsked,
    Tick,
    Welcomed,
)
from sancho_pilot.instructions import Beat, Exit, Instruction, Login, Match, Retire
from sancho_pilot.life import Life
from sancho_pilot.model import Attempt, Failure, Slot, Trouble, Verdict
from sancho_pilot.patience import (
    HELLO_PATIENCE,
    LEAST_WALLTIME,
    REFUSED_PATIENCE,
    SERVER_PATIENCE,
    START_GRACE,
    STOP_GRACE,
    Patience,
)
from sancho_pilot.phases import revived

MOST_DELIVERING = 3
"""Ended payloads, for each core, whose outputs or reports are on their way, above which no work is asked for."""
DONE, BROKEN, UNDELIVERED, UNWELCOME = 0, 1, 75, 77
"""Exit codes: all is well; a defect of ours; reports wait in the spool; the server does not know us."""
STOPPED = Verdict("failed", "pilot_stopped", "The batch system ended the pilot.")
KILLED = Verdict("failed", "killed", "The server asked for it.")


class Machine:
    """The pilot's mind. Feed it events; carry out what it returns, in order; send `Tick` when `next_at` has come."""

    def __init__(self) -> None:
        """The first event must be `Began`."""
        self.exiting = False
        self._slot = Slot(0, 0, 0.0, (), 0.0)
        self._began_at = 0.0
        self._lives: Dict[int, Life] = {}
        self._restored: List[Attempt] = []
        self._shelved = 0
        self._steps = itertools.count(1)
        self._patience = Patience(lambda: 0.0)
        self._jitter: Callable[[], float] = lambda: 0.0
        self._call = 0
        """The step of the login, match or good-bye that is under way."""
        self._call_due: Optional[float] = None
        self._welcome = False
        self._leaving = ""
        self._idle_since = 0.0
        self._asked = False
        """Whether the server was asked for work since the pilot has been idle."""
        self._refused: Optional[Slot] = None
        """What there was no work for; as soon as more is free the server is asked again."""
        self._stop_at: Optional[float] = None
        self._beat = 0
        self._beat_every = 30.0
        self._beat_due: Optional[float] = None
        self._out: List[Instruction] = []
        self._handlers: Dict[type, Callable[[Any], None]] = {
            Began: self._began,
            Tick: lambda _event: None,
            StopAsked: self._stop_asked,
            Welcomed: self._welcomed,
            Matched: self._matched,
            NoWork: self._no_work,
            Retired: self._retired,
            BeatAnswered: self._beat_answered,
            Failed: self._failed,
        }

    @property
    def next_at(self) -> Optional[float]:
        """When the machine wants to hear `Tick`, unless something else happens before."""
        times = [self._stop_at, *(life.due for life in self._lives.values())]
        if self._welcome and not self._beat:
            times.append(self._beat_due)
        if not self._call and not self._leaving and (not self._welcome or self._stop_at is None):
            times.append(self._call_due)
            if self._welcome and not self._lives and self._asked:
                times.append(self._idle_since + self._slot.idle)
        return min((time for time in times if time is not None), default=None)

    @property
    def attempts(self) -> List[Attempt]:
        """What the pilot holds."""
        return [life.attempt for life in self._lives.values()]

    def handle(self, event: Event) -> List[Instruction]:
        """Take an event into account; return what is to be done about it."""
        if self.exiting:
            return []
        if isinstance(event, AttemptAnswer):
            life = self._lives.get(event.attempt_id)
            if life is not None:
                self._out += life.handle(event)
        else:
            self._handlers[type(event)](event)
        if not self.exiting:
            self._bury(event.at)
            self._pass_time(event.at)
        out, self._out = self._out, []
        return out

    # ------------------------------------------------------------------------------ the pilot's own events

    def _began(self, event: Began) -> None:
        self._slot = event.slot
        self._jitter = random.Random(event.seed).random  # noqa: S311 - it spreads load, it keeps no secret
        self._patience = Patience(self._jitter)
        self._began_at = event.at - event.age
        self._idle_since = event.at
        self._restored = list(event.restored)
        self._call = self._next()
        self._out.append(Login(self._call))

    def _welcomed(self, event: Welcomed) -> None:
        if event.step != self._call:
            return
        self._welcome = True
        self._patience.reset()
        self._call = 0
        self._idle_since = self._call_due = self._beat_due = event.at
        self._beat_every = event.beat_every
        restored, self._restored = self._restored, []
        for attempt in restored:
            self._take_up(revived(attempt))

    def _matched(self, event: Matched) -> None:
        if event.step != self._call:
            return
        self._call, self._call_due = 0, event.at
        self._patience.reset()
        self._refused = None
        if event.work.attempt_id not in self._lives:
            self._take_up(Attempt(event.work))

    def _no_work(self, event: NoWork) -> None:
        if event.step == self._call:
            self._call = 0
            self._asked = True
            self._patience.reset()
            self._call_due = event.at + max(event.retry_after, 0.1) * (0.75 + self._jitter() / 2)

    def _retired(self, event: Retired) -> None:
        if event.step == self._call:
            self._exit(DONE, self._leaving)

    def _stop_asked(self, event: StopAsked) -> None:
        if self._stop_at is None:
            self._stop_at = event.at + STOP_GRACE
            for life in list(self._lives.values()):
                self._out += life.halt(event.at, STOPPED)

    def _beat_answered(self, event: BeatAnswered) -> None:
        if event.step != self._beat:
            return
        self._beat = 0
        if event.beat_every is not None and self._beat_due is not None:
            self._beat_due = min(self._beat_due, event.at + event.beat_every)
        for attempt_id in event.ended:
            if attempt_id in self._lives:
                self._out += self._lives[attempt_id].drop(event.at)
        for attempt_id in event.kill:
            if attempt_id in self._lives:
                self._out += self._lives[attempt_id].halt(event.at, KILLED)
        for life in self._lives.values():
            life.encourage(event.at)

    def _failed(self, event: Failed) -> None:
        """A call of the pilot's own failed: it tries again later, or leaves if that is pointless."""
        if event.step == self._beat:
            self._beat = 0
            return
        if event.step != self._call:
            return
        self._call = 0
        if self._leaving:
            self._exit(DONE, self._leaving)
            return
        self._asked = self._welcome
        self._refused = None
        self._patience.fail(event.at)
        self._call_due = event.at + self._patience.delay(self._patience.tries, event.failure.retry_after)
        self._perhaps_give_up(event.at, event.failure)

    def _perhaps_give_up(self, at: float, failure: Failure) -> None:
        refused = failure.trouble is Trouble.REFUSED and self._patience.tries > 1
        if self._restored:
            if self._patience.lasts(at, REFUSED_PATIENCE if refused else SERVER_PATIENCE):
                self._exit(UNDELIVERED, failure.detail)
        elif not self._lives and (refused or (not self._welcome and self._patience.lasts(at, HELLO_PATIENCE))):
            self._exit(UNDELIVERED if self._shelved else UNWELCOME, failure.detail)

    # ------------------------------------------------------------------------------------------- time

    def _pass_time(self, at: float) -> None:
        for life in list(self._lives.values()):
            self._out += life.pass_time(at)
        self._bury(at)
        if self._stop_at is not None:
            self._stop(at, self._stop_at)
        if self.exiting:
            return
        if self._welcome and not self._beat and _due(self._beat_due, at):
            self._show_life(at)
        if not self._call and not self._leaving and self._welcome and self._stop_at is None:
            self._look_for_work(at)
        elif not self._call and not self._welcome and _due(self._call_due, at):
            self._call, self._call_due = self._next(), None
            self._out.append(Login(self._call))

    def _look_for_work(self, at: float) -> None:
        free = self._free(at)
        if not self._lives and self._asked and at >= self._idle_since + self._slot.idle:
            self._retire("idle")
        elif free.walltime < LEAST_WALLTIME:
            self._call_due = None
            if not self._lives:
                self._retire("walltime")
        elif free.cores < 1 or free.memory < 1 or self._delivering() > MOST_DELIVERING * self._slot.cores:
            self._call_due = None
        elif self._call_due is None or at >= self._call_due or _more(free, self._refused):
            self._call, self._call_due, self._refused = self._next(), None, free
            self._out.append(Match(self._call, free, tuple(self._lives), self._slot))

    def _stop(self, at: float, deadline: float) -> None:
        """The batch system wants its slot back: deliver what can be delivered in time."""
        if at >= deadline:
            self._exit(UNDELIVERED if self._lives or self._restored or self._shelved else DONE, "stopped")
        elif not self._lives and not self._call and self._welcome:
            self._retire("stopped")
        elif not self._lives and not self._restored and not self._welcome:
            self._exit(DONE, "stopped")

    def _show_life(self, at: float) -> None:
        self._beat = self._next()
        self._beat_due = at + self._beat_every
        beats = ((life.attempt.work.attempt_id, life.beat) for life in self._lives.values())
        self._out.append(Beat(self._beat, tuple((one, state) for one, state in beats if state is not None)))

    def _retire(self, reason: str) -> None:
        if self._shelved:  # whatever a pilot that says good-bye still has is lost
            self._exit(UNDELIVERED, reason)
            return
        self._leaving = reason
        self._call, self._call_due = self._next(), None
        self._out.append(Retire(self._call, reason))

    # --------------------------------------------------------------------------------------- mechanics

    def _take_up(self, attempt: Attempt) -> None:
        life = Life(attempt, self._steps, self._jitter)
        self._lives[attempt.work.attempt_id] = life
        self._out += life.begin(None if self._stop_at is None else STOPPED)

    def _bury(self, at: float) -> None:
        for attempt_id, life in list(self._lives.items()):
            if life.gone:
                del self._lives[attempt_id]
                self._shelved += life.shelved
                self._idle_since = self._call_due = at
                self._asked = False

    def _free(self, at: float) -> Slot:
        """What is left of the slot."""
        taken = [life.attempt.work for life in self._lives.values() if life.occupies_slot]
        return replace(
            self._slot,
            cores=self._slot.cores - sum(work.cores for work in taken),
            memory=self._slot.memory - sum(work.memory or 0 for work in taken),
            walltime=self._slot.walltime - max(0.0, at - self._began_at - START_GRACE),
        )

    def _delivering(self) -> int:
        return sum(not life.occupies_slot for life in self._lives.values())

    def _next(self) -> int:
        return next(self._steps)

    def _exit(self, code: int, reason: str) -> None:
        self.exiting = True
        self._out.append(Exit(code, reason))


def _more(free: Slot, than: Optional[Slot]) -> bool:
    return than is not None and (free.cores > than.cores or free.memory > than.memory)


def _due(time: Optional[float], at: float) -> bool:
    return time is not None and at >= time

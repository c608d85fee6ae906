"""News of jobs, for whoever looks at them: one look a second for all who listen in this process.

    listener ─┐                      ┌─▶ ids of its VO, or of its account alone
    listener ─┼─ one look a second ──┤
    listener ─┘  (none: no look)     └─▶ …

A look is one statement, whatever the number of listeners, and finds what changed in the last few seconds: a
transaction may commit a moment after the time that it wrote. What was told already is remembered for as long, and told
to whoever comes: who listens again within that time has missed nothing.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sancho.jobs.errors import TooManyListeners
from sancho.jobs.store import news as store
from sancho.jobs.store.news import ChangedJob
from sancho.kit import telemetry
from sancho.kit.access import Principal
from sancho.kit.db import Database
from sancho.kit.errors import SanchoError

EVERY = 1.0
"""Seconds between two looks."""
BACK = 10.0
"""So many seconds are looked back: no transaction that changes jobs takes longer."""
MOST = 500
"""So many jobs are named; of more it is only said that there are."""
OF_ONE_ACCOUNT, OF_ALL = 20, 2_000
"""How many listen at the same time."""
STILL_HERE = 15.0
"""After so many seconds without news it is said that there are none, so that nobody on the way hangs up."""
_log = telemetry.log(__name__)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Jobs that changed; with `more`, others too."""

    job_ids: tuple[int, ...] = ()
    more: bool = False

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.job_ids) or self.more


@dataclass(eq=False)
class Listener:
    """Somebody who listens: to a VO, or with an account to its jobs alone. Gathers what was not taken yet."""

    vo: int
    account_id: int
    everybody: bool
    _ids: set[int] = field(default_factory=set[int])
    _more: bool = False
    _told: asyncio.Event = field(default_factory=asyncio.Event)

    def tell(self, job: ChangedJob) -> None:
        """Note a change, if it is one that this one listens to."""
        if job.vo != self.vo or not (self.everybody or job.account_id == self.account_id):
            return
        if job.job_id is None or len(self._ids) >= MOST:
            self._more = True
        else:
            self._ids.add(job.job_id)
        self._told.set()

    def wake(self) -> None:
        """Have it look whether it is over."""
        self._told.set()

    async def take(self, seconds: float) -> Changes:
        """What has changed since the last time; waits so long for something."""
        try:
            async with asyncio.timeout(seconds):
                await self._told.wait()
        except TimeoutError:
            return Changes()
        self._told.clear()
        taken = Changes(job_ids=tuple(sorted(self._ids)), more=self._more)
        self._ids.clear()
        self._more = False
        return taken


class News:
    """Who listens in this process, and what looks for them."""

    def __init__(self, database: Database, *, longest: float = 60.0) -> None:
        """Nobody listens longer than `longest` seconds at a time: whoever comes again is asked who it is."""
        self._database, self.longest = database, longest
        self._listeners: set[Listener] = set()
        self._looking: asyncio.Task[None] | None = None
        self._found: list[ChangedJob] = []
        self._closed = False

    async def listen(self, caller: Principal, *, everybody: bool) -> AsyncIterator[Changes]:
        """What changes, as it does; empty from time to time when nothing has. It ends after a while."""
        until = asyncio.get_running_loop().time() + self.longest
        listener = Listener(vo=caller.vo, account_id=caller.account_id, everybody=everybody)
        with self._heard(listener):
            yield Changes()
            while not self._closed and (left := until - asyncio.get_running_loop().time()) > 0:
                yield await listener.take(min(left, STILL_HERE))

    def check_room(self, caller: Principal) -> None:
        """Raise `TooManyListeners` if this caller may not listen as well."""
        mine = sum(one.vo == caller.vo and one.account_id == caller.account_id for one in self._listeners)
        if mine >= OF_ONE_ACCOUNT or len(self._listeners) >= OF_ALL:
            raise TooManyListeners(limit=OF_ONE_ACCOUNT)

    def close(self) -> None:
        """Let all go, so that the server can stop."""
        self._closed = True
        for one in self._listeners:
            one.wake()
        if self._looking is not None:
            self._looking.cancel()

    @contextmanager
    def _heard(self, listener: Listener) -> Iterator[None]:
        for job in self._found:
            listener.tell(job)
        self._listeners.add(listener)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            self._listeners.discard(listener)

    async def _look_on(self) -> None:
        while self._listeners and not self._closed:
            try:
                await self.look()
            except SanchoError as e:  # the database is away or busy
                _log.info("changes of jobs cannot be read now", reason=str(e))
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Look once, and tell those who listen what is new."""
        vos = sorted({one.vo for one in self._listeners})
        async with self._database.transaction(vos) as conn:
            found = await store.changed(conn, vos, seconds=BACK, limit=MOST + 1)
        before, self._found = set(self._found), found
        for job in found:
            if job not in before:
                for one in self._listeners:
                    one.tell(job)

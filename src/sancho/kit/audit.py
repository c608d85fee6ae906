"""What was decided while a request is served: collected here, written down by the transaction that serves it.

`kit.access` notes every decision that it enforces. Whoever serves the request has begun a `Trail`; the database
takes what is ready from it just before a commit, so that a write and the row that says it was allowed are one.
Denials are held back until the request ends, because the transaction that was refused is rolled back. Without a
trail, in background tasks for example, nothing is noted.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A decision about one thing, or about many at once: then `thing` is the first of `items`."""

    vo: int
    account: str
    permission: str
    allowed: bool
    why: str
    thing: str | None = None
    items: int = 1
    pilot_id: int | None = None
    issued: bool = False
    """A credential was issued: that is noted of requests too which otherwise only read."""

    @property
    def sort(self) -> tuple[object, ...]:
        """Equal for decisions that differ in nothing but the thing."""
        return self.vo, self.account, self.permission, self.allowed, self.why, self.pilot_id


@dataclass(kw_only=True)
class Trail:
    """The decisions of one request that are not written down yet, and where it came from."""

    method: str
    route: Callable[[], str | None]
    """The route, once it is known."""
    client: str | None = None
    ended: bool = False
    """The request is over: denials may be written too."""
    _entries: dict[tuple[object, ...], Entry] = field(default_factory=dict[tuple[object, ...], Entry])

    def add(self, entry: Entry) -> None:
        """Note a decision. Of a request that only reads, denials alone; equal ones about many things become one."""
        if entry.allowed and self.method in READING and not entry.issued:
            return
        known = self._entries.get(entry.sort)
        self._entries[entry.sort] = replace(known, items=known.items + entry.items) if known else entry

    def take(self, vos: Collection[int]) -> list[Entry]:
        """Give out, once, what a transaction that serves `vos` may write before it commits."""
        ready = {s: e for s, e in self._entries.items() if e.vo in vos and (e.allowed or self.ended)}
        for sort in ready:
            del self._entries[sort]
        return list(ready.values())

    def end(self, *, worked: bool) -> set[int]:
        """End the request; return the VOs of what is left to write. What did not work was not done."""
        self.ended = True
        if not worked:
            self._entries = {s: e for s, e in self._entries.items() if not e.allowed}
        return {entry.vo for entry in self._entries.values()}

    def left(self) -> list[Entry]:
        """What has not been given out."""
        return list(self._entries.values())


_trail: ContextVar[Trail | None] = ContextVar("sancho.audit", default=None)


@contextmanager
def begun(trail: Trail) -> Iterator[Trail]:
    """Collect the decisions of a request."""
    token = _trail.set(trail)
    try:
        yield trail
    finally:
        _trail.reset(token)


def current() -> Trail | None:
    """The trail of the request that is being served."""
    return _trail.get()


def note(entry: Entry) -> None:
    """Note a decision, or that a credential was issued, in the trail of the request; without one, do nothing."""
    trail = _trail.get()
    if trail is not None:
        trail.add(entry)

"""Named points at which a test can kill or disturb the pilot; in production they do nothing.

    MATCHED = faults.point("pilot.matched")     declared once, at import
    MATCHED()                                   passed where the pilot may die

The same words as the server's own fault points, for a process that shares no code with it.
"""

from __future__ import annotations

from typing import Callable, FrozenSet, List, Optional, Set

_declared: Set[str] = set()
_handlers: List[Callable[[str], None]] = []


def point(name: str) -> Callable[[], None]:
    """Declare a point; call the result where the pilot may die."""
    _declared.add(name)

    def passed() -> None:
        for handler in _handlers:
            handler(name)

    return passed


def install(handler: Optional[Callable[[str], None]]) -> None:
    """Call `handler(name)` whenever a point is passed; None removes it. For tests only."""
    _handlers[:] = [] if handler is None else [handler]


def declared() -> FrozenSet[str]:
    """Names of all points."""
    return frozenset(_declared)

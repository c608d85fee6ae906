"""Named points at which a test can kill or disturb a process; in production they do nothing.

Code declares a point once, at import: `COMMITTED = faults.point("uploads.committed")`, and passes it with
`COMMITTED()`. A kill test installs a handler; `declared()` lists every point, so that a test can prove that each
one is exercised.
"""

from collections.abc import Callable

_declared: set[str] = set()
_handler: Callable[[str], None] | None = None


def point(name: str) -> Callable[[], None]:
    """Declare a point; call the result where a process may die."""
    _declared.add(name)

    def passed() -> None:
        if _handler is not None:
            _handler(name)

    return passed


def install(handler: Callable[[str], None] | None) -> None:
    """Call `handler(name)` whenever a point is passed; None removes it. For tests only."""
    global _handler  # noqa: PLW0603 - one process, one handler
    _handler = handler


def declared() -> frozenset[str]:
    """Names of all points declared by the modules imported so far."""
    return frozenset(_declared)

"""How long the pilot waits and how often it tries: seconds, unless a name says otherwise."""

from __future__ import annotations

from typing import Callable, Optional

KILL_GRACE = 5.0
"""From SIGTERM to SIGKILL of a payload."""
STOP_GRACE = 10.0
"""What a pilot that was told to stop still spends on reports."""
START_GRACE = 300.0
"""Of the slot's wall time this much may pass before payloads are offered less: slots last that much longer."""
LEAST_WALLTIME = 10.0
"""A slot with less than this left is not offered."""
SERVER_PATIENCE = 12 * 3600.0
"""A report is kept and sent again while the server is away; then it stays in the spool, and the pilot ends."""
REFUSED_PATIENCE = 900.0
"""The same, for a server that answers but does not know the pilot any more."""
HELLO_PATIENCE = 600.0
"""A new pilot that reaches nobody, and holds nothing, ends after this."""
FETCH_PATIENCE = 600.0
UPLOAD_PATIENCE = 2 * 3600.0
SANDBOX_PATIENCE = 900.0
FETCH_PASSES = 3
"""So many times every source of an input is tried."""
REJECTIONS = 4
"""So many times a storage may reject an upload."""
LONGEST_DELAY = 60.0
LONGEST_WISH = 300.0
"""The longest `Retry-After` that is obeyed."""


class Patience:
    """Failures in a row: how many, since when, and how long to wait before the next try."""

    def __init__(self, jitter: Callable[[], float]) -> None:
        """`jitter` yields numbers from 0 to 1."""
        self.tries = 0
        self.since: Optional[float] = None
        self._jitter = jitter

    def fail(self, at: float) -> None:
        """Count one more failure."""
        self.tries += 1
        if self.since is None:
            self.since = at

    def reset(self) -> None:
        """It worked."""
        self.tries = 0
        self.since = None

    def lasts(self, at: float, limit: float) -> bool:
        """Whether the failures have lasted longer than the limit."""
        return self.since is not None and at - self.since > limit

    def delay(self, tries: int, wish: Optional[float] = None) -> float:
        """Seconds until the next try: doubled each time, spread by half, at least what was wished for."""
        doubled = min(LONGEST_DELAY, 2.0 ** min(tries - 1, 10))
        return max(doubled * (0.5 + self._jitter()), min(wish or 0.0, LONGEST_WISH))

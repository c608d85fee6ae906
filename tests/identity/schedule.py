"""When the real worker starts a task that the clock starts, and a clock to wait for it without waiting."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from procrastinate import App


@dataclass
class MovedClock:
    """The machine's clock, put forward."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    def later(self, by: timedelta) -> None:
        self.by += by


def longest_gap(app: App, name: str) -> timedelta:
    """The longest time between two starts of a task in an hour, as the queue reckons from its declaration."""
    schedule = app.periodic_registry.periodic_tasks[name, name].croniter
    starts = [0.0]
    while starts[-1] < 3600:
        starts.append(schedule.get_next(ret_type=float, start_time=starts[-1]))
    return timedelta(seconds=max(after - before for before, after in pairwise(starts)))

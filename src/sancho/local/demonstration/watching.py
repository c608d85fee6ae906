"""How far the work is, asked again and again until all is done, something has failed, or nothing moves any more."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sancho.local.demonstration.errors import JobsFailed, NothingMoves
from sancho.local.demonstration.workload import COPIES, SIMULATED, Work, results_of
from sancho_client.calls import data, jobs, rules
from sancho_client.errors import Problem, ServerAway
from sancho_client.models.jobs import FINAL

AWAY = 503
PAUSE = 0.7
PATIENCE = 180
"""Seconds without any change after which it is over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the work of one VO is; `transfers` counts the requests that are open."""

    vo: str
    simulate: Mapping[str, int]
    analyse: Mapping[str, int]
    files: int
    """Files that there will be."""
    replicas: int
    rules: Mapping[str, int]
    transfers: int

    @property
    def done(self) -> bool:
        """Whether all jobs are done and all files are where they should be."""
        jobs_done = not {state for state in (*self.simulate, *self.analyse) if state != "done"}
        return jobs_done and self.replicas == COPIES * self.files and set(self.rules) == {"ok"}

    @property
    def failed(self) -> int:
        """How many jobs have ended otherwise than done."""
        return sum(n for counts in (self.simulate, self.analyse) for s, n in counts.items() if s in FINAL - {"done"})


@dataclass(slots=True)
class _Watch:
    """Knows when something changed last."""

    last: list[Standing] = field(default_factory=list[Standing])
    since: float = field(default_factory=time.monotonic)

    def see(self, standings: list[Standing]) -> None:
        now = time.monotonic()
        if standings != self.last:
            self.last, self.since = standings, now
        elif now - self.since > PATIENCE:
            raise NothingMoves(seconds=PATIENCE)


def follow(works: Sequence[Work], show: Callable[[Sequence[Standing]], None]) -> None:
    """Return when all is done, telling `show` on the way; raises `JobsFailed` or `NothingMoves`.

    A server that is away is waited for as long as jobs that do not move.
    """
    watch = _Watch()
    while True:
        standings = _look_at(works) or watch.last
        show(standings)
        if standings and all(standing.done for standing in standings):
            return
        if broken := next((one for one in standings if one.failed), None):
            raise JobsFailed(number=broken.failed, vo=broken.vo)
        watch.see(standings)
        time.sleep(PAUSE)


def _look_at(works: Sequence[Work]) -> list[Standing]:
    """How far all are; nothing when the server cannot say it now."""
    try:
        return [look(work) for work in works]
    except ServerAway:
        return []
    except Problem as problem:
        if problem.status != AWAY:
            raise
        return []


def look(work: Work) -> Standing:
    """Ask how far the work of one VO is."""
    client = work.client
    listed = [one for did in (SIMULATED, results_of(work.vo)) for one in client.lines(data.replicas(did))]
    return Standing(
        vo=work.vo,
        simulate={one.state: one.count for one in client.send(jobs.summary(work.simulate)) if one.count},
        analyse={one.state: one.count for one in client.send(jobs.summary(work.analyse)) if one.count},
        files=work.jobs,
        replicas=sum(replica.state == "available" for file in listed for replica in file.replicas),
        rules=dict(Counter(rule.state for rule in client.pages(rules.list_rules()))),
        transfers=sum(1 for _ in client.pages(rules.transfers())),
    )

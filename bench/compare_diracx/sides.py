"""The two who are asked, filled by the wire alone: jobs are submitted, wait, and the first of them run."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.compare_diracx.recordings import RUNNING, Known, Workload, states
from bench.driver import Driver, Round

JOBS_AT_ONCE = 10_000


@dataclass
class Side:
    """One server."""

    name: str
    driver: Driver
    known: Known
    filler: Callable[[Known, int], list[bytes]]
    """Requests that submit so many jobs."""
    settle: Callable[[], None]
    """Brings the database's statistics up to date."""
    port: int
    server: int
    """Process id of the API."""
    waiting: int = 0
    """Jobs that were told to wait: of DiracX, whose new jobs nobody moves on, they are received until then."""

    def fill(self, wanted: int) -> None:
        """Bring the number of jobs that wait or run to `wanted`; all that workloads submitted are among them."""
        while (jobs := min(JOBS_AT_ONCE, wanted - self.known.submitted)) > 0:
            answers: list[bytes] = []
            self.driver.run(self.filler(self.known, jobs), items=jobs, answers=answers)
            self._remember(answers)
        self._say(self.known.ids[self.waiting :], "Waiting")
        if self.waiting == 0:
            for state in ("Matched", "Running"):
                self._say(self.known.ids[:RUNNING], state)
        self.waiting = len(self.known.ids)
        self.settle()

    def turn(self, workload: Workload) -> Round:
        """One round; its answers have what they must."""
        answers: list[bytes] = []
        requests = workload.record(self.known)
        found = self.driver.run(requests, items=len(requests) * workload.things, answers=answers)
        workload.check(answers)
        if workload.name.startswith("submit"):
            self._remember(answers)
        return found

    def read_configuration(self) -> int:
        """Remember the tag of the configuration; return how long that is, in bytes."""
        head = {"authorization": f"Bearer {self.known.token}"}
        asked = urllib.request.Request(f"http://127.0.0.1:{self.port}/api/config/", headers=head)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            self.known.etag = answer.headers["etag"]
            return len(answer.read())

    def memory_mb(self) -> float:
        """What the API has in memory."""
        lines = Path(f"/proc/{self.server}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    def _remember(self, answers: list[bytes]) -> None:
        self.known.ids += sorted(job["JobID"] for answer in answers for job in json.loads(answer))

    def _say(self, ids: list[int], state: str) -> None:
        self.driver.run(states(self.known, ids, Status=state, Source="bench"), items=len(ids))

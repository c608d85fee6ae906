"""The requests, as bytes: for both servers the same, but for the token, the ids of jobs and the time.

A job's group has a hundred members, numbered by its place among all jobs that a side was given.
"""

import itertools
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bench.driver import encode

GROUP = 100
"""Jobs of a group and of a page, ids of a search, and jobs of a call that says how they go."""
RUNNING = 5000
"""Jobs that run. In a round each says once how it goes: DiracX fails at two heartbeats of a job within a second."""
TAIL = "event 1000: all is well\n" * 20
MOST = 20
"""Jobs that DiracX takes in one call."""

_ticks = itertools.count()


@dataclass
class Known:
    """What one asks a server with, and what one has asked it."""

    token: str
    ids: list[int] = field(default_factory=list)
    """Of the jobs that wait or run; the first are those that run."""
    submitted: int = 0
    etag: str = ""
    """Of the configuration."""


@dataclass(frozen=True)
class Workload:
    """One kind of request: how a round of it is recorded, and how many things a right answer has."""

    name: str
    unit: str
    record: Callable[[Known], list[bytes]]
    things: int = 1
    count: Callable[[Any], int] | None = None
    """Things in an answer, which must be as many as said; None where an answer does not tell."""
    ours_only: bool = False

    def check(self, answers: Sequence[bytes]) -> None:
        """Raise `ValueError` for an answer that has not everything."""
        if self.count is not None:
            for answer in answers:
                if (found := self.count(json.loads(answer))) != self.things:
                    raise ValueError(f"{self.name}: {found} of {self.things} in {answer[:500]!r}")


def submissions(known: Known, jobs: int, size: int) -> list[bytes]:
    """New jobs, so many in each call, each with a JDL of its own."""
    numbers = _numbers(known, jobs)
    return [_submit(known, [jdl(n) for n in numbers[at : at + size]]) for at in range(0, jobs, size)]


def groups(known: Known, jobs: int) -> list[bytes]:
    """New jobs, a group in each call, by one parametric JDL: those of DiracX never leave the state Submitting."""
    return [
        _submit(known, [jdl(n, seed="%s", more=f"Parameters = {GROUP}; ParameterStart = {n};")])
        for n in _numbers(known, jobs)[::GROUP]
    ]


def _numbers(known: Known, jobs: int) -> range:
    first, known.submitted = known.submitted, known.submitted + jobs
    return range(first, first + jobs)


def _submit(known: Known, jdls: list[str]) -> bytes:
    return encode("POST", "/api/jobs/jdl", known.token, jdls)


def jdl(number: int, *, seed: str = "", more: str = "") -> str:
    """What a user submits."""
    return (
        f'[Executable = "/bin/echo"; Arguments = "--seed {seed or number} --events 1000"; JobName = "simulate_{number}"; '
        f'JobGroup = "{number // GROUP:08d}"; JobType = "User"; CPUTime = 86400; StdOutput = "std.out"; '
        f'StdError = "std.err"; OutputSandbox = {{"std.out", "std.err"}}; {more}]'
    )


def states(known: Known, ids: Sequence[int], **said: str) -> list[bytes]:
    """The same about all these jobs, in calls of a hundred, now."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return [
        encode("PATCH", "/api/jobs/status", known.token, {str(n): {at: said} for n in part}) for part in _parts(ids)
    ]


def _statuses(known: Known) -> list[bytes]:
    text = f"event {next(_ticks)}"
    return states(
        known, known.ids[:RUNNING], MinorStatus="Application", ApplicationStatus=text, Source="JobWrapper"
    )  # fmt: skip


def _heartbeats(known: Known) -> list[bytes]:
    said = {
        "LoadAverage": 1.5, "MemoryUsed": 2_000_000.0, "Vsize": 3_000_000.0, "AvailableDiskSpace": 10_000.0,
        "CPUConsumed": 100.0, "WallClockTime": 110.0, "StandardOutput": f"{next(_ticks)}\n{TAIL}",
    }  # fmt: skip
    return [
        encode("PATCH", "/api/jobs/heartbeat", known.token, {str(n): said for n in part})
        for part in _parts(known.ids[:RUNNING])
    ]


def _parts(ids: Sequence[int]) -> list[Sequence[int]]:
    return [ids[at : at + GROUP] for at in range(0, len(ids), GROUP)]


def _search(known: Known, **body: Any) -> bytes:
    return encode("POST", "/api/jobs/search", known.token, body)


def _where(name: str, value: str) -> list[dict[str, str]]:
    return [{"parameter": name, "operator": "eq", "value": value}]


NEWEST = [{"parameter": "JobID", "direction": "desc"}]


def _by_ids(known: Known) -> list[bytes]:
    draw = random.Random(next(_ticks))
    return [
        _search(known, search=[{"parameter": "JobID", "operator": "in", "values": draw.sample(known.ids, GROUP)}])
        for _ in range(50)
    ]


def _by_group(known: Known) -> list[bytes]:
    draw, groups = random.Random(next(_ticks)), RUNNING // GROUP
    return [_search(known, search=_where("JobGroup", f"{draw.randrange(groups):08d}")) for _ in range(50)]


WORKLOADS = (
    Workload("userinfo", "requests", lambda k: [encode("GET", "/api/auth/userinfo", k.token)] * 400),
    Workload("config", "requests", lambda k: [encode("GET", "/api/config/", k.token)] * 200),
    Workload("config, known (304)", "requests", lambda k: [_with_etag(k)] * 400),
    Workload("search: 100 ids", "jobs shown", _by_ids, GROUP, len),
    Workload("search: a group, all its 100", "jobs shown", _by_group, GROUP, len),
    Workload(
        "search: waiting, newest 100", "jobs shown",
        lambda k: [_search(k, search=_where("Status", "Waiting"), sort=NEWEST)] * 50, GROUP, len,
    ),
    Workload("search: all, newest 100", "jobs shown", lambda k: [_search(k, sort=NEWEST)] * 50, GROUP, len),
    Workload(
        "summary by status", "requests",
        lambda k: [encode("POST", "/api/jobs/summary", k.token, {"grouping": ["Status"]})] * 50,
    ),
    Workload("statuses, 100 a call", "jobs", _statuses, GROUP, lambda said: len(said["success"])),
    Workload("heartbeats, 100 a call", "jobs", _heartbeats, GROUP),
    Workload("submit, 1 a call", "jobs", lambda k: submissions(k, 100, 1), 1, len),
    Workload("submit, 20 a call", "jobs", lambda k: submissions(k, 1000, MOST), MOST, len),
    Workload("submit, 100 a call", "jobs", lambda k: submissions(k, 2000, 100), 100, len, ours_only=True),
)  # fmt: skip
"""In this order: what submits comes last, since its jobs are in the way of nobody then."""


def _with_etag(known: Known) -> bytes:
    head, _ = encode("GET", "/api/config/", known.token).split(b"\r\n\r\n")
    return head + f"\r\nif-none-match: {known.etag}\r\n\r\n".encode()

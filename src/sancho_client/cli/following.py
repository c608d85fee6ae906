"""Waiting for jobs and following their output, by asking again and again, patiently when the server is away."""

import time
from collections import Counter

import typer

from sancho_client.calls import jobs
from sancho_client.cli.progress import Count, count_bar
from sancho_client.cli.verbs import Session
from sancho_client.errors import ClientError, ServerAway
from sancho_client.models.jobs import FINAL, Log

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 4.0
LONGEST_PAUSE_OF_LOGS = 1.0
"""What a payload prints reaches the server up to 4 s later, and is to be seen within 5 s."""
GROWTH = 1.3
PATIENCE = 300.0
"""Seconds for which a wait bears a server that is away."""


def wait(session: Session, job_ids: list[int] | None, submission: int | None, timeout: float | None) -> dict[str, int]:
    """Wait until jobs are over; returns how many ended in each state."""
    deadline = None if timeout is None else time.monotonic() + timeout
    pauses = Pauses(session)
    over: dict[int, str] = {}
    with count_bar(session.output, "Jobs") as bar:
        while True:
            try:
                counts = _ask(session, job_ids, submission, over)
            except ServerAway as e:
                pauses.away(e)
            else:
                pauses.back()
                _show(bar, counts)
                if not set(counts) - FINAL:
                    return dict(counts)
            if deadline is not None and time.monotonic() >= deadline:
                raise ClientError("The jobs are not over yet.", hint="Wait again, or longer.")
            pauses.sleep(deadline)


def _ask(session: Session, job_ids: list[int] | None, submission: int | None, over: dict[int, str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    if submission is not None:
        counts.update({c.state: c.count for c in session.client.send(jobs.summary(submission)) if c.count})
        if not counts:
            raise typer.BadParameter(f"Submission {submission} has no jobs that you may see.")
    for job_id in job_ids or []:
        if job_id not in over:
            state = session.client.send(jobs.show(job_id)).state
            if state in FINAL:
                over[job_id] = state
            counts[state] += 1
        else:
            counts[over[job_id]] += 1
    return counts


def _show(bar: Count, counts: Counter[str]) -> None:
    done = sum(n for state, n in counts.items() if state in FINAL)
    bar.show(done, counts.total(), tell(counts))


def tell(counts: Counter[str] | dict[str, int]) -> str:
    """Counts in words: `18 done, 2 failed`."""
    return ", ".join(f"{n} {state}" for state, n in sorted(counts.items()))


def follow(session: Session, job_id: int, attempt: int | None) -> None:
    """Write a job's output as it grows, until the job is over; a new attempt begins anew."""
    seen = Seen()
    pauses = Pauses(session, longest=LONGEST_PAUSE_OF_LOGS)
    while True:
        try:
            log = session.client.send(jobs.log(job_id, attempt, follow=True))
        except ServerAway as e:
            pauses.away(e)
        else:
            grown = seen.add(log)
            if grown:
                pauses.back()
                _write(session, log, grown)
            if log.final:
                session.output.say(f"Job {job_id} is {log.state}.")
                return
        pauses.sleep(None)


def _write(session: Session, log: Log, grown: str) -> None:
    if session.output.as_json:
        session.output.out.print_json(data={"attempt": log.attempt, "text": grown}, indent=None)
    else:
        session.output.out.out(grown, end="", highlight=False)


class Seen:
    """How much of a log has been shown; it is known by its size in bytes and its last part."""

    def __init__(self) -> None:
        self._attempt: int | None = None
        self._size = 0

    def add(self, log: Log) -> str:
        """The part of a log that is new; says so when something in between was missed."""
        if log.attempt != self._attempt:
            self._attempt, self._size = log.attempt, 0
        tail = log.tail.encode()
        new = log.log_size - self._size
        if new <= 0:
            return ""
        first = self._size == 0
        self._size = log.log_size
        if new > len(tail):
            missed = f"… {new - len(tail)} bytes of output are not kept …\n"
            return missed + log.tail if not first else log.tail
        return tail[len(tail) - new :].decode(errors="replace")


class Pauses:
    """Pauses that grow while nothing happens, and patience with a server that is away."""

    def __init__(self, session: Session, *, longest: float = LONGEST_PAUSE) -> None:
        self._session = session
        self._longest = longest
        self._pause = FIRST_PAUSE
        self._away_since: float | None = None

    def away(self, error: ServerAway) -> None:
        """The server was away: bear it for a while, then raise."""
        now = time.monotonic()
        if self._away_since is None:
            self._away_since = now
            self._session.output.say(f"{error.message}; waiting for it to come back.")
        if now - self._away_since > PATIENCE:
            raise error

    def back(self) -> None:
        """The server answered."""
        if self._away_since is not None:
            self._session.output.say("The server is back.")
            self._away_since = None

    def sleep(self, deadline: float | None) -> None:
        """Pause, not beyond a deadline."""
        left = self._pause if deadline is None else min(self._pause, max(0.0, deadline - time.monotonic()))
        time.sleep(left)
        self._pause = min(self._longest, self._pause * GROWTH)

"""What is stuck, for whoever has to find out why: jobs with their last words, rules, transfers, pilots, programs."""

import json
from collections.abc import Iterator, Sequence

from sancho.local.demonstration.workload import Work
from sancho.local.home import Home
from sancho.local.logs import last_lines
from sancho.local.programs import State, read_state
from sancho_client.calls import jobs, rules, topology
from sancho_client.client import Client
from sancho_client.errors import ClientError

LINES = 12
"""Of the output of a job, of the log of a program."""
JOBS = 4
"""Per VO: the others fail in the same way."""


def describe(home: Home, administrator: Client, works: Sequence[Work]) -> Iterator[str]:
    """Say what is stuck, line by line; what cannot be asked any more is left out."""
    for work in works:
        try:
            yield from _of_vo(work)
        except ClientError as e:
            yield f"{work.vo} cannot be asked: {e.message}"
    try:
        for pilot in administrator.pages(topology.pilots(limit=20)):
            if pilot.detail is not None:
                yield f"pilot {pilot.pilot_id} at {pilot.ce} is {pilot.state}: {pilot.detail}"
    except ClientError as e:
        yield f"the pilots cannot be asked for: {e.message}"
    yield from programs(home)


def _of_vo(work: Work) -> Iterator[str]:
    stuck = [
        job
        for submission in (work.simulate, work.analyse)
        for job in work.client.pages(jobs.list_jobs(submission=submission))
        if job.state != "done"
    ]
    for job in sorted(stuck, key=lambda one: not one.over)[:JOBS]:
        seen = work.client.send(jobs.show(job.job_id))
        why = seen.reason or seen.detail or "nobody says why"
        yield f"{work.vo}: job {job.job_id} ({job.name}) is {job.state}: {why}"
        for attempt in seen.attempt_list:
            yield f"    attempt {attempt.number} at {attempt.site}: {attempt.state} {attempt.detail or ''}"
        yield from (f"    | {line}" for line in work.client.send(jobs.log(job.job_id)).tail.splitlines()[-LINES:])
    for rule in work.client.pages(rules.list_rules()):
        if rule.state != "ok":
            counts = f"{rule.ok} ok, {rule.replicating} replicating, {rule.stuck} stuck"
            yield f"{work.vo}: rule {rule.rule_id} on {rule.did} is {rule.state} ({counts}) {rule.error or ''}"
    for wish in work.client.pages(rules.transfers(limit=20)):
        yield f"{work.vo}: {wish.did} to {wish.rse} is {wish.state} after {wish.tries} tries: {wish.error or ''}"


def programs(home: Home) -> Iterator[str]:
    """Say how the programs of a grid fare, and what they complained about last."""
    state = read_state(home.folder)
    for one in state.programs if state is not None else []:
        if one.restarts or one.state is not State.READY:
            yield f"{one.name} is {one.state}, restarted {one.restarts} times, last exit: {one.last_exit}"
        lines = last_lines(home.logs / f"{one.name}.log", 200)
        yield from (f"    {one.name} | {line}" for line in [line for line in lines if _complains(line)][-LINES:])


def _complains(line: str) -> bool:
    try:
        said = json.loads(line)
    except ValueError:
        return line.startswith(("ERROR", "WARNING", "Traceback", "FATAL", "PANIC"))
    return isinstance(said, dict) and said.get("level") in {"error", "critical", "warning"}  # pyright: ignore[reportUnknownMemberType]

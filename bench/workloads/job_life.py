"""`PATCH /v1/jobs/statuses` and `/v1/jobs/heartbeats`: what 10 000 jobs say while they run, in any order of jobs.

Statuses come in calls of 100 and of 1000, each with a minor and an application status; heartbeats in calls of 100, with
what a job uses and the end of its output. Raw: the rows of history and the latest rows of the same calls, in plain SQL.
"""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bench.driver import Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads.submit_jobs import BATCH, description, parameters

JOBS, ROUND = 10_000, 20_000
TAIL = "event 1000: all is well\n" * 20

RAW_STATUS = """
WITH logged AS (
    INSERT INTO job_history (vo, state, attempt, job_id, at, source, minor, application)
    SELECT %(vo)s, 'W', 0, id, now(), 'bench', said, said FROM unnest(%(ids)s::bigint[], %(texts)s::text[]) n (id, said))
INSERT INTO job_status AS u (vo, kind, state, attempt, job_id, at, said, source)
SELECT %(vo)s, kind, 'W', 0, id, now(), said, 'bench'
  FROM unnest(%(ids)s::bigint[], %(texts)s::text[]) n (id, said) CROSS JOIN (VALUES ('A'::"char"), ('M')) k (kind)
 ORDER BY id, kind
    ON CONFLICT (job_id, vo, kind) DO UPDATE SET at = excluded.at, said = excluded.said
"""
RAW_BEAT = """
INSERT INTO job_heartbeat AS h (vo, job_id, load, cpu, tail)
SELECT %(vo)s, id, 1.5, 100, said FROM unnest(%(ids)s::bigint[], %(texts)s::text[]) n (id, said) ORDER BY id
    ON CONFLICT (job_id, vo) DO UPDATE SET at = now(), load = excluded.load, cpu = excluded.cpu, tail = excluded.tail
"""

_ticks = itertools.count()


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Statuses and heartbeats taken in a second."""
    token, ids = ground.token(), _jobs(ground)
    ground.settle()
    with ground.unlimited() as unlimited:
        driver = unlimited.driver()

        def sent(path: str, size: int, say: Callable[[Sequence[int]], Any]) -> Callable[[], Round]:
            def api() -> Round:
                return driver.run(
                    [encode("PATCH", path, token, say(part)) for part in _parts(ids, size)], items=ROUND
                )  # fmt: skip

            return api

        def raw(query: Any, size: int, text: Callable[[], str]) -> Callable[[], Round]:
            return lambda: _raw(unlimited, query, _parts(ids, size), text)

        found: list[Figure] = []
        for name, size in (("job_status_100", 100), ("job_status_1000", 1000)):
            api = sent("/v1/jobs/statuses", size, _statuses)
            found += compare(name, rows, api, raw(RAW_STATUS, size, _text), rounds=rounds)[:1]
        api = sent("/v1/jobs/heartbeats", 100, _beats)
        found += compare("job_heartbeat_100", rows, api, raw(RAW_BEAT, 100, lambda: TAIL), rounds=rounds)[:1]
    return tuple(found)


def _jobs(ground: Ground) -> list[int]:
    query = """
    SELECT j.job_id::text, j.job_id FROM job j JOIN account a ON a.account_id = j.account_id AND a.vo = j.vo
     WHERE j.vo = %s AND j.state = 'W' AND a.name = 'prod' ORDER BY j.job_id DESC LIMIT 10000
    """
    if len(found := ground.ids(query, LHCB)) < JOBS:
        token = ground.token()
        calls = [
            encode("POST", "/v1/jobs", token, {"description": description(n), "parameters": parameters(n)})
            for n in range(JOBS // BATCH)
        ]
        ground.driver().run(calls, items=JOBS)
        found = ground.ids(query, LHCB)
    return list(found.values())


def _parts(ids: Sequence[int], size: int) -> list[list[int]]:
    """So many jobs in each call, in no order, some calls about the same ones."""
    draw = random.Random(next(_ticks))
    return [draw.sample(ids, size) for _ in range(ROUND // size)]


def _text() -> str:
    return f"event {next(_ticks)}"


def _statuses(ids: Sequence[int]) -> Any:
    at = datetime.now(UTC).isoformat()
    return {
        "statuses": [{"job_id": n, "at": at, "source": "bench", "minor": _text(), "application": _text()} for n in ids]
    }


def _beats(ids: Sequence[int]) -> Any:
    used = {"load": 1.5, "memory": 2_000_000_000, "disk": 10**10, "cpu": 100.0, "wall": 110.0, "tail": TAIL}
    return {"beats": [{"job_id": n, **used} for n in ids]}


def _raw(ground: Ground, query: Any, parts: Sequence[Sequence[int]], text: Callable[[], str]) -> Round:
    latencies: list[float] = []
    began = time.perf_counter()
    for part in parts:
        at = time.perf_counter()
        ground.raw.execute(query, {"vo": LHCB, "ids": list(part), "texts": [text() for _ in part]})
        latencies.append((time.perf_counter() - at) * 1000)
    return Round(ROUND, time.perf_counter() - began, latencies)

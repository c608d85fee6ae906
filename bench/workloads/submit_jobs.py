"""`POST /v1/jobs`: 1000 jobs that differ in their parameters, in one call; calls take turns between four task queues.

Raw: the same rows of the same tables: submission, jobs, specs, history, queue and its size.
"""

import itertools
import json
import time
from typing import Any

from psycopg.types.json import Jsonb

from bench.driver import Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground

CALLS, BATCH, QUEUES = 25, 1000, 4

RAW_SUBMISSION = """
INSERT INTO submission (vo, account_id, jobs, description) VALUES (%(vo)s, %(account_id)s, %(jobs)s, %(description)s)
RETURNING submission_id
"""
RAW_JOBS = """
WITH made AS MATERIALIZED (
    SELECT nextval('job_job_id_seq') AS job_id, number::int - 1 AS number, parameters
      FROM unnest(%(parameters)s::text[]) WITH ORDINALITY AS p (parameters, number)),
jobs AS (
    INSERT INTO job (vo, state, task_queue_id, account_id, job_id) OVERRIDING SYSTEM VALUE
    SELECT %(vo)s, 'W', %(task_queue_id)s, %(account_id)s, job_id FROM made),
specs AS (
    INSERT INTO job_spec (vo, number, job_id, submission_id, parameters)
    SELECT %(vo)s, number, job_id, %(submission_id)s, parameters::jsonb FROM made),
history AS (
    INSERT INTO job_history (vo, state, attempt, job_id) SELECT %(vo)s, 'W', 0, job_id FROM made)
INSERT INTO waiting_job (vo, priority, task_queue_id, job_id) SELECT %(vo)s, 0, %(task_queue_id)s, job_id FROM made
"""
RAW_COUNT = """
INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting) VALUES (%(vo)s, 0, %(task_queue_id)s, %(jobs)s)
    ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting + excluded.waiting
"""

_batches = itertools.count()


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Jobs submitted in a second."""
    token = ground.token()
    account_id = ground.ids("SELECT name, account_id FROM account WHERE vo = %s", LHCB)["prod"]

    driver = ground.driver()

    def api() -> Round:
        calls = [
            encode("POST", "/v1/jobs", token, {"description": description(b), "parameters": parameters(b)})
            for b in itertools.islice(_batches, CALLS)
        ]
        return driver.run(calls, items=CALLS * BATCH)

    api()  # makes the task queues
    queues = [
        row[0]
        for row in ground.admin.execute(
            "SELECT task_queue_id FROM task_queue WHERE vo = %s AND requirements->0->'tags' ? 'bench' ORDER BY 1",
            [LHCB],
        )
    ]

    def raw() -> Round:
        calls = [_raw_call(b, account_id, queues) for b in itertools.islice(_batches, CALLS)]
        latencies: list[float] = []
        began = time.perf_counter()
        for call in calls:
            at = time.perf_counter()
            with ground.raw.transaction():
                made = ground.raw.execute(RAW_SUBMISSION, call).fetchone()
                ground.raw.execute(RAW_JOBS, call | {"submission_id": made and made[0]})
                ground.raw.execute(RAW_COUNT, call)
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * BATCH, time.perf_counter() - began, latencies)

    return compare("submit_jobs", rows, api, raw, rounds=rounds)[:1]


def description(batch: int) -> dict[str, Any]:
    """What the jobs of a call compute."""
    return {
        "name": "simulate", "group": "mc", "command": ["./simulate", "--seed", "{seed}", "--events", "{events}"],
        "environment": {"DETECTOR": "2024"}, "output_sandbox": ["*.log"],
        "requirements": {
            "cores": 1, "memory": 2_000_000_000, "walltime": 3600 * (1 + batch % QUEUES), "tags": ["bench"],
        },
    }  # fmt: skip


def parameters(batch: int) -> list[dict[str, Any]]:
    """In what the jobs of a call differ."""
    return [{"seed": batch * BATCH + n, "events": 1000, "run": f"{batch:08d}"} for n in range(BATCH)]


def _raw_call(batch: int, account_id: int, queues: list[int]) -> dict[str, Any]:
    rows = [json.dumps({"number": n, **row}) for n, row in enumerate(parameters(batch), start=1)]
    return {
        "vo": LHCB, "account_id": account_id, "jobs": BATCH, "description": Jsonb(description(batch)),
        "task_queue_id": queues[batch % len(queues)], "parameters": rows,
    }  # fmt: skip

"""`POST /v1/jobs`: a million jobs that differ in their number alone, in one call.

Raw: the same three rows: submission, range of jobs, size of the queue.
"""

import time

from psycopg.types.json import Jsonb

from bench.driver import Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground

CALLS, JOBS, WALLTIME = 20, 1_000_000, 7777
DESCRIPTION = {
    "name": "simulate", "group": "mc", "command": ["./simulate", "--seed", "{number}"],
    "requirements": {"cores": 1, "memory": 2_000_000_000, "walltime": WALLTIME, "tags": ["bench"]},
}  # fmt: skip
RAW_RANGE = """
WITH made AS (
    INSERT INTO submission (vo, account_id, jobs, description, first_id)
    VALUES (%(vo)s, %(account_id)s, %(jobs)s, %(description)s, %(first)s)
    RETURNING submission_id)
INSERT INTO job_range (vo, state, task_queue_id, account_id, submission_id, base_id, first_id, last_id, history)
SELECT %(vo)s, 'W', %(task_queue_id)s, %(account_id)s, submission_id, %(first)s, %(first)s, %(first)s + %(jobs)s - 1,
       jsonb_build_array(jsonb_build_object('state', 'W', 'at', now()))
  FROM made
"""
RAW_COUNT = """
INSERT INTO task_queue_slot AS s (vo, slot, task_queue_id, waiting) VALUES (%(vo)s, 0, %(task_queue_id)s, %(jobs)s)
    ON CONFLICT (task_queue_id, vo, slot) DO UPDATE SET waiting = s.waiting + excluded.waiting
"""


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Jobs submitted in a second; the latency is that of a call, for a million of them."""
    token = ground.token()
    account_id = ground.ids("SELECT name, account_id FROM account WHERE vo = %s", LHCB)["prod"]
    driver = ground.driver(1)
    call = encode("POST", "/v1/jobs", token, {"description": DESCRIPTION, "parameters": {"count": JOBS}})

    def api() -> Round:
        return driver.run([call] * CALLS, items=CALLS * JOBS)

    api()  # makes the task queue
    queue = ground.admin.execute(
        "SELECT task_queue_id FROM task_queue WHERE vo = %s AND (requirements->0->>'walltime')::float8 = %s",
        [LHCB, WALLTIME],
    ).fetchone()

    def raw() -> Round:
        known = {
            "vo": LHCB, "account_id": account_id, "jobs": JOBS, "description": Jsonb(DESCRIPTION),
            "task_queue_id": queue and queue[0],
        }  # fmt: skip
        latencies: list[float] = []
        began = time.perf_counter()
        for _ in range(CALLS):
            at = time.perf_counter()
            with ground.raw.transaction():
                first = ground.raw.execute("SELECT reserve_jobs(%s::int)", [JOBS]).fetchone()
                ground.raw.execute(RAW_RANGE, known | {"first": first and first[0]})
                ground.raw.execute(RAW_COUNT, known)
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * JOBS, time.perf_counter() - began, latencies)

    figures = compare("submit_parametric", rows, api, raw, rounds=rounds)[:1]
    # Other workloads of the run match what waits, and count what they matched: nothing of this is left to them.
    ground.admin.execute("DELETE FROM task_queue_slot WHERE task_queue_id = %s", [queue and queue[0]])
    ground.admin.execute("DELETE FROM job_range WHERE task_queue_id = %s", [queue and queue[0]])
    return figures

"""`POST /v1/rules` for a closed dataset of 10 000 files that must all move: locks, replicas, requests in one commit.

Raw: the same rows of the same tables, in one transaction; a dataset of its own for every call.
"""

import time

from bench.driver import Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads import datasets

CALLS = 2
SOURCE, GOAL = "LCG.CERN.cern-DISK", "LCG.CNAF.it-DISK"

RAW_RULE = """
INSERT INTO rule (vo, copies, account_id, did_id, replicating)
SELECT %(vo)s, 1, d.account_id, d.did_id, %(files)s FROM did d JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
 WHERE s.name = 'bench' AND s.vo = %(vo)s AND d.name = %(name)s
RETURNING rule_id, did_id, account_id
"""
RAW_DETAIL = """
INSERT INTO rule_detail (vo, rule_id, rse_ids, rse_expression) VALUES (%(vo)s, %(rule_id)s, ARRAY[%(rse_id)s], 'rse=x')
"""
RAW_REPLICAS = """
WITH made AS (
    INSERT INTO replica (vo, state, rse_id, did_id, size, lock_count)
    SELECT %(vo)s, 'C', %(rse_id)s, d.did_id, d.size, 1
      FROM attachment a JOIN did d ON d.did_id = a.child_id AND d.vo = a.vo
     WHERE a.parent_id = %(did_id)s AND a.vo = %(vo)s
    RETURNING did_id, size),
locked AS (
    INSERT INTO lock (vo, did_id, rse_id, rule_id, size)
    SELECT %(vo)s, did_id, %(rse_id)s, %(rule_id)s, size FROM made),
asked AS (
    INSERT INTO transfer_request (vo, did_id, rse_id) SELECT %(vo)s, did_id, %(rse_id)s FROM made
    RETURNING request_id)
INSERT INTO transfer_ready (vo, priority, rse_id, request_id) SELECT %(vo)s, 3, %(rse_id)s, request_id FROM asked
"""
RAW_USAGE = """
INSERT INTO rse_usage_slot AS s (vo, slot, rse_id, files, size) VALUES (%(vo)s, 0, %(rse_id)s, %(files)s, 0)
    ON CONFLICT (rse_id, vo, slot) DO UPDATE SET files = s.files + excluded.files
"""
RAW_CHARGE = """
INSERT INTO usage_slot AS s (vo, slot, account_id, rse_id, files, size)
VALUES (%(vo)s, 0, %(account_id)s, %(rse_id)s, %(files)s, 0)
    ON CONFLICT (account_id, rse_id, vo, slot) DO UPDATE SET files = s.files + excluded.files
"""


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Locks placed in a second; the latency is that of a whole rule."""
    token = ground.token()
    rse_id = ground.ids("SELECT name, rse_id FROM rse WHERE name = %s", GOAL)[GOAL]
    names = [datasets.make(ground, [SOURCE]) for _ in range(2 * CALLS * (rounds + 1))]
    ground.settle()

    driver = ground.driver(1)

    def api() -> Round:
        calls = [
            encode("POST", "/v1/rules", token, {"did": f"bench:{names.pop()}", "rse_expression": f"rse={GOAL}"})
            for _ in range(CALLS)
        ]
        return driver.run(calls, items=CALLS * datasets.FILES)

    def raw() -> Round:
        latencies: list[float] = []
        began = time.perf_counter()
        for _ in range(CALLS):
            at = time.perf_counter()
            _place(ground, names.pop(), rse_id)
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * datasets.FILES, time.perf_counter() - began, latencies)

    return compare("rule_10k", rows, api, raw, rounds=rounds)[:1]


def _place(ground: Ground, name: str, rse_id: int) -> None:
    known = {"vo": LHCB, "files": datasets.FILES, "name": name, "rse_id": rse_id}
    with ground.raw.transaction():
        made = ground.raw.execute(RAW_RULE, known).fetchone()
        assert made is not None
        known |= {"rule_id": made[0], "did_id": made[1], "account_id": made[2]}
        for statement in (RAW_DETAIL, RAW_REPLICAS, RAW_USAGE, RAW_CHARGE):
            ground.raw.execute(statement, known)

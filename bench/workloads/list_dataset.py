"""`GET /v1/replicas/{did}`: a dataset of 10 000 files with their two replicas each, as lines of JSON.

Raw: a SELECT of the same facts, a row for each file, all rows fetched by one connection; nobody makes JSON of them.
"""

import time

from bench.driver import AnswerRefused, Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads import datasets

CALLS = 12
RAW = """
SELECT s.name || ':' || d.name, d.size, d.adler32, d.did_id,
       (SELECT array_agg(rse.name || ' ' || r.state::text ORDER BY r.rse_id)
          FROM replica r JOIN rse ON rse.rse_id = r.rse_id WHERE r.did_id = d.did_id AND r.vo = d.vo)
  FROM attachment a
  JOIN did d ON d.did_id = a.child_id AND d.vo = a.vo
  JOIN scope s ON s.scope_id = d.scope_id AND s.vo = d.vo
 WHERE a.parent_id = %(did_id)s AND a.vo = %(vo)s
 ORDER BY d.did_id
"""
PLACES = ["LCG.CERN.cern-DISK", "LCG.CNAF.it-DISK"]


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Files listed in a second."""
    name = datasets.make(ground, PLACES)
    ground.settle()
    call = encode("GET", f"/v1/replicas/bench:{name}", ground.token())
    known = {"vo": LHCB, "did_id": int(name.rpartition("-")[2])}

    driver = ground.driver()

    def api() -> Round:
        answers: list[bytes] = []
        found = driver.run([call] * CALLS, items=CALLS * datasets.FILES, answers=answers)
        if any(body.count(b'{"did"') != datasets.FILES for body in answers):
            raise AnswerRefused("a listing is not complete")
        return found

    def raw() -> Round:
        latencies: list[float] = []
        began = time.perf_counter()
        for _ in range(CALLS):
            at = time.perf_counter()
            ground.raw.execute(RAW, known).fetchall()
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * datasets.FILES, time.perf_counter() - began, latencies)

    return compare("list_dataset", rows, api, raw, rounds=rounds)[:1]

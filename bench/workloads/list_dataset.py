"""`GET /v1/replicas/{did}`: a dataset of 10 000 files with their two replicas each, as lines of JSON.

Raw: the same SELECT as the server's, all rows fetched by one connection.
"""

import time

from bench.driver import AnswerRefused, Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground
from bench.workloads import datasets
from sancho.replicas.store.listing import LISTING

CALLS = 12
PLACES = ["LCG.CERN.cern-DISK", "LCG.CNAF.it-DISK"]


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Files listed in a second."""
    name = datasets.make(ground, PLACES)
    ground.settle()
    call = encode("GET", f"/v1/replicas/bench:{name}", ground.token)
    known = {"vo": LHCB, "vo_name": "lhcb", "did_id": int(name.rpartition("-")[2])}

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
            ground.raw.execute(LISTING, known).fetchall()
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * datasets.FILES, time.perf_counter() - began, latencies)

    return compare("list_dataset", rows, api, raw, rounds=rounds)[:1]

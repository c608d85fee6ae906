"""What the walls between VOs cost: the same statements with row-level security and without.

`walls_read`: 500 files by id with their replicas. `walls_write`: 500 files registered, as in `register_files`.
Both sides open a transaction for one VO; the server's role is bound by the walls, the owner of the tables is not.
"""

import itertools
import random
import time
from collections.abc import Callable
from typing import Any, LiteralString

import psycopg

from bench.driver import Round
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground, Row
from bench.workloads.register_files import RAW, RAW_USAGE
from sancho.local.postgres import OWNER, SERVER

CALLS, BATCH = 40, 500
READ = """
SELECT did.did_id, did.name, did.size, replica.rse_id, replica.state
  FROM did JOIN replica ON replica.did_id = did.did_id AND replica.vo = did.vo
 WHERE did.vo = %(vo)s AND did.did_id = ANY(%(ids)s::bigint[])
"""

_batches = itertools.count()


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Files read, and written, in a second."""
    account_id = ground.ids("SELECT name, account_id FROM account WHERE vo = %s", LHCB)["prod"]
    scope_id = ground.ids("SELECT name, scope_id FROM scope WHERE vo = %s", LHCB)["bench"]
    rses = list(ground.ids("SELECT name, rse_id FROM rse ORDER BY rse_id").values())
    files = [row[0] for row in ground.admin.execute(
        "SELECT did_id FROM did WHERE vo = %s AND kind = 'F' ORDER BY did_id LIMIT 100000", [LHCB]).fetchall()]  # fmt: skip
    draw = random.Random(7)
    ground.settle()

    def read() -> tuple[list[LiteralString], dict[str, Any]]:
        return [READ], {"vo": LHCB, "ids": draw.sample(files, min(BATCH, len(files)))}

    def write() -> tuple[list[LiteralString], dict[str, Any]]:
        batch = next(_batches)
        return [RAW, RAW_USAGE], {
            "vo": LHCB, "scope_id": scope_id, "account_id": account_id, "rse_id": rses[batch % len(rses)],
            "names": [f"walls/{batch:08d}/{n:08d}.dst" for n in range(BATCH)], "sizes": [1_000_000 + n for n in range(BATCH)],
            "sums": list(range(BATCH)), "files": BATCH, "size": BATCH * 1_000_000,
        }  # fmt: skip

    with _connect(ground, SERVER) as walled, _connect(ground, OWNER) as free:
        return tuple(
            compare(name, rows, lambda w=work: _run(walled, w), lambda w=work: _run(free, w), rounds=2 * rounds)[0]
            for name, work in (("walls_read", read), ("walls_write", write))
        )


def _connect(ground: Ground, role: str) -> Row:
    conn = psycopg.connect(ground.cluster.url(role), autocommit=True, options="-c search_path=sancho,procrastinate")
    conn.prepare_threshold = 0
    return conn


def _run(conn: Row, work: Callable[[], tuple[list[LiteralString], dict[str, Any]]]) -> Round:
    calls = [work() for _ in range(CALLS)]
    latencies: list[float] = []
    began = time.perf_counter()
    for statements, parameters in calls:
        at = time.perf_counter()
        conn.execute(f"BEGIN; SELECT set_config('sancho.vo', '{LHCB}', true)".encode(), prepare=False)
        for statement in statements:
            conn.execute(statement, parameters)
        conn.execute("COMMIT", prepare=False)
        latencies.append((time.perf_counter() - at) * 1000)
    return Round(CALLS * BATCH, time.perf_counter() - began, latencies)

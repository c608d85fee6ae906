"""`POST /v1/replicas`: 500 files that are on an RSE get DIDs, replicas and usage in one call.

Raw: the same rows of the same tables by `INSERT … SELECT unnest`, two statements in a transaction.
"""

import itertools
import time
from collections.abc import Callable
from typing import Any

from bench.driver import Round, encode
from bench.figures import Figure, compare
from bench.ground import LHCB, Ground

CALLS, BATCH = 40, 500

RAW = """
WITH made AS (
    INSERT INTO did (vo, kind, open, scope_id, size, account_id, adler32, name)
    SELECT %(vo)s, 'F', false, %(scope_id)s, f.size, %(account_id)s, f.adler32, f.name
      FROM unnest(%(names)s::text[], %(sizes)s::bigint[], %(sums)s::int[]) AS f (name, size, adler32)
    RETURNING did_id, size)
INSERT INTO replica (vo, state, rse_id, did_id, size) SELECT %(vo)s, 'A', %(rse_id)s, did_id, size FROM made
"""
RAW_USAGE = """
INSERT INTO rse_usage_slot AS s (vo, slot, rse_id, files, size) VALUES (%(vo)s, 0, %(rse_id)s, %(files)s, %(size)s)
    ON CONFLICT (rse_id, vo, slot) DO UPDATE SET files = s.files + excluded.files, size = s.size + excluded.size
"""

_batches = itertools.count()


def measure(ground: Ground, rows: int, rounds: int) -> tuple[Figure, ...]:
    """Files registered in a second."""
    names = list(_rses(ground))
    token = ground.token()

    driver = ground.driver()

    def api() -> Round:
        calls = [encode("POST", "/v1/replicas", token, _body(names, next(_batches))) for _ in range(CALLS)]
        return driver.run(calls, items=CALLS * BATCH)

    return compare("register_files", rows, api, plain(ground), rounds=rounds)[:1]


def _rses(ground: Ground) -> dict[str, int]:
    return ground.ids("SELECT name, rse_id FROM rse ORDER BY rse_id")


def plain(ground: Ground) -> Callable[[], Round]:
    """The raw side: the rows of as many files, by one connection."""
    ids = list(_rses(ground).values())
    scope_id = ground.ids("SELECT name, scope_id FROM scope WHERE vo = %s", LHCB)["bench"]
    account_id = ground.ids("SELECT name, account_id FROM account WHERE vo = %s", LHCB)["prod"]

    def raw() -> Round:
        calls: list[dict[str, Any]] = []
        for _ in range(CALLS):
            batch = next(_batches)
            files = [_file(batch, n) for n in range(BATCH)]
            calls.append(
                {
                    "vo": LHCB, "scope_id": scope_id, "account_id": account_id, "rse_id": ids[batch % len(ids)],
                    "names": [f[0] for f in files], "sizes": [f[1] for f in files], "sums": [f[2] for f in files],
                    "files": BATCH, "size": sum(f[1] for f in files),
                }
            )  # fmt: skip
        latencies: list[float] = []
        began = time.perf_counter()
        for call in calls:
            at = time.perf_counter()
            with ground.raw.transaction():
                ground.raw.execute(RAW, call)
                ground.raw.execute(RAW_USAGE, call)
            latencies.append((time.perf_counter() - at) * 1000)
        return Round(CALLS * BATCH, time.perf_counter() - began, latencies)

    return raw


def _file(batch: int, n: int) -> tuple[str, int, int]:
    """Name (as long as LHCb's), size and checksum of a file."""
    name = f"lhcb/MC/2024/DST/{10_000_000 + batch:08d}/0000/{10_000_000 + batch:08d}_{n:08d}_5.AllStreams.{batch % 97:02d}.dst"
    return name, 1_000_000_000 + batch * BATCH + n, batch * BATCH + n


def _body(rses: list[str], batch: int) -> dict[str, Any]:
    files = [_file(batch, n) for n in range(BATCH)]
    return {
        "rse": rses[batch % len(rses)],
        "files": [{"did": f"bench:{name}", "size": size, "adler32": f"{total:08x}"} for name, size, total in files],
    }

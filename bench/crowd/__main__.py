"""The command line of it."""

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from bench.crowd import searching
from bench.crowd.filling import VOS, fill
from bench.driver import Round, encode
from bench.ground import Ground, open_ground
from sancho.identity import service as identity

REQUESTS, MISSES, ROUNDS = 2000, 0.7, 5
OFFERS_SEED = 3


def main() -> None:
    """Fill, ask in turns, and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m bench.crowd")
    parser.add_argument("--jobs", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path, help="where the database lies meanwhile (default: /var/tmp)")
    parser.add_argument(
        "--shares", action="store_true", help="one owner has 80 %% of the jobs; look at who gets how much"
    )
    parser.add_argument("--search", action="store_true", help="then search the jobs, of which some have ended")
    said = parser.parse_args()
    console = Console(highlight=False)
    with open_ground(said.folder) as ground, ground.unlimited() as served:
        began = time.perf_counter()
        crowd = fill(served, said.jobs, one_has=0.8 if said.shares else 0.0)
        console.print(
            f"{crowd.jobs:,} jobs in {crowd.queues:,} queues of {crowd.owners} owners, in {time.perf_counter() - began:.0f} s"
        )
        time.sleep(15)  # the board is read anew every ten seconds
        if said.shares:
            _shares(served, console)
        else:
            _rates(served, console)
        if said.search:
            searching.measure(served, console, crowd.jobs)


def _rates(ground: Ground, console: Console) -> None:
    """First with tokens that are new to the server on both sides, then again with the same, which it knows."""
    driver = ground.driver()
    ours: dict[str, list[Round]] = {"new": [], "known": []}
    theirs: dict[str, list[Round]] = {"new": [], "known": []}
    given: Counter[str] = Counter()
    for n in range(ROUNDS + 1):
        tokens, others = (_tokens(ground, REQUESTS, f"{n}{side}") for side in "ab")
        asked = [encode("POST", "/v1/pilot/match", t, o) for t, o in zip(tokens, _offers(n), strict=True)]
        for which in ("new", "known"):
            answers: list[bytes] = []
            found = driver.run(asked, items=len(asked), answers=answers)
            empty = driver.run([encode("GET", "/v1/whoami", token) for token in others], items=len(others))
            if n:  # the first turn of either does not count
                ours[which].append(found)
                theirs[which].append(empty)
                given[which] += sum(body != b"" for body in answers)
    for which in ("new", "known"):
        rate, limit = (statistics.median(r.per_second for r in rounds[which]) for rounds in (ours, theirs))
        tail, base = (_p99([ms for r in rounds[which] for ms in r.latencies]) for rounds in (ours, theirs))
        console.print(
            f"{which} tokens: {rate:,.0f} match requests a second, {given[which] / REQUESTS / ROUNDS:.0%} with a job; the "
            f"empty route {limit:,.0f}: ratio {rate / limit:.2f}; p99 {tail:.1f} ms beside {base:.1f} ms: {tail / base:.1f} x"
        )


def _shares(ground: Ground, console: Console) -> None:
    """Jain's index (1984): 1 when all owners get the same, 1/n when one gets all."""
    driver = ground.driver()
    tokens = _tokens(ground, REQUESTS, "0")
    body = _offer(cores=1, memory=4_000_000_000, walltime=864_000)
    driver.run([encode("POST", "/v1/pilot/match", t, body) for t in tokens], items=REQUESTS)
    rows = ground.admin.execute(
        "SELECT j.vo, j.account_id, count(*) FROM attempt a JOIN job j USING (job_id, vo) GROUP BY 1, 2"
    ).fetchall()
    for vo in VOS:
        got = Counter({account: n for of, account, n in rows if of == vo})
        owners = ground.ids("SELECT 'n', count(*) FROM account WHERE vo = %s AND name LIKE 'owner%%'", vo)["n"]
        total, squares = sum(got.values()), sum(n * n for n in got.values())
        console.print(
            f"VO {vo}: {total} jobs to {len(got)} of {owners} owners, Jain {total * total / (owners * squares):.3f}"
        )


def _p99(latencies: Sequence[float]) -> float:
    return statistics.quantiles(latencies, n=100, method="inclusive")[98]


def _offers(turn: int) -> list[dict[str, object]]:
    draw = random.Random(OFFERS_SEED + turn)
    made: list[dict[str, object]] = []
    for _ in range(REQUESTS):
        if draw.random() < MISSES:
            made.append(_offer(cores=1, memory=draw.randint(1, 19) * 100_000_000, walltime=draw.randint(1, 48) * 3600))
        else:
            cores = draw.choices((1, 8), (3, 1))[0]
            made.append(_offer(cores=cores, memory=cores * 4_000_000_000, walltime=864_000))
    return made


def _offer(*, cores: int, memory: int, walltime: int) -> dict[str, object]:
    tags = ["x86-64-v2", "x86-64-v3", *(f"sw:{n}" for n in range(300))]
    return {"cores": cores, "memory": memory, "walltime": walltime, "tags": tags[:200], "held": [], "answered": True}


def _tokens(ground: Ground, number: int, turn: str) -> list[str]:
    """Tokens of new pilots that run, over all sites."""
    rows = ground.admin.execute(
        """
        INSERT INTO pilot (vo, state, ce_id, site_id, stamp, secret_hash)
        SELECT 0, 'R', ce.ce_id, ce.site_id, 'crowd-' || %(turn)s::text || '-' || n, ''
          FROM generate_series(1, %(number)s) n
          JOIN (SELECT row_number() OVER (ORDER BY md5(ce_id::text)) AS place, ce_id, site_id
                  FROM compute_element WHERE tags && ARRAY['sw:1', 'sw:100', 'sw:200', 'sw:299', 'sw:50', 'sw:150', 'sw:250']) ce
            ON ce.place = 1 + n %% 1000
        RETURNING stamp, pilot_id, ce_id
        """,
        {"turn": turn, "number": number},
    ).fetchall()
    return [
        identity.pilot_token(
            ground.signer,
            identity.PilotHolder(pilot_id=pilot_id, ce_id=ce_id, stamp=stamp, vo=0, vos=[0, *VOS], login=""),
            timedelta(days=1),
        )
        for stamp, pilot_id, ce_id in rows
    ]


if __name__ == "__main__":
    main()

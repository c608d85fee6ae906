"""The command line of it."""

import argparse
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from bench.compare_diracx.diracx import open_diracx
from bench.compare_diracx.recordings import MOST, WORKLOADS, Known, Workload, groups, submissions
from bench.compare_diracx.sides import Side
from bench.driver import Driver
from bench.figures import Figure, compare, summary
from bench.ground import CONNECTIONS, open_ground

ENVIRONMENT = Path(__file__).parents[2] / ".venv-diracx"


HEAD = """\
| what | jobs before | counted in | Sancho a second | DiracX a second | Sancho / DiracX | Sancho p50, p95 ms | DiracX p50, p95 ms |
|---|--:|---|--:|--:|--:|--:|--:|"""


def main() -> None:
    """Start both, fill them alike, ask them in turns, and print a table."""
    said = argparse.ArgumentParser(prog="python -m bench.compare_diracx", description="Sancho beside DiracX 0.7.0.")
    said.add_argument("--jobs", type=int, nargs="+", default=[10_000, 100_000], help="how many there are before")
    said.add_argument("--rounds", type=int, default=5)
    said.add_argument("--only", default="", help="only workloads with this in their name")
    said.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="where both databases lie meanwhile")
    said.add_argument("--diracx", type=Path, default=ENVIRONMENT, help="the environment that `make .venv-diracx` makes")
    wanted = said.parse_args()
    began = time.monotonic()
    with _both(wanted.folder, wanted.diracx) as (ours, theirs):
        print(_line(ours, theirs))
        print(HEAD, flush=True)
        for jobs in wanted.jobs:
            for one in (ours, theirs):
                at = time.monotonic()
                one.fill(jobs)
                print(f"{one.name} has {jobs} jobs after {time.monotonic() - at:.0f} s", file=sys.stderr)
            for workload in WORKLOADS:
                if wanted.only in workload.name:
                    print(_measured(workload, jobs, ours, theirs, wanted.rounds), flush=True)
        print(_line(ours, theirs))
    print(f"{time.monotonic() - began:.0f} s")


@contextmanager
def _both(folder: Path, environment: Path) -> Iterator[tuple[Side, Side]]:
    scratch = Path(tempfile.mkdtemp(prefix="diracx-bench-", dir=folder))
    try:
        with open_ground(folder) as ground, ground.unlimited() as served, open_diracx(environment, scratch) as diracx:
            ours = Side(
                "Sancho", served.driver(), Known(served.token()), groups, served.settle, served.port, served.server
            )  # fmt: skip
            driver = Driver(diracx.port, CONNECTIONS)
            theirs = Side(
                "DiracX", driver, Known(diracx.token), partial(submissions, size=MOST), diracx.mariadb.settle, diracx.port,
                diracx.server,
            )  # fmt: skip
            yield ours, theirs
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _measured(workload: Workload, jobs: int, ours: Side, theirs: Side, rounds: int) -> str:
    """A line of the table."""
    if workload.ours_only:
        ours.turn(workload)
        turns = [ours.turn(workload) for _ in range(rounds)]
        mine = summary(workload.name, jobs, turns, limit=1.0)
        return _row(workload, mine, "refused", "", "")
    mine, other = compare(
        workload.name, jobs, lambda: ours.turn(workload), lambda: theirs.turn(workload), rounds=rounds
    )  # fmt: skip
    return _row(workload, mine, f"{other.per_second:,.0f}", f"{mine.ratio:.1f}", _latencies(other))


def _row(workload: Workload, mine: Figure, rate: str, ratio: str, latencies: str) -> str:
    """The cells of a line."""
    cells = [
        workload.name, f"{mine.rows:,}", workload.unit, f"{mine.per_second:,.0f}", rate, ratio, _latencies(mine), latencies,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def _latencies(figure: Figure) -> str:
    return f"{figure.p50_ms:.1f}; {figure.p95_ms:.1f}"


def _line(*sides: Side) -> str:
    """When and where, and what the two APIs have in memory."""
    memory = ", ".join(f"{one.name} {one.memory_mb():.0f} MB" for one in sides)
    configuration = ", ".join(f"{one.name} {one.read_configuration()} bytes" for one in sides)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}; memory: {memory}; configuration: {configuration}"
    )


if __name__ == "__main__":
    main()

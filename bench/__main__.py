"""The command line of the benchmarks."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bench.figures import Figure, Goal, goals, table, write
from bench.filling import fill
from bench.ground import Ground, open_ground
from bench.workloads import (
    catalogue,
    job_life,
    list_dataset,
    match,
    noisy_vo,
    register_files,
    rucio_client,
    rule_10k,
    search,
    submit_jobs,
    submit_parametric,
    tokens,
    walls,
)

WORKLOADS: Mapping[str, Callable[[Ground, int, int], tuple[Figure, ...]]] = {
    "register_files": register_files.measure,
    "submit_jobs": submit_jobs.measure,
    "submit_parametric": submit_parametric.measure,
    "match": match.measure,
    "rule_10k": rule_10k.measure,
    "list_dataset": list_dataset.measure,
    "catalogue": catalogue.measure,
    "search": search.measure,
    "job_life": job_life.measure,
    "rucio_client": rucio_client.measure,
    "walls": walls.measure,
    "tokens": tokens.measure,
    "noisy_vo": noisy_vo.measure,
}
ONCE = {"tokens", "noisy_vo"}
"""What has nothing to do with how many rows there are."""
LONG = {"submit_parametric", "catalogue", "search", "job_life", "rucio_client", "walls", "tokens", "noisy_vo"}
"""Left out of the small size, which is to be over in four minutes; `--only` measures them in either."""
NAMESPACE = ("register_files", "list_dataset", "catalogue")
"""What is measured in the huge size, whose unrelated rows are those of data alone."""
SIZES = {
    "small": ((10_000, 100_000), 4), "large": ((10_000, 100_000, 1_000_000), 9), "huge": ((10_000, 10_000_000), 5),
}  # fmt: skip
"""Numbers of unrelated rows, and rounds."""
RESULTS = Path(__file__).parent / "out" / "results.json"


def main(arguments: list[str]) -> int:
    """Measure, print and write; 0 when every goal was met, which is no test: a busy machine may miss one."""
    said = argparse.ArgumentParser(prog="python -m bench", description="Measure beside the raw limit of this machine.")
    said.add_argument("--size", choices=list(SIZES), default="small")
    said.add_argument("--only", choices=list(WORKLOADS), help="one workload; results.json is then left as it is")
    said.add_argument("--folder", type=Path, help="where the database lies meanwhile (default: /var/tmp)")
    wanted = said.parse_args(arguments)
    console = Console(width=max(Console().width, 120))
    began = time.monotonic()
    figures: list[Figure] = []
    sizes, rounds = SIZES[wanted.size]
    measured = {"small": WORKLOADS.keys() - LONG, "large": WORKLOADS.keys(), "huge": NAMESPACE}[wanted.size]
    with console.status("starting") as status, open_ground(wanted.folder) as ground:
        console.print(_machine(ground))
        present = 0
        for rows in sizes:
            status.update(f"filling in {rows:,} unrelated rows")
            fill(ground, present, rows, jobs=wanted.size != "huge")
            present = rows
            for name, measure in WORKLOADS.items():
                asked = name == wanted.only or (wanted.only is None and name in measured)
                if asked and (rows == sizes[0] or name not in ONCE):
                    status.update(f"{name}, {rows:,} unrelated rows")
                    figures += measure(ground, rows, rounds)
    judged = goals(figures)
    console.print(table(figures))
    for goal in judged:
        console.print(_line(goal))
    if wanted.only is None and wanted.size != "huge":
        write(figures, RESULTS)
    console.print(f"{time.monotonic() - began:.0f} s")
    return 0


def _machine(ground: Ground) -> str:
    version = ground.raw.info.server_version
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {load:.1f}, "
        f"PostgreSQL {version // 10000}.{version % 10000}, Python {sys.version.split()[0]}"
    )


def _line(goal: Goal) -> str:
    return f"{'[green]met   [/]' if goal.met else '[red]missed[/]'} {goal.text}: {goal.reached}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

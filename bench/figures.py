"""What a run says: the two sides of a workload side by side, the goals, a table and a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from rich.table import Table

from bench.driver import Round

WORST_GROWTH = 1.3


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A workload at one size: `rows` unrelated rows in each table; latencies are those of one call to the API."""

    name: str
    rows: int
    per_second: float
    raw_per_second: float
    ratio: float
    p50_ms: float
    p95_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What was to be reached, what was, and whether that will do."""

    text: str
    reached: str
    met: bool


RATIOS = {"register_files": 0.35, "submit_jobs": 0.35, "match": 0.25, "list_dataset": 0.35}
"""Least share of the raw limit."""
EMPTY_ROUTE = "whoami"
"""The raw limit of `match`: an empty authorised route of the same server."""
TAIL = 5.0
"""p99 of `match`, in p99s of the empty route."""
RULE_SECONDS = 1.0


def compare(
    name: str, rows: int, api: Callable[[], Round], raw: Callable[[], Round], *, rounds: int
) -> tuple[Figure, Figure]:
    """Let both sides take turns, after one turn each that does not count; medians of the rounds, calls of all rounds.

    The second figure is that of the raw side.
    """
    api()
    raw()
    pairs = [(api(), raw()) for _ in range(rounds)]
    ours, theirs = [a for a, _ in pairs], [r for _, r in pairs]
    limit = median(r.per_second for r in theirs)
    return _figure(name, rows, ours, limit), _figure(name, rows, theirs, limit)


def _figure(name: str, rows: int, rounds: Sequence[Round], limit: float) -> Figure:
    reached = median(r.per_second for r in rounds)
    cuts = quantiles([ms for r in rounds for ms in r.latencies], n=100, method="inclusive")
    return Figure(
        name=name, rows=rows, per_second=round(reached, 1), raw_per_second=round(limit, 1),
        ratio=round(reached / limit, 3), p50_ms=round(cuts[49], 2), p95_ms=round(cuts[94], 2),
        p99_ms=round(cuts[98], 2),
    )  # fmt: skip


def goals(figures: Sequence[Figure]) -> list[Goal]:
    """Judge a run: the least ratio of each workload, the tail of `match`, a rule's second, and growth."""
    found: list[Goal] = []
    for name, least in RATIOS.items():
        if own := [f for f in figures if f.name == name]:
            worst = min(f.ratio for f in own)
            found.append(Goal(text=f"{name}: ratio ≥ {least}", reached=f"{worst:.2f}", met=worst >= least))
    empty = {f.rows: f for f in figures if f.name == EMPTY_ROUTE}
    if tails := [f.p99_ms / empty[f.rows].p99_ms for f in figures if f.name == "match" and f.rows in empty]:
        found.append(
            Goal(
                text=f"match: p99 ≤ {TAIL:.0f} × the empty route's",
                reached=f"{max(tails):.1f} ×",
                met=max(tails) <= TAIL,
            )
        )
    if rules := [f.p50_ms / 1000 for f in figures if f.name == "rule_10k"]:
        found.append(
            Goal(
                text=f"rule_10k: ≤ {RULE_SECONDS:.0f} s", reached=f"{max(rules):.2f} s", met=max(rules) <= RULE_SECONDS
            )
        )
    for name in dict.fromkeys(f.name for f in figures if f.name != EMPTY_ROUTE):
        own = sorted((f for f in figures if f.name == name), key=lambda f: f.rows)
        if len(own) > 1:
            growth = own[0].ratio / min(f.ratio for f in own[1:])
            found.append(
                Goal(
                    text=f"{name}: no ratio more than {WORST_GROWTH} × worse from {own[0].rows:,} to {own[-1].rows:,} rows",
                    reached=f"{growth:.2f} ×", met=growth <= WORST_GROWTH,
                )
            )  # fmt: skip
    return found


def table(figures: Sequence[Figure]) -> Table:
    """The figures, for people."""
    made = Table(title="one API process over HTTP, beside one connection with plain SQL (for match: the empty route)")
    for column in ("workload", "unrelated rows", "per second", "raw", "ratio", "p50 ms", "p95 ms", "p99 ms"):
        made.add_column(column, justify="left" if column == "workload" else "right")
    for f in figures:
        made.add_row(
            f.name, f"{f.rows:,}", f"{f.per_second:,.0f}", f"{f.raw_per_second:,.0f}", f"{f.ratio:.2f}",
            f"{f.p50_ms:,.1f}", f"{f.p95_ms:,.1f}", f"{f.p99_ms:,.1f}",
        )  # fmt: skip
    return made


def write(figures: Sequence[Figure], path: Path) -> None:
    """The figures, for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(f) for f in figures], indent=2) + "\n")

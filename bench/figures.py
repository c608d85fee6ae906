"""What a run says: the two sides of a workload side by side, the goals, a table and a file."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
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
    worse: float | None = None
    """How many times longer the p99 was beside a noisy VO: the median of pairs."""
    grown_mb: float | None = None
    """By how many MB the memory of the API grew meanwhile."""

    def judged(self, worse: float) -> "Figure":
        """The same, with what the pairs say."""
        return replace(self, worse=worse)


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What was to be reached, what was, and whether that will do."""

    text: str
    reached: str
    met: bool


RATIOS = {
    "register_files": 0.35, "submit_jobs": 0.35, "match": 0.25, "list_dataset": 0.35, "noisy_vo": 0.9,
    "get_did": 0.5, "list_100k": 0.4,
    "token_verify": 1 / 1.5, "walls_read": 1 / 1.1, "walls_write": 1 / 1.2,
}  # fmt: skip
"""Least share of the raw limit; for `noisy_vo`, of the same VO's calls without the noise."""
EMPTY_ROUTE, ALONE = "whoami", "quiet alone"
"""Figures of raw sides: of `match` an empty authorised route of the same server, of `noisy_vo` the same VO alone."""
WORST_NOISE = 1.5
"""p99 beside a noisy VO, in p99s without."""
SEEN_MS = 0.015
"""Milliseconds to recognise a token seen before."""
ISSUED = 1000
"""Tokens issued in a second by one core."""
TAIL = 5.0
"""p99 of `match`, in p99s of the empty route."""
SECONDS = {"submit_parametric": 2.0, "rule_10k": 1.0, "attach_10k": 0.3, "replicas_10k": 0.5, "replicas_10k_rucio": 1.0}
"""Seconds that one call may take, at the median."""
SEARCH_MS = 50.0
"""Milliseconds that 19 of 20 searches take at most."""
BY_RUCIO = 5000
"""Files that the client of Rucio registers in a second."""
A_SECOND = {"job_status_100": 10_000, "job_status_1000": 10_000, "job_heartbeat_100": 2000}
"""Rows that are to be taken in a second."""
GROWN_MB = 50.0
"""By how much the API's memory may grow while it lists a long dataset."""
GROWING = (
    "register_files", "submit_jobs", "match", "rule_10k", "list_dataset", "get_did", "attach_10k", "replicas_10k",
    "replicas_10k_rucio", "list_100k",
)  # fmt: skip
"""What may depend on how many rows there are."""


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
    return summary(name, rows, ours, limit), summary(name, rows, theirs, limit)


def summary(name: str, rows: int, rounds: Sequence[Round], limit: float) -> Figure:
    """The figure of one side's rounds, beside the raw limit."""
    reached = median(r.per_second for r in rounds)
    cuts = quantiles([ms for r in rounds for ms in r.latencies], n=100, method="inclusive")
    return Figure(
        name=name, rows=rows, per_second=round(reached, 1), raw_per_second=round(limit, 1),
        ratio=round(reached / limit, 3), p50_ms=round(cuts[49], 4), p95_ms=round(cuts[94], 4),
        p99_ms=round(cuts[98], 4),
    )  # fmt: skip


def goals(figures: Sequence[Figure]) -> list[Goal]:
    """Judge a run: the least ratio of each workload, the tail of `match`, a rule's second, and growth."""
    found: list[Goal] = []
    for name, least in RATIOS.items():
        if own := [f for f in figures if f.name == name]:
            worst = min(f.ratio for f in own)
            found.append(Goal(text=f"{name}: ratio ≥ {least:.2f}", reached=f"{worst:.2f}", met=worst >= least))
    empty = {f.rows: f for f in figures if f.name == EMPTY_ROUTE}
    if tails := [f.p99_ms / empty[f.rows].p99_ms for f in figures if f.name == "match" and f.rows in empty]:
        found.append(
            Goal(
                text=f"match: p99 ≤ {TAIL:.0f} × the empty route's",
                reached=f"{max(tails):.1f} ×",
                met=max(tails) <= TAIL,
            )
        )
    for name, seconds in SECONDS.items():
        if own := [f.p50_ms / 1000 for f in figures if f.name == name]:
            found.append(Goal(text=f"{name}: ≤ {seconds} s", reached=f"{max(own):.2f} s", met=max(own) <= seconds))
    found += _catalogue_goals(figures)
    found += _fair_goals(figures)
    for name in dict.fromkeys(f.name for f in figures if f.name in GROWING):
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


def _catalogue_goals(figures: Sequence[Figure]) -> list[Goal]:
    found: list[Goal] = []
    if slow := [f.p95_ms for f in figures if f.name == "search"]:
        text = f"search: p95 ≤ {SEARCH_MS:.0f} ms"
        found.append(Goal(text=text, reached=f"{max(slow):.1f} ms", met=max(slow) <= SEARCH_MS))
    if rates := [f.per_second for f in figures if f.name == "rucio_client"]:
        text = f"rucio_client: ≥ {BY_RUCIO} files a second"
        found.append(Goal(text=text, reached=f"{min(rates):.0f}", met=min(rates) >= BY_RUCIO))
    for name, least in A_SECOND.items():
        if rates := [f.per_second for f in figures if f.name == name]:
            text = f"{name}: ≥ {least} rows a second"
            found.append(Goal(text=text, reached=f"{min(rates):.0f}", met=min(rates) >= least))
    if grown := [f.grown_mb for f in figures if f.grown_mb is not None]:
        text = f"list_100k: the API grows by {GROWN_MB:.0f} MB at most"
        found.append(Goal(text=text, reached=f"{max(grown):.1f} MB", met=max(grown) <= GROWN_MB))
    return found


def _fair_goals(figures: Sequence[Figure]) -> list[Goal]:
    found: list[Goal] = []
    if noise := [f.worse for f in figures if f.worse is not None]:
        text = f"noisy_vo: p99 ≤ {WORST_NOISE} × that without the noise"
        found.append(Goal(text=text, reached=f"{max(noise):.2f} ×", met=max(noise) <= WORST_NOISE))
    if seen := [f.p50_ms for f in figures if f.name == "token_seen"]:
        text = f"token_seen: ≤ {SEEN_MS * 1000:.0f} µs"
        found.append(Goal(text=text, reached=f"{max(seen) * 1000:.1f} µs", met=max(seen) <= SEEN_MS))
    if issued := [f.per_second for f in figures if f.name == "token_issue"]:
        text = f"token_issue: ≥ {ISSUED} a second"
        found.append(Goal(text=text, reached=f"{min(issued):.0f}", met=min(issued) >= ISSUED))
    return found


def table(figures: Sequence[Figure]) -> Table:
    """The figures, for people."""
    made = Table(title="one API process over HTTP, beside one connection with plain SQL (for match: the empty route)")
    for column in ("workload", "unrelated rows", "per second", "raw", "ratio", "p50 ms", "p95 ms", "p99 ms"):
        made.add_column(column, justify="left" if column == "workload" else "right")
    for f in figures:
        made.add_row(
            f.name, f"{f.rows:,}", f"{f.per_second:,.0f}", f"{f.raw_per_second:,.0f}", f"{f.ratio:.2f}",
    *(f"{ms:,.1f}" if ms >= 0.1 else f"{ms:.3f}" for ms in (f.p50_ms, f.p95_ms, f.p99_ms)),
        )  # fmt: skip
    return made


def write(figures: Sequence[Figure], path: Path) -> None:
    """The figures, for programs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(f) for f in figures], indent=2) + "\n")

"""How the demonstration is shown: progress while it runs, tables at the end."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from rich.live import Live
from rich.table import Table
from rich.text import Text

from sancho.local.demonstration.findings import Found, FoundFile, Refusal
from sancho.local.demonstration.watching import Standing
from sancho.local.demonstration.workload import COPIES
from sancho_client.cli.output import Output, cell, state_style

LIFE = ("done", "completing", "running", "matched", "waiting", "held", "pending", "killed", "failed")
"""The states of jobs in the order in which they are drawn."""
WIDTH = 20
"""Of the bar."""
FILE_WIDTH = 120
"""Columns to use where there is no terminal."""


class View:
    """Tells a person what happens: in place on a terminal, else in lines, each when it says something new."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self._began = time.monotonic()
        self._said = ""
        self._live: Live | None = None

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self._began

    def say(self, text: str) -> None:
        """Tell what is being done now."""
        if not self.output.as_json:
            self.output.err.print(Text.assemble((f"{self.seconds:6.1f} s  ", "dim"), text))

    @contextmanager
    def following(self) -> Iterator[None]:
        """Show progress within; what was shown last stays."""
        if self.output.as_json or not self.output.err.is_terminal:
            yield
            return
        with Live(console=self.output.err, refresh_per_second=4) as self._live:
            yield
        self._live = None

    def show(self, standings: Sequence[Standing]) -> None:
        """Show how far the work is."""
        if self._live is not None:
            self._live.update(_progress(standings, self.seconds))
            return
        said = "; ".join(_in_words(one) for one in standings)
        if said != self._said:
            self._said = said
            self.say(said)

    def tell(self, found: Sequence[Found], refusals: Sequence[Refusal]) -> None:
        """Show what there is at the end."""
        if self.output.as_json:
            return
        width = None if self.output.out.is_terminal else FILE_WIDTH
        for table in (*(_files(one) for one in found), _totals(found)):
            self.output.out.print()
            self.output.out.print(table, soft_wrap=False, width=width)
        self.output.out.print()
        for refusal in refusals:
            words = f"{refusal.asking} asked for {refusal.what} of {refusal.of}: {refusal.status}"
            self.output.out.print(Text(words, style="dim" if refusal.status == 404 else "red"))


def _in_words(one: Standing) -> str:
    parts = [f"{n} {state}" for state, n in sorted(one.simulate.items())]
    analyse = next(iter(one.analyse), "not there")
    replicas = f"{one.replicas}/{COPIES * one.files} replicas"
    return f"{one.vo}: {', '.join(parts)}, analysis {analyse}, {replicas}"


def _progress(standings: Sequence[Standing], seconds: float) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in (f"{seconds:4.0f} s", "simulation", "", "analysis", "replicas", "on their way", "rules"):
        table.add_column(title)
    for one in standings:
        done, total = one.simulate.get("done", 0), sum(one.simulate.values())
        analyse = next(iter(one.analyse), "")
        table.add_row(
            Text(one.vo, "bold"),
            _bar(one.simulate),
            f"{done}/{total} done",
            cell(analyse, "state"),
            f"{one.replicas}/{COPIES * one.files}",
            str(one.transfers or ""),
            Text(", ").join(Text(f"{n} {state}", state_style(state)) for state, n in sorted(one.rules.items())),
        )
    return table


def _bar(counts: Mapping[str, int]) -> Text:
    total = sum(counts.values()) or 1
    text = Text()
    for state in sorted(counts, key=LIFE.index):
        text.append("█" * (WIDTH * counts[state] // total), state_style(state))
    return text


def _files(found: Found) -> Table:
    table = Table(
        title=f"{found.vo}: the files of {found.account}", box=None, header_style="bold", title_justify="left",
        title_style="bold cyan", pad_edge=False,
    )  # fmt: skip
    for title in ("file", "size", "adler32", "replicas", "rule", "made by"):
        table.add_column(title, justify="right" if title == "size" else "left", no_wrap=True)
    for file in found.files:
        table.add_row(
            file.did, cell(file.size, "size"), file.adler32, ", ".join(file.replicas), cell(file.rule, "state"),
            _made_by(file),
        )  # fmt: skip
    return table


def _made_by(file: FoundFile) -> str:
    return "?" if file.job is None else f"job {file.job} at {file.site or '?'}"


def _totals(found: Sequence[Found]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    states = sorted({state for one in found for state in one.jobs})
    for title in ("vo", *(f"jobs {state}" for state in states), "files", "replicas", "bytes"):
        table.add_column(title, justify="left" if title == "vo" else "right")
    for one in found:
        table.add_row(
            one.vo,
            *(str(one.jobs.get(state, 0)) for state in states),
            str(len(one.files)),
            str(sum(len(file.replicas) for file in one.files)),
            cell(sum(file.size * len(file.replicas) for file in one.files), "size"),
        )
    return table

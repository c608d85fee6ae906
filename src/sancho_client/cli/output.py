"""How answers are shown: as tables, as tab-separated lines, or as JSON."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table
from rich.text import Text

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
GOOD = {"done", "ok", "available", "active", "created", "committed"}
BAD = {"failed", "killed", "stuck", "bad", "lost", "removed", "suspended"}
BUSY = {"running", "matched", "completing", "replicating", "copying", "submitted", "changed", "deleting"}


@dataclass(frozen=True, slots=True)
class Column(Generic[T_contra]):
    """One column of a listing: its title and where its values come from."""

    title: str
    value: Callable[[T_contra], Any]
    unit: str = ""
    """`size` for bytes, `state` for a coloured word, `seconds` for a duration, `right` for other numbers."""


class Output:
    """Standard output and standard error, and how to write to them."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self.err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    @property
    def pretty(self) -> bool:
        """True when a person looks at standard output."""
        return self.out.is_terminal and not self.as_json

    def json(self, value: Any) -> None:
        """Write one JSON document."""
        sys.stdout.write(json.dumps(plain(value), indent=2, ensure_ascii=False) + "\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell a person something, on standard error; with `--json` nothing is said."""
        if not self.as_json:
            self.err.print(Text(text))

    def line(self, text: str, style: str | None = None) -> None:
        """Write a line of an answer; nothing with `--json`."""
        if not self.as_json:
            self.out.print(Text(text, style=style or ""))

    def listing(self, items: Iterable[T], columns: Sequence[Column[T]], *, of: str, title: str | None = None) -> int:
        """Write a listing `of` things as it comes; returns how many there were.

        Of none, standard output gets nothing, an empty list as JSON; a person is told on standard error.
        """
        if self.as_json:
            return self._json_array(items)
        count = self._table(items, columns, title) if self.pretty else self._lines(items, columns)
        if not count:
            self.say(f"No {of}.")
        return count

    def details(self, value: BaseModel, rows: Mapping[str, Any], *, units: Mapping[str, str] | None = None) -> None:
        """Write one thing: its model as JSON, or rows of a title and a value; what is empty is left out."""
        if self.as_json:
            self.json(value)
            return
        shown = {k: v for k, v in rows.items() if v not in (None, "", (), [], {})}
        width = max((len(k) for k in shown), default=0)
        for title, what in shown.items():
            unit = (units or {}).get(title, "state" if title == "state" else "")
            if self.pretty:
                self.out.print(Text.assemble((f"{title:<{width}}  ", "bold"), cell(what, unit)))
            else:
                self.out.print(f"{title}\t{flat(what)}", markup=False)

    def _table(self, items: Iterable[T], columns: Sequence[Column[T]], title: str | None) -> int:
        table = Table(title=title, box=None, header_style="bold", title_justify="left", pad_edge=False)
        for column in columns:
            table.add_column(column.title, justify="right" if column.unit in {"size", "right", "seconds"} else "left")
        for item in items:
            table.add_row(*(cell(column.value(item), column.unit) for column in columns))
        if table.row_count:
            self.out.print(table, soft_wrap=False)
        return table.row_count

    def _json_array(self, items: Iterable[Any]) -> int:
        count = 0
        for count, item in enumerate(items, start=1):
            sys.stdout.write(("[\n " if count == 1 else ",\n ") + json.dumps(plain(item), ensure_ascii=False))
        sys.stdout.write("\n]\n" if count else "[]\n")
        sys.stdout.flush()
        return count

    def _lines(self, items: Iterable[T], columns: Sequence[Column[T]]) -> int:
        count = 0
        for item in items:
            sys.stdout.write("\t".join(flat(column.value(item)) for column in columns) + "\n")
            count += 1
        sys.stdout.flush()
        return count


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in _pairs(value)}
    if isinstance(value, list | tuple):
        return [plain(v) for v in _items(value)]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def flat(value: Any) -> str:
    """A value as one tab-separated field; without tabs and line breaks of its own."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(flat(v) for v in _items(value))
    if isinstance(value, Mapping):
        return ",".join(f"{k}={flat(v)}" for k, v in _pairs(value))
    return " ".join(str(plain(value)).split())


def cell(value: Any, unit: str = "") -> Text:
    """A value as a person reads it."""
    if value is None:
        return Text("")
    if unit == "size" and isinstance(value, int):
        return Text(size(value))
    if unit == "seconds" and isinstance(value, int | float | timedelta):
        return Text(duration(value))
    if isinstance(value, datetime):
        return Text(f"{value.astimezone():%Y-%m-%d %H:%M:%S}")
    if isinstance(value, timedelta):
        return Text(duration(value))
    if isinstance(value, list | tuple | Mapping):
        return Text(flat(value).replace(",", ", "))
    return Text(flat(value), style=state_style(str(value)) if unit == "state" else "")


def state_style(word: str) -> str:
    """The colour of a state."""
    return "green" if word in GOOD else "red" if word in BAD else "cyan" if word in BUSY else "yellow"


def size(value: int) -> str:
    """Bytes for people, in powers of ten as storages count."""
    number = float(value)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if abs(number) < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.3g} {unit}"
        number /= 1000
    return f"{number:.4g} PB"


def duration(value: float | timedelta) -> str:
    """A duration for people: `1 h 02 min`, `3.2 s`."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def _pairs(value: Any) -> Iterator[tuple[Any, Any]]:
    return iter(value.items())


def _items(value: Any) -> Iterator[Any]:
    return iter(value)

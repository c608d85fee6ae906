"""DiracX's searches over any table of columns, and ours: tests, orders, rows, groups.

Pure but for patterns, which are asked for.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from operator import itemgetter
from typing import Any

from sancho.compat.diracx.errors import ColumnUnknown, SearchUnfit
from sancho.compat.diracx.jobs_wire import ScalarSpec, Spec, VectorSpec
from sancho.kit.query import All, Either, Not, Predicate, Query
from sancho.kit.search import REGEX, SQL_LIKE

ALWAYS: Query = Predicate("id", "exists", ())
NEVER: Query = Not(ALWAYS)
NEGATIONS = {"neq": "eq", "not like": "like", "not in": "in"}
PATTERNS = {"like": SQL_LIKE, "not like": SQL_LIKE, "regex": REGEX}


class Kind(Enum):
    """What the values of a column are."""

    NUMBER = "number"
    FRACTION = "fraction"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIME = "time"
    FIXED = "fixed"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of DiracX's: a field of ours, or words by the state, or one value for all (None: that of the VO)."""

    kind: Kind
    field: str = ""
    default: str | None = None
    """What stands for no value."""
    by_state: Mapping[Any, Any] | None = None
    """The same by the state, where it differs; of a fixed column, all there is."""
    value: Any = None

    def words(self, vo: str) -> list[str]:
        """The values it may have that do not come from a field, as texts."""
        if self.by_state is not None:
            return sorted({str(word) for word in self.by_state.values()})
        if self.kind is Kind.FIXED:
            value = vo if self.field == "vo" else self.value
            return [] if value is None else [str(value)]
        return [] if self.default is None else [self.default]


def text(field: str, default: str | None = None) -> Column:
    """A column of texts."""
    return Column(kind=Kind.TEXT, field=field, default=default)


_DATE = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d\d)(?:-(?P<day>\d\d)(?:[ T](?P<hour>\d\d)(?::(?P<minute>\d\d)"
    r"(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6})Z?|Z)?)?)?)?)?)?",
    re.ASCII,
)
_NUMBER = re.compile(r"[+-]?\d{1,19}", re.ASCII)


# ---- searches


Order = list[tuple[str | tuple[Any, ...], bool]]
Fitting = Mapping[int, Collection[str]]
"""By the place of a test that has a pattern, the words of its column that the pattern fits."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The columns of one kind of things, in the order in which rows have them."""

    columns: Mapping[str, Column]
    special: Mapping[str, Callable[[Spec], Query]]
    """Names that can be asked for and are no columns: what a test of them means."""
    beside: frozenset[str] = frozenset()
    """Names that may be among those to show, and are no columns."""

    def column(self, name: str) -> Column:
        """A column by its name; raises `ColumnUnknown`."""
        if name not in self.columns:
            raise ColumnUnknown(name=name)
        return self.columns[name]

    def patterns(self, specs: Sequence[Spec], vo: str) -> list[tuple[int, str, str, list[str]]]:
        """What must be known of patterns before a search is translated: place, operator, pattern, words."""
        return [
            (place, PATTERNS[spec.operator], str(spec.value), words)
            for place, spec in enumerate(specs)
            if spec.operator in PATTERNS and isinstance(spec, ScalarSpec) and spec.parameter not in self.special
            if (words := self.column(spec.parameter).words(vo))
        ]

    def query_of(self, specs: Sequence[Spec], vo: str, fitting: Fitting) -> Query | None:
        """A search as ours; raises `ColumnUnknown` or `SearchUnfit`."""
        terms = tuple(self._test(spec, vo, fitting.get(place, ())) for place, spec in enumerate(specs))
        return terms[0] if len(terms) == 1 else All(terms) if terms else None

    def _test(self, spec: Spec, vo: str, fits: Collection[str]) -> Query:
        if spec.parameter in self.special:
            return self.special[spec.parameter](spec)
        if spec.operator in NEGATIONS:
            return _not(self._test(spec.model_copy(update={"operator": NEGATIONS[spec.operator]}), vo, fits))
        asked = self.column(spec.parameter)
        if isinstance(spec, VectorSpec):
            return _any([_one(asked, spec.parameter, "eq", value, vo) for value in spec.values])
        if spec.operator in PATTERNS:
            return _pattern(asked, spec, vo, fits)
        return _one(asked, spec.parameter, spec.operator, spec.value, vo)

    def order_of(self, sort: Sequence[tuple[str, str]]) -> Order:
        """What things are sorted by; columns that are the same for all do not count."""
        found: Order = []
        for name, direction in sort:
            asked = self.column(name)
            if asked.kind is not Kind.FIXED:
                found.append((asked.field, direction == "desc"))
            if asked.by_state is not None:
                words = asked.by_state
                found.append((tuple(sorted(words, key=lambda state: str(words[state]))), direction == "desc"))
        return found

    def fields_of(self, names: Sequence[str]) -> list[str]:
        """Our fields behind some columns, each once."""
        behind: list[str] = []
        for asked in map(self.columns.__getitem__, names):
            behind += [asked.field] if asked.kind is not Kind.FIXED else []
            behind += ["state"] if asked.by_state is not None else []
        return list(dict.fromkeys(behind))

    def shown(self, names: Sequence[str] | None) -> list[str]:
        """The columns to show, in the order of the table; raises `ColumnUnknown`."""
        for name in names or ():
            if name not in self.beside:
                self.column(name)
        return [name for name in self.columns if not names or name in names]

    def row_of(self, names: Sequence[str], values: Mapping[str, Any], vo: str) -> dict[str, Any]:
        """A thing as DiracX shows it, of the values of our fields."""
        return {name: _cell(self.columns[name], values, vo) for name in names}


def _one(asked: Column, name: str, operator: str, value: str | int, vo: str) -> Query:
    sign = {"eq": "=", "gt": ">", "lt": "<"}[operator]
    if asked.kind is Kind.FIXED:
        return _fixed(asked, vo, lambda word: _compared(word, operator, str(value)))
    if asked.kind is Kind.TIME:
        return _time(asked.field, operator, *period(str(value)))
    if asked.kind is Kind.BOOLEAN:
        return _truth(asked, name, operator, str(value))
    if asked.kind is Kind.FRACTION:
        return Predicate(asked.field, sign, (str(value),))
    if asked.kind is Kind.NUMBER:
        if not _NUMBER.fullmatch(str(value)):
            raise SearchUnfit(reason=f"{str(value)[:100]!r} is no number, as {name} needs one")
        return Predicate(asked.field, sign, (str(int(value)),))
    test = Predicate(asked.field, sign, (str(value),))
    return _or_none(asked, test, vo, lambda word: _compared(word, operator, str(value)))


def _truth(asked: Column, name: str, operator: str, value: str) -> Query:
    truth = {"1": "true", "true": "true", "0": "false", "false": "false"}.get(value.lower())
    if operator != "eq" or truth is None:
        raise SearchUnfit(reason=f"{name} is true or false, and can be asked for with eq, neq, in and not in alone")
    return Predicate(asked.field, "=", (truth,))


def _compared(word: str, operator: str, value: str) -> bool:
    if word in ("True", "False"):
        value = {"1": "True", "true": "True", "0": "False", "false": "False"}.get(value, value)
    return word == value if operator == "eq" else word > value if operator == "gt" else word < value


def _pattern(asked: Column, spec: ScalarSpec, vo: str, fits: Collection[str]) -> Query:
    if asked.kind is Kind.FIXED:
        return _fixed(asked, vo, lambda word: word in fits)
    if asked.kind is Kind.TIME:
        raise SearchUnfit(
            reason=f"{spec.parameter} is a time, which no pattern fits; ask with eq, gt, lt and part of one"
        )
    if asked.kind is Kind.BOOLEAN:
        raise SearchUnfit(reason=f"{spec.parameter} is true or false, which no pattern fits")
    field = f"{asked.field}:text" if asked.kind in (Kind.NUMBER, Kind.FRACTION) else asked.field
    test = Predicate(field, PATTERNS[spec.operator], (str(spec.value),))
    return _or_none(asked, test, vo, lambda word: word in fits)


def _fixed(asked: Column, vo: str, meets: Callable[[str], bool]) -> Query:
    if asked.by_state is not None:
        found = tuple(state.word for state, word in asked.by_state.items() if meets(str(word)))
        return Predicate("state", "in", found) if found else NEVER
    return ALWAYS if any(meets(word) for word in asked.words(vo)) else NEVER


def _or_none(asked: Column, test: Query, vo: str, meets: Callable[[str], bool]) -> Query:
    """Met by a value, or, where there is none, by what stands for it."""
    none = Not(Predicate(asked.field, "exists", ()))
    if asked.by_state is not None:
        by_state = _fixed(asked, vo, meets)
        return test if by_state == NEVER else Either((test, All((by_state, none))))
    return Either((test, none)) if asked.default is not None and meets(asked.default) else test


def _time(field: str, operator: str, begin: datetime, end: datetime) -> Query:
    first, last = begin.isoformat(), end.isoformat()
    if operator == "gt":
        return Predicate(field, ">=", (last,))
    if operator == "lt":
        return Predicate(field, "<", (first,))
    return All((Predicate(field, ">=", (first,)), Predicate(field, "<", (last,))))


def _any(terms: Sequence[Query]) -> Query:
    """One of these; tests that a field is equal to something become one."""
    equal: dict[str, list[str]] = {}
    others: list[Query] = []
    for term in terms:
        if isinstance(term, Predicate) and term.operator in ("=", "in"):
            equal.setdefault(term.field, []).extend(term.values)
        elif term not in others:
            others.append(term)
    found = [*(Predicate(field, "in", tuple(dict.fromkeys(values))) for field, values in equal.items()), *others]
    return found[0] if len(found) == 1 else Either(tuple(found)) if found else NEVER


def _not(term: Query) -> Query:
    return term.term if isinstance(term, Not) else Not(term)


def period(text: str) -> tuple[datetime, datetime]:
    """The time that a date means, and the first one after it: a part of one means all of it. Raises `SearchUnfit`."""
    found = _DATE.fullmatch(text)
    if found is None:
        raise SearchUnfit(reason=f"{text[:100]!r} is no date; write YYYY[-MM[-DD[ HH[:MM[:SS[.ffffff]]]]]], in UTC")
    said = {name: int(value) for name, value in found.groupdict().items() if value is not None and name != "fraction"}
    fraction = found["fraction"]
    try:
        begin = datetime(
            said["year"], said.get("month", 1), said.get("day", 1), said.get("hour", 0), said.get("minute", 0),
            said.get("second", 0), int((fraction or "0").ljust(6, "0")), tzinfo=UTC,
        )  # fmt: skip
        return begin, _after(begin, said, None if fraction is None else len(fraction))
    except (ValueError, OverflowError) as e:
        raise SearchUnfit(reason=f"{text[:100]!r} is no date") from e


def _after(begin: datetime, said: Mapping[str, int], digits: int | None) -> datetime:
    if digits is not None:
        return begin + timedelta(microseconds=10 ** (6 - digits))
    for name, step in (
        ("second", {"seconds": 1}),
        ("minute", {"minutes": 1}),
        ("hour", {"hours": 1}),
        ("day", {"days": 1}),
    ):
        if name in said:
            return begin + timedelta(**step)
    if "month" in said:
        return begin.replace(year=begin.year + begin.month // 12, month=begin.month % 12 + 1)
    return begin.replace(year=begin.year + 1)


def _cell(asked: Column, values: Mapping[str, Any], vo: str) -> Any:
    default = asked.default if asked.by_state is None else asked.by_state[values["state"]]
    if asked.kind is Kind.FIXED:
        return default if asked.by_state is not None else vo if asked.field == "vo" else asked.value
    value = values[asked.field]
    if value is None:
        return default
    return spell(value) if isinstance(value, datetime) else value


def sort_rows(rows: Sequence[dict[str, Any]], sort: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """Rows in the order of columns that they have; what has no value comes last."""
    found = list(rows)
    for name, direction in reversed(sort):
        known = sorted(
            (row for row in found if row.get(name) is not None), key=itemgetter(name), reverse=direction == "desc"
        )
        found = known + [row for row in found if row.get(name) is None]
    return found


def spell(at: datetime) -> str:
    """A time as DiracX writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

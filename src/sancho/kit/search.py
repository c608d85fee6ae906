"""Searches: a query over declared fields becomes a condition in SQL, and nothing else can get into it.

A feature declares what its things may be searched by as `SearchField`s; `app` gathers them. `plan` checks every name
against them, every value against its kind, and only then writes SQL: columns come from fields, values are parameters.

A condition written from a field is true or not; a `NULL` counts as not. So `~` and `!=` are exact opposites.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import UTC, datetime
from enum import StrEnum
from typing import LiteralString

from psycopg import sql

from sancho.kit.errors import Invalid
from sancho.kit.query import All, Either, Not, Predicate, Query

Composable = sql.SQL | sql.Composed
Finder = Callable[[Composable], Composable]
ORDERED = ("=", "!=", "<", "<=", ">", ">=", "between", "in", "exists")
ARRAY = ("contains", "in", "exists")
NARROW = ("=", "in", "between", "contains")
"""What likely finds little."""
SQL_LIKE, REGEX = "like pattern", "regex"
PATTERNS = (SQL_LIKE, REGEX)
"""Tests on texts that only foreign dialects have, whose users know the database's own patterns; no query says them."""
_PATTERN = str.maketrans({"*": "%", "%": r"\%", "_": r"\_", "\\": r"\\"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)


class FieldKind(StrEnum):
    """What the values of a field are."""

    TEXT = "text"
    WORD = "word"
    """A text that is only ever equal to something or not."""
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIME = "time"


OPERATORS: Mapping[FieldKind, tuple[str, ...]] = {
    FieldKind.TEXT: (*ORDERED, "like"),
    FieldKind.WORD: ("=", "!=", "in", "exists"),
    FieldKind.INTEGER: ORDERED,
    FieldKind.NUMBER: ORDERED,
    FieldKind.BOOLEAN: ("=", "!=", "in", "exists"),
    FieldKind.TIME: ORDERED,
}
"""How a field of each kind may be tested; an array by `ARRAY`."""


class SearchFieldUnknown(Invalid):
    """There is no key {name} to search by{near}."""

    code = "search_field_unknown"

    def __init__(self, *, name: str, near: Iterable[str], hint: str, field: str = "where") -> None:
        """Name what was asked for, what it may have meant, and where to read which there are."""
        meant = ", ".join(near)
        super().__init__(name=name[:100], near=f"; did you mean {meant}?" if meant else "", field=field, hint=hint)


class SearchValueUnfit(Invalid):
    """{value!r} is no {kind}, as {name} needs one."""

    code = "search_value_unfit"

    def __init__(self, *, name: str, kind: str, value: str, field: str = "where") -> None:
        """Name the key, what its values are, and what was given."""
        super().__init__(name=name, kind=kind, value=value[:100], field=field)


class SearchOperatorUnfit(Invalid):
    """{name} ({kind}) cannot be asked for with {operator}, but with: {known}."""

    code = "search_operator_unfit"

    def __init__(self, *, name: str, kind: str, operator: str, known: Iterable[str], field: str = "where") -> None:
        """Name the key, what its values are, how it was to be tested and how it can be."""
        super().__init__(name=name, kind=kind, operator=operator, known=", ".join(known), field=field)


class PatternUnfit(Invalid):
    """This pattern cannot be used: {reason}."""

    code = "pattern_unfit"

    def __init__(self, *, reason: str, field: str = "where") -> None:
        """Say what the database says of it."""
        super().__init__(reason=reason[:200], field=field)


@dataclass(frozen=True, kw_only=True)
class SearchField:
    """Something to search by. SQL in it may rely on the aliases that the searching statement declares."""

    name: str
    kind: FieldKind
    value: Composable
    """What has the value: a column, or an expression of columns."""
    cast: LiteralString
    """The type of the value in the database, without which a comparison might not use an index."""
    array: bool = False
    """A thing may have many values; `finder` finds it by one."""
    finder: Finder | None = None
    """Where the value is not in the thing's own row: makes a query of ids of things of a condition on the value."""
    check: Finder | None = None
    """The same as a condition on one thing, where nobody can estimate how much `finder` finds: a query then begins
    with one of those at most, and looks at each thing for the others. Without `finder`, all there is."""
    read: Callable[[str], object | None] | None = None
    """Reads a value; None from it: that is none. Without it, the kind says how."""

    @property
    def operators(self) -> tuple[str, ...]:
        """How it may be tested."""
        return ARRAY if self.array else OPERATORS[self.kind]

    @property
    def is_text(self) -> bool:
        """Whether patterns fit it."""
        return self.kind is FieldKind.TEXT and not self.array

    def value_of(self, text: str) -> object:
        """Read a value; raises `SearchValueUnfit`."""
        found = (self.read or READ[self.kind])(text)
        if found is None:
            raise SearchValueUnfit(name=self.name, kind=self.kind.value, value=text)
        return found


@dataclass(frozen=True)
class Condition:
    """A condition in SQL, and the parameters in it."""

    sql: Composable
    params: Mapping[str, object]


KEYS = "GET /v1/metadata/keys, or `sancho data meta keys`, lists them."


def plan(
    query: Query, fields: Mapping[str, SearchField], thing: Composable, *, few: bool = False, hint: str = KEYS
) -> Condition:
    """Write a query as a condition; `thing` is the id that finders find. `few`: there are not many things to look at.

    Raises `SearchFieldUnknown`, whose `hint` says where to read what there is, `SearchOperatorUnfit` or
    `SearchValueUnfit`.
    """
    planned = _Plan(fields, thing, hint)
    return Condition(planned.condition(query, leads=not few), planned.params)


@dataclass(frozen=True)
class _Plan:
    """A condition that is being written."""

    fields: Mapping[str, SearchField]
    thing: Composable
    hint: str
    params: dict[str, object] = dataclass_field(default_factory=dict[str, object])

    def condition(self, query: Query, *, leads: bool) -> Composable:
        """Write a part; `leads`: the search may begin with what it finds, for nothing else is found."""
        match query:
            case Predicate():
                return self._predicate(query, leads=leads)
            case Not(term):
                return sql.SQL("({}) IS NOT TRUE").format(self.condition(term, leads=False))
            case All(terms):
                leader = self._leader(terms) if leads else None
                parts = [self.condition(term, leads=term is leader) for term in terms]
                return sql.SQL("({})").format(sql.SQL(" AND ").join(parts))
            case Either(terms):
                parts = [self.condition(term, leads=False) for term in terms]
                return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))

    def _leader(self, terms: Sequence[Query]) -> Query | None:
        """The term to begin with, of those that cannot be estimated: one that likely finds little."""
        checked = [
            term for term in terms
            if isinstance(term, Predicate) and (field := self.fields.get(term.field)) and field.finder and field.check
        ]  # fmt: skip
        narrow = [term for term in checked if term.operator in NARROW]
        return next(iter(narrow or checked), next((term for term in terms if isinstance(term, All)), None))

    def _predicate(self, query: Predicate, *, leads: bool) -> Composable:
        field = self.fields.get(query.field)
        if field is None:
            near = difflib.get_close_matches(query.field, self.fields, n=3)
            raise SearchFieldUnknown(name=query.field, near=near, hint=self.hint)
        if query.operator not in field.operators and not (query.operator in PATTERNS and field.is_text):
            kind = f"{field.kind.value} array" if field.array else field.kind.value
            raise SearchOperatorUnfit(name=field.name, kind=kind, operator=query.operator, known=field.operators)
        if query.operator == "!=":
            same = self._predicate(Predicate(query.field, "=", query.values), leads=False)
            return sql.SQL("({}) IS NOT TRUE").format(same)
        exists = query.operator == "exists"
        test = sql.SQL("{} IS NOT NULL").format(field.value) if exists else _compare(field, query, self.params)
        if field.finder is None:
            return test if field.check is None else field.check(test)
        if field.check is None:
            return sql.SQL("{} IN ({})").format(self.thing, field.finder(test))
        # An array is made once, and things are looked up by it; for a query the database would guess, and join.
        return sql.SQL("{} = ANY(ARRAY({}))").format(self.thing, field.finder(test)) if leads else field.check(test)


def _compare(field: SearchField, asked: Predicate, params: dict[str, object]) -> Composable:
    def given(value: object, cast: LiteralString = field.cast) -> Composable:
        name = f"q{len(params)}"
        params[name] = value
        return sql.SQL("{}::{}").format(sql.Placeholder(name), sql.SQL(cast))

    values = [field.value_of(text) for text in asked.values]
    match asked.operator:
        case "between":
            return sql.SQL("({0} >= {1} AND {0} <= {2})").format(field.value, given(values[0]), given(values[1]))
        case "in":
            return sql.SQL("{} = ANY({}[])").format(field.value, given(values))
        case "contains":
            return sql.SQL("{} = {}").format(field.value, given(values[0]))
        case "like":
            return _like(field, str(values[0]), given)
        case "like pattern":
            return sql.SQL("{} LIKE {}").format(field.value, given(values[0]))
        case "regex":
            return sql.SQL("{} ~ {}").format(field.value, given(values[0]))
        case operator:
            return sql.SQL("{} {} {}").format(field.value, COMPARISONS[operator], given(values[0]))


def _like(field: SearchField, pattern: str, given: Callable[[object], Composable]) -> Composable:
    """An index serves the beginning alone, for only that tells nothing of rows that are not to be seen."""
    beginning, star, rest = pattern.partition("*")
    begins = sql.SQL("{} ^@ {}").format(field.value, given(beginning))
    if star and not rest:
        return begins
    fits = sql.SQL("{} LIKE {}").format(field.value, given(pattern.translate(_PATTERN)))
    return sql.SQL("({} AND {})").format(begins, fits) if beginning else fits


COMPARISONS: Mapping[str, sql.SQL] = {
    "=": sql.SQL("="), "<": sql.SQL("<"), "<=": sql.SQL("<="), ">": sql.SQL(">"), ">=": sql.SQL(">="),
}  # fmt: skip


# ---- values


def read_text(text: str) -> str | None:
    """The text itself; None when the database cannot hold it."""
    try:
        text.encode()
    except UnicodeError:
        return None
    return None if "\0" in text else text


def read_integer(text: str) -> int | None:
    """The whole number that a text says; None when it says none, or one of more than 64 bits."""
    found = int(text) if _INTEGER.fullmatch(text) else None
    return found if found is not None and -(2**63) <= found < 2**63 else None


def read_number(text: str) -> float | None:
    """The number that a text says; None when it says none, or one that is not finite."""
    found = float(text) if _NUMBER.fullmatch(text) else None
    return found if found is not None and math.isfinite(found) else None


def read_boolean(text: str) -> bool | None:
    """What `true` or `false` says."""
    return {"true": True, "false": False}.get(text.lower())


def read_time(text: str) -> datetime | None:
    """The time that a text says by ISO 8601, in UTC unless it says otherwise."""
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


READ: Mapping[FieldKind, Callable[[str], object | None]] = {
    FieldKind.TEXT: read_text, FieldKind.WORD: read_text, FieldKind.INTEGER: read_integer,
    FieldKind.NUMBER: read_number, FieldKind.BOOLEAN: read_boolean, FieldKind.TIME: read_time,
}  # fmt: skip
"""How values of each kind are read."""

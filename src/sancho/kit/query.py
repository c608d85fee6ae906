r"""The language of searches: read a text into a query, and write a query as text. Pure.

    run > 1200                     `=`, `!=`, `<`, `<=`, `>`, `>=`
    run between 1200 and 1300      both ends are in
    detector in (ecl, top)         one of these; of an array: it holds one of these
    detector contains ecl          an array holds this
    name like muon*                `*` stands for any characters
    run exists                     there is a value
    a & b   a | b   ~a   (a)       and, or, not; `&` binds closer than `|`

A value with blanks or one of `()&|~,'"=<>!` in it stands in quotes: "two words". A test on what has no value is not
met; `!=` is what `=` is not, so it is. What fields there are, and what values they have, `kit.search` knows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, TypeAlias, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from sancho.kit.errors import Invalid
from sancho.kit.grammar import fault_of, mark

LONGEST = 4000
DEEPEST = 20
NEGATED = 2
"""How many `~` may stand in a row."""
_WORD = re.compile(r"""[^\s()&|~,'"=<>!]+""")
_IN_QUOTES = re.compile(r"""\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'""", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SAID = {
    "COMPARISON": "a comparison (= != < <= > >=)", "BETWEEN": "between", "AND": "and", "IN": "in", "LIKE": "like",
    "CONTAINS": "contains", "EXISTS": "exists", "NAME": "a key", "WORD": "a value", "QUOTED": "a value", "LPAR": "(",
    "RPAR": ")", "COMMA": ",", "VBAR": "|", "TILDE": "~", "AMPERSAND": "&", "$END": "the end",
}  # fmt: skip


class QueryMalformed(Invalid):
    """This query is not well-formed at position {position}: {query} {reason}."""

    code = "query_malformed"

    def __init__(self, *, query: str, position: int, reason: str, field: str = "where") -> None:
        """`query` is the part around the fault, which stands between ▶ and ◀; positions count from 1."""
        super().__init__(
            query=query, position=position, reason=reason, field=field,
            hint="Write for example: run > 1200 & detector in (ecl, top) & ~(job.site = KEK)",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Predicate:
    """A test on a field: a comparison, or `between`, `in`, `contains`, `like`, `exists`; values as they are written."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Met when all of two or more terms are."""

    terms: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Either:
    """Met when one of two or more terms is."""

    terms: "tuple[Query, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    """Met when its term is not."""

    term: "Query"


Query: TypeAlias = Predicate | All | Either | Not


class _Build(Transformer[Token, Any]):
    """Makes queries of what the parser finds, from the inside out."""

    def word(self, found: list[Token]) -> str:
        return str(found[0])

    def quoted(self, found: list[Token]) -> str:
        return _ESCAPED.sub(r"\1", str(found[0])[1:-1])

    def compared(self, found: list[Any]) -> Predicate:
        return Predicate(str(found[0]), str(found[1]), (found[2],))

    def between(self, found: list[Any]) -> Predicate:
        return Predicate(str(found[0]), "between", (found[2], found[4]))

    def among(self, found: list[Any]) -> Predicate:
        return Predicate(str(found[0]), "in", tuple(found[2:]))

    def exists(self, found: list[Any]) -> Predicate:
        return Predicate(str(found[0]), "exists", ())

    def negated(self, found: list[Query]) -> Not:
        return Not(found[0])

    def all(self, found: list[Query]) -> Query:
        return found[0] if len(found) == 1 else All(tuple(found))

    def either(self, found: list[Query]) -> Query:
        return found[0] if len(found) == 1 else Either(tuple(found))


_parser: Any = Lark(
    files("sancho.kit").joinpath("query.lark").read_text("utf-8"),
    start="query", parser="lalr", lexer="contextual", transformer=_Build(),
)  # fmt: skip


def parse(text: str) -> Query:
    """Read a query; raises `QueryMalformed`, which shows where it cannot be read."""
    if len(text) > LONGEST:
        raise _malformed(text, LONGEST, f"is longer than {LONGEST} characters")
    _check_depth(text)
    try:
        return cast(Query, _parser.parse(text))
    except UnexpectedInput as e:
        at, expected = fault_of(text, e, _SAID)
    raise _malformed(text, at, f"should have {expected} there")


def _check_depth(text: str) -> None:
    bare = _IN_QUOTES.sub(lambda found: "x" * len(found[0]), text)
    depth = negated = 0
    for at, character in enumerate(bare):
        depth += (character == "(") - (character == ")")
        negated = negated + 1 if character == "~" else negated if character.isspace() else 0
        if depth > DEEPEST:
            raise _malformed(text, at, f"is nested deeper than {DEEPEST} parentheses")
        if negated > NEGATED:
            raise _malformed(text, at, f"has more than {NEGATED} ~ in a row")


def _malformed(text: str, at: int, reason: str) -> QueryMalformed:
    return QueryMalformed(query=mark(text, at), position=at + 1, reason=reason)


def render(query: Query) -> str:
    """Write a query as text: what `parse` reads back."""
    match query:
        case Predicate(field, "exists", _):
            return f"{field} exists"
        case Predicate(field, "between", (low, high)):
            return f"{field} between {_value(low)} and {_value(high)}"
        case Predicate(field, "in", values):
            return f"{field} in ({', '.join(map(_value, values))})"
        case Predicate(field, operator, values):
            return f"{field} {operator} {_value(values[0])}"
        case All(terms):
            return " & ".join(_inside(term) for term in terms)
        case Either(terms):
            return " | ".join(_inside(term) if isinstance(term, Either) else render(term) for term in terms)
        case Not(term):
            return f"~{_inside(term)}"


def _inside(term: Query) -> str:
    return f"({render(term)})" if isinstance(term, All | Either) else render(term)


def _value(text: str) -> str:
    if _WORD.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def predicates(query: Query) -> Iterator[Predicate]:
    """Every test in a query, from left to right."""
    match query:
        case Predicate():
            yield query
        case Not(term):
            yield from predicates(term)
        case All(terms) | Either(terms):
            for term in terms:
                yield from predicates(term)

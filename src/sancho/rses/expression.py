r"""RSE expressions: read a text into a formula, and evaluate a formula over attributes. Pure.

The language is Rucio's, and a little more:

    tier=1          those whose attribute `tier` is 1; texts and booleans likewise
    tier!=1         all others, also those without the attribute
    free>100        those whose attribute is a number and larger; `<`, `>=`, `<=` likewise
    SITE-DISK       the RSE of this name, and those whose attribute of this name is true
    rse=SITE-DISK   the RSE of this name
    site=SITE       those at this site
    *               all
    a&b  a|b  a\b   those in both, in one or both, in the first but not the second

Operators are taken strictly from left to right: `a|b&c` is `(a|b)&c`. Numbers are compared by value, so 1 is 1.0.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark, Token, Transformer, UnexpectedInput

from sancho.kit.grammar import fault_of, mark
from sancho.rses.errors import RseExpressionInvalid
from sancho.sites.model import Value

LONGEST = 4000
DEEPEST = 32
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_SAID = {
    "OPERATOR": "an operator (& | \\)", "EQUALITY": "= or !=", "ORDER": "a comparison (< <= > >=)", "ALL": "*",
    "NAME": "a name", "VALUE": "a value", "NUMBER": "a number", "LPAR": "(", "RPAR": ")", "$END": "the end",
}  # fmt: skip


@dataclass(frozen=True)
class Everything:
    """All RSEs."""


@dataclass(frozen=True)
class Named:
    """The RSE of a name, and those whose attribute of that name is true."""

    name: str


@dataclass(frozen=True)
class Compared:
    """RSEs whose attribute compares to a value by `=`, `!=`, `<`, `<=`, `>` or `>=`."""

    attribute: str
    comparison: str
    value: str


@dataclass(frozen=True)
class Joined:
    """A first set, then operators and further sets, from left to right."""

    first: "Formula"
    rest: tuple[tuple[str, "Formula"], ...]


Formula = Everything | Named | Compared | Joined


@dataclass(frozen=True)
class Subject:
    """What a formula knows of one RSE."""

    name: str
    site: str
    attributes: Mapping[str, Value]

    def attribute(self, name: str) -> Value | None:
        """An attribute, its name and its site among them; None when it has none of this name."""
        return self.name if name == "rse" else self.site if name == "site" else self.attributes.get(name)


class _Build(Transformer[Token, Formula]):
    """Makes formulas of what the parser finds, from the inside out."""

    def everything(self, _found: list[Token]) -> Formula:
        return Everything()

    def named(self, found: list[Token]) -> Formula:
        return Named(str(found[0]))

    def equal(self, found: list[Token]) -> Formula:
        return Compared(str(found[0]), str(found[1]), str(found[2]))

    def ordered(self, found: list[Token]) -> Formula:
        return self.equal(found)

    def expression(self, found: list[Token | Formula]) -> Formula:
        terms = cast(list[Formula], found[::2])
        if len(terms) == 1:
            return terms[0]
        operators = [str(operator) for operator in found[1::2]]
        return Joined(terms[0], tuple(zip(operators, terms[1:], strict=True)))


_parser: Any = Lark(
    files("sancho.rses").joinpath("expression.lark").read_text("utf-8"),
    start="expression", parser="lalr", lexer="contextual", transformer=_Build(),
)  # fmt: skip


@lru_cache(maxsize=4096)
def parse(text: str) -> Formula:
    """Read an expression; raises `RseExpressionInvalid`, which shows where it cannot be read."""
    if len(text) > LONGEST:
        raise _invalid(text, LONGEST, f"is longer than {LONGEST} characters")
    depth = 0
    for at, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth > DEEPEST:
            raise _invalid(text, at, f"is nested deeper than {DEEPEST} parentheses")
    try:
        return cast(Formula, _parser.parse(text))
    except UnexpectedInput as e:
        at, expected = fault_of(text, e, _SAID)
    raise _invalid(text, at, f"should have {expected} there")


def _invalid(text: str, at: int, reason: str) -> RseExpressionInvalid:
    return RseExpressionInvalid(expression=mark(text, at), position=at + 1, reason=reason)


def evaluate(formula: Formula, subjects: Mapping[int, Subject]) -> set[int]:
    """The keys of those subjects that a formula means."""
    match formula:
        case Everything():
            return set(subjects)
        case Named(name):
            return {
                k for k, s in subjects.items() if s.name == name or _equal(s.attributes.get(name), "true")
            }  # fmt: skip
        case Compared(attribute, "=", value):
            return {k for k, s in subjects.items() if _equal(s.attribute(attribute), value)}
        case Compared(attribute, "!=", value):
            return {k for k, s in subjects.items() if not _equal(s.attribute(attribute), value)}
        case Compared(attribute, comparison, value):
            return {k for k, s in subjects.items() if _ordered(s.attribute(attribute), comparison, float(value))}
        case Joined(first, rest):
            found = evaluate(first, subjects)
            for operator, term in rest:
                other = evaluate(term, subjects)
                found = found & other if operator == "&" else found | other if operator == "|" else found - other
            return found


def _equal(have: Value | None, said: str) -> bool:
    if have is None:
        return False
    if isinstance(have, bool):
        return said.lower() == str(have).lower()
    if isinstance(have, int | float):
        return _NUMBER.fullmatch(said) is not None and float(said) == have
    return have == said


def _ordered(have: Value | None, comparison: str, said: float) -> bool:
    if isinstance(have, str) and _NUMBER.fullmatch(have):
        have = float(have)
    if have is None or isinstance(have, bool | str):
        return False
    return {"<": have < said, "<=": have <= said, ">": have > said, ">=": have >= said}[comparison]

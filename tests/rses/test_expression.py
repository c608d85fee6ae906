"""RSE expressions: what they mean, against a second evaluator, and what is said of those that cannot be read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.rses.errors import RseExpressionInvalid
from sancho.rses.expression import DEEPEST, LONGEST, Subject, evaluate, parse

WORLD = {
    1: Subject("CERN-DISK", "CERN", {"tier": 0, "country": "CH", "tape": False, "free": 100, "EOS": True}),
    2: Subject("CERN-TAPE", "CERN", {"tier": 0, "country": "CH", "tape": True, "free": 5000.5}),
    3: Subject("RAL-DISK", "RAL", {"tier": 1, "country": "UK", "tape": False, "free": "200", "version": "1.10"}),
    4: Subject("LYON-DISK", "LYON", {"tier": 1, "country": "FR", "tape": False}),
    5: Subject("EOS", "SOMEWHERE", {"country": "true"}),
}


def meaning(expression: str) -> set[int]:
    return evaluate(parse(expression), WORLD)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*", {1, 2, 3, 4, 5}),
        ("RAL-DISK", {3}),
        ("rse=RAL-DISK", {3}),
        ("NOWHERE", set()),
        ("site=CERN", {1, 2}),
        ("tier=1", {3, 4}),
        ("tier=1.0", {3, 4}),
        ("tier=01", {3, 4}),
        ("tier=one", set()),
        ("tier!=1", {1, 2, 5}),
        ("tape=true", {2}),
        ("tape=True", {2}),
        ("tape", {2}),
        ("tape=false", {1, 3, 4}),
        ("tape=1", set()),
        ("EOS", {1, 5}),
        ("country=true", {5}),
        ("country", {5}),
        ("version=1.10", {3}),
        ("version=1.1", set()),
        ("free<200", {1}),
        ("free<=200", {1, 3}),
        ("free>200", {2}),
        ("free>=200", {2, 3}),
        ("free>-1", {1, 2, 3}),
        ("country>0", set()),
        ("tape<1", set()),
        ("country=UK|country=FR", {3, 4}),
        ("tier=1&country=UK", {3}),
        ("tier=1\\country=UK", {4}),
        (r"tier=1&(country=UK|country=FR)\site=RAL", {4}),
        ("RAL-DISK|CERN-DISK&tier=1", {3}),
        ("RAL-DISK|(CERN-DISK&tier=0)", {1, 3}),
        ("*\\tier=0\\tier=1", {5}),
        ("*\\(tier=0\\tape)", {2, 3, 4, 5}),
        (" tier = 1 & ( country=UK ) ", {3}),
        ("((((RAL-DISK))))", {3}),
    ],
)
def test_an_expression_means_a_set(expression: str, expected: set[int]) -> None:
    assert meaning(expression) == expected


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("", 1), ("   ", 1), ("&", 1), ("tier=1&&x", 8), ("tier=1|", 8), ("(tier=1", 8), ("tier=1)", 7), ("()", 2),
        ("tier=", 6), ("=1", 1), ("tier<one", 6), ("tier<", 6), ("tier==1", 6), ("tier=1 x", 8), ("*=1", 2),
        ("a**", 2), ("tier~1", 5), ("café", 4), ("\x00", 1), ("a\nb", 3), ("-a", 1), ("a;b", 2), ("(" * 40, 33),
        ("country=U*", 10),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_read_is_shown_with_the_place(expression: str, position: int) -> None:
    with pytest.raises(RseExpressionInvalid) as e:
        parse(expression)

    assert e.value.facts["position"] == position
    assert "▶" in str(e.value)
    assert e.value.field == "rse_expression"


def test_an_expression_has_a_longest_length() -> None:
    assert parse("a|" * (LONGEST // 2 - 1) + "a")
    with pytest.raises(RseExpressionInvalid, match="longer than 4000 characters"):
        parse("a|" * LONGEST + "a")


def test_an_expression_is_nested_only_so_deep() -> None:
    assert parse("(" * DEEPEST + "a" + ")" * DEEPEST)
    with pytest.raises(RseExpressionInvalid, match="nested deeper than 32"):
        parse("a|(" * (DEEPEST + 1) + "a" + ")" * (DEEPEST + 1))


# ---- against a second evaluator, which knows no parser: it makes the text from the meaning


@dataclass(frozen=True)
class Written:
    """An expression as text, and the set that it must mean."""

    text: str
    means: frozenset[int]


NAMES = ("tier", "country", "tape", "free", "EOS", "absent")
VALUES = ("0", "1", "UK", "CH", "true", "false", "100", "200")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is(value: Any, said: str) -> bool:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return said.isdigit() and value == int(said)
    return value is not None and _text(value) == said


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    return float(value) if str(value).replace(".", "").isdigit() else None


def _where(said: Mapping[int, bool]) -> frozenset[int]:
    return frozenset(k for k, holds in said.items() if holds)


@st.composite
def conditions(draw: st.DrawFn) -> Written:
    form = draw(st.sampled_from(["all", "name", "flag", "equal", "different", "ordered"]))
    attribute, value = draw(st.sampled_from(NAMES)), draw(st.sampled_from(VALUES))
    have = {k: s.attributes.get(attribute) for k, s in WORLD.items()}
    if form == "all":
        return Written("*", frozenset(WORLD))
    if form == "name":
        key = draw(st.sampled_from(sorted(WORLD)))
        name = WORLD[key].name
        return Written(name, _where({k: k == key or s.attributes.get(name) is True for k, s in WORLD.items()}))
    if form == "flag":
        return Written(
            attribute, _where({k: _text(v) == "true" or WORLD[k].name == attribute for k, v in have.items()})
        )
    if form == "equal":
        return Written(f"{attribute}={value}", _where({k: _is(v, value) for k, v in have.items()}))
    if form == "different":
        return Written(f"{attribute}!={value}", _where({k: not _is(v, value) for k, v in have.items()}))
    limit = draw(st.integers(0, 5001))
    numbers = {k: n for k, v in have.items() if (n := _number(v)) is not None}
    sign = draw(st.sampled_from(["<", "<=", ">", ">="]))
    below = {"<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__"}[sign]
    return Written(
        f"{attribute}{sign}{limit}", _where({k: getattr(n, below)(float(limit)) for k, n in numbers.items()})
    )


@st.composite
def joined(draw: st.DrawFn, terms: st.SearchStrategy[Written]) -> Written:
    first = draw(terms)
    text, means = first.text, first.means
    for other in draw(st.lists(terms, max_size=4)):
        operator = draw(st.sampled_from("&|\\"))
        text += draw(st.sampled_from(["", " "])) + operator + other.text
        means = {"&": means & other.means, "|": means | other.means, "\\": means - other.means}[operator]
    return Written(f"({text})", means)


expressions = st.recursive(conditions(), joined, max_leaves=25)


@given(expressions)
def test_an_expression_means_what_a_second_evaluator_says(written: Written) -> None:
    assert meaning(written.text) == written.means
    if written.text.startswith("("):
        assert meaning(written.text[1:-1]) == written.means, "outer parentheses say nothing"


@given(st.text(alphabet="ab1=<>!&|\\()* ._-\x00é", max_size=40))
def test_any_text_means_a_set_or_is_refused(text: str) -> None:
    try:
        formula = parse(text)
    except RseExpressionInvalid as e:
        position = int(str(e.facts["position"]))
    else:
        position = 1
        assert evaluate(formula, WORLD) <= set(WORLD)
    assert 1 <= position <= len(text) + 1

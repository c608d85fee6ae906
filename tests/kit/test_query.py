"""Queries as text: what is read, what is written, and what cannot be read."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.kit.query import All, Either, Not, Predicate, Query, QueryMalformed, parse, predicates, render

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,10}", fullmatch=True) | st.sampled_from(["in", "and", "exists"])
TEXTS = st.text(min_size=1, max_size=8) | st.sampled_from(["and", "in", "12", "a b", '"', "\\", "'", "(", "*", "~"])
PREDICATES = st.one_of(
    st.builds(
        Predicate, NAMES, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "like", "contains"]), st.tuples(TEXTS)
    ),
    st.builds(Predicate, NAMES, st.just("between"), st.tuples(TEXTS, TEXTS)),
    st.builds(Predicate, NAMES, st.just("in"), st.lists(TEXTS, min_size=1, max_size=3).map(tuple)),
    st.builds(Predicate, NAMES, st.just("exists"), st.just(())),
)
QUERIES: st.SearchStrategy[Query] = st.recursive(
    PREDICATES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: All(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Either(tuple(terms))),
        inner.filter(lambda term: not isinstance(term, Not)).map(Not),
    ),
    max_leaves=8,
)


@given(QUERIES)
def test_what_is_written_is_read_back(query: Query) -> None:
    assert parse(render(query)) == query


@given(st.text(max_size=40) | st.text("abc=<>~&|()'\" ,*", max_size=30))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(QueryMalformed):
        parse(text)


def test_and_binds_closer_than_or() -> None:
    a, b, c = (Predicate(name, "=", ("1",)) for name in "abc")
    assert parse("a=1 | b=1 & ~c=1") == Either((a, All((b, Not(c)))))
    assert parse("(a=1 | b=1) & c=1") == All((Either((a, b)), c))
    assert list(predicates(parse("a=1 | b=1 & ~c=1"))) == [a, b, c]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "position 1: ▶◀ should have ( or a key or ~"),
        ("run", "position 4: run▶◀ should have a comparison"),
        ("run >", "position 6: run >▶◀ should have a value"),
        ("run > 1 detector = x", "position 9: run > 1 ▶d◀etector = x should have & or"),
        ("run in ()", r"run in (▶)◀ should have a value"),
        ("(run > 1", r"should have \) there"),
        ("run == 1", "run =▶=◀ 1 should have a value"),
        ("(" * 21, "nested deeper than 20"),
        ("~~~a = 1", "more than 2 ~"),
        ("a = " + "x" * 4000, "longer than 4000"),
    ],
)
def test_what_cannot_be_read_is_shown(text: str, said: str) -> None:
    with pytest.raises(QueryMalformed) as caught:
        parse(text)
    assert said.replace("\\", "") in str(caught.value)


def test_what_stands_in_quotes_nests_nothing() -> None:
    assert parse(f'name = "{"(" * 40}{"~" * 5}"') == Predicate("name", "=", ("(" * 40 + "~" * 5,))

"""What tags a job wants, as text."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.kit.tags import Each, No, OneOf, TagsMalformed, Wish, holds, parse, wanted

TAGS = st.sampled_from(["a", "b", "c:1", "os:el9", "x+y", "9"])
WISHES: st.SearchStrategy[Wish] = st.recursive(
    TAGS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: Each(tuple(terms))),
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: OneOf(tuple(terms))),
        inner.filter(lambda term: not isinstance(term, No)).map(No),
    ),
    max_leaves=8,
)


def written(wish: Wish) -> str:
    if isinstance(wish, str):
        return wish
    if isinstance(wish, No):
        return f"~({written(wish.term)})"
    return (" & " if isinstance(wish, Each) else " | ").join(f"({written(term)})" for term in wish.terms)


@given(WISHES, st.frozensets(TAGS))
def test_a_wish_is_read_as_it_is_written(wish: Wish, tags: frozenset[str]) -> None:
    assert holds(parse(written(wish)), tags) == holds(wish, tags)


@given(st.text(max_size=40) | st.text("ab&|~() ", max_size=30))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(TagsMalformed):
        holds(parse(text), frozenset())


def test_and_binds_closer_than_or_and_what_is_refused_is_not_wanted() -> None:
    wish = parse("cvmfs:lhcb & (os:el9 | os:ubuntu26) & ~site:X")
    assert holds(wish, {"cvmfs:lhcb", "os:ubuntu26", "site:Y"})
    assert not holds(wish, {"cvmfs:lhcb", "os:el9", "site:X"})
    assert not holds(wish, {"os:el9"})
    assert wanted(wish) == ["cvmfs:lhcb", "os:el9", "os:ubuntu26"]
    assert parse("a | b & c") == OneOf(("a", Each(("b", "c"))))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"position 1: ▶◀ should have \( or a tag or ~"),
        ("a b", "position 3: a ▶b◀ should have & or the end"),
        ("a &", "should have"),
        ("~~~a", "nested too deep"),
        ("(" * 21 + "a" + ")" * 21, "nested too deep"),
        ("a" * 2001, "longer than 2000"),
        ("a; DROP TABLE job", "position 2"),
    ],
)
def test_what_cannot_be_read_is_shown_where_it_breaks(text: str, said: str) -> None:
    with pytest.raises(TagsMalformed, match=said):
        parse(text)


def test_a_wish_of_the_greatest_length_is_answered_at_once() -> None:
    wish = " | ".join(["(a & ~b)"] * 180)
    assert len(wish) <= 2000
    assert holds(parse(wish), {"a"})

"""Filters of Rucio's searches as its clients write them, and what is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.rucio.dids_translate import filters_of
from sancho.compat.rucio.errors import FilterMalformed
from sancho.dids.model import Comparison, Field, Where


def test_filters_are_what_python_writes_of_a_list_of_dictionaries() -> None:
    said: list[dict[str, object]] = [{"name": "a*", "bytes.gte": 7}, {"is_open": "true", "account.ne": "bob"}]
    assert filters_of(str(said)) == [
        [Where(Field.NAME, Comparison.LIKE, "a*"), Where(Field.SIZE, Comparison.AT_LEAST, 7)],
        [Where(Field.OPEN, Comparison.EQUAL, True), Where(Field.ACCOUNT, Comparison.NOT_EQUAL, "bob")],
    ]
    assert filters_of("{}") == [[]]
    assert filters_of("[]") == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("open('/etc/passwd')", "as Python writes it"),
        ("[" * 500, "as Python writes it"),
        ("{[]: 1}", "as Python writes it"),
        ("1" * 5000, "as Python writes it"),
        ("", "as Python writes it"),
        ("x" * 30_000, "longer"),
        ("['a']", "not a list of dictionaries"),
        ("7", "not a list of dictionaries"),
        ("[{7: 7}]", "there is no key '7'"),
        ("[{'created_after.gt': 7}]", "there is no key 'created_after.gt'"),
        (str([{}] * 51), "more than 50 dictionaries"),
        (str([{f"name.{n}": 1 for n in range(51)}]), "more than 50 keys"),
    ],
)
def test_what_is_no_filter_is_named(text: str, word: str) -> None:
    with pytest.raises(FilterMalformed, match=word):
        filters_of(text)


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(FilterMalformed):
        filters_of(text)

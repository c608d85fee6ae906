"""How values go to PostgreSQL and come back."""

from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.adapt import PyFormat, Transformer

from sancho.kit.adapters import ADAPTERS
from sancho.kit.db import Connection, fetch_value

BIGINTS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


@pytest.mark.parametrize("number", [0, 1, -1, 2**15, 2**31, 2**63 - 1, -(2**63)])
async def test_every_integer_is_a_bigint(conn: Connection, number: int) -> None:
    assert await fetch_value(conn, "SELECT pg_typeof(%(n)s)::text", {"n": number}) == "bigint"
    assert await fetch_value(conn, "SELECT %(n)s", {"n": number}) == number


async def test_a_number_too_large_for_a_bigint_is_refused(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.NumericValueOutOfRange):
        await fetch_value(conn, "SELECT %(n)s", {"n": 2**63})


@pytest.mark.parametrize(
    "items",
    [
        [], [1], [1, None, -(2**63)], [None, 2], [""], ["NULL", "null", None], ['"', "\\", "{", "}", ",", " ", "é"],
        ["a", 'b"c'], [None, None], ["a", "b,c"],
    ],
)  # fmt: skip
async def test_a_list_comes_back_as_it_was(conn: Connection, items: list[Any]) -> None:
    kind = "bigint[]" if any(isinstance(item, int) for item in items) else "text[]"

    assert await fetch_value(conn, f"SELECT %(items)s::{kind}", {"items": items}) == items


async def test_long_lists_come_back_as_they_were(conn: Connection) -> None:
    numbers, names = [10**12 + n for n in range(20_000)], [f'name "{n}"' if n % 7 == 0 else f"{n}" for n in range(5000)]

    assert await fetch_value(conn, "SELECT %(items)s", {"items": numbers}) == numbers
    assert await fetch_value(conn, "SELECT %(items)s::text[]", {"items": names}) == names


async def test_a_nul_in_a_list_is_refused(conn: Connection) -> None:
    with pytest.raises(psycopg.DataError):
        await fetch_value(conn, "SELECT %(items)s::text[]", {"items": ["a\0b"]})


@given(st.one_of(st.lists(st.one_of(BIGINTS, st.none())), st.lists(st.one_of(TEXTS, st.none()))))
def test_what_is_written_means_what_psycopg_would_write(items: list[Any]) -> None:
    ours, theirs = (Transformer(context) for context in (ADAPTERS, None))
    written = [bytes(maker.get_dumper(items, PyFormat.TEXT).dump(items) or b"") for maker in (ours, theirs)]

    assert _read(written[0]) == _read(written[1])


def _read(literal: bytes) -> Any:
    loader = Transformer().get_loader(psycopg.adapters.types["text"].array_oid, psycopg.pq.Format.TEXT)
    return loader.load(literal)

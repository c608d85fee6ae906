"""Sizes and durations are read as people write them, and nothing else is."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.vos.model import Malformed, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("500", 500), ("500B", 500), ("1 kB", 1000), ("10 TB", 10**13), ("10tb", 10**13), ("2GiB", 2 * 2**30),
        ("1.5 GB", 1_500_000_000), ("0.1 GB", 100_000_000), (" 3 M ", 3_000_000), ("1 EiB", 2**60), ("1.5", 1),
    ],
)  # fmt: skip
def test_a_size_is_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "ten", "-1", "1e9", "1 XB", "1,5 GB", "1 GB 2", "٣", "1.", ".5", "9" * 19])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is not a size such as"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("24h", timedelta(hours=24)), ("90m", timedelta(minutes=90)), ("1d12h", timedelta(days=1, hours=12)),
        ("1d 2h 3m 4s", timedelta(days=1, hours=2, minutes=3, seconds=4)), ("3600", timedelta(hours=1)),
        ("0s", timedelta(0)),
    ],
)  # fmt: skip
def test_a_duration_is_read(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", " ", "h", "12h1d", "one day", "-1h", "1.5h", "9" * 20, "1h1h", "٣h"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="is not a duration such as"):
        parse_duration(text)


@pytest.mark.parametrize("value", [5, 5.0, None, timedelta(1), [1]])
def test_what_is_no_text_is_left_to_others(value: Any) -> None:
    assert parse_size(value) is value
    assert parse_duration(value) is value


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_size, parse_duration):
        try:
            value = parse(text)
        except Malformed:
            continue
        assert value is not None

"""Sizes and durations read as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.kit.units import parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("2 GB", 2_000_000_000), ("1.5 TiB", 1649267441664), ("10kb", 10_000), (" 7 B ", 7)]
)
def test_a_size_reads_as_it_is_written(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1 GB", "2 XB", "1,5 GB", "2 GB 3 MB", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2 GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("1 h 30 min", 5400), ("2d", 172800), ("1 w", 604800), ("0.5 h", 1800)]
)
def test_a_duration_reads_as_it_is_written(text: str, seconds: int) -> None:
    parsed = parse_duration(text)
    assert (parsed if isinstance(parsed, timedelta) else timedelta(seconds=parsed)) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "h", "1 fortnight", "1 h and more", "-3 s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@given(st.text(max_size=30))
def test_any_text_gives_a_value_or_a_value_error(text: str) -> None:
    for parse in (parse_size, parse_duration):
        try:
            parse(text)
        except ValueError:
            continue

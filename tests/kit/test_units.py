"""Sizes and durations read as people write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from sancho.kit.units import Amount, Duration, FileSize, Id, Seconds, Size, Time, in_words, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0), ("2 GB", 2_000_000_000), ("1.5 TiB", 1649267441664), ("10kb", 10_000), (" 7 B ", 7), ("500B", 500),
        ("2GiB", 2 * 2**30), ("0.1 GB", 100_000_000), (" 3 M ", 3_000_000), ("1 EiB", 2**60), ("1.5", 1),
    ],
)  # fmt: skip
def test_a_size_reads_as_it_is_written(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1 GB", "2 XB", "1,5 GB", "2 GB 3 MB", "1e9", "٣", "1.", "9" * 19])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2 GB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("1 h 30 min", 5400), ("2d", 172800), ("1 w", 604800), ("0.5 h", 1800), ("1d12h", 129600), ("0s", 0)],
)
def test_a_duration_reads_as_it_is_written(text: str, seconds: int) -> None:
    parsed = parse_duration(text)
    assert (parsed if isinstance(parsed, timedelta) else timedelta(seconds=parsed)) == timedelta(seconds=seconds)


@given(st.timedeltas(min_value=timedelta(microseconds=1), max_value=timedelta(days=3650)))
def test_a_duration_can_be_read_as_we_write_it(duration: timedelta) -> None:
    reader = TypeAdapter[Any](Duration)
    assert reader.validate_json(reader.dump_json(duration)) == duration


@given(st.integers(min_value=0, max_value=10**8))
def test_a_duration_in_words_reads_as_the_same(seconds: int) -> None:
    assert parse_duration(in_words(timedelta(seconds=seconds))) == seconds


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (43200, "12 h"), (8640000, "100 d"), (5401, "1 h 30 min 1 s")]
)
def test_a_duration_is_said_in_words(seconds: int, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize("text", ["P", "PT", "P1X", "PT1", "P-1D"])
def test_a_duration_that_only_begins_like_one_of_ours_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize("text", ["", "h", "1 fortnight", "1 h and more", "-3 s", "٣h", "9" * 20])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


@pytest.mark.parametrize("value", [5, 5.0, None, timedelta(1), [1]])
def test_what_is_no_text_is_left_to_others(value: Any) -> None:
    assert parse_size(value) is value
    assert parse_duration(value) is value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Id, 0), (Id, 2**63), (Id, 2**63 - 1), (Amount, -1), (Amount, 2**63), (FileSize, 2**50 + 1), (Size, "16 EiB"),
        (Duration, 0), (Duration, "3651 d"), (Duration, float("inf")), (Duration, "999999999999999999 w"),
        (Seconds, -1), (Seconds, float("nan")), (Seconds, float("inf")), (Seconds, 1e300),
        (Time, "0001-01-01T00:00:00"), (Time, "9999-12-31T23:59:59Z"), (Time, 1e18),
    ],
)  # fmt: skip
def test_what_the_database_could_not_hold_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


def test_a_time_without_a_zone_is_utc() -> None:
    assert TypeAdapter(Time).validate_python("2026-01-01T12:00:00") == datetime(2026, 1, 1, 12, tzinfo=UTC)


@given(st.text(max_size=30))
def test_any_text_gives_a_value_or_a_value_error(text: str) -> None:
    for parse in (parse_size, parse_duration):
        try:
            parse(text)
        except ValueError:
            continue

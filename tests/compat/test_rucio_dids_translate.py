"""Filters of Rucio's searches as its clients write them, and what is none."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.rucio.dids_translate import UNKNOWN
from sancho.compat.rucio.errors import FilterMalformed
from sancho.compat.rucio.filters_translate import filters_of
from sancho.dids.model import MetadataKey, MetadataKind, MetadataTerms
from sancho.kit.query import Query, parse

KEYS = {
    name: MetadataKey(n, name, kind, None, MetadataTerms())
    for n, (name, kind) in enumerate(
        {
            "run": MetadataKind.INTEGER, "project": MetadataKind.TEXT, "detector": MetadataKind.TEXTS,
            "good": MetadataKind.BOOLEAN, "taken_at": MetadataKind.TIME,
        }.items()
    )
}  # fmt: skip


def read(said: object) -> Query | None:
    return filters_of(str(said), KEYS)


def test_filters_are_what_python_writes_of_a_list_of_dictionaries() -> None:
    said: list[dict[str, object]] = [{"name": "a*", "bytes.gte": 7}, {"is_open": "true", "account.ne": "bob"}]
    assert read(said) == parse("name like a* & total_size >= 7 | open = true & (account exists & ~account = bob)")
    assert read({}) is None
    assert read([]) is None
    assert read([{"bytes": 7}, {}]) is None


def test_columns_of_rucios_are_asked_for_as_what_we_call_them() -> None:
    said = {"length.gt": 2, "monotonic": "1", "eol_at.lt": "2026-05-01", "did_type": "DATASET", "md5": "0" * 32}
    assert read(said) == parse(
        f"files > 2 & monotonic = true & ends_at < 2026-05-01T00:00:00+00:00 & kind = DATASET & md5 = {'0' * 32}"
    )
    every, none = parse("name exists"), parse("~name exists")
    assert [read({"hidden": said}) for said in (False, "0", True)] == [every, every, none]
    assert [read({"availability": "AVAILABLE"}), read({"availability.ne": "AVAILABLE"})] == [every, none]
    assert filters_of("[{'hidden': 'mine'}]", {"hidden": KEYS["project"]}) == parse("hidden = mine")
    for wrong in ({"hidden.gt": 1}, {"length": "x" * 2 + "\x01"}, {"updated_at": "2026-05-01"}, {"is_new": True}):
        with pytest.raises(FilterMalformed):
            read(wrong)


def test_a_type_among_filters_is_what_is_looked_for() -> None:
    said: list[dict[str, object]] = [{"name": "a", "type": "file"}, {"name": "b"}]
    assert filters_of(str(said), KEYS, "dataset") == parse("name = a & kind = file | name = b & kind = dataset")
    assert filters_of("[{'type': 'all'}]", KEYS, "dataset") is None
    with pytest.raises(FilterMalformed, match="no type 'x'"):
        read({"type": "x"})


def test_filters_ask_for_the_vos_own_keys() -> None:
    said: dict[str, object] = {"run.gt": 7, "project": "mc*", "detector": "ecl", "good": True}
    assert read(said) == parse("run > 7 & project like mc* & detector contains ecl & good = true")
    assert read({"detector.ne": "ecl"}) == parse("detector exists & ~detector contains ecl")
    assert read({"taken_at.lt": "2026-05-01"}) == parse("taken_at < 2026-05-01T00:00:00+00:00")
    assert read({"run": "7*"}) == parse("run = 7*")
    for wrong in ({"good": "x"}, {"taken_at": "x"}, {"run": [7]}, {"project": "\x01"}, {"runs": 7}):
        with pytest.raises(FilterMalformed):
            read(wrong)


def test_columns_of_rucio_are_keys_where_the_vo_has_them() -> None:
    columns = ("events", "run_number", "lumiblocknr", "task_id", "panda_id", "project", "datatype", "stream_name")
    keys = {name: MetadataKey(n, name, MetadataKind.INTEGER, None, MetadataTerms()) for n, name in enumerate(columns)}
    for name in columns:
        assert name in UNKNOWN
        assert filters_of(str({f"{name}.gte": 7}), keys) == parse(f"{name} >= 7")
        with pytest.raises(FilterMalformed, match="no key"):
            filters_of(str({name: 7}), {})


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
        filters_of(text, KEYS)


@given(st.text(max_size=60) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(repr))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    with suppress(FilterMalformed):
        filters_of(text, KEYS)

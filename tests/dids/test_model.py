"""The words of the namespace: names, DIDs and checksums."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.dids.model import (
    NAME_BYTES,
    DidKind,
    DidMalformed,
    fault_of_name,
    is_scope,
    pack_adler32,
    parse_did,
    unpack_adler32,
)


@given(st.integers(0, 2**32 - 1))
def test_a_checksum_comes_back_as_it_went_in(number: int) -> None:
    packed = pack_adler32(f"{number:08x}")

    assert -(2**31) <= packed < 2**31
    assert unpack_adler32(packed) == f"{number:08x}"


@given(st.binary())
def test_checksums_of_bytes_fit(content: bytes) -> None:
    text = f"{zlib.adler32(content):08x}"
    assert unpack_adler32(pack_adler32(text)) == text


@pytest.mark.parametrize(
    "name", ["a", "run7/events.root", "a.b", "..a", "a..b", "...", "é", "日本/語", 'q"\\', "a:b", "x" * NAME_BYTES]
)
def test_good_names_are_good(name: str) -> None:
    assert parse_did(f"mc:{name}") == ("mc", name)


@pytest.mark.parametrize(
    ("did", "reason"),
    [
        ("mc", "no ':'"),
        ("mc:", "empty"),
        (":a", "scope"),
        ("_c:a", "scope"),
        ("mc\n:a", "scope"),
        (f"{'s' * 31}:a", "scope"),
        ("mc:/a", "begins or ends"),
        ("mc:a/", "begins or ends"),
        ("mc:a//b", "//"),
        ("mc:../a", "part that is"),
        ("mc:a/./b", "part that is"),
        ("mc:a/..", "part that is"),
        ("mc:a b", "white space"),
        ("mc:a\tb", "white space"),
        ("mc:a\x00", "white space"),
        ("mc:a\u2028", "white space"),
        ("mc:a\ud800", "white space"),
        (f"mc:{'x' * (NAME_BYTES + 1)}", "longer"),
        (f"mc:{'é' * NAME_BYTES}", "longer"),
    ],
)
def test_bad_dids_are_refused_with_the_reason(did: str, reason: str) -> None:
    with pytest.raises(DidMalformed, match=reason) as caught:
        parse_did(did, field="children")
    assert caught.value.field == "children"


@given(st.text(min_size=1, max_size=40))
def test_a_good_name_is_a_path_that_stays_where_it_is(name: str) -> None:
    if fault_of_name(name) is None:
        assert name.isprintable()
        assert not any(letter.isspace() for letter in name)
        assert not {"", ".", ".."}.intersection(name.split("/"))
        assert parse_did(f"mc:{name}") == ("mc", name)


@pytest.mark.parametrize("scope", ["", "_a", "-a", "a b", "a/b", "é", "s" * 31, "mc\n"])
def test_bad_scopes_are_none(scope: str) -> None:
    assert not is_scope(scope)


def test_kinds_have_words_and_know_what_they_hold() -> None:
    assert [kind.word for kind in DidKind] == ["file", "dataset", "container"]
    assert DidKind.FILE.holds == ()
    assert DidKind.DATASET.holds == (DidKind.FILE,)
    assert DidKind.CONTAINER.holds == (DidKind.DATASET, DidKind.CONTAINER)

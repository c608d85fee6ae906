"""Text that may come in, and where it is said to be wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.kit.text import NotText, NotUtf8, check_body, check_target

JSON = "application/json"


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({"a": "\0"}, "a"), ({"a": {"b": ["x", "y\0"]}}, "a.b.1"), ({"a": {"b\0": 1}}, "a"), ("\ud800", "body"),
        ({"a": "\udfff"}, "a"), (["\0"], "0"),
    ],
)  # fmt: skip
def test_the_field_with_a_nul_or_half_a_character_is_named(document: Any, field: str) -> None:
    with pytest.raises(NotText) as caught:
        check_body(json.dumps(document).encode(), JSON)
    assert caught.value.field == field


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a": "\\u0000"}',
        rb'{"a": "\u00e9\ud83d\ude00"}',
        '{"a": "é😀"}'.encode(),
        b"",
        b"{",
        rb'{"a": "\u00',
        b"[" * 999,
    ],
)
def test_what_is_text_passes_and_what_is_no_json_is_left_to_the_route(body: bytes) -> None:
    check_body(body, JSON)


@pytest.mark.parametrize("body", [b"\xff", b'{"a": "\xed\xa0\x80"}', "{}".encode("utf-16")])
def test_bytes_that_are_no_utf_8_are_refused_and_the_body_blamed(body: bytes) -> None:
    with pytest.raises(NotUtf8) as caught:
        check_body(body, JSON)
    assert caught.value.field == "body"


def test_the_field_of_a_form_is_named() -> None:
    with pytest.raises(NotText) as caught:
        check_body(b"a=b&password=x%00y", "application/x-www-form-urlencoded")
    assert caught.value.field == "password"


@pytest.mark.parametrize(
    ("path", "query"),
    [(b"/a%00", b""), (b"/a%ff", b""), (b"/", b"a=%00"), (b"/", b"%00=a"), (b"/", b"a=%ff"), (b"/", b"a=\xff")],
)
def test_a_path_or_query_that_is_no_text_is_refused(path: bytes, query: bytes) -> None:
    with pytest.raises((NotText, NotUtf8)) as caught:
        check_target(path, query)
    assert caught.value.field in {"path", "query", "a"}


def test_escapes_of_text_pass() -> None:
    check_target(b"/v1/dids/mc%3Araw%2F%C3%A9", b"a=%C3%A9&b=%25&c=")


@given(st.recursive(st.text(max_size=5), lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(max_size=3), s)))
def test_a_document_is_refused_if_and_only_if_a_text_in_it_is_none(document: Any) -> None:
    said = json.dumps(document)
    try:
        check_body(said.encode(), JSON)
        refused = False
    except NotText:
        refused = True
    assert refused == (r"\u0000" in said.replace(r"\\", ""))

"""Where a file may be said to lie: tokens are made for paths, so that none may be read in two ways."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.dids.model import fault_of_name
from sancho.rses import plan

WEB = "https://se.test/data"


@pytest.mark.parametrize(
    ("prefix", "url"),
    [
        (WEB, "https://se.test/data/belle/mc/f"),
        (WEB, "https://se.test:443/data/belle/mc/f"),
        (WEB, "https://SE.test:443/data/belle/mc/f"),
        (WEB, "davs://se.test/data/belle/mc/f"),
        (WEB, "/belle/mc/f"),
        ("https://se.test:8443", "davs://se.test:8443/belle/mc/f"),
        ("root://se.test//data", "root://se.test:1094//data/belle/mc/f"),
        ("root://se.test:1094//data", "root://se.test/data/belle/mc/f"),
        ("file:///data", "file://localhost/data/belle/mc/f"),
        ("file:///data", "file://localhost:0/data/belle/mc/f"),
    ],
)
def test_a_path_is_what_follows_the_prefix(prefix: str, url: str) -> None:
    assert plan.path_below(prefix, url) == "/belle/mc/f"


@pytest.mark.parametrize(
    "trick",
    [
        "/belle/../gridpp/f", "/belle/./mc/f", "/belle//mc/f", "//belle/mc/f", "/belle/mc/f/", "/", "",
        "/belle/%2e%2e/gridpp/f", "/belle/%2E%2E/gridpp/f", "/belle%2fmc/f", "/belle/mc%2F..%2F..%2Fgridpp/f",
        "/b%65lle/mc/f", "/belle/mc/f%20g%2e", "/belle/%252e%252e/%2e/f", "/belle/mc/f?x", "/belle/mc/f#x",
        "/belle/mc/\\..\\f", "/belle/mc/f\n", "/belle/mc/f\x00", "/belle/mc/%00", "/belle/mc/%0a", "/belle/mc/%ff",
        "/belle/mc/%", "/belle/mc/%zz", "/belle/..;/gridpp/f/..",
    ],
)  # fmt: skip
def test_a_path_that_could_be_read_in_two_ways_is_none(trick: str) -> None:
    for url in (WEB + trick, "https://se.test/data" + trick):
        assert plan.path_below(WEB, url) is None, url
    assert trick == "" or trick.startswith("//") or plan.path_below(WEB, trick) is None or {"?", "#"} & set(trick)


@pytest.mark.parametrize(
    "url",
    [
        "https://other.test/data/belle/mc/f", "https://se.test:8443/data/belle/mc/f", "http://se.test/data/belle/mc/f",
        "https://me@se.test/data/belle/mc/f", "https://se.test@evil.test/data/belle/mc/f", "https://se.test/database/f",
        "https://se.test/data", "https://se.test/belle/mc/f", "https://se.test/data/../belle/mc/f", "se.test/data/f",
        "https://[se.test/data/f", "https://se.test:x/data/f", "belle/mc/f", "file:///data/belle/mc/f",
    ],
)  # fmt: skip
def test_what_is_elsewhere_is_no_path(url: str) -> None:
    assert plan.path_below(WEB, url) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/belle/mc/ab/cd/f", None),
        ("/belle/old/run7/f.root", None),
        ("/belle/mc/f", None),
        ("/gridpp/mc/f", "area"),
        ("/belle2/mc/f", "area"),
        ("/Belle/mc/f", "area"),
        ("/belle", "folder"),
        ("/belle/mc", "folder"),
        ("/belle/mc/345", "folder"),
        ("/belle/mc/345/12345", "folder"),
        ("/belle/mc/345/12345/f", "another file"),
        ("/belle/mc/345/12345/dir/f", "another file"),
        ("/belle/mc/345/12346/f", None),
        ("/belle/mc/..%5Cf", "backslash"),
    ],
)
def test_files_are_said_to_lie_in_the_area_of_their_vo_and_not_at_the_place_of_another(
    path: str, reason: str | None
) -> None:
    fault = plan.fault_of_path(path, "belle")
    assert fault is None if reason is None else reason in (fault or "")


@given(st.integers(1, 2**59), st.text(min_size=1, max_size=40), st.sampled_from([WEB, "file:///d", "root://a.b//x"]))
def test_the_place_of_every_file_is_found_by_its_url(did_id: int, name: str, prefix: str) -> None:
    if fault_of_name(name) is not None:
        return
    place = plan.place(prefix, "belle", "mc", did_id, name)
    assert plan.path_below(prefix, place.url) == place.path
    assert plan.path_below(prefix, plan.pfn(prefix, place.path)) == place.path


def test_urls_are_told_with_host_and_port() -> None:
    assert plan.pfn(WEB, "/belle/f") == "https://se.test:443/data/belle/f"
    assert plan.pfn("davs://se.test", "/belle/f") == "davs://se.test:443/belle/f"
    assert plan.pfn("root://se.test//data", "/belle/f") == "root://se.test:1094//data/belle/f"
    assert plan.pfn("file:///data", "/belle/f") == "file://localhost/data/belle/f"

"""The text of a DiracX configuration is read, or refused by file and place, whatever is in it."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sancho.compat.diracx.repository_body import DEEPEST, parse
from sancho.compat.diracx.repository_errors import RepositoryUnfit
from sancho.compat.diracx.repository_translate import read
from sancho.compat.diracx.repository_wire import Said

BOMB = b"a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"a%d: &a%d [%s]\n" % (i, i, b",".join([b"*a%d" % (i - 1)] * 10)) for i in range(1, 12)
)
UNFIT = {
    "nothing at all": (b"", "is not a mapping of sections"),
    "a list": (b"[1, 2]", "is not a mapping of sections"),
    "two documents": (b"a: 1\n---\nb: 1\n", "line 2: the top: begins a second document"),
    "no YAML": (b"a: [1,", "line"),
    "no UTF-8": (b"a: \xff", "byte 4: is not UTF-8"),
    "a NUL": (b'a: "\\0"', "a: is no text that can be kept"),
    "a control character": (b'"\\e[31m": 1', "has a name that is no plain text"),
    "a name twice": (b"a: {b: 1, b: 2}", "line 1: a/b: is said twice"),
    "names that are lists": (b"? [a]\n: b", "has a name that is no plain text"),
    "a merge": (b"a: &a {b: 1}\nc: {<<: *a}", "line 2: c: has a name that is no plain text"),
    "code": (b"a: !!python/object/apply:os.system [ls]", "a: is a tag:yaml.org,2002:python"),
    "a set": (b"a: !!set {b, c}", "which no configuration has"),
    "an endless number": (b"a: " + b"9" * 6000, "is not what it looks like"),
    "no number": (b"a: .nan", "is no number that can be kept"),
    "an alias of itself": (b"a: &a [*a]", "a/0: is an alias of what is not said before it"),
    "an alias bomb": (BOMB, "is beyond the 500000 values"),
    "depth of lists": (b"a: " + b"[" * 100_000, f"is deeper than {DEEPEST} levels"),
    "depth of sections": (b"a: " + b"{a: " * 5000, f"is deeper than {DEEPEST} levels"),
    "too much": (b"#" * 8_000_001, "is longer than 8000000 bytes"),
}


@pytest.mark.parametrize("what", UNFIT)
def test_a_hostile_text_is_refused_by_file_and_place(what: str) -> None:
    text, said = UNFIT[what]
    with pytest.raises(RepositoryUnfit) as e:
        parse(text, "default.yml")
    assert str(e.value).startswith("default.yml: ")
    assert said in str(e.value)


def refused_or(reading: Callable[[], Said]) -> Said | RepositoryUnfit:
    try:
        return reading()
    except RepositoryUnfit as e:
        return e


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_text_is_read_or_refused(text: bytes) -> None:
    refused_or(lambda: read(parse(text, "default.yml"), "default.yml"))


VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
KNOWN = ["IdP", "URL", "ClientID", "Users", "Groups", "Properties", "JobShare", "PreferedUsername", "DNs", "Suspended",
         "Email", "Support", "Pilot", "DefaultGroup", "Defaults"]  # fmt: skip
TREES: Any = st.recursive(
    VALUES, lambda inner: st.dictionaries(st.sampled_from(KNOWN) | st.just("x"), inner, max_size=5), max_leaves=20
)


@given(
    st.fixed_dictionaries({"Registry": st.dictionaries(st.sampled_from(["ska", "SKA"]), TREES), "Operations": TREES})
)
def test_any_tree_means_something_or_is_refused_by_its_path(tree: dict[str, Any]) -> None:
    said = refused_or(lambda: read(tree, "default.yml"))
    if isinstance(said, RepositoryUnfit):
        assert (said.field or "").split("/")[0] in {"Registry", "Operations"}
        return
    for vo in said.vos:
        assert {group for user in vo.users.values() for group in user.groups} <= vo.groups.keys()


UNFIT_TREES: list[tuple[dict[str, Any], str]] = [
    ({}, "Registry: is missing"),
    ({"Registry": []}, "Registry: should be a section"),
    ({"Registry": {"ska": 1}}, "Registry/ska: should be a section"),
    ({"Registry": {"ska": {"IdP": {"URL": "x"}}}}, "Registry/ska/IdP/ClientID: is missing"),
    ({"Registry": {"ska": {"Users": {"s": {}}}}}, "Registry/ska/Users/s/PreferedUsername: is missing"),
    ({"Registry": {"ska": {"Groups": {"g": {"JobShare": "much"}}}}}, "Groups/g/JobShare: should be a number"),
    ({"Registry": {"ska": {"Groups": {"g": {"Users": {"a": 1}}}}}}, "Groups/g/Users: should be a list of texts"),
    ({"Registry": {"ska": {}}, "Operations": {"ska": {"Pilot": 1}}}, "Operations/ska/Pilot: should be a section"),
]


@pytest.mark.parametrize(("tree", "said"), UNFIT_TREES)
def test_what_is_no_configuration_is_refused_by_file_and_path(tree: dict[str, Any], said: str) -> None:
    with pytest.raises(RepositoryUnfit, match=said) as e:
        read(tree, "cs/default.yml")
    assert str(e.value).startswith("cs/default.yml: ")

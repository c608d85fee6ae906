"""The security model answers every requirement, and the tests that it names exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "security-model.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| (.+?) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
ASKED = {
    "6.1": "1 2 3", "6.2": "1 2 3 4 5 6 7 8 9 10 11 12", "6.3": "1 2 3 4", "6.4": "1 2 3 4", "6.5": "1 2 3 4 5",
    "6.6": "1 2 3", "6.8": "1 2 3 4",
    "7.1": "1 2 3", "7.2": "1 2 3 4", "7.3": "1 2", "7.4": "1 2 3 4 5", "7.5": "1 2", "7.6": "1 2",
    "8.1": "1 2", "8.2": "1 2 3", "8.3": "1", "8.4": "1",
    "9.1": "1 2 3", "9.2": "1 2 3 4",
    "10.1": "1 2", "10.2": "1 2", "10.3": "1 2 3 4", "10.4": "1 2 3 4 5 6 7 8 9 10 11", "10.5": "1 2 3 4 5",
    "10.6": "1 2", "10.7": "1 2 3",
}  # fmt: skip
"""The requirements of levels 1 and 2 in chapters V6 to V10 of OWASP ASVS 5.0, by section."""
UNTESTED = {"6.2.10", "6.4.2", "6.5.3"}
"""Met by what is not there, or by a library: no test could show it."""


@pytest.mark.parametrize(("file", "name"), NAMED, ids=str)
def test_every_test_that_is_named_exists(file: str, name: str) -> None:
    text = (ROOT / "tests" / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE)


def test_every_requirement_is_answered_once_and_nothing_else() -> None:
    asked = [f"{section}.{number}" for section, numbers in ASKED.items() for number in numbers.split()]
    assert [row[0] for row in ROW.findall(PAGE)] == asked


def test_what_is_met_is_shown_by_a_test_and_the_rest_says_why() -> None:
    for number, state, how, test in ROW.findall(PAGE):
        assert state.strip("*") in {"met", "partly", "not met", "n/a"}
        assert how.strip()
        assert test or state != "met" or number in UNTESTED


def test_the_counts_are_those_of_the_table() -> None:
    states = [state.strip("*") for _, state, _, _ in ROW.findall(PAGE)]
    said = re.search(r"Met: (\d+)\. Partly: (\d+)\. Not met: (\d+)\. Not applicable: (\d+)\.", PAGE)
    assert said is not None
    assert [int(n) for n in said.groups()] == [states.count(s) for s in ("met", "partly", "not met", "n/a")]

"""How listings are shown: to a person, to a script, as JSON; with something in them and without."""

import json
import sys

import pytest
from rich.console import Console

from sancho_client.cli.output import Column, Output

COLUMNS: list[Column[str]] = [Column("name", lambda n: n), Column("length", len, "right")]


def output(*, pretty: bool = False, as_json: bool = False) -> Output:
    made = Output(as_json=as_json)
    made.out = Console(file=sys.stdout, highlight=False, soft_wrap=True, force_terminal=pretty, color_system=None)
    return made


@pytest.mark.parametrize("pretty", [True, False])
def test_a_listing_of_nothing_says_so_on_standard_error_alone(capsys: pytest.CaptureFixture[str], pretty: bool) -> None:
    assert output(pretty=pretty).listing(iter(()), COLUMNS, of="jobs") == 0

    assert capsys.readouterr() == ("", "No jobs.\n")


def test_as_json_nothing_is_an_empty_list_and_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(as_json=True).listing(iter(()), COLUMNS, of="jobs") == 0

    said = capsys.readouterr()
    assert (json.loads(said.out), said.err) == ([], "")


def test_a_script_gets_lines_without_a_header_and_a_person_a_table_with_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert output().listing(["one", "three"], COLUMNS, of="names") == 2
    assert capsys.readouterr() == ("one\t3\nthree\t5\n", "")

    assert output(pretty=True).listing(["one", "three"], COLUMNS, of="names") == 2
    said = capsys.readouterr()
    assert [line.split() for line in said.out.splitlines()] == [["name", "length"], ["one", "3"], ["three", "5"]]
    assert said.err == ""

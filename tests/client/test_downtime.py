"""`sancho downtime add|list|end`, on a served grid."""

from typing import TypedDict

from tests.client.conftest import Grid


class Who(TypedDict):
    """Who says a verb."""

    account: str
    vo: str


def test_a_downtime_is_announced_listed_and_ended(grid: Grid) -> None:
    who: Who = {"account": "root", "vo": "instance"}
    said = ("--reason", "new cooling", "--from", "2100-01-01", "--for", "2 d")
    made = grid.json("downtime", "add", "rse", "A-DISK", *said, **who)
    assert (made["kind"], made["site"], made["begun"]) == ("RSE", "SITE-A", False)
    assert (made["begins_at"], made["ends_at"]) == ("2100-01-01T00:00:00Z", "2100-01-03T00:00:00Z")
    shown = [one["downtime_id"] for one in grid.json("downtime", "list")]
    assert made["downtime_id"] in shown
    assert "new cooling" in grid.sancho("downtime", "list").stdout

    assert grid.sancho("downtime", "end", str(made["downtime_id"]), account="alice").exit_code != 0
    assert grid.sancho("downtime", "end", str(made["downtime_id"]), **who).exit_code == 0
    assert made["downtime_id"] not in [one["downtime_id"] for one in grid.json("downtime", "list")]


def test_a_downtime_that_makes_no_sense_is_refused_before_it_is_sent(grid: Grid) -> None:
    for words in (
        ("shelf", "x"),
        ("site", "x", "--for", "2 d", "--until", "2100-01-01"),
        ("site", "x", "--from", "soon"),
    ):
        assert grid.sancho("downtime", "add", *words, "--reason", "r").exit_code == 2

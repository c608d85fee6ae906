"""Listings of what administrators look after, against a real API."""

from tests.client.conftest import Grid


def test_pilots_of_others_are_listed(grid: Grid) -> None:
    assert grid.json("pilot", "registered", "--where", "status = Running", account="root") == []


def test_what_jobs_want_is_listed(grid: Grid) -> None:
    assert grid.sancho("job", "demand", "--all", account="root").stderr == "No data that jobs want in vain.\n"

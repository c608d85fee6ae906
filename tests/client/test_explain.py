"""`sancho explain`, against a real API."""

import pytest

from sancho_client.calls import jobs
from sancho_client.models.jobs import JobDescription, Requirements
from tests.client.conftest import Grid


@pytest.fixture
def giant(grid: Grid, unique: str) -> int:
    """A job that no site can run."""
    said = JobDescription(name=unique, command=["true"], requirements=Requirements(memory="1 PB"))
    with grid.client() as client:
        return client.send(jobs.submit(said, anyway=True)).job_ids[0]


def test_a_job_says_in_plain_words_what_is_in_its_way_and_what_would_help(grid: Grid, giant: int) -> None:
    said = grid.sancho("explain", "job", str(giant))
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert [line.split() for line in lines[:2]] == [["job", str(giant)], ["state", "waiting"]]
    assert "In the way, in this order:" in lines
    assert any(line.startswith("  1. None of the ") for line in lines)
    assert "What would help:" in lines
    assert any(line.startswith("  - It would start at ") and "of memory" in line for line in lines)
    assert "\x1b[" not in said.output
    found = grid.json("explain", "job", str(giant))
    assert (found["kind"], found["name"], found["blockers"][0]["cause"]) == ("job", str(giant), "requirement")


def test_what_is_not_there_is_told_as_elsewhere(grid: Grid) -> None:
    for kind, name, said in (
        ("job", "999999999", "Job 999999999 does not exist"),
        ("rule", "999999999", "Rule 999999999 does not exist"),
        ("file", "mc:nothing-at-all", "mc:nothing-at-all does not exist"),
    ):
        ended = grid.sancho("explain", kind, name)
        assert (ended.exit_code, said in ended.stderr) == (1, True), ended.output
    ended = grid.sancho("explain", "pilot", "999999999", account="root")
    assert (ended.exit_code, "Pilot 999999999 does not exist" in ended.stderr) == (1, True), ended.output
    assert grid.sancho("explain", "pilot", "1").exit_code == 4


def test_submitting_says_how_many_sites_can_run_it(grid: Grid, unique: str, tmp_path: object) -> None:
    file = f"{tmp_path}/job.yaml"
    with open(file, "w") as written:  # noqa: PTH123
        written.write(f"name: {unique}\ncommand: ['true']\nrequirements: {{memory: 1 MB}}\n")
    said = grid.sancho("job", "submit", file)
    assert "can run this." in said.stderr
    with open(file, "w") as written:  # noqa: PTH123
        written.write(f"name: {unique}\ncommand: ['true']\nrequirements: {{memory: 1 PB}}\n")
    refused = grid.sancho("job", "submit", file)
    assert (refused.exit_code, "--anyway" in refused.stderr) == (1, True)
    waits = grid.sancho("job", "submit", file, "--anyway")
    assert (waits.exit_code, "No site of your VO can run this yet" in waits.stderr) == (0, True)
    jdl = f"{tmp_path}/x.jdl"
    with open(jdl, "w") as written:  # noqa: PTH123
        written.write('Executable = "true"; Tags = {"no-site-has-this"};')
    assert grid.sancho("job", "submit", jdl).exit_code == 1
    assert grid.sancho("job", "submit", jdl, "--anyway").exit_code == 0

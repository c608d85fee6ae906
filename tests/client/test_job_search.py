"""The verbs of jobs that search, say and name searches, against a real API."""

import pytest

from sancho_client.calls import jobs
from sancho_client.models.jobs import JobDescription
from tests.client.conftest import Grid


@pytest.fixture
def submitted(grid: Grid, unique: str) -> tuple[int, ...]:
    """Three jobs of one name."""
    with grid.client() as client:
        return client.send(jobs.submit(JobDescription(name=unique, command=["true"]), count=3)).job_ids


def test_jobs_say_something_and_are_found_by_it(grid: Grid, unique: str, submitted: tuple[int, ...]) -> None:
    first, second, third = submitted
    said = grid.sancho("job", "say", str(first), str(second), "events=5000", "stage=merged", f"run=r{unique}", "gone=1")
    assert said.exit_code == 0, said.output
    assert grid.sancho("job", "say", str(second), "events=10", "gone=").exit_code == 0

    assert grid.json("job", "show", str(second))["said"] == {"events": 10, "stage": "merged", "run": f"r{unique}"}
    query = f"param.run = r{unique} & param.events > 1000"
    (found,) = grid.json("job", "list", "--where", query, "--columns", "id,param.events,cores")
    assert (found["job_id"], found["values"]) == (first, {"param.events": 5000, "cores": 1})
    lines = grid.sancho("job", "list", "--where", f"name = {unique}", "--sort", "id", "--columns", "id,param.stage")
    assert lines.stdout.splitlines() == [f"{first}\tmerged", f"{second}\tmerged", f"{third}\t"]
    with grid.client() as client:
        limited = list(client.pages(jobs.list_jobs(where=f"name = {unique}", sort="-changed_at", limit=2)))
        counted = client.send(jobs.summary(by=["name", "state"], where=f"name = {unique}"))
    assert len(limited) == 2
    assert [(dict(one.values), one.count, one.state) for one in counted] == [
        ({"name": unique, "state": "waiting"}, 3, "waiting")
    ]
    summed = grid.sancho("job", "summary", "--by", "state", "--by", "name", "--where", f"name = {unique}")
    assert summed.stdout == f"waiting\t{unique}\t3\n"


def test_searches_are_named_shown_used_and_forgotten(grid: Grid, unique: str, submitted: tuple[int, ...]) -> None:
    saved = grid.sancho("job", "view", "save", unique, "--where", f"name = {unique}", "--columns", "id", "--sort", "id")
    assert saved.exit_code == 0, saved.output
    assert f"sancho job list --view {unique}" in saved.stderr
    assert f"name = {unique}" in grid.sancho("job", "view", "show", unique).stdout
    assert unique in {view["name"] for view in grid.json("job", "view", "list")}

    listed = grid.sancho("job", "list", "--view", unique, "--where", f"id > {submitted[0]}")
    assert listed.stdout.splitlines() == [str(job) for job in submitted[1:]]

    assert grid.json("job", "view", "save", unique, "--where", "state = failed")["where"] == "state = failed"
    assert grid.sancho("job", "view", "remove", unique).exit_code == 0
    assert "You have no view" in grid.sancho("job", "list", "--view", unique).stderr


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["job", "list", "--where", "state ="], 1, "is not well-formed at position"),
        (["job", "list", "--where", "sate = done"], 1, "did you mean state"),
        (["job", "list", "--columns", "input"], 1, "no one value of input"),
        (["job", "say", "x=1"], 2, "Say jobs by their numbers"),
        (["job", "say", "999999999", "x=1"], 1, "Job 999999999 does not exist"),
        (["job", "view", "remove", "nothing"], 1, "You have no view"),
        (["job", "view", "show", "nothing"], 1, "You have no view"),
    ],
)
def test_what_cannot_be_done_is_named(grid: Grid, words: list[str], status: int, said: str) -> None:
    ended = grid.sancho(*words)
    assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (status, True), ended.stderr

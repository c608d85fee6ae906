"""The verbs of jobs that change them, against a real API."""

import pytest

from sancho_client.calls import jobs
from sancho_client.models.jobs import JobDescription, Output, Retry
from tests.client.conftest import Grid


@pytest.fixture
def submitted(grid: Grid, unique: str) -> tuple[int, ...]:
    """Three jobs of one name."""
    with grid.client() as client:
        described = JobDescription(name=unique, command=["true", "{number}"], retry=Retry(site=5))
        return client.send(jobs.submit(described, count=3)).job_ids


def states(grid: Grid, unique: str) -> list[str]:
    return [job["state"] for job in grid.json("job", "list", "--where", f"name = {unique}", "--sort", "id")]


def test_jobs_are_held_released_and_put_back(grid: Grid, unique: str, submitted: tuple[int, ...]) -> None:
    first, second, third = submitted
    held = grid.sancho("job", "hold", str(first), str(second))
    assert held.stdout.splitlines() == [f"{first} held", f"{second} held"], held.output
    assert states(grid, unique) == ["held", "held", "waiting"]
    again = grid.sancho("job", "hold", str(first), str(third))
    assert (again.stdout, again.stderr) == (f"{third} held\n", f"Not held: {first}.\n")
    assert grid.json("job", "release", "--where", f"name = {unique}") == {"changed": list(submitted)}
    assert states(grid, unique) == ["waiting"] * 3

    assert grid.json("job", "kill", "--where", f"name = {unique} & id > {first}") == {"changed": [second, third]}
    back = grid.json("job", "reschedule", "--where", f"name = {unique} & state = killed")
    assert back == {"changed": [second, third]}
    for _ in range(2):
        assert grid.sancho("job", "reschedule", str(second)).exit_code == 0
    often = grid.sancho("job", "reschedule", str(second))
    assert (often.exit_code, "3 times" in often.stderr) == (1, True)
    assert grid.json("job", "reschedule", "--where", f"name = {unique} & id = {second}") == {"changed": []}
    counted = grid.json("job", "list", "--where", f"name = {unique} & reschedules = 3", "--columns", "id,reschedules")
    assert [(job["job_id"], job["values"]["reschedules"]) for job in counted] == [(second, 3)]
    assert grid.sancho("job", "kill", "--where", f"name = {unique}").exit_code == 0


def test_a_clone_is_the_same_but_for_what_is_changed(grid: Grid, unique: str, submitted: tuple[int, ...]) -> None:
    words = ["--set", "requirements.memory=8MB", "--set", "priority=3", "-p", "seed=7"]
    made = grid.json("job", "clone", *map(str, submitted[:2]), *words)
    assert [one["job_id"] for one in made] == list(submitted[:2])
    before, after = (grid.json("job", "show", str(job)) for job in (submitted[0], made[0]["clone_id"]))
    old, new = before["description"], after["description"]
    assert (new["requirements"]["memory"], new["priority"]) == (8_000_000, 3)
    assert new["requirements"] | {"memory": 0} == old["requirements"] | {"memory": 0}
    assert {k: v for k, v in new.items() if k not in ("requirements", "priority")} == {
        k: v for k, v in old.items() if k not in ("requirements", "priority")
    }
    assert (old["retry"], old["max_attempts"]) == ({"site": 5, "data": 1, "job": 0}, 7)
    assert after["parameters"] == {"number": 1, "seed": 7}
    assert before["state"] == "waiting"
    found = grid.json("job", "clone", "--where", f"name = {unique} & id <= {submitted[-1]}", "--set", f"name={unique}x")
    assert len(found) == 3
    assert grid.sancho("job", "kill", "--where", f"name like {unique}*").exit_code == 0


def test_jobs_are_cloned_once_for_a_key(grid: Grid, unique: str, submitted: tuple[int, ...]) -> None:
    with grid.client() as client:
        (other,) = client.send(jobs.submit(JobDescription(name=unique, command=["false"]))).job_ids
    chosen = ["job", "clone", str(submitted[0]), str(other), "--key", f"key-{unique}"]
    made = grid.json(*chosen)
    assert [one["job_id"] for one in made] == [submitted[0], other]
    assert grid.json(*chosen) == made
    for differs in (["--set", "priority=3"], [str(submitted[1])], ["-p", "seed=1"]):
        refused = grid.sancho(*chosen, *differs)
        assert (refused.exit_code, "came with something else before" in " ".join(refused.stderr.split())) == (1, True)
    fewer = grid.sancho("job", "clone", str(submitted[0]), "--key", f"key-{unique}")
    assert fewer.exit_code == 1, fewer.output
    assert len(states(grid, unique)) == 6
    assert grid.sancho("job", "kill", "--where", f"name = {unique}").exit_code == 0


def test_a_clone_of_a_job_with_outputs_gives_them_other_names(grid: Grid, unique: str) -> None:
    output = Output(path="o", did=f"mc:{unique}" + "_{number}")
    with grid.client() as client:
        (job,) = client.send(jobs.submit(JobDescription(name=unique, command=["true"], outputs=[output]))).job_ids
    same = grid.sancho("job", "clone", str(job))
    assert (same.exit_code, "promised by another job" in " ".join(same.stderr.split())) == (1, True), same.stderr
    (made,) = grid.json("job", "clone", str(job), "-p", "number=2")
    assert grid.json("job", "show", str(made["clone_id"]))["outputs"][0]["did"] == f"mc:{unique}_2"
    assert grid.sancho("job", "kill", "--where", f"name = {unique}").exit_code == 0


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["job", "hold"], 2, "by their numbers, or by --where"),
        (["job", "hold", "1", "--where", "id = 1"], 2, "by their numbers, or by --where"),
        (["job", "hold", "999999999"], 1, "Job 999999999 does not exist"),
        (["job", "release", "--where", "state ="], 1, "is not well-formed at position"),
        (["job", "clone", "999999999"], 1, "Job 999999999 does not exist"),
        (["job", "clone", "1", "--set", "x"], 1, "is not FIELD=VALUE"),
        (["job", "clone", "1", "--set", "name=x", "--set", "name.y=1"], 1, "set as a whole"),
        (["job", "clone", "1", "-p", "x=1", "-p", "x=2"], 1, "one value for each parameter"),
    ],
)
def test_what_cannot_be_done_is_named(grid: Grid, words: list[str], status: int, said: str) -> None:
    ended = grid.sancho(*words)
    assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (status, True), ended.stderr


def test_changes_that_make_no_description_are_refused_where_they_stand(grid: Grid, submitted: tuple[int, ...]) -> None:
    for words, said in (
        (["--set", "requirements.cores=4", "--set", "requirements.max_cores=2"], "max_cores is less"),
        (["--set", "requirements.cores=many"], "changes.requirements.cores"),
        (["--set", "nothing=1"], "changes.nothing"),
    ):
        ended = grid.sancho("job", "clone", str(submitted[0]), *words)
        assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (1, True), ended.stderr

"""`sancho job submit` of JDL: what is taken along, what is said, and what comes of it."""

import asyncio
import json
from pathlib import Path

import pytest

from sancho_client.calls import jobs
from sancho_client.cli import jdl_files
from tests.client.conftest import Grid
from tests.conftest import eventually


@pytest.fixture
def jdl(tmp_path: Path, unique: str) -> Path:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "run.sh").write_text("#!/bin/sh\necho $1\n")
    path = tmp_path / "job.JDL"
    path.write_text(
        f'[ JobName = "{unique}"; Executable = "run.sh"; Arguments = "%s"; Parameters = {{"a", "b"}};'
        ' InputSandbox = {"tools/run.sh"}; ]'
    )
    return path


def test_a_jdl_is_submitted_with_the_files_beside_it(grid: Grid, jdl: Path) -> None:
    made = grid.json("job", "submit", str(jdl))

    first, second = (grid.json("job", "show", str(job)) for job in made["job_ids"])
    assert first["submission_id"] == second["submission_id"]
    assert first["description"]["command"][-2:] == ["run.sh", "{s}"]
    assert len(first["description"]["sandbox"]) == 64
    assert [one["parameters"]["s"] for one in (first, second)] == ["a", "b"]
    told = grid.sancho("job", "submit", str(jdl))
    assert (told.exit_code, len(told.stdout.split())) == (0, 2)


def test_a_file_of_another_name_is_jdl_when_somebody_says_so(grid: Grid, tmp_path: Path) -> None:
    path = tmp_path / "job.txt"
    path.write_text("Executable = date;")

    (job,) = grid.json("job", "submit", "--jdl", str(path))["job_ids"]

    assert grid.json("job", "show", str(job))["description"]["command"] == ["date"]
    ended = grid.sancho("job", "submit", str(path))
    assert ended.exit_code == 1


def test_what_is_wrong_with_a_jdl_is_said(grid: Grid, tmp_path: Path) -> None:
    path = tmp_path / "job.jdl"
    for text, said in (
        ("Executable = ;", "JDL syntax error at line 1, column 14"),
        ("Executable = date; InputSandbox = {nothing.sh};", "nothing.sh does not exist"),
        ("Executable = date; Site = NOWHERE", "NOWHERE"),
    ):
        path.write_text(text)
        ended = grid.sancho("job", "submit", str(path))
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert said in " ".join(ended.stderr.split())
    path.write_bytes(b"Executable = \xff")
    assert "is not UTF-8" in grid.sancho("job", "submit", str(path)).stderr
    assert "cannot be read" in grid.sancho("job", "submit", str(tmp_path / "no.jdl")).stderr
    assert grid.sancho("job", "submit", str(path), "--count", "2").exit_code == 2


async def test_jobs_of_a_jdl_are_waited_for(grid: Grid, jdl: Path, unique: str) -> None:
    found = jobs.list_jobs(name=unique)
    with grid.client() as alice:
        waiting = asyncio.create_task(asyncio.to_thread(grid.sancho, "job", "submit", str(jdl), "--wait", "--json"))
        await eventually(lambda: len(list(alice.pages(found))) == 2)
        alice.send(jobs.kill([job.job_id for job in alice.pages(found)]))
        ended = await waiting

    assert (ended.exit_code, json.loads(ended.stdout)) == (3, {"killed": 2})


@pytest.mark.parametrize(("text", "files"), [
    ('InputSandbox = {"a.sh", "LFN:/belle/mc/x", b.py,"SB:S|/S3/x", "a.sh"};', ["a.sh", "b.py"]),
    ('[executable = x; inputsandbox="a.sh,b.sh"]', ["a.sh", "b.sh"]),
    ("InputSandbox = a.sh;", ["a.sh"]),
    ('NoInputSandbox = {"a.sh"}; Executable = "x"', []),
    ("InputSandbox = {};", []),
    ("", []),
])  # fmt: skip
def test_the_files_of_an_input_sandbox_are_found(text: str, files: list[str]) -> None:
    assert jdl_files.local_files(text) == files

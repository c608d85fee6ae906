"""`sancho demo` as a user runs it: from nothing to pictures, and nothing left behind, however it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sancho.local import grid
from sancho.local.home import Home
from sancho.local.programs import MARK
from tests.local.demo_python import DEMO_PYTHON, needs_demo_python

PATIENCE = 300
PNG = b"\x89PNG"


def demo(folder: Path, *words: str | Path) -> "subprocess.Popen[str]":
    """Start a demonstration whose temporary files are all below a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "sancho", "demo", "--out", folder / "out", *words],
        env={**os.environ, "TMPDIR": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def left_behind(folder: Path) -> Iterator[str]:
    """What still runs of grids whose home is below a folder."""
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if f"{MARK}={folder}".encode() in (entry / "environ").read_bytes():
                yield (entry / "cmdline").read_text().replace("\0", " ")


@needs_demo_python
def test_two_vos_get_their_work_done_and_their_pictures_and_nothing_is_left(tmp_path: Path) -> None:
    running = demo(tmp_path, "--python", DEMO_PYTHON, "--jobs", "2", "--json")
    said, complaints = running.communicate(timeout=PATIENCE)
    assert running.returncode == 0, complaints
    outcome = json.loads(said)
    assert [one["vo"] for one in outcome["vos"]] == ["belle", "gridpp"]
    for one in outcome["vos"]:
        assert one["jobs"] == {"done": 3}
        assert [file["did"] for file in one["files"]] == [
            "mc:dimuon/sim_1.root", "mc:dimuon/sim_2.root", "mc:spectrum.png",
        ]  # fmt: skip
        assert all(len(file["replicas"]) == 2 and file["rule"] == "ok" and file["job"] for file in one["files"])
        assert (tmp_path / "out" / one["vo"] / "spectrum.png").read_bytes().startswith(PNG)
    assert {refusal["status"] for refusal in outcome["refusals"]} == {404}
    assert (tmp_path / "out" / "spectrum.png").read_bytes().startswith(PNG)
    assert not list(left_behind(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_jobs_that_fail_are_shown_with_their_last_words(tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *simulate*) echo "no muons today" >&2; exit 3;; esac\n')
    python.chmod(0o755)
    running = demo(tmp_path, "--python", python, "--jobs", "1")
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "no muons today" in said
    assert "did not get done" in said
    assert not list(left_behind(tmp_path))


@needs_demo_python
def test_ctrl_c_stops_everything_that_was_started(tmp_path: Path) -> None:
    running = demo(tmp_path, "--python", DEMO_PYTHON, "--home", tmp_path / "home")
    assert running.stderr is not None
    assert any(" running" in line for line in running.stderr), "it ended before a job ran"
    assert list(left_behind(tmp_path))
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert not list(left_behind(tmp_path))
    grid.purge(Home(tmp_path / "home"))  # a home that was named is kept, as root its database elsewhere too


@pytest.mark.parametrize("script", ['echo "No module named numpy" >&2; exit 1', None])
def test_an_interpreter_that_cannot_run_the_payloads_is_refused_before_anything_starts(
    tmp_path: Path, script: str | None
) -> None:
    python = tmp_path / "python3"
    if script is not None:
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
    running = demo(tmp_path, "--python", python)
    _, said = running.communicate(timeout=PATIENCE)
    assert running.returncode == 1
    assert "cannot run the payloads" in said
    assert "make .venv-demo" in said
    assert not (tmp_path / "out").exists()

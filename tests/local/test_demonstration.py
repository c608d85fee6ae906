"""The payloads of the demonstration, and how it judges what it finds."""

import json
import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from sancho.local.demonstration.findings import Found, FoundFile, Refusal, faults
from sancho.local.demonstration.watching import Standing
from sancho.local.demonstration.workload import PAYLOAD
from sancho_client.cli import job_files
from tests.local.demo_python import DEMO_PYTHON, needs_demo_python

READ = """
import hashlib, sys, uproot
columns = uproot.open(sys.argv[1])["events"].arrays(library="np")
print(sorted(columns), hashlib.sha256(b"".join(columns[name].tobytes() for name in sorted(columns))).hexdigest())
"""
PICTURE = FoundFile(
    did="mc:spectrum.png", size=1, adler32="00000001", replicas=("disk-a", "disk-b"), rule="ok", job=2, site="site-a"
)
SIMULATED = PICTURE.model_copy(update={"did": "mc:dimuon/sim_1.root", "job": 1})
GOOD = Found(vo="belle", account="akiko", jobs={"done": 2}, files=(SIMULATED, PICTURE))
REFUSED = Refusal(asking="belle", of="gridpp", what="job 3", status=404)


def payload(*words: str | Path, **variables: str) -> str:
    """Run a payload, or what reads its files, and return what it printed."""
    done = subprocess.run(
        [DEMO_PYTHON, *words], env={**os.environ, **variables}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def simulate(number: int, output: Path, events: int) -> str:
    """Simulate and return what the file holds, in short."""
    payload(PAYLOAD / "simulate.py", str(number), output, str(events))
    return payload("-c", READ, output)


@needs_demo_python
def test_the_same_number_simulates_the_same_events_and_another_number_others(tmp_path: Path) -> None:
    first, again, other = (simulate(n, tmp_path / f"{i}.root", 2000) for i, n in enumerate((7, 7, 8)))
    assert "muon1_px" in first
    assert "muon2_charge" in first
    assert first == again != other


@needs_demo_python
def test_the_analysis_finds_the_peaks_that_were_simulated(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.json"
    files = [tmp_path / f"sim_{n}.root" for n in (1, 2)]
    for n, file in enumerate(files, start=1):
        simulate(n, file, 50_000)
    inputs.write_text(json.dumps([{"did": f"mc:{file.name}", "path": str(file)} for file in files]))
    picture = tmp_path / "spectrum.png"
    said = payload(PAYLOAD / "analyse.py", picture, "belle: muon pairs", SANCHO_INPUTS=str(inputs))
    found = {name: float(number) for name, number in re.findall(r"(\S+) at .* GeV: +(\d+)", said)}
    # Shares of 100 000 events as simulate.py has them; tails fall outside of the windows.
    assert found["J/psi"] == pytest.approx(15_000, rel=0.05)
    assert found["psi(2S)"] == pytest.approx(1_000, rel=0.4)
    assert found["Upsilon(1S)"] == pytest.approx(7_500, rel=0.06)
    assert found["Z"] == pytest.approx(8_300, rel=0.06)
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["simulate", "analyse"])
def test_the_job_files_are_ones_that_a_user_could_submit(name: str) -> None:
    described, _ = job_files.read(PAYLOAD / f"{name}.yaml", (), None)
    assert described.requirements.tags == ["env:demo"]
    assert all((PAYLOAD / file).is_file() for file in described.files)
    assert [o.rule.copies for o in described.outputs if o.rule is not None] == [2]


def test_nothing_is_wrong_with_a_demonstration_that_went_well() -> None:
    assert not list(faults([GOOD], [REFUSED], jobs_each=2))


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"replicas": ("disk-a",)}, "has 1 replicas, not 2"),
        ({"rule": "stuck"}, "the rule of mc:spectrum.png of belle is stuck"),
        ({"job": None}, "nobody knows which job"),
        ({"did": "mc:other.png"}, "belle has no mc:spectrum.png"),
    ],
)
def test_a_file_that_is_not_as_it_should_be_is_named(file: dict[str, object], said: str) -> None:
    found = GOOD.model_copy(update={"files": (SIMULATED, PICTURE.model_copy(update=file))})
    assert any(said in fault for fault in faults([found], [REFUSED], jobs_each=2))


def test_a_job_that_is_not_done_and_a_file_that_is_missing_are_named() -> None:
    found = GOOD.model_copy(update={"jobs": {"done": 1, "failed": 1}, "files": (PICTURE,)})
    assert [*faults([found], [], jobs_each=2)] == [
        "the jobs of belle are {'done': 1, 'failed': 1}, not 2 done",
        "belle has 1 files, not 2",
    ]


def test_a_vo_that_sees_what_is_anothers_is_named() -> None:
    seen = REFUSED.model_copy(update={"status": 200})
    assert [*faults([GOOD], [seen], jobs_each=2)] == ["belle asked for job 3 of gridpp and was answered 200"]


def test_work_is_done_when_jobs_files_and_rules_all_are() -> None:
    done = Standing(
        vo="belle", simulate={"done": 1}, analyse={"done": 1}, files=2, replicas=4, rules={"ok": 2}, transfers=0
    )
    assert done.done
    assert not replace(done, analyse={"running": 1}).done
    assert not replace(done, replicas=3).done
    assert not replace(done, rules={"ok": 1, "replicating": 1}).done
    assert not replace(done, rules={}).done

"""A whole grid on this machine, by the command line: up, killed, down, up again."""

import configparser
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sancho.local import control
from sancho.local.home import Home
from sancho.local.processes import marked, wait_until
from sancho.local.programs import MARK
from sancho_client.calls import data, jobs
from sancho_client.calls import topology as calls
from sancho_client.models.jobs import JobDescription
from tests.local.running import PROGRAMS, everything, program, said, sancho, speaking, who

pytestmark = pytest.mark.xdist_group("grid")


@pytest.fixture
def home(up: dict[str, Any]) -> Path:
    return Path(up["home"])


def test_its_administrator_is_shown_a_password_once_and_can_log_in(up: dict[str, Any], home: Path) -> None:
    made = {"account": "admin", "password": up["password"], "vos": ["belle", "gridpp", "instance"]}
    assert up["administrators"] == made
    for vo in ("belle", "gridpp", "instance"):
        form = {"grant_type": "password", "username": "admin", "password": up["password"], "vo": vo}
        answer = httpx2.post(f"{up['url']}/v1/auth/token", data=form, trust_env=False)
        assert answer.status_code == 200, answer.text
    kept = [path for path in home.rglob("*") if path.is_file() and path.stat().st_size < 10_000]
    assert not any(up["password"].encode() in path.read_bytes() for path in kept)


def test_a_shell_gets_all_it_needs_to_use_the_grid(up: dict[str, Any], home: Path) -> None:
    there = said("env", "--home", str(home))
    assert there["SANCHO_URL"] == up["url"]
    assert there["RUCIO_HOST"] == there["RUCIO_AUTH_HOST"] == f"{up['url']}/rucio"
    assert there["RUCIO_VO"] == "belle"
    assert there["RUCIO_ACCOUNT"] == "admin"
    assert there["DIRACX_URL"] == up["url"]
    assert there["RUCIO_AUTH_TYPE"] == "oidc"
    rucio = configparser.ConfigParser()
    rucio.read(there["RUCIO_CONFIG"])
    assert rucio["client"]["rucio_host"] == there["RUCIO_HOST"]
    assert rucio["client"]["auth_token_file_path"] == there["SANCHO_TOKEN_FILE"]
    assert stat.S_IMODE(Path(there["SANCHO_TOKEN_FILE"]).stat().st_mode) == 0o600
    lines = sancho("env", "--home", str(home), "--vo", "gridpp").stdout
    shell = ["sh", "-c", f"{lines}\n{sys.executable} -m sancho whoami --json"]
    me = json.loads(subprocess.run(shell, capture_output=True, text=True, check=True).stdout)
    assert (me["vo"], me["account"]) == ("gridpp", "admin")
    for vo in ("belle", "gridpp", "instance"):
        assert said("whoami", "--vo", vo, environment=there)["vo"] == vo
    refused = sancho("env", "--home", str(home), "--vo", "atlas")
    assert refused.returncode == 1
    assert "it has those of belle, gridpp, and of instance" in refused.stderr
    assert "`sancho up --vo atlas` makes it" in refused.stderr


def test_the_api_and_the_worker_can_be_measured(up: dict[str, Any], home: Path) -> None:
    program(home, "worker")
    ports = {"sancho_requests_total": up["url"], "sancho_tasks_total": f"http://127.0.0.1:{port_of_metrics(home)}"}
    for measure, url in ports.items():
        assert wait_until(
            lambda m=measure, u=url: f"{m}{{" in httpx2.get(f"{u}/metrics", trust_env=False).text, timeout=30
        ), measure


def port_of_metrics(home: Path) -> int | None:
    return Home(home).config().metrics_port


def test_both_vos_may_use_both_sites(home: Path) -> None:
    for vo in ("belle", "gridpp"):
        with speaking(home, vo) as client:
            assert sorted(one.name for one in client.pages(calls.sites())) == ["site-a", "site-b"]
            assert sorted(one.name for one in client.pages(calls.ces())) == ["ce-a", "ce-b"]
            assert sorted(one.name for one in client.pages(calls.rses())) == ["disk-a", "disk-b"]


def test_up_on_a_grid_that_runs_is_harmless(up: dict[str, Any], home: Path) -> None:
    before = everything(home)
    again = said("up", "--home", str(home))
    assert (again["url"], again["vos"], again["password"]) == (up["url"], ["belle", "gridpp"], None)
    assert everything(home) == before
    refused = sancho("up", "--home", str(home), "--tls")
    assert refused.returncode == 1
    assert "sancho down" in refused.stderr
    assert everything(home) == before


def test_a_grid_that_runs_gets_another_vo_and_only_its_administrator_is_new(up: dict[str, Any], home: Path) -> None:
    before = everything(home)
    there = said("env", "--home", str(home), "--vo", "instance")
    said("vo", "add", "lhcb", environment=there)
    assert "`sancho up --vo lhcb` makes it" in sancho("env", "--home", str(home), "--vo", "lhcb").stderr

    shown = sancho("up", "--home", str(home), "--vo", "lhcb")

    assert shown.returncode == 0, shown.stderr
    told = shown.stdout.splitlines()
    (line,) = [line for line in told if "password" in line and "administers" in line]
    assert line.startswith("Account admin, password ")
    assert line.endswith(" administers lhcb")
    assert any("sancho login --vo lhcb --account admin" in line for line in told)
    password = line.split()[3].rstrip(",")
    url, words = up["url"], {"grant_type": "password", "username": "admin", "password": password}
    status = {
        vo: httpx2.post(f"{url}/v1/auth/token", data={**words, "vo": vo}, trust_env=False) for vo in ("lhcb", "belle")
    }
    assert [answer.status_code for answer in status.values()] == [200, 401]
    assert said("whoami", environment=said("env", "--home", str(home), "--vo", "lhcb"))["vo"] == "lhcb"
    with speaking(home, "lhcb") as client:
        assert len(list(client.pages(calls.rses()))) == 2
    assert everything(home) == before


def test_keys_of_a_grid_are_rotated_and_a_folder_without_one_stays_as_it_is(up: dict[str, Any], home: Path) -> None:
    there = said("env", "--home", str(home))
    before = {one["kid"] for one in httpx2.get(f"{up['url']}/.well-known/jwks.json", trust_env=False).json()["keys"]}
    made = said("rotate-keys", environment={"SANCHO_HOME": str(home)})
    assert made["folder"] == str(home / "keys")

    def published() -> set[str]:
        return {one["kid"] for one in httpx2.get(f"{up['url']}/.well-known/jwks.json", trust_env=False).json()["keys"]}

    # One key of each kind: for us, and for storages.
    assert wait_until(lambda: published() > {*before, made["key"]}, timeout=20, step=0.2)
    assert len(published()) == len(before) + 2
    assert said("whoami", environment=there)["vo"] == "belle"
    assert said("whoami", environment=said("env", "--home", str(home)))["vo"] == "belle"
    empty = home.parent / "empty"
    for words, environment in ((["--home", str(empty)], {}), ([], {"SANCHO_STATE_DIR": str(empty)})):
        refused = sancho("rotate-keys", "--json", *words, environment=environment)
        assert refused.returncode == 1
        assert json.loads(refused.stderr)["code"] in {"no_grid", "no_keys"}
        assert not empty.exists()


TOOL = {
    "cwlVersion": "v1.2", "class": "CommandLineTool", "id": "count", "baseCommand": ["sh", "count.sh"],
    "inputs": {
        "data": {"type": "File", "inputBinding": {"position": 2}},
        "times": {"type": "int", "inputBinding": {"position": 1, "prefix": "-n"}},
    },
    "outputs": {
        "log": "stdout",
        "parts": {"type": "File[]", "outputBinding": {"glob": "part_*.txt"}},
        "whole": {"type": "File", "outputBinding": {"glob": "whole.txt"}},
    },
    "stdout": "log.txt", "successCodes": [3], "temporaryFailCodes": [75], "permanentFailCodes": [4],
    "requirements": {
        "ResourceRequirement": {"coresMin": 1, "ramMin": 100},
        "ToolTimeLimit": {"timelimit": 100},
        "EnvVarRequirement": {"envDef": {"WORD": "$(inputs.data.nameroot) of $(runtime.cores)"}},
        "InitialWorkDirRequirement": {"listing": [{"entryname": "count.sh", "entry": (
            'echo "$WORD $1 $2 $OMP_NUM_THREADS"; [ "$SANCHO_ATTEMPT" != 1 ] || exit 75; '
            'for n in 1 2; do cat "$3" >"part_$n.txt"; done; cat part_* >whole.txt; exit 3')}]},
    },
    "hints": {"sancho:Job": {"outputs": {"whole": {"did": "cwl:whole.txt"}}}},
}  # fmt: skip
"""Reads a file of the catalogue, fails for a while, and ends with a code that is a success for it alone."""


def test_a_cwl_tool_is_run_by_a_pilot_as_it_says(home: Path) -> None:
    there = said("env", "--home", str(home))
    work = home.parent / "cwl"
    work.mkdir()
    (work / "in.txt").write_text("text\n")
    (work / "tool.cwl").write_text(json.dumps(TOOL))
    (work / "job.json").write_text('{"data": {"class": "File", "location": "sancho://cwl:in.txt"}, "times": 2}')
    shell = {"baseCommand": ["sh", "-c"], "inputs": {}, "outputs": {}, "requirements": {}, "hints": {}}
    retry = {"retry": {"job": 5}}
    with speaking(home, "belle") as client:
        client.send(data.create_scope("cwl"))
        said("data", "put", str(work / "in.txt"), "--scope", "cwl", environment=there)
        tool = ("job", "submit", str(work / "tool.cwl"), "--inputs", str(work / "job.json"))
        (job,) = said(*tool, environment=there)["job_ids"]
        failing = {
            "exit 4": {"hints": {"sancho:Job": retry}},
            "exit 0": {"outputs": {"x": {"type": "File", "outputBinding": {"glob": "x*"}}}},
            "sleep 99": {"requirements": {"ToolTimeLimit": {"timelimit": 1}}},
        }
        others = [
            client.send(jobs.submit_cwl({**TOOL, **shell, "arguments": [script], **more})).job_ids[0]
            for script, more in failing.items()
        ]
        assert wait_until(
            lambda: all(client.send(jobs.show(one)).state in {"done", "failed"} for one in [job, *others]),
            timeout=120, step=0.3,
        )  # fmt: skip
        shown, *failed = [client.send(jobs.show(one)) for one in [job, *others]]
        assert (shown.state, shown.attempts) == ("done", 2), client.send(jobs.log(job))
        assert [(one.state, one.attempts) for one in failed] == [("failed", 1)] * 3
        assert client.send(jobs.log(others[1])).tail.strip() == "The tool made no x*"
        assert [(client.send(jobs.show(one)).history[-1].detail or "").partition(":")[0] for one in others] == [
            "payload_failed", "payload_failed", "walltime_exceeded",
        ]  # fmt: skip
    said("job", "output", str(job), "-o", str(work / "out"), environment=there)
    made = {path.name: path.read_text() for path in (work / "out").rglob("*.txt")}
    assert made == {
        "log.txt": "in of 1 -n 2 1\n", "part_1.txt": "text\n", "part_2.txt": "text\n", "whole.txt": "text\ntext\n",
    }  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_killed_comes_back_and_the_grid_answers_again(up: dict[str, Any], home: Path, name: str) -> None:
    before = program(home, name)
    os.kill(before.pid, signal.SIGKILL)
    assert wait_until(lambda: not before.alive, timeout=10)
    assert program(home, name) != before
    assert who(home) == ("belle", "admin")


def test_status_and_doctor_find_it_well(home: Path) -> None:
    for name in PROGRAMS:
        program(home, name)
    status = said("status", "--home", str(home))
    assert status["running"]
    assert status["ready"]
    assert [one["name"] for one in status["programs"]] == PROGRAMS
    checks = said("doctor", "--home", str(home))
    assert [one for one in checks if one["result"] == "fail"] == []
    named = {one["name"]: one["seen"] for one in checks}
    assert named["migrations"] == "up to date"
    assert named["API"].endswith("200")
    assert named["storage disk-a"].endswith("200")
    assert "PostgreSQL 18" in named["database"]
    text = sancho("status", "--home", str(home))
    assert text.returncode == 0
    assert "storage-disk-b" in text.stdout


def submit_waiting_job(home: Path, gate: Path) -> int:
    """Submit a job that runs until the gate is there; return its number once it runs."""
    command = ["sh", "-c", f"until test -e {gate}; do sleep 0.1; done"]
    with speaking(home, "belle") as client:
        (job,) = client.send(jobs.submit(JobDescription(name="patient", command=command))).job_ids
        assert wait_until(lambda: client.send(jobs.show(job)).state == "running", timeout=120, step=0.2)
    return job


def test_everything_survives_down_and_up_and_the_death_of_the_supervisor(up: dict[str, Any], home: Path) -> None:
    gate = home.parent / "gate"
    job = submit_waiting_job(home, gate)
    before = [*everything(home), *marked(MARK, str(home))]
    assert said("status", "--home", str(home))["pilots"] >= 1
    assert said("down", "--home", str(home)) == {"home": str(home), "ran": True, "removed": False}
    assert not any(one.alive for one in before)
    assert marked(MARK, str(home)) == []
    assert sancho("status", "--home", str(home)).returncode == 3

    again = said("up", "--home", str(home), "--vo", "atlas")
    assert again["vos"] == ["belle", "gridpp", "lhcb", "atlas"]
    assert again["administrators"]["vos"] == ["atlas"]
    assert again["url"] == up["url"]
    assert again["password"] not in {None, up["password"]}
    with speaking(home, "atlas") as client:
        assert len(list(client.pages(calls.rses()))) == 2

    supervisor = control.find_supervisor(home)
    assert supervisor is not None
    os.kill(supervisor.pid, signal.SIGKILL)
    assert wait_until(lambda: not supervisor.alive, timeout=10)
    assert said("up", "--home", str(home))["password"] is None

    gate.touch()
    with speaking(home, "belle") as client:
        assert wait_until(lambda: client.send(jobs.show(job)).state == "done", timeout=120, step=0.2)
        assert client.send(jobs.show(job)).attempts >= 2

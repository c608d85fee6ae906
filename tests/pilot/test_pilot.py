"""A pilot as a process of its own, against a stand-in for the server: its work, and what it keeps to itself."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from sancho_pilot.build import build_zipapp
from sancho_pilot.machine import DONE
from tests.pilot.conftest import DEADLINE, Pilots
from tests.pilot.given import UNTIL_GO, archive, interpreters, output, says, unpacked
from tests.pilot.stand_in import StandIn


@pytest.mark.parametrize("python", interpreters(), ids=lambda python: Path(python).name + "@" + python.split("/")[-3])
def test_a_job_runs_from_its_inputs_to_its_outputs_on_every_python(
    pilots: Pilots, server: StandIn, python: str
) -> None:
    script = """#!/bin/sh
        set -e
        cat "$TMPDIR/../inputs/mc/a" "$TMPDIR/../inputs/mc/deep/b" > sum.txt
        cp "$SANCHO_INPUTS" inputs.json
        env | sort > env.txt
        demo > demo.txt
        mkdir logs; echo one > logs/one.log
        echo "to stdout $1"; echo "to stderr" >&2
    """
    (pilots.folder / "env" / "bin").mkdir(parents=True)
    program = pilots.folder / "env" / "bin" / "demo"
    program.write_text("#!/bin/sh\necho demo of $DEMO\n")
    program.chmod(0o755)
    job = server.job(
        "./run.sh",
        "word with spaces",
        input_sandbox=server.sandbox(archive(**{"run.sh": script, "deep/er/file": "x"})),
        inputs=[server.input("a", b"first\n"), server.input("deep/b", b"second\n")],
        outputs=[output(0, "sum.txt"), output(1, "demo.txt")],
        environment={"MINE": "1", "DEMO": "mine"},
        environments=["demo"],
        output_sandbox=["*.txt", "*.json", "logs/**"],
    )
    assert pilots.run(python=python) == DONE
    report = job.report
    assert (report["outcome"], report["exit_code"], report["reason"]) == ("done", 0, None)
    assert server.output(job, 0) == b"first\nsecond\n"
    assert server.output(job, 1) == b"demo of mine\n"
    assert "to stdout word with spaces" in report["tail"]
    assert report["log_size"] == len("to stdout word with spaces\nto stderr\n")
    assert report["usage"]["wall_seconds"] > 0
    files = unpacked(server.output_sandbox(job))
    assert files["stderr"] == b"to stderr\n"
    assert files["logs/one.log"] == b"one\n"
    inputs = json.loads(files["inputs.json"])
    assert [(one["did"], one["size"]) for one in inputs] == [("mc:a", 6), ("mc:deep/b", 7)]
    variables = dict(line.split("=", 1) for line in files["env.txt"].decode().splitlines())
    assert variables["SANCHO_JOB_ID"] == "101"
    assert variables["MINE"] == "1"
    assert variables["PATH"].startswith(str(pilots.folder / "env" / "bin"))
    assert variables["HOME"].startswith(str(pilots.work))
    assert variables["TRACEPARENT"] == job.assignment["traceparent"]
    assert "PILOTS_OWN" not in variables
    assert server.offers[0]["tags"] == ["x86_64", "env:demo"]
    assert server.retired == "idle"
    assert not pilots.work.exists()
    assert job.starts == 1


def test_a_pilot_runs_one_job_after_the_other(pilots: Pilots, server: StandIn) -> None:
    jobs = [server.shell(f"echo {n}; echo {n} > out", outputs=[output(0, "out")]) for n in range(5)]
    assert pilots.run() == DONE
    assert [server.output(job, 0) for job in jobs] == [b"0\n", b"1\n", b"2\n", b"3\n", b"4\n"]


def test_a_source_with_the_wrong_bytes_is_left_for_the_next(pilots: Pilots, server: StandIn) -> None:
    content = os.urandom(100_000)
    given = server.input("data", content, content[:-1] + b"?", None, content[:-1], content + b"!", content)
    job = server.shell("cat ../inputs/mc/data > out", inputs=[given], outputs=[output(0, "out")])
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert server.output(job, 0) == content


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_a_download_that_breaks_off_is_gone_on_with(pilots: Pilots, server: StandIn, ranges: bool) -> None:
    content = os.urandom(1_000_000)
    server.ranges = ranges
    server.fail("GET /storage/0/data", "half")
    job = server.shell(
        "cat ../inputs/mc/data > out", inputs=[server.input("data", content)], outputs=[output(0, "out")]
    )
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert server.output(job, 0) == content


def test_an_input_that_cannot_be_had_fails_the_attempt_before_it_starts(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo never", inputs=[server.input("data", b"x", None)])
    assert pilots.run() == DONE
    assert (job.report["outcome"], job.report["reason"]) == ("failed", "input_unavailable")
    assert "mc:data" in job.report["detail"]
    assert job.starts == 0


def test_an_input_that_another_vo_shares_has_a_folder_of_its_own(pilots: Pilots, server: StandIn) -> None:
    shared = {**server.input("theirs", b"theirs"), "did": "belle/mc:data", "name": "data"}
    own = {**server.input("ours", b"ours"), "did": "belle:mc/data", "name": "mc/data"}
    said = "cat ../inputs/@belle/mc/data ../inputs/belle/mc/data > out"
    job = server.shell(said, inputs=[shared, own], outputs=[output(0, "out")])
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done", job.report
    assert server.output(job, 0) == b"theirsours"


@pytest.mark.parametrize("did", ["mc:data", "belle/mc:data", "../../..:data", "a/b/../../../..:data", "../..:data"])
def test_an_input_whose_name_leads_outside_is_refused(pilots: Pilots, server: StandIn, did: str) -> None:
    given = {**server.input("data", b"x"), "did": did, "name": "../../../../../../evil"}
    job = server.shell("echo never", inputs=[given])
    assert pilots.run() == DONE
    assert job.report["reason"] == "input_unavailable"
    assert not (pilots.folder / "evil").exists()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_a_sandbox_that_leads_outside_is_refused(pilots: Pilots, server: StandIn, name: str) -> None:
    job = server.shell("echo never", input_sandbox=server.sandbox(archive(**{name: "x"})))
    assert pilots.run() == DONE
    assert job.report["reason"] == "sandbox_unavailable"
    assert not list(pilots.folder.rglob("evil"))


def test_a_sandbox_that_is_not_what_was_promised_is_refused(pilots: Pilots, server: StandIn) -> None:
    given = server.sandbox(archive(file="x"))
    given["sha256"], server.files[f"/objects/{'0' * 64}"] = "0" * 64, b"?"
    job = server.shell("echo never", input_sandbox=given)
    assert pilots.run() == DONE
    assert job.report["reason"] == "sandbox_unavailable"


@pytest.mark.parametrize(
    "settings",
    [{"url": "ftp://x"}, {"slot": {}}, {"stamp": None}, {"environments": []}, {"ca_file": "/no/such/file"}],
    ids=str,
)
def test_a_wrong_configuration_is_said_at_once(pilots: Pilots, settings: dict[str, Any]) -> None:
    assert pilots.run(**settings) == 2
    assert "the pilot cannot start" in pilots.said()


def test_a_secret_that_others_can_read_is_not_used(pilots: Pilots, server: StandIn) -> None:
    pilots.secret.write_text(server.first_secret)
    pilots.secret.chmod(0o644)
    assert pilots.run() == 2
    assert server.logins == 0


def test_two_pilots_do_not_share_a_work_folder(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(UNTIL_GO)
    first = pilots.start()
    server.wait(lambda: says(job, "started"))
    assert pilots.run() == 2
    (pilots.folder / "go").touch()
    assert first.wait(DEADLINE) == DONE
    assert job.report["outcome"] == "done"


def test_what_the_pilot_keeps_is_its_own(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(UNTIL_GO)
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    modes = {path.name: path.stat().st_mode & 0o777 for path in [pilots.work, *pilots.work.rglob("*")]}
    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert modes["credential.json"] == 0o600
    words = Path(f"/proc/{process.pid}/cmdline").read_text()
    assert not [secret for secret in server.issued if secret in words]
    (pilots.folder / "go").touch()
    process.wait(DEADLINE)


def test_the_pilot_is_built_the_same_every_time(tmp_path: Path, pyz: Path) -> None:
    build_zipapp(str(tmp_path / "again.pyz"))
    assert (tmp_path / "again.pyz").read_bytes() == pyz.read_bytes()


def test_what_a_job_has_fetched_the_next_one_need_not(pilots: Pilots, server: StandIn) -> None:
    given = server.input("data", b"the input\n")
    jobs = [
        server.shell("cat ../inputs/mc/data > out", inputs=[given], outputs=[output(0, "out")], **more)
        for more in ({}, {}, {"vo": "gridpp"})
    ]
    assert pilots.run() == DONE
    assert [job.report["outcome"] for job in jobs if job.report] == ["done"] * 3
    fetched = [line for line in server.requests if line.startswith("GET /storage")]
    assert len(fetched) == 2, "once for each VO"

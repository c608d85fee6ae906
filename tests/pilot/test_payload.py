"""Payloads of all kinds, run by a pilot that is a process of its own, against a stand-in for the server."""

import io
import signal
import sys
import tarfile

import pytest

from sancho_pilot.machine import DONE
from tests.pilot.conftest import DEADLINE, Pilots
from tests.pilot.given import output, says, unpacked
from tests.pilot.stand_in import StandIn


def test_signs_of_life_show_the_last_part_of_what_a_payload_says(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo one; echo two >&2; while [ ! -e ../../../../go ]; do sleep 0.05; done; echo three")
    process = pilots.start()
    server.wait(lambda: says(job, "one\n") and says(job, "two\n"))
    (pilots.folder / "go").touch()
    assert process.wait(DEADLINE) == DONE
    assert job.report["tail"].endswith("three\n")
    assert job.beats[-1]["log_size"] >= 8


def test_a_killed_job_ends_even_if_it_does_not_listen(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(
        "trap '' TERM; setsid sh -c \"trap '' TERM; sleep 1000\" & echo started; while :; do sleep 1; done",
        outputs=[output(0, "out")],
    )
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    with server.changed:
        job.kill = True
    assert process.wait(DEADLINE) == DONE
    assert (job.report["outcome"], job.report["reason"]) == ("failed", "killed")
    assert job.report["exit_code"] == 128 + signal.SIGKILL
    assert pilots.leavings() == []


def test_a_job_that_the_server_gave_up_is_stopped_and_nothing_is_sent(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo started; sleep 1000", outputs=[output(0, "out")])
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    with server.changed:
        job.state = "lost"
    assert process.wait(DEADLINE) == DONE
    assert job.reports == []
    assert server.puts == []
    assert pilots.leavings() == []
    assert not pilots.work.exists()


def test_a_missing_output_fails_the_attempt(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > made; ln -s /etc/passwd link", outputs=[output(0, "made"), output(1, "link")])
    assert pilots.run() == DONE
    assert (job.report["outcome"], job.report["reason"], job.report["exit_code"]) == ("failed", "output_missing", 0)
    assert "link" in job.report["detail"]
    assert not [path for path in server.puts if path.startswith("/storage")]


def test_a_payload_that_fails_is_reported_with_its_exit_code(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo partly > out; echo it broke >&2; exit 7", outputs=[output(0, "out")])
    assert pilots.run() == DONE
    assert (job.report["reason"], job.report["exit_code"]) == ("payload_failed", 7)
    assert job.report["tail"] == "it broke\n"
    assert unpacked(server.output_sandbox(job))["stderr"] == b"it broke\n"
    assert not [path for path in server.puts if path.startswith("/storage")]


def test_a_payload_that_crashes_is_reported_with_its_signal(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("kill -SEGV $$")
    assert pilots.run() == DONE
    assert job.report["exit_code"] == 128 + signal.SIGSEGV
    assert "signal 11" in job.report["detail"]


@pytest.mark.parametrize(
    ("command", "exit_code"),
    [(["no-such-program"], 127), (["./no-such-file"], 127), (["./data"], 126), ([""], 127), (["/"], 127)],
)
def test_a_command_that_cannot_be_run_is_reported(
    pilots: Pilots, server: StandIn, command: list[str], exit_code: int
) -> None:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("data"))
    job = server.job(*command, input_sandbox=server.sandbox(raw.getvalue()))
    assert pilots.run() == DONE
    assert (job.report["reason"], job.report["exit_code"]) == ("command_unknown", exit_code)


def test_a_payload_never_gets_the_pilots_own_python_by_name(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo $PATH", environments=[])
    assert pilots.run() == DONE
    assert job.report["tail"] == "/usr/local/bin:/usr/bin:/bin\n"


def test_a_payload_finds_the_token_of_its_job_in_a_file_that_nobody_else_may_read(
    pilots: Pilots, server: StandIn
) -> None:
    job = server.shell('cat "$SANCHO_TOKEN_FILE"; echo; stat -c %a "$SANCHO_TOKEN_FILE"; env | grep -c token-of')
    assert pilots.run() == DONE
    assert job.report["tail"] == f"{job.assignment['token']}\n600\n0\n"


def test_an_environment_that_the_site_does_not_have_is_reported(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo never", environments=["nowhere"])
    assert pilots.run() == DONE
    assert job.report["reason"] == "command_unknown"
    assert "nowhere" in job.report["detail"]


def test_a_payload_over_its_wall_time_is_ended(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo started; sleep 1000", walltime=0.5)
    assert pilots.run() == DONE
    assert job.report["reason"] == "walltime_exceeded"
    assert job.report["exit_code"] == 128 + signal.SIGTERM


def test_a_payload_over_its_memory_is_ended(pilots: Pilots, server: StandIn) -> None:
    eat = "import os, time; os.fork(); x = bytearray(120_000_000); time.sleep(1000)"
    job = server.job("/usr/bin/env", sys.executable, "-c", eat, memory=200_000_000)
    assert pilots.run() == DONE
    assert job.report["reason"] == "memory_exceeded"
    assert job.report["usage"]["max_memory"] > 200_000_000


def test_memory_that_is_shared_by_forked_processes_counts_once(pilots: Pilots, server: StandIn) -> None:
    share = "import os, time\nx = bytearray(100_000_000)\nfor _ in range(3): os.fork()\ntime.sleep(2)"
    job = server.job("/usr/bin/env", sys.executable, "-c", share, memory=300_000_000)
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"


def test_what_a_payload_leaves_running_is_ended(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("setsid sleep 1000 & (setsid sleep 1001 &) ; nohup sleep 1002 >/dev/null 2>&1 & echo done")
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert pilots.leavings() == []


def test_payloads_run_side_by_side_while_they_fit(pilots: Pilots, server: StandIn) -> None:
    meet = "touch ../../../../{0}; while [ ! -e ../../../../{1} ]; do sleep 0.02; done"
    jobs = [server.shell(meet.format(*names), memory=500_000_000) for names in (("a", "b"), ("b", "a"))]
    late = server.shell("echo late")
    process = pilots.start()
    assert process.wait(DEADLINE) == DONE
    assert [job.report["outcome"] for job in (*jobs, late)] == ["done"] * 3
    assert [offer["cores"] for offer in server.offers][:3] == [2, 1, 1]
    assert server.offers[1]["memory"] == 1_500_000_000


def test_the_end_of_a_payload_spares_what_the_others_run(pilots: Pilots, server: StandIn) -> None:
    below = "(env -i setsid sh -c 'while [ ! -e ../../../../go ]; do sleep 0.02; done; echo from below' &)"
    wait = "while [ ! -e ../../../../go ]; do sleep 0.02; done; sleep 1"
    long = server.shell(f"{below}; {wait}", memory=500_000_000)
    server.shell("(env -i setsid sleep 1000 &); echo short", memory=500_000_000)
    process = pilots.start()
    server.wait(lambda: server.attempts[2].reports)
    (pilots.folder / "go").touch()
    assert process.wait(DEADLINE) == DONE
    assert long.report["tail"] == "from below\n"
    assert pilots.leavings() == []


def test_a_payload_that_kills_its_shim_has_failed_and_leaves_nothing(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("setsid sleep 1000 & kill -9 $PPID; sleep 1000")
    assert pilots.run() == DONE
    assert (job.report["reason"], job.report["exit_code"]) == ("payload_failed", 137)
    assert pilots.leavings() == []


def test_output_that_is_no_text_is_shown_as_well_as_it_can_be(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(r"printf 'good \377\376 \303\244 \000 \360\237\220\264 end'")
    assert pilots.run() == DONE
    assert job.report["tail"] == "good \ufffd\ufffd ä \ufffd 🐴 end"
    assert unpacked(server.output_sandbox(job))["stdout"] == b"good " + b"\xff\xfe " + "ä \0 🐴 end".encode()


def test_a_flood_of_output_costs_the_end_of_none_of_it(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("head -c 100000000 /dev/zero | tr '\\0' 'x'; echo; echo the very end")
    assert pilots.run() == DONE
    report = job.report
    assert report["log_size"] == 100_000_000 + len("\nthe very end\n")
    assert report["tail"].endswith("\nthe very end\n")
    assert len(report["tail"].encode()) <= 16 * 1024
    stdout = unpacked(server.output_sandbox(job))["stdout"]
    assert len(stdout) < 20_000_000
    assert b"bytes left out" in stdout
    assert stdout.endswith(b"\nthe very end\n")


def test_the_payload_of_a_pilot_that_died_is_ended_by_the_next(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("setsid sleep 1000 & echo started; sleep 1000")
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    process.kill()
    process.wait(DEADLINE)
    assert pilots.leavings()
    assert pilots.run() == DONE
    assert job.report["reason"] == "pilot_lost"
    assert job.report["tail"] == "started\n"
    assert pilots.leavings() == []

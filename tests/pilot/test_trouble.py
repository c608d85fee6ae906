"""Servers and storages that fail, answers that get lost, pilots that die: no result is lost, and none is doubled."""

import signal

import pytest

from sancho_pilot import faults, loop, operations
from sancho_pilot.machine import DONE, UNDELIVERED, UNWELCOME
from tests.pilot.conftest import DEADLINE, Pilots
from tests.pilot.given import UNTIL_GO, output, says, wait_for_log
from tests.pilot.stand_in import StandIn

POINTS = sorted(name for name in faults.declared() if name.startswith("pilot."))
FORGETS = "pilot.started"
"""Whether the payload ran is not known to a pilot that follows one which died here: it failed."""


def test_a_server_that_is_away_gets_the_result_when_it_is_back(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(f"{UNTIL_GO}; echo x > out", outputs=[output(0, "out")])
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    server.stop()
    (pilots.folder / "go").touch()
    wait_for_log(pilots, "declaring")
    server.start(server.port)
    assert process.wait(DEADLINE) == DONE
    assert job.report["outcome"] == "done"
    assert server.output(job, 0) == b"x\n"


def test_a_server_in_trouble_is_asked_again(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    for request in ("login", "match", "beat", "attempts/1/start", "attempts/1/outputs", "attempts/1/finish"):
        server.fail(f"POST /v1/pilot/{request}", 503)
        server.fail(f"POST /v1/pilot/{request}", "drop")
    server.fail("PUT /storage/outputs/.*", 500)
    server.fail("PUT /objects/.*", 500)
    process = pilots.start(idle=60)
    server.wait(lambda: job.reports)
    process.terminate()
    assert process.wait(DEADLINE) == DONE
    assert job.report["outcome"] == "done"
    assert job.starts == 1


def test_a_call_that_collided_with_another_is_made_again(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    for request in ("match", "beat", "attempts/1/start", "attempts/1/outputs", "attempts/1/finish"):
        server.fail(f"POST /v1/pilot/{request}", "collision")
    assert pilots.run(idle=3) == DONE
    assert (job.report["outcome"], job.starts) == ("done", 1)
    assert server.output(job, 0) == b"x\n"


def test_lost_answers_change_nothing(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    for request in ("login", "match", "beat", "attempts/1/start", "attempts/1/outputs", "attempts/1/sandbox"):
        server.fail(f"POST /v1/pilot/{request}", "lose")
    server.fail("POST /v1/pilot/attempts/1/finish", "lose")
    server.fail("PUT /storage/outputs/.*", "lose")
    assert pilots.run(idle=3) == DONE
    assert job.report["outcome"] == "done"
    assert server.output(job, 0) == b"x\n"


def test_a_token_that_is_not_accepted_any_more_is_replaced(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(UNTIL_GO)
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    with server.changed:
        server.tokens.clear()
        beats = server.beats
    server.wait(lambda: server.beats > beats)
    assert server.logins == 2
    (pilots.folder / "go").touch()
    assert process.wait(DEADLINE) == DONE
    assert job.report["outcome"] == "done"


def test_a_pilot_that_nobody_knows_leaves(pilots: Pilots, server: StandIn) -> None:
    server.accepted = set()
    assert pilots.run() == UNWELCOME
    assert server.logins == 2


def test_a_pilot_that_is_stopped_reports_what_it_was_running(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo started; sleep 1000")
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    process.terminate()
    assert process.wait(DEADLINE) == DONE
    assert (job.report["outcome"], job.report["reason"]) == ("failed", "pilot_stopped")
    assert server.retired == "stopped"
    assert pilots.leavings() == []
    assert not pilots.work.exists()


def test_a_report_that_could_not_be_sent_is_sent_by_the_next_pilot(pilots: Pilots, server: StandIn) -> None:
    job = server.shell(f"{UNTIL_GO}; echo x > out", outputs=[output(0, "out")])
    process = pilots.start()
    server.wait(lambda: says(job, "started"))
    with server.changed:
        server.away = True
    (pilots.folder / "go").touch()
    wait_for_log(pilots, "declaring")
    process.terminate()
    assert process.wait(DEADLINE) == UNDELIVERED
    assert list((pilots.work / "spool").iterdir())
    server.away = False
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert server.output(job, 0) == b"x\n"
    assert not pilots.work.exists()


@pytest.mark.parametrize("point", POINTS)
def test_a_pilot_that_dies_anywhere_loses_no_result(pilots: Pilots, server: StandIn, point: str) -> None:
    server.beat_every = 60.0  # a heartbeat could say that the attempt has ended before the report's answer is read
    job = server.shell(
        "echo ran >> ../../../../ran; echo x > out; echo y > more",
        inputs=[server.input("data", b"content")],
        outputs=[output(0, "out"), output(1, "more")],
    )
    assert pilots.run(die_at=point) == -signal.SIGKILL
    assert pilots.run() == DONE
    if point == FORGETS:
        assert (job.report["outcome"], job.report["reason"]) == ("failed", "pilot_lost")
        assert not (pilots.folder / "ran").exists()
    else:
        assert job.report["outcome"] == "done"
        assert [server.output(job, n) for n in (0, 1)] == [b"x\n", b"y\n"]
        assert (pilots.folder / "ran").read_text() == "ran\n"
    assert job.starts == 1
    assert not pilots.work.exists()


def test_an_upload_whose_token_is_denied_gets_another(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    server.fail("PUT /storage/outputs/.*", 401, times=2)
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert server.requests.count("POST /v1/pilot/attempts/1/outputs") == 3


def test_an_output_that_is_on_the_storage_already_is_not_sent_again(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    server.fail("PUT /storage/outputs/.*", "lose")
    assert pilots.run() == DONE
    assert job.report["outcome"] == "done"
    assert len([path for path in server.puts if path.startswith("/storage")]) == 1
    assert [line for line in server.requests if line.startswith("HEAD")]


def test_other_bytes_where_an_output_belongs_are_not_taken_for_it(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    server.files["/storage/outputs/1/0"] = b"?\n"
    assert pilots.run() == DONE
    assert job.report["reason"] == "upload_failed"


def test_a_sandbox_that_cannot_be_sent_costs_nothing_else(pilots: Pilots, server: StandIn) -> None:
    job = server.shell("echo x > out", outputs=[output(0, "out")])
    server.fail("POST /v1/pilot/attempts/1/sandbox", 413, times=99)
    assert pilots.run() == DONE
    assert (job.report["outcome"], job.report["sandbox"]) == ("done", None)


def test_a_pilot_does_not_stumble_over_nonsense(pilots: Pilots, server: StandIn) -> None:
    server.nonsense = True
    broken = server.job("true", inputs=[{"did": 1}])
    process = pilots.start(idle=60)
    server.wait(lambda: server.requests.count("POST /v1/pilot/match") >= 2)
    with server.changed:
        broken.state = "lost"
    good = server.shell("echo fine")
    server.wait(lambda: good.reports)
    process.terminate()
    assert process.wait(DEADLINE) == DONE
    assert good.report["outcome"] == "done"


def test_every_point_at_which_a_test_kills_the_pilot_is_known() -> None:
    assert loop.MATCHED
    assert operations.UPLOADED
    assert POINTS == [
        "pilot.finish_spooled",
        "pilot.finished",
        "pilot.matched",
        "pilot.payload_ended",
        "pilot.started",
        "pilot.uploaded",
    ]

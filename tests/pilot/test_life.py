"""One attempt within the pilot, by events and instructions: no process, no network, no clock."""

import pytest

from sancho_pilot import events
from sancho_pilot.instructions import (
    Beat,
    Cancel,
    Clean,
    Collect,
    Declare,
    Fetch,
    Finish,
    Launch,
    Match,
    PutProduct,
    Record,
    Refresh,
    SendSandbox,
    Start,
    StopPayload,
    Sweep,
    Unpack,
)
from sancho_pilot.model import Attempt, Failure, Phase, Trouble, Verdict
from sancho_pilot.patience import KILL_GRACE
from tests.pilot.talk import (
    AWAY,
    BROKEN,
    DENIED,
    ENDED,
    PACKED,
    REJECTED,
    USAGE,
    Talk,
    kinds,
    products,
    uploads,
    work,
)


def test_a_payload_goes_from_match_to_an_accepted_report() -> None:
    job = work(inputs=1, outputs=2, sandbox=True)
    talk = Talk().matched(job)
    talk.answer(Unpack, events.Unpacked)
    talk.answer(Fetch, events.Fetched)
    talk.answer(Start, events.StartConfirmed)
    talk.answer(Launch, events.Launched)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job), (), PACKED)
    talk.answer(Declare, events.Declared, uploads(job))
    assert talk.last(PutProduct).product.number == 0
    talk.answer(PutProduct, events.Uploaded)
    assert talk.last(PutProduct).product.number == 1
    talk.answer(PutProduct, events.Uploaded)
    talk.answer(SendSandbox, events.SandboxSent)
    report = talk.last(Finish).report
    assert (report.outcome, report.exit_code, report.intents) == ("done", 0, (1000, 1001))
    assert report.sandbox == PACKED.sha256
    assert report.usage == USAGE
    assert kinds(talk.answer(Finish, events.Finished))[0] == "Clean"


def test_the_record_is_written_before_each_step_that_follows_from_it() -> None:
    talk = Talk().running(work())
    for event in (events.PayloadEnded, events.Collected):
        kind = Launch if event is events.PayloadEnded else Collect
        fresh = talk.answer(kind, event, *((0, USAGE) if kind is Launch else ()))
        assert kinds(fresh)[0] == "Record"
    assert isinstance(talk.said[-1], Match | Finish)
    last = talk.last(Record).attempt
    assert last.phase is Phase.FINISHING
    assert last.verdict == Verdict("done")


def test_the_next_source_is_tried_at_once() -> None:
    talk = Talk().matched(work(inputs=1, sources=2))
    fresh = talk.fail(Fetch, BROKEN)
    assert kinds(fresh) == ["Fetch"]
    assert talk.last(Fetch).source == 1


def test_fresh_tokens_are_asked_for_when_a_storage_denies_one() -> None:
    talk = Talk().matched(work(inputs=1, sources=2))
    talk.fail(Fetch, DENIED)
    talk.answer(Refresh, events.Refreshed, work(inputs=1, sources=2))
    assert talk.last(Fetch).source == 1


def test_an_input_that_no_source_has_fails_the_attempt() -> None:
    job = work(inputs=1, sources=2)
    talk = Talk().matched(job)
    for _ in range(2):
        talk.fail(Fetch, BROKEN)
        talk.fail(Fetch, BROKEN)
        talk.after(60.0)
        talk.answer(Refresh, events.Refreshed, job)
    talk.fail(Fetch, BROKEN)
    talk.fail(Fetch, BROKEN)
    report = talk.last(Finish).report
    assert (report.outcome, report.reason) == ("failed", "input_unavailable")
    assert "mc:in0" in report.detail
    assert not talk.every(Start)


def test_an_input_whose_storage_is_only_away_gets_more_time() -> None:
    job = work(inputs=1, sources=1)
    talk = Talk().matched(job)
    for _ in range(5):
        talk.fail(Fetch, AWAY)
        talk.after(100.0)
        talk.answer(Refresh, events.Refreshed, job)
    assert not talk.every(Finish)
    talk.answer(Fetch, events.Fetched)
    assert talk.every(Start)


def test_a_broken_input_sandbox_fails_the_attempt_at_once() -> None:
    talk = Talk().matched(work(sandbox=True))
    talk.fail(Unpack, REJECTED)
    assert talk.last(Finish).report.reason == "sandbox_unavailable"


def test_a_payload_that_fails_uploads_nothing_but_its_sandbox() -> None:
    talk = Talk().running(work(outputs=1))
    talk.answer(Launch, events.PayloadEnded, 3, USAGE)
    assert talk.last(Collect).outputs == ()
    talk.answer(Collect, events.Collected, (), (), PACKED)
    talk.answer(SendSandbox, events.SandboxSent)
    report = talk.last(Finish).report
    assert (report.outcome, report.reason, report.exit_code) == ("failed", "payload_failed", 3)
    assert report.sandbox == PACKED.sha256
    assert not talk.every(Declare)


def test_a_missing_output_fails_the_attempt_and_uploads_none_of_the_others() -> None:
    job = work(outputs=2)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job)[:1], ("out1",))
    report = talk.last(Finish).report
    assert (report.outcome, report.reason, report.intents) == ("failed", "output_missing", ())
    assert "out1" in report.detail
    assert not talk.every(Declare)


def test_a_command_that_cannot_be_run_is_reported() -> None:
    talk = Talk().matched(work())
    talk.answer(Start, events.StartConfirmed)
    talk.answer(Launch, events.LaunchFailed, 127, "There is no program xyz here.")
    report = talk.last(Finish).report
    assert (report.reason, report.exit_code) == ("command_unknown", 127)


def test_a_payload_over_its_wall_time_is_told_to_end_and_then_made_to() -> None:
    talk = Talk().running(work())
    talk.after(599.0)
    assert not talk.every(StopPayload)
    talk.after(1.5)
    assert [one.hard for one in talk.every(StopPayload)] == [False]
    talk.after(KILL_GRACE)
    assert [one.hard for one in talk.every(StopPayload)] == [False, True]
    talk.answer(Launch, events.PayloadEnded, 137, USAGE)
    talk.answer(Collect, events.Collected)
    assert talk.last(Finish).report.reason == "walltime_exceeded"


def test_a_payload_over_its_memory_is_stopped() -> None:
    talk = Talk().running(work(outputs=1))
    talk.answer(Launch, events.Exceeded, "memory", 10**10)
    assert talk.every(StopPayload)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    report = talk.last(Finish).report
    assert (report.outcome, report.reason) == ("failed", "memory_exceeded")


def test_a_killed_attempt_is_stopped_reported_and_not_uploaded() -> None:
    talk = Talk().running(work(outputs=1))
    talk.answer(Beat, events.BeatAnswered, (7,), ())
    assert talk.every(StopPayload)
    talk.answer(Launch, events.PayloadEnded, 143, USAGE)
    talk.answer(Collect, events.Collected)
    report = talk.last(Finish).report
    assert (report.outcome, report.reason) == ("failed", "killed")


def test_an_attempt_killed_while_it_uploads_stops_uploading() -> None:
    job = work(outputs=2)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.answer(Declare, events.Declared, uploads(job))
    late = talk.last(PutProduct).step
    fresh = talk.answer(Beat, events.BeatAnswered, (7,), ())
    assert [one for one in fresh if isinstance(one, Cancel)]
    talk.tell(events.Uploaded(talk.at, late, 7))
    assert len(talk.every(PutProduct)) == 1
    assert talk.last(Finish).report.reason == "killed"


def test_an_attempt_killed_while_it_fetches_never_starts() -> None:
    talk = Talk().matched(work(inputs=1))
    talk.answer(Beat, events.BeatAnswered, (7,), ())
    talk.answer(Fetch, events.Fetched)
    assert not talk.every(Start)
    assert talk.last(Finish).report.reason == "killed"


def test_a_kill_that_comes_after_the_report_changes_nothing() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    said = len(talk.said)
    talk.answer(Beat, events.BeatAnswered, (7,), ())
    assert not [one for one in talk.said[said:] if isinstance(one, Finish)]


def test_an_attempt_that_the_server_gave_up_is_stopped_and_cleaned_without_a_word() -> None:
    talk = Talk().running(work(outputs=1))
    talk.answer(Beat, events.BeatAnswered, (), (7,))
    assert talk.every(StopPayload)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    assert talk.last(Clean).accepted is False
    assert not talk.every(Collect)
    assert not talk.every(Finish)


def test_an_upload_is_cancelled_when_the_server_has_given_the_attempt_up() -> None:
    job = work(outputs=1)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.answer(Declare, events.Declared, uploads(job))
    late = talk.last(PutProduct).step
    fresh = talk.answer(Beat, events.BeatAnswered, (), (7,))
    assert kinds(fresh)[:2] == ["Cancel", "Clean"]
    assert talk.tell(events.Uploaded(talk.at, late, 7)) == []


@pytest.mark.parametrize("kind", [Start, Declare, Finish])
def test_a_server_that_says_the_attempt_has_ended_is_believed(kind: type[Start | Declare | Finish]) -> None:
    job = work(outputs=1)
    talk = Talk().matched(job)
    if kind is not Start:
        talk.answer(Start, events.StartConfirmed)
        talk.answer(Launch, events.PayloadEnded, 0, USAGE)
        talk.answer(Collect, events.Collected, products(job) if kind is Declare else (), ("x",) * (kind is Finish))
    talk.fail(kind, ENDED)
    assert talk.last(Clean).accepted is False


def test_a_wish_to_come_back_later_is_obeyed() -> None:
    talk = Talk().matched(work())
    talk.fail(Start, type(AWAY)(AWAY.trouble, "busy", retry_after=30.0))
    talk.fail(Beat, AWAY)
    starts = len(talk.every(Start))
    talk.after(29.0)
    assert len(talk.every(Start)) == starts
    talk.after(2.0)
    assert len(talk.every(Start)) == starts + 1


def test_an_upload_that_is_denied_gets_a_fresh_token() -> None:
    job = work(outputs=1)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.answer(Declare, events.Declared, uploads(job))
    assert talk.last(PutProduct).look_first is False
    talk.fail(PutProduct, DENIED)
    talk.after(5.0)
    talk.answer(Declare, events.Declared, uploads(job))
    assert talk.last(PutProduct).look_first is True
    talk.answer(PutProduct, events.Uploaded)
    assert talk.last(Finish).report.outcome == "done"


def test_a_storage_that_keeps_rejecting_an_upload_fails_the_attempt() -> None:
    job = work(outputs=1)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.answer(Declare, events.Declared, uploads(job))
    for _ in range(4):
        talk.fail(PutProduct, REJECTED)
        talk.after(60.0)
    assert talk.last(Finish).report.reason == "upload_failed"


def test_outputs_that_the_server_does_not_want_fail_the_attempt() -> None:
    job = work(outputs=1)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.fail(Declare, REJECTED)
    assert talk.last(Finish).report.reason == "upload_failed"


def test_outputs_for_which_there_is_no_quota_fail_the_attempt_with_that_reason() -> None:
    job = work(outputs=1)
    talk = Talk().running(job)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, products(job))
    talk.fail(Declare, Failure(Trouble.REJECTED, "alice has 0 B left", "quota_exceeded"))
    report = talk.last(Finish).report
    assert (report.reason, report.detail) == ("quota_exceeded", "alice has 0 B left")


def test_a_success_that_the_server_rejects_becomes_a_failure_and_a_rejected_failure_is_dropped() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    talk.fail(Finish, REJECTED)
    assert talk.last(Finish).report.reason == "upload_failed"
    talk.fail(Finish, REJECTED)
    assert talk.last(Clean).accepted is False


def test_a_sandbox_that_cannot_be_sent_does_not_hold_the_report_back() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected, (), (), PACKED)
    talk.fail(SendSandbox, REJECTED)
    report = talk.last(Finish).report
    assert (report.outcome, report.sandbox) == ("done", None)


def test_a_payload_whose_pilot_died_is_never_run_again() -> None:
    talk = Talk(Attempt(work(outputs=1), Phase.RUNNING)).welcomed()
    talk.answer(Sweep, events.Swept)
    assert talk.last(Collect).outputs == ()
    talk.answer(Collect, events.Collected)
    report = talk.last(Finish).report
    assert (report.outcome, report.reason, report.exit_code) == ("failed", "pilot_lost", None)


def test_an_attempt_that_never_started_is_claimed_again_and_goes_on() -> None:
    talk = Talk(Attempt(work(inputs=1), Phase.FETCHING)).welcomed()
    talk.answer(Refresh, events.Refreshed, work(inputs=1))
    talk.answer(Fetch, events.Fetched)
    talk.answer(Start, events.StartConfirmed)
    assert talk.every(Launch)
    assert not talk.every(Match)


def test_only_outputs_that_are_not_uploaded_yet_are_uploaded_after_a_restart() -> None:
    job = work(outputs=2)
    left = Attempt(job, Phase.UPLOADING, exit_code=0, products=products(job), uploads=uploads(job), uploaded=1)
    talk = Talk(left).welcomed()
    talk.answer(Declare, events.Declared, uploads(job))
    put = talk.last(PutProduct)
    assert (put.product.number, put.look_first) == (1, True)
    talk.answer(PutProduct, events.Uploaded)
    assert talk.last(Finish).report.intents == (1000, 1001)

"""The pilot as a whole, by events and instructions: no process, no network, no clock."""

import pytest

from sancho_pilot import events
from sancho_pilot.instructions import (
    Beat,
    Clean,
    Collect,
    Declare,
    Exit,
    Fetch,
    Finish,
    Launch,
    Login,
    Match,
    Record,
    Refresh,
    Retire,
    SendSandbox,
    Start,
    StopPayload,
    Sweep,
)
from sancho_pilot.machine import DONE, UNDELIVERED, UNWELCOME
from sancho_pilot.model import Attempt, Phase, Slot, Verdict
from sancho_pilot.patience import HELLO_PATIENCE, REFUSED_PATIENCE, SERVER_PATIENCE, STOP_GRACE
from tests.pilot.talk import (
    AWAY,
    PACKED,
    REFUSED,
    USAGE,
    Talk,
    kinds,
    products,
    work,
)


def test_a_pilot_logs_in_shows_life_and_asks_for_work() -> None:
    talk = Talk()
    assert kinds(talk.said) == ["Login"]
    talk.welcomed()
    assert kinds(talk.said) == ["Login", "Beat", "Match"]
    assert talk.last(Match).free.walltime == 3600


def test_the_next_payload_may_start_while_the_last_one_is_delivered() -> None:
    first = work(outputs=1)
    talk = Talk().running(first)
    assert len(talk.every(Match)) == 1
    fresh = talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    assert "Match" in kinds(fresh)
    assert talk.last(Match).held == (7,)


def test_no_more_is_matched_when_too_much_waits_for_delivery() -> None:
    talk = Talk().welcomed()
    for attempt_id in range(1, 5):
        talk.answer(Match, events.Matched, work(attempt_id))
        talk.answer(Start, events.StartConfirmed)
        talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    assert len(talk.every(Match)) == 4
    talk.answer(Collect, events.Collected)
    fresh = talk.answer(Finish, events.Finished)
    assert "Match" in kinds(fresh)


def test_a_pilot_without_work_says_good_bye_after_its_idle_time() -> None:
    talk = Talk().welcomed()
    talk.answer(Match, events.NoWork, 1000.0)
    assert not talk.every(Retire)
    talk.after(60.1)
    assert talk.last(Retire).reason == "idle"
    talk.answer(Retire, events.Retired)
    assert talk.last(Exit).code == DONE


def test_a_pilot_asks_at_least_once_however_short_its_idle_time() -> None:
    talk = Talk(slot=Slot(1, 1, 3600.0, (), 0.0)).welcomed()
    assert talk.every(Match)
    talk.answer(Match, events.NoWork, 5.0)
    talk.after(0.0)
    assert talk.every(Retire)


def test_a_slot_that_is_used_up_is_not_offered() -> None:
    talk = Talk(age=3600.0 + 295.0).welcomed()
    assert not talk.every(Match)
    assert talk.last(Retire).reason == "walltime"


def test_what_is_left_of_the_slot_is_offered() -> None:
    assert Talk(age=300.0 + 600.0).welcomed().last(Match).free.walltime == 3000


def test_heartbeats_go_on_at_every_phase() -> None:
    talk = Talk().matched(work(inputs=1))
    talk.answer(Beat, events.BeatAnswered)
    assert "Beat" in kinds(talk.after(10.0))
    assert talk.last(Beat).attempts == ((7, "running"),)
    talk.answer(Fetch, events.Fetched)
    talk.answer(Start, events.StartConfirmed)
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Beat, events.BeatAnswered)
    talk.after(10.0)
    assert talk.last(Beat).attempts == ((7, "completing"),)


def test_the_next_heartbeat_comes_sooner_when_the_server_wants_it() -> None:
    talk = Talk().running(work())
    talk.answer(Beat, events.BeatAnswered)
    assert "Beat" not in kinds(talk.after(1.1))
    assert "Beat" in kinds(talk.after(9.0))
    talk.answer(Beat, events.BeatAnswered, (), (), 1.0)
    assert "Beat" in kinds(talk.after(1.1))


def test_a_heartbeat_that_is_lost_is_followed_by_the_next() -> None:
    talk = Talk().running(work())
    talk.fail(Beat, AWAY)
    assert "Beat" in kinds(talk.after(10.0))


def test_a_report_waits_for_the_server_for_hours_and_then_for_a_later_pilot() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    began = talk.at
    while talk.at - began <= SERVER_PATIENCE:
        assert not talk.machine.exiting
        talk.fail(Finish, AWAY)
        talk.fail(Beat, AWAY)
        if talk.every(Match):
            talk.fail(Match, AWAY)
        talk.after(120.0)
    talk.fail(Finish, AWAY)
    talk.fail(Match, AWAY)
    talk.after(100.0)
    assert talk.last(Exit).code == UNDELIVERED
    assert not talk.every(Clean)
    assert not talk.every(Retire)
    assert len({one.report for one in talk.every(Finish)}) == 1


def test_a_server_that_answers_a_heartbeat_is_asked_again_at_once() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    for _ in range(8):
        talk.fail(Finish, AWAY)
        talk.fail(Beat, AWAY)
        talk.after(100.0)
    talk.fail(Finish, AWAY)
    sent = len(talk.every(Finish))
    talk.answer(Beat, events.BeatAnswered)
    assert len(talk.every(Finish)) == sent + 1


def test_a_pilot_that_is_stopped_kills_its_payload_reports_and_leaves() -> None:
    talk = Talk().running(work(outputs=1))
    talk.tell(events.StopAsked(talk.at))
    assert [one.hard for one in talk.every(StopPayload)] == [False]
    talk.answer(Launch, events.PayloadEnded, 143, USAGE)
    assert not talk.every(Collect)
    assert talk.last(Finish).report.reason == "pilot_stopped"
    talk.answer(Finish, events.Finished)
    assert talk.last(Retire).reason == "stopped"
    talk.answer(Retire, events.Retired)
    assert talk.last(Exit).code == DONE


def test_a_stopped_pilot_whose_server_is_away_leaves_its_report_in_the_spool() -> None:
    talk = Talk().running(work())
    talk.tell(events.StopAsked(talk.at))
    talk.answer(Launch, events.PayloadEnded, 143, USAGE)
    talk.fail(Finish, AWAY)
    talk.after(STOP_GRACE + 1)
    assert talk.last(Exit).code == UNDELIVERED
    assert talk.last(Record).attempt.phase is Phase.FINISHING
    assert not talk.every(Clean)


def test_a_pilot_that_is_stopped_while_it_asks_for_work_gives_the_work_back() -> None:
    talk = Talk().welcomed()
    talk.tell(events.StopAsked(talk.at))
    talk.answer(Match, events.Matched, work())
    assert talk.last(Finish).report.reason == "pilot_stopped"
    assert not talk.every(Start)


def test_a_pilot_that_is_stopped_before_it_was_heard_just_leaves() -> None:
    talk = Talk()
    talk.tell(events.StopAsked(talk.at))
    assert talk.last(Exit).code == DONE


def test_a_stop_asked_twice_is_one_stop() -> None:
    talk = Talk().running(work())
    talk.tell(events.StopAsked(talk.at))
    talk.tell(events.StopAsked(talk.at + 1))
    assert len(talk.every(StopPayload)) == 1


def test_a_new_pilot_that_is_refused_tries_once_more_and_leaves() -> None:
    talk = Talk()
    talk.fail(Login, REFUSED)
    assert not talk.machine.exiting
    talk.after(5.0)
    talk.fail(Login, REFUSED)
    assert talk.last(Exit).code == UNWELCOME


def test_a_new_pilot_that_reaches_nobody_gives_up() -> None:
    talk = Talk()
    while talk.at < 100 + HELLO_PATIENCE + 100:
        talk.fail(Login, AWAY)
        talk.after(90.0)
    assert talk.last(Exit).code == UNWELCOME


def test_a_pilot_with_a_report_does_not_give_up_when_it_is_refused_once() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    talk.answer(Collect, events.Collected)
    talk.fail(Finish, REFUSED)
    talk.fail(Match, REFUSED)
    talk.after(5.0)
    talk.fail(Match, REFUSED)
    assert not talk.machine.exiting
    talk.after(REFUSED_PATIENCE)
    talk.fail(Finish, REFUSED)
    talk.fail(Match, REFUSED)
    assert talk.last(Exit).code == UNDELIVERED


@pytest.mark.parametrize(
    ("phase", "goes_on_with"),
    [
        (Phase.FETCHING, Refresh),
        (Phase.STARTING, Refresh),
        (Phase.RUNNING, Sweep),
        (Phase.STOPPING, Sweep),
        (Phase.COLLECTING, Collect),
        (Phase.DECLARING, Declare),
        (Phase.UPLOADING, Declare),
        (Phase.PACKING, SendSandbox),
        (Phase.FINISHING, Finish),
        (Phase.DROPPING, Sweep),
    ],
)
def test_a_pilot_that_starts_again_goes_on_where_it_was(phase: Phase, goes_on_with: type[Refresh]) -> None:
    job = work(outputs=1)
    left = Attempt(job, phase, exit_code=0, products=products(job), packed=PACKED, verdict=Verdict("done"))
    talk = Talk(left).welcomed()
    assert talk.every(goes_on_with)
    assert not talk.every(Launch)


def test_a_match_that_is_held_already_changes_nothing() -> None:
    talk = Talk().running(work())
    talk.answer(Launch, events.PayloadEnded, 0, USAGE)
    said = len(talk.said)
    talk.answer(Match, events.Matched, work())
    assert not [one for one in talk.said[said:] if isinstance(one, Record)]


def test_two_pilots_do_not_come_back_at_the_same_moment() -> None:
    talks = [Talk(seed=seed).welcomed() for seed in ("one", "other")]
    for talk in talks:
        talk.fail(Match, AWAY)
    assert talks[0].machine.next_at != talks[1].machine.next_at

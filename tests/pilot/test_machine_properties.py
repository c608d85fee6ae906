"""Whatever happens, in whatever order: what a pilot promises to its server holds.

A small world plays server, storage, payload and disk. It answers whatever the
machine wants, well or badly, late or never; it kills attempts, gives them up,
stops the pilot, and kills it so that another goes on from the spool.
"""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sancho_pilot import events
from sancho_pilot import instructions as do
from sancho_pilot.codec import decode, encode
from sancho_pilot.machine import Machine
from sancho_pilot.model import Attempt, Failure, Phase, Report, Slot, Trouble, Usage, Work
from tests.pilot.talk import PACKED, kinds, products, uploads, work

SLOT = Slot(3, 10**9, 10**6, (), 3600.0)
UPLOADS = (do.Declare, do.PutProduct, do.SendSandbox)
MOST_ATTEMPTS = 6


@dataclass
class Seen:
    """What the world has seen of one attempt."""

    work: Work
    started: bool = False
    launched: int = 0
    alive: bool = False
    ended: bool = False
    killed: bool = False
    exit_code: int | None = None
    uploaded: set[int] = field(default_factory=set[int])
    reports: list[Report] = field(default_factory=list[Report])
    rejected: int = 0
    accepted: Report | None = None
    cleaned: bool = False


class PilotWorld(RuleBasedStateMachine):
    """A world for one slot, in which pilots come and go."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 1000.0
        self.disk: dict[int, Any] = {}
        self.seen: dict[int, Seen] = {}
        self.begin()

    # ---- pilots

    def begin(self) -> None:
        """A pilot starts, with what is on disk."""
        self.machine = Machine()
        self.open: dict[int, do.Step] = {}
        self.late: list[do.Step] = []
        self.granted: set[int] = set()
        self.exit: do.Exit | None = None
        self.stopping = False
        for seen in self.seen.values():
            seen.alive = False
        restored = tuple(decode(record) for _, record in sorted(self.disk.items()))
        self.tell(events.Began(self.at, SLOT, "seed", 0.0, restored))

    def tell(self, event: events.Event) -> None:
        was = self.exit
        for instruction in self.machine.handle(event):
            assert was is None
            self.carry_out(instruction)

    def carry_out(self, instruction: do.Instruction) -> None:
        if isinstance(instruction, do.Step):
            self.open[instruction.step] = instruction
        if isinstance(instruction, do.Record):
            assert not self.seen[instruction.attempt.work.attempt_id].cleaned
            self.disk[instruction.attempt.work.attempt_id] = encode(instruction.attempt)
        elif isinstance(instruction, do.Exit):
            self.exit = instruction
        elif isinstance(instruction, do.Clean):
            self.clean(instruction)
        elif isinstance(instruction, do.Cancel):
            cancelled = [step for step in self.open.values() if about(step) == instruction.attempt_id]
            self.late += cancelled
            self.open = {number: step for number, step in self.open.items() if step not in cancelled}
        elif isinstance(instruction, do.AttemptStep):
            self.watch(self.seen[instruction.attempt_id], instruction)

    def clean(self, instruction: do.Clean) -> None:
        seen = self.seen[instruction.attempt_id]
        assert not seen.alive, "the files of a payload that still runs"
        assert seen.accepted or seen.ended or seen.rejected, "a result nobody has"
        seen.cleaned = True
        self.disk.pop(instruction.attempt_id, None)

    def watch(self, seen: Seen, step: do.AttemptStep) -> None:
        """The promises that can be seen at a single step."""
        assert not seen.cleaned
        assert not (seen.ended and isinstance(step, (*UPLOADS, do.Finish, do.Launch))), "nothing after the end"
        if isinstance(step, do.Launch):
            assert seen.started, "a payload that the server knows nothing of"
            seen.launched, seen.alive = seen.launched + 1, True
            alive = [one.work for one in self.seen.values() if one.alive]
            assert sum(work.cores for work in alive) <= SLOT.cores, "more cores than there are"
            assert sum(work.memory or 0 for work in alive) <= SLOT.memory, "more memory than there is"
            assert seen.launched == 1, "no payload runs twice"
        if isinstance(step, do.PutProduct):
            assert seen.work.attempt_id in self.granted, "an upload without a token"
        if isinstance(step, do.Finish):
            assert self.disk[step.attempt_id]["phase"] == Phase.FINISHING.value, "a report that is not on disk"
            assert decode(self.disk[step.attempt_id]).verdict.outcome == step.report.outcome
            if not seen.reports or seen.reports[-1] != step.report:
                seen.reports.append(step.report)
            assert len(seen.reports) <= 1 + seen.rejected, "two different reports"
            if step.report.outcome == "done":
                assert seen.exit_code == 0
                assert seen.uploaded == {one.number for one in seen.work.outputs}

    # ---- what may happen

    @precondition(lambda self: self.exit is None and self.open)
    @rule(data=st.data(), steps=st.integers(1, 12))
    def steps_are_answered(self, data: st.DataObject, steps: int) -> None:
        for _ in range(steps):
            if self.open and self.exit is None:
                self.answer(data)

    def answer(self, data: st.DataObject) -> None:
        step = self.open.pop(data.draw(st.sampled_from(sorted(self.open)), label="step"))
        if isinstance(step, do.Launch):
            self.launch(step, data)
            return
        bad = data.draw(st.integers(0, 7), label="bad") == 7
        event = self.failure(step, data) if bad else self.success(step, data)
        self.tell(event)

    def launch(self, step: do.Launch, data: st.DataObject) -> None:
        """A payload that runs stays open until it ends."""
        seen = self.seen[step.attempt_id]
        what = data.draw(st.sampled_from(["launched", "ended", "ended", "ended", "exceeded", "cannot"]), label="launch")
        if what == "cannot":
            seen.alive = False
            self.tell(events.LaunchFailed(self.at, step.step, step.attempt_id, 127, "no such program"))
        elif what == "ended":
            seen.alive, seen.exit_code = False, data.draw(st.sampled_from([0, 0, 1, 137]), label="code")
            self.tell(events.PayloadEnded(self.at, step.step, step.attempt_id, seen.exit_code, Usage(1.0, 1.0, 1)))
        else:
            self.open[step.step] = step
            if what == "launched":
                self.tell(events.Launched(self.at, step.step, step.attempt_id))
            else:
                self.tell(events.Exceeded(self.at, step.step, step.attempt_id, "memory", 10**10))

    def failure(self, step: do.Step, data: st.DataObject) -> events.Event:
        if not isinstance(step, do.AttemptStep):
            trouble = data.draw(st.sampled_from([Trouble.AWAY, Trouble.REFUSED]), label="trouble")
            return events.Failed(self.at, step.step, Failure(trouble, "no"))
        troubles = [Trouble.AWAY, Trouble.AWAY, Trouble.REJECTED]
        seen = self.seen[step.attempt_id]
        if isinstance(step, do.Fetch | do.Unpack | do.PutProduct):
            troubles += [Trouble.DENIED, Trouble.BROKEN]
        elif isinstance(step, do.Refresh | do.Start | do.Declare | do.Finish | do.SendSandbox):
            troubles += [Trouble.REFUSED] + [Trouble.ENDED] * seen.ended
        trouble = data.draw(st.sampled_from(troubles), label="trouble")
        if isinstance(step, do.Start) and trouble is Trouble.AWAY:
            seen.started = True  # the answer was lost, not the call
        if isinstance(step, do.Finish) and trouble is Trouble.REJECTED:
            seen.rejected += 1
        if isinstance(step, do.PutProduct) and trouble is Trouble.AWAY:
            seen.uploaded.add(step.product.number)
        return events.StepFailed(self.at, step.step, step.attempt_id, Failure(trouble, "no"))

    def success(self, step: do.Step, data: st.DataObject) -> events.Event:
        if not isinstance(step, do.AttemptStep):
            return self.success_of_the_pilot(step, data)
        seen, about_it = self.seen[step.attempt_id], (self.at, step.step, step.attempt_id)
        if seen.ended and isinstance(step, do.Refresh | do.Start | do.Declare | do.SendSandbox | do.Finish):
            return events.StepFailed(*about_it, Failure(Trouble.ENDED, "ended", "attempt_ended"))
        if isinstance(step, do.Start):
            seen.started = True
        elif isinstance(step, do.PutProduct):
            seen.uploaded.add(step.product.number)
        elif isinstance(step, do.Declare):
            self.granted.add(step.attempt_id)
        elif isinstance(step, do.Finish):
            assert seen.accepted in {None, step.report}
            seen.accepted = step.report
        elif isinstance(step, do.Collect):
            made = products(seen.work)
            lost = data.draw(st.booleans(), label="lost") and bool(step.outputs)
            missing = (made[0].path,) if lost else ()
            return events.Collected(*about_it, made[lost:] if step.outputs else (), missing, PACKED)
        answers: dict[type[do.AttemptStep], Any] = {
            do.Refresh: lambda: events.Refreshed(*about_it, seen.work),
            do.Unpack: lambda: events.Unpacked(*about_it),
            do.Fetch: lambda: events.Fetched(*about_it),
            do.Start: lambda: events.StartConfirmed(*about_it),
            do.Sweep: lambda: events.Swept(*about_it),
            do.Declare: lambda: events.Declared(*about_it, uploads(seen.work)),
            do.PutProduct: lambda: events.Uploaded(*about_it),
            do.SendSandbox: lambda: events.SandboxSent(*about_it),
            do.Finish: lambda: events.Finished(*about_it),
        }
        return answers[type(step)]()

    def success_of_the_pilot(self, step: do.Step, data: st.DataObject) -> events.Event:
        if isinstance(step, do.Match):
            return self.match(step, data)
        if isinstance(step, do.Beat):
            known = {attempt_id for attempt_id, _ in step.attempts}
            kill = tuple(one for one in known if self.seen[one].killed)
            ended = tuple(one for one in known if self.seen[one].ended or self.seen[one].accepted)
            return events.BeatAnswered(self.at, step.step, kill, ended)
        if isinstance(step, do.Retire):
            return events.Retired(self.at, step.step)
        return events.Welcomed(self.at, step.step, 10.0)

    def match(self, step: do.Match, data: st.DataObject) -> events.Event:
        if len(self.seen) >= MOST_ATTEMPTS or data.draw(st.integers(0, 3), label="none") == 3:
            return events.NoWork(self.at, step.step, 1.0)
        attempt_id = len(self.seen) + 1
        numbers = st.integers(0, 2)
        new = work(
            attempt_id, inputs=data.draw(numbers), outputs=data.draw(numbers), sandbox=data.draw(st.booleans()),
            cores=data.draw(st.integers(1, step.free.cores)), memory=data.draw(st.integers(1, step.free.memory)),
        )  # fmt: skip
        self.seen[attempt_id] = Seen(new)
        return events.Matched(self.at, step.step, new)

    @precondition(lambda self: self.exit is None and self.late)
    @rule()
    def a_cancelled_step_is_answered_all_the_same(self) -> None:
        step = self.late.pop()
        assert isinstance(step, do.AttemptStep)
        seen, about_it = self.seen[step.attempt_id], (self.at, step.step, step.attempt_id)
        answers: dict[type[do.AttemptStep], events.Event] = {
            do.Fetch: events.Fetched(*about_it),
            do.Refresh: events.Refreshed(*about_it, seen.work),
            do.Declare: events.Declared(*about_it, uploads(seen.work)),
            do.PutProduct: events.Uploaded(*about_it),
        }
        self.tell(answers.get(type(step), events.StepFailed(*about_it, Failure(Trouble.REJECTED, "late"))))

    @precondition(lambda self: self.exit is None and self.disk)
    @rule(data=st.data(), ended=st.booleans())
    def an_attempt_is_killed_or_given_up(self, data: st.DataObject, ended: bool) -> None:
        """The server decides, and the pilot hears of it with the answer to its next heartbeat."""
        attempt_id = data.draw(st.sampled_from(sorted(self.disk)))
        seen, beat = self.seen[attempt_id], self.next_beat()
        if seen.accepted or beat is None or attempt_id not in dict(beat.attempts):
            return
        self.open.pop(beat.step)
        seen.ended, seen.killed = seen.ended or ended, True
        gone = ((), (attempt_id,)) if ended else ((attempt_id,), ())
        self.tell(events.BeatAnswered(self.at, beat.step, *gone))

    def next_beat(self) -> do.Beat | None:
        """Let time pass until the pilot shows a sign of life; None if it does not know the server yet."""
        for _ in range(100):
            beats = [step for step in self.open.values() if isinstance(step, do.Beat)]
            due = self.machine.next_at
            if beats or due is None or due > self.at + 10.0 or self.exit is not None:
                return beats[0] if beats else None
            self.at = max(self.at, due)
            self.tell(events.Tick(self.at))
        return None

    @precondition(lambda self: self.exit is None)
    @rule(seconds=st.sampled_from([0.1, 1.0, 30.0, 600.0, 3600.0, 50_000.0]))
    def time_passes(self, seconds: float) -> None:
        until = self.at + seconds
        for _ in range(1000):
            due = self.machine.next_at
            if due is None or due > until or self.exit is not None:
                break
            self.at = max(self.at, due)
            self.tell(events.Tick(self.at))
        else:
            raise AssertionError("the machine never rests")
        self.at = until
        self.tell(events.Tick(self.at))

    @precondition(lambda self: self.exit is None)
    @rule()
    def the_pilot_is_stopped(self) -> None:
        self.stopping = True
        self.tell(events.StopAsked(self.at))

    @rule()
    def the_pilot_is_killed_and_another_starts(self) -> None:
        self.begin()

    # ---- what always holds

    @invariant()
    def what_was_matched_is_on_disk_until_somebody_else_has_it(self) -> None:
        for attempt_id, seen in self.seen.items():
            assert (attempt_id in self.disk) != seen.cleaned

    @invariant()
    def a_pilot_that_leaves_with_nothing_left_says_so(self) -> None:
        if self.exit is not None and self.exit.code == 0:
            assert not self.disk

    def teardown(self) -> None:
        """In a world that works again, every attempt comes to its end and every result to the server."""
        if self.exit is not None:
            self.begin()
        for _ in range(3000):
            if self.exit is not None:
                break
            if self.open:
                self.settle()
            else:
                due = self.machine.next_at
                assert due is not None, "a machine that waits for nothing"
                self.at = max(self.at, due)
                self.tell(events.Tick(self.at))
        assert self.exit is not None, "the pilot never leaves"
        assert not self.disk
        for seen in self.seen.values():
            assert seen.cleaned
            assert seen.ended or seen.accepted is not None or seen.rejected
            if seen.accepted is not None and seen.accepted.outcome == "done":
                assert seen.launched == 1

    def settle(self) -> None:
        number = min(self.open)
        step = self.open.pop(number)
        if isinstance(step, do.Match):
            self.tell(events.NoWork(self.at, number, 1000.0))
        elif isinstance(step, do.Launch):
            seen = self.seen[step.attempt_id]
            seen.alive, seen.exit_code = False, 0
            self.tell(events.PayloadEnded(self.at, number, step.attempt_id, 0, Usage(1.0, 1.0, 1)))
        else:
            self.tell(self.success(step, Always()))  # type: ignore[arg-type]


class Always:
    """Draws nothing by chance."""

    def draw(self, *_: Any, **__: Any) -> Any:
        return False


def about(step: do.Step) -> int | None:
    return step.attempt_id if isinstance(step, do.AttemptStep) else None


PilotWorld.TestCase.settings = settings(
    max_examples=100,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestPilotWorld = PilotWorld.TestCase


@given(
    phase=st.sampled_from(Phase),
    code=st.none() | st.integers(0, 255),
    detail=st.text(),
    outputs=st.integers(0, 3),
)
def test_what_is_written_to_the_spool_is_what_is_read(
    phase: Phase, code: int | None, detail: str, outputs: int
) -> None:
    job = work(outputs=outputs, inputs=1)
    attempt = Attempt(job, phase, exit_code=code, products=products(job), uploads=uploads(job), packed=PACKED)
    assert decode(encode(attempt)) == attempt
    failed = events.StepFailed(1.5, 2, 3, Failure(Trouble.AWAY, detail, "code", 1.0))
    assert decode(encode(failed)) == failed


def test_a_value_that_is_not_ours_is_not_read() -> None:
    for read in (
        {"is": "Nothing"},
        {"is": "Attempt"},
        {"phase": "running"},
        {"is": "Attempt", "work": 1, "phase": "?"},
    ):
        with pytest.raises(ValueError, match="not one of our values"):
            decode(read)
    assert kinds([]) == []

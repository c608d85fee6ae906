"""A machine to talk to: it remembers what it wanted, and answers are found by the kind of instruction they answer."""

from typing import Any, TypeVar

from sancho_pilot import events
from sancho_pilot.events import Event
from sancho_pilot.instructions import AttemptStep, Instruction, Login, Match, Start, Step
from sancho_pilot.machine import Machine
from sancho_pilot.model import Attempt, Failure, Input, Output, Packed, Product, Slot, Trouble, Upload, Usage, Work

AnInstruction = TypeVar("AnInstruction", bound=Instruction)

SLOT = Slot(cores=1, memory=2_000_000_000, walltime=3600.0, tags=("x86_64",), idle=60.0)
AWAY = Failure(Trouble.AWAY, "the server is away")
REFUSED = Failure(Trouble.REFUSED, "the server does not know this pilot", "pilot_unknown")
REJECTED = Failure(Trouble.REJECTED, "no", "rejected")
DENIED = Failure(Trouble.DENIED, "the storage answered 403")
BROKEN = Failure(Trouble.BROKEN, "the storage answered 404")
ENDED = Failure(Trouble.ENDED, "the attempt has ended", "attempt_ended")
USAGE = Usage(wall=12.0, cpu=11.0, memory=1_000_000)
PACKED = Packed(99, "ab" * 32)
ENOUGH = 10_000
"""A machine that wants to be told so often, in one stretch of time, wants it for ever."""


def work(attempt_id: int = 7, *, inputs: int = 0, outputs: int = 0, sources: int = 2, **facts: Any) -> Work:
    return Work(
        attempt_id=attempt_id,
        job_id=attempt_id * 10,
        number=1,
        walltime=600.0,
        memory=facts.pop("memory", None),
        sandbox=facts.pop("sandbox", False),
        inputs=tuple(Input(f"mc:in{i}", f"in{i}", 10, "00000001", sources) for i in range(inputs)),
        outputs=tuple(Output(i, f"out{i}") for i in range(outputs)),
        **facts,
    )


def products(work: Work) -> tuple[Product, ...]:
    return tuple(Product(one.number, one.path, 10, f"{one.number:08x}") for one in work.outputs)


def uploads(work: Work) -> tuple[Upload, ...]:
    return tuple(Upload(one.number, 1000 + one.number) for one in work.outputs)


class Talk:
    """A conversation with one machine."""

    def __init__(
        self, *restored: Attempt, slot: Slot = SLOT, age: float = 0.0, at: float = 100.0, seed: str = "a"
    ) -> None:
        self.machine = Machine()
        self.at = at
        self.said: list[Instruction] = []
        """Everything that the machine ever wanted."""
        self.tell(events.Began(at, slot, seed, age, restored))

    def tell(self, event: Event) -> list[Instruction]:
        fresh = self.machine.handle(event)
        self.said += fresh
        return fresh

    def after(self, seconds: float) -> list[Instruction]:
        """Let time pass, telling the machine whenever it wants to be told; return what it wanted meanwhile."""
        until = self.at + seconds
        wanted: list[Instruction] = []
        for _ in range(ENOUGH):
            due = self.machine.next_at
            if self.machine.exiting or due is None or due > until:
                self.at = until
                return wanted + self.tell(events.Tick(until))
            self.at = max(self.at, due)
            wanted += self.tell(events.Tick(self.at))
        raise AssertionError("the machine never rests")

    def last(self, kind: type[AnInstruction]) -> AnInstruction:
        found = self.every(kind)
        assert found, f"the machine never wanted {kind.__name__}; it wanted {self.said}"
        return found[-1]

    def every(self, kind: type[AnInstruction]) -> list[AnInstruction]:
        return [one for one in self.said if isinstance(one, kind)]

    def answer(self, kind: type[Step], event: type[Event], *facts: Any) -> list[Instruction]:
        """Answer the last instruction of a kind with an event of a kind."""
        step = self.last(kind)
        about = (step.attempt_id,) if isinstance(step, AttemptStep) else ()
        made: Any = event
        return self.tell(made(self.at, step.step, *about, *facts))

    def fail(self, kind: type[Step], failure: Failure) -> list[Instruction]:
        """Answer the last instruction of a kind with a failure."""
        return self.answer(kind, events.StepFailed if issubclass(kind, AttemptStep) else events.Failed, failure)

    # ---- the usual course of things

    def welcomed(self) -> "Talk":
        self.answer(Login, events.Welcomed, 10.0)
        return self

    def matched(self, work: Work) -> "Talk":
        self.welcomed()
        self.answer(Match, events.Matched, work)
        return self

    def running(self, work: Work) -> "Talk":
        """Match work that needs nothing to be fetched, and let it run."""
        self.matched(work)
        self.answer(Start, events.StartConfirmed)
        from_launch: Any = self.said[-1]
        self.tell(events.Launched(self.at, from_launch.step, work.attempt_id))
        return self


def kinds(instructions: list[Instruction]) -> list[str]:
    return [type(one).__name__ for one in instructions]

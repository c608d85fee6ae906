"""The I/O loop: it waits for events, lets the machine think, and carries out what the machine wants, in order.

What is quick and must be over before the next thing begins (the spool, the
payload's start, signals) is done right here; everything else in a thread of
its own, so that heartbeats go on whatever else takes time.
"""

from __future__ import annotations

import dataclasses
import queue
import signal
import threading
import time
import traceback
from typing import Any, Callable, Dict, Optional

from sancho_pilot import events, faults, procfs
from sancho_pilot.config import Config, read_secret
from sancho_pilot.events import Event
from sancho_pilot.http import Client
from sancho_pilot.instructions import (
    AttemptStep,
    Cancel,
    Clean,
    Exit,
    Instruction,
    Launch,
    Record,
    Step,
    StopPayload,
)
from sancho_pilot.journal import Journal
from sancho_pilot.machine import Machine
from sancho_pilot.model import CallFailed, Failure, Phase, Trouble, Usage
from sancho_pilot.operations import Operations, as_failure
from sancho_pilot.payload import Payload, Watchers
from sancho_pilot.places import CannotRun, command
from sancho_pilot.server import Server
from sancho_pilot.spool import Spool
from sancho_pilot.transfer import Cancelled, Transfers

LONGEST_WAIT = 60.0
LAST_MOMENT = 5.0
"""How long an exiting pilot waits for a payload that it has just killed."""
MATCHED = faults.point("pilot.matched")
STARTED = faults.point("pilot.started")
PAYLOAD_ENDED = faults.point("pilot.payload_ended")
FINISH_SPOOLED = faults.point("pilot.finish_spooled")
FINISHED = faults.point("pilot.finished")
RECORDED: Dict[Phase, Callable[[], None]] = {
    Phase.FETCHING: MATCHED,
    Phase.RUNNING: STARTED,
    Phase.COLLECTING: PAYLOAD_ENDED,
    Phase.FINISHING: FINISH_SPOOLED,
}


class Loop:
    """One run of a pilot."""

    def __init__(self, config: Config, journal: Journal) -> None:
        """Take the work folder; raises `WorkFolderBusy`, `BadConfiguration`, OSError."""
        self._config = config
        self._journal = journal
        self._first_secret = read_secret(config.secret_file)
        self._spool = Spool(config.workdir, config.stamp)
        self._client = Client(config.ca_file)
        server = Server(self._client, config.url, config.stamp, self._secret, self._spool.keep_secret)
        self._operations = Operations(config, self._spool, server, Transfers(self._client))
        self._machine = Machine()
        self._events: "queue.SimpleQueue[Event]" = queue.SimpleQueue()
        self._cancels: Dict[int, threading.Event] = {}
        self._exit_code: Optional[int] = None
        self._doers: Dict[type, Callable[[Any], None]] = {
            Exit: self._exit,
            Record: self._record,
            Clean: self._clean,
            Cancel: self._cancel,
            StopPayload: self._stop_payload,
            Launch: self._launch,
        }

    def run(self) -> int:
        """Run until the machine wants to leave; return the exit code."""
        procfs.adopt_orphans()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_asked)
        restored, unreadable = self._spool.attempts()
        for name in unreadable:
            self._journal.say("a record of the spool cannot be read", name=name)
        self._think(events.Began(0.0, self._config.slot, self._config.stamp, self._spool.age(), tuple(restored)))
        while self._exit_code is None:
            self._think(self._next_event())
        return self._exit_code

    def _stop_asked(self, _number: int, _frame: object) -> None:
        self._events.put(events.StopAsked(0.0))

    def close(self) -> None:
        """End what still runs and leave the work folder."""
        for payload in self._operations.payloads.values():
            payload.stop(hard=True)
            payload.wait(LAST_MOMENT)
        self._client.close()
        self._operations.close()
        self._spool.close()

    # ---------------------------------------------------------------------------------------- thinking

    def _next_event(self) -> Event:
        due = self._machine.next_at
        wait = LONGEST_WAIT if due is None else min(LONGEST_WAIT, max(0.0, due - time.monotonic()))
        try:
            return self._events.get(timeout=wait) if wait > 0 else self._events.get_nowait()
        except queue.Empty:
            return events.Tick(0.0)

    def _think(self, event: Event) -> None:
        """Let the machine think about an event; its time is now, so that time never runs backwards."""
        event = dataclasses.replace(event, at=time.monotonic())
        instructions = self._machine.handle(event)
        self._journal.thought(event, instructions)
        for instruction in instructions:
            self._carry_out(instruction)

    def _carry_out(self, instruction: Instruction) -> None:
        doer = self._doers.get(type(instruction))
        if doer is not None:
            doer(instruction)
        elif isinstance(instruction, Step):
            cancelled = threading.Event()
            if isinstance(instruction, AttemptStep):
                self._cancels[instruction.attempt_id] = cancelled
            name = type(instruction).__name__
            threading.Thread(target=self._step, args=(instruction, cancelled), name=name, daemon=True).start()

    def _step(self, step: Step, cancelled: threading.Event) -> None:
        """Carry out a step: the outermost frame of its thread."""
        try:
            self._events.put(self._operations.carry_out(step, cancelled))
        except Cancelled:
            return
        except CallFailed as problem:
            self._events.put(as_failure(step, problem.failure))
        except Exception as problem:
            if cancelled.is_set():
                return
            detail = f"{type(step).__name__}: {type(problem).__name__}"
            self._journal.say("a step broke", step=step.step, detail=detail, where=_where(problem))
            trouble = Trouble.REJECTED if isinstance(step, AttemptStep) else Trouble.AWAY
            self._events.put(as_failure(step, Failure(trouble, detail, "pilot_error")))

    # ------------------------------------------------------------------------------------ quick things

    def _exit(self, instruction: Exit) -> None:
        self._exit_code = instruction.code

    def _record(self, instruction: Record) -> None:
        try:
            self._spool.record(instruction.attempt)
        except OSError as problem:  # a full disk: what is in memory can still be delivered
            self._journal.say("the spool cannot be written", detail=problem.strerror)
        RECORDED.get(instruction.attempt.phase, _nothing)()

    def _clean(self, instruction: Clean) -> None:
        if instruction.accepted:
            FINISHED()
        self._operations.forget(instruction.attempt_id)
        self._cancels.pop(instruction.attempt_id, None)
        self._spool.forget(instruction.attempt_id)

    def _cancel(self, instruction: Cancel) -> None:
        cancelled = self._cancels.pop(instruction.attempt_id, None)
        if cancelled is not None:
            cancelled.set()

    def _stop_payload(self, instruction: StopPayload) -> None:
        payload = self._operations.payloads.get(instruction.attempt_id)
        if payload is not None:
            payload.stop(hard=instruction.hard)

    def _launch(self, launch: Launch) -> None:
        step, attempt_id = launch.step, launch.attempt_id
        places = self._operations.places(attempt_id)

        def exceeded(what: str, used: int) -> None:
            self._events.put(events.Exceeded(0.0, step, attempt_id, what, used))

        def ended(exit_code: int, usage: Usage) -> None:
            self._events.put(events.PayloadEnded(0.0, step, attempt_id, exit_code, usage))

        try:
            places.make()
            places.write_inputs(launch.work)
            access = self._operations.access[attempt_id]
            if access.token:
                places.write_token(access.token)
            what = command(self._config, places, launch.work, access)
            self._operations.payloads[attempt_id] = Payload(what, Watchers(exceeded, ended))
            self._events.put(events.Launched(0.0, step, attempt_id))
        except CannotRun as problem:
            self._events.put(events.LaunchFailed(0.0, step, attempt_id, problem.exit_code, str(problem)))
        except (OSError, ValueError) as problem:
            words = f"The payload cannot be started: {problem}"
            self._events.put(events.LaunchFailed(0.0, step, attempt_id, 126, words))

    def _secret(self) -> str:
        return self._spool.secret(self._first_secret)


def _nothing() -> None:
    """Stand where no fault point is."""


def _where(problem: BaseException) -> str:
    """Return the lines of a traceback without what was in them."""
    frames = traceback.extract_tb(problem.__traceback__)
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in reversed(frames))

"""One attempt within the pilot, from its match until the server has accepted its report. Pure: it only thinks.

    claiming ─┐
    fetching ─┴▶ starting ▶ running ▶ collecting ▶ declaring ▶ uploading ▶ packing ▶ finishing ▶ gone
                               └▶ stopping ─▲            └──────(failed)──────▲

An attempt that the server has given up is dropped from wherever it is: nothing of it is sent any more.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from sancho_pilot import events
from sancho_pilot import instructions as do
from sancho_pilot.model import Attempt, Failure, Output, Packed, Phase, Trouble, Verdict
from sancho_pilot.patience import (
    FETCH_PASSES,
    FETCH_PATIENCE,
    KILL_GRACE,
    REFUSED_PATIENCE,
    REJECTIONS,
    SANDBOX_PATIENCE,
    SERVER_PATIENCE,
    UPLOAD_PATIENCE,
    Patience,
)
from sancho_pilot.phases import AFTER_LAUNCH, ASKING_SERVER, BEFORE_LAUNCH, OCCUPYING, judge, refused, report


class Life:
    """One attempt. The machine tells it of its events; every method returns what is to be done, in order."""

    def __init__(self, attempt: Attempt, steps: Iterator[int], jitter: Callable[[], float]) -> None:
        """`steps` numbers the steps of all attempts; `jitter` yields numbers from 0 to 1, the same ones in a replay."""
        self.attempt = attempt
        self.gone = False
        self.shelved = False
        """Gone, but its record stays for a later pilot."""
        self.due: Optional[float] = None
        """When `pass_time` has something to do."""
        self._id = attempt.work.attempt_id
        self._steps = steps
        self._step = 0
        self._out: List[do.Instruction] = []
        self._server = Patience(jitter)
        self._storage = Patience(jitter)
        self._fetched = 0
        self._source = 0
        self._unpacked = False
        self._stale = False
        self._doubt = False
        self._handlers: Dict[type, Callable[[Any], None]] = {
            events.Refreshed: self._refreshed,
            events.Unpacked: self._have_sandbox,
            events.Fetched: self._have_input,
            events.StartConfirmed: self._start_confirmed,
            events.Launched: self._launched,
            events.LaunchFailed: self._launch_failed,
            events.Exceeded: self._exceeded,
            events.PayloadEnded: self._payload_ended,
            events.Swept: self._swept,
            events.Collected: self._collected,
            events.Declared: self._declared,
            events.Uploaded: self._uploaded,
            events.SandboxSent: self._sandbox_sent,
            events.Finished: self._finished,
            events.StepFailed: self._failed,
        }

    @property
    def occupies_slot(self) -> bool:
        """Whether the slot is taken: the payload is still to come, or may still run."""
        return self.attempt.phase in OCCUPYING

    @property
    def beat(self) -> Optional[str]:
        """What a heartbeat says of the attempt; None for one that the server has given up."""
        if self.attempt.phase is Phase.DROPPING:
            return None
        return "running" if self.occupies_slot else "completing"

    # ------------------------------------------------------------------------ what the machine says

    def begin(self, verdict: Optional[Verdict] = None) -> List[do.Instruction]:
        """Take up a match, or what a former pilot has left; with a verdict, a payload does not start any more."""
        self._doubt = self.attempt.phase is not Phase.FETCHING
        if verdict is not None and self.attempt.phase in BEFORE_LAUNCH:
            self._conclude(verdict)
        else:
            self._out.append(do.Record(self.attempt))
            self._ask()
        return self._drain()

    def handle(self, event: events.AttemptAnswer) -> List[do.Instruction]:
        """Take an answer into account, unless nobody waits for it any more."""
        if event.step == self._step:
            self._handlers[type(event)](event)
        return self._drain()

    def pass_time(self, at: float) -> List[do.Instruction]:
        """Do what is due."""
        if self.due is not None and at >= self.due:
            self.due = None
            if self.attempt.phase is Phase.RUNNING:
                self._stop(at, Verdict("failed", "walltime_exceeded", "The payload ran longer than its wall time."))
            elif self._step:
                self._out.append(do.StopPayload(self._id, hard=True))
            else:
                self._ask()
        return self._drain()

    def halt(self, at: float, verdict: Verdict) -> List[do.Instruction]:
        """End the attempt with this verdict, unless its own is on its way already.

        What was computed is delivered if a pilot that stops still has the time;
        an attempt that is killed delivers nothing.
        """
        phase = self.attempt.phase
        if phase in BEFORE_LAUNCH:
            self._cancel()
            self._conclude(verdict)
        elif phase is Phase.RUNNING:
            self._stop(at, verdict)
        elif verdict.reason == "killed" and phase is Phase.COLLECTING:
            self._record(stop=self.attempt.stop or verdict)
        elif verdict.reason == "killed" and phase in (Phase.DECLARING, Phase.UPLOADING):
            self._cancel()
            self._record(stop=verdict)
            self._conclude(verdict)
        return self._drain()

    def drop(self, at: float) -> List[do.Instruction]:
        """The server has given the attempt up: end it, send nothing more, leave nothing behind."""
        self._drop(at)
        return self._drain()

    def encourage(self, at: float) -> None:
        """The server is there: do not wait any longer to ask it again."""
        if self.due is not None and not self._step and self.attempt.phase in ASKING_SERVER:
            self.due = at

    # ------------------------------------------------------------------------------- before the payload

    def _refreshed(self, event: events.Refreshed) -> None:
        self._server.reset()
        self._stale = False
        self._go(Phase.FETCHING, work=event.work)

    def _have_sandbox(self, _event: events.Unpacked) -> None:
        self._storage.reset()
        self._unpacked = True
        self._ask()

    def _have_input(self, _event: events.Fetched) -> None:
        self._storage.reset()
        self._fetched += 1
        self._source = 0
        self._ask()

    def _fetch_failed(self, at: float, failure: Failure) -> None:
        work = self.attempt.work
        unpacking = work.sandbox and not self._unpacked
        what = "input sandbox" if unpacking else work.inputs[self._fetched].did
        sources = 1 if unpacking else max(1, work.inputs[self._fetched].sources)
        self._storage.fail(at)
        self._source = self._storage.tries % sources
        tired = self._storage.tries >= FETCH_PASSES * sources
        hopeless = unpacking and failure.trouble is Trouble.REJECTED
        if hopeless or (tired and (failure.trouble is not Trouble.AWAY or self._storage.lasts(at, FETCH_PATIENCE))):
            reason = "sandbox_unavailable" if unpacking else "input_unavailable"
            self._conclude(Verdict("failed", reason, f"{what}: {failure.detail}"))
            return
        self._stale = failure.trouble is Trouble.DENIED or self._source == 0
        if self._source == 0:
            self.due = at + self._storage.delay(self._storage.tries // sources, failure.retry_after)
        else:
            self._ask()

    def _start_confirmed(self, _event: events.StartConfirmed) -> None:
        self._server.reset()
        self._go(Phase.RUNNING)

    # -------------------------------------------------------------------------------------- the payload

    def _launched(self, event: events.Launched) -> None:
        if self.attempt.phase is Phase.RUNNING:
            self.due = event.at + self.attempt.work.walltime

    def _launch_failed(self, event: events.LaunchFailed) -> None:
        if self.attempt.phase is Phase.DROPPING:
            self._clean(accepted=False)
        else:
            verdict = self.attempt.stop or Verdict("failed", "command_unknown", event.detail)
            self._go(Phase.FINISHING, exit_code=event.exit_code, verdict=verdict)

    def _exceeded(self, event: events.Exceeded) -> None:
        if self.attempt.phase is Phase.RUNNING:
            words = f"The payload used {event.used} B of {event.what}, more than it may."
            self._stop(event.at, Verdict("failed", f"{event.what}_exceeded", words))

    def _stop(self, at: float, verdict: Verdict) -> None:
        self._record(phase=Phase.STOPPING, stop=verdict)
        self._out.append(do.StopPayload(self._id, hard=False))
        self.due = at + KILL_GRACE

    def _payload_ended(self, event: events.PayloadEnded) -> None:
        stop = self.attempt.stop
        if self.attempt.phase is Phase.DROPPING:
            self._clean(accepted=False)
        elif stop is not None and stop.reason == "pilot_stopped":
            self._go(Phase.FINISHING, exit_code=event.exit_code, usage=event.usage, verdict=stop)
        else:
            self._go(Phase.COLLECTING, exit_code=event.exit_code, usage=event.usage)

    def _swept(self, _event: events.Swept) -> None:
        if self.attempt.phase is Phase.DROPPING:
            self._clean(accepted=False)
        else:
            self._go(Phase.COLLECTING)

    # --------------------------------------------------------------------------------- after the payload

    def _collected(self, event: events.Collected) -> None:
        verdict = judge(self.attempt, event.missing)
        if verdict.outcome == "done" and event.products:
            self._go(Phase.DECLARING, products=event.products, packed=event.packed)
        else:
            self._conclude(verdict, packed=event.packed)

    def _declared(self, event: events.Declared) -> None:
        self._server.reset()
        numbers = {upload.number for upload in event.uploads}
        if not all(product.number in numbers for product in self.attempt.products):
            self._conclude(Verdict("failed", "upload_failed", "The server did not say where to upload all outputs."))
        elif self.attempt.uploaded >= len(self.attempt.products):
            self._conclude(Verdict("done"), uploads=event.uploads)
        else:
            self._go(Phase.UPLOADING, uploads=event.uploads)

    def _uploaded(self, _event: events.Uploaded) -> None:
        self._storage.reset()
        self._doubt = False
        uploaded = self.attempt.uploaded + 1
        if uploaded >= len(self.attempt.products):
            self._conclude(Verdict("done"), uploaded=uploaded)
        else:
            self._go(Phase.UPLOADING, uploaded=uploaded)

    def _upload_failed(self, at: float, failure: Failure) -> None:
        self._storage.fail(at)
        self._doubt = True
        rejected = failure.trouble in (Trouble.REJECTED, Trouble.BROKEN) and self._storage.tries >= REJECTIONS
        if rejected or self._storage.lasts(at, UPLOAD_PATIENCE):
            self._conclude(Verdict("failed", "upload_failed", failure.detail))
            return
        if failure.trouble is Trouble.DENIED:
            self._record(phase=Phase.DECLARING)
        self.due = at + self._storage.delay(self._storage.tries, failure.retry_after)

    def _sandbox_sent(self, _event: events.SandboxSent) -> None:
        self._storage.reset()
        self._go(Phase.FINISHING, sent=True)

    def _sandbox_failed(self, at: float, failure: Failure) -> None:
        self._storage.fail(at)
        unwanted = failure.trouble is not Trouble.AWAY and self._storage.tries >= REJECTIONS
        if failure.trouble is Trouble.REJECTED or unwanted or self._storage.lasts(at, SANDBOX_PATIENCE):
            self._go(Phase.FINISHING)
        else:
            self.due = at + self._storage.delay(self._storage.tries, failure.retry_after)

    def _finished(self, _event: events.Finished) -> None:
        self._clean(accepted=True)

    # ------------------------------------------------------------------------------------------ failures

    def _failed(self, event: events.StepFailed) -> None:
        self._step = 0
        at, failure, phase = event.at, event.failure, self.attempt.phase
        if phase is Phase.DROPPING:
            self._clean(accepted=False)
        elif failure.trouble is Trouble.ENDED:
            self._drop(at)
        elif phase is Phase.FETCHING and not self._stale:
            self._fetch_failed(at, failure)
        elif phase is Phase.UPLOADING:
            self._upload_failed(at, failure)
        elif phase is Phase.PACKING:
            self._sandbox_failed(at, failure)
        elif failure.trouble in (Trouble.AWAY, Trouble.REFUSED):
            self._wait_for_server(at, failure)
        elif phase is Phase.FINISHING:
            self._report_rejected(failure)
        else:
            self._conclude(Verdict("failed", refused(phase, failure.code), failure.detail))

    def _drop(self, at: float) -> None:
        phase = self.attempt.phase
        if phase in AFTER_LAUNCH:
            self._record(phase=Phase.DROPPING)
            self._out.append(do.StopPayload(self._id, hard=phase is Phase.STOPPING))
            self.due = at + KILL_GRACE
        elif phase is Phase.SWEEPING:
            self._record(phase=Phase.DROPPING)
        elif phase is not Phase.DROPPING:
            self._cancel()
            self._clean(accepted=False)

    def _wait_for_server(self, at: float, failure: Failure) -> None:
        self._server.fail(at)
        if self._server.lasts(at, SERVER_PATIENCE if failure.trouble is Trouble.AWAY else REFUSED_PATIENCE):
            self.gone = self.shelved = True
        else:
            self.due = at + self._server.delay(self._server.tries, failure.retry_after)

    def _report_rejected(self, failure: Failure) -> None:
        if self.attempt.verdict is not None and self.attempt.verdict.outcome == "done":
            self._go(Phase.FINISHING, verdict=Verdict("failed", "upload_failed", failure.detail))
        else:
            self._clean(accepted=False)

    # ---------------------------------------------------------------------------------------- mechanics

    def _conclude(self, verdict: Verdict, *, packed: Optional[Packed] = None, **changes: Any) -> None:
        """The verdict is known: send what may go with it, then the report."""
        packed = packed or self.attempt.packed
        phase = Phase.PACKING if packed is not None and not self.attempt.sent else Phase.FINISHING
        self._go(phase, verdict=verdict, packed=packed, **changes)

    def _go(self, phase: Phase, **changes: Any) -> None:
        """Enter a phase, or go on in it: on disk first, then do what it asks for."""
        self._record(phase=phase, **changes)
        self._ask()

    def _record(self, **changes: Any) -> None:
        changed = replace(self.attempt, **changes)
        if changed != self.attempt:
            self.attempt = changed
            self._out.append(do.Record(changed))

    def _ask(self) -> None:
        """Ask for what the phase needs next."""
        self.due = None
        attempt, work = self.attempt, self.attempt.work
        if attempt.phase is Phase.FETCHING and not self._stale and self._everything_here():
            self._record(phase=Phase.STARTING)
            attempt = self.attempt
        step = self._step = next(self._steps)
        make: Dict[Phase, Callable[[], do.Instruction]] = {
            Phase.CLAIMING: lambda: do.Refresh(step, self._id),
            Phase.FETCHING: lambda: self._fetch(step),
            Phase.STARTING: lambda: do.Start(step, self._id),
            Phase.RUNNING: lambda: do.Launch(step, self._id, work),
            Phase.SWEEPING: lambda: do.Sweep(step, self._id),
            Phase.DROPPING: lambda: do.Sweep(step, self._id),
            Phase.COLLECTING: lambda: do.Collect(step, self._id, self._wanted_outputs(), work.globs),
            Phase.DECLARING: lambda: do.Declare(step, self._id, attempt.products),
            Phase.UPLOADING: lambda: do.PutProduct(step, self._id, attempt.products[attempt.uploaded], self._doubt),
            Phase.PACKING: lambda: do.SendSandbox(step, self._id, attempt.packed or Packed(0, "")),
            Phase.FINISHING: lambda: do.Finish(step, self._id, report(self.attempt)),
        }
        self._out.append(make[attempt.phase]())

    def _everything_here(self) -> bool:
        work = self.attempt.work
        return (self._unpacked or not work.sandbox) and self._fetched >= len(work.inputs)

    def _fetch(self, step: int) -> do.Instruction:
        if self._stale:
            return do.Refresh(step, self._id)
        if self.attempt.work.sandbox and not self._unpacked:
            return do.Unpack(step, self._id)
        return do.Fetch(step, self._id, self.attempt.work.inputs[self._fetched], self._fetched, self._source)

    def _wanted_outputs(self) -> Tuple[Output, ...]:
        """Return the outputs that are worth looking for: those of a payload that succeeded."""
        succeeded = self.attempt.exit_code == 0 and self.attempt.stop is None
        return self.attempt.work.outputs if succeeded else ()

    def _cancel(self) -> None:
        if self._step:
            self._out.append(do.Cancel(self._id))
        self._step = 0
        self.due = None

    def _clean(self, *, accepted: bool) -> None:
        self.gone = True
        self._step = 0
        self.due = None
        self._out.append(do.Clean(self._id, accepted))

    def _drain(self) -> List[do.Instruction]:
        out, self._out = self._out, []
        return out

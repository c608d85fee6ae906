"""What the phases of an attempt mean: which ones hold the slot, how a record is taken up again, what is reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Tuple

from sancho_pilot.model import Attempt, Phase, Report, Verdict

BEFORE_LAUNCH = (Phase.CLAIMING, Phase.FETCHING, Phase.STARTING)
AFTER_LAUNCH = (Phase.RUNNING, Phase.STOPPING)
OCCUPYING = (*BEFORE_LAUNCH, *AFTER_LAUNCH, Phase.SWEEPING, Phase.DROPPING)
"""The payload is still to come, or may still run."""
ASKING_SERVER = (Phase.CLAIMING, Phase.STARTING, Phase.DECLARING, Phase.FINISHING)
REFUSAL = {
    Phase.FETCHING: "input_unavailable",
    Phase.DECLARING: "upload_failed",
}
"""What an attempt fails with when a step is rejected; otherwise it is `pilot_lost`: another pilot may do better."""
FOR_GOOD = ("quota_exceeded",)
"""Codes of refusals that are reasons of their own: no other pilot would fare better."""


def refused(phase: Phase, code: str) -> str:
    """Return what an attempt fails with when the server rejects a step of this phase with this code."""
    return code if code in FOR_GOOD else REFUSAL.get(phase, "pilot_lost")


def revived(attempt: Attempt) -> Attempt:
    """Return a record of the spool as a pilot that starts again goes on with it.

    A payload is never run twice: one that may have run, when its pilot died, has failed.
    """
    phase, stop = attempt.phase, attempt.stop
    if phase in BEFORE_LAUNCH:
        return replace(attempt, phase=Phase.CLAIMING)
    if phase in AFTER_LAUNCH or phase is Phase.SWEEPING:
        died = Verdict("failed", "pilot_lost", "The pilot died while the payload ran.")
        return replace(attempt, phase=Phase.SWEEPING, stop=stop or died)
    if phase is Phase.UPLOADING:
        return replace(attempt, phase=Phase.DECLARING)
    return attempt


def judge(attempt: Attempt, missing: Tuple[str, ...]) -> Verdict:
    """Say how an attempt whose payload has ended fares so far."""
    if attempt.stop is not None:
        return attempt.stop
    code = attempt.exit_code
    if code is None or code > 128:
        return Verdict("failed", "payload_failed", f"The payload was ended by signal {(code or 128) - 128}.")
    if code != 0:
        return Verdict("failed", "payload_failed", f"The payload ended with exit code {code}.")
    if missing:
        return Verdict("failed", "output_missing", "The payload did not make: " + ", ".join(missing))
    return Verdict("done")


def report(attempt: Attempt) -> Report:
    """Return what the server is told at the end."""
    verdict = attempt.verdict or Verdict("failed", "pilot_lost", "The pilot lost its verdict.")
    done = verdict.outcome == "done"
    return Report(
        outcome=verdict.outcome,
        exit_code=attempt.exit_code,
        reason=verdict.reason,
        detail=verdict.detail,
        intents=tuple(upload.intent_id for upload in attempt.uploads) if done else (),
        usage=attempt.usage,
        sandbox=attempt.packed.sha256 if attempt.packed is not None and attempt.sent else None,
    )

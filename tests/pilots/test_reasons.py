"""Why an attempt failed is kept as the pilot says it: the server knows every reason that a pilot has."""

import re
from pathlib import Path

import pytest

import sancho_pilot
from sancho.jobs.model import FAULTS, Fault, Reason
from sancho.pilots.api.talking import FinishIn
from sancho_pilot.phases import FOR_GOOD, REFUSAL

SOURCE = "".join(path.read_text() for path in sorted(Path(sancho_pilot.__path__[0]).glob("*.py")))
SAID = {
    *re.findall(r'Verdict\(\s*"failed", "(\w+)"', SOURCE),
    *re.findall(r'"(\w+)" if unpacking else "\w+"', SOURCE),
    *re.findall(r'"\w+" if unpacking else "(\w+)"', SOURCE),
    *(f"{what}_exceeded" for what in re.findall(r'_tell\("(\w+)"', SOURCE)),
    *REFUSAL.values(),
    *FOR_GOOD,
}


def test_every_fault_of_the_payload_and_of_the_grid_is_found_in_the_pilot() -> None:
    """Only whether an input can be read anywhere is not for a pilot to know."""
    assert {reason.value for reason in Reason} - {Reason.INPUT_GONE.value} == SAID


@pytest.mark.parametrize("reason", sorted(SAID))
def test_a_reason_is_kept_as_the_pilot_says_it(reason: str) -> None:
    assert FinishIn(outcome="failed", reason=reason).result().reason is Reason(reason)


def test_a_reason_of_a_newer_pilot_is_the_payloads_fault() -> None:
    assert FinishIn(outcome="failed", reason="struck_by_lightning").result().reason is Reason.PAYLOAD_FAILED


@pytest.mark.parametrize("reason", [Reason.LOG_EXCEEDED, Reason.KILLED, Reason.QUOTA_EXCEEDED])
def test_what_the_next_pilot_would_find_as_well_is_not_tried_again(reason: Reason) -> None:
    assert FAULTS[reason] in (Fault.JOB, Fault.USER)

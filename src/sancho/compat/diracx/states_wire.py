"""DIRAC's words for the states of a job."""

from collections.abc import Mapping

from sancho.jobs.model import JobState

STATUS: Mapping[JobState, str] = {
    JobState.PENDING: "Checking", JobState.WAITING: "Waiting", JobState.HELD: "Received",
    JobState.MATCHED: "Matched",
    JobState.RUNNING: "Running", JobState.COMPLETING: "Completing", JobState.DONE: "Done", JobState.FAILED: "Failed",
    JobState.KILLED: "Killed",
}  # fmt: skip
"""A job that waits for its inputs is being checked, one that is held was received; in the other
states that DIRAC has, no job of ours ever is."""
MINOR: Mapping[JobState, str] = {
    JobState.PENDING: "Input data", JobState.WAITING: "Pilot Agent Submission",
    JobState.HELD: "Held", JobState.MATCHED: "Assigned",
    JobState.RUNNING: "Application", JobState.COMPLETING: "Uploading Output Data",
    JobState.DONE: "Execution Complete", JobState.FAILED: "Application Finished With Errors",
    JobState.KILLED: "Marked for termination",
}  # fmt: skip
APPLICATION = "Unknown"
"""What an application says of itself that says nothing."""
REPORTED: Mapping[str, JobState] = {
    "Matched": JobState.MATCHED, "Running": JobState.RUNNING, "Completing": JobState.COMPLETING,
    "Completed": JobState.COMPLETING, "Done": JobState.DONE, "Failed": JobState.FAILED, "Killed": JobState.KILLED,
    "Deleted": JobState.KILLED,
}  # fmt: skip
"""What a job is moved to that is reported to be so; other words are written down and move nothing."""


def states_of(words: Mapping[JobState, str], wanted: object) -> tuple[JobState, ...]:
    """The states that have a word; none when DIRAC has one there that we do not have."""
    return tuple(state for state, word in words.items() if word == wanted)

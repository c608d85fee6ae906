"""What can go wrong with a job; each class is one `code` of the native API."""

from sancho.kit.errors import BadRequest, Conflict, Invalid, NotFound, TooLarge, TooMany, Unavailable


class JobsNotEnded(Conflict):
    """Account {account} has {jobs} job(s) that have not ended."""

    code = "jobs_not_ended"

    def __init__(self, *, account: str, jobs: int) -> None:
        """Say how many there are; the hint says what to do with them."""
        super().__init__(account=account, jobs=jobs, field="name", hint="Wait for them, or kill them; then try again.")


class JobNotFound(NotFound):
    """Job {job_id} does not exist."""

    code = "job_not_found"

    def __init__(self, *, job_id: int, field: str = "job_id") -> None:
        """Name the job, and the field that asked for it; one of another VO does not exist either."""
        super().__init__(job_id=job_id, field=field)


class ParameterMissing(Invalid):
    """{where} uses {{{name}}}, but job {number} has no parameter of that name."""

    code = "parameter_missing"

    def __init__(self, *, where: str, name: str, number: int) -> None:
        """Name the placeholder, where it stands, and the first job that lacks it."""
        super().__init__(where=where, name=name, number=number, field="parameters")


class OutputOutside(Invalid):
    """The path of an output of job {number}, {path!r}, leads out of the job's folder."""

    code = "output_outside"

    def __init__(self, *, number: int, path: str, field: str) -> None:
        """Name the first such job and the path with its parameters filled in."""
        super().__init__(
            number=number, path=path[:200], field=field, hint="Write a path without '..' that does not begin with '/'."
        )


class TooManyJobs(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_jobs"

    def __init__(self, *, count: int, limit: int, hint: str = "Submit the jobs in parts.") -> None:
        """Say how many there were and may be."""
        super().__init__(what=f"A submission of {count} jobs", limit=limit, field="parameters.count", hint=hint)


class RangesNotYet(Unavailable):
    """So many jobs at once can be submitted when the server has been upgraded."""

    code = "job_ranges_not_yet"

    def __init__(self) -> None:
        """There is no more to say."""
        super().__init__(retry_after=60, field="parameters.count", hint="Submit them in parts, or try again later.")


class TooManyInputs(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_inputs"

    def __init__(self, *, count: int, limit: int) -> None:
        """Say how many there are below the inputs, and may be."""
        what, hint = f"A job with {count} input files", "Give each job a part of them: a smaller dataset, or files."
        super().__init__(what=what, limit=limit, field="description.inputs", hint=hint)


class TooManyOutputs(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_outputs"

    def __init__(self, *, count: int, limit: int) -> None:
        """Say how many there were and may be, over all jobs."""
        what = f"A submission with {count} outputs"
        super().__init__(what=what, limit=limit, field="parameters", hint="Submit the jobs in parts.")


class OutputPromisedTwice(Conflict):
    """The output {did} is promised by another job already, or exists."""

    code = "output_promised_twice"

    def __init__(self, *, did: str) -> None:
        """Name the first such output."""
        super().__init__(
            did=did,
            field="description.outputs",
            hint="Put a parameter such as {number} into the name, or choose another.",
        )


class KeyUsed(Conflict):
    """The idempotency key {key} came with something else before: submission {submission_id}."""

    code = "key_used"

    def __init__(self, *, key: str, submission_id: int) -> None:
        """Name the key and what was submitted with it."""
        super().__init__(
            key=key, submission_id=submission_id, field="idempotency_key",
            hint="Send the same again to get the same jobs, or another key with what has changed.",
        )  # fmt: skip


class SandboxMissing(Invalid):
    """The sandbox {sha256} has not been uploaded."""

    code = "sandbox_missing"

    def __init__(self, *, sha256: str) -> None:
        """Say how to upload it."""
        super().__init__(sha256=sha256, field="description.sandbox", hint="POST /v1/sandboxes first, then PUT it.")


class SandboxDiffers(Conflict):
    """The sandbox {sha256} is there, and has {size} bytes, not {announced}."""

    code = "sandbox_differs"

    def __init__(self, *, sha256: str, size: int, announced: int) -> None:
        """Content has one size: what was announced is no truth of it."""
        super().__init__(
            sha256=sha256, size=size, announced=announced, field="size", hint="Take size and SHA-256 of the same file."
        )


class SandboxBroken(Invalid):
    """The sandbox {sha256} is of no use: {reason}."""

    code = "sandbox_broken"

    def __init__(self, *, sha256: str, reason: str) -> None:
        """Say what is wrong with it."""
        super().__init__(sha256=sha256, reason=reason, field="description.sandbox", hint="Upload it again.")


class SandboxLeaving(Unavailable):
    """The sandbox {sha256} is being deleted, since no job has it."""

    code = "sandbox_leaving"

    def __init__(self, *, sha256: str) -> None:
        """It takes seconds; then it can be announced anew."""
        super().__init__(retry_after=5, sha256=sha256)


class NoSiteCanRun(Invalid):
    """No site can ever run this job: {why}."""

    code = "no_site_can_run"

    def __init__(self, *, why: str, ces: str) -> None:
        """Say what the best offer lacks, and the first thing that each of the nearest CEs does."""
        super().__init__(
            why=why, ces=ces, field="description.requirements",
            hint="Ask for less, see `sancho ce list`, or say --anyway to wait for a site that can.",
        )  # fmt: skip


class AttemptEnded(Conflict):
    """Attempt {attempt_id} has ended; its results are not wanted any more."""

    code = "attempt_ended"

    def __init__(self, *, attempt_id: int) -> None:
        """The pilot that asks should stop the payload and clean up."""
        super().__init__(attempt_id=attempt_id, field="attempt_id", hint="Stop its payload, and ask for other work.")


class InputWithdrawn(Conflict):
    """Input {did} is not shared with VO {reader} any more, or is gone."""

    code = "input_withdrawn"

    def __init__(self, *, did: str, reader: str) -> None:
        """Name the dataset as the job's description does."""
        super().__init__(did=did, reader=reader, hint="Ask its owner to share it again; then reschedule the job.")


class OutputUnknown(Invalid):
    """Attempt {attempt_id} promised no output {number}, or brings it twice."""

    code = "output_unknown"

    def __init__(self, *, attempt_id: int, number: int) -> None:
        """Name the number."""
        super().__init__(
            attempt_id=attempt_id, number=number, field="outputs", hint="Its assignment has the numbers of its outputs."
        )


class OutputsDiffer(BadRequest):
    """Attempt {attempt_id} promised {promised} outputs and brings {brought}."""

    code = "outputs_differ"

    def __init__(self, *, attempt_id: int, promised: int, brought: int) -> None:
        """A job is done only when every declared output is there."""
        super().__init__(
            attempt_id=attempt_id, promised=promised, brought=brought, field="intents",
            hint="Upload every promised output, and name the intents of all.",
        )  # fmt: skip


class NotReschedulable(Conflict):
    """Job {job_id} is {state}; it cannot be put back to its start."""

    code = "not_reschedulable"

    def __init__(self, *, job_id: int, state: str) -> None:
        """Name the job and its state."""
        hint = (
            "Its outputs are in the catalogue; clone it to have them made anew, under other names."
            if state == "done"
            else "Wait until it has ended, or kill it first. An administrator may give up what a pilot has, by force."
        )
        super().__init__(job_id=job_id, state=state, field="job_ids", hint=hint)


class RescheduledTooOften(Conflict):
    """Job {job_id} was put back to its start {number} times, which is as often as jobs of this VO may be."""

    code = "rescheduled_too_often"

    def __init__(self, *, job_id: int, number: int) -> None:
        """Say how often it was."""
        super().__init__(
            job_id=job_id, number=number, field="job_ids",
            hint="Look at why it fails, and clone it with what has to be changed; administrators may begin to count "
            "anew.",
        )  # fmt: skip


class TooDifferentToClone(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_different_to_clone"

    def __init__(self, *, count: int, limit: int) -> None:
        """Say how many submissions the jobs are of, and may be."""
        super().__init__(
            what=f"Cloning jobs of {count} submissions at once", limit=limit, field="job_ids",
            hint="Clone them in parts.",
        )  # fmt: skip


class CursorMalformed(Invalid):
    """{cursor!r} is no cursor of a list in this order."""

    code = "cursor_malformed"

    def __init__(self, *, cursor: str) -> None:
        """Show what was given."""
        super().__init__(cursor=cursor[:100], field="cursor", hint="Send `next` of the page before, and the same sort.")


class NotToBeShown(Invalid):
    """Jobs have no one value of {name} to show, to sort by or to count by."""

    code = "not_to_be_shown"

    def __init__(self, *, name: str, field: str = "columns") -> None:
        """Name what was asked for."""
        super().__init__(
            name=name[:100], field=field, hint="The fields are listed in `sancho job list --help`; see param.NAME too."
        )


class TooManyGroups(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_groups"

    def __init__(self, *, limit: int) -> None:
        """Say how many there may be."""
        super().__init__(
            what="A summary of so many groups", limit=limit, field="by", hint="Count by less, or ask for fewer jobs."
        )


class ParameterUnfit(Invalid):
    """Parameter {name!r} of job {job_id} {reason}."""

    code = "parameter_unfit"

    def __init__(self, *, job_id: int, name: str, reason: str) -> None:
        """Name it, and what is wrong."""
        super().__init__(job_id=job_id, name=name[:100], reason=reason, field="parameters")


class TooManyParameters(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_parameters"

    def __init__(self, *, what: str, limit: int) -> None:
        """Say of what there are too many, and how many there may be."""
        super().__init__(what=what, limit=limit, field="parameters", hint="Remove some first, with null for a value.")


class ViewNotFound(NotFound):
    """You have no view {name!r}."""

    code = "job_view_not_found"

    def __init__(self, *, name: str) -> None:
        """Name it."""
        super().__init__(name=name[:100], field="name", hint="`sancho job view list` lists them.")


class TooManyViews(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_job_views"

    def __init__(self, *, limit: int) -> None:
        """Say how many there may be."""
        super().__init__(what="One more view", limit=limit, field="name", hint="Remove one first.")


class AfterUnfit(Invalid):
    """{reason}"""

    code = "after_unfit"

    def __init__(self, *, reason: str, field: str) -> None:
        """Say what is wrong with what a job is to wait for."""
        super().__init__(
            reason=reason[:300], field=field,
            hint="Name a job by its id, or the `name` of a description that is submitted in the same call.",
        )  # fmt: skip


class Circular(Invalid):
    """Jobs would wait for themselves: {circle}."""

    code = "jobs_circular"

    def __init__(self, *, circle: str, field: str) -> None:
        """Show the circle, each job as NAME[NUMBER]."""
        super().__init__(circle=circle, field=field, hint="Take one of these out of `after`.")


class TooManyEdges(TooLarge):
    """{what} is over the limit of {limit}."""

    code = "too_many_edges"

    def __init__(self, *, limit: int, field: str) -> None:
        """Say how many pairs there may be."""
        super().__init__(
            what="The number of pairs of a job and one that it waits for", limit=limit, field=field,
            hint="Let one small job wait for all of the first, and all of the others for that one.",
        )  # fmt: skip


class BeforeFailed(Conflict):
    """Job {job_id} is {state}: what waits for it to be done would never start."""

    code = "before_failed"

    def __init__(self, *, job_id: int, state: str, field: str) -> None:
        """Name the job that was to be waited for, and its state."""
        super().__init__(
            job_id=job_id, state=state, field=field, hint="Reschedule it first, or wait for it with `when: ended`."
        )


class CwlUnfit(Invalid):
    """This CWL cannot be a job: {reason}"""

    code = "cwl_unfit"

    def __init__(self, *, reason: str, field: str) -> None:
        """Name the field, and what is wrong with it."""
        super().__init__(reason=reason[:500], field=field, hint="docs/how-to/submit-cwl.md says what is served.")


class TooManyListeners(TooMany):
    """Your account listens for news of jobs {limit} times already, or this server has no room for more."""

    code = "too_many_listeners"

    def __init__(self, *, limit: int) -> None:
        """Say how many may be; the hint says what to do."""
        super().__init__(retry_after=30, limit=limit, hint="Close windows of the web page that you do not need.")

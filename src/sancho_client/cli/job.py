"""`sancho job …`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from sancho_client.call import Call
from sancho_client.calls import explain, jobs
from sancho_client.cli import cwl_files, following, jdl_files, job_files
from sancho_client.cli.output import Column
from sancho_client.cli.progress import bytes_bar
from sancho_client.cli.verbs import ERROR, FAILED, Session, Verbs, report
from sancho_client.data import download, sandbox
from sancho_client.errors import BadInput, Problem
from sancho_client.models.jobs import Attempt, Change, JobDescription, JobDetail, JobOutput
from sancho_client.models.submissions import CwlSubmission, JobPart, Submission

verbs = Verbs("Jobs: submit, watch, fetch, kill.")
sandboxes = Verbs("Small archives that jobs leave.")
verbs.add(sandboxes, "sandbox")
WAITING = frozenset({"pending", "waiting"})
JobId = Annotated[int, typer.Argument(metavar="JOB", help="The job's number.")]
JobIds = Annotated[list[int], typer.Argument(metavar="JOB...", help="The jobs' numbers.")]
SubmissionOption = Annotated[
    int | None, typer.Option("--submission", "-s", metavar="N", help="The jobs of one submission.")
]


@verbs.command("submit", example="sancho job submit simulate.yaml --count 100 --wait")
def submit(
    session: Session,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The job's description: YAML, JDL, or CWL.")],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter of all jobs; a name that is given several times makes a job for each value.",
        ),
    ] = None,
    count: Annotated[int | None, typer.Option("--count", "-n", min=1, help="So many jobs, {number} from 1.")] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Submit once: the same key again gives the same jobs.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", "-w", help="Wait for the jobs, as `sancho job wait` does.")] = False,
    jdl: Annotated[bool, typer.Option("--jdl", help="The file is JDL, though its name does not end in .jdl.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Wait for a site that can run it, if none can.")] = False,
    after: Annotated[
        list[str] | None,
        typer.Option("--after", metavar="JOB[:ended]", help="A job that has to be done before, or to have ended."),
    ] = None,
    inputs: Annotated[
        Path | None, typer.Option("--inputs", metavar="FILE", help="The input object of a CWL tool: YAML or JSON.")
    ] = None,
) -> None:
    """Submit one job, or one for each row of parameters.

    A file may describe several kinds of jobs, `---` between them, of which some come `after` others.

    A file that ends in .jdl is DIRAC's JDL: it says its parameters itself, and what its InputSandbox names is taken
    along from beside it. One that ends in .cwl is a CWL CommandLineTool.
    """
    if jdl or file.suffix.lower() == ".jdl":
        if parameter or count is not None or key is not None or after:
            raise typer.BadParameter(
                "A JDL says its parameters itself: no --parameter, --count, --key or --after goes with it."
            )
        _submit_jdl(session, file, anyway=anyway, wait=wait)
        return
    if file.suffix.lower() == ".cwl":
        if parameter or count is not None:
            raise typer.BadParameter("A CWL tool has --inputs: no --parameter or --count goes with it.")
        call = _cwl(file, inputs, key=key, anyway=anyway, after=after)
        _tell_cwl(session, session.client.send(call), key, wait=wait)
        return
    if inputs is not None:
        raise typer.BadParameter("--inputs goes with a CWL tool, FILE.cwl.")
    read = job_files.read_all(file, parameter or [], count)
    more = job_files.before(after or [])
    parts = [
        JobPart(
            description=_described(session, one, file.parent), after=[*one.after, *more],
            parameters={"count": rows} if isinstance(rows, int) else rows,
            idempotency_key=_key_of(key, n, len(read)), anyway=anyway or None,
        )
        for n, (one, rows) in enumerate(read)
    ]  # fmt: skip
    _tell_made(session, _send(session, parts), key, wait=wait)


def _send(session: Session, parts: Sequence[JobPart]) -> Sequence[Submission]:
    if len(parts) > 1:
        return session.client.send(jobs.submit_graph(parts)).submissions
    one, said = parts[0], parts[0].parameters
    call = jobs.submit(
        one.description,
        parameters=None if isinstance(said, dict) else said,
        count=said["count"] if isinstance(said, dict) else None,
        idempotency_key=one.idempotency_key,
        anyway=bool(one.anyway),
        after=one.after,
    )
    return [session.client.send(call)]


def _cwl(
    file: Path, inputs: Path | None, *, key: str | None, anyway: bool, after: list[str] | None
) -> Call[CwlSubmission]:
    order = None if inputs is None else cwl_files.read(inputs)
    before = job_files.before(after or [])
    return jobs.submit_cwl(cwl_files.read(file), order, idempotency_key=key, anyway=anyway, after=before)


def _tell_cwl(session: Session, made: CwlSubmission, key: str | None, *, wait: bool) -> None:
    for warning in made.warnings:
        session.output.say(warning)
    _tell_made(session, [made], key, wait=wait)


def _described(session: Session, description: job_files.JobFile, folder: Path) -> JobDescription:
    if not description.files:
        return description.with_sandbox(None, session.did)
    with sandbox.pack(description.files, folder) as packed:
        sandbox.upload(session.client, packed)
        return description.with_sandbox(packed.sha256, session.did)


def _key_of(key: str | None, number: int, count: int) -> str:
    """The key of one of several submissions."""
    key = key or str(uuid4())
    return key if count == 1 else f"{key}.{number + 1}"


def _tell_made(session: Session, made: Sequence[Submission], key: str | None, *, wait: bool) -> None:
    if all(one.repeated for one in made) and key is not None:
        numbers = " and ".join(str(one.submission_id) for one in made)
        session.output.say(f"Submitted before with the key {key}, as submission {numbers}.")
    for sites in sorted({one.sites for one in made if one.sites is not None}):
        session.output.say(_able(sites))
    job_ids = [job_id for one in made for job_id in one.ids]
    only = made[0] if len(made) == 1 else None
    if wait:
        for one in made:
            session.output.say(f"Submission {one.submission_id}: {_span(one.ids)}.")
        _wait(session, None if only else job_ids, only.submission_id if only else None, None, only)
    elif session.output.as_json:
        session.output.json(only or {"submissions": [one.model_dump() for one in made]})
    else:
        for one in made:
            _tell_submitted(session, one.ids)
            session.output.say(f"Wait for them with `sancho job wait --submission {one.submission_id}`.")


def _able(sites: int) -> str:
    if not sites:
        return "No site of your VO can run this yet: it waits for one."
    return f"{sites} site{'' if sites == 1 else 's'} can run this."


def _submit_jdl(session: Session, file: Path, *, anyway: bool, wait: bool) -> None:
    job_ids = jdl_files.submit(session, file, anyway=anyway)
    if wait:
        session.output.say(f"Submitted: {_span(job_ids)}.")
        submission = jdl_files.submission_of(session, job_ids)
        _wait(session, None if submission else job_ids, submission, None)
    elif session.output.as_json:
        session.output.json({"job_ids": job_ids})
    else:
        _tell_submitted(session, job_ids)


def _tell_submitted(session: Session, job_ids: Sequence[int]) -> None:
    session.output.line("\n".join(map(str, job_ids)) if not session.output.pretty else f"{_span(job_ids)}.")


def _span(ids: Sequence[int]) -> str:
    return f"job {ids[0]}" if len(ids) == 1 else f"{len(ids)} jobs, {ids[0]} to {ids[-1]}"


@verbs.command("show", example="sancho job show 17")
def show(session: Session, job: JobId) -> None:
    """Show all that is known about a job: its history, attempts, outputs, and why it waits."""
    found = session.client.send(jobs.show(job))
    waits = found.state in WAITING and not session.output.as_json
    start = session.client.send(explain.job(job)).expected_start if waits else None
    rows = {
        "job": found.job_id,
        "name": found.name,
        "state": found.state,
        "waits because": found.reason,
        "expected start": None if start is None else start.text,
        "detail": found.detail,
        "after": f"{found.after.jobs} jobs, {found.after.awaited} awaited" if found.after.jobs else None,
        "before": f"{found.after.waiting_for_it} jobs that wait for it" if found.after.waiting_for_it else None,
        "minor": None if found.minor is None else found.minor.text,
        "application": None if found.application is None else found.application.text,
        "heartbeat": None if found.heartbeat is None else found.heartbeat.at,
        "site": found.site,
        "account": found.account,
        "submitted": found.submitted_at,
        "changed": found.changed_at,
        "command": " ".join(str(c) for c in found.description.get("command", ())),
        "parameters": found.parameters,
        "says": found.said,
        "inputs": found.inputs,
        "trace": found.trace_id,
    }
    session.output.details(found, rows)
    if not session.output.as_json:
        _show_parts(session, found)


def _reported(change: Change) -> str | None:
    if change.source is None:
        return None
    said = (change.asked and f"asks for {change.asked}", change.minor, change.application)
    return f"{', '.join(one for one in said if one)} [{change.source}]"


def _show_parts(session: Session, found: JobDetail) -> None:
    history: list[Column[Change]] = [
        Column("at", lambda c: c.at),
        Column("state", lambda c: c.state, "state"),
        Column("attempt", lambda c: c.attempt, "right"),
        Column("site", lambda c: c.site),
        Column("detail", lambda c: c.detail),
        Column("reported", _reported),
    ]
    attempts: list[Column[Attempt]] = [
        Column("attempt", lambda a: a.number, "right"),
        Column("state", lambda a: a.state, "state"),
        Column("site", lambda a: a.site),
        Column("exit", lambda a: a.exit_code, "right"),
        Column("wall", lambda a: a.wall, "seconds"),
        Column("cpu", lambda a: a.cpu, "seconds"),
        Column("memory", lambda a: a.max_memory, "size"),
        Column("detail", lambda a: a.detail),
    ]
    outputs: list[Column[JobOutput]] = [
        Column("output", lambda o: o.path),
        Column("did", lambda o: o.did),
        Column("dataset", lambda o: o.dataset),
        Column("there", lambda o: o.committed),
    ]
    for title, items, columns in (
        ("History", found.history, history),
        ("Attempts", found.attempt_list, attempts),
        ("Outputs", found.outputs, outputs),
    ):
        if items:
            session.output.line("")
            session.output.listing(items, columns, of=title.lower(), title=title if session.output.pretty else None)  # pyright: ignore[reportArgumentType]


@verbs.command("wait", example="sancho job wait --submission 4 && sancho data get mc:run1")
def wait(
    session: Session,
    job: Annotated[list[int] | None, typer.Argument(metavar="[JOB]...", help="The jobs' numbers.")] = None,
    submission: SubmissionOption = None,
    timeout: Annotated[float | None, typer.Option("--timeout", min=0, help="Give up after so many seconds.")] = None,
) -> None:
    """Wait until jobs are over: exit 0 when all are done, 3 when some failed or were killed.

    Ctrl-C ends the wait; the jobs go on.
    """
    if not job and submission is None:
        raise typer.BadParameter("Say which jobs, or --submission.")
    _wait(session, job, submission, timeout)


def _wait(
    session: Session,
    job_ids: list[int] | None,
    submission: int | None,
    timeout: float | None,
    made: Submission | None = None,
) -> None:
    counts = following.wait(session, job_ids, submission, timeout)
    if session.output.as_json:
        session.output.json(counts if made is None else made.model_dump() | {"states": counts})
    else:
        total = sum(counts.values())
        session.output.line(f"{total} job{'' if total == 1 else 's'}: {following.tell(counts)}")
    if set(counts) - {"done"}:
        raise typer.Exit(FAILED)


@verbs.command("logs", example="sancho job logs -f 17")
def logs(
    session: Session,
    job: JobId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the job is over.")] = False,
    attempt: Annotated[int | None, typer.Option("--attempt", min=1, help="An attempt; the last by default.")] = None,
) -> None:
    """Show the end of a job's output."""
    if follow:
        following.follow(session, job, attempt)
        return
    log = session.client.send(jobs.log(job, attempt))
    if session.output.as_json:
        session.output.json(log)
        return
    if log.log_size > len(log.tail.encode()):
        session.output.say(f"… the last part of {log.log_size} bytes:")
    session.output.line(log.tail.rstrip("\n"))


@verbs.command("output", example="sancho job output 17 -o results")
def output(
    session: Session,
    job: JobIds,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to put it.")] = Path(),
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="sandbox|files", help="The output sandbox alone, or the files alone."),
    ] = None,
) -> None:
    """Download what jobs have made: the output sandbox and the output files.

    Several jobs get a folder each, named by their numbers.
    """
    if only not in {None, "sandbox", "files"}:
        raise typer.BadParameter("--only takes `sandbox` or `files`.")
    written: list[dict[str, str | int]] = []
    failed = False
    for job_id in job:
        target = folder / str(job_id) if len(job) > 1 else folder
        if only != "files":
            written += [{"job": job_id, "path": str(p)} for p in _fetch_sandbox(session, job_id, target)]
        dids = (
            [o.did for o in session.client.send(jobs.show(job_id)).outputs if o.committed] if only != "sandbox" else []
        )
        for got in _fetch_files(session, dids, target):
            failed = failed or got.error is not None
            written += [] if got.error else [{"job": job_id, "path": str(got.path), "did": got.did}]
    if session.output.as_json:
        session.output.json(written)
    for one in written:
        session.output.line(str(one["path"]))
    if not written and not failed:
        raise BadInput("There is nothing to fetch.", hint="`sancho job show` says what a job has made.")
    if failed:
        raise typer.Exit(ERROR)


def _fetch_sandbox(session: Session, job_id: int, folder: Path) -> list[Path]:
    try:
        return sandbox.fetch(session.client, job_id, folder)
    except Problem as e:
        if e.status == 404 and e.code != "job_not_found":
            return []
        raise


def _fetch_files(session: Session, dids: list[str], folder: Path) -> list[download.Got]:
    if not dids:
        return []
    with bytes_bar(session.output, "Downloading") as bar:
        got = list(download.get(session.client, dids, folder, watch=bar))
    for one in got:
        if one.error is not None:
            report(one.error, session.output)
    return got


@sandboxes.command("get", example="sancho job sandbox get 17 -o results")
def get_sandbox(
    session: Session,
    job: JobIds,
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to put it.")] = Path(),
) -> None:
    """Download and unpack what jobs have left: stdout, stderr and what their descriptions asked for.

    Several jobs get a folder each, named by their numbers.
    """
    written = [
        {"job": job_id, "path": str(path)}
        for job_id in job
        for path in sandbox.fetch(session.client, job_id, folder / str(job_id) if len(job) > 1 else folder)
    ]
    if session.output.as_json:
        session.output.json(written)
    for one in written:
        session.output.line(str(one["path"]))

"""The verbs of `sancho job` that change jobs: kill, hold, release, reschedule, clone."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, cast

import typer

from sancho_client.call import Call
from sancho_client.calls import jobs
from sancho_client.cli.job_files import combine, scalar
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.errors import BadInput
from sancho_client.models.jobs import Changed, Clone

CLONED_AT_ONCE = 1000
JobIds = Annotated[list[int] | None, typer.Argument(metavar="[JOB]...", help="The jobs' numbers.")]
Where = Annotated[
    str | None,
    typer.Option(
        "--where", "-w", metavar="QUERY",
        help="Your jobs that a search finds, in place of numbers; for administrators, everybody's.",
    ),
]  # fmt: skip


def add_to(verbs: Verbs) -> None:
    """Add the verbs to `sancho job`."""
    verbs.command("kill", example="sancho job kill 17 18")(kill)
    verbs.command("hold", example="sancho job hold --where 'name = merge & state = waiting'")(hold)
    verbs.command("release", example="sancho job release 17")(release)
    verbs.command("reschedule", example="sancho job reschedule --where 'submission = 4 & error = input_gone'")(
        reschedule
    )
    verbs.command("clone", example="sancho job clone 17 --set requirements.memory=8GB")(clone)


def kill(session: Session, job: JobIds = None, where: Where = None) -> None:
    """Kill jobs; those that are over stay as they are."""
    _change(session, job, where, "killed", lambda ids, cursor: jobs.kill(ids, where=where, cursor=cursor))


def hold(session: Session, job: JobIds = None, where: Where = None) -> None:
    """Hold jobs that wait: no pilot gets them until they are released. Others stay as they are."""
    _change(session, job, where, "held", lambda ids, cursor: jobs.hold(ids, where=where, cursor=cursor))


def release(session: Session, job: JobIds = None, where: Where = None) -> None:
    """Let jobs that are held wait for a pilot again."""
    _change(session, job, where, "released", lambda ids, cursor: jobs.release(ids, where=where, cursor=cursor))


def reschedule(
    session: Session,
    job: JobIds = None,
    where: Where = None,
    force: Annotated[
        bool, typer.Option("--force", help="For administrators: give up what pilots have of them, too.")
    ] = False,
    anew: Annotated[
        bool, typer.Option("--anew", help="For administrators: begin to count how often it was done.")
    ] = False,
) -> None:
    """Put jobs that failed, were killed, wait or are held back to their start, with all their attempts before them.

    The attempts that they had stay in their history. It may be done as often as the VO says, by default three times.
    """
    _change(
        session, job, where, "rescheduled",
        lambda ids, cursor: jobs.reschedule(ids, where=where, cursor=cursor, force=force, anew=anew),
    )  # fmt: skip


def clone(
    session: Session,
    job: JobIds = None,
    where: Where = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="What to change: `priority=3`, `requirements.memory=8GB`.",
        ),
    ] = None,
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME=VALUE", help="A parameter to change or add.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", help="Clone once: the same key and jobs again give the same clones.")
    ] = None,
) -> None:
    """Submit jobs again as your own, with something changed; the jobs themselves stay as they are.

    Outputs that exist, or that a job promises, have to be given other names: put a parameter into them.
    """
    _check_chosen(job, where)
    changes, rows = _changes(change or []), combine(parameter or [])
    if len(rows) > 1:
        raise BadInput("A clone has one value for each parameter.", field="parameter")
    ids = job or sorted(one.job_id for one in session.client.pages(jobs.list_jobs(where=where, mine=True)))
    made: list[Clone] = []
    for first in range(0, len(ids), CLONED_AT_ONCE):
        own = f"{key}.{first // CLONED_AT_ONCE + 1}" if key is not None and len(ids) > CLONED_AT_ONCE else key
        some = ids[first : first + CLONED_AT_ONCE]
        call = jobs.clone(some, changes, parameters=rows[0] or None, idempotency_key=own)
        made += session.client.send(call).clones
    columns: list[Column[Clone]] = [
        Column("job", lambda c: c.job_id, "right"), Column("clone", lambda c: c.clone_id, "right")
    ]  # fmt: skip
    session.output.listing(made, columns, of="clones")


def _changes(said: Sequence[str]) -> dict[str, Any]:
    """Fields of a description, of which one may be within another."""
    changes: dict[str, Any] = {}
    for text in said:
        path, equals, value = text.partition("=")
        *outer, last = path.split(".")
        if not equals or not last:
            raise BadInput(f"{text!r} is not FIELD=VALUE.", field="set")
        inner = changes
        for name in outer:
            below = inner.setdefault(name, {})
            if not isinstance(below, dict):
                raise BadInput(f"{text!r} is within a field that is set as a whole.", field="set")
            inner = cast("dict[str, Any]", below)
        inner[last] = scalar(value)
    return changes


def _check_chosen(job: list[int] | None, where: str | None) -> None:
    if bool(job) == (where is not None):
        raise typer.BadParameter("Say which jobs by their numbers, or by --where.")


def _change(
    session: Session, job: list[int] | None, where: str | None, word: str,
    call: Callable[[list[int] | None, str | None], Call[Changed]],
) -> None:  # fmt: skip
    """Change jobs, in as many calls as a search needs, and tell which were."""
    _check_chosen(job, where)
    answer = session.client.send(call(job or None, None))
    changed, ranges = list(answer.changed), answer.ranges or ()
    while answer.next is not None:
        answer = session.client.send(call(None, answer.next))
        changed += answer.changed
    if session.output.as_json:
        moved = {"ranges": [one.model_dump() for one in ranges]} if ranges else {}
        session.output.json({"changed": changed, **moved})
        return
    for one in ranges:
        session.output.line(f"{one.first} to {one.last} {word}")
    for job_id in changed:
        session.output.line(f"{job_id} {word}")
    if left := sorted(set(job or ()) - set(changed)):
        session.output.say(f"Not {word}: {', '.join(str(j) for j in left)}.")

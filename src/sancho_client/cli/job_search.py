"""The verbs of `sancho job` that search, and `sancho job view …`."""

import json
import re
from typing import Annotated, Any

import typer

from sancho_client.calls import jobs
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.errors import BadInput
from sancho_client.models.jobs import Job, JobCount, JobView

views = Verbs("Searches for jobs that you have named.")
FIELDS = """Compare with = != < <= > >=; `between 1 and 5`, `in (failed, killed)`, `name like prod*`, `site exists`,
`tags contains gpu`; join with & | ~ and parentheses. Fields: id, name, type, job_group, group, account, state, site,
submission, number, priority, attempts, submitted_at, changed_at, started_at, ended_at, error, exit_code, wall, cpu,
max_memory, cores, memory, walltime, tags, command, input and output (a DID: file or dataset), pilot, pilot.stamp, and
param.NAME, which is what jobs say of themselves."""
PARAMETER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
SORTS = ("id", "-id", "submitted_at", "-submitted_at", "changed_at", "-changed_at")
COLUMNS: dict[str, Column[Job]] = {
    "id": Column("job", lambda j: j.job_id, "right"),
    "name": Column("name", lambda j: j.name),
    "state": Column("state", lambda j: j.state, "state"),
    "site": Column("site", lambda j: j.site),
    "account": Column("account", lambda j: j.account),
    "attempts": Column("attempts", lambda j: j.attempts, "right"),
    "submitted_at": Column("submitted", lambda j: j.submitted_at),
    "changed_at": Column("changed", lambda j: j.changed_at),
    "detail": Column("detail", lambda j: j.detail),
}
Where = Annotated[
    str | None, typer.Option("--where", "-w", metavar="QUERY", help="For example 'state = failed & site like LCG.*'.")
]
Sort = Annotated[str | None, typer.Option("--sort", help=f"One of {', '.join(SORTS)}; - is from the highest.")]
Columns = Annotated[
    str | None, typer.Option("--columns", "-c", metavar="FIELD,...", help="What to show, param.NAME included.")
]
Submission = Annotated[
    int | None, typer.Option("--submission", "-s", metavar="N", help="The jobs of one submission.")
]  # fmt: skip
ViewName = Annotated[str, typer.Argument(metavar="NAME", help="The view's name.")]


def add_to(verbs: Verbs) -> None:
    """Add the verbs to `sancho job`."""
    verbs.command("list", example=LIST, help_text=f"List jobs, newest first.\n\n{FIELDS}")(list_)
    verbs.command("summary", example="sancho job summary --by site --by state")(summary)
    verbs.command("say", example="sancho job say 17 18 events=5000 stage=merged")(say)
    verbs.add(views, "view")


LIST = "sancho job list --where 'state = failed & param.events > 1000' --columns id,site,error,param.HostName"


def list_(
    session: Session,
    where: Where = None,
    view: Annotated[str | None, typer.Option("--view", help="A search that you have named.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Jobs in this state.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Jobs of this name.")] = None,
    submission: Submission = None,
    mine: Annotated[bool, typer.Option("--mine", help="Your own jobs alone.")] = False,
    sort: Sort = None,
    columns: Columns = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50,
) -> None:
    """List jobs, newest first."""
    saved = _view(session, view) if view is not None else JobView(name="")
    asked = " & ".join(f"({text})" for text in (saved.where, where or "") if text) or None
    shown = _split(columns) or list(saved.columns) or list(COLUMNS)
    extra = [field for field in shown if field not in COLUMNS]
    found = session.client.pages(
        jobs.list_jobs(
            where=asked, state=state, name=name, submission=submission, mine=mine, limit=limit,
            sort=sort or (saved.sort if view is not None else None), columns=extra,
        )
    )  # fmt: skip
    session.output.listing(found, [_column(field) for field in shown], of="jobs")


def _split(columns: str | None) -> list[str]:
    return [text.strip() for text in (columns or "").split(",") if text.strip()]


def _column(field: str) -> Column[Job]:
    units = {"memory": "size", "max_memory": "size", "wall": "seconds", "cpu": "seconds", "walltime": "seconds"}
    return COLUMNS.get(field) or Column(field, lambda job: job.values.get(field), units.get(field, ""))


def _view(session: Session, name: str) -> JobView:
    found = next((one for one in session.client.send(jobs.views()) if one.name == name), None)
    if found is None:
        raise BadInput(f"You have no view {name}.", hint="`sancho job view list` lists them.")
    return found


def summary(
    session: Session,
    by: Annotated[list[str] | None, typer.Option("--by", help="Count by this field; may be given again.")] = None,
    where: Where = None,
    submission: Submission = None,
) -> None:
    """Count jobs, by state or by other fields."""
    fields = list(dict.fromkeys(by or ["state"]))
    found = session.client.send(jobs.summary(submission, by=fields, where=where))
    columns: list[Column[JobCount]] = [_counted(field) for field in fields]
    session.output.listing(found, [*columns, Column("jobs", lambda c: c.count, "right")], of="jobs")


def _counted(field: str) -> Column[JobCount]:
    return Column(field, lambda one: one.values.get(field), "state" if field == "state" else "")


def say(
    session: Session,
    words: Annotated[
        list[str], typer.Argument(metavar="JOB... NAME=VALUE...", help="Jobs, then what is said; NAME= takes it back.")
    ],
) -> None:
    """Say something of jobs, by which they are then found: numbers, true, false, JSON objects, or texts."""
    pairs = [found for word in words if (found := PARAMETER.fullmatch(word))]
    numbers = [word for word in words if word.isdecimal()]
    if not pairs or not numbers or len(pairs) + len(numbers) != len(words):
        raise typer.BadParameter("Say jobs by their numbers, then NAME=VALUE.")
    document = {found[1]: _value(found[2]) for found in pairs}
    session.client.send(jobs.say(dict.fromkeys(map(int, numbers), document)))


def _value(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


@views.command("save", example="sancho job view save lost --where 'error = pilot_lost' --columns id,site,changed_at")
def save(session: Session, name: ViewName, where: Where = None, sort: Sort = None, columns: Columns = None) -> None:
    """Name a search: which jobs, in which order, and what is shown of them."""
    made = session.client.send(jobs.save_view(name, where or "", sort=sort, columns=_split(columns)))
    if session.output.as_json:
        session.output.json(made)
    session.output.say(f"`sancho job list --view {name}` lists what it finds.")


@views.command("list", example="sancho job view list")
def list_views(session: Session) -> None:
    """List the searches that you have named."""
    columns: list[Column[JobView]] = [
        Column("view", lambda v: v.name),
        Column("where", lambda v: v.where),
        Column("sort", lambda v: v.sort),
        Column("columns", lambda v: v.columns),
        Column("changed", lambda v: v.changed_at),
    ]
    session.output.listing(session.client.send(jobs.views()), columns, of="views")


@views.command("show", example="sancho job view show lost")
def show(session: Session, name: ViewName) -> None:
    """Show a search that you have named."""
    found = _view(session, name)
    session.output.details(
        found, {"view": found.name, "where": found.where, "sort": found.sort, "columns": found.columns}
    )


@views.command("remove", example="sancho job view remove lost")
def remove(session: Session, name: ViewName) -> None:
    """Forget a search that you have named."""
    session.client.send(jobs.delete_view(name))

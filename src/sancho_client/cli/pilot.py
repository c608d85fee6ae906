"""The verb of `sancho pilot` for pilots that other factories manage."""

from typing import Annotated

import typer

from sancho_client.calls import topology
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.topology import RegisteredPilot

HELP = """List the pilots that the VO has registered and other factories manage, newest first.

Compare with = != < <= > >=; `between`, `in`, `like`, `exists`; join with & | ~ and parentheses. Fields: id, stamp,
reference, status, status_reason, destination_site, grid_site, grid_type, queue, benchmark, current_job, job,
accounting_sent, created_at, changed_at."""
COLUMNS: list[Column[RegisteredPilot]] = [
    Column("pilot", lambda p: p.stamp),
    Column("status", lambda p: p.status, "state"),
    Column("site", lambda p: p.grid_site),
    Column("ce", lambda p: p.destination_site),
    Column("queue", lambda p: p.queue),
    Column("job", lambda p: p.current_job, "right"),
    Column("registered", lambda p: p.created_at),
    Column("changed", lambda p: p.changed_at),
    Column("reason", lambda p: p.status_reason),
]


def add_to(verbs: Verbs) -> None:
    """Add the verb to `sancho pilot`."""
    example = "sancho pilot registered --where 'status = Running & grid_site like LCG.*'"
    verbs.command("registered", example=example, help_text=HELP)(registered)


def registered(
    session: Session,
    where: Annotated[
        str | None, typer.Option("--where", "-w", metavar="QUERY", help="For example 'status in (Failed, Aborted)'.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 200,
) -> None:
    """List the pilots that others manage."""
    session.output.listing(session.client.pages(topology.registered_pilots(where, limit=limit)), COLUMNS, of="pilots")

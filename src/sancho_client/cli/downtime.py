"""`sancho downtime list|add|end`: periods in which a site, CE or RSE is not to be used."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from sancho_client.calls import topology
from sancho_client.cli.lives import time_of
from sancho_client.cli.options import lifetime_of
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.cli.vo import KINDS
from sancho_client.models.topology import Downtime

verbs = Verbs("Downtimes of sites, CEs and RSEs.")

COLUMNS: list[Column[Downtime]] = [
    Column("id", lambda d: d.downtime_id, "right"),
    Column("what", lambda d: f"{d.kind} {d.name}"),
    Column("site", lambda d: d.site),
    Column("from", lambda d: d.begins_at),
    Column("until", lambda d: d.ends_at),
    Column("reason", lambda d: d.reason),
]


@verbs.command("list", example="sancho downtime list --since 2026-11-01")
def list_(
    session: Session,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Also those that were over since then: 2026-11-01.")
    ] = None,
) -> None:
    """List downtimes of what your VO may use: those that are and those that are announced, the newest first."""
    session.output.listing(session.client.pages(topology.downtimes(since=time_of(since))), COLUMNS, of="downtimes")


@verbs.command("add", example="sancho downtime add site LCG.Example.org --reason 'new cooling' --for '2 d'")
def add(
    session: Session,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="site, ce or rse.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its name.")],
    reason: Annotated[str, typer.Option(help="What everybody is told who would use it.")],
    begin: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="When it begins; now, unless said.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it ends; when somebody ends it, unless said.")
    ] = None,
    lasts: Annotated[str | None, typer.Option("--for", metavar="TIME", help="How long instead: '4 h'.")] = None,
) -> None:
    """Announce that a site, CE or RSE is not to be used; from its beginning on, nothing uses it.

    Times are UTC unless they say otherwise: 2026-11-01T12:00. What runs there goes on.
    """
    if kind.lower() not in KINDS:
        raise typer.BadParameter(f"{kind!r} is none of site, ce, rse.")
    if end is not None and lasts is not None:
        raise typer.BadParameter("say --until or --for, and not both.")
    begins_at, ends_at = time_of(begin), time_of(end)
    if (duration := lifetime_of(lasts)) is not None:
        ends_at = (begins_at or datetime.now(UTC)) + timedelta(seconds=duration)
    wanted = topology.announce_downtime(KINDS[kind.lower()], name, reason, begins_at=begins_at, ends_at=ends_at)
    made = session.client.send(wanted)
    session.output.details(
        made,
        {
            "downtime": made.downtime_id,
            "what": f"{made.kind} {made.name}",
            "from": made.begins_at,
            "until": made.ends_at,
            "reason": made.reason,
        },
    )


@verbs.command("end", example="sancho downtime end 17")
def end(
    session: Session,
    downtime_id: Annotated[list[int], typer.Argument(metavar="ID...", min=1, help="As `sancho downtime list` shows.")],
) -> None:
    """End downtimes now; one that has not begun is taken back."""
    for one in downtime_id:
        session.client.send(topology.end_downtime(one))
    session.output.say(f"{len(downtime_id)} ended.")

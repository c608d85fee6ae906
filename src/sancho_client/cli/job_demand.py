"""`sancho job demand`: what jobs want of data."""

from typing import Annotated

import typer

from sancho_client.calls import jobs
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.jobs import Demand

COLUMNS: list[Column[Demand]] = [
    Column("did", lambda d: d.did),
    Column("since", lambda d: d.since),
    Column("waiting", lambda d: d.waiting, "right"),
    Column("running", lambda d: d.running, "right"),
    Column("files", lambda d: d.files, "right"),
    Column("size", lambda d: d.size, "size"),
    Column("missing", lambda d: d.missing and d.missing.files, "right"),
    Column("missing size", lambda d: d.missing and d.missing.size, "size"),
    Column("on tape", lambda d: d.missing and d.missing.on_tape, "right"),
    Column("nowhere", lambda d: d.missing and d.missing.nowhere, "right"),
    Column("at", lambda d: [f"{one.rse}{' (tape)' if one.tape else ''}: {one.files}" for one in d.at]),
    Column("doing", lambda d: ["still open", *d.doing] if d.open else d.doing),
]


def add_to(verbs: Verbs) -> None:
    """Add the verb to `sancho job`."""
    verbs.command("demand", example="sancho job demand --all")(demand)


def demand(
    session: Session,
    everything: Annotated[bool, typer.Option("--all", help="What is all there, too.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
) -> None:
    """List the data that jobs want and that is not all there, the longest wanted first; for administrators."""
    found = session.client.pages(jobs.demand(everything=everything, limit=limit))
    session.output.listing(found, COLUMNS, of="data that jobs want in vain")

"""`sancho data declare …` and `sancho data troubles`: what people say of replicas."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from sancho_client.calls import data
from sancho_client.cli.options import lifetime_of
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.data import Declaration

KINDS = ("bad", "suspicious", "unavailable", "available")
Replicas = Annotated[list[str], typer.Argument(metavar="URL|DID@RSE...", help="The replicas.")]


def add_to(verbs: Verbs) -> None:
    """Add these verbs to `sancho data`."""
    verbs.command("declare", example="sancho data declare unavailable mc:run1/a.root@A-DISK --until '2 d'")(declare)
    verbs.command("quarantine", example="sancho data quarantine A-DISK /belle/mc/old.root")(quarantine)
    verbs.command("troubles", example="sancho data troubles --state standing")(troubles)


def declare(
    session: Session,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="bad, suspicious, unavailable or available.")],
    replicas: Replicas,
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Unavailable for so long, '2 d', or until a time in ISO 8601.")
    ] = None,
) -> None:
    """Say what is wrong with replicas.

    A bad one is brought anew from another copy, or deleted when nothing holds it; an unavailable one is not read from
    until its time has passed, or it is said to be available; suspicions are counted.
    """
    if kind not in KINDS:
        raise typer.BadParameter(f"say one of {', '.join(KINDS)}")
    said = session.client.send(data.declare(kind, replicas, reason=reason, until=_time(until)))
    if session.output.as_json:
        session.output.json(said)
        return
    session.output.line(f"{said.noted} of {len(set(replicas))} noted as {kind}")
    for left in said.left:
        session.output.say(f"{left.replica} is {left.state}: nothing was noted")


def quarantine(
    session: Session,
    rse: Annotated[str, typer.Argument(metavar="RSE", help="Where they are.")],
    files: Annotated[list[str], typer.Argument(metavar="URL|PATH...", help="The files.")],
    reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None,
) -> None:
    """Have files that the catalogue does not know deleted from a storage, after a day."""
    done = session.client.send(data.quarantine(rse, files, reason=reason))
    if session.output.as_json:
        session.output.json(done)
        return
    session.output.line(f"{done.noted} files noted, to be deleted after a day")


def troubles(
    session: Session,
    kind: Annotated[str | None, typer.Option("--kind", help="bad, suspicious or unavailable.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="standing, recovered, lost, …: what came of it.")] = None,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="Of one file.")] = None,
    rse: Annotated[str | None, typer.Option("--rse", help="On one RSE.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
) -> None:
    """List what was said of replicas, the newest first, and what came of it."""
    columns: list[Column[Declaration]] = [
        Column("file", lambda d: d.did),
        Column("rse", lambda d: d.rse),
        Column("kind", lambda d: d.kind),
        Column("state", lambda d: d.state, "state"),
        Column("by", lambda d: d.account or "a transfer"),
        Column("at", lambda d: d.declared_at),
        Column("until", lambda d: d.until),
        Column("reason", lambda d: d.reason),
    ]
    found = session.client.pages(data.troubles(kind=kind, state=state, did=did, rse=rse, limit=limit))
    session.output.listing(found, columns, of="troubles")


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError:
        return datetime.now(UTC) + timedelta(seconds=lifetime_of(text) or 0)
    return said if said.tzinfo else said.replace(tzinfo=UTC)

"""`sancho data publication …`: data of which everybody may read what it says."""

import json
from typing import Annotated, Any

import typer

from sancho_client.calls import publishing
from sancho_client.cli.lives import DidArgument
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.publishing import Publication

verbs = Verbs("Publications: everybody may read what the data says of itself, and which files it has.")
NOTHING = "none"
"""What takes a DOI or a number away."""


@verbs.command("draft", example="sancho data publication draft mc:run1")
def draft(session: Session, did: DidArgument) -> None:
    """Begin to publish data, for who has `dids:publish`; only the VO sees it yet."""
    _show(session, session.client.send(publishing.draft(session.did(did))))


@verbs.command("list", example="sancho data publication list --state public")
def list_(
    session: Session,
    state: Annotated[str | None, typer.Option("--state", help="draft, public or suspended.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
) -> None:
    """List the VO's publications."""
    columns: list[Column[Publication]] = [
        Column("did", lambda p: p.did),
        Column("state", lambda p: p.state, "state"),
        Column("doi", lambda p: p.doi),
        Column("record", lambda p: p.record_id, "right"),
        Column("changed", lambda p: p.changed_at),
    ]
    found = publishing.list_publications(state=state, limit=limit)
    session.output.listing(session.client.pages(found), columns, of="publications")


@verbs.command("show", example="sancho data publication show mc:run1")
def show(session: Session, did: DidArgument) -> None:
    """Show the publication of data."""
    _show(session, session.client.send(publishing.show(session.did(did))))


@verbs.command("change", example="sancho data publication change mc:run1 --state public --doi 10.1234/foo.bar")
def change(
    session: Session,
    did: DidArgument,
    state: Annotated[str | None, typer.Option("--state", help="public, or suspended.")] = None,
    doi: Annotated[str | None, typer.Option("--doi", help="Its DOI; 'none' takes it away.")] = None,
    record: Annotated[str | None, typer.Option("--record", help="Its number in another catalogue, or 'none'.")] = None,
    about: Annotated[str | None, typer.Option("--about", metavar="JSON", help="What is said of it beside.")] = None,
) -> None:
    """Make data public, suspend it, or say more about it; for who has `dids:publish`.

    Then everybody may read its metadata, and the names, sizes and checksums of its files. It has to be closed.
    """
    said: dict[str, Any] = {"state": state} if state is not None else {}
    if doi is not None:
        said["doi"] = None if doi == NOTHING else doi
    if record is not None:
        said["record_id"] = None if record == NOTHING else _number(record)
    if about is not None:
        said["about"] = _document(about)
    if not said:
        raise typer.BadParameter("say what to change: --state, --doi, --record or --about.")
    _show(session, session.client.send(publishing.change(session.did(did), **said)))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise typer.BadParameter(f"{text!r} is not a number.")
    return int(text)


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as e:
        raise typer.BadParameter(f"this is not JSON: {e}.") from e


@verbs.command("withdraw", example="sancho data publication withdraw mc:run1")
def withdraw(session: Session, did: DidArgument) -> None:
    """Publish data no more, for who has `dids:publish`; what is public is suspended first."""
    session.client.send(publishing.withdraw(session.did(did)))
    session.output.say(f"{did} is not published any more.")


def add_to(data: Verbs) -> None:
    """Add these verbs to `sancho data`."""
    data.add(verbs, "publication")


def _show(session: Session, one: Publication) -> None:
    rows = {
        "did": one.did, "kind": one.kind, "state": one.state, "doi": one.doi, "record": one.record_id,
        "about": json.dumps(one.about) if one.about else None, "drafted": one.created_at, "changed": one.changed_at,
    }  # fmt: skip
    session.output.details(one, rows)

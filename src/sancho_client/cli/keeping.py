"""`sancho data exception …`: data is to be kept longer than it would be."""

from typing import Annotated

import typer

from sancho_client.calls import keeping
from sancho_client.cli.lives import DidsArgument, read_time
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.keeping import Kept, LifetimeException, LifetimeExceptionDetail

verbs = Verbs("Lifetime exceptions: data is to be kept longer than it would be.")
ExceptionId = Annotated[int, typer.Argument(metavar="EXCEPTION", help="The exception's number.")]
Answer = Annotated[str | None, typer.Option("--answer", help="What to say to who asks.")]


@verbs.command("ask", example="sancho data exception ask mc:run1 --until 2027-06-30 --reason 'for my thesis'")
def ask(
    session: Session,
    did: DidsArgument,
    until: Annotated[str, typer.Option("--until", metavar="TIME", help="Such as 2027-06-30; UTC unless it says.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
) -> None:
    """Ask that data with a lifetime be kept until a time, whosever it is: all of it or nothing.

    Who manages the data of your VO approves or rejects; until then nothing changes.
    """
    at, about = read_time(until), [session.did(one) for one in did]
    _show(session, session.client.send(keeping.ask(about, at, reason)))


@verbs.command("list", example="sancho data exception list --state waiting")
def list_(
    session: Session,
    state: Annotated[str | None, typer.Option("--state", help="waiting, approved or rejected.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Asked for by this account.")] = None,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="About this DID.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
) -> None:
    """List lifetime exceptions, newest first."""
    columns: list[Column[LifetimeException]] = [
        Column("exception", lambda x: x.exception_id, "right"),
        Column("state", lambda x: x.state, "state"),
        Column("account", lambda x: x.account),
        Column("DIDs", lambda x: x.number, "right"),
        Column("until", lambda x: x.until),
        Column("reason", lambda x: x.reason),
        Column("answer", lambda x: x.answer),
    ]
    about = None if did is None else session.did(did)
    found = keeping.list_exceptions(state=state, account=account, did=about, limit=limit)
    session.output.listing(session.client.pages(found), columns, of="lifetime exceptions")


@verbs.command("show", example="sancho data exception show 7")
def show(session: Session, exception: ExceptionId) -> None:
    """Show a lifetime exception, and when its DIDs end as things are."""
    _show(session, session.client.send(keeping.show(exception)))


@verbs.command("approve", example="sancho data exception approve 7 --answer 'until the thesis is out'")
def approve(session: Session, exception: ExceptionId, answer: Answer = None) -> None:
    """Let its DIDs that would end earlier end when it says; for who has `dids:manage`."""
    _show(session, session.client.send(keeping.approve(exception, answer)))


@verbs.command("reject", example="sancho data exception reject 7 --answer 'make it again: job 12'")
def reject(session: Session, exception: ExceptionId, answer: Answer = None) -> None:
    """Let its DIDs end when they would; for who has `dids:manage`."""
    _show(session, session.client.send(keeping.reject(exception, answer)))


def add_to(data: Verbs) -> None:
    """Add these verbs to `sancho data`."""
    data.add(verbs, "exception")


def _show(session: Session, one: LifetimeExceptionDetail) -> None:
    rows = {
        "exception": one.exception_id, "state": one.state, "account": one.account, "until": one.until,
        "reason": one.reason, "asked": one.created_at, "decided": one.decided_at, "by": one.decided_by,
        "answer": one.answer,
    }  # fmt: skip
    session.output.details(one, rows)
    if not session.output.as_json:
        columns: list[Column[Kept]] = [
            Column("did", lambda d: d.did),
            Column("kind", lambda d: d.kind),
            Column("ends", lambda d: "erased" if d.erased else d.ends_at),
        ]
        session.output.listing(one.dids, columns, of="DIDs")

"""`sancho data …`: collections made, filled, counted, erased and restored; what holds and held what."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from sancho_client.calls import lives
from sancho_client.cli.options import Yes, lifetime_of
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.errors import BadInput
from sancho_client.models.data import Content, Did
from sancho_client.models.lives import Below, Detached, Followed, NewAttachment, NewCollection, Tally

DidArgument = Annotated[str, typer.Argument(metavar="DID", help="SCOPE:NAME of a file, dataset or container.")]
DidsArgument = Annotated[list[str], typer.Argument(metavar="DID...", help="Files, datasets, containers.")]


def read_time(text: str) -> datetime:
    """A time in words, UTC unless it says otherwise; a usage error when it cannot be read."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as e:
        raise typer.BadParameter(f"{text!r} is not a time such as 2026-11-01 or 2026-11-01T12:00.") from e
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def time_of(text: str | None) -> datetime | None:
    """The same of an option that may be left out."""
    return None if text is None else read_time(text)


def create(
    session: Session,
    did: DidsArgument,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="dataset or container.")] = "dataset",
    monotonic: Annotated[bool, typer.Option("--monotonic", help="It only grows.")] = False,
    lifetime: Annotated[str | None, typer.Option("--lifetime", help="Erase it after so long: '30 d'.")] = None,
    content: Annotated[
        list[str] | None, typer.Option("--with", metavar="DID", help="Put this into it; may be said again.")
    ] = None,
) -> None:
    """Make datasets or containers, with what is to be in them: all or none."""
    wanted = [
        NewCollection(
            did=one, kind=kind, monotonic=monotonic, lifetime=lifetime_of(lifetime), children=list(content or ())
        )
        for one in did
    ]  # fmt: skip
    _show(session, session.client.send(lives.create_many(wanted)))


def attach(
    session: Session,
    parent: Annotated[str, typer.Argument(metavar="COLLECTION", help="A dataset or container.")],
    did: DidsArgument,
) -> None:
    """Put DIDs into a dataset or container; those that are in it already stay."""
    done = session.client.send(lives.attach_many([NewAttachment(parent=parent, children=did)]))
    session.output.details(done, {"attached": done.attached})


def erase(
    session: Session,
    did: DidsArgument,
    after: Annotated[str | None, typer.Option("--after", help="How long it can be undone: '1 d'; else 14 d.")] = None,
    yes: Yes = False,
) -> None:
    """Have DIDs erased a while later: until then they are there, and `restore` undoes it.

    A dataset takes those of its files along that are in nothing else and belong to its account. Your own rules on it
    go then; what others' rules or closed collections hold stays until they let go. A name is never used again.
    """
    session.confirm(f"Erase {', '.join(did)} {'in ' + after if after else 'in 14 days'}?", yes=yes)
    _show(session, session.client.send(lives.erase(did, after=lifetime_of(after))))


def restore(session: Session, did: DidsArgument) -> None:
    """Let DIDs live on that were to be erased."""
    _show(session, session.client.send(lives.restore(did)))


def lifetime(
    session: Session,
    did: DidArgument,
    lasts: Annotated[str, typer.Argument(metavar="LIFETIME", help="From now on: '30 d', or 'forever'.")],
) -> None:
    """Say how long a DID lives; then it is erased, as by `erase`."""
    changed = session.client.send(lives.set_lifetime(did, None if lasts == "forever" else lifetime_of(lasts)))
    session.output.details(changed, {"did": changed.did, "ends": changed.ends_at})


def reopen(session: Session, did: DidArgument) -> None:
    """Open a dataset or container again."""
    one = session.client.send(lives.reopen(did))
    session.output.details(one, {"did": one.did, "open": one.open})


def count(session: Session, did: DidsArgument) -> None:
    """Count the files and bytes below DIDs."""
    columns: list[Column[Tally]] = [
        Column("did", lambda t: t.did),
        Column("files", lambda t: t.files, "right"),
        Column("size", lambda t: t.total_size, "size"),
    ]
    session.output.listing(session.client.send(lives.tallies(did)), columns, of="DIDs")


def parents(session: Session, did: DidArgument) -> None:
    """List the datasets or containers that a DID is in."""
    columns: list[Column[Content]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("open", lambda d: d.open),
    ]
    session.output.listing(session.client.lines(lives.parents(did)), columns, of="collections")


def below(session: Session, did: DidArgument) -> None:
    """List everything below a dataset or container, level by level."""
    columns: list[Column[Below]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("size", lambda d: d.size, "size"),
        Column("in", lambda d: d.parent),
        Column("level", lambda d: d.level, "right"),
    ]
    session.output.listing(session.client.lines(lives.below(did)), columns, of="DIDs")


def history(session: Session, did: DidArgument) -> None:
    """List what has been taken out of a dataset or container, and when."""
    columns: list[Column[Detached]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("size", lambda d: d.size, "size"),
        Column("from", lambda d: d.attached_at),
        Column("to", lambda d: d.detached_at),
    ]
    session.output.listing(session.client.lines(lives.history(did)), columns, of="DIDs")


def follow(session: Session, did: DidsArgument) -> None:
    """Follow DIDs: `sancho data followed` says what has become of them."""
    session.client.send(lives.follow([session.did(one) for one in did]))
    session.output.say(f"You follow {', '.join(did)}.")


def unfollow(session: Session, did: DidsArgument) -> None:
    """Follow DIDs no more."""
    session.client.send(lives.unfollow([session.did(one) for one in did]))
    session.output.say(f"You do not follow {', '.join(did)}.")


def followed(
    session: Session,
    since: Annotated[str | None, typer.Option("--since", metavar="TIME", help="What has changed since then.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 1000,
) -> None:
    """List the DIDs that you follow, and when each was made, filled, emptied or closed last.

    What has been erased stays among them until you unfollow it.
    """
    columns: list[Column[Followed]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("open", lambda d: d.open),
        Column("changed", lambda d: d.changed_at),
        Column("ends", lambda d: "erased" if d.erased else d.ends_at),
    ]
    found = lives.followed(since=time_of(since), limit=limit)
    session.output.listing(session.client.pages(found), columns, of="DIDs")


def scope(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="SCOPE", help="Its name.")],
    account: Annotated[str | None, typer.Option("--account", help="Give it to this account.")] = None,
    shared: Annotated[
        bool | None, typer.Option("--shared/--private", help="Let every account make DIDs in it, or not.")
    ] = None,
) -> None:
    """Give a scope to another account, or share it; for who has `dids:manage`."""
    if account is None and shared is None:
        raise BadInput("Say --account, --shared or --private.")
    changed = session.client.send(lives.change_scope(name, account=account, shared=shared))
    rows = {"scope": changed.name, "account": changed.account, "shared": changed.shared}
    session.output.details(changed, rows)


def add_to(verbs: Verbs) -> None:
    """Add these verbs to `sancho data`."""
    verbs.command("create", example="sancho data create mc:run1 --lifetime '30 d'")(create)
    verbs.command("attach", example="sancho data attach mc:run1 mc:run1/a.root mc:run1/b.root")(attach)
    verbs.command("erase", example="sancho data erase mc:run1 --after '1 d'")(erase)
    verbs.command("restore", example="sancho data restore mc:run1")(restore)
    verbs.command("lifetime", example="sancho data lifetime mc:run1 '30 d'")(lifetime)
    verbs.command("reopen", example="sancho data reopen mc:run1")(reopen)
    verbs.command("count", example="sancho data count mc:run1 mc:run2")(count)
    verbs.command("parents", example="sancho data parents mc:run1/a.root")(parents)
    verbs.command("below", example="sancho data below mc:year")(below)
    verbs.command("history", example="sancho data history mc:run1")(history)
    verbs.command("follow", example="sancho data follow mc:run1")(follow)
    verbs.command("unfollow", example="sancho data unfollow mc:run1")(unfollow)
    verbs.command("followed", example="sancho data followed --since 2026-11-01")(followed)
    verbs.command("scope", example="sancho data scope mc --account production")(scope)


def _show(session: Session, changed: list[Did]) -> None:
    columns: list[Column[Did]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("ends", lambda d: d.ends_at),
        Column("account", lambda d: d.account),
    ]
    session.output.listing(changed, columns, of="DIDs")

"""`sancho data meta …`, and the verbs of `sancho data` that search."""

import re
from typing import Annotated

import typer

from sancho_client.calls import metadata
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.data import Did
from sancho_client.models.metadata import MetadataKey

verbs = Verbs("Metadata: what DIDs say by the keys of the VO.")
KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*=.*", re.DOTALL)
Inherit = Annotated[
    bool, typer.Option("--inherit", help="What collections say counts for what is below them, the nearest first.")
]
DidArgument = Annotated[str, typer.Argument(metavar="DID", help="SCOPE:NAME of a dataset.")]
Query = Annotated[
    str, typer.Argument(metavar="QUERY", help="For example 'run > 1200 & detector in (ecl, top)'; see --help.")
]
LANGUAGE = """Compare with = != < <= > >=; `between 1 and 5`, `in (ecl, top)`, `detector contains ecl`, `name like
muon*`, `run exists`; join with & | ~ and parentheses. Besides the VO's keys (`sancho data meta keys`) there are name,
scope, kind, size, account, adler32, md5, guid, created_at, ends_at, open, monotonic, of what is below a collection
files and total_size, and of what jobs made job.id, job.site, job.account and job.ended_at."""


@verbs.command("set", example="sancho data meta set mc:run1 run=1200 detector=ecl,top")
def put(
    session: Session,
    words: Annotated[
        list[str],
        typer.Argument(metavar="DID... KEY=VALUE...", help="DIDs, then what they say; KEY= removes a key."),
    ],
) -> None:
    """Let DIDs say something, all or none. What they say by other keys stays."""
    first = next((n for n, word in enumerate(words) if KEY.fullmatch(word)), len(words))
    dids, pairs = words[:first], [word.partition("=") for word in words[first:]]
    wrong = next((word for word in words[first:] if not KEY.fullmatch(word)), None)
    if not dids or not pairs or wrong is not None:
        raise typer.BadParameter(f"Say DIDs, then KEY=VALUE{f'; {wrong} is none' if wrong else ''}.")
    document = {key: value or None for key, _, value in pairs}
    session.client.send(metadata.describe(dict.fromkeys(dids, document)))


@verbs.command("get", example="sancho data meta get mc:run1 --inherit")
def get(
    session: Session,
    dids: Annotated[list[str], typer.Argument(metavar="DID...", help="Files, datasets, containers.")],
    inherit: Inherit = False,
) -> None:
    """Show what DIDs say."""
    found = session.client.send(metadata.of_many(dids, inherit=inherit))
    if session.output.as_json:
        session.output.json(found)
        return
    rows = [(one.did, key, value) for one in found for key, value in sorted(one.metadata.items())]
    columns: list[Column[tuple[str, str, object]]] = [
        Column("did", lambda row: row[0]),
        Column("key", lambda row: row[1]),
        Column("value", lambda row: row[2]),
    ]
    session.output.listing(rows, columns, of="metadata")


@verbs.command("keys", example="sancho data meta keys")
def keys(session: Session) -> None:
    """List the keys that DIDs of the VO may carry; documents of kind MetadataKey make them."""
    columns: list[Column[MetadataKey]] = [
        Column("key", lambda k: k.name),
        Column("kind", lambda k: k.kind),
        Column("unit", lambda k: k.unit),
        Column("of", lambda k: k.dids),
        Column("searched", lambda k: "everywhere" if k.searched else "in a scope or collection"),
        Column("description", lambda k: k.description),
    ]
    session.output.listing(session.client.pages(metadata.keys()), columns, of="keys")


def add_to(data: Verbs) -> None:
    """Add the verbs to those of data."""
    data.add(verbs, "meta")
    data.command("find", example="sancho data find 'run > 1200'", help_text=f"Search DIDs. {LANGUAGE}")(find)
    data.command("smart", example="sancho data smart mc:muons 'run > 1200'")(smart)
    data.command("refresh", example="sancho data refresh mc:muons")(refresh)
    data.command("freeze", example="sancho data freeze mc:muons")(freeze)


def find(
    session: Session,
    query: Query,
    scope: Annotated[str | None, typer.Option("--scope", help="Only in this scope.")] = None,
    within: Annotated[str | None, typer.Option("--in", metavar="DID", help="Only below this collection.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="file, dataset or container.")] = None,
    inherit: Inherit = False,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
) -> None:
    """Search DIDs."""
    columns: list[Column[Did]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("size", lambda d: d.size, "size"),
        Column("account", lambda d: d.account),
        Column("created", lambda d: d.created_at),
    ]
    found = metadata.find(query, scope=scope, within=within, kind=kind, inherit=inherit, limit=limit)
    session.output.listing(session.client.pages(found), columns, of="DIDs")


def smart(
    session: Session,
    did: DidArgument,
    query: Annotated[
        str | None, typer.Argument(metavar="[QUERY]", help="As of `sancho data find`; without, show it.")
    ] = None,
    scope: Annotated[str | None, typer.Option("--scope", help="Only files of this scope.")] = None,
) -> None:
    """Let a dataset hold the files that a search finds, from now on, until it is frozen. It is made if need be.

    What is in it and is not found goes out of it.
    """
    wanted = metadata.followed(did) if query is None else metadata.follow(did, query, scope=scope)
    one = session.client.send(wanted)
    rows = {
        "did": one.did, "where": one.where, "scope": one.scope, "refreshed": one.refreshed_at, "fault": one.fault
    }  # fmt: skip
    session.output.details(one, rows)


def refresh(session: Session, did: DidArgument) -> None:
    """Bring a smart dataset up to date now; it is within a minute anyhow."""
    one = session.client.send(metadata.refresh(did))
    session.output.details(one, {"attached": one.attached, "detached": one.detached, "more": one.more})


def freeze(session: Session, did: DidArgument) -> None:
    """Let a smart dataset follow its search no longer, and close it as it is."""
    one = session.client.send(metadata.freeze(did))
    session.output.details(one, {"did": one.did, "open": one.open})

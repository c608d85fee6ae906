"""`sancho data …`."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sancho_client.calls import data, jobs, lives, rules
from sancho_client.cli import declarations, metadata, paths, signing
from sancho_client.cli.lives import time_of
from sancho_client.cli.options import Yes, lifetime_of
from sancho_client.cli.output import Column, size
from sancho_client.cli.progress import bytes_bar
from sancho_client.cli.verbs import ERROR, Session, Verbs, report
from sancho_client.data import download, upload
from sancho_client.errors import BadInput
from sancho_client.models.data import Content, Did, FileReplicas, PlacedFile, Scope, Shared, UploadRule
from sancho_client.models.rules import Rule
from sancho_client.names import is_path

verbs = Verbs("Data: upload, download, look, search, remove.")
declarations.add_to(verbs)
metadata.add_to(verbs)
paths.add_to(verbs)
signing.add_to(verbs)
DidArgument = Annotated[
    str, typer.Argument(metavar="DID", help="SCOPE:NAME of a file, dataset or container; or its path.")
]
Of = Annotated[
    str | None, typer.Option("--of", metavar="VO", help="A dataset that this VO shares, see `sancho data shared`.")
]
SHOWN = 20
"""Files whose replicas `info` shows, unless --all is said."""


@verbs.command(
    "put", example="sancho data put -r histograms --scope mc --dataset mc:run1.hist --copies 2 --on 'tier=1'"
)
def put(
    session: Session,
    path: Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders with -r.")],
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="All files in folders too.")] = False,
    scope: Annotated[
        str | None,
        typer.Option("--scope", help="The files become SCOPE:NAME; in folders the path is part of the name."),
    ] = None,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="The DID of a single file.")] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="DID", help="Put the files into this dataset; made if need be.")
    ] = None,
    rse: Annotated[str | None, typer.Option("--rse", help="Upload to this RSE; else the server chooses.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="EXPR", help="Keep copies on RSEs that match.")] = None,
    copies: Annotated[int, typer.Option("--copies", min=1, help="Keep so many copies; goes with --on.")] = 1,
    lifetime: Annotated[
        str | None, typer.Option("--lifetime", help="Keep them so long: '30 d'; else for ever.")
    ] = None,
) -> None:
    """Upload files: all of a batch are in the catalogue at the end, or none.

    Files that are there already with the same content are left alone, so an interrupted upload can be repeated.
    """
    did, dataset = did and session.did(did), dataset and session.did(dataset)
    files = list(_local_files(path, recursive=recursive, scope=scope, did=did, dataset=dataset, rse=rse))
    if not files:
        raise BadInput("There are no files to upload.")
    if on is None and (copies != 1 or lifetime is not None):
        raise typer.BadParameter("--copies and --lifetime go with --on.")
    rule = None if on is None else UploadRule(rse_expression=on, copies=copies, lifetime=lifetime_of(lifetime))
    with bytes_bar(session.output, "Uploading") as bar:
        done = list(upload.put(session.client, files, rule=rule, watch=bar))
    columns: list[Column[upload.Put]] = [
        Column("did", lambda p: p.did),
        Column("size", lambda p: p.size, "size"),
        Column("adler32", lambda p: p.adler32),
        Column("rse", lambda p: p.rse or ("there already" if p.already else "")),
    ]
    if session.output.as_json:
        session.output.json([{"did": p.did, "size": p.size, "adler32": p.adler32, "rse": p.rse} for p in done])
        return
    session.output.listing(done, columns, of="files")


def _local_files(
    paths: list[Path], *, recursive: bool, scope: str | None, did: str | None, dataset: str | None, rse: str | None
) -> Iterator[upload.LocalFile]:
    if (scope is None) == (did is None):
        raise typer.BadParameter("Say either --scope, or --did for a single file.")
    if did is not None:
        if len(paths) != 1 or paths[0].is_dir():
            raise typer.BadParameter("--did names a single file.")
        yield upload.LocalFile(path=paths[0], did=did, dataset=dataset, rse=rse)
        return
    for path in paths:
        if not path.is_dir():
            yield upload.LocalFile(path=path, did=f"{scope}:{path.name}", dataset=dataset, rse=rse)
        elif recursive:
            base = path.resolve().parent
            for inside in sorted(p for p in path.resolve().rglob("*") if p.is_file()):
                name = inside.relative_to(base).as_posix()
                yield upload.LocalFile(path=inside, did=f"{scope}:{name}", dataset=dataset, rse=rse)
        else:
            raise BadInput(f"{path} is a folder.", hint="Use -r to upload what is in it.")


@verbs.command("get", example="sancho data get mc:run1 -o run1")
def get(
    session: Session,
    did: Annotated[list[str], typer.Argument(metavar="DID...", help="Files, datasets, containers.")],
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to put the files.")] = Path(),
    of: Of = None,
) -> None:
    """Download files, of datasets and containers too, each checked.

    Files that are there and right are left alone; a broken-off download goes on where it stopped.
    """
    failed = False
    did = [session.did(one, of=of) for one in did]
    rows: list[dict[str, object]] = []
    with bytes_bar(session.output, "Downloading") as bar:
        for got in download.get(session.client, did, folder, watch=bar, of=of):
            if got.error is not None:
                failed = True
                report(got.error, session.output)
            else:
                rows.append({"did": got.did, "path": str(got.path), "size": got.size, "already": got.already})
                session.output.line(str(got.path))
    if session.output.as_json:
        session.output.json(rows)
    if failed:
        raise typer.Exit(ERROR)
    if not rows:
        session.output.say("There are no files in it.")


@verbs.command("register", example="sancho data register mc:old/a.root 1024 --rse A-DISK --path /belle/old/a.root")
def register(
    session: Session,
    did: DidArgument,
    file_size: Annotated[int, typer.Argument(metavar="SIZE", min=0, help="Its size in bytes.")],
    rse: Annotated[str, typer.Option("--rse", help="The RSE that it is on.")],
    path: Annotated[
        str | None, typer.Option("--path", metavar="PATH|URL", help="Where it lies, in the area of your VO.")
    ] = None,
    adler32: Annotated[str | None, typer.Option("--adler32", help="Its checksum, 8 hex digits.")] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", metavar="DID", help="Put it into this dataset; made if need be.")
    ] = None,
    guid: Annotated[str | None, typer.Option("--guid", help="A name that it has elsewhere.")] = None,
    md5: Annotated[str | None, typer.Option("--md5", help="Its MD5, 32 hex digits, kept beside the checksum.")] = None,
) -> None:
    """Enter a file that is on a storage already; nothing is copied, and the storage is not asked."""
    file = PlacedFile(did=did, size=file_size, adler32=adler32, path=path, guid=guid, md5=md5)
    done = session.client.send(data.register(rse, [file], dataset=dataset))
    if session.output.as_json:
        session.output.json(done.model_dump())
        return
    session.output.say(f"{did} is in the catalogue.")


@verbs.command("ls", example="sancho data ls -l /belle/mc/run1/")
def ls(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCOPE|DID|DID*|PATH]", help="A scope, a collection, the beginning of names and a `*`, or a path."
        ),
    ] = None,
    long: Annotated[bool, typer.Option("--long", "-l", help="Of a path: with sizes, files and owners.")] = False,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="file, dataset or container.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many.")] = None,
    of: Of = None,
    as_of: Annotated[
        str | None, typer.Option("--as-of", metavar="TIME", help="What was in it then: 2026-11-01, UTC.")
    ] = None,
) -> None:
    """List scopes, the DIDs of a scope, what is in a dataset or container, or what is at a path.

    What is both a DID and a directory at its path comes as both; a directory ends with `/`.
    """
    if as_of is not None:
        _list_as_of(session, name, as_of, kind=kind, limit=limit)
        return
    if name is not None and is_path(name) and of is None:
        at = session.path(name)
        if not paths.listing(session, at, long=long, kind=kind, limit=limit):
            return
        name = at.did
    if name is not None:
        name = session.did(name, of=of)
    if name is not None and of is not None:
        inside = session.client.pages(data.shared_contents(of, name, limit=limit))
        session.output.listing((d for d in inside if kind in {None, d.kind}), _content_columns(), of="DIDs")
        return
    if name is None:
        scopes: list[Column[Scope]] = [
            Column("scope", lambda s: s.name),
            Column("account", lambda s: s.account),
            Column("shared", lambda s: s.shared),
        ]
        session.output.listing(session.client.pages(data.scopes()), scopes, of="scopes")
        return
    scope, _, rest = name.partition(":")
    if rest in {"", "*"} or rest.endswith("*"):
        dids: list[Column[Did]] = [
            *_content_columns(),
            Column("account", lambda d: d.account),
            Column("created", lambda d: d.created_at),
        ]
        found = data.list_dids(scope, prefix=rest.removesuffix("*") or None, kind=kind, limit=limit)
        session.output.listing(session.client.pages(found), dids, of="DIDs")
        return
    one = session.client.send(data.did(name))
    inside = iter([one]) if one.kind == "file" else session.client.pages(data.contents(name))
    listed = (d for d in inside if kind in {None, d.kind})
    session.output.listing(itertools.islice(listed, limit), _content_columns(), of="DIDs")


def _list_as_of(session: Session, name: str | None, as_of: str, *, kind: str | None, limit: int | None) -> None:
    at = time_of(as_of)
    if name is None or at is None:
        raise typer.BadParameter("--as-of goes with a dataset or container.")
    inside = session.client.pages(lives.contents_at(session.did(name), at))
    listed = (d for d in inside if kind in {None, d.kind})
    session.output.listing(itertools.islice(listed, limit), _content_columns(), of="DIDs")


def _content_columns() -> list[Column[Content]]:
    return [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("size", lambda d: d.size, "size"),
        Column("open", lambda d: None if d.kind == "file" else d.open),
    ]


@verbs.command("shared", example="sancho data shared")
def shared(session: Session) -> None:
    """List the datasets that other VOs let yours read; `ls` and `get` with --of do so."""
    columns: list[Column[Shared]] = [Column("vo", lambda s: s.vo), Column("did", lambda s: s.did)]
    session.output.listing(session.client.send(data.shared()), columns, of="shared datasets")


@verbs.command("info", example="sancho data info mc:run1")
def info(
    session: Session,
    did: DidArgument,
    all_files: Annotated[bool, typer.Option("--all", help="The replicas of all files, however many.")] = False,
) -> None:
    """Show a DID, its rules, where its files are, and the jobs that made them."""
    did = session.did(did)
    one = session.client.send(data.did(did))
    own_rules = list(session.client.pages(rules.list_rules(did=did)))
    files: list[FileReplicas] = []
    more = False
    stream = session.client.lines(data.replicas(did))
    for file in stream:
        if len(files) == SHOWN and not all_files:
            more = True
            break
        files.append(file)
    stream.close()
    made_by = session.client.send(jobs.producers([f.did for f in files[:1000]])) if files else {}
    if session.output.as_json:
        session.output.json({"did": one, "rules": own_rules, "files": files, "more": more, "made_by": made_by})
        return
    rows = {
        "did": one.did,
        "kind": one.kind,
        "size": one.total_size,
        "files": None if one.kind == "file" else one.files,
        "adler32": one.adler32,
        "md5": one.md5,
        "guid": one.guid,
        "open": None if one.kind == "file" else one.open,
        "account": one.account,
        "created": one.created_at,
        "ends": one.ends_at,
        "held": one.held,
    }
    session.output.details(one, rows, units={"size": "size"})
    _show_rules_and_files(session, own_rules, files, made_by)
    if more:
        session.output.say("… and more files; --all shows them.")


def _show_rules_and_files(
    session: Session, own_rules: list[Rule], files: list[FileReplicas], made_by: dict[str, int]
) -> None:
    pretty = session.output.pretty
    if own_rules:
        columns: list[Column[Rule]] = [
            Column("rule", lambda r: r.rule_id, "right"),
            Column("state", lambda r: r.state, "state"),
            Column("copies", lambda r: r.copies, "right"),
            Column("on", lambda r: r.rse_expression),
            Column("account", lambda r: r.account),
            Column("until", lambda r: r.expires_at),
        ]
        session.output.line("")
        session.output.listing(own_rules, columns, of="rules", title="Rules" if pretty else None)
    if files:
        places: list[Column[FileReplicas]] = [
            Column("file", lambda f: f.did),
            Column("size", lambda f: f.size, "size"),
            Column("replicas", lambda f: [f"{r.rse} ({r.state})" for r in f.replicas]),
            Column("in", lambda f: [archive.did for archive in f.archives]),
            Column("made by job", lambda f: made_by.get(f.did), "right"),
        ]
        session.output.line("")
        session.output.listing(files, places, of="files", title="Files" if pretty else None)


@verbs.command("rm", example="sancho data rm mc:run1/a.root --from mc:run1 --yes")
def rm(
    session: Session,
    did: DidArgument,
    parent: Annotated[
        str | None, typer.Option("--from", metavar="DID", help="Only take it out of this dataset or container.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Give data up: withdraw your rules on it, or with --from take it out of a collection.

    With a dataset go the rules that came with your uploads of its files. What no rule holds any more is deleted from
    storage a little later. The DID itself stays: it is never used again.
    """
    did = session.did(did)
    if parent is not None:
        parent = session.did(parent)
        session.confirm(f"Take {did} out of {parent}?", yes=yes)
        session.client.send(data.detach(parent, [did]))
        session.output.line(f"{did} is no longer in {parent}")
        return
    for rule in session.client.pages(rules.list_rules(did=did)):
        session.output.say(
            f"rule {rule.rule_id} of {rule.account}: {rule.copies} copies on {rule.rse_expression} ({rule.state})"
        )
    session.confirm(f"Withdraw your rules on {did}? Copies that nothing else holds will be deleted.", yes=yes)
    done = session.client.send(rules.withdraw(did))
    for rule_id in done.withdrawn[:SHOWN]:
        session.output.line(f"rule {rule_id} withdrawn")
    if len(done.withdrawn) > SHOWN:
        session.output.line(f"… and {len(done.withdrawn) - SHOWN} more rules withdrawn")
    if session.output.as_json:
        session.output.json(done)
    for held in done.held_by:
        session.output.say(f"rule {held.rule_id} of {held.account} on {held.did} still holds it")
    if done.looked_at is not None:
        session.output.say(f"of each dataset {done.looked_at} files were looked at; a rule on a later one is not named")
    if done.withdrawn:
        return
    if done.held_by:
        raise BadInput(f"You have no rule on {did} to withdraw; others hold it.", hint="Ask the owners of those rules.")
    raise BadInput(f"There is no rule on {did}.", hint=f"`sancho data info {did}` shows where it is.")


@verbs.command("close", example="sancho data close mc:run1")
def close(session: Session, did: DidArgument) -> None:
    """Close a dataset or container: nothing can be added any more, and jobs that wait for all of it may start."""
    one = session.client.send(data.close(session.did(did)))
    session.output.details(one, {"did": one.did, "open": one.open})


@verbs.command("usage", example="sancho data usage --account alice")
def usage(
    session: Session, account: Annotated[str | None, typer.Option("--account", help="Of one account.")] = None
) -> None:
    """Show the bytes that accounts keep on RSEs."""
    found = list(session.client.pages(rules.usage(account)))
    session.output.listing(
        found,
        [
            Column("account", lambda u: u.account),
            Column("rse", lambda u: u.rse),
            Column("files", lambda u: u.files, "right"),
            Column("size", lambda u: u.size, "size"),
            Column("held for uploads", lambda u: u.held, "size"),
        ],
        of="usage",
    )
    if session.output.pretty and found:
        session.output.line(f"{size(sum(u.size for u in found))} in all")

"""`sancho data …`: files that lie in archives, files by GUID, samples, and what is new."""

import re
from pathlib import Path
from typing import Annotated

import typer

from sancho_client.calls import archives, metadata
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.data.members import listed
from sancho_client.errors import BadInput
from sancho_client.models.archives import Archive, Member, Packings
from sancho_client.models.data import Content, Did

ArchiveArgument = Annotated[str, typer.Argument(metavar="ARCHIVE", help="A file such as mc:run7.zip.")]
AT_ONCE = 1000
"""Files that one request notes."""


def pack(
    session: Session,
    archive: ArchiveArgument,
    did: Annotated[
        list[str] | None, typer.Argument(metavar="[DID[=SIZE[,ADLER32]]...]", help="Files that lie in it.")
    ] = None,
    content: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="All that is in this zip or tar, each as SCOPE:NAME."),
    ] = None,
    scope: Annotated[
        str | None, typer.Option("--scope", help="With --from: the scope; else that of the archive.")
    ] = None,
) -> None:
    """Note that files lie in an archive, which is on a storage already; they need no replicas of their own.

    Files that are not known yet are registered: say their sizes, or have them read from a copy of the archive here.
    """
    archive = session.did(archive)
    members = [_member(session, one) for one in did or ()]
    if content is not None:
        inside = scope or archive.partition(":")[0]
        members += [Member(did=f"{inside}:{name}", size=size, adler32=sum_) for name, size, sum_ in listed(content)]
    if not members:
        raise BadInput("There is nothing to note.", hint="Name files, or say --from.")
    noted = sum(
        session.client.send(archives.pack([Archive(archive=archive, files=members[at : at + AT_ONCE])])).files
        for at in range(0, len(members), AT_ONCE)
    )
    session.output.details(Packings(files=noted), {"archive": archive, "noted": noted})


def _member(session: Session, text: str) -> Member:
    did, _, said = text.partition("=")
    found = re.fullmatch(r"(\d+)(?:,([0-9a-f]{8}))?", said)
    if said and found is None:
        raise typer.BadParameter(f"{said!r} is no size, such as 1024, and checksum, such as 1024,0a1b2c3d.")
    return Member(did=session.did(did), size=int(found[1]) if found else None, adler32=found[2] if found else None)


def unpack(
    session: Session,
    archive: ArchiveArgument,
    did: Annotated[list[str], typer.Argument(metavar="DID...", help="Files that do not lie in it.")],
) -> None:
    """Note that files do not lie in an archive; the archive stays as it is."""
    done = session.client.send(archives.unpack(session.did(archive), [session.did(one) for one in did]))
    session.output.details(done, {"removed": done.files})


def members(session: Session, archive: ArchiveArgument) -> None:
    """List the files that lie in an archive."""
    session.output.listing(session.client.lines(archives.members(session.did(archive))), _COLUMNS, of="files")


def archives_of(session: Session, did: Annotated[str, typer.Argument(metavar="DID", help="A file.")]) -> None:
    """List the archives that a file lies in."""
    session.output.listing(session.client.lines(archives.archives_of(session.did(did))), _COLUMNS, of="archives")


def guid(
    session: Session, guid: Annotated[str, typer.Argument(metavar="GUID", help="With hyphens or without.")]
) -> None:
    """Show the file with a GUID."""
    found = session.client.send(archives.of_guid(guid))
    sums = {"adler32": found.adler32, "md5": found.md5}
    session.output.details(found, {"did": found.did, "size": found.size, **sums, "guid": found.guid})


def sample(
    session: Session,
    did: Annotated[str, typer.Argument(metavar="DID", help="A dataset or container.")],
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The dataset to make.")],
    files: Annotated[int, typer.Argument(metavar="N", min=1, help="How many files.")],
) -> None:
    """Make a dataset of some of the files below a DID, chosen at random."""
    made = session.client.send(archives.sample(session.did(did), session.did(dataset), files))
    session.output.details(made, {"did": made.did})


def new(
    session: Session,
    kind: Annotated[str | None, typer.Option("--kind", metavar="KIND", help="file, dataset or container.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="At most so many.")] = 20,
) -> None:
    """List what was made last in your VO, the newest first."""
    columns: list[Column[Did]] = [
        Column("did", lambda d: d.did),
        Column("kind", lambda d: d.kind),
        Column("account", lambda d: d.account),
        Column("created", lambda d: d.created_at),
    ]
    session.output.listing(session.client.pages(metadata.newest(kind=kind, limit=limit)), columns, of="DIDs")


_COLUMNS: list[Column[Content]] = [
    Column("did", lambda d: d.did),
    Column("size", lambda d: d.size, "size"),
    Column("adler32", lambda d: d.adler32),
]


def add_to(verbs: Verbs) -> None:
    """Add these verbs to `sancho data`."""
    verbs.command("pack", example="sancho data pack mc:run7.zip --from run7.zip")(pack)
    verbs.command("unpack", example="sancho data unpack mc:run7.zip mc:a.root")(unpack)
    verbs.command("members", example="sancho data members mc:run7.zip")(members)
    verbs.command("archives", example="sancho data archives mc:a.root")(archives_of)
    verbs.command("guid", example="sancho data guid 2e2232aa-fac8-324d-b452-070304f8d745")(guid)
    verbs.command("new", example="sancho data new --kind dataset")(new)
    verbs.command("sample", example="sancho data sample mc:run7 mc:run7.few 10")(sample)

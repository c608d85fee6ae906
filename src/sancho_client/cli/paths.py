"""Paths in `sancho data …`: listing directories, and what they hold in all."""

import itertools
from collections.abc import Iterator
from typing import Annotated

import typer

from sancho_client.calls import data
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.data import DidInfo, Entry
from sancho_client.names import Path, is_path

SHORT: list[Column[Entry]] = [Column("path", lambda e: e.path), Column("kind", lambda e: e.kind)]
LONG: list[Column[Entry]] = [
    Column("kind", lambda e: e.kind),
    Column("size", lambda e: e.size, "size"),
    Column("files", lambda e: e.files, "right"),
    Column("account", lambda e: e.account),
    Column("created", lambda e: e.created_at),
    Column("path", lambda e: e.path),
]
USED: list[Column[Entry]] = [
    Column("size", lambda e: e.size, "size"),
    Column("files", lambda e: e.files, "right"),
    Column("path", lambda e: e.path),
]


def add_to(verbs: Verbs) -> None:
    """Add the verbs of this module to those of data."""
    verbs.command("du", example="sancho data du /belle/mc/2026/")(du)


def listing(session: Session, path: Path, *, long: bool, kind: str | None, limit: int | None) -> bool:
    """List what is at a path; True when nothing is written, as it is only a collection, which has its own listing."""
    at = session.client.send(data.at_path(path))
    if at.directory is None and at.did is not None and at.did.kind != "file":
        return True
    found = iter([_entry(at.path, at.did)] if at.did else [])
    if at.directory is not None:
        found = itertools.chain(found, session.client.pages(data.entries(path, sizes=long)))
    wanted = itertools.islice((entry for entry in found if kind in {None, entry.kind}), limit)
    session.output.listing(wanted, LONG if long else SHORT, of="entries")
    return False


def du(
    session: Session,
    path: Annotated[list[str], typer.Argument(metavar="PATH|DID...", help="Directories, or DIDs.")],
    summary: Annotated[bool, typer.Option("--summary", "-s", help="Only the sum of each.")] = False,
) -> None:
    """Show the files and bytes below directories, each with the directories in it, or below DIDs."""
    rows = itertools.chain.from_iterable(_used(session, one, summary=summary) for one in path)
    session.output.listing(rows, USED, of="entries")


def _used(session: Session, text: str, *, summary: bool) -> Iterator[Entry]:
    if not is_path(text):
        yield _entry(text, session.client.send(data.did(text)))
        return
    path = session.path(text)
    at = session.client.send(data.at_path(path))
    if at.did is not None:
        yield _entry(at.path, at.did)
    if at.directory is None:
        return
    if not summary:
        yield from (entry for entry in session.client.pages(data.entries(path)) if entry.kind == "directory")
    whole = at.path if at.path.endswith("/") else f"{at.path}/"
    yield Entry(path=whole, kind="directory", files=at.directory.files, size=at.directory.size)


def _entry(path: str, did: DidInfo) -> Entry:
    """A DID as a listing has it."""
    return Entry(
        path=path, kind=did.kind, did=did.did, open=did.open, files=None if did.kind == "file" else did.files,
        size=did.total_size, adler32=did.adler32, account=did.account, created_at=did.created_at,
    )  # fmt: skip

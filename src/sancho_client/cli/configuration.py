"""`sancho apply` and `sancho config …`."""

from pathlib import Path
from typing import Annotated

import typer
import yaml

from sancho_client.calls import configuration, identity
from sancho_client.cli import documents
from sancho_client.cli.options import Yes
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.configuration import StoredDocument, Version

verbs = Verbs("The versioned configuration: what was applied, and the way back.")


def add_to(root: Verbs, *, panel: str) -> None:
    """Add the verbs of this module that have no group."""
    root.command("apply", example="sancho apply -f grid/ --dry-run", panel=panel)(apply)


def apply(
    session: Session,
    file: Annotated[
        list[Path], typer.Option("--file", "-f", metavar="FILE|DIR", help="YAML documents; may be given several times.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    comment: Annotated[str | None, typer.Option("--comment", help="Why; kept with the version.")] = None,
) -> None:
    """Make VOs, accounts, sites, RSEs, quotas, … as documents say: all of them or none.

    What no document names stays as it is; a document with `remove: true` removes. An Account may name a
    `password_file`: it sets the password when the account is made, and never later.
    """
    read = documents.read(file)
    applied = session.client.send(configuration.apply([r.document for r in read], dry_run=dry_run, comment=comment))
    if not dry_run:
        for change, password in documents.new_passwords(read, applied):
            session.client.send(identity.change_password(change.name, password, vo=change.vo))
    documents.show(applied, session.output, dry_run=dry_run)


@verbs.command("versions", example="sancho config versions")
def versions(
    session: Session,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 20,
) -> None:
    """List what was applied, newest first."""
    columns: list[Column[Version]] = [
        Column("version", lambda v: v.version, "right"),
        Column("applied", lambda v: v.applied_at),
        Column("by", lambda v: v.applied_by),
        Column("comment", lambda v: v.comment),
    ]
    session.output.listing(session.client.pages(configuration.versions(limit=limit)), columns, of="versions")


@verbs.command("show", example="sancho config show --kind RSE")
def show(
    session: Session,
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]", help="What this version changed.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="Documents of this kind.")] = None,
) -> None:
    """Show the documents in force, or what a version changed."""
    if version is not None:
        changes = tuple(session.client.send(configuration.changes(version)))
        applied = documents.Applied(version=version, changes=changes)
        documents.show(applied, session.output, dry_run=False)
        return
    columns: list[Column[StoredDocument]] = [
        Column("kind", lambda d: d.kind),
        Column("name", lambda d: d.name),
        Column("vo", lambda d: d.vo),
        Column("spec", lambda d: d.spec),
    ]
    session.output.listing(session.client.pages(configuration.documents(kind)), columns, of="documents")


@verbs.command("export", example="sancho config export > grid.yaml")
def export(
    session: Session, kind: Annotated[str | None, typer.Option("--kind", help="Documents of this kind.")] = None
) -> None:
    """Write the documents in force as `sancho apply -f` reads them: applied at once, they change nothing.

    Secrets are not in it; a document that says none leaves them as they are.
    """
    found = [
        {"kind": d.kind, "name": d.name, "vo": d.vo, "spec": documents.without_secrets(d.spec)}
        for d in session.client.pages(configuration.documents(kind))
    ]
    if session.output.as_json:
        session.output.json(found)
    elif found:
        session.output.line(yaml.safe_dump_all(found, sort_keys=False, allow_unicode=True).rstrip("\n"))


@verbs.command("rollback", example="sancho config rollback 12 --dry-run")
def rollback(
    session: Session,
    version: Annotated[int, typer.Argument(metavar="VERSION", help="How things were then.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    yes: Yes = False,
) -> None:
    """Bring the configuration of a version back, as a new version."""
    planned = session.client.send(configuration.rollback(version, dry_run=True))
    if dry_run or not planned.changes:
        documents.show(planned, session.output, dry_run=True)
        return
    if not yes and not session.output.as_json:
        documents.show(planned, session.output, dry_run=True)
    session.confirm(f"Go back to version {version}?", yes=yes)
    documents.show(session.client.send(configuration.rollback(version)), session.output, dry_run=False)

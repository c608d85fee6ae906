"""`sancho identity list|add|remove`: what proves an account, beside a password or an identity provider."""

from pathlib import Path
from typing import Annotated

import typer

from sancho_client.calls import identity
from sancho_client.cli.options import Owner
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.errors import BadInput
from sancho_client.models.identity import Identity, Proof

verbs = Verbs("What proves an account: SSH keys, names in certificates: list, add, remove.")

Of = Annotated[str | None, typer.Option("--account", "-a", help="Another account than one's own.")]


def _account(session: Session, account: str | None) -> str:
    return account or session.client.send(identity.whoami()).account


@verbs.command("list", example="sancho identity list")
def list_(session: Session, account: Of = None, of: Owner = None) -> None:
    """List what proves an account."""
    columns: list[Column[Identity]] = [
        Column("kind", lambda i: i.kind),
        Column("subject", lambda i: i.subject),
        Column("added", lambda i: i.created_at),
        Column("last used", lambda i: i.proven_at),
    ]
    pages = identity.identities(_account(session, account), vo=of)
    session.output.listing(session.client.pages(pages), columns, of="identities")


@verbs.command("add", example="sancho identity add --ssh-key ~/.ssh/id_rsa.pub")
def add(
    session: Session,
    ssh_key: Annotated[Path | None, typer.Option("--ssh-key", help="File of a public key.")] = None,
    x509: Annotated[
        str | None, typer.Option("--x509", metavar="NAME", help="Name in a certificate, /DC=org/CN=Jane Doe.")
    ] = None,
    account: Of = None,
    of: Owner = None,
) -> None:
    """Let an SSH key, or who has a certificate in a name, log in to an account.

    A name in a certificate is for those who manage accounts to add.
    """
    if (ssh_key is None) == (x509 is None):
        raise BadInput("Say either --ssh-key or --x509.")
    name = _account(session, account)
    if ssh_key is not None:
        call = identity.add_identity(name, "ssh_key", _public_key(ssh_key), vo=of)
    else:
        call = identity.add_identity(name, "x509", x509 or "", vo=of)
    added = session.client.send(call)
    session.output.details(added, {"account": name, "kind": added.kind, "subject": added.subject})


@verbs.command("remove", example="sancho identity remove SHA256:ZDVqzYBIOk…")
def remove(
    session: Session,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="As `sancho identity list` shows it.")],
    account: Of = None,
    of: Owner = None,
) -> None:
    """Let an SSH key, or a name in certificates, log in to an account no more."""
    name = _account(session, account)
    session.client.send(identity.remove_identity(name, subject, vo=of))
    session.output.say(f"{subject} does not log in to {name} any more.")


@verbs.command("who", example="sancho identity who '/DC=org/DC=example/CN=Jane Doe'")
def who(
    session: Session,
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="A name in a certificate, or a key's print.")],
    of: Owner = None,
) -> None:
    """List the accounts that a name or a key logs in to: all for who manages accounts, else one's own."""
    columns: list[Column[Proof]] = [
        Column("account", lambda p: p.account),
        Column("kind", lambda p: p.kind),
        Column("last used", lambda p: p.proven_at),
    ]
    session.output.listing(session.client.send(identity.proofs_by(subject, vo=of)), columns, of="accounts")


def _public_key(file: Path) -> str:
    try:
        text = file.expanduser().read_text("utf-8")
    except (OSError, UnicodeDecodeError) as e:
        raise BadInput(f"{file} cannot be read: {e}.") from e
    if "PRIVATE KEY" in text:
        raise BadInput(f"{file} is a private key, which stays with you.", hint=f"Say {file}.pub.")
    return text

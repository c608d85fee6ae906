"""`sancho account export|erase`: all that is held of a person, told or taken out."""

import json
import sys
from typing import Annotated

import typer

from sancho_client.calls import identity
from sancho_client.cli.options import Owner, Yes
from sancho_client.cli.output import plain
from sancho_client.cli.verbs import Session, Verbs

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]


def add_to(verbs: Verbs) -> None:
    """Add these verbs to those of accounts."""
    verbs.command("export", example="sancho account export alice > alice.jsonl")(export)
    verbs.command("erase", example="sancho account erase alice")(erase)


def export(session: Session, name: Name, of: Owner = None) -> None:
    """Write everything that is held of the person behind an account, one JSON document a line.

    One's own, or with accounts:manage anybody's. No password, key or token is in it.
    """
    for line in session.client.lines(identity.export_person(name, of)):
        sys.stdout.write(json.dumps(plain(line), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def erase(session: Session, name: Name, of: Owner = None, yes: Yes = False) -> None:
    """Take a person out of everything. There is no way back.

    Address, proofs, logins and groups go, and what they wrote where nothing needs it. Jobs, rules, files and accounting
    stay, under a pseudonym; so do sealed rows of the audit log, as they are.
    """
    session.confirm(f"Erase the person behind {name}? There is no way back.", yes=yes)
    done = session.client.send(identity.erase_person(name, of))
    rows = {"account": done.account, **{f"rows of {part}": count for part, count in done.changed.items() if count}}
    session.output.details(done, rows)

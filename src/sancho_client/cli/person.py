"""`sancho account set|export|erase`: what is said of an account, and all that is held of a person."""

import json
import sys
from typing import Annotated

import typer

from sancho_client.calls import identity
from sancho_client.cli.job_files import scalar
from sancho_client.cli.options import Owner, Yes
from sancho_client.cli.output import plain
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.errors import BadInput

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account.")]


def add_to(verbs: Verbs) -> None:
    """Add these verbs to those of accounts."""
    verbs.command("set", example="sancho account set alice country=AT office=")(set_attributes)
    verbs.command("export", example="sancho account export alice > alice.jsonl")(export)
    verbs.command("erase", example="sancho account erase alice")(erase)


def set_attributes(
    session: Session,
    name: Name,
    words: Annotated[list[str], typer.Argument(metavar="KEY=[VALUE]...", help="Attributes; without a value it goes.")],
    of: Owner = None,
) -> None:
    """Give an account attributes, which say something of it and give no rights. Others than those named stay."""
    said = {key: scalar(value) if value else None for key, value in map(_parted, words)}
    changed = session.client.send(identity.change_attributes(name, said, vo=of))
    session.output.details(changed, {"account": changed.name, "attributes": changed.attributes})


def _parted(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise BadInput(f"{word!r} is not KEY=VALUE.", field=word)
    return key, value


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

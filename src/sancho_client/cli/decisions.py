"""`sancho can` and `sancho audit …`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from sancho_client.calls import decisions
from sancho_client.cli.options import Owner
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import ERROR, FAILED, Session, Verbs
from sancho_client.models.decisions import Decision

verbs = Verbs("The audit log: who was allowed or denied what.")
Time = Annotated[datetime | None, typer.Option(metavar="TIME", help="Such as 2026-11-27 or 2026-11-27T15:00:00; UTC.")]


def add_to(root: Verbs, *, panel: str) -> None:
    """Add the verbs of this module that have no group."""
    root.command("can", example="sancho can alice rules:create --on mc:run7/events.root", panel=panel)(can)


def can(
    session: Session,
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="Whose decision it would be.")],
    permission: Annotated[str, typer.Argument(metavar="PERMISSION", help="What: rules:create, jobs:manage, …")],
    on: Annotated[
        str | None, typer.Option("--on", metavar="THING", help="On what: a DID, site:NAME, tag:NAME, job:ID, rule:ID.")
    ] = None,
) -> None:
    """Say whether an account may do something, why, and what would be needed. Exit code 0: yes, 1: no."""
    found = session.client.send(decisions.can(permission, account=account, on=on))
    if session.output.as_json:
        session.output.json(found)
    else:
        session.output.line("yes" if found.allowed else "no", "green" if found.allowed else "red")
        for sentence in found.because:
            session.output.line(f"  {sentence}")
        for sentence in found.needed:
            session.output.line(f"  needed: {sentence}")
    if not found.allowed:
        raise typer.Exit(ERROR)


COLUMNS: list[Column[Decision]] = [
    Column("at", lambda d: d.at),
    Column("account", lambda d: d.account),
    Column("permission", lambda d: d.permission),
    Column("on", lambda d: d.on),
    Column("items", lambda d: d.items, "right"),
    Column("allowed", lambda d: d.allowed),
    Column("why", lambda d: d.why),
    Column("route", lambda d: d.route),
    Column("client", lambda d: d.client),
    Column("trace", lambda d: d.trace_id),
]


@verbs.command("list", example="sancho audit list --denied --since 2026-11-27")
def list_decisions(
    session: Session,
    since: Time = None,
    until: Time = None,
    account: Annotated[str | None, typer.Option("--account", help="Decisions about this account.")] = None,
    permission: Annotated[str | None, typer.Option("--permission", help="Uses of this permission.")] = None,
    allowed: Annotated[bool | None, typer.Option("--allowed/--denied", help="Only these.")] = None,
    on: Annotated[str | None, typer.Option("--on", metavar="THING", help="How the thing begins: mc:run, site:")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the newest first.")] = 100,
    of: Owner = None,
) -> None:
    """List decisions about what changes something, newest first; for who may audit:read."""
    wanted = {
        "since": _utc(since), "until": _utc(until), "account": account, "permission": permission, "allowed": allowed,
        "on": on, "vo": of,
    }  # fmt: skip
    session.output.listing(session.client.pages(decisions.audit(wanted, limit=limit)), COLUMNS, of="decisions")


@verbs.command("verify", example="sancho audit verify --head 17:5f0c…")
def verify(
    session: Session,
    head: Annotated[
        str | None, typer.Option("--head", metavar="NUMBER:HASH", help="A batch that an earlier check named.")
    ] = None,
    of: Owner = None,
) -> None:
    """Check that the audit log is as it was sealed. Exit code 0: it is, 3: it is not."""
    found = session.client.send(decisions.verify(head, of))
    rows = {
        "intact": found.intact, "broken": found.broken, "why": found.why, "batches": found.batches,
        "rows": found.rows, "dropped": found.dropped or None, "head": found.head,
    }  # fmt: skip
    session.output.details(found, rows)
    if not found.intact:
        raise typer.Exit(FAILED)


def _utc(time: datetime | None) -> str | None:
    return None if time is None else time.replace(tzinfo=UTC).isoformat()

"""`sancho rule …`."""

from typing import Annotated

import typer

from sancho_client.calls import rules
from sancho_client.cli.options import Lifetime, Yes, lifetime_of
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.rules import Held, Lock, Preview, PreviewPlace, PreviewQuota, Rule, RuleEvent, TransferRequest

verbs = Verbs("Rules: what should exist where.")
Activity = Annotated[
    str | None, typer.Option("--activity", help="The share of transfers that its files are brought with.")
]
RuleId = Annotated[int, typer.Argument(metavar="RULE", help="The rule's number.")]


@verbs.command("add", example="sancho rule add mc:run1 'tier=1&country=UK' --copies 2 --lifetime '30 d'")
def add(
    session: Session,
    did: Annotated[str, typer.Argument(metavar="DID", help="What is to be kept.")],
    on: Annotated[str, typer.Argument(metavar="EXPR", help="The RSEs to choose from, as an expression.")],
    copies: Annotated[int, typer.Option("--copies", min=1, help="So many copies.")] = 1,
    lifetime: Lifetime = None,
    comment: Annotated[str | None, typer.Option("--comment", help="Why.")] = None,
    activity: Activity = None,
    ask_approval: Annotated[
        bool, typer.Option("--ask-approval", help="It waits until somebody who may approves it.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would come of it: where, bytes, quotas, time.")
    ] = False,
) -> None:
    """Ask for copies of a DID on RSEs that match an expression."""
    if dry_run:
        _foresee(session, session.client.send(rules.preview(session.did(did), on, copies=copies)))
        return
    said = rules.create(
        session.did(did), on, copies=copies, lifetime=lifetime_of(lifetime), comment=comment, activity=activity,
        ask_approval=ask_approval,
    )  # fmt: skip
    _show(session, session.client.send(said))


def _foresee(session: Session, found: Preview) -> None:
    if session.output.as_json:
        session.output.json(found)
        return
    columns: list[Column[PreviewPlace]] = [
        Column("rse", lambda p: p.rse),
        Column("there", lambda p: p.size, "size"),
        Column("to copy", lambda p: p.to_copy, "size"),
        Column("time", lambda p: p.seconds, "seconds"),
    ]
    if found.reason is None:
        session.output.listing(found.places, columns, of="places")
    else:
        session.output.line(f"refused: {found.reason}")
    charged: list[Column[PreviewQuota]] = [
        Column("quota", lambda q: q.name),
        Column("needed", lambda q: q.needed, "size"),
        Column("room", lambda q: q.room, "size"),
    ]
    if found.quotas:
        session.output.line("")
        session.output.listing(found.quotas, charged, of="quotas", title="Quotas" if session.output.pretty else None)


@verbs.command("list", example="sancho rule list --did mc:run1")
def list_(
    session: Session,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="Rules on this DID.")] = None,
    account: Annotated[str | None, typer.Option("--account", help="Rules of this account.")] = None,
    state: Annotated[str | None, typer.Option("--state", help="Rules in this state.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100,
) -> None:
    """List rules."""
    columns: list[Column[Rule]] = [
        Column("rule", lambda r: r.rule_id, "right"),
        Column("did", lambda r: r.did),
        Column("state", lambda r: r.state, "state"),
        Column("copies", lambda r: r.copies, "right"),
        Column("on", lambda r: r.rse_expression),
        Column("ok", lambda r: r.ok, "right"),
        Column("replicating", lambda r: r.replicating, "right"),
        Column("stuck", lambda r: r.stuck, "right"),
        Column("account", lambda r: r.account),
        Column("until", lambda r: r.expires_at),
        Column("comment", lambda r: r.comment),
    ]
    found = session.client.pages(
        rules.list_rules(did=did and session.did(did), account=account, state=state, limit=limit)
    )
    session.output.listing(found, columns, of="rules")


@verbs.command("show", example="sancho rule show 7 --locks")
def show(
    session: Session,
    rule: RuleId,
    locks: Annotated[bool, typer.Option("--locks", help="Its locks too, one for each file and RSE.")] = False,
) -> None:
    """Show a rule, how far it is carried out, and why it is stuck."""
    found = session.client.send(rules.show(rule))
    held = list(session.client.pages(rules.locks(rule))) if locks else []
    if session.output.as_json and locks:
        session.output.json({"rule": found, "locks": held})
        return
    _show(session, found)
    if locks:
        columns: list[Column[Lock]] = [
            Column("file", lambda k: k.did),
            Column("rse", lambda k: k.rse),
            Column("state", lambda k: k.state, "state"),
            Column("size", lambda k: k.size, "size"),
            Column("error", lambda k: k.error),
        ]
        session.output.line("")
        session.output.listing(held, columns, of="locks", title="Locks" if session.output.pretty else None)


@verbs.command("held", example="sancho rule held A-DISK")
def held(session: Session, rse: Annotated[str, typer.Argument(metavar="RSE", help="Where.")]) -> None:
    """List what rules hold of datasets on an RSE."""
    columns: list[Column[Held]] = [
        Column("rule", lambda h: h.rule_id, "right"),
        Column("dataset", lambda h: h.dataset),
        Column("state", lambda h: h.state, "state"),
        Column("files", lambda h: h.files, "right"),
        Column("size", lambda h: h.size, "size"),
        Column("account", lambda h: h.account),
    ]
    session.output.listing(session.client.lines(rules.held(rse)), columns, of="locks")


@verbs.command("change", example="sancho rule change 7 --lifetime '30 d' --comment 'for the paper'")
def change(
    session: Session,
    rule: RuleId,
    lifetime: Lifetime = None,
    forever: Annotated[bool, typer.Option("--for-ever", help="It does not end by itself.")] = False,
    comment: Annotated[str | None, typer.Option("--comment", help="Why.")] = None,
    locked: Annotated[
        bool | None, typer.Option("--lock/--unlock", help="A locked rule stays, whoever withdraws it.")
    ] = None,
    account: Annotated[str | None, typer.Option("--account", help="Whose it is from now on.")] = None,
    activity: Activity = None,
) -> None:
    """Change how long a rule lives from now on, its comment, its activity, whether it is locked, or whose it is."""
    if forever and lifetime is not None:
        raise typer.BadParameter("say either --lifetime or --for-ever")
    said = rules.change(
        rule, forever=forever, lifetime=lifetime_of(lifetime), comment=comment, locked=locked, account=account,
        activity=activity,
    )  # fmt: skip
    _show(session, session.client.send(said))


@verbs.command("move", example="sancho rule move 7 'tier=1&country=FR'")
def move(
    session: Session,
    rule: RuleId,
    on: Annotated[str, typer.Argument(metavar="EXPR", help="The RSEs to choose from, as an expression.")],
    copies: Annotated[int | None, typer.Option("--copies", min=1, help="So many copies; else as many.")] = None,
    lifetime: Lifetime = None,
    activity: Activity = None,
) -> None:
    """Have the copies of a rule on other RSEs: a new rule is made, and the old one goes once that is ok."""
    said = rules.move(rule, on, copies=copies, lifetime=lifetime_of(lifetime), activity=activity)
    _show(session, session.client.send(said))


@verbs.command("reduce", example="sancho rule reduce 7 --copies 1 --without 'country=FR'")
def reduce(
    session: Session,
    rule: RuleId,
    copies: Annotated[int, typer.Option("--copies", min=1, help="So many copies stay.")],
    without: Annotated[
        str | None, typer.Option("--without", metavar="EXPR", help="None stays on RSEs that match.")
    ] = None,
    yes: Yes = False,
) -> None:
    """Ask for fewer copies; what nothing else holds is deleted from storage a little later."""
    session.confirm(f"Let rule {rule} keep {copies} copies only?", yes=yes)
    _show(session, session.client.send(rules.reduce(rule, copies, exclude=without)))


@verbs.command("approve", example="sancho rule approve 7")
def approve(session: Session, rule: RuleId) -> None:
    """Let a rule that waits for approval be in force."""
    _show(session, session.client.send(rules.approve(rule)))


@verbs.command("deny", example="sancho rule deny 7 --reason 'too large'")
def deny(
    session: Session, rule: RuleId, reason: Annotated[str | None, typer.Option("--reason", help="Why.")] = None
) -> None:
    """Remove a rule that waits for approval; its history says why."""
    session.client.send(rules.deny(rule, reason))
    if session.output.as_json:
        session.output.json({"denied": rule})
    session.output.line(f"rule {rule} denied")


@verbs.command("retry", example="sancho rule retry 7")
def retry(session: Session, rule: RuleId) -> None:
    """Try now what of a rule is stuck, and do not wait for its time."""
    _show(session, session.client.send(rules.retry(rule)))


@verbs.command("history", example="sancho rule history --did mc:run1")
def history(
    session: Session,
    rule: Annotated[int | None, typer.Argument(metavar="[RULE]", help="The rule's number.")] = None,
    did: Annotated[str | None, typer.Option("--did", metavar="DID", help="Of all rules on this DID.")] = None,
) -> None:
    """List what was done to a rule, or to all rules on a DID, and by whom; also when they are gone."""
    if (rule is None) == (did is None):
        raise typer.BadParameter("say either a rule or --did")
    columns: list[Column[RuleEvent]] = [
        Column("at", lambda e: e.at),
        Column("rule", lambda e: e.rule_id, "right"),
        Column("what", lambda e: e.kind),
        Column("by", lambda e: e.by),
        Column("state", lambda e: e.state, "state"),
        Column("copies", lambda e: e.copies, "right"),
        Column("on", lambda e: e.rse_expression),
        Column("detail", lambda e: e.detail),
    ]
    session.output.listing(session.client.pages(rules.history(rule_id=rule, did=did)), columns, of="events")


@verbs.command("rm", example="sancho rule rm 7 --yes")
def rm(
    session: Session,
    rule: RuleId,
    yes: Yes = False,
) -> None:
    """Withdraw a rule; copies that nothing else holds are deleted from storage a little later."""
    found = session.client.send(rules.show(rule))
    session.confirm(f"Withdraw rule {rule}: {found.copies} copies of {found.did} on {found.rse_expression}?", yes=yes)
    session.client.send(rules.delete(rule))
    if session.output.as_json:
        session.output.json({"withdrawn": [rule]})
    session.output.line(f"rule {rule} withdrawn")


@verbs.command("transfers", example="sancho rule transfers --state stuck")
def transfers(
    session: Session,
    state: Annotated[str | None, typer.Option("--state", help="Requests in this state.")] = None,
    rse: Annotated[str | None, typer.Option("--rse", help="Requests to bring files to this RSE.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many, the oldest first.")] = 100,
) -> None:
    """List the transfers that rules still wait for, and why they fail."""
    columns: list[Column[TransferRequest]] = [
        Column("did", lambda t: t.did),
        Column("size", lambda t: t.size, "size"),
        Column("from", lambda t: t.source),
        Column("to", lambda t: t.rse),
        Column("state", lambda t: t.state, "state"),
        Column("tries", lambda t: t.tries, "right"),
        Column("next try", lambda t: t.not_before),
        Column("error", lambda t: t.error),
    ]
    found = session.client.pages(rules.transfers(state=state, rse=rse, limit=limit))
    session.output.listing(found, columns, of="transfers")


def _show(session: Session, rule: Rule) -> None:
    rows = {
        "rule": rule.rule_id,
        "did": rule.did,
        "state": rule.state,
        "error": rule.error,
        "copies": rule.copies,
        "on": rule.rse_expression,
        "RSEs": rule.rses,
        "locks": f"{rule.ok} ok, {rule.replicating} replicating, {rule.stuck} stuck",
        "account": rule.account,
        "activity": rule.activity,
        "created": rule.created_at,
        "until": rule.expires_at,
        "locked": rule.locked or None,
        "goes for": rule.replaces,
        "goes once ok": rule.replaced_by,
        "comment": rule.comment,
    }
    session.output.details(rule, rows)

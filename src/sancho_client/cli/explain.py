"""`sancho explain …`."""

from typing import Annotated

import typer

from sancho_client.calls import explain
from sancho_client.cli.verbs import Session, Verbs
from sancho_client.models.explain import Blocker, Explanation

verbs = Verbs("Why something waits, and what would help.")


@verbs.command("job", example="sancho explain job 17")
def job(session: Session, job: Annotated[int, typer.Argument(metavar="JOB", help="The job's number.")]) -> None:
    """Say why a job does not run, and what would start it."""
    _show(session, session.client.send(explain.job(job)))


@verbs.command("rule", example="sancho explain rule 7")
def rule(session: Session, rule: Annotated[int, typer.Argument(metavar="RULE", help="The rule's number.")]) -> None:
    """Say why a rule is not ok, and what would make it so."""
    _show(session, session.client.send(explain.rule(rule)))


@verbs.command("file", example="sancho explain file mc:run1/f1.root")
def file(session: Session, did: Annotated[str, typer.Argument(metavar="DID", help="The file.")]) -> None:
    """Say where a file can be read or why it cannot, what holds it, and what becomes of it."""
    _show(session, session.client.send(explain.file(session.did(did))))


@verbs.command("pilot", example="sancho explain pilot 42")
def pilot(session: Session, pilot: Annotated[int, typer.Argument(metavar="PILOT", help="The pilot's number.")]) -> None:
    """Say what a pilot offers, and why it gets no job of your VO."""
    _show(session, session.client.send(explain.pilot(pilot)))


def _show(session: Session, found: Explanation) -> None:
    output = session.output
    start = {} if found.expected_start is None else {"expected start": found.expected_start.text}
    rows = {found.kind: found.name, "state": found.state, "in short": found.says, **start, **found.facts}
    output.details(found, rows)
    if found.blockers:
        output.line("")
        output.line("In the way, in this order:", "bold")
    for number, blocker in enumerate(found.blockers, start=1):
        _tell(session, number, blocker)
    if found.would:
        output.line("")
        output.line("What would help:" if any(each.changes for each in found.would) else "What comes:", "bold")
    for each in found.would:
        output.line(f"  - {each.says}.", "green" if not each.changes else None)


def _tell(session: Session, number: int, blocker: Blocker) -> None:
    output = session.output
    output.line(f"  {number}. {blocker.says}", "yellow")
    for thing in blocker.things:
        output.line(f"       {thing}")
    if blocker.hint:
        output.line(f"     {blocker.hint}", "dim")

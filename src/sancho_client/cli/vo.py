"""`sancho vo create|check`: bring a VO in, and see whether it can work.

`create` asks a person for what matters and was not said; a script says everything by options. Both end in the
checklist, whose last lines are a smoke test: what the VO's users do, with a tiny file and a tiny job.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer

from sancho_client.calls import identity, topology, vos
from sancho_client.cli import documents
from sancho_client.cli.job_files import scalar
from sancho_client.cli.output import Column
from sancho_client.cli.smoke import FILE, JOB, PATIENCE, smoke
from sancho_client.cli.verbs import FAILED, Session, Verbs
from sancho_client.client import Client
from sancho_client.errors import BadInput, ClientError
from sancho_client.models.configuration import Applied
from sancho_client.models.vos import Check, NewVo, NewVoMade, Resource
from sancho_client.tokens import GivenToken

KINDS = {"site": "Site", "ce": "ComputeElement", "computeelement": "ComputeElement", "rse": "RSE"}
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]
Wait = Annotated[
    float, typer.Option(min=0, max=86400, metavar="SECONDS", help="How long to wait for a pilot to run the smoke job.")
]
COLUMNS: list[Column[Check]] = [
    Column("what", lambda c: c.what),
    Column("", lambda c: c.outcome, "state"),
    Column("found", lambda c: c.found),
    Column("what to do", lambda c: c.next),
]


@dataclass
class Wishes:
    """What was said on the command line."""

    alias: str | None = None
    issuer: str | None = None
    settings: dict[str, str] = field(default_factory=dict[str, str])
    members: Sequence[str] = ()
    group: Sequence[str] = ()
    quota: Sequence[str] = ()
    scope: Sequence[str] = ()
    grant: Sequence[str] = ()


def add_to(verbs: Verbs) -> None:
    """Add these verbs to those of VOs."""
    example = (
        "sancho vo create belle --alias bel --issuer https://iam.example.org --client-id sancho --grant rse=A-DISK"
    )
    verbs.command("create", example=example)(create)
    verbs.command("check", example="sancho vo check belle")(check)


def create(
    session: Session,
    name: Name,
    alias: Annotated[str | None, typer.Option(help="At most three letters, for Rucio's clients.")] = None,
    admin: Annotated[str, typer.Option(help="Account of the first administrator.")] = "admin",
    email: Annotated[str | None, typer.Option(help="Where the first administrator can be reached.")] = None,
    issuer: Annotated[str | None, typer.Option(metavar="URL", help="Identity provider: its issuer.")] = None,
    client_id: Annotated[str | None, typer.Option(help="What the identity provider calls us.")] = None,
    client_secret: Annotated[
        str | None, typer.Option(metavar="NAME", help="Name of the VO's secret that proves who we are.")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="generic, iam, checkin, cilogon or keycloak.")] = None,
    member: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help="Only members of this group of the provider are ours.")
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option(metavar="NAME[=PERMISSION,…]", help="A group beside users and admins.")
    ] = None,
    quota: Annotated[
        list[str] | None, typer.Option(metavar="SIZE[@EXPR]", help="What all may keep on RSEs that match: '10 TB@*'.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A scope in which everybody may make DIDs.")
    ] = None,
    share: Annotated[float | None, typer.Option(help="What it counts beside other VOs; 1 if absent.")] = None,
    no_passwords: Annotated[
        bool, typer.Option("--no-passwords", help="Its accounts log in by the identity provider only.")
    ] = False,
    grant: Annotated[
        list[str] | None, typer.Option(metavar="site|ce|rse=NAME", help="Let it use this; of a site, all of it.")
    ] = None,
    wait: Wait = PATIENCE,
) -> None:
    """Make a VO with all that it needs, without a restart, and check it; for administrators of the installation.

    On a terminal it asks for what matters and was not said. The first administrator's password is shown this once.
    """
    provider = {"client_id": client_id, "client_secret": client_secret, "profile": profile}
    wishes = Wishes(
        alias=alias, issuer=issuer, settings={k: v for k, v in provider.items() if v is not None},
        members=member or (), group=group or (), quota=quota or (), scope=scope or (), grant=grant or (),
    )  # fmt: skip
    if session.asks and not session.output.as_json and wishes == Wishes():
        _ask(session, wishes)
    new = NewVo(name=name, alias=wishes.alias, share=share, admin=admin, email=email)
    new.passwords = False if no_passwords else None
    _wish(new, wishes)
    made = session.client.send(vos.create(new))
    checks = _checks(session, name, made, wait)
    if session.output.as_json:
        said = {"version": made.version, "administrator": made.administrator, "checks": checks}
        session.output.json(said)
    else:
        documents.show(Applied(version=made.version, changes=made.changes), session.output, dry_run=False)
        _show_administrator(session, made)
        session.output.listing(checks, COLUMNS, of="checks")
    _leave(checks)


def _show_administrator(session: Session, made: NewVoMade) -> None:
    who = made.administrator
    if who.password is None:
        session.output.line(f"Administrator: {who.account}, without a password")
        return
    session.output.line(f"Administrator: {who.account}, password {who.password}")
    session.output.say("The password is shown this once; change it with `sancho account password`.")


def check(session: Session, name: Name, wait: Wait = PATIENCE) -> None:
    """Say whether a VO has what it needs to work, and what to do about what is missing.

    As an account of the VO it also uploads a tiny file, reads it back and gives it up, and lets a pilot run a job that
    does nothing. Exit code 3: something is missing.
    """
    checks = [*session.client.send(vos.check(name)), *_smoke_as(session, name, wait)]
    session.output.listing(checks, COLUMNS, of="checks")
    _leave(checks)


def _leave(checks: Sequence[Check]) -> None:
    if any(one.outcome == "missing" for one in checks):
        raise typer.Exit(FAILED)


def _ask(session: Session, wishes: Wishes) -> None:
    """Ask a person for what was not said; an empty answer leaves it out."""

    def asked(question: str) -> str:
        return str(typer.prompt(question, default="", show_default=False, err=True)).strip()

    def words(question: str) -> list[str]:
        return asked(question).split()

    wishes.alias = asked("A short alias for Rucio's clients, three letters at most (Enter: none)") or None
    wishes.issuer = asked("Issuer of its identity provider, https://… (Enter: passwords only)") or None
    if wishes.issuer:
        wishes.settings["client_id"] = asked("What that provider calls us, the client id")
        secret = asked("Name of the VO's secret for it (Enter: none, a public client)")
        wishes.settings |= {"client_secret": secret} if secret else {}
    storages = [rse.name for rse in session.client.pages(topology.rses())]
    ces = [ce.name for ce in session.client.pages(topology.ces())]
    chosen = words(f"RSEs it may use, with spaces between (there are {', '.join(storages) or 'none'})")
    wishes.grant = [f"rse={one}" for one in chosen]
    chosen = words(f"CEs it may use (there are {', '.join(ces) or 'none'})")
    wishes.grant = [*wishes.grant, *(f"ce={one}" for one in chosen)]
    limit = asked("How much it may keep there in all, such as 10 TB (Enter: no limit)")
    wishes.quota = [limit] if limit else ()
    wishes.scope = words("Scopes in which everybody may make DIDs (Enter: none but everybody's own)")


def _wish(new: NewVo, wishes: Wishes) -> None:
    if wishes.issuer is not None:
        spec: dict[str, Any] = {"issuer": wishes.issuer, "settings": wishes.settings}
        new.providers = {"login": spec | ({"members": list(wishes.members)} if wishes.members else {})}
    elif wishes.settings or wishes.members:
        raise BadInput("These options are about an identity provider.", hint="Say --issuer.")
    for word in wishes.group:
        name, _, permissions = word.partition("=")
        new.groups[name] = {"permissions": [p.strip() for p in permissions.split(",") if p.strip()]}
    for number, word in enumerate(wishes.quota):
        limit, _, expression = word.partition("@")
        name = "total" if number == 0 else f"total-{number + 1}"
        new.quotas[name] = {"size": scalar(limit.strip()), "rse_expression": expression.strip() or "*"}
    new.scopes = list(wishes.scope)
    for word in wishes.grant:
        kind, _, name = word.partition("=")
        if kind.lower() not in KINDS or not name:
            raise BadInput(f"{word!r} is not site=NAME, ce=NAME or rse=NAME.", field="grant")
        new.grants.append(Resource(kind=KINDS[kind.lower()], name=name))


def _checks(session: Session, name: str, made: NewVoMade, patience: float) -> list[Check]:
    """The checklist of a VO that has just been made, with the smoke test as its first administrator."""
    checks = session.client.send(vos.check(name))
    who = made.administrator
    if who.password is None:
        return [*checks, *_smoke_as(session, name, patience)]
    try:
        tokens = session.client.send(identity.login(name, who.account, who.password))
    except ClientError as e:
        return [*checks, Check(what=FILE, outcome="missing", found=e.message, next=e.hint)]
    with Client(session.client.url, tokens=GivenToken(tokens.access_token), environment=session.environment) as client:
        checks += smoke(session, client, patience)
    if tokens.refresh_token is not None:
        session.client.send(identity.revoke(tokens.refresh_token))
    return checks


def _smoke_as(session: Session, name: str, patience: float) -> list[Check]:
    """The smoke test as the caller; of somebody else's VO, the advice how to have it."""
    me = session.client.send(identity.whoami())
    if me.vo != name:
        advice = f"`sancho login --vo {name}`, then `sancho vo check {name} --vo {name}`"
        found = f"you are of VO {me.vo}"
        return [Check(what=what, outcome="advised", found=found, next=advice) for what in (FILE, JOB)]
    return smoke(session, session.client, patience)

"""The things an installation consists of: `sancho account|group|vo|site|ce|rse|quota|setting|pilot|program list|…`.

They all work alike, so each is described once and gets its verbs from here. `add` makes one document and applies it,
exactly as `sancho apply` would.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import typer
from pydantic import BaseModel

from sancho_client.call import Call, Pages
from sancho_client.calls import configuration, identity, rules, topology
from sancho_client.cli import documents, person, pilot, vo
from sancho_client.cli.options import Owner
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs, ask_password
from sancho_client.errors import BadInput
from sancho_client.models.configuration import ClientSettings
from sancho_client.models.identity import Account, Group
from sancho_client.models.rules import UsageOn
from sancho_client.models.topology import ComputeElement, Pilot, Program, Quota, Rse, RseReport, Site, Vo

M = TypeVar("M", bound=BaseModel)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name.")]
Settings = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[KEY=VALUE]...", help="Its settings, values as in YAML; `attributes.tier=1` for what is nested."
    ),
]
UNITS: dict[str, str] = {"size": "size", "used": "size", "room": "size", "memory": "size"}
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Thing(Generic[M]):
    """One kind of thing: how it is listed and shown, and the document that makes it."""

    noun: str
    help: str
    columns: Sequence[Column[M]]
    pages: Callable[[str | None], Pages[M]]
    """The listing; of another VO, if `of_vo` says so."""
    of_vo: bool = False
    """Whether those of another VO can be asked for."""
    one: Callable[[str, str | None], Call[M]] | None = None
    """The call for one; without it, it is looked up in the listing."""
    key: Callable[[M], str] = lambda thing: str(getattr(thing, "name", ""))
    kind: str | None = None
    """The kind of its documents; None: it cannot be added."""
    example: str
    """A name, for examples."""
    settings: str = ""
    """Settings of a document, for examples."""

    @property
    def plural(self) -> str:
        """The word for many: accounts, RSEs."""
        return f"{self.noun.upper() if len(self.noun) <= len('rse') else self.noun}s"


def verbs_of(thing: Thing[M]) -> Verbs:
    """The verbs of a kind of thing."""
    verbs = Verbs(f"{thing.help}: list, show, add." if thing.kind else f"{thing.help}: list, show.")

    def list_of(session: Session, of: Owner = None) -> None:
        session.output.listing(session.client.pages(thing.pages(of)), thing.columns, of=thing.plural)

    def list_(session: Session) -> None:
        list_of(session)

    def show_of(session: Session, name: Name, of: Owner = None) -> None:
        found = _find(session, thing, name, of)
        session.output.details(found, _rows(found), units=UNITS)

    def show(session: Session, name: Name) -> None:
        show_of(session, name)

    verbs.command("list", example=f"sancho {thing.noun} list", help_text=f"List: {thing.help}.")(
        list_of if thing.of_vo else list_
    )
    verbs.command("show", example=f"sancho {thing.noun} show {thing.example}", help_text=f"Show one: {thing.help}.")(
        show_of if thing.of_vo else show
    )
    if thing.kind is not None:
        _add_add(verbs, thing, thing.kind)
    return verbs


def _add_add(verbs: Verbs, thing: Thing[M], kind: str) -> None:
    def add(session: Session, name: Name, setting: Settings = None, of: Owner = None, dry_run: DryRun = False) -> None:
        document = documents.from_settings(kind, name, of, setting or [])
        applied = session.client.send(configuration.apply([document], dry_run=dry_run))
        documents.show(applied, session.output, dry_run=dry_run)

    verbs.command(
        "add",
        example=f"sancho {thing.noun} add {thing.example} {thing.settings}".rstrip(),
        help_text=f"Make or change one: {thing.help}.\n\nThe same as applying a document of kind {kind}.",
    )(add)


def _find(session: Session, thing: Thing[M], name: str, of: str | None) -> M:
    if thing.one is not None:
        return session.client.send(thing.one(name, of))
    for found in session.client.pages(thing.pages(of)):
        if thing.key(found) == name:
            return found
    raise BadInput(f"There is no {thing.noun} {name} that you may see.", hint=f"See `sancho {thing.noun} list`.")


def _rows(found: BaseModel) -> dict[str, Any]:
    return {name.replace("_", " "): getattr(found, name) for name in type(found).model_fields}


ACCOUNT: Thing[Account] = Thing(
    noun="account",
    help="Accounts, which own jobs, rules and usage",
    pages=identity.accounts,
    of_vo=True,
    one=identity.account,
    columns=[
        Column("account", lambda a: a.name),
        Column("kind", lambda a: a.kind),
        Column("state", lambda a: a.state, "state"),
        Column("groups", lambda a: a.groups),
        Column("email", lambda a: a.email),
        Column("attributes", lambda a: a.attributes),
    ],
    kind="Account",
    example="alice",
    settings="email=alice@example.org 'groups=[users]'",
)
GROUP: Thing[Group] = Thing(
    noun="group",
    help="Groups of accounts, with permissions and a share",
    pages=identity.groups,
    of_vo=True,
    columns=[
        Column("group", lambda g: g.name),
        Column("share", lambda g: g.share, "right"),
        Column("permissions", lambda g: g.permissions),
    ],
    kind="Group",
    example="production",
    settings="share=3 'permissions=[jobs:create, rules:create, uploads:create]'",
)
VO: Thing[Vo] = Thing(
    noun="vo",
    help="Virtual organisations",
    pages=lambda _of: topology.vos(),
    columns=[Column("vo", lambda v: v.name), Column("alias", lambda v: v.alias)],
    kind="VO",
    example="belle",
)
SITE: Thing[Site] = Thing(
    noun="site",
    help="Sites, which have CEs and RSEs",
    pages=lambda _of: topology.sites(),
    one=lambda name, _of: topology.site(name),
    columns=[
        Column("site", lambda s: s.name),
        Column("enabled", lambda s: s.enabled),
        Column("attributes", lambda s: s.attributes),
    ],
    kind="Site",
    example="SITE-C",
    settings="attributes.country=UK",
)
CE: Thing[ComputeElement] = Thing(
    noun="ce",
    help="Compute elements, the doors to batch systems",
    pages=lambda _of: topology.ces(),
    one=lambda name, _of: topology.ce(name),
    columns=[
        Column("ce", lambda c: c.name),
        Column("site", lambda c: c.site),
        Column("plugin", lambda c: c.plugin),
        Column("cores", lambda c: c.cores, "right"),
        Column("memory", lambda c: c.memory, "size"),
        Column("walltime", lambda c: c.walltime, "seconds"),
        Column("pilots", lambda c: c.max_pilots, "right"),
        Column("price", lambda c: c.price, "right"),
        Column("gCO2/h", lambda c: c.carbon, "right"),
        Column("tags", lambda c: c.tags),
        Column("enabled", lambda c: c.enabled),
    ],
    kind="ComputeElement",
    example="C-CE",
    settings="site=SITE-C plugin=local cores=2 'memory=4 GB' walltime=24h max_pilots=10",
)
RSE: Thing[Rse] = Thing(
    noun="rse",
    help="Storage elements",
    pages=lambda _of: topology.rses(),
    one=lambda name, _of: topology.rse(name),
    columns=[
        Column("rse", lambda r: r.name),
        Column("site", lambda r: r.site),
        Column("readable", lambda r: r.readable),
        Column("writable", lambda r: r.writable),
        Column("attributes", lambda r: r.attributes),
    ],
    kind="RSE",
    example="C-DISK",
    settings="site=SITE-C plugin=webdav prefix=https://storage.example.org/grid attributes.tier=2",
)
USAGE: list[Column[RseReport]] = [
    Column("source", lambda r: r.source),
    Column("used", lambda r: r.used, "size"),
    Column("free", lambda r: r.free, "size"),
    Column("files", lambda r: r.files, "right"),
    Column("reported", lambda r: r.reported_at),
]
QUOTA: Thing[Quota] = Thing(
    noun="quota",
    help="Quotas: bytes that may be kept on RSEs",
    pages=lambda _of: rules.quotas(),
    columns=[
        Column("quota", lambda q: q.name),
        Column("account", lambda q: q.account or "all together"),
        Column("on", lambda q: q.rse_expression),
        Column("size", lambda q: q.size, "size"),
        Column("used", lambda q: q.used, "size"),
        Column("room", lambda q: q.room, "size"),
    ],
    kind="Quota",
    example="alice-disk",
    settings="account=alice rse_expression=tier=1 'size=10 TB'",
)
SETTING: Thing[ClientSettings] = Thing(
    noun="setting",
    help="What the VO tells its clients and scripts, by section; the server reads none of it",
    pages=lambda _of: configuration.client_settings(),
    columns=[Column("section", lambda s: s.name), Column("options", lambda s: s.options)],
    kind="ClientSettings",
    example="upload",
    settings="options.threads=4 options.verify=true",
)
PILOT: Thing[Pilot] = Thing(
    noun="pilot",
    help="Pilots, our processes in the slots of sites",
    pages=lambda _of: topology.pilots(limit=200),
    key=lambda p: p.stamp,
    columns=[
        Column("pilot", lambda p: p.stamp),
        Column("state", lambda p: p.state, "state"),
        Column("ce", lambda p: p.ce),
        Column("site", lambda p: p.site),
        Column("started", lambda p: p.created_at),
        Column("ended", lambda p: p.ended_at),
        Column("last beat", lambda p: p.last_beat),
        Column("detail", lambda p: p.detail),
    ],
    example="5f2c0a",
)


PROGRAM: Thing[Program] = Thing(
    noun="program",
    help="Programs that are alive: services of the VO that report, and those that run the installation",
    pages=lambda _of: topology.programs(),
    columns=[
        Column("program", lambda p: p.name),
        Column("host", lambda p: p.host),
        Column("pid", lambda p: p.pid, "right"),
        Column("thread", lambda p: p.thread),
        Column("since", lambda p: p.started_at),
        Column("seen", lambda p: p.seen_at),
        Column("detail", lambda p: p.detail),
    ],
    example="worker",
)


def add_to(root: Verbs, *, panel: str) -> None:
    """Add the verbs of all things."""
    groups = {
        "account": verbs_of(ACCOUNT),
        "group": verbs_of(GROUP),
        "vo": verbs_of(VO),
        "site": verbs_of(SITE),
        "ce": verbs_of(CE),
        "rse": verbs_of(RSE),
        "quota": verbs_of(QUOTA),
        "setting": verbs_of(SETTING),
        "pilot": verbs_of(PILOT),
        "program": verbs_of(PROGRAM),
    }
    groups["account"].command("password", example="sancho account password alice")(password)
    groups["account"].command("usage", example="sancho account usage alice A-DISK")(account_usage)
    groups["account"].command("secret", example="sancho account secret robot")(secret)
    person.add_to(groups["account"])
    pilot.add_to(groups["pilot"])
    vo.add_to(groups["vo"])
    groups["rse"].command("usage", example="sancho rse usage C-DISK")(usage)
    groups["rse"].command("resolve", example="sancho rse resolve 'tier=1&country=UK'")(resolve)
    for noun, verbs in groups.items():
        root.add(verbs, noun, panel=panel)


def secret(session: Session, name: Annotated[str, typer.Argument(help="A service account.")]) -> None:
    """Make the secret by which a service account gets tokens, instead of the one before. It is shown this once."""
    made = session.client.send(identity.client_secret(name))
    session.output.details(made, {"client id": made.client_id, "secret": made.client_secret})


def password(
    session: Session,
    name: Name,
    password_stdin: Annotated[
        bool,
        typer.Option("--password-stdin", help="Read the new password from standard input, one's own old one before."),
    ] = False,
    of: Owner = None,
) -> None:
    """Set the password of an account. All its logins end."""
    me = session.client.send(identity.whoami())
    own = me.account == name and of in {None, me.vo}
    old = ask_password(session, "Current password", stdin=password_stdin) if own else None
    new = ask_password(session, f"New password of {name}", stdin=password_stdin, twice=True)
    session.client.send(identity.change_password(name, new, current=old, vo=of))
    session.output.say(f"The password of {name} is set; its logins have ended.")


def usage(session: Session, name: Annotated[str, typer.Argument(metavar="RSE", help="Name of the RSE.")]) -> None:
    """Show what the VO has on an RSE, and what its storage reports."""
    found = session.client.send(topology.rse_usage(name))
    now = datetime.now(UTC)
    ours = RseReport(source="catalogue", used=found.size, files=found.files, reported_at=now)
    session.output.listing([ours, *found.reports], USAGE, of="usage")


def account_usage(
    session: Session,
    name: Name,
    rse: Annotated[str, typer.Argument(metavar="RSE", help="On which RSE.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many days.")] = 100,
) -> None:
    """Show what an account kept on an RSE at the end of the days on which that changed, the newest first.

    What it keeps now: `sancho data usage`.
    """
    columns: list[Column[UsageOn]] = [
        Column("day", lambda u: u.day),
        Column("files", lambda u: u.files, "right"),
        Column("size", lambda u: u.size, "size"),
    ]
    session.output.listing(session.client.pages(rules.usage_history(name, rse, limit=limit)), columns, of="usage")


def resolve(
    session: Session, expression: Annotated[str, typer.Argument(metavar="EXPR", help="An RSE expression.")]
) -> None:
    """Say which RSEs an expression means."""
    session.output.listing(session.client.pages(topology.resolve(expression)), RSE.columns, of=RSE.plural)

"""`sancho import …`: what other systems are configured with becomes ours. For administrators, beside the database."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg import Rollback

from sancho.cli.options import JsonOption, write_json
from sancho.cli.repository import text_of
from sancho.compat.diracx.repository_body import parse
from sancho.compat.diracx.repository_merge import Proven, There, Wanted, merge
from sancho.compat.diracx.repository_translate import read
from sancho.compat.diracx.repository_wire import Left, Report, Said
from sancho.identity import service as identity
from sancho.identity.service import identities
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Connection, Database, all_vos
from sancho.parts import KINDS
from sancho.settings import Settings
from sancho.vos import service as vos
from sancho.vos.model import CLIENT_SETTINGS, INSTANCE_NAME, VO, Applied, Change, Spec
from sancho_client.cli.documents import show
from sancho_client.cli.output import Output
from sancho_client.models.configuration import Applied as Shown

MOST_ACCOUNTS = 100_000
verbs = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False, no_args_is_help=True)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import did, or would do."""

    version: int | None
    changes: Sequence[Change]
    proofs: int
    """How many names and subjects came to prove an account."""


@verbs.callback()
def importing() -> None:
    """Bring what another system is configured with, as documents of ours."""


@verbs.command("diracx-config")
def diracx_config(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder with default.yml, or a git repository.")],
    revision: Annotated[
        str | None, typer.Option("--revision", help="What git has of this revision, not the file that lies there.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would change.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring VOs, groups, people, identity providers and free sections of a DiracX configuration.

    What has no counterpart is listed. To do it again changes nothing; it does everything or nothing. It is for who
    runs the servers: it needs the database, SANCHO_DATABASE_URL, and no token.

    Example: sancho import diracx-config /srv/diracx/cs_store/initialRepo --dry-run
    """
    text, file = text_of(folder, revision)
    said = read(parse(text, file), file)
    done = asyncio.run(_bring(Settings(), said, f"from {file}"[:1000], dry_run=dry_run))
    if as_json:
        write_json(_told(done, said.report, dry_run=dry_run))
    else:
        _show(done, said.report, dry_run=dry_run)


async def _bring(settings: Settings, said: Said, comment: str, *, dry_run: bool) -> Imported:
    database = Database(settings.database_url.get_secret_value())
    await database.open()
    try:
        served = await all_vos(database)
        caller = Principal(
            vo=INSTANCE, vo_name=INSTANCE_NAME, account_id=0, account="import", permissions=frozenset("*"),
            vos=tuple(served),
        )  # fmt: skip
        async with database.transaction(served) as conn:
            return await bring(conn, caller, said, comment, dry_run=dry_run)
    finally:
        await database.close()


async def bring(conn: Connection, caller: Principal, said: Said, comment: str, *, dry_run: bool = False) -> Imported:
    """Make a configuration of DiracX come true, all of it or nothing; `dry_run` does it and takes it back.

    The caller administers the installation, and the transaction serves all VOs. What is left alone is added to the
    report of what was said. Raises what `vos.service.apply` raises.
    """
    done = Imported(version=None, changes=(), proofs=0)
    async with conn.transaction() as everything:
        await vos.lock_configuration(conn)
        wanted = await _wanted(conn, said)
        most = vos.MOST_DOCUMENTS
        parts = [wanted.documents[at : at + most] for at in range(0, len(wanted.documents), most)]
        applied = [await vos.apply(conn, caller, part, KINDS, comment=comment) for part in parts]
        proofs = await _introduce(conn, caller, wanted.proofs, said.report)
        done = _sum(applied, proofs)
        if dry_run:
            done = replace(done, version=None)
            raise Rollback(everything)
    return done


def _sum(applied: Sequence[Applied], proofs: int) -> Imported:
    versions = [each.version for each in applied if each.version is not None]
    return Imported(
        version=max(versions, default=None), changes=[c for each in applied for c in each.changes], proofs=proofs
    )


async def _wanted(conn: Connection, said: Said) -> Wanted:
    """The documents of what is said, merged with what is there."""
    known = {vo.name: vo for vo in await vos.list_vos(conn)}
    specs = {document.name: document.spec for document in await vos.documents(conn, [INSTANCE], kind=vos.KIND.name)}
    there = {vo.name: await _there(conn, known[vo.name], specs.get(vo.name, {})) for vo in said.vos if vo.name in known}
    names = {vo.vo: vo.name for vo in known.values()}
    issuers = {provider.issuer: names[provider.vo] for provider in await identity.all_providers(conn)}
    return merge(said, there, issuers)


async def _there(conn: Connection, vo: VO, spec: Spec) -> There:
    recorded = await vos.documents(conn, [vo.vo])
    accounts = {d.name: d.spec for d in recorded if d.kind == identity.ACCOUNT.name}
    return There(
        spec=spec,
        groups={group.name: group.permissions for group in await identity.groups(conn, vo.vo)},
        accounts={
            account.name: identity.document_of(account, accounts.get(account.name))
            for account in await identity.list_accounts(conn, vo.vo, limit=MOST_ACCOUNTS)
        },
        providers={d.name: str(d.spec["issuer"]) for d in recorded if d.kind == identity.PROVIDER.name},
        settings={d.name: d.spec for d in recorded if d.kind == CLIENT_SETTINGS},
    )


async def _introduce(conn: Connection, caller: Principal, proofs: Sequence[Proven], report: Report) -> int:
    """Let people be known when they come; who is known as somebody else stays so, and is reported."""
    numbers = {vo.name: vo.vo for vo in await vos.list_vos(conn)}
    added = 0
    for name, mine in groupby(proofs, key=lambda proven: proven.vo):
        paths = {proven.proof: proven.path for proven in mine}
        acting = replace(caller, vo=numbers[name], vo_name=name)
        new, taken = await identities.introduce(conn, acting, list(paths))
        added += new
        for proof in taken:
            report.leave(paths[proof], f"{proof.subject} proves another account than {proof.account} already")
    return added


def _told(done: Imported, report: Report, *, dry_run: bool) -> Mapping[str, Any]:
    return {
        "dry_run": dry_run, "version": done.version, "changes": [asdict(change) for change in done.changes],
        "proofs": done.proofs, "renamed": [asdict(one) for one in report.renamed],
        "without_counterpart": [asdict(one) for one in report.left],
    }  # fmt: skip


def _show(done: Imported, report: Report, *, dry_run: bool) -> None:
    changes = [asdict(change) | {"action": change.action.value} for change in done.changes]
    show(Shown.model_validate({"version": done.version, "changes": changes}), Output(as_json=False), dry_run=dry_run)
    if done.proofs:
        typer.echo(f"{done.proofs} subjects and names in certificates {'would' if dry_run else 'now'} prove accounts.")
    for one in report.renamed:
        typer.echo(f"{one.path}: is called {one.name} here")
    if report.left:
        typer.echo(f"{len(report.left)} without a counterpart:")
    for why, left in groupby(sorted(report.left, key=lambda one: one.why), key=lambda one: one.why):
        typer.echo(f"  {why}:")
        for one in _shortened(list(left)):
            typer.echo(f"    {one}")


def _shortened(left: Sequence[Left]) -> list[str]:
    """Paths, of which very many look alike: the first of those of one section, and how many there are."""
    lines: list[str] = []
    for section, paths in groupby((one.path for one in left), key=lambda path: path.rsplit("/", 1)[0]):
        first, *more = paths
        lines += [first, *more] if len(more) < 10 else [f"{section}/…: {len(more) + 1} options"]
    return lines

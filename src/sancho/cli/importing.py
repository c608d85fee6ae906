"""`sancho import …`: what other systems are configured with becomes ours. For administrators, beside the database."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from sancho.cli.options import JsonOption, write_json
from sancho.cli.repository import text_of
from sancho.compat.diracx.service import Imported, Left, bring
from sancho.kit.access import INSTANCE, Principal
from sancho.kit.db import Database, all_vos
from sancho.parts import KINDS
from sancho.settings import Settings
from sancho.vos.model import INSTANCE_NAME
from sancho_client.cli.documents import show
from sancho_client.cli.output import Output
from sancho_client.models.configuration import Applied as Shown

verbs = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False, no_args_is_help=True)


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
    done = asyncio.run(_bring(Settings(), text, file, dry_run=dry_run))
    if as_json:
        write_json(_told(done, dry_run=dry_run))
    else:
        _show(done, dry_run=dry_run)


async def _bring(settings: Settings, text: bytes, file: str, *, dry_run: bool) -> Imported:
    database = Database(settings.database_url.get_secret_value())
    await database.open()
    try:
        served = await all_vos(database)
        caller = Principal(
            vo=INSTANCE, vo_name=INSTANCE_NAME, account_id=0, account="import", permissions=frozenset("*"),
            vos=tuple(served),
        )  # fmt: skip
        async with database.transaction(served) as conn:
            return await bring(conn, caller, text, file, KINDS, dry_run=dry_run)
    finally:
        await database.close()


def _told(done: Imported, *, dry_run: bool) -> Mapping[str, Any]:
    return {
        "dry_run": dry_run, "version": done.version, "changes": [asdict(change) for change in done.changes],
        "proofs": done.proofs, "renamed": [asdict(one) for one in done.report.renamed],
        "without_counterpart": [asdict(one) for one in done.report.left],
    }  # fmt: skip


def _show(done: Imported, *, dry_run: bool) -> None:
    changes = [asdict(change) | {"action": change.action.value} for change in done.changes]
    show(Shown.model_validate({"version": done.version, "changes": changes}), Output(as_json=False), dry_run=dry_run)
    if done.proofs:
        typer.echo(f"{done.proofs} subjects and names in certificates {'would' if dry_run else 'now'} prove accounts.")
    for one in done.report.renamed:
        typer.echo(f"{one.path}: is called {one.name} here")
    if done.report.left:
        typer.echo(f"{len(done.report.left)} without a counterpart:")
    for why, left in groupby(sorted(done.report.left, key=lambda one: one.why), key=lambda one: one.why):
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

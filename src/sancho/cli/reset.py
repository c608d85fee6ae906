"""`sancho reset`: empties tables of an instance that is made for development and tests."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer

from sancho.cli.options import JsonOption, MoreVos, named_vos, write_json
from sancho.jobs.service.emptying import empty as forget_jobs
from sancho.kit.access import INSTANCE
from sancho.kit.db import Database, all_vos
from sancho.pilots.service.emptying import empty as forget_pilots
from sancho.settings import Settings
from sancho.vos import service as vos

Removed = dict[str, dict[str, int]]


def reset(
    jobs: Annotated[bool, typer.Option("--jobs", help="Forget all jobs.")] = False,
    pilots: Annotated[bool, typer.Option("--pilots", help="Forget all pilots.")] = False,
    vo: Annotated[
        list[str] | None, typer.Option("--vo", metavar="VO", help="Of this VO; of all, when left out.")
    ] = None,
    more: MoreVos = None,
    as_json: JsonOption = False,
) -> None:
    """Empty the tables of jobs or pilots, for test harnesses; files, rules, accounts and all else stay.

    Only where SANCHO_DEVELOPMENT says that the instance is for that. It needs the database, SANCHO_DATABASE_URL, and
    no token.

    Example: SANCHO_DEVELOPMENT=true sancho reset --jobs --pilots
    """
    settings = Settings()
    if not settings.development:
        raise typer.BadParameter(
            "this is no instance for development: nothing was touched", param_hint="SANCHO_DEVELOPMENT"
        )
    if not jobs and not pilots:
        raise typer.BadParameter("say what is to be forgotten", param_hint="--jobs, --pilots")
    names = named_vos(vo, more)
    removed = asyncio.run(_reset(settings, names, jobs=jobs, pilots=pilots))
    if as_json:
        write_json({"vos": names or None, "removed": removed})
        return
    for feature, tables in removed.items():
        said = ", ".join(f"{count} {table}" for table, count in tables.items() if count)
        typer.echo(f"{feature}: {said or 'there were none'}")


async def _reset(settings: Settings, names: Sequence[str], *, jobs: bool, pilots: bool) -> Removed:
    database = Database(settings.database_url.get_secret_value())
    await database.open()
    try:
        async with database.transaction([INSTANCE]) as conn:
            wanted = [(await vos.get(conn, name)).vo for name in names]
        every = await all_vos(database)
        async with database.transaction(every) as conn:
            removed: Removed = {}
            if jobs:
                removed["jobs"] = await forget_jobs(conn, wanted or every)
            if pilots:
                removed["pilots"] = await forget_pilots(conn, wanted or every)
            return removed
    finally:
        await database.close()

"""Verbs of the server that serve no HTTP: work, migrate the database, begin an installation."""

import asyncio
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InsufficientPrivilege

from sancho.cli.options import HomeOption, JsonOption, MoreVos, VosOption, named_vos, write_json
from sancho.decisions import service as decisions
from sancho.decisions.model import Dropped
from sancho.identity import service as identity
from sancho.kit import telemetry
from sancho.kit.access import INSTANCE
from sancho.kit.clock import SystemClock
from sancho.kit.db import Database, all_vos
from sancho.kit.issuer import ensure_key, rotate
from sancho.kit.migrate import migrate as migrate_database
from sancho.kit.worker import make_app, work
from sancho.local.errors import NoKeys
from sancho.local.home import Home, default_home
from sancho.parts import KINDS, TASKS, breached_passwords, following_shares, make_deployment
from sancho.settings import Settings
from sancho.vos import service as vos


def worker(
    until_idle: Annotated[bool, typer.Option(help="End when no task is left, for tests and cron.")] = False,
) -> None:
    """Carry out background tasks; any number of workers may run.

    Example: sancho worker
    """
    settings = Settings()
    telemetry.configure(level=settings.log_level, service="sancho-worker", otlp_endpoint=settings.otlp_endpoint)
    _serve_metrics(settings.worker.metrics_port)
    ensure_key(settings.keys)
    try:
        asyncio.run(_work(settings, until_idle=until_idle))
    finally:
        telemetry.flush()


def _serve_metrics(port: int | None) -> None:
    if port is None:
        return
    try:
        telemetry.serve_metrics(port)
    except OSError as e:
        raise typer.BadParameter(f"SANCHO_WORKER__METRICS_PORT: nothing can be served on {port}: {e.strerror}") from e


async def _work(settings: Settings, *, until_idle: bool) -> None:
    deployment = make_deployment(settings, "worker")
    await deployment.database.open()
    try:
        async with following_shares(deployment):
            await work(
                make_app(settings.database_url.get_secret_value(), TASKS), deployment,
                concurrency=settings.worker.concurrency, wait=not until_idle, grace=settings.worker.shutdown_grace,
            )  # fmt: skip
    finally:
        await deployment.extensions.aclose()
        await deployment.database.close()


def migrate(
    phase: Annotated[
        str, typer.Option(help="pre (before new code starts), post (when no old code is left), or all.")
    ] = "all",
    as_json: JsonOption = False,
) -> None:
    """Bring the database up to date. Safe to repeat.

    Example: sancho migrate --phase pre
    """
    if phase not in ("pre", "post", "all"):
        raise typer.BadParameter("must be pre, post or all")
    settings = Settings()
    url = (settings.migration_database_url or settings.database_url).get_secret_value()
    ran = migrate_database(url, server_role=server_role(settings), phase=phase)
    if as_json:
        write_json({"applied": ran})
    else:
        typer.echo("\n".join(f"applied {name}" for name in ran) or "the database is up to date")


def server_role(settings: Settings) -> str | None:
    """The role of the server, when it is not the owner's."""
    role = conninfo_to_dict(settings.database_url.get_secret_value()).get("user")
    return None if role is None else str(role)


def init(
    admin_password_file: Annotated[
        Path, typer.Option(help="File with the password of the accounts `admin`, or - for standard input.")
    ],
    vo: VosOption = None,
    more: MoreVos = None,
    as_json: JsonOption = False,
) -> None:
    """Begin an installation: VOs, their groups, and in each and in `instance` an account `admin`. Safe to repeat.

    Accounts that exist keep their passwords. Sites, RSEs, VOs and grants are the business of instance's.

    Example: sancho init --vo belle gridpp --admin-password-file -
    """
    settings = Settings()
    names = list(named_vos(vo, more))
    if not names:
        raise typer.BadParameter("say which VOs", param_hint="--vo")
    password = sys.stdin.read() if str(admin_password_file) == "-" else admin_password_file.read_text()
    ensure_key(settings.keys)
    made = asyncio.run(_init(settings, names, password.strip()))
    if as_json:
        write_json({"vos": names, "administrators": made})
    else:
        there = f"; made now: that of {', '.join(made)}" if made else ""
        typer.echo(f"ready: VOs {', '.join(names)}, each and instance with an account admin{there}")


async def _init(settings: Settings, names: list[str], password: str) -> list[str]:
    """Make what is missing, and return the VOs whose administrator was."""
    against = identity.fitness_at(settings.public_url, breached_passwords(settings))
    database = Database(settings.database_url.get_secret_value())
    await database.open()
    try:
        async with database.transaction(await all_vos(database)) as conn:
            done = await identity.bootstrap(conn, names, password, KINDS, against)
    finally:
        await database.close()
    return [change.vo for change in done.changes if change.kind == "Account"]


def drop_audit(as_json: JsonOption = False) -> None:
    """Drop what the audit log has kept for longer than SANCHO_AUDIT_KEEP says. Safe to repeat.

    Only the owner of the database may, whom SANCHO_MIGRATION_DATABASE_URL names; so run it from time to time yourself.

    Example: SANCHO_AUDIT_KEEP=P730D sancho drop-audit
    """
    settings = Settings()
    if settings.audit_keep is None:
        raise typer.BadParameter("say how long rows of the audit log stay", param_hint="SANCHO_AUDIT_KEEP")
    before = SystemClock().now() - settings.audit_keep
    try:
        dropped = asyncio.run(_drop_audit(settings, before))
    except InsufficientPrivilege as e:
        raise typer.BadParameter(
            "only the owner of the database drops rows of the audit log", param_hint="SANCHO_MIGRATION_DATABASE_URL"
        ) from e
    if as_json:
        write_json({"before": before, "dropped": [asdict(each) for each in dropped]})
        return
    for each in dropped:
        typer.echo(f"{each.vo}: dropped {each.rows} rows in {each.batches} batches, up to {each.head}")
    if not dropped:
        typer.echo(f"nothing was sealed before {before:%Y-%m-%d %H:%M} UTC")


async def _drop_audit(settings: Settings, before: datetime) -> list[Dropped]:
    """One transaction for each VO: what was dropped stays so if this is stopped."""
    database = Database((settings.migration_database_url or settings.database_url).get_secret_value())
    await database.open()
    try:
        async with database.transaction([INSTANCE]) as conn:
            every = await vos.list_vos(conn)
        found = [await decisions.drop(database, vo, before) for vo in every]
    finally:
        await database.close()
    return [each for each in found if each is not None]


def rotate_keys(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Make a new signing key; running servers use it within seconds, and tokens of the old one stay good.

    The keys are those of the grid on this machine, or of the server that SANCHO_STATE_DIR or SANCHO_SIGNING_KEYS names.

    Example: sancho rotate-keys
    """
    settings = Settings()
    if home is None and settings.model_fields_set & {"state_dir", "signing_keys"}:
        keys = settings.keys
    else:
        where = Home(home or default_home())
        where.config()
        keys = where.keys
    if not keys.is_dir():
        raise NoKeys(folder=keys)
    made = rotate(keys)
    if as_json:
        write_json({"key": made, "folder": keys})
    else:
        typer.echo(f"new key {made} in {keys}")

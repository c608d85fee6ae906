"""Verbs of a grid on this machine: up, down, doctor, backup, restore."""

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from sancho.cli.looking import NOT_WELL, table
from sancho.cli.options import HomeOption, JsonOption, MoreVos, VosOption, named_vos, write_json
from sancho.local import access, control, grid, systemd
from sancho.local import backup as backups
from sancho.local import doctor as checks
from sancho.local.home import Home, default_home
from sancho.local.programs import child_environment
from sancho.web import service as page


def up(
    home: HomeOption = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the API; a free one if left out.")] = None,
    vo: VosOption = None,
    more: MoreVos = None,
    tls: Annotated[
        bool | None, typer.Option("--tls/--no-tls", help="Serve https, with an authority of its own.")
    ] = None,
    database_url: Annotated[
        str | None, typer.Option(help="PostgreSQL 15 or later to use, as its owner; one of its own if left out.")
    ] = None,
    server_database_url: Annotated[
        str | None, typer.Option(help="The same as the server's role, where its owner may not make one.")
    ] = None,
    postgres_bin: Annotated[
        Path | None, typer.Option(help="Folder of PostgreSQL's programs, instead of those that come with us.")
    ] = None,
    foreground: Annotated[bool, typer.Option(help="Do not return while it runs, for systemd and containers.")] = False,
    print_unit: Annotated[bool, typer.Option(help="Only write a systemd unit that brings it up at boot.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a complete grid on this machine, and return when it is ready. On one that runs it only looks, or adds VOs.

    A new grid has the VO demo if none is named. What was chosen once is remembered, and everything survives
    `sancho down` and a reboot.

    Example: sancho up --vo belle gridpp
    """
    where = Home(home or default_home())
    if print_unit:
        typer.echo(systemd.unit(where), nl=False)
        return
    wishes = grid.Wishes(
        port=port,
        tls=tls,
        vos=named_vos(vo, more),
        database_url=database_url,
        server_database_url=server_database_url,
        postgres_bin=postgres_bin and postgres_bin.absolute(),
    )
    if foreground:
        grid.prepare(where, wishes, _say)
        if not _fork_away():
            command = control.supervise_command(where.folder)
            os.execve(command[0], command, child_environment({}))  # noqa: S606 (there is no shell)
        announce(grid.finish(where, _say), as_json=as_json)
        return
    announce(grid.up(where, wishes, _say), as_json=as_json)


def down(
    home: HomeOption = None,
    purge: Annotated[bool, typer.Option(help="Remove it too, with all its data.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before removing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop the grid on this machine, its pilots included.

    Example: sancho down
    """
    where = Home(home or default_home())
    if purge and not yes:
        typer.confirm(f"Remove the grid in {where.folder} with all its jobs and files?", abort=True, err=True)
    ran = grid.purge(where) if purge else grid.down(where)
    if as_json:
        write_json({"home": where.folder, "ran": ran, "removed": purge})
    elif purge:
        _say(f"removed {where.folder}")
    else:
        _say("stopped" if ran else "it was down")


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Look the installation over and say what to do. Exit code 3: a check failed.

    Example: sancho doctor
    """
    found = checks.examine(Home(home or default_home()))
    if as_json:
        write_json(found)
    else:
        table(["check", "", "seen"], [(one.name, one.result, one.seen) for one in found], style=1)
        for one in found:
            if one.advice:
                typer.echo(f"{one.name}: {one.advice}")
    if any(one.result is checks.Result.FAIL for one in found):
        raise typer.Exit(NOT_WELL)


def backup(
    file: Annotated[Path, typer.Argument(help="File to write; only you may read it, for it holds every secret.")],
    home: HomeOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Save database, keys, settings and sandboxes of the grid on this machine, up or down, into one file.

    The files of its storages are not in it.

    Example: sancho backup grid.tar
    """
    made = backups.backup(Home(home or default_home()), file, force=force)
    if as_json:
        write_json(made)
    else:
        _say(f"wrote {file}, {file.stat().st_size / 1e6:.1f} MB")


def restore(
    file: Annotated[Path, typer.Argument(help="A file that `sancho backup` wrote.", exists=True, dir_okay=False)],
    home: HomeOption = None,
    database_url: Annotated[
        str | None, typer.Option(help="Empty PostgreSQL to restore into, as its owner; one of its own if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a grid from a backup, in an empty home; `sancho up` starts it.

    Example: sancho restore grid.tar --home ~/grid
    """
    where = Home(home or default_home())
    made = backups.restore(file, where, database_url=database_url)
    if as_json:
        write_json(made)
    else:
        _say(f"restored the grid of {made.made_at:%Y-%m-%d %H:%M} UTC; `sancho up --home {where.folder}` starts it")


def _fork_away() -> bool:
    """Go on as two processes that are nothing to each other: False is returned in the first, True in the second."""
    if child := os.fork():
        os.waitpid(child, 0)
        return False
    if os.fork():
        os._exit(0)
    return True


def announce(ready: grid.Ready, *, as_json: bool) -> None:
    """Say where a grid is and how to log in; its password is shown this once."""
    if as_json:
        first = ready.administrators
        made = None if first is None else {"account": access.ADMINISTRATOR, **first.model_dump()}
        password = None if first is None else first.password
        write_json(
            {"home": ready.home, "url": ready.url, "vos": ready.vos, "password": password, "administrators": made}
        )
        return
    typer.echo(f"The grid is ready: {ready.url}  VOs {', '.join(ready.vos)}  home {ready.home}")
    typer.echo(f"The web page: {ready.url}/ui/" if page.built() else page.NOT_BUILT)
    where = "" if ready.home == default_home() else f" --home {shlex.quote(str(ready.home))}"
    if ready.administrators is not None:
        said = ready.administrators
        vos = " and ".join(filter(None, [", ".join(said.vos[:-1]), *said.vos[-1:]]))
        typer.echo(f"\nAccount {access.ADMINISTRATOR}, password {said.password}, administers {vos}")
        typer.echo("It is shown this once. To log in:\n")
        typer.echo(f'  eval "$(sancho env{where} --login)" && sancho login --vo {said.vos[0]} --account admin\n')
        if access.INSTANCE in said.vos:
            typer.echo(f"Sites, RSEs, VOs and grants are administered with --vo {access.INSTANCE}.")
    typer.echo(f'In this shell, without a password:  eval "$(sancho env{where})"')


def _say(text: str) -> None:
    typer.echo(text, err=True)

"""Verbs that look at a grid on this machine, and load no more of the server than that takes: status, env."""

import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from sancho.cli.options import HomeOption, JsonOption, write_json
from sancho.local import access
from sancho.local.home import Home, default_home
from sancho.local.status import age
from sancho.local.status import status as look

NOT_WELL = 3
STYLES = {"ok": "green", "ready": "green", "warn": "yellow", "fail": "bold red", "stopped": "dim"}


def env(
    home: HomeOption = None,
    vo: Annotated[
        str | None, typer.Option(help="The VO to speak for, as its administrator; the first if left out.")
    ] = None,
    login: Annotated[bool, typer.Option(help="Without a token: for who has used `sancho login`.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write what a shell must export to use the grid on this machine, as its administrator.

    The token is good for a week; `sancho env` makes a new one.

    Example: eval "$(sancho env)"
    """
    said = access.variables(Home(home or default_home()), vo, with_token=not login)
    if as_json:
        write_json({k: v for k, v in said.items() if v is not None})
        return
    for name, value in said.items():
        typer.echo(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show what runs of the grid on this machine. Exit code 3: not everything is ready.

    Example: sancho status
    """
    found = look(Home(home or default_home()))
    if as_json:
        write_json(found)
    else:
        typer.echo(f"{found.url}  {'up' if found.running else 'down'}  VOs {', '.join(found.vos)}  home {found.home}")
        now = datetime.now(UTC)
        rows = [
            (one.name, one.state, age(one.since, now), one.process and one.process.pid, one.restarts, one.last_exit)
            for one in found.programs
        ]
        if rows:
            table(["program", "state", "since", "pid", "restarts", "last end"], rows, style=1)
            typer.echo(f"{found.pilots} pilots")
    if not found.ready:
        raise typer.Exit(NOT_WELL)


def table(titles: Sequence[str], rows: Sequence[Sequence[object]], *, style: int) -> None:
    """Write a table; the cell at `style` is coloured by what it says."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        drawn.add_column(title, overflow="fold")
    for row in rows:
        cells = ["" if cell is None else str(cell) for cell in row]
        colour = STYLES.get(cells[style], "")
        cells[style] = f"[{colour}]{cells[style]}[/]" if colour else cells[style]
        drawn.add_row(*cells)
    Console(highlight=False).print(drawn)

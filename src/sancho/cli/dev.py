"""`sancho dev`: a grid in the foreground whose programs are started again when the code changes."""

import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from sancho.cli.grid import announce
from sancho.cli.options import MoreVos, VosOption, named_vos
from sancho.local import control, dev, grid
from sancho.local.home import Home


def develop(
    home: Annotated[
        Path | None,
        typer.Option(
            "--home",
            envvar="SANCHO_HOME",
            help="Folder of the grid; by default ~/.local/state/sancho-dev, for root /var/lib/sancho/dev.",
        ),
    ] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port of the API; a free one if left out.")] = None,
    vo: VosOption = None,
    more: MoreVos = None,
) -> None:
    """Run a complete grid until Ctrl-C, and start its programs again when their code changes.

    The logs of the API and the worker are shown. Its data are kept for the next time.

    Example: sancho dev --vo belle
    """
    where = Home(home or dev.dev_home())
    code = dev.code_folder()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        announce(dev.start(where, grid.Wishes(port=port, vos=named_vos(vo, more)), _say), as_json=False)
        _say(f"Watching {code}; logs in {where.logs}. Ctrl-C ends it.")
    except KeyboardInterrupt:
        _say("stopped")
        return
    try:
        dev.watch(where, code, _say)
    except KeyboardInterrupt:
        _say("stopping")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        control.stop(where.folder)


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM and a closed terminal as Ctrl-C."""
    raise KeyboardInterrupt


def _say(text: str) -> None:
    typer.echo(text, err=True)

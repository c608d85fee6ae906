"""`sancho demo`: a grid from nothing, a small analysis for two VOs on it, and what came of it."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from sancho.local.demonstration.run import Wishes, run
from sancho.local.demonstration.view import View
from sancho_client.cli.output import Output

STOPPED = 130


def demo(
    python: Annotated[
        Path | None,
        typer.Option(help="The interpreter for payloads, with numpy, uproot and matplotlib; by default ours."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for the pictures.")] = Path("demo"),
    home: Annotated[Path | None, typer.Option(help="Folder of the grid, instead of a temporary one.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the grid running.")] = False,
    jobs: Annotated[int, typer.Option(min=1, max=1000, help="Simulation jobs for each VO.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else.")] = False,
) -> None:
    """Start a grid, simulate and analyse collisions for two VOs on it, show what happened, and stop it again.

    Example: sancho demo --python .venv-demo/bin/python --out demo
    """
    output = Output(as_json=as_json)
    view = View(output)
    signal.signal(signal.SIGTERM, _stop)
    try:
        outcome = run(Wishes(python=python or Path(sys.executable), out=out, home=home, keep=keep, jobs=jobs), view)
    except KeyboardInterrupt:
        view.say("stopped")
        raise typer.Exit(STOPPED) from None
    if as_json:
        output.json(outcome)
        return
    output.line(f"\nThe spectrum is in {outcome.picture}. It took {outcome.seconds:.0f} seconds.")
    if outcome.home is not None:
        output.line(f'The grid runs on: eval "$(sancho env --home {outcome.home})"; sancho down --home {outcome.home}')


def _stop(_number: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM as Ctrl-C: everything that was started is stopped."""
    raise KeyboardInterrupt

"""`sancho`: finds the verb. User verbs come from the client; verbs of the server are loaded when they are called.

So the bare install has all user verbs and starts fast, and a verb of the server says what to install when it is not.
"""

import gc
import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from typer.core import TyperGroup

from sancho_client.cli.output import Output
from sancho_client.cli.verbs import ERROR, USAGE, Verbs, exit_code, report
from sancho_client.errors import ClientError

HELP = "Jobs, data and rules on a grid. Each verb has its own --help, with an example."
MACHINE = "A grid on this machine"
SERVER = "Servers"
EXTRA = "sancho-grid[server]"


@dataclass(frozen=True, slots=True)
class ServerVerb:
    """A verb whose code needs the server's packages: a function, or a typer application with verbs of its own."""

    target: str
    """`module:name`."""
    help: str
    panel: str


SERVER_VERBS = {
    "up": ServerVerb("sancho.cli.grid:up", "Start the grid on this machine.", MACHINE),
    "down": ServerVerb("sancho.cli.grid:down", "Stop the grid on this machine.", MACHINE),
    "status": ServerVerb("sancho.cli.looking:status", "Show what runs of the grid on this machine.", MACHINE),
    "env": ServerVerb("sancho.cli.looking:env", "Write what a shell must export to use it.", MACHINE),
    "doctor": ServerVerb("sancho.cli.grid:doctor", "Look the installation over and say what to do.", MACHINE),
    "backup": ServerVerb("sancho.cli.grid:backup", "Save the grid on this machine into one file.", MACHINE),
    "restore": ServerVerb("sancho.cli.grid:restore", "Make a grid from a backup.", MACHINE),
    "dev": ServerVerb("sancho.cli.dev:develop", "Run a grid until Ctrl-C, and reload its code.", MACHINE),
    "demo": ServerVerb("sancho.cli.demo:demo", "Run the demonstration on a grid of its own.", MACHINE),
    "serve": ServerVerb("sancho.cli.serve:serve", "Serve the API.", SERVER),
    "worker": ServerVerb("sancho.cli.server:worker", "Carry out background tasks.", SERVER),
    "storage": ServerVerb(
        "sancho_plugins.webdav_server.command:storage", "Serve a folder as a site's storage.", SERVER
    ),
    "migrate": ServerVerb("sancho.cli.server:migrate", "Bring the database up to date.", SERVER),
    "init": ServerVerb("sancho.cli.server:init", "Begin an installation: VOs and their administrators.", SERVER),
    "import": ServerVerb("sancho.cli.importing:verbs", "Bring another system's configuration.", SERVER),
    "plugins": ServerVerb("sancho.cli.plugins:plugins", "List the plugins that are installed.", SERVER),
    "drop-audit": ServerVerb(
        "sancho.cli.server:drop_audit", "Drop what the audit log has kept for long enough.", SERVER
    ),
    "reset": ServerVerb("sancho.cli.reset:reset", "Empty tables of an instance for development.", SERVER),
    "rotate-keys": ServerVerb("sancho.cli.server:rotate_keys", "Make a new signing key.", SERVER),
}


class Root(TyperGroup):
    """Puts the real verb in the place of its stub, once it is known which one is wanted."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Find a verb; one of the server is loaded."""
        name, command, rest = super().resolve_command(ctx, args)
        verb = SERVER_VERBS.get(name or "")
        return name, command if verb is None else load(name or "", verb), rest


def load(name: str, verb: ServerVerb) -> Any:
    """The command behind a verb of the server; says what to install when its packages are missing."""
    module, _, attribute = verb.target.partition(":")
    gc.disable()  # what is loaded is no garbage, and looking through it again and again takes a fifth of the time
    try:
        found = getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as e:
        if (e.name or "sancho").partition(".")[0] in {"sancho", "sancho_contract", "sancho_pilot", "sancho_plugins"}:
            raise
        missing = ClientError(
            f"`sancho {name}` needs the server's packages; {e.name} is missing.", hint=f"pip install '{EXTRA}'"
        )
        report(missing, Output(as_json=wants_json(sys.argv[1:])))
        raise typer.Exit(ERROR) from e
    finally:
        gc.freeze()
        gc.enable()
    if isinstance(found, typer.Typer):
        return typer.main.get_command(found)
    alone = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(version("sancho-grid"))
        raise typer.Exit


def _root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version and leave.")
    ] = False,
) -> None:
    """Take the options that come before a verb."""


def _stub() -> None:
    """Stand in the list of verbs for one that is not loaded yet."""


@cache
def command_line(*, of_servers: bool = False) -> typer.Typer:
    """All verbs, or those of servers alone: their programs start in less time without the others."""
    made = typer.Typer(
        cls=Root, help=HELP, no_args_is_help=True, rich_markup_mode="rich", pretty_exceptions_show_locals=False
    )
    made.callback(help=HELP)(_root)
    if not of_servers:
        importlib.import_module("sancho_client.cli.app").add_to(Verbs(app=made))
    for name, verb in SERVER_VERBS.items():
        made.command(name, help=verb.help, rich_help_panel=verb.panel)(_stub)
    return made


def _server_errors() -> tuple[type[Exception], ...]:
    """The root of the server's errors, if a verb of the server has been loaded."""
    module = sys.modules.get("sancho.kit.errors")
    return () if module is None else (module.SanchoError,)


def main() -> None:
    """Run the command line; with `--json`, whatever goes wrong is told as JSON too."""
    words = sys.argv[1:]
    as_json, of_servers = wants_json(words), bool(words) and words[0] in SERVER_VERBS
    try:
        # Left to itself, typer writes errors of usage as text.
        ended = command_line(of_servers=of_servers)(standalone_mode=not as_json)
    except ClientError as e:
        _leave(e)
    except _server_errors() as e:
        error = ClientError(str(e), field=getattr(e, "field", None), hint=getattr(e, "hint", None))
        _leave(error, code=getattr(e, "code", None))
    except ValidationError as e:
        if e.title != "Settings":
            raise
        faults = [f"SANCHO_{'__'.join(str(p) for p in f['loc']).upper()}: {f['msg']}" for f in e.errors()]
        hint = "`sancho serve --help` says where settings come from."
        _leave(ClientError(f"The settings are not right. {'; '.join(faults)}", hint=hint))
    except typer.Abort:
        _leave(ClientError("Aborted."))
    except typer.TyperException as e:
        said: Callable[[], str] = getattr(e, "format_message", e.__str__)
        report(ClientError(said()), Output(as_json=as_json), code="usage")
        sys.exit(getattr(e, "exit_code", USAGE))
    sys.exit(ended if isinstance(ended, int) else 0)


def wants_json(words: Sequence[str]) -> bool:
    """Say whether a command line asks for JSON, before anybody has understood it."""
    own = words[: words.index("--")] if "--" in words else words
    return "--json" in own


def _leave(error: ClientError, *, code: str | None = None) -> NoReturn:
    report(error, Output(as_json=wants_json(sys.argv[1:])), code=code)
    sys.exit(exit_code(error))


if __name__ == "__main__":
    main()

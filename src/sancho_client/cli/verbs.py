"""How a verb is made: its common options, its example, its errors, its exit code.

| code | meaning                                                                        |
|------|--------------------------------------------------------------------------------|
| 0    | it worked                                                                      |
| 1    | the server, a storage or a file said no; the message says what and why         |
| 2    | the command line makes no sense                                                |
| 3    | it worked, and what was asked about has failed: jobs, for example              |
| 4    | not logged in, or not allowed                                                  |
| 5    | the server is away                                                             |
| 130  | stopped by Ctrl-C                                                              |
"""

import functools
import inspect
import sys
from collections.abc import Callable
from typing import Annotated, Any, Concatenate, NoReturn, ParamSpec

import typer
from rich.text import Text

from sancho_client.calls.identity import whoami
from sancho_client.cli.output import Output
from sancho_client.client import Client
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, ClientError, NotLoggedIn, Problem, Refused, ServerAway
from sancho_client.names import Path, is_path, parse_path

P = ParamSpec("P")
OK, ERROR, USAGE, FAILED, FORBIDDEN, AWAY, STOPPED = 0, 1, 2, 3, 4, 5, 130
COMMON = "Common options"
PATIENCE = 10.0
"""Seconds that a verb waits for a server that is away; `job wait` and `job logs -f` wait longer."""


class Session:
    """One run of a verb: what it writes to, and the client, made when it is first wanted."""

    def __init__(self, *, as_json: bool = False, vo: str | None = None, url: str | None = None) -> None:
        self.output = Output(as_json=as_json)
        self.vo = vo
        self.url = url
        self.environment = Environment.read()
        self._client: Client | None = None
        self._own_vo: str | None = None

    @property
    def client(self) -> Client:
        """The client of the server and VO that were asked for."""
        if self._client is None:
            self._client = Client(self.url, vo=self.vo, environment=self.environment, patience=PATIENCE)
        return self._client

    @property
    def asks(self) -> bool:
        """True when there is a person to ask."""
        return sys.stdin.isatty() and sys.stderr.isatty()

    def did(self, text: str, *, of: str | None = None) -> str:
        """The DID that somebody means, who may write it as a path of the VO spoken for, or of `of`.

        Raises `BadInput` for a path of another VO.
        """
        return self.path(text, of=of).did if is_path(text) else text

    def path(self, text: str, *, of: str | None = None) -> Path:
        """A path of the VO spoken for, or of `of`; raises `BadInput` for one of another VO."""
        path = parse_path(text)
        if path.vo not in {"", of or self._vo()}:
            raise BadInput(
                f"{text} is in VO {path.vo}; this is about VO {of or self._vo()}.",
                hint="Say --vo VO to speak for another VO.",
            )
        return path

    def _vo(self) -> str:
        self._own_vo = self._own_vo or self.client.send(whoami()).vo
        return self._own_vo

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on if the user says so, or said so beforehand; else stop."""
        if yes:
            return
        if not self.asks:
            raise typer.BadParameter("There is nobody to ask; say --yes if it shall be done.")
        if not typer.confirm(question, err=True):
            raise typer.Exit(ERROR)

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()


class Verbs:
    """A group of verbs, `sancho job …`."""

    def __init__(self, help_text: str = "", app: typer.Typer | None = None) -> None:
        self.typer = app or typer.Typer(
            help=help_text, no_args_is_help=True, rich_markup_mode="rich", add_completion=False
        )

    def command(
        self, name: str, *, example: str, help_text: str | None = None, panel: str | None = None
    ) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[Concatenate[Session, P], None]]:
        """Make a function a verb: its first argument is the session, the others are what the user may say.

        Its help is its docstring, unless said otherwise.
        """

        def register(function: Callable[Concatenate[Session, P], None]) -> Callable[Concatenate[Session, P], None]:
            epilog = f"Example: [cyan]{_escape(example)}[/cyan]"
            self.typer.command(name, help=help_text, epilog=epilog, rich_help_panel=panel)(_verb(function))
            return function

        return register

    def add(self, verbs: "Verbs", name: str, *, panel: str | None = None) -> None:
        """Put a group of verbs below this one."""
        self.typer.add_typer(verbs.typer, name=name, rich_help_panel=panel)


def _verb(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
    """The function as typer sees it: without the session, with the common options."""

    @functools.wraps(function)
    def run(*_: Any, as_json: bool, use_vo: str | None, use_url: str | None, **given: Any) -> None:
        session = Session(as_json=as_json, vo=use_vo, url=use_url)
        try:
            function(session, **given)  # pyright: ignore[reportCallIssue]
        except ClientError as e:
            fail(e, session.output)
        except KeyboardInterrupt:
            session.output.say("Stopped.")
            raise typer.Exit(STOPPED) from None
        finally:
            session.close()

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    run.__signature__ = inspect.Signature([*own, *_COMMON])  # pyright: ignore[reportAttributeAccessIssue]
    run.__annotations__ = {p.name: p.annotation for p in (*own, *_COMMON)}
    return run


def _common(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_COMMON = [
    _common(
        "as_json",
        Annotated[bool, typer.Option("--json", help="Write JSON, and nothing else.", rich_help_panel=COMMON)],
        default=False,
    ),
    _common(
        "use_vo",
        Annotated[str | None, typer.Option("--vo", help="The VO to speak for.", rich_help_panel=COMMON, metavar="VO")],
        default=None,
    ),
    _common(
        "use_url",
        Annotated[str | None, typer.Option("--url", help="The server.", rich_help_panel=COMMON, metavar="URL")],
        default=None,
    ),
]


def ask_password(session: Session, what: str, *, stdin: bool, twice: bool = False) -> str:
    """A password, from a line of standard input or from a person, unseen."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not session.asks:
        raise BadInput(
            "There is nobody to ask for a password.", hint="Say --password-stdin and write it to standard input."
        )
    return str(typer.prompt(what, hide_input=True, confirmation_prompt=twice, err=True))


def exit_code(error: ClientError) -> int:
    """The exit code that tells a script what kind of trouble it was."""
    if isinstance(error, NotLoggedIn | Refused):
        return FORBIDDEN
    return AWAY if isinstance(error, ServerAway) else ERROR


def fail(error: ClientError, output: Output) -> NoReturn:
    """Say what is wrong, with its field and hint, and leave with the right code."""
    report(error, output)
    raise typer.Exit(exit_code(error))


def report(error: ClientError, output: Output, *, code: str | None = None) -> None:
    """Say what is wrong, with its field and hint; as JSON with its code, that of a problem or the one given."""
    code = error.code if isinstance(error, Problem) else code
    trace = error.trace_id if isinstance(error, Problem) else None
    if output.as_json:
        said = {"error": error.message, "code": code, "field": error.field, "hint": error.hint, "trace_id": trace}
        output.err.print_json(data={k: v for k, v in said.items() if v is not None}, indent=None)
        return
    output.err.print(Text.assemble(("Error: ", "bold red"), error.message))
    if isinstance(error, Problem) and len(error.faults) > 1:
        for fault in error.faults[:10]:
            output.err.print(Text.assemble(("  field ", "dim"), fault.field, ": ", fault.reason))
    elif error.field:
        output.err.print(Text.assemble(("  field ", "dim"), error.field))
    if error.hint:
        output.err.print(Text.assemble(("  hint  ", "dim"), error.hint))
    if trace and code == "bug":
        output.err.print(Text.assemble(("  trace ", "dim"), trace))


def _escape(text: str) -> str:
    return text.replace("[", "\\[")

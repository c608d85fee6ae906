"""`sancho login`, `logout`, `whoami`."""

from typing import Annotated

import typer

from sancho_client.calls import identity
from sancho_client.cli.verbs import Session, Verbs, ask_password
from sancho_client.client import Client, server_url
from sancho_client.errors import BadInput, ClientError
from sancho_client.tokens import NO_TOKEN, Login, TokenCache, remember_server, vo_of


def add_to(root: Verbs, *, panel: str) -> None:
    """Add the verbs of this module."""
    example = "sancho login --url https://grid.example.org --vo belle --account alice"
    root.command("login", example=example, panel=panel)(login)
    root.command("logout", example="sancho logout --vo belle", panel=panel)(logout)
    root.command("whoami", example="sancho whoami", panel=panel)(whoami)


def login(
    session: Session,
    account: Annotated[str | None, typer.Option("--account", "-a", help="The account to log in as.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Log in with a password. The login is kept, and renewed by itself, until `sancho logout`."""
    environment = session.environment
    url = server_url(session.url, environment)
    vo = session.vo or environment.vo or _ask(session, "VO", "--vo")
    account = account or _ask(session, "Account", "--account")
    password = ask_password(session, f"Password of {account}@{vo}", stdin=password_stdin)
    with Client(url, tokens=NO_TOKEN, environment=environment) as client:
        tokens = client.send(identity.login(vo, account, password))
    cache = TokenCache(environment.config_home, url)
    with cache.lock():
        cache.keep(Login.of(tokens, url=url, vo=vo, account=account), make_last=True)
    remember_server(environment, url)
    if session.output.as_json:
        session.output.json({"url": url, "vo": vo, "account": account})
    session.output.say(f"You are logged in to {url} as {account} of {vo}.")
    given = {"SANCHO_TOKEN": environment.token, "SANCHO_TOKEN_FILE": environment.token_file}
    if before := " ".join(name for name, value in given.items() if value):
        say = f"But what the environment says goes before this login; to use it: unset {before}"
        others = vo_of(environment.token) or environment.vo
        session.output.say(f"{say}, or say --vo {vo}" if others not in {None, vo} else say)


def logout(session: Session) -> None:
    """End a login, here and on the server."""
    url = server_url(session.url, session.environment)
    cache = TokenCache(session.environment.config_home, url)
    with cache.lock():
        found = cache.find(session.vo or session.environment.vo)
        if found is None:
            session.output.say("There is no such login.")
            return
        cache.forget(found.vo)
    if found.refresh_token is not None:
        with Client(url, tokens=NO_TOKEN, environment=session.environment) as client:
            try:
                client.send(identity.revoke(found.refresh_token))
            except ClientError as e:
                session.output.say(f"The server could not be told: {e.message}")
    session.output.say(f"{found.account} of {found.vo} is logged out of {url}.")


def whoami(session: Session) -> None:
    """Say who the server takes you for, and what you may do."""
    me = session.client.send(identity.whoami())
    rows = {
        "account": me.account,
        "VO": me.vo,
        "groups": me.groups,
        "permissions": me.permissions,
        "server": session.client.url,
    }
    session.output.details(me, rows)


def _ask(session: Session, what: str, option: str) -> str:
    if not session.asks:
        raise BadInput(f"The {what} is missing.", hint=f"Say {option}.")
    return str(typer.prompt(what, err=True))

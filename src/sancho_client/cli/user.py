"""`sancho login`, `logout`, `whoami`."""

import os
import webbrowser
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sancho_client.calls import identity
from sancho_client.cli.output import Column
from sancho_client.cli.verbs import Session, Verbs, ask_password
from sancho_client.client import Client, server_url
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, ClientError
from sancho_client.logins import by_certificate, in_browser, on_device
from sancho_client.models.identity import DeviceLogin, OpenLogin
from sancho_client.tokens import NO_TOKEN, Login, TokenCache, account_of, remember_server, vo_of

LOGIN_COLUMNS: list[Column[OpenLogin]] = [
    Column("id", lambda one: one.login_id),
    Column("account", lambda one: one.account),
    Column("client", lambda one: one.client),
    Column("for", lambda one: one.scope),
    Column("since", lambda one: one.began_at),
    Column("renewed", lambda one: one.renewed_at),
]


def add_to(root: Verbs, *, panel: str) -> None:
    """Add the verbs of this module."""
    example = "sancho login --url https://grid.example.org --vo belle --account alice"
    root.command("login", example=example, panel=panel)(login)
    root.command("logins", example="sancho logins --everybody", panel=panel)(logins)
    root.command("logout", example="sancho logout --vo belle", panel=panel)(logout)
    root.command("whoami", example="sancho whoami", panel=panel)(whoami)


def login(
    session: Session,
    account: Annotated[str | None, typer.Option("--account", "-a", help="Log in to this account by password.")] = None,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    device: Annotated[bool, typer.Option("--device", help="Use a browser anywhere, with a code shown here.")] = False,
    browser: Annotated[bool, typer.Option("--browser", help="Use the browser of this machine.")] = False,
    certificate: Annotated[
        bool,
        typer.Option("--certificate", help="Show the proxy of X509_USER_PROXY, or the certificate of X509_USER_CERT."),
    ] = False,
    scope: Annotated[
        str | None,
        typer.Option(help="What the login is for, such as 'jobs:create group:mc'; all you may do if absent."),
    ] = None,
) -> None:
    """Log in: on the pages of the server, by your VO's identity provider if it has one; or with a password.

    The login is kept, and renewed by itself, until `sancho logout`; one by certificate lasts as long as its token.
    """
    environment = session.environment
    url = server_url(session.url, environment)
    vo = session.vo or environment.vo or _ask(session, "VO", "--vo")
    with Client(url, tokens=NO_TOKEN, environment=environment) as client:
        if certificate:
            tokens = by_certificate(url, vo, scope, _certificate_of(environment), environment=environment)
        elif browser:
            tokens = in_browser(client, vo, scope, partial(_open_page, session))
        elif device or not (account or password_stdin or _only_passwords(client, vo)):
            tokens = on_device(client, vo, scope, partial(_show, session))
        else:
            account = account or _ask(session, "Account", "--account")
            password = ask_password(session, f"Password of {account}@{vo}", stdin=password_stdin)
            tokens = client.send(identity.login(vo, account, password, scope))
    account = account_of(tokens.access_token) or account or ""
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


def _only_passwords(client: Client, vo: str) -> bool:
    ways = client.send(identity.ways(vo))
    return ways.passwords and not ways.providers


def _certificate_of(environment: Environment) -> tuple[Path, Path]:
    proxy = Path(f"/tmp/x509up_u{os.getuid()}")  # noqa: S108 - where all programs of grids look for it
    files = environment.certificate or ((proxy, proxy) if proxy.is_file() else None)
    if files is None:
        raise BadInput("No certificate is known.", hint=f"Set X509_USER_PROXY or X509_USER_CERT, or make {proxy}.")
    return files


def _show(session: Session, begun: DeviceLogin) -> None:
    code = f"{begun.user_code[:4]}-{begun.user_code[4:]}"
    session.output.err.print(
        f"Open {begun.verification_uri_complete} in a browser, where the code is {code}.", soft_wrap=True
    )


def _open_page(session: Session, url: str) -> bool:
    session.output.err.print(f"Opening {url}", soft_wrap=True)
    return webbrowser.open(url)


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


def logins(
    session: Session,
    everybody: Annotated[bool, typer.Option(help="Those of all accounts of the VO.")] = False,
    end: Annotated[str | None, typer.Option(metavar="ID", help="End this login; its tokens are void.")] = None,
) -> None:
    """List the logins that can still be renewed, or end one: that of a lost laptop, for example."""
    if end is not None:
        session.client.send(identity.end_login(end))
        session.output.say(f"Login {end} has ended.")
        return
    found = session.client.send(identity.logins(everybody=everybody))
    session.output.listing(found, LOGIN_COLUMNS, of="logins")


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

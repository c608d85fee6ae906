"""Logging in without a password of the server's: on its pages, or by a certificate.

`on_device` shows an address and a code, and waits until somebody has used them in a browser anywhere (RFC 8628).
`in_browser` opens a browser here, which comes back to a loopback address of this program (RFC 8252, with PKCE).
`by_certificate` shows a certificate or a grid proxy to a server that takes them still.
"""

import base64
import hashlib
import secrets
import ssl
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from httpx2 import HTTPTransport

from sancho_client.calls import identity
from sancho_client.client import Client, trusted
from sancho_client.environment import Environment
from sancho_client.errors import BadInput, ClientError, Problem
from sancho_client.models.identity import DeviceLogin, Tokens
from sancho_client.tokens import NO_TOKEN

WAIT = 600.0
"""Seconds for which a browser may take; the server forgets a login then."""
DONE = b"""<!doctype html><meta charset="utf-8"><title>Sancho</title><p>You can close this window."""


class LoginFailed(ClientError):
    """The login did not end in tokens."""


def on_device(
    client: Client, vo: str, scope: str | None, show: Callable[[DeviceLogin], None], *,
    sleep: Callable[[float], None] = time.sleep,
) -> Tokens:  # fmt: skip
    """Log in by a browser somewhere else: `show` tells a person where to go, then we ask until it is done.

    Raises a `Problem` when it was denied or took too long.
    """
    begun = client.send(identity.begin_on_device(vo, scope))
    show(begun)
    pause = begun.interval
    while True:
        sleep(pause)
        try:
            return client.send(identity.finish_on_device(begun.device_code))
        except Problem as problem:
            if problem.code == "login_too_eager":
                pause += 5
            elif problem.code != "login_pending":
                raise


def by_certificate(
    url: str, vo: str, scope: str | None, files: tuple[Path, Path], *, environment: Environment
) -> Tokens:
    """Log in by a certificate or a proxy and its key, in PEM; the token ends no later, and nothing renews it.

    Raises `BadInput` when `files` are no such thing, and a `Problem` when the server does not take it.
    """
    context = trusted(environment)
    try:
        context.load_cert_chain(*files)
    except (OSError, ssl.SSLError) as e:
        raise BadInput(
            f"{files[0]} and {files[1]} are no certificate with its key: {e}",
            hint="X509_USER_PROXY names a proxy, X509_USER_CERT and X509_USER_KEY a certificate and its key.",
        ) from e
    with Client(url, tokens=NO_TOKEN, environment=environment, transport=HTTPTransport(verify=context)) as client:
        return client.send(identity.login_by_certificate(vo, scope))


class _Back(BaseHTTPRequestHandler):
    """Takes the browser's return, once."""

    said: ClassVar[dict[str, str]] = {}
    state: ClassVar[str] = ""

    def do_GET(self) -> None:
        """Keep what the server says by the browser, and let the person go."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if not secrets.compare_digest(query.get("state", "").encode(), self.state.encode()):
            self.send_error(404)
            return
        self.said.update(query)
        self.send_response(200)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(DONE)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the code is in the address."""


def in_browser(
    client: Client, vo: str, scope: str | None, open_page: Callable[[str], bool], *, wait: float = WAIT
) -> Tokens:
    """Log in with the browser of this machine; raises `LoginFailed`, or `BadInput` when there is none to be opened."""
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    back = type("Back", (_Back,), {"said": {}, "state": state})
    with HTTPServer(("127.0.0.1", 0), back) as server:
        redirect_uri = f"http://127.0.0.1:{server.server_port}/"
        query = {
            "response_type": "code", "client_id": "sancho", "vo": vo, "redirect_uri": redirect_uri, "state": state,
            "code_challenge": challenge, "code_challenge_method": "S256", "scope": scope or "sancho",
        }  # fmt: skip
        if not open_page(f"{client.url}/v1/auth/authorize?{urlencode(query)}"):
            raise BadInput("No browser could be opened here.", hint="Say --device, and use a browser anywhere.")
        ends = time.monotonic() + wait
        server.timeout = 1.0
        while not back.said and time.monotonic() < ends:
            server.handle_request()
    said: dict[str, str] = back.said
    if "code" not in said:
        why = "It was cancelled." if said else f"No browser came back within {wait:.0f} s."
        raise LoginFailed(why, hint="Run `sancho login` again.")
    return client.send(identity.redeem(said["code"], redirect_uri=redirect_uri, verifier=verifier))

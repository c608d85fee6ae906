"""An issuer that does what no issuer should: signs anything with anything, answers anything, goes away."""

import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, TypeAlias
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from sancho_contract.identity import Person
from sancho_contract.testing.identity import Login
from sancho_plugins.oidc import OidcProvider, OidcSettings

Key: TypeAlias = RSAKey | ECKey | OKPKey
METADATA = "/.well-known/openid-configuration"
BACK = "https://sancho.example.org/back"
CLIENT = "sancho"
NONCE = "the-nonce"
LONGEST_WAIT = 30


class Careless(JWSRegistry):
    """Writes whatever it is given into a header."""

    def check_header(self, header: dict[str, Any]) -> None:
        pass


class FaultyIssuer:
    """One issuer on a free port; `with FaultyIssuer() as issuer`. Its tokens are good unless a test says otherwise."""

    def __init__(self) -> None:
        self.keys: dict[str | None, Key] = {"ec": ECKey.generate_key("P-256")}
        self.metadata: dict[str, Any] = {}
        """What its discovery document says otherwise, or not at all (None)."""
        self.answers: dict[str, tuple[int, Mapping[str, str], bytes]] = {}
        """What it answers at a path instead: status, headers, body."""
        self.userinfo: dict[str, Any] | None = None
        self.tokens: dict[str, Any] = {}
        """What its token endpoint answers."""
        self.forms: list[dict[str, str]] = []
        """What its token endpoint was sent."""
        self.authorizations: list[str | None] = []
        self.pages: list[dict[str, Any]] = []
        """Its list of people: an answer for each request."""
        self.asked: Counter[str] = Counter()
        self.stalled: set[str] = set()
        """Paths at which it says nothing until it is closed."""
        self._closing = threading.Event()
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.answer(self, b"")

            def do_POST(self) -> None:
                issuer.answer(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        path = urlsplit(request.path).path
        self.asked[path] += 1
        if path in self.stalled:
            self._closing.wait(LONGEST_WAIT)
        self.authorizations.append(request.headers["Authorization"])
        if path == "/token":
            self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        status, headers, said = self.answers.get(path) or (200, {}, json.dumps(self._usual(path)).encode())
        try:
            request.send_response(status)
            for name, value in {"Content-Length": str(len(said)), **headers}.items():
                request.send_header(name, value)
            request.end_headers()
            request.wfile.write(said)
        except (BrokenPipeError, ConnectionResetError):
            pass  # whoever asked has heard enough

    def _usual(self, path: str) -> Any:
        if path == METADATA:
            said = {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/keys",
                "userinfo_endpoint": f"{self.url}/userinfo" if self.userinfo is not None else None,
                "code_challenge_methods_supported": ["plain", "S256"],
            }
            return {name: value for name, value in (said | self.metadata).items() if value is not None}
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) | named(kid) for kid, key in self.keys.items()]}
        if path == "/token":
            return {"token_type": "Bearer", "access_token": "the-access-token", **self.tokens}
        if path == "/userinfo":
            return self.userinfo
        if path == "/scim/Users":
            return self.pages.pop(0)
        return {}

    def token(
        self,
        *,
        key: Key | OctKey | None = None,
        kid: str | None = "ec",
        alg: str = "ES256",
        header: Mapping[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """Sign an ID token that is good for ten minutes; `claims` replace the usual ones, None leaves one out."""
        now = int(time.time())
        usual: dict[str, Any] = {"iss": self.url, "aud": CLIENT, "sub": "alice", "nonce": NONCE, "iat": now}
        usual |= {"exp": now + 600}
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        head = {"alg": alg, **named(kid), **(header or {})}
        return jwt.encode(head, payload, key or self.keys[kid], registry=Careless(algorithms=[alg]))

    def provider(self, clock: Any = time.monotonic, **settings: Any) -> OidcProvider:
        """Make the plugin for this issuer; its keys are looked for whenever a token names another."""

        async def secret(name: str) -> str:
            return f"secret called {name}: /?&=%+ü"

        usual: dict[str, Any] = {"issuer": self.url, "client_id": CLIENT, "allow_http": True, "look_again": 0}
        return OidcProvider(OidcSettings(**(usual | settings)), secret, clock=clock)


def named(kid: str | None) -> dict[str, str]:
    return {} if kid is None else {"kid": kid}


async def finish(provider: OidcProvider, *, code: str = "the-code", issuer: str | None = None) -> Person:
    return await provider.person(code=code, redirect_uri=BACK, code_verifier="v" * 43, nonce=NONCE, issuer=issuer)


async def begin(provider: OidcProvider) -> str:
    login = Login(BACK)
    return await provider.login_url(
        redirect_uri=BACK, state=login.state, nonce=login.nonce, code_challenge=login.challenge
    )

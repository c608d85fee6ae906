"""A real storage server in a process of its own, and a real issuer of tokens for it, on loopback."""

import base64
import hmac
import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey

from sancho_plugins.webdav_server import StorageServerSettings

SERVE = """
import sys
from sancho_plugins.webdav_server import StorageServerSettings, serve
serve(StorageServerSettings.model_validate_json(sys.argv[1]))
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(condition: Callable[[], bool], what: str, within: float = 90.0) -> None:
    """Wait until a condition of another process holds, or fail after a deadline."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen in time"
        time.sleep(0.02)


class Issuer:
    """Publishes keys over HTTP and signs tokens; keys can be added and taken back, and it can go away."""

    def __init__(self) -> None:
        self.keys: dict[str, OKPKey | ECKey] = {"ed": OKPKey.generate_key("Ed25519"), "ec": ECKey.generate_key("P-256")}
        self.away = False
        self.asked = 0
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked += 1
                keys = [key.as_dict(private=False) | {"kid": kid, "use": "sig"} for kid, key in issuer.keys.items()]
                body = json.dumps({"keys": keys}).encode()
                self.send_response(503 if issuer.away else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in the base class
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def token(
        self, scope: Any, *, kid: str = "ec", key: OKPKey | ECKey | None = None, alg: str = "", **claims: Any
    ) -> str:
        """Sign a token that is good for ten minutes; `claims` replace the usual ones, None leaves one out."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": "storage-one", "sub": "alice", "iat": now, "nbf": now, "exp": now + 600}
        payload = {name: value for name, value in ({"scope": scope} | usual | claims).items() if value is not None}
        key = key or self.keys[kid]
        algorithm = alg or ("ES256" if isinstance(key, ECKey) else "Ed25519")
        return jwt.encode({"alg": algorithm, "kid": kid}, payload, key, algorithms=[algorithm])


def forged(header: dict[str, Any], payload: dict[str, Any], secret: bytes | None = None, signature: bytes = b"") -> str:
    """A token as a forger writes it: signed with a shared secret, or with anything."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    if secret is not None:
        signature = hmac.digest(secret, b".".join(parts), "sha256")
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


class StorageSite:
    """One storage server; `with StorageSite(issuer, root) as site`."""

    def __init__(self, issuer: Issuer, root: Path, **settings: Any) -> None:
        self.issuer = issuer
        self.root = root
        self.port = free_port()
        self.settings = StorageServerSettings(
            name="one",
            root=root,
            port=self.port,
            issuer=issuer.url,
            jwks_url=f"{issuer.url}/jwks",
            audience="storage-one",
            **settings,
        )
        self.url = f"http{'s' if self.settings.tls_key else ''}://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._before: Callable[[], None] | None = None

    def start(self, before: Callable[[], None] | None = None) -> None:
        """Start the server and wait until it answers; `before` runs in its process first."""
        log = self.root.parent / f"{self.root.name}.log"
        with log.open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-c", SERVE, self.settings.model_dump_json()],
                stderr=stderr,
                preexec_fn=before,  # noqa: PLW1509 - limits of the process can be set nowhere else
            )
        wait_for(self._answers, "the start of the storage server")

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def log(self) -> str:
        return (self.root.parent / f"{self.root.name}.log").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ask it to end, and say how it did."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def memory(self, line: str) -> int:
        """Bytes of memory, by a line of /proc: VmRSS now, VmHWM at most."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(found.split()[1]) << 10 for found in status.splitlines() if found.startswith(f"{line}:"))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.kill()

    def token_for(self, url: str) -> str:
        """Everything, at exactly this URL."""
        path = urlsplit(url).path
        return self.issuer.token(f"storage.read:{path} storage.modify:{path}")

    def client(self, scope: str = "storage.read:/ storage.modify:/", **claims: Any) -> httpx2.Client:
        """An HTTP client with a token."""
        headers = {"Authorization": f"Bearer {self.issuer.token(scope, **claims)}"}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


def ask(
    site: StorageSite, method: str, path: str, scope: str, content: bytes | None = None, **headers: str
) -> httpx2.Response:
    with site.client(scope) as client:
        return client.request(method, path, content=content, headers=headers)


def raw(
    site: StorageSite, method: str, path: str, token: str | None, body: bytes | None = None, **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    """A request whose path no library tidies up."""
    connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        authorization = {} if token is None else {"Authorization": f"Bearer {token}"}
        connection.request(method, path, body, authorization | headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()

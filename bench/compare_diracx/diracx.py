"""DiracX 0.7.0 as it comes from PyPI: one process of uvicorn over MariaDB, made with its own commands.

The JobParametersDB wants an OpenSearch, which neither Debian nor PyPI has: `osmem-server` speaks its protocol and keeps all in
memory. At its start DiracX looks whether its bucket for sandboxes exists; it is told that it does, and no sandbox is
asked for afterwards.
"""

import base64
import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode

from bench.compare_diracx.mariadb import MariaDB, open_mariadb
from sancho.local.processes import end_with_parent

DATABASES = (
    "AuthDB", "JobDB", "JobLoggingDB", "PilotAgentsDB", "ResourceStatusDB", "SandboxMetadataDB", "TaskDB", "TaskQueueDB",
    "TransformationDB",
)  # fmt: skip
VO, GROUP, USER = "lhcb", "admin", "prod"
PROPERTIES = ("NormalUser", "JobAdministrator", "GenericPilot")
SECONDS = 60.0
OSMEM = "import osmem_server, pathlib; print(pathlib.Path(osmem_server.__file__).parent / 'bin' / 'osmem-server')"


@dataclass(frozen=True)
class DiracX:
    """A DiracX that answers."""

    port: int
    token: str
    """Of `prod`, who may submit jobs, and manage those of all as pilots and administrators do."""
    mariadb: MariaDB
    server: int
    """Process id of the API."""


class _Bucket(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (a name that the library calls)
        """Say nothing."""


@contextmanager
def open_diracx(environment: Path, folder: Path) -> Iterator[DiracX]:
    """Start it from a virtual environment that has it, with all its files in an empty folder."""
    python = environment / "bin" / "python"
    key, port, search = secrets.token_bytes(32), _free_port(), _free_port()
    with ExitStack() as opened:
        mariadb = opened.enter_context(open_mariadb(folder / "mariadb", [name.lower() for name in DATABASES]))
        settings = {
            **{f"DIRACX_DB_URL_{name.upper()}": mariadb.url(name.lower()) for name in DATABASES},
            "DIRACX_OS_DB_JOBPARAMETERSDB": json.dumps({"hosts": f"http://127.0.0.1:{search}"}),
            "DIRACX_CONFIG_BACKEND_URL": f"git+file://{folder / 'configuration'}",
            "DIRACX_SERVICE_AUTH_TOKEN_ISSUER": f"http://127.0.0.1:{port}",
            "DIRACX_SERVICE_AUTH_TOKEN_KEYSTORE": f"file://{folder / 'keys.json'}",
            "DIRACX_SERVICE_AUTH_STATE_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "DIRACX_SERVICE_AUTH_ACCESS_TOKEN_EXPIRE_MINUTES": "1440",
            "DIRACX_LEGACY_EXCHANGE_HASHED_API_KEY": hashlib.sha256(key).hexdigest(),
            "DIRACX_SANDBOX_STORE_BUCKET_NAME": "sandboxes",
            "DIRACX_SANDBOX_STORE_S3_CLIENT_KWARGS": json.dumps(_bucket(opened)),
            "DIRACX_LOG_LEVEL": "WARNING",
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith("DIRACX_")} | settings
        osmem = _run([python, "-c", OSMEM], clean).strip()
        with (folder / "log").open("wb") as log:
            _start(opened, [osmem, "-addr", f"127.0.0.1:{search}", "-no-ja", "-no-stdin-watch"], clean, log.fileno())
            _prepare(python, folder, clean)
            server = [environment / "bin" / "uvicorn", "--factory", "diracx.routers:create_app", "--port", str(port)]
            server += [
                "--log-level",
                "warning",
                "--no-access-log",
            ]  # as ours, which writes none of requests that succeed
            running = _start(opened, server, clean, log.fileno())
            _wait_ready(f"http://127.0.0.1:{port}/api/health/ready", running, folder / "log")
            yield DiracX(port, _token(port, key), mariadb, running.pid)


def _prepare(python: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """A key to sign with, a VO with a group and a user, and the tables."""
    configuration, dirac = folder / "configuration", [python.with_name("dirac"), "internal"]
    said = ["--vo", VO]
    properties = [word for name in PROPERTIES for word in ("--properties", name)]
    for words in (
        [python, "-m", "diracx.logic", "rotate-jwk", "--jwks-path", folder / "keys.json"],
        [*dirac, "generate-cs", configuration],
        [*dirac, "add-vo", configuration, *said, "--idp-url", "https://idp.invalid", "--idp-client-id", "none"],
        [*dirac, "add-group", configuration, *said, "--group", GROUP, *properties],
        [*dirac, "add-user", configuration, *said, "--group", GROUP, "--sub", USER, "--preferred-username", USER],
        [python, "-m", "diracx.db", "init-sql"],
        [python, "-m", "diracx.db", "init-os"],
    ):
        _run(words, environment)


def _bucket(opened: ExitStack) -> dict[str, str]:
    door = opened.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), _Bucket))
    threading.Thread(target=door.serve_forever, daemon=True).start()
    opened.callback(door.shutdown)
    none = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    return {"endpoint_url": f"http://127.0.0.1:{door.server_port}", **none}


def _token(port: int, key: bytes) -> str:
    """By the exchange that services of DIRAC use."""
    query = urlencode({"preferred_username": USER, "scope": f"vo:{VO} group:{GROUP}"})
    known = {"authorization": f"Bearer diracx:legacy:{base64.urlsafe_b64encode(key).decode()}"}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/api/auth/legacy-exchange?{query}", headers=known)
    with urllib.request.urlopen(asked, timeout=SECONDS) as answer:
        return json.load(answer)["access_token"]


def _run(words: Sequence[str | Path], environment: Mapping[str, str]) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, words))}: {done.stdout[-1000:]}{done.stderr[-1000:]}")
    return done.stdout


def _start(
    opened: ExitStack, words: Sequence[str | Path], environment: Mapping[str, str], log: int
) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509 (one system call)
    )
    opened.callback(started.wait)
    opened.callback(started.terminate)
    return started


def _wait_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (URLError, OSError) as e:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"DiracX did not start: {log.read_text()[-2000:]}") from e
            time.sleep(0.1)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]

"""Running the storage server until SIGTERM."""

import logging
import signal
import sys
import warnings
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from joserfc.errors import SecurityWarning

from sancho_plugins.webdav_server.app import StorageApp
from sancho_plugins.webdav_server.settings import StorageServerSettings

_KEEP_ALIVE = 30


class _Server(uvicorn.Server):
    """A server that ends with its function's return: uvicorn would raise the signal anew and look killed."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.handle_exit)
        yield


def serve(settings: StorageServerSettings) -> None:
    """Serve in the foreground; returns after SIGTERM or SIGINT, when running requests have ended or their grace has.

    Logs to stderr. Raises `SystemExit` when the port cannot be had.
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    warnings.simplefilter("ignore", SecurityWarning)  # issuers may still call Ed25519 by its older name EdDSA
    config = uvicorn.Config(
        StorageApp(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=int(settings.shutdown_grace.total_seconds()),
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    _Server(config).run()

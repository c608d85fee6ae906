"""`sancho serve`: the API. The only verb that loads every route."""

import gc
from contextlib import suppress

import typer
import uvicorn

from sancho.app import create_app
from sancho.kit import telemetry
from sancho.kit.issuer import ensure_key
from sancho.settings import Settings

STARTUP_FAILED = 3


def serve() -> None:
    """Serve the API. Settings come from SANCHO_… in the environment.

    Example: SANCHO_DATABASE_URL=postgresql://sancho@/sancho sancho serve
    """
    settings = Settings()
    telemetry.configure(level=settings.log_level, service="sancho-api", otlp_endpoint=settings.otlp_endpoint)
    ensure_key(settings.keys)
    app = create_app(settings)
    gc.set_threshold(2_000, 50, 100)  # more often than that costs throughput, more seldom lets others wait longer
    gc.freeze()  # the application itself is no garbage, so it need not be looked at again
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, loop="uvloop", http="httptools",
        proxy_headers=False,  # they count from `trusted_proxies` only: kit.proxied
        log_config=None, access_log=False, timeout_graceful_shutdown=10, server_header=False,
        ssl_certfile=settings.tls_cert and str(settings.tls_cert),
        ssl_keyfile=settings.tls_key and str(settings.tls_key),
    )  # fmt: skip
    # Before anything is opened: who cannot have the port ends at once, with nothing to close.
    listener = config.bind_socket()
    server = uvicorn.Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        raise typer.Exit(STARTUP_FAILED)

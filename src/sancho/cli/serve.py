"""`sancho serve`: the API. The only verb that loads every route."""

import gc
from contextlib import suppress
from types import FrameType

import typer
import uvicorn

from sancho.app import create_app
from sancho.jobs.service import News
from sancho.kit import telemetry
from sancho.kit.issuer import ensure_key
from sancho.settings import Settings

STARTUP_FAILED = 3


class Server(uvicorn.Server):
    """Lets go of those who listen for news when it is told to end: else it would wait for them."""

    def __init__(self, config: uvicorn.Config, news: News) -> None:
        """Serve an application that has `news`."""
        super().__init__(config)
        self._news = news

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end."""
        self._news.close()
        super().handle_exit(sig, frame)


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
    server = Server(config, app.state.news)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        raise typer.Exit(STARTUP_FAILED)
